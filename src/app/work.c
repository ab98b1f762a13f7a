/* Imports and decisions over many samples: at once where they are small, else
 * as a job that the screen watches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/paths.h"
#include "jobs/job.h"
#include "verbs/undo.h"
#include "verbs/work.h"

static void watch(struct app *a, int64_t job, struct err *e)
{
    if (!job) {
        app_say_err(a, e);
        return;
    }
    VEC_PUSH(&a->works, job);
    a->runs.alive = true;
    app_say(a, _("j%lld does it in the background; 5 shows it"),
            (long long)job);
}

/* ---- Imports ------------------------------------------------------------ */

/* Into the lines of a struct buf. */
static void on_bad_row(void *ctx, uint64_t line, const char *reason)
{
    buf_printf(ctx, _("line %llu: %s"), (unsigned long long)line, reason);
    buf_putc(ctx, '\n');
}

/* `unread`: {"history":40} as an import's figures have it, or NULL. The list
 * whole goes to *notes, its first three names to the line. */
static void put_unread(struct buf *line, struct buf *notes,
                       const json *unread)
{
    struct buf all = BUF_INIT(0), some = BUF_INIT(0);
    size_t n = 0;
    for (const json *k = json_first(unread); k; k = json_next(k), n++) {
        struct buf *b = n < 3 ? &some : &all;
        buf_printf(b, "%s%s %lld", n && b->len ? ", " : "", json_key(k),
                   (long long)json_number(k, 0));
    }
    if (n) {
        char *list = xasprintf("%s%s%s", buf_str(&some), all.len ? ", " : "",
                               buf_str(&all));
        buf_printf(notes, _("not read: %s"), list);
        buf_putc(notes, '\n');
        free(list);
        buf_printf(line, "; ");
        buf_printf(line, _("not read: %s"), buf_str(&some));
        buf_printf(line, "%s", all.len ? " ..." : "");
    }
    buf_free(&all);
    buf_free(&some);
}

/* Adds what there is to say of an import, the last line for row 23. What is
 * wrong stands before what was not read, as a line may be cut. */
static void tell_imported(struct buf *notes, bool samples, const char *path,
                          int64_t items, int64_t bad, const json *unread)
{
    struct buf line = BUF_INIT(0);
    buf_printf(&line, samples ? P_("%lld sample from %s", "%lld samples from "
                                   "%s", (unsigned long)items)
                              : P_("%lld seed from %s", "%lld seeds from %s",
                                   (unsigned long)items),
               (long long)items, path_base(path));
    buf_printf(&line, P_("; %lld row bad (M)", "; %lld rows bad (M)",
                         (unsigned long)bad), (long long)bad);
    put_unread(&line, notes, unread);
    buf_puts(notes, buf_str(&line));
    buf_free(&line);
}

static void tell_report(struct buf *notes, bool samples, const char *path,
                        const struct import_report *n)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    unread_print(&n->unread, &w);
    json *unread = json_parse(buf_str(&b), b.len, NULL);
    tell_imported(notes, samples, path, n->items, (int64_t)n->bad, unread);
    json_free(unread);
    buf_free(&b);
}

static void import(struct app *a, const char *path)
{
    struct import_options o = {.path = path, .target = a->target_name,
                               .as_samples = a->view == VIEW_REVIEW};
    struct import_report n;
    struct err e = {0};
    struct stat st;
    struct buf notes = BUF_INIT(0);
    if (stat(path, &st) == 0 && st.st_size > WORK_BYTES) {
        watch(a, verb_start_import(a->s, a->who, a->target, &o, &e), &e);
        return;
    }
    bool ok = verb_import(a->s, a->who, &o, on_bad_row, &notes, &n, &e);
    if (ok) {
        app_set_target(a, n.target);
        app_open(a, a->view);
        tell_report(&notes, o.as_samples, path, &n);
    }
    app_notes(a, buf_str(&notes));
    if (!ok)
        app_say_err(a, &e);
    import_report_free(&n);
    buf_free(&notes);
}

void work_import(struct app *a, const char *typed)
{
    char *path = paths_typed(typed);
    import(a, path);
    free(path);
}

bool work_begin(const char *file, const char *who, struct store **s,
                struct buf *notes, struct err *e)
{
    struct import_options o = {.path = file};
    struct import_report n = {0};
    bool ok = store_create(STORE_DEFAULT, s, e);
    if (ok && file) {
        ok = verb_import(*s, who, &o, on_bad_row, notes, &n, e);
        if (ok)
            tell_report(notes, false, file, &n);
        import_report_free(&n);
    }
    if (ok || !*s)
        return ok;
    buf_clear(notes);
    dir_remove(store_runs_dir(*s), NULL);
    store_close(s);
    unlink(STORE_DEFAULT);
    return false;
}

/* Rows came or were decided on: the list reads them, the cursor stays. */
static void show_anew(struct app *a)
{
    const struct view *v = view_of(a->view);
    app_recount(a);
    if (v->refresh)
        v->refresh(a);
    else
        app_open(a, a->view);
}

/* ---- Many decisions ----------------------------------------------------- */

