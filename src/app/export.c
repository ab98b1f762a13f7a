#include "app/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/paths.h"
#include "verbs/train.h"

#define WAIT N_("wait: the rows are still being counted")

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

/* Starts the child that counts or writes. */
static void start(struct app *a, bool write, bool replace)
{
    struct export_state *x = &a->export;
    struct err e = {0};
    if (x->child.pid || !a->target)
        return;
    char *store = realpath(store_path(a->s), NULL), *shapes = shape_list(x);
    char *dir = write ? xstrdup(x->dir)
                      : xasprintf("%s.export", a->target_name);
    char *since = xasprintf("x%lld", (long long)x->since);
    const char *args[20] = {"export", dir, "--store", store, "--target",
                            a->target_name, "--filter",
                            x->filter ? x->filter : "", "--shapes", shapes,
                            "--json"};
    size_t n = 11;
    if (!write)
        args[n++] = "--dry-run";
    if (replace)
        args[n++] = "--replace";
    if (x->leave_wrong) {
        args[n++] = "--leave-out";
        args[n++] = "wrong";
    }
    if (x->since) {
        args[n++] = "--since";
        args[n++] = since;
    }
    x->writing = write;
    if (*shapes && !child_start(&x->child, args, false, &e))
        app_say_err(a, &e);
    free(since);
    free(dir);
    free(shapes);
    free(store);
}

/* Writes; where a bundle stands already, asks before it is replaced. */
static void write_bundle(struct app *a, const char *typed)
{
    struct export_state *x = &a->export;
    if (x->child.pid) {
        app_wrong(a, _(WAIT));
        return;
    }
    free(x->dir);
    x->dir = *typed ? paths_typed(typed)
                    : xasprintf("./%s.export", a->target_name);
    if (file_exists(x->dir)) {
        a->ask.kind = ASK_REPLACE;
        snprintf(a->ask.text, sizeof a->ask.text,
                 _("%.200s is there already: replace it?"), x->dir);
    } else {
        start(a, true, false);
    }
}

bool export_replace_key(struct app *a, const char *key)
{
    bool yes = !strcmp(key, "Y");
    if (!yes && strcmp(key, "n") && strcmp(key, "Esc"))
        return false;
    a->ask.kind = ASK_NOTHING;
    if (yes)
        start(a, true, true);
    else
        app_say(a, _("nothing was written"));
    return true;
}

static void recount(struct app *a)
{
    json_free(a->export.report);
    a->export.report = NULL;
    a->export.error[0] = '\0';
    start(a, false, false);
}

struct export_shape export_shape(int i)
{
    enum shape s = (enum shape)i;
    return (struct export_shape){shape_name(s), shape_made_from(s),
                                 shape_for(s)};
}

const char *export_check_text(const char *check)
{
    for (int k = 0; k < ROW_CHECK_COUNT; k++)
        if (!strcmp(row_check_name((enum row_check)k), check))
            return row_check_text((enum row_check)k);
    return "";
}

int64_t export_rows_of(const struct export_state *x, enum shape shape,
                       int split)
{
    const json *s = json_get(json_get(x->report, "rows"), shape_name(shape));
    int64_t n = 0;
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (split < 0 || split == i)
            n += json_get_int(s, split_name((enum split)i), 0);
    return n;
}

static const char *filter_of(const struct export_state *x)
{
    return x->filter ? x->filter : "";
}

static int64_t count_accepted(struct app *a)
{
    const char *own = filter_of(&a->export);
    struct filter f;
    int64_t n = 0;
    if (!*own)
        return a->counts.accepted;
    char *text = xasprintf("status:accepted (%s)", own);
    if (a->target && filter_parse(text, &f, NULL)) {
        struct query q = {.target = a->target, .filter = &f};
        n = query_count(a->s, &q, NULL);
        filter_free(&f);
    }
    free(text);
    return n;
}

void export_open(struct app *a)
{
    struct export_state *x = &a->export;
    ids rows = {0};
    if (!x->list.total) {
        for (int i = 0; i < SHAPE_COUNT; i++) {
            x->shapes[i] = true;
            VEC_PUSH(&rows, (int64_t)i + 1);
        }
        list_take(&x->list, &rows);
    }
    x->n_accepted = count_accepted(a);
    recount(a);
}

/* ---- The row ------------------------------------------------------------ */

