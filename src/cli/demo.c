#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/say.h"
#include "demo/demo.h"

static void on_told(void *ctx, int act, const char *text)
{
    const int64_t *from = ctx;
    double seconds = (double)(clock_mono() - *from) / 1000;
    say(stderr, _("act %d of 6 %5.0f s  %s\n"), act, seconds, text);
}

static double percent(int64_t a, int64_t n)
{
    return n ? 100.0 * (double)a / (double)n : 0;
}

static void print_share(const char *name, const struct demo_share *s)
{
    double low, high;
    if (!s->n)
        return;
    demo_interval(s->right, s->n, &low, &high);
    say(stdout, "    %-12s %5.1f  (%.1f-%.1f)  %5.1f  %5.1f\n", name,
        percent(s->right, s->n), 100 * low, 100 * high,
        percent(s->right - s->right_trigger, s->n - s->n_trigger),
        percent(s->right_trigger, s->n_trigger));
}

static void print_set(const char *title, const struct demo_set *x)
{
    say(stdout, "%s\n", title);
    print_share("before", &x->before);
    for (int a = 0; a < ARM_COUNT; a++)
        print_share(demo_arm_name((enum demo_arm)a), &x->arm[a]);
    print_share("teacher", &x->teacher);
    print_share("nearest row", &x->nearest);
}

static void print_text(const struct demo_result *r)
{
    say(stdout, _("%lld seeds, %lld samples: %lld accepted, %lld "
                  "rejected\n"), (long long)r->seeds,
        (long long)r->generated, (long long)r->accepted,
        (long long)r->rejected);
    say(stdout, _("curator: %.1f%% of what it kept is right (%.1f%% where "
                  "the teacher's misconceptions are triggered), and it kept "
                  "%.1f%% of what is right\n"),
        percent(r->precision.right, r->precision.n),
        percent(r->triggered.right, r->triggered.n),
        percent(r->recall.right, r->recall.n));
    say(stdout, _("exact match in per cent, its 95%% interval, without and "
                  "with a trigger:\n"));
    print_set(_("  problems held out (H1)"), &r->set[0]);
    print_set(_("  wordings held out too (H2)"), &r->set[1]);
    print_set(_("  templates of no training (H3)"), &r->set[2]);
    say(stdout, P_("%lld row exported; %.0f s\n",
                   "%lld rows exported; %.0f s\n",
                   (unsigned long)r->exported), (long long)r->exported,
        r->seconds);
}

static int batch(struct cli *c, struct demo_form *f)
{
    struct demo_result r;
    int64_t from = clock_mono();
    f->told = on_told;
    f->ctx = &from;
    if (!verb_demo(f, &r, &c->e))
        return cli_fail(c);
    if (c->json) {
        struct buf b = BUF_INIT(0);
        demo_print(&r, &b);
        cli_print(&b);
        buf_free(&b);
    } else {
        print_text(&r);
    }
    return 0;
}

/* Without --batch: where the demonstration's store is. */
static int print_store(struct cli *c)
{
    char *path = NULL;
    if (!demo_store(&path, &c->e))
        return cli_fail(c);
    say(stdout, "%s\n", path);
    free(path);
    return 0;
}

int sub_demo(struct cli *c)
{
    struct demo_form f = {.seeds = 1, .seed = 1, .tokens = DEMO_TOKENS / 2,
                          .prompts = DEMO_PROMPTS, .problems = DEMO_PROBLEMS};
    const char *arms = "everything,curated";
    bool wanted = false;
    const struct opt opts[] = {
        {"batch", OPT_FLAG, &wanted, NULL,
         N_("the tour without a screen, in a store of its own")},
        {"store", OPT_STRING, &f.store, "FILE",
         N_("keep that store (a new file)")},
        {"arms", OPT_STRING, &arms, "LIST",
         N_("of everything, random, curated, edits, faultless, truth, "
            "seeds; or all")},
        {"seeds", OPT_INT, &f.seeds, "N", N_("as many tours (1)")},
        {"seed", OPT_INT, &f.seed, "N", N_("random seed of the first (1)")},
        {"tokens", OPT_INT, &f.tokens, "N",
         N_("answer tokens of each run (2250000)")},
        {"prompts", OPT_INT, &f.prompts, "N",
         N_("asked of the teacher (20000)")},
        {"problems", OPT_INT, &f.problems, "N",
         N_("held out, of H1 and of H2 each (400)")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    f.store = f.store ? f.store : c->store_path;
    if (f.seeds < 1 || f.seed < 1 || f.tokens < 1 || f.prompts < 1 ||
        f.problems < 1)
        return cli_usage(c, _("--seeds, --seed, --tokens, --prompts and "
                              "--problems are 1 or more"));
    if (!demo_arms_parse(arms, f.arms, &c->e))
        return cli_usage(c, "%s", c->e.text);
    return wanted ? batch(c, &f) : print_store(c);
}
