/* `train`: see learn/train.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"
#include "domain/verifier.h"
#include "model/cmd/cmd.h"
#include "model/cmd/folder.h"
#include "model/cmd/opts.h"
#include "model/learn/sandbox.h"
#include "model/learn/train.h"
#include "model/net/gemm.h"
#include "model/net/lora.h"

enum { OWN = 7 }; /* options that are no settings */

/* What was given for the settings of kind t. */
struct names {
    const char *at[SETTINGS];
};

static void add_settings(struct opt *to, struct settings *s, struct names *n)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const struct setting *t = &setting_table[i];
        void *at = t->kind == 't' ? (void *)&n->at[i] : (char *)s + t->offset;
        to[i] = (struct opt){.name = xasprintf("--%s", t->name),
                             .kind = t->kind == 'i'   ? OPT_INT
                                     : t->kind == 'd' ? OPT_NUM
                                     : t->kind == 't' ? OPT_TEXT
                                                      : OPT_FLAG,
                             .to = at, .arg = t->arg, .help = t->help};
    }
}

static int read_names(struct settings *s, const struct names *n)
{
    struct err e = {0};
    for (size_t i = 0; i < SETTINGS; i++)
        if (n->at[i] && !settings_name(s, &setting_table[i], n->at[i], &e))
            return opts_wrong("train", e.text);
    return -1;
}

/* A budget of nothing, which is not the default one. */
static bool is_nothing(const struct train *t)
{
    const struct settings *s = &t->settings;
    static const char *const budgets[] = {"tokens", "epochs", "steps"};
    const int64_t value[] = {s->tokens, s->epochs, s->steps};
    for (size_t i = 0; i < SETTINGS; i++)
        for (size_t k = 0; k < COUNT(budgets); k++)
            if (t->given[i] && !value[k] &&
                !strcmp(setting_table[i].name, budgets[k]))
                return true;
    return false;
}

static int missing(const struct train *t)
{
    if (is_nothing(t))
        return opts_wrong("train", _("a budget of 0 trains nothing"));
    if (t->settings.lora_dropout > 0 && !t->settings.lora && !t->adapter &&
        !t->resume)
        return opts_wrong("train", _("--lora-dropout needs --lora or "
                                     "--adapter"));
    if (!t->n_rows)
        return opts_wrong("train", _("no --rows FILE given"));
    if (!t->run && !t->estimate)
        return opts_wrong("train", _("no --out FOLDER given"));
    if (t->adapter && (t->settings.lora || t->settings.from_scratch))
        return opts_wrong("train", _("--adapter has a rank of its own, and "
                                     "the weights that it belongs to"));
    if (t->settings.patience && !t->valid)
        return opts_wrong("train", _("--patience needs --valid FILE"));
    return -1;
}

/* The back end for products, at the precision that is asked for. */
static bool start_products(const struct train *t, struct err *e)
{
    return gemm_start(e) &&
           (gemm_precision((enum gemm_precision)t->settings.precision) ||
            err_set(e, ERR_USAGE, _("this processor has no products for "
                                    "--precision medium")));
}

static int print_estimate(const struct train *t)
{
    struct err e = {0};
    struct train_estimate o = {0};
    if (!start_products(t, &e) || !train_estimate(t, &o, &e))
        return say_err("stillroom-model", &e);
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "parameters", o.parameters);
    jw_kint(&w, "trained", o.trained);
    jw_kint(&w, "rows", o.rows);
    jw_kint(&w, "held_out", o.held_out);
    jw_kint(&w, "longest", o.longest);
    jw_kint(&w, "context", o.context);
    jw_kint(&w, "rows_cut", o.cut);
    jw_kint(&w, "rows_left_out", o.left_out);
    jw_kint(&w, "tokens", o.tokens);
    jw_kint(&w, "steps", o.steps);
    jw_kint(&w, "memory_bytes", o.memory);
    jw_kint(&w, "available_bytes", o.available);
    jw_kbool(&w, "fits", o.fits);
    jw_kstr(&w, "kernel", gemm_kernel());
    if (o.fits) {
        jw_key(&w, "tokens_per_second");
        jw_fixed(&w, o.tokens_per_second, 1);
        jw_key(&w, "seconds");
        jw_fixed(&w, o.seconds, 1);
    } else {
        jw_kstr(&w, "why", e.text);
    }
    jw_close(&w);
    say_json(stdout, buf_str(&b), b.len);
    buf_free(&b);
    return 0;
}

