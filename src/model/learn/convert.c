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
    const char *name, *class, *type; /* in GGUF, and in config.json */
    bool turned; /* rows of q and k stand in the order of pairs */
    bool plus;   /* norms stand with 1 added */
    bool gpt2;
} architectures[] = {
    {"llama", "LlamaForCausalLM", "llama", true, false, false},
    {"qwen2", "Qwen2ForCausalLM", "qwen2", false, false, false},
    {"qwen3", "Qwen3ForCausalLM", "qwen3", false, false, false},
    {"gemma3", "Gemma3ForCausalLM", "gemma3_text", false, true, false},
    {"gpt2", "GPT2LMHeadModel", "gpt2", false, false, true},
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

static double head_width(const struct gguf *g, const struct architecture *a)
{
    return number(g, a, "attention.key_length",
                  number(g, a, "embedding_length", 0) /
                      number(g, a, "attention.head_count", 1));
}

struct named_size {
    const char *key, *name;
};

static void print_sizes(const struct gguf *g, const struct architecture *a,
                        struct jw *w)
{
    static const struct named_size usual[] = {
        {"embedding_length", "hidden_size"},
        {"feed_forward_length", "intermediate_size"},
        {"block_count", "num_hidden_layers"},
        {"attention.head_count", "num_attention_heads"},
        {"context_length", "max_position_embeddings"},
    };
    static const struct named_size gpt2[] = {
        {"embedding_length", "n_embd"},
        {"feed_forward_length", "n_inner"},
        {"block_count", "n_layer"},
        {"attention.head_count", "n_head"},
        {"context_length", "n_positions"},
    };
    const struct named_size *size = a->gpt2 ? gpt2 : usual;
    const struct gguf_tensor *embed = gguf_tensor(g, "token_embd.weight");
    for (size_t i = 0; i < COUNT(usual); i++)
        jw_knum(w, size[i].name, number(g, a, size[i].key, 0));
    jw_kint(w, "vocab_size",
            embed && embed->rank == 2 ? (int64_t)embed->shape[1] : 0);
}

static void print_gemma(const struct gguf *g, const struct architecture *a,
                        struct jw *w)
{
    jw_kstr(w, "hidden_activation", "gelu_pytorch_tanh");
    /* the one of 62 layers scales by another width (llama.cpp, too) */
    jw_knum(w, "query_pre_attn_scalar",
            number(g, a, "block_count", 0) > 61.5
                ? number(g, a, "embedding_length", 0) /
                      number(g, a, "attention.head_count", 1)
                : head_width(g, a));
    jw_knum(w, "sliding_window", number(g, a, "attention.sliding_window", 0));
    jw_kint(w, "sliding_window_pattern", 6);
    jw_knum(w, "rope_local_base_freq",
            shortest(number(g, a, "rope.freq_base_swa", 1e4)));
}

/* How the rotary embedding is scaled, as config.json says it; nothing where it
 * is not. */
struct scaling {
    const char *type;
    double factor;
};

/* Llama 3's scaling with the numbers that all of its models have; the
 * factor is in the file's list of divisors (transformers'
 * modeling_rope_utils.py). */
enum { ORIGINAL = 8192, LOW = 1, HIGH = 4 };

static void print_scaling(const struct scaling *x, struct jw *w)
{
    if (!x->type)
        return;
    jw_key(w, "rope_scaling");
    jw_open(w, '{');
    jw_kstr(w, "rope_type", x->type);
    jw_knum(w, "factor", x->factor);
    if (!strcmp(x->type, "llama3")) {
        jw_kint(w, "low_freq_factor", LOW);
        jw_kint(w, "high_freq_factor", HIGH);
        jw_kint(w, "original_max_position_embeddings", ORIGINAL);
    }
    jw_close(w);
}

static void print_config(const struct gguf *g, const struct architecture *a,
                         const struct scaling *x, struct buf *b)
{
    double heads = number(g, a, "attention.head_count", 1);
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_key(&w, "architectures");
    jw_open(&w, '[');
    jw_str(&w, a->class);
    jw_close(&w);
    jw_kstr(&w, "model_type", a->type);
    print_sizes(g, a, &w);
    if (a->gpt2) {
        jw_kstr(&w, "activation_function", "gelu_new");
        jw_knum(&w, "layer_norm_epsilon",
                shortest(number(g, a, "attention.layer_norm_epsilon", 1e-5)));
    } else {
        jw_knum(&w, "num_key_value_heads",
                number(g, a, "attention.head_count_kv", heads));
        jw_knum(&w, "head_dim", head_width(g, a));
        jw_knum(&w, "rms_norm_eps",
                shortest(number(g, a, "attention.layer_norm_rms_epsilon",
                                1e-6)));
        jw_knum(&w, "rope_theta",
                shortest(number(g, a, "rope.freq_base", 1e4)));
        print_scaling(x, &w);
    }
    if (a->plus)
        print_gemma(g, a, &w);
    else if (!a->gpt2)
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
        err_set(e, ERR_REFUSED, _("its architecture is \"%.40s\"; llama, "
                                  "qwen2, qwen3, gemma3 and gpt2 are "
                                  "converted"), name ? name : "");
    free(name);
    return a;
}

/* Which divisor of Llama 3's scaling the frequency has. */
static double llama3_divisor(double inverse, double factor)
{
    double wave = 2 * M_PI / inverse;
    if (wave < (double)ORIGINAL / HIGH)
        return 1;
    if (wave > (double)ORIGINAL / LOW)
        return factor;
    double smooth = (ORIGINAL / wave - LOW) / (HIGH - LOW);
    return 1 / ((1 - smooth) / factor + smooth);
}

/* The file's divisors as Llama 3's, of which the last one is the factor. */
static bool read_divisors(const struct gguf *g, const struct architecture *a,
                          const struct gguf_tensor *t, struct scaling *x,
                          struct err *e)
{
    double theta = number(g, a, "rope.freq_base", 1e4);
    double width = head_width(g, a);
    float *d = t->count == (uint64_t)(width / 2)
                   ? xcalloc((size_t)t->count, sizeof *d) : NULL;
    bool ok = d && gguf_read(t, d, e);
    *x = (struct scaling){"llama3", ok ? (double)d[t->count - 1] : 0};
    for (uint64_t i = 0; ok && i < t->count; i++) {
        double inverse = pow(theta, -2. * (double)i / width);
        double want = llama3_divisor(inverse, x->factor);
        ok = fabs((double)d[i] - want) <= 1e-4 * want;
    }
    free(d);
    return ok || err_set(e, ERR_REFUSED, _("rope_freqs.weight is not the "
                                           "scaling of a Llama 3"));
}

static bool read_scaling(const struct gguf *g, const struct architecture *a,
                         struct scaling *x, struct err *e)
{
    const struct gguf_tensor *divisors = gguf_tensor(g, "rope_freqs.weight");
    char *key = xasprintf("%s.rope.scaling.type", a->name);
    char *type = gguf_text(g, key);
    double factor = number(g, a, "rope.scaling.factor",
                           number(g, a, "rope.scale_linear", 1));
    bool scaled = factor > 0 && (factor < 1 || factor > 1);
    bool linear = type ? !strcmp(type, "linear") : scaled, ok = true;
    *x = (struct scaling){linear ? "linear" : NULL, factor};
    if (type && !linear && strcmp(type, "none"))
        ok = err_set(e, ERR_REFUSED, _("%s is %.80s, which is not supported"),
                     key, type);
    else if (divisors && linear)
        ok = err_set(e, ERR_REFUSED, _("its rotary embedding is scaled "
                                       "twice"));
    else if (divisors)
        ok = read_divisors(g, a, divisors, x, e);
    free(type);
    free(key);
    return ok;
}

/* What would be another model afterwards. */
static bool check(const struct gguf *g, const struct architecture *a,
                  struct err *e)
{
    double width = head_width(g, a);
    return fabs(number(g, a, "rope.dimension_count", width) - width) <= .5 ||
           err_set(e, ERR_REFUSED, _("its rotary embedding is partial, which "
                                     "is not converted"));
}

/* ---- Weights ------------------------------------------------------------ */

struct renamed {
    const char *own, *theirs;
};

static const struct renamed plain[] = {
    {"model.embed_tokens.", "token_embd."}, {"model.norm.", "output_norm."},
    {"lm_head.", "output."}, {"transformer.wte.", "token_embd."},
    {"transformer.wpe.", "position_embd."},
    {"transformer.ln_f.", "output_norm."}, {NULL, NULL}};

/* Of Gemma, whose norms have names that others use differently. */
static const struct renamed gemma_parts[] = {
    {"post_attention_layernorm.", "post_attention_norm."},
    {"pre_feedforward_layernorm.", "ffn_norm."},
    {"post_feedforward_layernorm.", "post_ffw_norm."}, {NULL, NULL}};

static const struct renamed parts[] = {
    {"input_layernorm.", "attn_norm."}, {"self_attn.q_proj.", "attn_q."},
    {"self_attn.k_proj.", "attn_k."}, {"self_attn.v_proj.", "attn_v."},
    {"self_attn.o_proj.", "attn_output."},
    {"self_attn.q_norm.", "attn_q_norm."},
    {"self_attn.k_norm.", "attn_k_norm."},
    {"post_attention_layernorm.", "ffn_norm."},
    {"mlp.gate_proj.", "ffn_gate."}, {"mlp.up_proj.", "ffn_up."},
    {"mlp.down_proj.", "ffn_down."}, {"ln_1.", "attn_norm."},
    {"attn.c_attn.", "attn_qkv."}, {"attn.c_proj.", "attn_output."},
    {"ln_2.", "ffn_norm."}, {"mlp.c_fc.", "ffn_up."},
    {"mlp.c_proj.", "ffn_down."}, {NULL, NULL}};

static const struct renamed *find_name(const struct renamed *r,
                                       const char *own)
{
    while (r->own && strncmp(own, r->own, strlen(r->own)))
        r++;
    return r->own ? r : NULL;
}

/* The file's name of a weight; the caller frees, NULL where there is none. */
static char *name_of(const struct architecture *a, const char *own)
{
    const struct renamed *r = find_name(plain, own);
    int layer = 0, used = 0;
    if (r)
        return xasprintf("%s%s", r->theirs, own + strlen(r->own));
    if ((sscanf(own, "model.layers.%d.%n", &layer, &used) < 1 || !used) &&
        (sscanf(own, "transformer.h.%d.%n", &layer, &used) < 1 || !used))
        return NULL;
    own += used;
    r = a->plus ? find_name(gemma_parts, own) : NULL;
    r = r ? r : find_name(parts, own);
    return r ? xasprintf("blk.%d.%s%s", layer, r->theirs, own + strlen(r->own))
             : NULL;
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

static bool read_weight(const struct gguf *g, const struct architecture *a,
                        struct llama *m, const struct weight *w,
                        struct err *e)
{
    bool turn = a->turned &&
                (strstr(w->name, "q_proj") || strstr(w->name, "k_proj"));
    float less = a->plus && strstr(w->name, "norm.") ? 1 : 0;
    char *name = name_of(a, w->name);
    const struct gguf_tensor *t = name ? gguf_tensor(g, name) : NULL;
    size_t cols = w->cols ? w->cols : 1, head = (size_t)m->config.head_dim;
    float *x = NULL;
    bool ok = shape_fits(w, t);
    if (!ok)
        err_set(e, ERR_INPUT, _("%s is missing or has another shape"),
                name ? name : w->name);
    else if (!(x = malloc(t->count * sizeof *x)))
        ok = err_set(e, ERR_MEMORY, _("not enough memory to read %s"), name);
    ok = ok && gguf_read(t, x, e);
    for (size_t i = 0; ok && i < w->rows; i++)
        for (size_t k = 0; k < cols; k++)
            m->w[w->offset + i * cols + k] =
                (real)(x[(turn ? turned(i, head) : i) * cols + k] - less);
    free(x);
    free(name);
    return ok;
}

static bool read_weights(const struct gguf *g, const struct architecture *a,
                         struct llama *m, struct err *e)
{
    for (size_t i = 0; i < m->n_own; i++) {
        if (!read_weight(g, a, m, &m->weight[i], e))
            return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < g->n_tensors; i++)
        if (strcmp(g->tensor[i].name, "rope_freqs.weight"))
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
    struct scaling x;
    if (a && check(g, a, e) && read_scaling(g, a, &x, e)) {
        print_config(g, a, &x, &text);
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
