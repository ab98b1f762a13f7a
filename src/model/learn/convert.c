#include "model/learn/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/learn/student.h"
#include "model/net/llama.h"

/* ---- config.json -------------------------------------------------------- */

static const struct architecture {
    const char *name, *class;
    bool turned; /* rows of q and k stand in the order of pairs */
} architectures[] = {
    {"llama", "LlamaForCausalLM", true},
    {"qwen2", "Qwen2ForCausalLM", false},
    {"qwen3", "Qwen3ForCausalLM", false},
};

/* "llama.block_count" */
static double number(const struct gguf *g, const struct architecture *a,
                     const char *key, double otherwise)
{
    char *name = xasprintf("%s.%s", a->name, key);
    double v = gguf_number(g, name, otherwise);
    free(name);
    return v;
}

/* A float that was a short decimal, as that decimal. */
static double shortest(double v)
{
    char text[40];
    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtof(text, NULL) == (float)v)
            return strtod(text, NULL);
    }
    return v;
}

static void print_config(const struct gguf *g, const struct architecture *a,
                         struct buf *b)
{
    static const struct {
        const char *key, *name;
    } sizes[] = {
        {"embedding_length", "hidden_size"},
        {"feed_forward_length", "intermediate_size"},
        {"block_count", "num_hidden_layers"},
        {"attention.head_count", "num_attention_heads"},
        {"context_length", "max_position_embeddings"},
    };
    const struct gguf_tensor *embed = gguf_tensor(g, "token_embd.weight");
    double heads = number(g, a, "attention.head_count", 1);
    double width = number(g, a, "embedding_length", 0) / heads;
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_key(&w, "architectures");
    jw_open(&w, '[');
    jw_str(&w, a->class);
    jw_close(&w);
    jw_kstr(&w, "model_type", a->name);
    for (size_t i = 0; i < COUNT(sizes); i++)
        jw_knum(&w, sizes[i].name, number(g, a, sizes[i].key, 0));
    jw_knum(&w, "num_key_value_heads",
            number(g, a, "attention.head_count_kv", heads));
    jw_knum(&w, "head_dim", number(g, a, "attention.key_length", width));
    jw_kint(&w, "vocab_size",
            embed && embed->rank == 2 ? (int64_t)embed->shape[1] : 0);
    jw_knum(&w, "rms_norm_eps",
            shortest(number(g, a, "attention.layer_norm_rms_epsilon", 1e-6)));
    jw_knum(&w, "rope_theta", shortest(number(g, a, "rope.freq_base", 1e4)));
    jw_kstr(&w, "hidden_act", "silu");
    jw_kbool(&w, "tie_word_embeddings", !gguf_tensor(g, "output.weight"));
    for (int i = 0; i < 2; i++) {
        double id = gguf_number(g, i ? "tokenizer.ggml.eos_token_id"
                                     : "tokenizer.ggml.bos_token_id", -1);
        if (id >= 0)
            jw_knum(&w, i ? "eos_token_id" : "bos_token_id", id);
    }
    jw_kstr(&w, "torch_dtype", "float32");
    jw_close(&w);
    buf_putc(b, '\n');
}

static const struct architecture *find_architecture(const struct gguf *g,
                                                    struct err *e)
{
    char *name = gguf_text(g, "general.architecture");
    const struct architecture *a = NULL;
    for (size_t i = 0; name && i < COUNT(architectures); i++)
        if (!strcmp(architectures[i].name, name))
            a = &architectures[i];
    if (!a)
        err_set(e, ERR_REFUSED, _("its architecture is \"%.40s\"; llama, qwen2 "
                                  "and qwen3 are converted"),
                name ? name : "");
    free(name);
    return a;
}

/* What would be another model afterwards. */
static bool check(const struct gguf *g, const struct architecture *a,
                  struct err *e)
{
    if (gguf_number(g, "split.count", 0) > 1)
        return err_set(e, ERR_REFUSED, _("it is one part of several; join "
                                         "them first"));
    if (gguf_tensor(g, "rope_freqs.weight"))
        return err_set(e, ERR_REFUSED, _("it has rope_freqs.weight, whose "
                                         "scaling is not converted"));
    double heads = number(g, a, "attention.head_count", 1);
    double width = number(g, a, "attention.key_length",
                          number(g, a, "embedding_length", 0) / heads);
    double factor = number(g, a, "rope.scaling.factor",
                           number(g, a, "rope.scale_linear", 1));
    if ((factor > 0 && (factor < 1 || factor > 1)) ||
        fabs(number(g, a, "rope.dimension_count", width) - width) > .5)
        return err_set(e, ERR_REFUSED, _("its rotary embedding is scaled or "
                                         "partial, which is not converted"));
    char *key = xasprintf("%s.rope.scaling.type", a->name);
    char *scaling = gguf_text(g, key);
    bool ok = !scaling || !strcmp(scaling, "none");
    if (!ok)
        err_set(e, ERR_REFUSED, _("%s is %.80s, which is not supported"), key,
                scaling);
    free(scaling);
    free(key);
    return ok;
}

/* ---- Weights ------------------------------------------------------------ */