/* How it ended, and how well the held-out rows are answered: no figure of a
 * handful of them. */
static void print_outcome(const struct train *t, const struct outcome *o)
{
    const struct figures *f = &o->held_out;
    say(stdout, o->early ? _("%s/model: ended early at step %lld, with the "
                             "weights of step %lld")
                         : _("%s/model: %lld steps"),
        t->run, (long long)o->steps, (long long)o->best_step);
    if (f->rows >= FIGURE_LEAST)
        say(stdout, _(", held-out loss %.4f"), f->loss);
    else
        say(stdout, _(", loss %.4f"), o->loss);
    if (f->marked >= FIGURE_LEAST)
        say(stdout, _(", %zu of %zu right"), f->right, f->marked);
    say(stdout, "\n");
    if (t->valid && f->rows < FIGURE_LEAST)
        say(stdout, _("under %d held-out rows: no figure is shown\n"),
            FIGURE_LEAST);
    if (o->left_out)
        say(stdout, P_("%zu held-out row is left out: with it evaluation "
                       "would take more than --eval-share of the training's "
                       "tokens\n",
                       "%zu held-out rows are left out: with them evaluation "
                       "would take more than --eval-share of the training's "
                       "tokens\n", o->left_out), o->left_out);
}

static int run(const struct train *t)
{
    struct err e = {0};
    struct outcome o;
    struct config c;
    if (config_load(t->dir, &c, NULL, NULL))
        folder_warn(t->dir, &c);
    if (!start_products(t, &e)) {
        train_refuse(t, &e);
        return say_err("stillroom-model", &e);
    }
    say(stdout, _("products by %s, precision %s\n"), gemm_kernel(),
        gemm_precisions[gemm_precision_now()]);
    if (gemm_left_out())
        say(stdout, _("(this processor has %s too, which is slower as it "
                      "stands: STILLROOM_GEMM=%s takes it)\n"),
            gemm_left_out(), gemm_left_out());
    if (!sandbox_enter())
        say(stderr, _("stillroom-model: this kernel has no seccomp filter: "
                      "the training runs without one\n"));
    if (!train_run(t, &o, &e))
        return say_err("stillroom-model", &e);
    if (o.stopped)
        say(stdout, P_("stopped after %lld step; --resume goes on with %s\n",
                       "stopped after %lld steps; --resume goes on with %s\n",
                       (unsigned long)o.steps),
            (long long)o.steps, t->run);
    else
        print_outcome(t, &o);
    return 0;
}

int cmd_train(int argc, char **argv)
{
    struct train t = {0};
    struct opt_files rows = {0};
    settings_default(&t.settings);
    struct opt table[OWN + SETTINGS + 1] = {
        {"--rows", OPT_FILES, &rows, "FILE...", N_("rows to train on"), false},
        {"--valid", OPT_TEXT, &t.valid, "FILE", N_("held-out rows"), false},
        {"--out", OPT_TEXT, &t.run, "RUNDIR", N_("the run's folder"), false},
        {"--adapter", OPT_TEXT, &t.adapter, "DIR",
         N_("go on with this LoRA adapter"), false},
        {"--resume", OPT_FLAG, &t.resume, NULL,
         N_("go on with the run that stands there"), false},
        {"--other-host", OPT_FLAG, &t.other_host, NULL,
         N_("resume though this machine computes other bits"), false},
        {"--estimate", OPT_FLAG, &t.estimate, NULL,
         N_("train nothing: say what it would take, from two steps"), false},
    };
    struct names names = {0};
    add_settings(table + OWN, &t.settings, &names);
    struct opts o = {N_("train DIR --rows FILE --valid FILE --out RUNDIR"),
                     table, &t.dir, NULL};
    int code = opts_read(&o, argc, argv);
    for (size_t i = 0; i < SETTINGS; i++) {
        t.given[i] = table[OWN + i].given;
        free((char *)(uintptr_t)table[OWN + i].name);
    }
    t.rows = rows.at;
    t.n_rows = rows.n;
    code = code >= 0 ? code : read_names(&t.settings, &names);
    code = code >= 0 ? code : missing(&t);
    if (code >= 0)
        return code;
    return t.estimate ? print_estimate(&t) : run(&t);
}
