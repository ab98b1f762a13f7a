#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/say.h"
#include "jobs/job.h"
#include "verbs/train.h"

/* How it ended; where it failed also on stderr, for who reads nothing else. */
static void print_end(int64_t run, const struct job_view *v)
{
    const json *n = v->status;
    const char *why = json_get_string(n, "why", NULL);
    double rate = json_get_number(n, "tokens_per_second", 0);
    char *tale = train_tale(n);
    say(stdout, "r%lld %s: %s", (long long)run,
        v->state == JOB_ENDED ? json_get_string(n, "state", "?")
                              : "interrupted", tale);
    if (rate > 0)
        say(stdout, _(", %.0f tokens/s"), rate);
    say(stdout, "\n");
    if (why)
        say(stderr, "stillroom: %s\n", why);
    free(tale);
}

static int wait_for(struct cli *c, int64_t run)
{
    char *dir = store_work_dir(c->s, "r", run);
    struct job_view v = job_look(dir);
    while (v.state == JOB_STARTING || v.state == JOB_RUNNING) {
        job_view_free(&v);
        clock_sleep(200);
        v = job_look(dir);
    }
    job_view_free(&v);
    verb_train_collect(c->s); /* which says why one failed that said nothing */
    v = job_look(dir);
    print_end(run, &v);
    int code = strcmp(json_get_string(v.status, "state", ""), "done") != 0;
    job_view_free(&v);
    free(dir);
    return code;
}

/* What it would take, in sentences. */
static void print_cost(const json *j)
{
    char a[40], b[40];
    say(stdout, _("%s parameters, %s of them trained\n"),
        lang_number(a, sizeof a, json_get_number(j, "parameters", 0), 0),
        lang_number(b, sizeof b, json_get_number(j, "trained", 0), 0));
    say(stdout, _("%.1f GB of memory, %.1f are free\n"),
        json_get_number(j, "memory_bytes", 0) / 1e9,
        json_get_number(j, "available_bytes", 0) / 1e9);
    say(stdout, P_("%lld of %lld row is longer than the student reads\n",
                   "%lld of %lld rows are longer than the student reads\n",
                   (unsigned long)json_get_int(j, "rows", 0)),
        (long long)json_get_int(j, "rows_cut", 0),
        (long long)json_get_int(j, "rows", 0));
    if (json_get_bool(j, "fits", false))
        say(stdout, _("about %.0f minutes: %.0f tokens a second\n"),
            json_get_number(j, "seconds", 0) / 60,
            json_get_number(j, "tokens_per_second", 0));
    else
        say(stdout, _("that is more memory than there is\n"));
}

static int tell_cost(struct cli *c, const struct train *t)
{
    struct buf b = BUF_INIT(65536);
    json *j = NULL;
    bool ok = verb_train_cost(c->s, t, &b, &c->e) &&
              (j = json_parse(buf_str(&b), b.len, &c->e));
    if (ok && c->json)
        say(stdout, "%s", buf_str(&b));
    else if (ok)
        print_cost(j);
    json_free(j);
    buf_free(&b);
    return ok ? 0 : cli_fail(c);
}

int sub_train(struct cli *c)
{
    struct train t = {.filter = "", .student = "nano", .seed = 1};
    bool detach = false, cost = false;
    const struct opt opts[] = {
        {"target", OPT_STRING, &c->target_name, "NAME", N_("the target")},
        {"filter", OPT_STRING, &t.filter, "FILTER",
         N_("which of the accepted samples (all)")},
        {"student", OPT_STRING, &t.student, "DIR",
         N_("a model folder, a GGUF file, or nano")},
        {"lora", OPT_INT, &t.lora, "RANK",
         N_("train a LoRA adapter of this rank alone (0: all weights)")},
        {"rate", OPT_NUMBER, &t.rate, "R",
         N_("peak learning rate (1e-4, LoRA 5e-4)")},
        {"tokens", OPT_INT, &t.tokens, "N", N_("answer tokens to train on")},
        {"epochs", OPT_INT, &t.epochs, "N", N_("or rounds over the rows (4)")},
        {"seed", OPT_INT, &t.seed, "N", N_("of the order and the start")},
        {"detach", OPT_FLAG, &detach, NULL,
         N_("do not wait; see `stillroom runs`")},
        {"estimate", OPT_FLAG, &cost, NULL,
         N_("train nothing: memory and minutes, from two steps")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (t.tokens < 0 || t.epochs < 0 || t.lora < 0 || t.rate < 0)
        return cli_usage(c, _("--tokens, --epochs, --lora and --rate are 0 or "
                              "more"));
    if (!cli_open(c) || !(t.target = cli_target(c)))
        return cli_fail(c);
    if (cost)
        return tell_cost(c, &t);
    int64_t run = verb_train(c->s, &t, &c->e);
    if (!run)
        return cli_fail(c);
    say(stdout, "r%lld\n", (long long)run);
    fflush(stdout);
    return detach ? 0 : wait_for(c, run);
}
