#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/say.h"
#include "cli/outcome.h"
#include "cli/table.h"
#include "jobs/job.h"
#include "store/job.h"
#include "verbs/ask.h"
#include "verbs/launch.h"
#include "verbs/train.h"
#include "verbs/withdraw.h"

static const struct column columns[] = {
    {N_("id"), 6}, {N_("what"), 13}, {N_("state"), 11}, {N_("so far"), 0}};

static void print_job(struct cli *c, int64_t id)
{
    struct job j;
    struct call_counts n;
    char cost[24], name[24];
    if (!job_get(c->s, id, &j, NULL))
        return;
    char *dir = store_work_dir(c->s, "j", id);
    struct job_view v = job_look(dir);
    call_counts(c->s, id, &n);
    const char *state = job_state_word(&v, j.state);
    snprintf(name, sizeof name, "j%lld", (long long)id);
    int64_t done = n.by_state[CALL_ANSWERED] + n.by_state[CALL_UNPARSED];
    if (c->json) {
        struct buf b = BUF_INIT(0);
        struct jw w = jw_start(&b);
        jw_open(&w, '{');
        jw_kstr(&w, "id", name);
        jw_kint(&w, "job", id);
        jw_kstr(&w, "kind", j.kind);
        jw_kstr(&w, "recipe", j.recipe_name);
        jw_kstr(&w, "teacher", j.teacher);
        jw_kstr(&w, "state", state);
        jw_kint(&w, "calls", n.total);
        for (int i = 0; i < CALL_STATE_COUNT; i++)
            jw_kint(&w, call_state_name((enum call_state)i), n.by_state[i]);
        jw_knum(&w, "cost", n.cost);
        outcome_json_reasons(c->s, id, &w);
        jw_close(&w);
        cli_print(&b);
        buf_free(&b);
    } else {
        table_row(columns, P_("%s\t%s\t%s\t%lld of %lld call, %lld failed, "
                              "%lld lost  %s",
                              "%s\t%s\t%s\t%lld of %lld calls, %lld failed, "
                              "%lld lost  %s", (unsigned long)n.total), name,
            j.recipe_name ? j.recipe_name : j.kind, state,
            (long long)done, (long long)n.total,
            (long long)n.by_state[CALL_FAILED],
            (long long)n.by_state[CALL_LOST],
            lang_money(cost, sizeof cost, n.cost, 2));
        outcome_reasons(c->s, id, "        ");
    }
    job_view_free(&v);
    free(dir);
    job_free(&j);
}

static void print_run(struct cli *c, int64_t id)
{
    struct run r;
    char name[24];
    if (!run_get(c->s, id, &r, NULL))
        return;
    char *dir = store_work_dir(c->s, "r", id);
    struct job_view v = job_look(dir);
    const char *state = job_state_word(&v, r.state);
    snprintf(name, sizeof name, "r%lld", (long long)id);
    const json *n = v.status;
    if (c->json) {
        struct buf b = BUF_INIT(0);
        struct jw w = jw_start(&b);
        jw_open(&w, '{');
        jw_kstr(&w, "id", name);
        jw_kint(&w, "run", id);
        jw_kstr(&w, "student", r.student);
        jw_kstr(&w, "state", state);
        jw_kint(&w, "step", json_get_int(n, "step", 0));
        jw_kint(&w, "steps", json_get_int(n, "steps", 0));
        jw_kint(&w, "held_out", json_get_int(n, "held_out", 0));
        if (isfinite(train_held_out(n)))
            jw_knum(&w, "held_out_loss", train_held_out(n));
        if (isfinite(train_exact(n)))
            jw_knum(&w, "exact", train_exact(n));
        if (json_get(n, "why"))
            jw_kstr(&w, "why", json_get_string(n, "why", ""));
        jw_close(&w);
        cli_print(&b);
        buf_free(&b);
    } else {
        char *tale = train_tale(n);
        table_row(columns, _("%s\ttrain %s\t%s\t%s"), name, r.student, state,
                  tale);
        free(tale);
    }
    job_view_free(&v);
    free(dir);
    run_free(&r);
}

