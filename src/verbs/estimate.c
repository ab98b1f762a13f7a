/* What a job will come to, before anything is paid. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "recipe/op.h"
#include "recipe/parser.h"
#include "teacher/cost.h"
#include "verbs/plan.h"

#define ANSWER 100   /* tokens of an answer where no seed has one */
#define JOBS 3     /* that are looked back on */

/* Tokens of a reply to a step by the lengths of the seeds. */
static int64_t reply_tokens(const struct plan_look *p,
                            const struct recipe_step *s)
{
    int64_t answer = p->answer_tokens >= 0 ? p->answer_tokens : ANSWER;
    int64_t n = s->parser->tokens(s, p->prompt_tokens, answer);
    int64_t most = s->decode.max_tokens;
    return most && n > most ? most : n;
}

/* What a step's calls take: by what earlier calls of the recipe took at this
 * teacher, else by guess. */
struct step_cost {
    int64_t in, out;
};

static struct step_cost cost_step(struct store *s, const struct expand *x,
                                  const struct plan_look *p, size_t step,
                                  int64_t in)
{
    struct call_means m;
    const struct recipe_step *r = &p->r->steps[step];
    call_means(s, x->target, p->r->name, x->teacher, (int64_t)step + 1, &m);
    if (m.n < 3)
        return (struct step_cost){in, reply_tokens(p, r)};
    return (struct step_cost){m.tokens_in, m.tokens_out};
}

/* How many items a step brings at most; of prompts that go on, what went on in
 * earlier jobs. */
static double items_of(struct store *s, const struct expand *x,
                       const struct plan_look *p,
                       const struct recipe_step *step);

/* The calls of a step for one thing that it runs over. */
static double each_time(const struct expand *x, const struct plan_look *p,
                        const struct recipe_step *step)
{
    size_t times = step->op ? 1 : recipe_times(step, (size_t)x->answers);
    return (double)(times * recipe_each_count(step, p->principles));
}

/* How often a step is done: once for each item of the step above, or for each
 * group of them, which is each item that gave its field. */
static double runs_of(struct store *s, const struct expand *x,
                      const struct plan_look *p,
                      const struct recipe_step *step)
{
    const struct recipe_step *above = recipe_above(step);
    double passes = step->repeat.over ? (double)step->repeat.max : 1;
    if (!step->from)
        return (double)p->calls * passes;
    return passes * each_time(x, p, step) *
           (above ? items_of(s, x, p, above)
                  : (double)p->calls / each_time(x, p, &p->r->steps[0]));
}

static double items_of(struct store *s, const struct expand *x,
                       const struct plan_look *p,
                       const struct recipe_step *step)
{
    double n = runs_of(s, x, p, step);
    if (step->op && step->op->grouped)
        return items_of(s, x, p, step->from);
    if (step == &p->r->steps[0] && recipe_asks(step))
        n *= job_yield(s, x->target, p->r->name, (int64_t)step->wanted);
    return step->wanted ? n * (double)step->wanted : n;
}

/* The calls of a step, of all its passes. */
static int64_t calls_of(struct store *s, const struct expand *x,
                        const struct plan_look *p,
                        const struct recipe_step *step)
{
    return step->op ? 0 : (int64_t)(runs_of(s, x, p, step) + .5);
}

static bool price(const struct expand *x, struct estimate *out,
                  struct err *e)
{
    struct profiles ps;
    if (!profiles_load(NULL, &ps, e))
        return false;
    const struct profile *p = profile_find(&ps, x->teacher);
    out->cost = p ? cost_of(p, out->tokens_in, out->tokens_out) : 0;
    profiles_free(&ps);
    return p || err_set(e, ERR_ABSENT, _("there is no teacher %s in the "
                                         "config"), x->teacher);
}

/* How long it takes, and how many answers pass their checks, by the newest
 * jobs of the same recipe and teacher. */
static void look_back(struct store *s, const struct expand *x,
                      const char *recipe, struct estimate *out)
{
    ids jobs = {0};
    struct job j;
    double ms = 0, calls = 0, found = 0, passed = 0;
    out->will_pass = -1;
    if (!job_ids_done(s, x->target, recipe, x->teacher, JOBS, &jobs, NULL))
        return;
    for (size_t i = 0; i < jobs.n; i++) {
        struct call_counts n;
        struct arrived came;
        if (!job_get(s, jobs.at[i], &j, NULL))
            continue;
        call_counts(s, j.id, &n);
        job_arrived(s, j.id, false, &came);
        ms += (double)(j.ended - j.started);
        calls += (double)n.total;
        found += (double)came.found;
        passed += (double)came.passed;
        job_free(&j);
    }
    double all = (double)(out->calls_first + out->calls_then);
    int64_t answers = out->calls_then ? out->calls_then : out->calls_first;
    out->jobs = calls > 0 ? (int64_t)jobs.n : 0;
    out->seconds = calls > 0 ? ms / 1000 / calls * all : 0;
    if (found > 0)
        out->will_pass = (int64_t)(passed / found * (double)answers + .5);
    VEC_FREE(&jobs);
}

bool plan_within(const struct expand *x, struct err *e)
{
    return (x->prompts <= PLAN_CALLS && x->answers <= PLAN_ANSWERS) ||
           err_set(e, ERR_REFUSED, _("at most %d prompts, and %d answers to "
                                     "each"), PLAN_CALLS, PLAN_ANSWERS);
}

bool verb_estimate(struct store *s, const struct expand *x,
                   struct estimate *out, struct err *e)
{
    struct plan_look p;
    *out = (struct estimate){0};
    if (!plan_within(x, e) || !plan_look(s, x, &p, e))
        return false;
    struct step_cost a = cost_step(s, x, &p, 0, p.tokens);
    out->calls_first = p.calls;
    out->tokens_in = p.calls * a.in;
    out->tokens_out = p.calls * a.out;
    for (size_t i = 0; i < p.r->n_steps; i++) {
        int64_t n = calls_of(s, x, &p, &p.r->steps[i]) - (i ? 0 : p.calls);
        struct step_cost b = cost_step(s, x, &p, i,
                                       i ? p.then_tokens : p.tokens);
        out->calls_then += n;
        out->tokens_in += n * b.in;
        out->tokens_out += n * b.out;
    }
    out->first_tokens = p.first_tokens;
    out->first_prompt = p.first;
    look_back(s, x, p.r->name, out);
    recipe_free(&p.r);
    if (price(x, out, e))
        return true;
    free(out->first_prompt);
    *out = (struct estimate){0};
    return false;
}
