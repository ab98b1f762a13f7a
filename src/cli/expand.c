#include "cli/cli.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/say.h"
#include "base/sig.h"
#include "cli/outcome.h"
#include "domain/check.h"
#include "domain/status.h"
#include "jobs/job.h"
#include "verbs/elicit.h"
#include "verbs/launch.h"
#include "verbs/try.h"
#include "verbs/work.h"

/* Watches a job until it ends; its exit code. */
static int wait_for(struct cli *c, int64_t id)
{
    char *dir = store_work_dir(c->s, "j", id);
    struct job j;
    int code = -1;
    if (!job_get(c->s, id, &j, &c->e)) {
        free(dir);
        return cli_fail(c);
    }
    while (code < 0) {
        struct job_view v = job_look(dir);
        if (v.state == JOB_ENDED || v.state == JOB_INTERRUPTED)
            code = outcome_print(c->s, &j, &v, c->json);
        else
            clock_sleep(100);
        job_view_free(&v);
    }
    job_free(&j);
    free(dir);
    return code;
}

static void print_estimate(struct cli *c, const struct expand *x,
                           const struct estimate *n)
{
    char cost[32];
    if (!c->json) {
        say(stdout, _("%lld + %lld calls, about %lld tokens in, %lld out, "
                      "%s\n--- the first prompt:\n%s\n"),
            (long long)n->calls_first, (long long)n->calls_then,
            (long long)n->tokens_in, (long long)n->tokens_out,
            lang_money(cost, sizeof cost, n->cost, n->cost < 1 ? 4 : 2),
            n->first_prompt ? n->first_prompt : "");
        return;
    }
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kstr(&w, "recipe", x->recipe);
    jw_kstr(&w, "teacher", x->teacher);
    jw_kint(&w, "calls_first", n->calls_first);
    jw_kint(&w, "calls_then", n->calls_then);
    jw_kint(&w, "tokens_in", n->tokens_in);
    jw_kint(&w, "tokens_out", n->tokens_out);
    jw_knum(&w, "cost", n->cost);
    jw_kint(&w, "earlier_jobs", n->jobs);
    if (n->jobs)
        jw_knum(&w, "seconds", n->seconds);
    if (n->jobs && n->will_pass >= 0)
        jw_kint(&w, "will_pass", n->will_pass);
    jw_kint(&w, "first_tokens", n->first_tokens);
    jw_kstr(&w, "first_prompt", n->first_prompt);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

/* ---- One call ------------------------------------------------------------ */

static void print_checks(struct jw *w, const char *key, const int64_t *n)
{
    jw_key(w, key);
    jw_open(w, '{');
    for (int i = 0; i < CHECK_COUNT; i++)
        if (n[i])
            jw_kint(w, check_name((enum check)i), n[i]);
    jw_close(w);
}

static void tried_json(const struct tried *t)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kstr(&w, "step", t->step);
    jw_kstr(&w, "error", t->why);
    jw_kint(&w, "http", t->http);
    jw_kint(&w, "ms", t->ms);
    jw_kint(&w, "tokens_in", t->tokens_in);
    jw_kint(&w, "tokens_out", t->tokens_out);
    jw_knum(&w, "cost", t->cost);
    jw_kint(&w, "found", t->n.found);
    jw_kint(&w, "passed", t->n.passed);
    jw_kint(&w, "warned", t->n.warned);
    jw_kint(&w, "rejected", t->n.failed);
    jw_kint(&w, "repeated", t->n.repeated);
    print_checks(&w, "fails", t->n.fails);
    print_checks(&w, "warns", t->n.warns);
    jw_kstr(&w, "prompt", t->prompt);
    jw_kstr(&w, "reply", t->reply);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

static void tried_people(const struct tried *t)
{
    char cost[32];
    say(stdout, _("--- the prompt of %s:\n%s\n--- the reply:\n%s\n---\n"),
        t->step, t->prompt, t->reply ? t->reply : "");
    say(stdout, _("%lld ms, %lld tokens in, %lld out, %s; %lld found, %lld "
                  "passed, %lld warned, %lld rejected; nothing was "
                  "stored\n"), (long long)t->ms, (long long)t->tokens_in,
        (long long)t->tokens_out,
        lang_money(cost, sizeof cost, t->cost, t->cost < 1 ? 4 : 2),
        (long long)t->n.found, (long long)t->n.passed, (long long)t->n.warned,
        (long long)t->n.failed);
}

static int try_one(struct cli *c, const struct expand *x)
{
    struct tried t;
    bool ok = verb_try(c->s, x, &t, &c->e);
    if (ok && c->json)
        tried_json(&t);
    else if (ok)
        tried_people(&t);
    bool came = ok && !t.why;
    if (ok && t.why && !c->json)
        err_set(&c->e, ERR_NET, "%s", t.why);
    tried_free(&t);
    return came ? 0 : ok && c->json ? 1 : cli_fail(c);
}

/* What is done of it: the estimate, one call, or the job. */
struct wanted {
    bool dry, try, detach;
};

static int run(struct cli *c, struct expand *x, const struct wanted *do_it)
{
    struct estimate n;
    bool detach = do_it->detach;
    if (do_it->try)
        return try_one(c, x);
    if (do_it->dry) {
        if (!verb_estimate(c->s, x, &n, &c->e))
            return cli_fail(c);
        print_estimate(c, x, &n);
        free(n.first_prompt);
        return 0;
    }
    int64_t job = verb_plan(c->s, c->who, x, &c->e);
    if (!job || !verb_start_job(c->s, job, false, &c->e))
        return cli_fail(c);
    if (!c->json)
        say(stdout, "j%lld\n", (long long)job);
    else if (detach)
        say(stdout, "{\"id\":\"j%lld\"}\n", (long long)job);
    fflush(stdout);
    return detach ? 0 : wait_for(c, job);
}

static int elicit(struct cli *c, const char *recipe)
{
    struct expand x = {.recipe = recipe, .teacher = "builtin", .split = -1,
                       .answers = 1, .temperature = NAN, .spend_max = NAN,
                       .seed = (uint64_t)clock_now()};
    const char *split = NULL;
    struct wanted w = {.dry = false};
    int64_t seed = 0;
    enum split to;
    const struct opt opts[] = {
        {"target", OPT_STRING, &c->target_name, "NAME", N_("the target")},
        {"recipe", OPT_STRING, &x.recipe, "NAME",
         N_("see `stillroom recipe`")},
        {"teacher", OPT_STRING, &x.teacher, "NAME",
         N_("who answers (builtin)")},
        {"split", OPT_STRING, &split, "SPLIT", N_("draw from it alone")},
        {"prompts", OPT_INT, &x.prompts, "N",
         N_("new prompts; inputs or samples for label and rank")},
        {"answers", OPT_INT, &x.answers, "N", N_("answers each (1)")},
        {"temperature", OPT_NUMBER, &x.temperature, "T",
         N_("instead of the recipe's own")},
        {"stop-at", OPT_NUMBER, &x.spend_max, "MONEY",
         N_("the job ends there; nothing is lost")},
        {"seed", OPT_INT, &seed, "N", N_("of what is drawn")},
        {"dry-run", OPT_FLAG, &w.dry, NULL,
         N_("the estimate and the first prompt")},
        {"try", OPT_FLAG, &w.try, NULL,
         N_("ask and pay one call; show it and store nothing")},
        {"detach", OPT_FLAG, &w.detach, NULL,
         N_("do not wait; see `stillroom runs`")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (split && !split_parse(split, &to))
        return cli_usage(c, _("a split is train, valid or test"));
    if (x.answers < 1 || x.answers > 26 || x.prompts < 0)
        return cli_usage(c, _("answers are 1 to 26, prompts 0 or more"));
    if (!strcmp(x.recipe, "selfinstruct") && !x.prompts)
        x.prompts = 200;
    x.split = split ? (int)to : -1;
    if (seed)
        x.seed = (uint64_t)seed;
    if (!cli_open(c) || !(x.target = cli_target(c)))
        return cli_fail(c);
    return run(c, &x, &w);
}

int sub_expand(struct cli *c)
{
    return elicit(c, "selfinstruct");
}

int sub_rank(struct cli *c)
{
    return elicit(c, "rank");
}

#define SIGNAL_MS 10000 /* after which one that came ends the wait */

/* A job waits for the store as long as it is held: replies that it cannot keep
 * were paid for nothing. A signal to stop ends the wait. */
static bool wait_on(void *ctx, const char *holder, int64_t waited)
{
    struct pollfd stop = {.fd = sig_fd(), .events = POLLIN};
    (void)ctx;
    (void)holder;
    return waited < SIGNAL_MS || poll(&stop, 1, 0) <= 0;
}

/* Hidden: the process of a job. */
int sub_job(struct cli *c)
{
    const struct opt opts[] = {{0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!c->argc)
        return cli_usage(c, _("name one job"));
    int64_t id = cli_id(c, c->argv[0], 'j');
    struct job j;
    if (!id || !cli_open(c) || !job_get(c->s, id, &j, &c->e))
        return cli_fail(c);
    store_set_tick(c->s, wait_on, NULL);
    code = job_is_work(&j) ? verb_run_work(c->s, &j) : verb_run_job(c->s, id);
    job_free(&j);
    return code;
}
