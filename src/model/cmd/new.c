/* `new`: a student with initial weights and a tokenizer of its own. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/say.h"
#include "model/cmd/cmd.h"
#include "model/cmd/opts.h"
#include "model/learn/rows.h"
#include "model/net/llama.h"
#include "model/token/bpe_train.h"
#include "model/token/template.h"

struct wanted {
    const char *dir;
    struct opt_files rows;
    int64_t hidden, layers, heads, kv_heads, ffn, vocab, context, seed;
};

static bool add_words(void *ctx, struct row *r, struct err *e)
{
    (void)e;
    struct bpe_words *w = ctx;
    if (r->text) {
        bpe_words_add(w, r->text, strlen(r->text));
        return true;
    }
    for (size_t i = 0; i < r->prompt.n; i++)
        bpe_words_add(w, r->prompt.at[i].content,
                      strlen(r->prompt.at[i].content));
    bpe_words_add(w, r->answer.content, strlen(r->answer.content));
    if (r->answer.tool_calls)
        bpe_words_add(w, r->answer.tool_calls, strlen(r->answer.tool_calls));
    return true;
}

/* The tokenizer learned from the rows, or NULL. */
static struct tokenizer *learn_tokens(const struct wanted *n, struct err *e)
{
    struct bpe_words *w = bpe_words_new();
    bool ok = true;
    for (size_t i = 0; ok && i < n->rows.n; i++)
        ok = rows_each(n->rows.at[i], add_words, w, e);
    struct tokenizer *t = ok ? tokenizer_new(template_tokens) : NULL;
    if (t)
        bpe_train(t, w, (size_t)n->vocab);
    bpe_words_free(&w);
    return t;
}

static bool check(const struct wanted *n, struct config *c, struct err *e)
{
    const int64_t size[] = {n->hidden, n->layers, n->heads, n->kv_heads,
                            n->ffn, n->vocab, n->context};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        if (size[i] < 1 || size[i] > 1 << 18)
            return err_set(e, ERR_USAGE, _("a size of 0 or beyond %d"),
                           1 << 18);
    if (n->vocab < 300)
        return err_set(e, ERR_USAGE, _("--vocab must be at least 300: 256 "
                                       "bytes, 5 signs, and some words"));
    if (n->hidden % n->heads)
        return err_set(e, ERR_USAGE, _("--hidden must be a multiple of "
                                       "--heads"));
    *c = (struct config){
        .hidden = (int)n->hidden, .ffn = (int)n->ffn,
        .layers = (int)n->layers, .heads = (int)n->heads,
        .kv_heads = (int)n->kv_heads, .head_dim = (int)(n->hidden / n->heads),
        .vocab = (int)n->vocab, .context = (int)n->context, .eps = 1e-5,
        .tied = true, .bos = -1, .eos = 0};
    config_plain(c, 1e4);
    return config_check(c, e);
}

static bool write_generation(const char *dir, struct err *e)
{
    char *path = path_join(dir, "generation_config.json");
    const char text[] = "{\"eos_token_id\":0,\"pad_token_id\":0}\n";
    bool ok = file_replace(path, text, sizeof text - 1, 0644, true, e);
    free(path);
    return ok;
}

static bool make(const struct wanted *n, struct err *e)
{
    struct config c;
    struct tokenizer *t = NULL;
    struct llama *m = NULL;
    char *there = path_join(n->dir, "config.json");
    bool ok = check(n, &c, e);
    if (ok && file_exists(there))
        ok = err_set(e, ERR_REFUSED, _("%s: there is a student already"),
                     n->dir);
    free(there);
    if (ok && (t = learn_tokens(n, e))) {
        c.vocab = (int)t->n;
        m = llama_new(&c, e);
    }
    if (m)
        llama_init(m, (uint64_t)n->seed);
    ok = m && dir_make(n->dir, 0755, e) &&
         tokenizer_save(t, n->dir, c.context, e) &&
         write_generation(n->dir, e) && llama_save(m, n->dir, e);
    if (ok)
        say(stdout, _("%s: %zu parameters, %d tokens\n"), n->dir, m->n,
            c.vocab);
    llama_free(&m);
    tokenizer_free(&t);
    return ok;
}

int cmd_new(int argc, char **argv)
{
    struct wanted n = {.hidden = 64, .layers = 4, .heads = 2, .kv_heads = 1,
                       .ffn = 192, .vocab = 512, .context = 512, .seed = 1};
    struct opt table[] = {
        {"--rows", OPT_FILES, &n.rows, "FILE...",
         N_("rows to learn the tokenizer from"), false},
        {"--hidden", OPT_INT, &n.hidden, "N", N_("width (64)"), false},
        {"--layers", OPT_INT, &n.layers, "N", N_("layers (4)"), false},
        {"--heads", OPT_INT, &n.heads, "N", N_("query heads (2)"), false},
        {"--kv-heads", OPT_INT, &n.kv_heads, "N",
         N_("key and value heads (1)"), false},
        {"--ffn", OPT_INT, &n.ffn, "N", N_("inner width (192)"), false},
        {"--vocab", OPT_INT, &n.vocab, "N",
         N_("tokens at most (512)"), false},
        {"--context", OPT_INT, &n.context, "N",
         N_("longest text in tokens (512)"), false},
        {"--seed", OPT_INT, &n.seed, "N", N_("of the initial values (1)"),
         false},
        {0},
    };
    struct opts o = {N_("new DIR --rows FILE..."), table, &n.dir, NULL};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    if (!n.rows.n)
        return opts_wrong("new", _("no --rows FILE given"));
    struct err e;
    return make(&n, &e) ? 0 : say_err("stillroom-model", &e);
}
