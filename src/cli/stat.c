#include "cli/cli.h"

#include "base/lang.h"
#include "base/say.h"
#include "store/stat.h"

static void print_json(const struct store_counts *n, int64_t answered,
                       int64_t failed)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "targets", n->targets);
    jw_kint(&w, "seeds", n->seeds);
    jw_key(&w, "samples");
    jw_open(&w, '{');
    for (int i = 0; i < STATUS_COUNT; i++)
        jw_kint(&w, status_name((enum status)i), n->samples[i]);
    jw_close(&w);
    jw_kint(&w, "candidates", n->candidates);
    jw_key(&w, "calls");
    jw_open(&w, '{');
    jw_kint(&w, "answered", answered);
    jw_kint(&w, "failed", failed);
    jw_close(&w);
    jw_kint(&w, "decisions", n->decisions);
    jw_kint(&w, "jobs", n->jobs);
    jw_kint(&w, "runs", n->runs);
    jw_kint(&w, "exports", n->exports);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

int sub_stat(struct cli *c)
{
    const struct opt opts[] = {{0}};
    struct store_counts n;
    struct call_counts calls;
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!cli_open(c) || !store_calls(c->s, &calls, &c->e))
        return cli_fail(c);
    store_count(c->s, &n);
    int64_t answered = calls.by_state[CALL_ANSWERED] +
                       calls.by_state[CALL_UNPARSED];
    int64_t failed = calls.by_state[CALL_FAILED] + calls.by_state[CALL_LOST];
    if (c->json) {
        print_json(&n, answered, failed);
        return 0;
    }
    say(stdout, _("targets: %lld, seeds: %lld, decisions: %lld\n"),
        (long long)n.targets, (long long)n.seeds, (long long)n.decisions);
    for (int i = 0; i < STATUS_COUNT; i++)
        say(stdout, "  %-10s %lld\n", status_label((enum status)i),
            (long long)n.samples[i]);
    say(stdout, _("candidates: %lld; calls: %lld answered, %lld failed; "
                  "jobs: %lld, runs: %lld, exports: %lld\n"),
        (long long)n.candidates, (long long)answered, (long long)failed,
        (long long)n.jobs, (long long)n.runs, (long long)n.exports);
    return 0;
}
