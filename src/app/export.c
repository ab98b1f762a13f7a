#include "app/export.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/app.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/proc.h"
#include "jobs/env.h"

/* "sft,dpo": the shapes that are on. The caller frees. */
static char *shape_list(const struct export_state *x)
{
    struct buf b = BUF_INIT(0);
    for (int i = 0; i < SHAPE_COUNT; i++)
        if (x->shapes[i])
            buf_printf(&b, "%s%s", b.len ? "," : "",
                       shape_name((enum shape)i));
    return buf_take(&b);
}

/* Starts the child; its output goes to a file in NAME.runs. */
static void start(struct app *a, bool write)
{
    struct export_state *x = &a->export;
    struct err e = {0};
    if (x->child || !a->target)
        return;
    char *program = paths_program_dir(), *self = path_join(program,
                                                           "stillroom");
    char *store = realpath(store_path(a->s), NULL), *shapes = shape_list(x);
    char *dir = xasprintf("%s.export", a->target_name);
    const char *filter = x->filter ? x->filter : "";
    const char *argv[] = {self, "export", dir, "--store", store, "--target",
                          a->target_name, "--filter", filter, "--shapes",
                          shapes, "--json",
                          write ? "--overwrite" : "--dry-run",
                          x->leave_wrong ? "--leave-out" : NULL,
                          x->leave_wrong ? "wrong" : NULL, NULL};
    char **drop = env_secrets(NULL, NULL);
    free(x->out);
    x->out = path_join(store_runs_dir(a->s), "export.json");
    int fd = -1;
    if (*shapes && dir_make(store_runs_dir(a->s), 0700, &e))
        fd = open(x->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct proc p = {.argv = argv, .drop_env = (const char *const *)drop,
                     .in = -1, .out = fd, .err = fd};
    pid_t pid = fd >= 0 ? proc_start(&p, &e) : -1;
    x->child = pid > 0 ? pid : 0;
    x->writing = write;
    if (fd >= 0)
        close(fd);
    if (e.code)
        app_say_err(a, &e);
    proc_free_argv(drop);
    free(dir);
    free(shapes);
    free(store);
    free(self);
    free(program);
}

static void recount(struct app *a)
{
    json_free(a->export.report);
    a->export.report = NULL;
    a->export.error[0] = '\0';
    start(a, false);
}

void export_open(struct app *a)
{
    struct export_state *x = &a->export;
    struct filter f;
    ids rows = {0};
    if (!x->list.all.n) {
        for (int i = 0; i < SHAPE_COUNT; i++) {
            x->shapes[i] = true;
            VEC_PUSH(&rows, (int64_t)i + 1);
        }
        list_take(&x->list, &rows);
    }
    char *text = xasprintf("status:accepted%s%s%s", x->filter ? " (" : "",
                           x->filter ? x->filter : "", x->filter ? ")" : "");
    VEC_FREE(&x->accepted);
    if (a->target && filter_parse(text, &f, NULL)) {
        struct query q = {a->target, &f, 0};
        query_ids(a->s, &q, 0, SIZE_MAX >> 2, &x->accepted, NULL);
        filter_free(&f);
    }
    free(text);
    recount(a);
}

void export_load(struct app *a)
{
    struct export_state *x = &a->export;
    sample_free(&x->now);
    if (!x->accepted.n)
        return;
    x->row %= x->accepted.n;
    sample_get(a->s, x->accepted.at[x->row], &x->now, NULL);
}

void export_done(struct app *a)
{
    struct export_state *x = &a->export;
    if (x->child && !x->writing)
        kill(x->child, SIGTERM);
    json_free(x->report);
    sample_free(&x->now);
    list_free(&x->list);
    VEC_FREE(&x->accepted);
    free(x->filter);
    free(x->out);
}

/* The child's report, or the sentence that it ended with. */
static void take_report(struct app *a, bool ok)
{
    struct export_state *x = &a->export;
    struct buf b = BUF_INIT((size_t)16 << 20);
    file_read(x->out, (size_t)16 << 20, &b, NULL);
    unlink(x->out);
    const char *open = strchr(buf_str(&b), '{');
    json *j = open ? json_parse(open, strlen(open), NULL) : NULL;
    if (j) {
        json_free(x->report);
        x->report = j;
    }
    const char *line = ok ? NULL : strstr(buf_str(&b), "stillroom: ");
    snprintf(x->error, sizeof x->error, "%.*s",
             line ? (int)strcspn(line + 11, "\n") : 0, line ? line + 11 : "");
    buf_free(&b);
}

bool export_tick(struct app *a)
{
    struct export_state *x = &a->export;
    int status = 0;
    if (!x->child || waitpid(x->child, &status, WNOHANG) == 0)
        return false;
    bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    x->child = 0;
    take_report(a, ok);
    if (x->writing && ok)
        app_say(a, _("written: ./%s.export, %lld files (x%lld)"),
                a->target_name,
                (long long)json_get_int(x->report, "files", 0),
                (long long)json_get_int(x->report, "export", 0));
    else if (*x->error)
        app_say(a, "%s", x->error);
    return true;
}

static void set_filter(struct app *a, const char *text)
{
    struct filter f;
    struct err e = {0};
    if (!filter_parse(text, &f, &e)) {
        app_say_err(a, &e);
        return;
    }
    filter_free(&f);
    free(a->export.filter);
    a->export.filter = *text ? xstrdup(text) : NULL;
    app_open(a, VIEW_EXPORT);
}

void export_act(struct app *a, enum action act, const char *args)
{
    struct export_state *x = &a->export;
    size_t n = x->accepted.n;
    a->stale = STALE_PAINT;
    switch (act) {
    case ACT_WRITE:
        if (x->child)
            app_say(a, _("wait: the rows are still being counted"));
        else
            start(a, true);
        break;
    case ACT_SHAPE:
        x->shapes[x->list.cursor] = !x->shapes[x->list.cursor];
        recount(a);
        break;
    case ACT_LEAVE_OUT:
        x->leave_wrong = !x->leave_wrong;
        app_say(a, x->leave_wrong ? _("wrong rows are left out; the lock "
                                      "will say so")
                                  : _("wrong rows refuse the export"));
        recount(a);
        break;
    case ACT_PREV_PART:
    case ACT_NEXT_PART:
        if (n)
            x->row = (x->row + (act == ACT_NEXT_PART ? 1 : n - 1)) % n;
        export_load(a);
        break;
    case ACT_FILTER: set_filter(a, args); break;
    case ACT_UNFILTER: set_filter(a, ""); break;
    default: review_act(a, act, args); break;
    }
}
