#include "verbs/work.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/say.h"
#include "base/sig.h"
#include "jobs/job.h"
#include "store/ids.h"
#include "verbs/launch.h"
#include "verbs/undo.h"

bool job_is_work(const struct job *j)
{
    return !strcmp(j->kind, "import") || !strcmp(j->kind, "bulk") ||
           !strcmp(j->kind, "undo");
}

/* ---- Starting ----------------------------------------------------------- */

static int64_t start(struct store *s, const char *kind, const char *who,
                     int64_t target, const struct buf *args, struct err *e)
{
    struct job j = {.target = target, .spend_max = NAN,
                    .kind = (char *)(uintptr_t)kind,
                    .who = (char *)(uintptr_t)who,
                    .args = (char *)(uintptr_t)buf_str(args)};
    if (!buf_ok(args))
        return err_set(e, ERR_MEMORY, _("out of memory"));
    if (!store_begin(s, e))
        return 0;
    int64_t id = job_add(s, &j, e);
    if (!id || !store_commit(s, e)) {
        store_rollback(s);
        return 0;
    }
    return verb_start_job(s, id, false, e) ? id : 0;
}

int64_t verb_start_import(struct store *s, const char *who, int64_t target,
                          const struct import_options *o, struct err *e)
{
    struct buf args = BUF_INIT(0);
    struct jw w = jw_start(&args);
    char *path = realpath(o->path, NULL);
    if (!path)
        return err_sys(e, "%s", o->path);
    jw_open(&w, '{');
    jw_kstr(&w, "path", path);
    jw_kstr(&w, "target", o->target);
    jw_kstr(&w, "format", o->format);
    jw_kbool(&w, "as_samples", o->as_samples);
    jw_kbool(&w, "strict", o->strict);
    jw_close(&w);
    int64_t id = start(s, "import", who, target, &args, e);
    buf_free(&args);
    free(path);
    return id;
}

int64_t verb_start_bulk(struct store *s, int64_t target,
                        const struct decide *d, const ids *samples,
                        struct err *e)
{
    struct buf args = BUF_INIT((size_t)64 << 20), list = BUF_INIT(0);
    struct jw w = jw_start(&args);
    ids_print(samples, &list);
    jw_open(&w, '{');
    jw_kstr(&w, "to", status_name(d->to));
    jw_kstr(&w, "reason", d->reason);
    jw_kint(&w, "seen", d->base_seq);
    jw_kstr(&w, "samples", buf_str(&list));
    jw_close(&w);
    int64_t id = start(s, "bulk", d->who, target, &args, e);
    buf_free(&list);
    buf_free(&args);
    return id;
}

int64_t verb_start_undo(struct store *s, int64_t target, const char *who,
                        int64_t seq, bool redo, struct err *e)
{
    struct buf args = BUF_INIT(0);
    struct jw w = jw_start(&args);
    jw_open(&w, '{');
    jw_kint(&w, "decision", seq);
    jw_kbool(&w, "redo", redo);
    jw_close(&w);
    int64_t id = start(s, "undo", who, target, &args, e);
    buf_free(&args);
    return id;
}

/* ---- The body ----------------------------------------------------------- */

struct work {
    struct store *s;
    const struct job *j;
    json *args;
    struct job_self self;
    struct buf figures;
    bool stopped;
};

static void on_bad(void *ctx, uint64_t line, const char *reason)
{
    (void)ctx;
    say(stderr, _("line %llu: %s\n"), (unsigned long long)line, reason);
}

/* Now and then while rows are read; false where it was asked to stop. */
static bool on_rows(void *ctx, uint64_t rows)
{
    struct work *x = ctx;
    int signo;
    while ((signo = sig_next()))
        x->stopped = x->stopped || signo == SIGTERM || signo == SIGINT;
    if (clock_mono() - x->self.told >= 250) {
        char text[60];
        snprintf(text, sizeof text, "{\"rows\":%llu}",
                 (unsigned long long)rows);
        job_report(&x->self, text, false, NULL);
    }
    return !x->stopped;
}