static void start_render(struct app *a)
{
    struct export_state *x = &a->export;
    struct err e;
    child_stop(&x->render);
    json_free(x->rendered);
    x->rendered = NULL;
    char *dir = x->row.messages ? train_newest_student(a->s, a->target) : NULL;
    const char *args[] = {"render", dir, NULL};
    if (dir)
        child_start_model(&x->render, args, x->row.messages, &e);
    free(dir);
}

/* The next row of the shape under the cursor; false where there is none. */
static bool step_row(struct app *a, int by)
{
    struct export_state *x = &a->export;
    enum shape shape = (enum shape)x->list.cursor;
    return a->target && (!x->report || export_rows_of(x, shape, -1)) &&
           shown_row_step(a->s, a->target, filter_of(x), shape, by,
                          EXPORT_LOOK, &x->row);
}

static bool take_render(struct export_state *x)
{
    struct buf out = BUF_INIT((size_t)16 << 20);
    struct err e;
    bool ok;
    if (!child_ended(&x->render, &ok, &out))
        return false;
    json_free(x->rendered);
    x->rendered = ok ? json_parse(buf_str(&out), out.len, &e) : NULL;
    buf_free(&out);
    return true;
}

/* The same row as before where it is there; of another shape a row of the same
 * sample, else the first. */
void export_load(struct app *a)
{
    struct export_state *x = &a->export;
    enum shape shape = (enum shape)x->list.cursor;
    int64_t sample = x->row.sample;
    int n = x->row.shape == shape ? x->row.n : 0;
    char *was = x->row.messages;
    x->row.messages = NULL;
    x->scroll = 0;
    if (sample)
        shown_row_read(a->s, shape, sample, n, &x->row);
    if (!x->row.sample)
        step_row(a, 1);
    bool same = was && x->row.messages && !strcmp(was, x->row.messages);
    free(was);
    if (!same || (!x->rendered && !x->render.pid))
        start_render(a);
}

void export_show(struct app *a, enum shape shape, int64_t sample)
{
    shown_row_read(a->s, shape, sample, 0, &a->export.row);
    bool there = a->export.row.sample != 0;
    app_go(a, VIEW_EXPORT, (int64_t)shape + 1);
    if (!there)
        app_say(a, _("%lld has no row of %s today"), (long long)sample,
                shape_name(shape));
}

char *export_text(struct app *a)
{
    const struct export_state *x = &a->export;
    struct buf b = BUF_INIT(0);
    if (!x->row.sample)
        return NULL;
    for (const json *p = json_first(json_get(x->rendered, "parts")); p;
         p = json_next(p))
        buf_puts(&b, json_get_string(p, "text", ""));
    if (b.len)
        return buf_take(&b);
    buf_printf(&b, "%s\n\n%s\n", x->row.asked, x->row.answer);
    if (x->row.worse)
        buf_printf(&b, "\n%s\n", x->row.worse);
    return buf_take(&b);
}

void export_done(struct app *a)
{
    struct export_state *x = &a->export;
    if (!x->writing)
        child_stop(&x->child);
    child_stop(&x->render);
    json_free(x->rendered);
    json_free(x->report);
    shown_row_free(&x->row);
    list_free(&x->list);
    free(x->filter);
    free(x->dir);
}

/* The first sample with a wrong row, 0 where there is none; how many. */
static int64_t first_wrong(const struct export_state *x, int64_t *n)
{
    int64_t first = 0;
    *n = 0;
    const json *c = json_first(json_get(x->report, "checks"));
    for (; c && !x->leave_wrong; c = json_next(c)) {
        if (strcmp(json_get_string(c, "verdict", ""), "fail"))
            continue;
        *n += json_get_int(c, "count", 0);
        if (!first)
            first = (int64_t)json_number(
                json_first(json_get(c, "samples")), 0);
    }
    return first;
}

void export_enter(struct app *a)
{
    int64_t n, wrong = first_wrong(&a->export, &n);
    int64_t to = wrong ? wrong : a->export.row.sample;
    if (to)
        app_go(a, VIEW_REVIEW, to);
}

static void say_wrong(struct app *a)
{
    int64_t n, first = first_wrong(&a->export, &n);
    if (first && a->view == VIEW_EXPORT)
        app_say(a, P_("Refused while %lld sample is wrong: Enter goes to "
                      "%lld, x leaves it out.",
                      "Refused while %lld samples are wrong: Enter goes to "
                      "%lld, x leaves them out.", (unsigned long)n),
                (long long)n, (long long)first);
}

