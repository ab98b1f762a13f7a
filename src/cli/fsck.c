#include "cli/cli.h"

#include "base/lang.h"
#include "base/say.h"
#include "store/fsck.h"

static void on_finding(void *ctx, bool finding, const char *text)
{
    struct cli *c = ctx;
    if (!c->json) {
        say(stdout, "%s\n", text);
        return;
    }
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kstr(&w, finding ? "finding" : "remark", text);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

static bool reindex(struct cli *c)
{
    if (!store_reindex(c->s, &c->e))
        return false;
    on_finding(c, false, _("the word index was made anew"));
    return true;
}

int sub_fsck(struct cli *c)
{
    bool anew = false;
    const struct opt opts[] = {
        {"reindex", OPT_FLAG, &anew, NULL,
         N_("make the word index anew of the texts, first")},
        {0}};
    struct fsck_counts n;
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!cli_open(c) || (anew && !reindex(c)) ||
        !store_fsck(c->s, on_finding, c, &n, &c->e))
        return cli_fail(c);
    if (!c->json)
        say(stdout, _("%lld decisions, %lld changes, %lld rows, %lld texts: "
                      "%lld findings\n"), (long long)n.decisions,
            (long long)n.changes, (long long)n.rows, (long long)n.texts,
            (long long)n.findings);
    return n.findings ? 1 : 0;
}
