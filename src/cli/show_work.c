#include "cli/show.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/say.h"
#include "cli/facts.h"
#include "cli/table.h"
#include "domain/status.h"
#include "jobs/job.h"
#include "store/export.h"
#include "store/job.h"
#include "store/run.h"
#include "store/text.h"
#include "verbs/train.h"

#define TROUBLES 20 /* calls that came to nothing, named one by one */

/* The name of a row that a fact may stand for; NULL for 0. */
static char *target_name(struct cli *c, int64_t id)
{
    struct target t;
    if (!id || !target_get(c->s, id, &t, NULL))
        return NULL;
    char *name = xstrdup(t.name);
    target_free(&t);
    return name;
}

/* A text of the store as a fact. */
static void stored(struct facts *f, const char *key, const char *label,
                   int64_t text)
{
    size_t n = 0;
    char *s = text ? text_get(f->c->s, text, &n) : NULL;
    fact_text(f, key, label, s, n);
    free(s);
}

/* ---- A call ------------------------------------------------------------- */

static void call_facts(struct facts *f, const struct call *x)
{
    ids made = {0}, tries = {0};
    struct drawn drew[64];
    fact_int(f, "id", NULL, x->id);
    fact_str(f, "state", NULL, call_state_name(x->state));
    fact_id(f, "job", N_("job"), 'j', x->job);
    fact_int(f, "step", N_("step"), x->step + 1);
    fact_int(f, "n", N_("number"), x->n);
    fact_int(f, "attempt", N_("attempt"), x->attempt);
    if (call_attempts(f->c->s, x, &tries, NULL))
        fact_ids(f, "attempts", tries.n > 1 ? N_("attempts") : NULL, 'c',
                 &tries);
    fact_id(f, "from_call", N_("follows"), 'c', x->from_call);
    fact_id(f, "sample", N_("of sample"), 0, x->sample);
    fact_time(f, "at", N_("when"), x->at);
    fact_json(f, "params", N_("asked with"), x->params);
    fact_int(f, "http", x->http ? N_("HTTP") : NULL, x->http);
    fact_str(f, "finish", N_("finish"), x->finish);
    fact_str(f, "trouble", N_("trouble"), x->trouble);
    fact_int(f, "tokens_in", N_("tokens in"), x->tokens_in);
    fact_int(f, "tokens_out", N_("and out"), x->tokens_out);
    fact_money(f, "cost", N_("cost"), x->cost);
    fact_int(f, "ms", N_("ms"), x->ms);
    ids seeds = {0}, samples = {0};
    size_t n = draws_of(f->c->s, x->id, drew, COUNT(drew));
    for (size_t i = 0; i < n; i++) {
        if (drew[i].seed)
            VEC_PUSH(&seeds, drew[i].seed);
        else
            VEC_PUSH(&samples, drew[i].sample);
    }
    fact_ids(f, "drew_seeds", N_("drew"), 's', &seeds);
    fact_ids(f, "drew_samples", N_("drew"), 0, &samples);
    if (call_samples(f->c->s, x->id, &made, NULL))
        fact_ids(f, "samples", N_("samples"), 0, &made);
    VEC_FREE(&seeds);
    VEC_FREE(&samples);
    VEC_FREE(&made);
    VEC_FREE(&tries);
}

bool show_call(struct cli *c, int64_t id, const char *raw)
{
    struct facts f;
    struct call x;
    char name[24];
    if (!call_get(c->s, id, &x, &c->e))
        return false;
    char *prompt = text_get(c->s, x.prompt_text, NULL);
    snprintf(name, sizeof name, "c%lld", (long long)id);
    facts_start(&f, c, raw, name, _(call_state_name(x.state)));
    call_facts(&f, &x);
    fact_chat(&f, "prompt", N_("prompt"), prompt);
    stored(&f, "thinking", N_("thinking"), x.thinking_text);
    stored(&f, "answer", N_("answer"), x.answer_text);
    stored(&f, "reply", N_("reply, as it came"), x.reply_text);
    free(prompt);
    call_free(&x);
    return facts_end(&f);
}

