#include "app/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/paths.h"

#define RECENT 20
#define SESSION_BYTES ((size_t)32 << 20) /* lines are LINE_BYTES at most */
#define LINES 50 /* of each kind of prompt, the newest */

/* What stands for each kind in the file; NULL: not kept. */
static const char *const kinds[LINE_KINDS] = {
    [LINE_COMMAND] = "command", [LINE_FIND] = "find",
    [LINE_FILTER] = "filter",   [LINE_TAG] = "tag",
    [LINE_NOTE] = "note",       [LINE_REASON] = "reason",
    [LINE_IMPORT] = "import",   [LINE_ASK] = "ask"};

static char *session_path(const struct app *a)
{
    char name[60];
    snprintf(name, sizeof name, "%.32s.json", store_id(a->s));
    return paths_state(name);
}

void session_restore(struct app *a)
{
    char *path = session_path(a);
    json *j = path && file_exists(path)
                  ? json_load(path, SESSION_BYTES, NULL)
                  : NULL;
    free(path);
    if (!j)
        return;
    struct target t;
    int64_t target = json_get_int(j, "target", 0);
    if (target && target_get(a->s, target, &t, NULL)) {
        app_set_target(a, target);
        target_free(&t);
    }
    const char *filter = json_get_string(j, "filter", "");
    struct filter f;
    if (*filter && filter_parse(filter, &f, NULL)) {
        filter_free(&f);
        a->review.filter = xstrdup(filter);
    }
    int64_t view = json_get_int(j, "view", VIEW_REVIEW);
    if (view >= 0 && view < VIEW_TABS)
        app_open(a, (enum view_id)view);
    if (list_go(app_list(a), json_get_int(j, "row", 0)))
        app_load(a);
    const json *lines = json_get(j, "lines");
    for (int k = 0; k < LINE_KINDS; k++)
        for (const json *c = kinds[k] ? json_first(json_get(lines, kinds[k]))
                                      : NULL; c; c = json_next(c))
            if (json_string(c))
                line_remember(&a->line, (enum line_kind)k, json_string(c));
    json_free(j);
}

static void write_lines(const struct line *l, int kind, struct jw *w)
{
    size_t n = l->history[kind].n;
    if (!kinds[kind] || !n)
        return;
    jw_key(w, kinds[kind]);
    jw_open(w, '[');
    for (size_t i = n > LINES ? n - LINES : 0; i < n; i++)
        jw_str(w, l->history[kind].at[i]);
    jw_close(w);
}

static void write_session(const struct app *a, struct buf *b)
{
    struct jw w = jw_start(b);
    enum view_id v = a->view < VIEW_TABS ? a->view : a->back;
    jw_open(&w, '{');
    jw_kint(&w, "view", v);
    jw_kint(&w, "target", a->target);
    jw_kint(&w, "row", list_id(app_list((struct app *)(uintptr_t)a)));
    if (a->review.filter)
        jw_kstr(&w, "filter", a->review.filter);
    jw_key(&w, "lines");
    jw_open(&w, '{');
    for (int k = 0; k < LINE_KINDS; k++)
        write_lines(&a->line, k, &w);
    jw_close(&w);
    jw_close(&w);
}

size_t session_recent(struct recent *out, size_t n)
{
    char *path = paths_state("recent.json");
    json *j = path && file_exists(path) ? json_load(path, 65536, NULL) : NULL;
    size_t got = 0;
    free(path);
    for (const json *r = json_first(j); r && got < n; r = json_next(r)) {
        const char *file = json_get_string(r, "path", "");
        if (!file_exists(file))
            continue;
        snprintf(out[got].path, sizeof out[got].path, "%s", file);
        out[got].accepted = json_get_int(r, "accepted", 0);
        out[got++].at = json_get_int(r, "at", 0);
    }
    json_free(j);
    return got;
}

static void write_recent(const struct app *a)
{
    struct recent *list = xcalloc(RECENT, sizeof *list);
    size_t n = session_recent(list, RECENT);
    char *full = realpath(store_path(a->s), NULL);
    char *path = paths_state("recent.json");
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '[');
    for (size_t i = 0; full && i <= n && i < RECENT; i++) {
        const struct recent *r = i ? &list[i - 1] : NULL;
        if (r && !strcmp(r->path, full))
            continue;
        jw_open(&w, '{');
        jw_kstr(&w, "path", r ? r->path : full);
        jw_kint(&w, "accepted", r ? r->accepted : a->counts.accepted);
        jw_kint(&w, "at", r ? r->at : clock_now());
        jw_close(&w);
    }
    jw_close(&w);
    if (path && full)
        file_replace(path, buf_str(&b), b.len, 0600, false, NULL);
    free(path);
    free(full);
    free(list);
    buf_free(&b);
}

void session_save(const struct app *a)
{
    struct buf b = BUF_INIT(0);
    char *path = session_path(a);
    char *dir = path ? path_dir(path) : NULL;
    if (dir && dir_make(dir, 0700, NULL)) {
        write_session(a, &b);
        file_replace(path, buf_str(&b), b.len, 0600, false, NULL);
        write_recent(a);
    }
    buf_free(&b);
    free(dir);
    free(path);
}
