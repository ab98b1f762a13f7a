#include "cli/cli.h"

#include "base/lang.h"
#include "base/say.h"
#include "domain/status.h"
#include "verbs/undo.h"

static int report(struct cli *c, enum decided d, const struct undone *u,
                  const char *text)
{
    if (d > DECIDED_FOUND)
        return cli_fail(c);
    if (c->json) {
        struct buf b = BUF_INIT(0);
        struct jw w = jw_start(&b);
        jw_open(&w, '{');
        jw_kint(&w, "decision", u->what.seq);
        jw_kstr(&w, "kind", u->what.kind);
        jw_kint(&w, "objects", u->n_objects);
        jw_close(&w);
        cli_print(&b);
        buf_free(&b);
        return 0;
    }
    say(stdout, "%s: d%lld %s (%lld)\n", text, (long long)u->what.seq,
        deed_label(u->what.kind), (long long)u->n_objects);
    return 0;
}

int sub_undo(struct cli *c)
{
    const struct opt opts[] = {{0}};
    struct undone u;
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    int64_t seq = c->argc ? cli_id(c, c->argv[0], 'd') : 0;
    if ((c->argc && !seq) || !cli_open(c))
        return cli_fail(c);
    return report(c, verb_undo(c->s, c->who, seq, &u, &c->e), &u,
                  _("undone"));
}

int sub_redo(struct cli *c)
{
    const struct opt opts[] = {{0}};
    struct undone u;
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!cli_open(c))
        return cli_fail(c);
    return report(c, verb_redo(c->s, c->who, &u, &c->e), &u,
                  _("done again"));
}