static void put_changed(struct buf *b, enum status to, int64_t n)
{
    char of[32];
    unsigned long k = (unsigned long)n;
    lang_number(of, sizeof of, (double)n, 0);
    switch (to) {
    case STATUS_PENDING:
        buf_printf(b, P_("%s pending", "%s pending", k), of);
        break;
    case STATUS_ACCEPTED:
        buf_printf(b, P_("%s accepted", "%s accepted", k), of);
        break;
    case STATUS_REJECTED:
        buf_printf(b, P_("%s rejected", "%s rejected", k), of);
        break;
    case STATUS_DEFERRED:
        buf_printf(b, P_("%s deferred", "%s deferred", k), of);
        break;
    case STATUS_COUNT: break;
    }
}

static void say_decided(struct app *a, enum status to,
                        const struct bulk_report *n)
{
    struct buf b = BUF_INIT(0);
    if (n->seq)
        put_changed(&b, to, n->changed);
    else
        buf_puts(&b, _("nothing was decided"));
    if (n->seq)
        buf_printf(&b, _(" as d%lld"), (long long)n->seq);
    if (n->left_out)
        buf_printf(&b, _(", %lld left out: changed meanwhile"),
                   (long long)n->left_out);
    if (n->no_answer)
        buf_printf(&b, _(", %lld left out: no answer of theirs passes its "
                         "checks"), (long long)n->no_answer);
    app_say(a, "%s", buf_str(&b));
    a->said_undo = n->seq != 0;
    buf_free(&b);
}

void work_bulk(struct app *a, const struct decide *d, const ids *samples)
{
    struct bulk_report n;
    struct err e = {0};
    if (samples->n > WORK_SAMPLES) {
        watch(a, verb_start_bulk(a->s, a->target, d, samples, &e), &e);
        return;
    }
    if (verb_decide_all(a->s, d, samples, &n, &e) > DECIDED_FOUND) {
        app_say(a, _("not saved: %s"), e.text);
        return;
    }
    for (size_t i = 0; i < samples->n; i++)
        if (samples->at[i] == a->review.now.id)
            a->review.now.id = 0; /* it goes: the next one is shown */
    show_anew(a);
    app_load(a);
    review_count_today(a);
    say_decided(a, d->to, &n);
}

void work_undo(struct app *a, int64_t seq, bool redo)
{
    struct err e = {0};
    watch(a, verb_start_undo(a->s, a->target, a->who, seq, redo, &e), &e);
}

/* ---- Watching ----------------------------------------------------------- */

/* What the job's log says of bad rows, into the messages. */
static void take_log(struct app *a, const char *dir)
{
    struct lines l;
    char *path = path_join(dir, "log");
    if (lines_open(&l, path, 4096, NULL)) {
        while (lines_next(&l, NULL))
            app_remember(a, buf_str(&l.line));
        lines_close(&l);
    }
    free(path);
}

static void say_done(struct app *a, const struct job *j, const json *n)
{
    json *args = json_parse(j->args, strlen(j->args), NULL);
    enum status to = STATUS_PENDING;
    if (!strcmp(j->kind, "import")) {
        if (!a->target)
            app_set_target(a, j->target);
        show_anew(a);
        struct buf notes = BUF_INIT(0);
        tell_imported(&notes, json_get_bool(args, "as_samples", false),
                      json_get_string(args, "path", ""),
                      json_get_int(n, "items", 0), json_get_int(n, "bad", 0),
                      json_get(n, "not_read"));
        app_notes(a, buf_str(&notes));
        buf_free(&notes);
    } else if (!strcmp(j->kind, "undo")) {
        struct undone u = {.n_objects = json_get_int(n, "objects", 0)};
        int64_t seq = json_get_int(args, "decision", 0);
        journal_get(a->s, seq, &u.what);
        journal_objects(a->s, seq, &u.sample);
        undo_done(a, json_get_bool(args, "redo", false), &u);
    } else {
        status_parse(json_get_string(args, "to", ""), &to);
        show_anew(a);
        app_load(a);
        review_count_today(a);
        struct bulk_report r = {json_get_int(n, "changed", 0),
                                json_get_int(n, "left_out", 0),
                                json_get_int(n, "no_answer", 0),
                                json_get_int(n, "decision", 0)};
        say_decided(a, to, &r);
    }
    json_free(args);
}

/* False while it goes on. */
static bool look(struct app *a, int64_t id)
{
    struct job j;
    char *dir = store_work_dir(a->s, "j", id);
    struct job_view v = job_look(dir);
    bool over = v.state != JOB_RUNNING && v.state != JOB_STARTING;
    if (over && job_get(a->s, id, &j, NULL)) {
        const char *why = json_get_string(v.status, "error", NULL);
        take_log(a, dir);
        news_forget(a, 2 * id);
        if (!strcmp(j.state, "done"))
            say_done(a, &j, json_get(v.status, "figures"));
        else
            app_say(a, "j%lld: %s", (long long)id,
                    why ? why : _("interrupted; R in 5 goes on with it"));
        job_free(&j);
    }
    job_view_free(&v);
    free(dir);
    return over;
}

bool work_tick(struct app *a)
{
    size_t left = 0;
    bool ended = false;
    if (app_is_open(a)) /* its end would change what is answered */
        return false;
    if (app_acknowledges(a))
        return false;
    for (size_t i = 0; i < a->works.n; i++) {
        int64_t id = a->works.at[i];
        if (look(a, id))
            ended = true;
        else
            a->works.at[left++] = id;
    }
    a->works.n = left;
    return ended;
}