/* The child's report, or the sentence that it ended with. */
static void take_report(struct export_state *x, bool ok, const char *text)
{
    const char *open = strchr(text, '{');
    json *j = open ? json_parse(open, strlen(open), NULL) : NULL;
    if (j) {
        json_free(x->report);
        x->report = j;
    }
    const char *line = ok ? NULL : strstr(text, "stillroom: ");
    snprintf(x->error, sizeof x->error, "%.*s",
             line ? (int)strcspn(line + 11, "\n") : 0, line ? line + 11 : "");
}

bool export_tick(struct app *a)
{
    struct export_state *x = &a->export;
    struct buf out = BUF_INIT((size_t)16 << 20);
    bool ok, rendered = take_render(x);
    if (!child_ended(&x->child, &ok, &out))
        return rendered;
    take_report(x, ok, buf_str(&out));
    buf_free(&out);
    if (x->writing && ok)
        app_say(a, _("written: %.200s, %lld files (x%lld)"), x->dir,
                (long long)json_get_int(x->report, "files", 0),
                (long long)json_get_int(x->report, "export", 0));
    else if (*x->error)
        app_say(a, "%s", x->error);
    else if (!strcmp(a->said, _(WAIT))) /* no more */
        *a->said = '\0';
    if (!x->writing && !*x->error)
        say_wrong(a);
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
    shown_row_free(&a->export.row);
    a->export.filter = *text ? xstrdup(text) : NULL;
    app_open(a, VIEW_EXPORT);
}

/* Against the export before the one that is compared with; behind the first,
 * against the newest again. */
static void step_since(struct app *a, const char *args)
{
    (void)args;
    struct export_state *x = &a->export;
    const json *since = json_get(x->report, "since");
    if (!since) {
        app_say(a, x->child.pid ? _(WAIT)
                                : _("there is no earlier export"));
        return;
    }
    x->since = json_get_int(since, "before", 0);
    recount(a);
}

static void unfilter(struct app *a, const char *args)
{
    (void)args;
    set_filter(a, "");
}

static void turn_shape(struct app *a, const char *args)
{
    struct export_state *x = &a->export;
    (void)args;
    x->shapes[x->list.cursor] = !x->shapes[x->list.cursor];
    recount(a);
}

static void leave_out(struct app *a, const char *args)
{
    struct export_state *x = &a->export;
    (void)args;
    x->leave_wrong = !x->leave_wrong;
    app_say(a, x->leave_wrong ? _("wrong rows are left out; the lock will say "
                                  "so")
                              : _("wrong rows refuse the export"));
    recount(a);
}

static void other_row(struct app *a, int by)
{
    int64_t was = a->export.row.sample;
    int n = a->export.row.n;
    bool found = step_row(a, by);
    a->said[0] = '\0';
    if (!found || (a->export.row.sample == was && a->export.row.n == n))
        app_say(a, _("there is no other row of this shape nearby"));
    else
        app_load(a);
}

static void row_before(struct app *a, const char *args)
{
    (void)args;
    other_row(a, -1);
}

static void row_behind(struct app *a, const char *args)
{
    (void)args;
    other_row(a, 1);
}

static void lineage(struct app *a, const char *args)
{
    (void)args;
    lineage_open(a, a->export.row.sample);
}

static const char *no_row(const struct app *a)
{
    return a->export.row.sample ? NULL : _("there is no row of this shape");
}

static const char *none_accepted(const struct app *a)
{
    return a->export.n_accepted ? NULL
           : a->export.filter   ? _("nothing in this filter; F drops it")
                                : _("nothing is accepted yet; 3 opens Review");
}

const struct deed export_deeds[] = {
    {.act = ACT_WRITE,
     .fn = write_bundle,
     .why_not = none_accepted,
     .complete = complete_paths},
    {.act = ACT_SHAPE, .fn = turn_shape},
    {.act = ACT_LEAVE_OUT, .fn = leave_out},
    {.act = ACT_EARLIER, .fn = step_since},
    {.act = ACT_PREV_PART, .fn = row_before, .why_not = no_row},
    {.act = ACT_NEXT_PART, .fn = row_behind, .why_not = no_row},
    {.act = ACT_LINEAGE, .fn = lineage, .why_not = no_row},
    {.act = ACT_FILTER, .fn = set_filter, .prompt = LINE_FILTER},
    {.act = ACT_UNFILTER, .fn = unfilter},
    {0}};