static int list(struct cli *c)
{
    ids runs, jobs;
    verb_train_collect(c->s);
    bool ok = run_ids(c->s, 0, &runs, &c->e);
    ok = job_ids(c->s, 0, &jobs, &c->e) && ok;
    if (runs.n || jobs.n)
        table_head(c, columns);
    for (size_t i = 0; ok && i < runs.n; i++)
        print_run(c, runs.at[i]);
    for (size_t i = 0; ok && i < jobs.n && cli_heard(); i++)
        print_job(c, jobs.at[i]);
    VEC_FREE(&runs);
    VEC_FREE(&jobs);
    return ok ? 0 : cli_fail(c);
}

static void say_withdrawn(const struct withdrawn *w)
{
    say(stdout, P_("withdrawn: %lld sample (d%lld)\n",
                   "withdrawn: %lld samples (d%lld)\n",
                   (unsigned long)w->objects), (long long)w->objects,
        (long long)w->seq);
    if (w->answers)
        say(stdout, P_("and %lld answer to a sample that stays\n",
                       "and %lld answers to samples that stay\n",
                       (unsigned long)w->answers), (long long)w->answers);
}

static int act(struct cli *c, const char *what, int64_t id, bool run)
{
    char *dir = store_work_dir(c->s, run ? "r" : "j", id);
    struct withdrawn w = {0};
    bool ok = true;
    if (!strcmp(what, "stop"))
        ok = job_stop(dir, &c->e);
    else if (!strcmp(what, "resume"))
        ok = run ? verb_train_resume(c->s, id, &c->e)
                 : verb_start_job(c->s, id, true, &c->e);
    else if (!strcmp(what, "drop") && !run)
        ok = verb_withdraw_job(c->s, c->who, id, &w, &c->e) <= DECIDED_FOUND;
    else
        ok = err_set(&c->e, ERR_USAGE, _("runs knows stop, resume and drop, "
                                         "not %s"), what);
    free(dir);
    if (ok && w.seq)
        say_withdrawn(&w);
    return ok ? 0 : cli_fail(c);
}

static int ask(struct cli *c, int64_t run, const char *question)
{
    struct asked x;
    if (!verb_ask(c->s, run, question, &x, &c->e)) {
        asked_free(&x);
        return cli_fail(c);
    }
    if (c->json) {
        struct buf b = BUF_INIT(0);
        struct jw w = jw_start(&b);
        jw_open(&w, '{');
        jw_kstr(&w, "question", question);
        jw_kstr(&w, "before", x.before);
        jw_kstr(&w, "now", x.now);
        jw_kstr(&w, "teacher", x.teacher);
        jw_kstr(&w, "teacher_name", x.teacher_name);
        jw_close(&w);
        cli_print(&b);
        buf_free(&b);
    } else {
        say(stdout, "%s: %s\n%s: %s\n%s: %s\n", _("before"), x.before,
            _("now"), x.now, x.teacher_name, x.teacher);
    }
    asked_free(&x);
    return 0;
}

int sub_runs(struct cli *c)
{
    const struct opt opts[] = {{0}};
    int64_t id = 0;
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    bool asks = c->argc == 3 && !strcmp(c->argv[0], "ask");
    if (c->argc > 2 && !asks)
        return cli_unread(c, c->argv[2], NULL);
    if (c->argc == 1)
        return cli_unread(c, c->argv[0],
                          _("nothing to list all, or stop|resume jN or rN, "
                            "drop jN, ask rN QUESTION"));
    bool run = c->argc && c->argv[1][0] == 'r';
    if (asks && !run)
        return cli_usage(c, _("ask a run: rN"));
    if (c->argc && !(id = cli_id(c, c->argv[1], run ? 'r' : 'j')))
        return cli_fail(c);
    if (!cli_open(c))
        return cli_fail(c);
    return asks      ? ask(c, id, c->argv[2])
           : c->argc ? act(c, c->argv[0], id, run)
                     : list(c);
}
