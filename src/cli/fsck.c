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

static void say_counts(const struct fsck_counts *n)
{
    char text[5][60];
    snprintf(text[0], sizeof text[0], P_("%lld decision", "%lld decisions",
             (unsigned long)n->decisions), (long long)n->decisions);
    snprintf(text[1], sizeof text[1], P_("%lld change", "%lld changes",
             (unsigned long)n->changes), (long long)n->changes);
    snprintf(text[2], sizeof text[2], P_("%lld row", "%lld rows",
             (unsigned long)n->rows), (long long)n->rows);
    snprintf(text[3], sizeof text[3], P_("%lld text", "%lld texts",
             (unsigned long)n->texts), (long long)n->texts);
    snprintf(text[4], sizeof text[4], P_("%lld finding", "%lld findings",
             (unsigned long)n->findings), (long long)n->findings);
    say(stdout, "%s, %s, %s, %s: %s\n", text[0], text[1], text[2], text[3],
        text[4]);
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
        say_counts(&n);
    return n.findings ? 1 : 0;
}
