/* `eval`: the held-out loss and the share of right greedy answers. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"
#include "model/cmd/cmd.h"
#include "model/cmd/folder.h"
#include "model/cmd/opts.h"
#include "model/learn/eval.h"
#include "model/learn/pack.h"
#include "model/learn/settings.h"

struct evaluation {
    struct llama *m;
    struct tokenizer *t;
    struct items d;
    struct pool *pool;
    struct work *k;
    struct verdict *v;
    struct figures f;
};

static bool prepare(struct evaluation *x, const char *dir,
                    const char *adapter, const struct opt_files *rows,
                    const char *truncate, struct err *e)
{
    int workers = pool_default();
    struct reading how = {0};
    int64_t cut;
    if (!settings_truncate(truncate, &cut, e))
        return false;
    how.truncate = (enum truncate)cut;
    if (!folder_load(dir, adapter, &x->m, &x->t, e))
        return false;
    how.context = x->m->config.context;
    if (!items_load(&x->d, x->t, rows->at, rows->n, &how, e))
        return false;
    if (!x->d.n)
        return items_none(&x->d, e);
    x->pool = pool_new(workers);
    x->v = xcalloc(x->d.n, sizeof *x->v);
    int64_t longest = (int64_t)x->d.longest;
    struct work_shape shape = {
        pack_room(x->m, true, longest, x->d.tokens), (int)longest, workers,
        true}; /* nothing goes back */
    x->k = work_new(x->m, &shape, e);
    return x->k && eval_run(x->m, x->t, &x->d, true, x->pool, x->k, x->v,
                            &x->f, e);
}

static void finish(struct evaluation *x)
{
    verdicts_free(x->v, x->d.n);
    work_free(&x->k);
    pool_free(&x->pool);
    items_free(&x->d);
    tokenizer_free(&x->t);
    llama_free(&x->m);
}

static void print_json(const struct evaluation *x)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "rows", (int64_t)x->f.rows);
    jw_kint(&w, "marked", (int64_t)x->f.marked);
    jw_kint(&w, "right", (int64_t)x->f.right);
    if (x->f.marked)
        jw_knum(&w, "exact", x->f.exact);
    jw_knum(&w, "held_out_loss", x->f.loss);
    jw_kint(&w, "rows_cut", (int64_t)x->d.cut);
    jw_kint(&w, "rows_left_out", (int64_t)x->d.left);
    jw_key(&w, "answers");
    jw_open(&w, '[');
    for (size_t i = 0; i < x->d.n; i++) {
        jw_open(&w, '{');
        jw_kint(&w, "id", x->d.at[i].id);
        jw_kstr(&w, "text", x->v[i].text ? x->v[i].text : "");
        if (x->v[i].marked)
            jw_kbool(&w, "right", x->v[i].right);
        jw_close(&w);
    }
    jw_close(&w);
    jw_close(&w);
    say_json(stdout, buf_str(&b), b.len);
    buf_free(&b);
}

static void print_figures(const struct evaluation *x)
{
    if (x->f.marked)
        say(stdout, P_("%zu row, %zu right (%.1f %%), held-out loss %.4f\n",
                       "%zu rows, %zu right (%.1f %%), held-out loss %.4f\n",
                       x->f.marked),
            x->f.marked, x->f.right, 100 * x->f.exact, x->f.loss);
    if (x->f.rows > x->f.marked)
        say(stdout, P_("%zu row of free text, which nobody marks: the loss of "
                       "all is %.4f\n",
                       "%zu rows of free text, which nobody marks: the loss "
                       "of all is %.4f\n", x->f.rows - x->f.marked),
                    x->f.rows - x->f.marked, x->f.loss);
}

int cmd_eval(int argc, char **argv)
{
    struct evaluation x = {0};
    struct opt_files rows = {0};
    const char *dir = NULL, *adapter = NULL;
    const char *truncate = "right";
    bool as_json = false;
    struct opt table[] = {
        {"--rows", OPT_FILES, &rows, "FILE...", N_("rows to answer"), false},
        {"--truncate", OPT_TEXT, &truncate, "HOW",
         N_("longer rows lose their right or left, or refuse (right)"), false},
        {"--adapter", OPT_TEXT, &adapter, "DIR", ADAPTER_HELP, false},
        {"--json", OPT_FLAG, &as_json, NULL, N_("with every answer, as JSON"),
         false},
        {0},
    };
    struct opts o = {N_("eval DIR --rows FILE"), table, &dir, NULL};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    if (!rows.n)
        return opts_wrong("eval", _("no --rows FILE given"));
    struct err e;
    bool ok = prepare(&x, dir, adapter, &rows, truncate, &e);
    if (ok && as_json)
        print_json(&x);
    else if (ok)
        print_figures(&x);
    if (ok && !as_json && x.d.cut + x.d.left)
        say(stdout, P_("%zu row was longer than the context and cut, %zu left "
                       "out\n",
                       "%zu rows were longer than the context and cut, %zu "
                       "left out\n", x.d.cut), x.d.cut, x.d.left);
    finish(&x);
    return ok ? 0 : say_err("stillroom-model", &e);
}
