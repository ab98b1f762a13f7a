#include "cli/cli.h"

#include "base/clock.h"
#include "base/lang.h"
#include "base/say.h"
#include "domain/status.h"
#include "store/journal.h"

#define AT_ONCE 200

static void print(struct cli *c, const struct decision *d)
{
    char when[40];
    if (!c->json) {
        say(stdout, "d%-7lld %s  %-10s %-8s %s%s(%lld)\n", (long long)d->seq,
            clock_format(when, sizeof when, d->at, 0), d->who,
            deed_label(d->kind), reason_label(d->reason),
            *d->reason ? " " : "", (long long)d->n_changes);
        return;
    }
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "seq", d->seq);
    jw_kint(&w, "at", d->at);
    jw_kstr(&w, "who", d->who);
    jw_kstr(&w, "kind", d->kind);
    jw_kstr(&w, "reason", d->reason);
    jw_kint(&w, "undoes", d->undoes);
    jw_kint(&w, "changes", d->n_changes);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

int sub_log(struct cli *c)
{
    int64_t n = 20;
    ids which = {0};
    struct decision list[AT_ONCE];
    const struct opt opts[] = {
        {"n", OPT_INT, &n, "N", N_("how many, newest first (20)")}, {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!(c->argc == 0 || cli_ids(c, c->argv[0], 0, &which)) || !cli_open(c))
        return cli_fail(c);
    if (which.n) {
        size_t got = journal_of(c->s, OBJECT_SAMPLE, which.at[0], list,
                                AT_ONCE);
        for (size_t i = 0; i < got; i++)
            print(c, &list[i]);
        VEC_FREE(&which);
        return 0;
    }
    int64_t from = 0;
    while (n > 0) {
        size_t want = n < AT_ONCE ? (size_t)n : AT_ONCE;
        size_t got = journal_list(c->s, from, list, want);
        for (size_t i = 0; i < got; i++)
            print(c, &list[i]);
        if (got < want || list[got - 1].seq == 1)
            break;
        from = list[got - 1].seq - 1;
        n -= (int64_t)got;
    }
    return 0;
}
