#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/say.h"
#include "store/sample.h"
#include "verbs/order.h"

/* What stands behind the sample, with blanks between. */
static char *rest_of(const struct cli *c)
{
    struct buf b = BUF_INIT(0);
    for (int i = 1; i < c->argc; i++)
        buf_printf(&b, "%s%s", i > 1 ? " " : "", c->argv[i]);
    return buf_take(&b);
}

static int say_order(struct cli *c, int64_t id, const struct order *o)
{
    char text[ORDER_MAX * 3 + 1];
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    order_print(o, text);
    jw_open(&w, '{');
    jw_kint(&w, "sample", id);
    jw_kstr(&w, "order", text);
    jw_kint(&w, "decision", store_seq(c->s));
    jw_close(&w);
    if (c->json)
        cli_print(&b);
    else
        say(stdout, _("%lld ordered %s and accepted, d%lld\n"), (long long)id,
            text, (long long)store_seq(c->s));
    buf_free(&b);
    return 0;
}

static int put_order(struct cli *c, const struct sample *x, const char *text)
{
    size_t n = x->candidates.n < ORDER_MAX ? x->candidates.n : ORDER_MAX;
    size_t best_first[ORDER_MAX];
    struct order o;
    struct other other;
    if (n < 2) {
        err_set(&c->e, ERR_REFUSED, _("sample %lld has no two answers to "
                                      "order"), (long long)x->id);
        return cli_fail(c);
    }
    if (!order_parse(text, n, &o, &c->e))
        return cli_fail(c);
    order_list(&o, best_first);
    switch (verb_order(c->s, c->who, x->id, &o,
                       x->candidates.at[best_first[0]].id, store_seq(c->s),
                       &other, &c->e)) {
    case DECIDED:
    case DECIDED_FOUND:
        return say_order(c, x->id, &o);
    case DECIDED_CONFLICT:
    case DECIDED_NOT:
    case DECIDED_UNKNOWN: break;
    }
    return cli_fail(c);
}

int sub_order(struct cli *c)
{
    const struct opt opts[] = {{0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (c->argc < 2)
        return cli_usage(c, _("name a sample and its answers' order, best "
                              "first: \"B A C=D\""));
    struct sample x;
    int64_t id = cli_id(c, c->argv[0], 0);
    if (!id || !cli_open(c) || !sample_get(c->s, id, &x, &c->e))
        return cli_fail(c);
    char *text = rest_of(c);
    code = put_order(c, &x, text);
    free(text);
    sample_free(&x);
    return code;
}