/* ---- A job -------------------------------------------------------------- */

static const struct column columns[] = {
    {N_("call"), 8}, {N_("state"), 9}, {N_("attempt"), -7},
    {N_("trouble"), 0}};

/* The calls that came to nothing, and those of which nothing was read. */
static void print_troubles(struct cli *c, int64_t job)
{
    static const enum call_state states[] = {CALL_FAILED, CALL_UNPARSED,
                                             CALL_LOST, CALL_CANCELLED};
    size_t left = TROUBLES;
    for (size_t k = 0; k < COUNT(states) && left; k++) {
        ids which;
        if (!call_ids(c->s, job, states[k], left, &which, NULL))
            return;
        for (size_t i = 0; i < which.n; i++, left--) {
            struct call x;
            if (!call_get(c->s, which.at[i], &x, NULL))
                continue;
            if (left == TROUBLES)
                table_head(c, columns);
            table_row(columns, "c%lld\t%s\t%lld\t%s", (long long)x.id,
                      _(call_state_name(x.state)), (long long)x.attempt,
                      x.trouble ? x.trouble : "");
            call_free(&x);
        }
        VEC_FREE(&which);
    }
}

static void job_facts(struct facts *f, const struct job *j)
{
    struct call_counts n;
    ids calls = {0};
    char *target = target_name(f->c, j->target);
    call_counts(f->c->s, j->id, &n);
    fact_int(f, "id", NULL, j->id);
    fact_str(f, "kind", N_("kind"), j->kind);
    fact_str(f, "target", N_("target"), target);
    fact_str(f, "recipe", N_("recipe"), j->recipe_name);
    fact_id(f, "recipe_version", N_("version"), 0, j->recipe_version);
    fact_str(f, "teacher", N_("teacher"), j->teacher);
    fact_str(f, "who", N_("who"), j->who);
    fact_time(f, "started", N_("began"), j->started);
    fact_time(f, "ended", N_("ended"), j->ended);
    fact_json(f, "args", N_("asked with"), j->args);
    fact_money(f, "spend_max", N_("limit"), j->spend_max);
    fact_json(f, "live", j->live ? NULL : N_("live"),
              j->live ? "true" : "false");
    if (n.total && call_all(f->c->s, j->id, &calls, NULL))
        fact_ids(f, "calls", N_("calls"), 'c', &calls);
    for (int i = 0; n.total && i < CALL_STATE_COUNT; i++)
        fact_int(f, call_state_name((enum call_state)i),
                 n.by_state[i] ? call_state_name((enum call_state)i) : NULL,
                 n.by_state[i]);
    if (n.total)
        fact_money(f, "cost", N_("cost"), n.cost);
    VEC_FREE(&calls);
    free(target);
}

bool show_job(struct cli *c, int64_t id, const char *raw)
{
    struct facts f;
    struct job j;
    char name[24];
    if (!job_get(c->s, id, &j, &c->e))
        return false;
    char *dir = store_work_dir(c->s, "j", id);
    char *recipe = recipe_file(c->s, j.recipe);
    struct job_view v = job_look(dir);
    const char *state = job_state_word(&v, j.state);
    snprintf(name, sizeof name, "j%lld", (long long)id);
    facts_start(&f, c, raw, name, state);
    fact_str(&f, "state", NULL, state);
    job_facts(&f, &j);
    fact_str(&f, "error", N_("trouble"),
             json_get_string(v.status, "error", NULL));
    fact_text(&f, "recipe_file", NULL, recipe, recipe ? strlen(recipe) : 0);
    bool ok = facts_end(&f);
    if (ok && !c->json && !raw)
        print_troubles(c, id);
    job_view_free(&v);
    free(recipe);
    free(dir);
    job_free(&j);
    return ok;
}