static bool do_import(struct work *x, struct jw *w, struct err *e)
{
    struct import_report n;
    struct import_options o = {
        .path = json_get_string(x->args, "path", ""),
        .target = json_get_string(x->args, "target", NULL),
        .format = json_get_string(x->args, "format", NULL),
        .as_samples = json_get_bool(x->args, "as_samples", false),
        .strict = json_get_bool(x->args, "strict", false),
        .job = x->j->id, .on_rows = on_rows};
    bool ok = verb_import(x->s, x->j->who, &o, on_bad, x, &n, e);
    jw_kint(w, "rows", (int64_t)n.rows);
    jw_kint(w, "items", ok ? n.items : 0);
    jw_kint(w, "bad", (int64_t)n.bad);
    jw_kint(w, "answers", ok ? n.answers : 0);
    jw_kint(w, "false", ok ? n.falses : 0);
    jw_key(w, "not_read");
    unread_print(&n.unread, w);
    import_report_free(&n);
    return ok;
}

static bool do_bulk(struct work *x, struct jw *w, struct err *e)
{
    struct bulk_report n = {0};
    ids which = {0};
    struct decide d = {.who = x->j->who, .job = x->j->id,
                       .reason = json_get_string(x->args, "reason", ""),
                       .base_seq = json_get_int(x->args, "seen", 0)};
    bool ok = status_parse(json_get_string(x->args, "to", ""), &d.to) &&
              ids_parse(json_get_string(x->args, "samples", ""), 0, &which);
    if (!ok)
        err_set(e, ERR_INPUT, _("the job's own record cannot be read"));
    ok = ok && verb_decide_all(x->s, &d, &which, &n, e) <= DECIDED_FOUND;
    jw_kint(w, "changed", n.changed);
    jw_kint(w, "left_out", n.left_out);
    jw_kint(w, "no_answer", n.no_answer);
    jw_kint(w, "decision", ok ? n.seq : 0);
    VEC_FREE(&which);
    return ok;
}

/* Only the decision that the person saw: another one of theirs may be the last
 * by now. */
static bool do_undo(struct work *x, struct jw *w, struct err *e)
{
    struct undone u;
    bool redo = json_get_bool(x->args, "redo", false);
    int64_t seq = json_get_int(x->args, "decision", 0);
    bool ok = verb_undoable(x->s, x->j->who, redo, &u, e);
    if (ok && u.what.seq != seq)
        ok = err_set(e, ERR_REFUSED, _("d%lld is not your last act any more"),
                     (long long)seq);
    ok = ok && (redo ? verb_redo(x->s, x->j->who, &u, e)
                     : verb_undo(x->s, x->j->who, seq, &u, e)) <=
                   DECIDED_FOUND;
    jw_kint(w, "objects", ok ? u.n_objects : 0);
    return ok;
}

/* Whether the decision says so already; one that changed nothing was none. */
static bool is_saved(struct work *x)
{
    struct job j;
    bool saved = job_get(x->s, x->j->id, &j, NULL) && !strcmp(j.state, "done");
    job_free(&j);
    return saved;
}

static void set_state(struct work *x, const char *state)
{
    struct err e;
    if (store_begin(x->s, &e) && job_set_state(x->s, x->j->id, state, &e))
        store_commit(x->s, &e);
    else
        store_rollback(x->s);
}

int verb_run_work(struct store *s, const struct job *j)
{
    struct work x = {.s = s, .j = j, .figures = BUF_INIT(0)};
    struct err e = {0};
    struct jw w = jw_start(&x.figures);
    char *dir = store_work_dir(s, "j", j->id);
    bool ok = dir_make(dir, 0700, &e) && job_begin(&x.self, dir, &e);
    if (!ok) {
        say(stderr, "%s\n", e.text);
        free(dir);
        return 1;
    }
    sig_catch(SIGTERM);
    sig_catch(SIGINT);
    jw_open(&w, '{');
    bool done = !strcmp(j->state, "done"); /* saved before it could say so */
    x.args = json_parse(j->args, strlen(j->args), &e);
    ok = done || (x.args && (!strcmp(j->kind, "import") ? do_import(&x, &w, &e)
                             : !strcmp(j->kind, "undo") ? do_undo(&x, &w, &e)
                                                        : do_bulk(&x, &w,
                                                                  &e)));
    jw_close(&w);
    const char *state = ok ? "done" : x.stopped ? "stopped" : "failed";
    if (!ok)
        say(stderr, "%s\n", e.text);
    if (!ok || !is_saved(&x))
        set_state(&x, state);
    job_end(&x.self, state, ok ? NULL : e.text, buf_str(&x.figures), NULL);
    json_free(x.args);
    buf_free(&x.figures);
    free(dir);
    return !ok;
}
