#include "cli/cli.h"

#include <stdio.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/say.h"
#include "cli/table.h"
#include "store/journal.h"
#include "store/text.h"

static const struct column columns[] = {
    {N_("target"), 24}, {N_("seeds"), -7}, {N_("pending"), -8},
    {N_("accepted"), -8}, {N_("rejected"), -9}, {N_("deferred"), -9},
    {"", 0}};

static void print_counts(struct jw *w, const struct target_counts *n)
{
    jw_kint(w, "seeds", n->seeds);
    jw_kint(w, "pending", n->pending);
    jw_kint(w, "accepted", n->accepted);
    jw_kint(w, "rejected", n->rejected);
    jw_kint(w, "deferred", n->deferred);
}

static int list(struct cli *c)
{
    ids all;
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    if (!target_ids(c->s, &all, &c->e))
        return cli_fail(c);
    jw_open(&w, '[');
    if (all.n)
        table_head(c, columns);
    for (size_t i = 0; i < all.n; i++) {
        struct target t;
        struct target_counts n;
        if (!target_get(c->s, all.at[i], &t, &c->e))
            break;
        target_counts(c->s, t.id, &n);
        jw_open(&w, '{');
        jw_kstr(&w, "name", t.name);
        print_counts(&w, &n);
        jw_close(&w);
        if (!c->json)
            table_row(columns, "%s\t%lld\t%lld\t%lld\t%lld\t%lld", t.name,
                      (long long)n.seeds, (long long)n.pending,
                      (long long)n.accepted, (long long)n.rejected,
                      (long long)n.deferred);
        target_free(&t);
    }
    jw_close(&w);
    if (c->json)
        cli_print(&b);
    buf_free(&b);
    VEC_FREE(&all);
    return 0;
}

/* Adds the target, or gives it another document. */
static bool put(struct cli *c, const char *name, const char *doc)
{
    struct act a;
    int64_t id = target_find(c->s, name);
    if (!act_begin(c->s, &a, id ? "target" : "arrive", c->who, name, 0,
                   &c->e))
        return false;
    int64_t text = id ? text_puts(c->s, doc, &c->e) : 0;
    bool ok = id ? text && act_change(&a, OBJECT_TARGET, id, FIELD_TEXT, text,
                                      &c->e)
                 : target_add(&a, name, doc, &c->e) != 0;
    if (ok)
        return act_saved(act_commit(&a, &c->e));
    act_cancel(&a);
    return false;
}

static bool read_document(struct cli *c, const char *path, struct buf *out)
{
    json *j = json_load(path, (size_t)1 << 20, &c->e);
    bool ok = json_is_object(j) ||
              (j && err_set(&c->e, ERR_INPUT, _("%s: not a JSON object"),
                            path));
    if (ok)
        json_print(out, j);
    json_free(j);
    return ok;
}

static int show(struct cli *c, const char *name)
{
    struct target t;
    c->target_name = name;
    int64_t id = cli_target(c);
    if (!id || !target_get(c->s, id, &t, &c->e))
        return cli_fail(c);
    say_json(stdout, t.doc, strlen(t.doc));
    target_free(&t);
    return 0;
}

int sub_target(struct cli *c)
{
    const char *file = NULL;
    bool add = false;
    const struct opt opts[] = {
        {"add", OPT_FLAG, &add, NULL, N_("make the target NAME")},
        {"from", OPT_STRING, &file, "FILE",
         N_("its document: description, system, principles, rubric, "
            "near_limit")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!c->argc && (add || file))
        return cli_usage(c, _("name one target"));
    if (!cli_open(c))
        return cli_fail(c);
    if (!c->argc)
        return list(c);
    if (!add && !file)
        return show(c, c->argv[0]);
    struct buf doc = BUF_INIT(0);
    bool ok = file ? read_document(c, file, &doc) : buf_puts(&doc, "{}");
    if (ok && add && target_find(c->s, c->argv[0]))
        ok = err_set(&c->e, ERR_REFUSED, _("there is a target %s already"),
                     c->argv[0]);
    ok = ok && put(c, c->argv[0], buf_str(&doc));
    buf_free(&doc);
    return ok ? 0 : cli_fail(c);
}