/* ---- A training, an export, a target ------------------------------------ */

bool show_run(struct cli *c, int64_t id, const char *raw)
{
    struct facts f;
    struct run r;
    char name[24];
    if (!run_get(c->s, id, &r, &c->e))
        return false;
    char *dir = store_work_dir(c->s, "r", id);
    char *target = target_name(c, r.target);
    struct job_view v = job_look(dir);
    const char *state = job_state_word(&v, r.state);
    snprintf(name, sizeof name, "r%lld", (long long)id);
    facts_start(&f, c, raw, name, state);
    fact_int(&f, "id", NULL, r.id);
    fact_str(&f, "state", NULL, state);
    fact_str(&f, "target", N_("target"), target);
    fact_str(&f, "filter", N_("filter"), r.filter);
    fact_id(&f, "as_of", N_("as of"), 'd', r.as_of);
    fact_str(&f, "student", N_("student"), r.student);
    fact_str(&f, "objective", N_("objective"), r.objective);
    fact_int(&f, "seed", N_("random seed"), r.seed);
    fact_time(&f, "started", N_("began"), r.started);
    fact_time(&f, "ended", N_("ended"), r.ended);
    fact_json(&f, "args", N_("asked with"), r.args);
    char *tale = train_tale(v.status);
    fact_str(&f, "so_far", N_("so far"), tale);
    free(tale);
    fact_json(&f, "figures", N_("figures"), r.figures);
    fact_str(&f, "why", N_("trouble"), json_get_string(v.status, "why", NULL));
    fact_str(&f, "dir", N_("folder"), dir);
    job_view_free(&v);
    free(target);
    free(dir);
    run_free(&r);
    return facts_end(&f);
}

bool show_export(struct cli *c, int64_t id, const char *raw)
{
    struct facts f;
    struct export x;
    char name[24];
    if (!export_get(c->s, id, &x, &c->e))
        return false;
    char *target = target_name(c, x.target);
    snprintf(name, sizeof name, "x%lld", (long long)id);
    facts_start(&f, c, raw, name, x.path);
    fact_int(&f, "id", NULL, x.id);
    fact_str(&f, "path", NULL, x.path);
    fact_str(&f, "target", N_("target"), target);
    fact_str(&f, "filter", N_("filter"), x.filter);
    fact_id(&f, "as_of", N_("as of"), 'd', x.as_of);
    fact_int(&f, "seed", N_("random seed"), x.seed);
    fact_int(&f, "version", N_("version"), x.version);
    fact_time(&f, "at", N_("when"), x.at);
    if (c->json)
        fact_json(&f, "lock", NULL, x.lock);
    else
        fact_text(&f, "lock", N_("lock"), x.lock, x.lock ? strlen(x.lock) : 0);
    free(target);
    export_free(&x);
    return facts_end(&f);
}

bool show_target(struct cli *c, int64_t id, const char *raw)
{
    struct facts f;
    struct target t;
    struct target_counts n;
    if (!target_get(c->s, id, &t, &c->e))
        return false;
    target_counts(c->s, id, &n);
    facts_start(&f, c, raw, t.name, "");
    fact_str(&f, "name", NULL, t.name);
    fact_int(&f, "seeds", N_("seeds"), n.seeds);
    fact_int(&f, "pending", N_("pending"), n.pending);
    fact_int(&f, "accepted", N_("accepted"), n.accepted);
    fact_int(&f, "rejected", N_("rejected"), n.rejected);
    fact_int(&f, "deferred", N_("deferred"), n.deferred);
    fact_money(&f, "cost", N_("cost"), n.cost);
    if (c->json)
        fact_json(&f, "document", NULL, t.doc);
    else
        fact_text(&f, "document", N_("document"), t.doc, strlen(t.doc));
    target_free(&t);
    return facts_end(&f);
}