/* The file's name of a weight; the caller frees, NULL where there is none. */
static char *name_of(const char *own)
{
    static const char *const plain[][2] = {
        {"model.embed_tokens.", "token_embd."},
        {"model.norm.", "output_norm."}, {"lm_head.", "output."}};
    static const char *const parts[][2] = {
        {"input_layernorm.", "attn_norm."},
        {"self_attn.q_proj.", "attn_q."}, {"self_attn.k_proj.", "attn_k."},
        {"self_attn.v_proj.", "attn_v."},
        {"self_attn.o_proj.", "attn_output."},
        {"self_attn.q_norm.", "attn_q_norm."},
        {"self_attn.k_norm.", "attn_k_norm."},
        {"post_attention_layernorm.", "ffn_norm."},
        {"mlp.gate_proj.", "ffn_gate."}, {"mlp.up_proj.", "ffn_up."},
        {"mlp.down_proj.", "ffn_down."}};
    int layer = 0, used = 0;
    for (size_t i = 0; i < COUNT(plain); i++)
        if (!strncmp(own, plain[i][0], strlen(plain[i][0])))
            return xasprintf("%s%s", plain[i][1], own + strlen(plain[i][0]));
    if (sscanf(own, "model.layers.%d.%n", &layer, &used) < 1 || !used)
        return NULL;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (!strncmp(own + used, parts[i][0], strlen(parts[i][0])))
            return xasprintf("blk.%d.%s%s", layer, parts[i][1],
                             own + used + strlen(parts[i][0]));
    return NULL;
}

/* Where row i of a matrix of q or k stands in the file: there, each head's
 * two halves are interleaved. */
static size_t turned(size_t i, size_t head)
{
    size_t in = i % head, half = head / 2;
    return i - in + in % half * 2 + in / half;
}

static bool shape_fits(const struct weight *w, const struct gguf_tensor *t)
{
    return t && (w->cols ? t->rank == 2 && t->shape[0] == w->cols &&
                               t->shape[1] == w->rows
                         : t->rank == 1 && t->shape[0] == w->rows);
}

static bool read_weight(const struct gguf *g, struct llama *m,
                        const struct weight *w, bool turn, struct err *e)
{
    char *name = name_of(w->name);
    const struct gguf_tensor *t = name ? gguf_tensor(g, name) : NULL;
    size_t cols = w->cols ? w->cols : 1, head = (size_t)m->config.head_dim;
    float *x = NULL;
    bool ok = shape_fits(w, t);
    if (!ok)
        err_set(e, ERR_INPUT, _("%s is missing or has another shape"),
                name ? name : w->name);
    else if (!(x = malloc(t->count * sizeof *x)))
        ok = err_set(e, ERR_MEMORY, _("not enough memory to read %s"), name);
    ok = ok && gguf_read(g, t, x, e);
    for (size_t i = 0; ok && i < w->rows; i++)
        for (size_t k = 0; k < cols; k++)
            m->w[w->offset + i * cols + k] =
                (real)x[(turn ? turned(i, head) : i) * cols + k];
    free(x);
    free(name);
    return ok;
}

static bool read_weights(const struct gguf *g, const struct architecture *a,
                         struct llama *m, struct err *e)
{
    for (size_t i = 0; i < m->n_own; i++) {
        const struct weight *w = &m->weight[i];
        bool turn = a->turned && (strstr(w->name, "q_proj") ||
                                  strstr(w->name, "k_proj"));
        if (!read_weight(g, m, w, turn, e))
            return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < g->n_tensors; i++)
        n += g->tensor[i].count;
    return n == m->n || err_set(e, ERR_INPUT, _("it holds tensors that this "
                                                "architecture has no place "
                                                "for"));
}

/* ---- All of it ---------------------------------------------------------- */

static struct llama *read_model(const struct gguf *g, struct err *e)
{
    const struct architecture *a = find_architecture(g, e);
    struct buf text = BUF_INIT(0);
    struct config c;
    struct llama *m = NULL;
    if (a && check(g, a, e)) {
        print_config(g, a, &text);
        if (config_read(buf_str(&text), text.len, &c, e))
            m = llama_new(&c, e);
    }
    if (m) {
        m->text = xstrdup(buf_str(&text));
        if (!read_weights(g, a, m, e))
            llama_free(&m);
    }
    buf_free(&text);
    return m;
}

static bool write_folder(const struct gguf *g, const char *dir, size_t *n,
                         struct err *e)
{
    struct llama *m = read_model(g, e);
    char *temp = m ? student_place(dir, e) : NULL;
    bool ok = temp && llama_save(m, temp, e) && convert_tokens(g, temp, e);
    struct tokenizer *t = ok ? student_tokenizer(temp, m, e) : NULL;
    ok = t && student_move(temp, dir, e);
    tokenizer_free(&t);
    if (!ok && temp)
        dir_remove(temp, NULL);
    if (ok && n)
        *n = m->n;
    llama_free(&m);
    free(temp);
    return ok;
}

bool convert_gguf(const char *file, const char *dir, size_t *parameters,
                  struct err *e)
{
    struct gguf g;
    if (file_exists(dir))
        return err_set(e, ERR_REFUSED, _("%s is there already"), dir);
    if (!gguf_open(&g, file, e))
        return false;
    bool ok = write_folder(&g, dir, parameters, e);
    if (!ok)
        err_in(e, "%s", file);
    gguf_close(&g);
    return ok;
}
