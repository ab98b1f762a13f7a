#include "model/net/llama_config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"

/* ---- The families ------------------------------------------------------- */

enum bias { BIAS_NO, BIAS_YES, BIAS_FIELD }; /* FIELD: attention_bias */
enum windows { WINDOWS_NO, WINDOWS_ALL, WINDOWS_QWEN, WINDOWS_GEMMA };

struct family {
    const char *type, *architecture;
    int head_dim, kv_heads; /* where absent; 0: hidden / heads, and heads */
    bool tied;              /* where absent */
    enum bias qkv, o;
    bool mlp_bias; /* the field of that name counts */
    bool qk_norm, gemma, gpt2;
    enum windows windows;
};

static const struct family families[] = {
    {.type = "llama", .architecture = "LlamaForCausalLM", .qkv = BIAS_FIELD,
     .o = BIAS_FIELD, .mlp_bias = true},
    {.type = "mistral", .architecture = "MistralForCausalLM",
     .windows = WINDOWS_ALL},
    {.type = "qwen2", .architecture = "Qwen2ForCausalLM", .qkv = BIAS_YES,
     .windows = WINDOWS_QWEN},
    {.type = "qwen3", .architecture = "Qwen3ForCausalLM", .head_dim = 128,
     .qkv = BIAS_FIELD, .o = BIAS_FIELD, .qk_norm = true,
     .windows = WINDOWS_QWEN},
    {.type = "gemma3_text", .architecture = "Gemma3ForCausalLM",
     .head_dim = 256, .kv_heads = 4, .tied = true, .qkv = BIAS_FIELD,
     .o = BIAS_FIELD, .qk_norm = true, .gemma = true,
     .windows = WINDOWS_GEMMA},
    {.type = "gpt2", .architecture = "GPT2LMHeadModel", .tied = true,
     .qkv = BIAS_YES, .o = BIAS_YES, .gpt2 = true},
};

static const char *const llama_names[TENSOR_COUNT] = {
    [TENSOR_EMBED] = "model.embed_tokens", [TENSOR_NORM] = "model.norm",
    [TENSOR_HEAD] = "lm_head",
    [TENSOR_NORM1] = "model.layers.%d.input_layernorm",
    [TENSOR_Q] = "model.layers.%d.self_attn.q_proj",
    [TENSOR_K] = "model.layers.%d.self_attn.k_proj",
    [TENSOR_V] = "model.layers.%d.self_attn.v_proj",
    [TENSOR_Q_NORM] = "model.layers.%d.self_attn.q_norm",
    [TENSOR_K_NORM] = "model.layers.%d.self_attn.k_norm",
    [TENSOR_O] = "model.layers.%d.self_attn.o_proj",
    [TENSOR_NORM2] = "model.layers.%d.post_attention_layernorm",
    [TENSOR_GATE] = "model.layers.%d.mlp.gate_proj",
    [TENSOR_UP] = "model.layers.%d.mlp.up_proj",
    [TENSOR_DOWN] = "model.layers.%d.mlp.down_proj"};

static const char *const gpt2_names[TENSOR_COUNT] = {
    [TENSOR_EMBED] = "transformer.wte", [TENSOR_POSITIONS] = "transformer.wpe",
    [TENSOR_NORM] = "transformer.ln_f", [TENSOR_HEAD] = "lm_head",
    [TENSOR_NORM1] = "transformer.h.%d.ln_1",
    [TENSOR_QKV] = "transformer.h.%d.attn.c_attn",
    [TENSOR_O] = "transformer.h.%d.attn.c_proj",
    [TENSOR_NORM2] = "transformer.h.%d.ln_2",
    [TENSOR_UP] = "transformer.h.%d.mlp.c_fc",
    [TENSOR_DOWN] = "transformer.h.%d.mlp.c_proj"};

const char *config_tensor(const struct config *c, enum tensor t)
{
    const struct family *f = c->family;
    if (f->gpt2)
        return gpt2_names[t];
    if (f->gemma && t == TENSOR_POST1)
        return "model.layers.%d.post_attention_layernorm";
    if (f->gemma && t == TENSOR_NORM2)
        return "model.layers.%d.pre_feedforward_layernorm";
    if (f->gemma && t == TENSOR_POST2)
        return "model.layers.%d.post_feedforward_layernorm";
    return llama_names[t];
}

/* ---- Keys --------------------------------------------------------------- */

/* Keys that are read below, and keys without meaning for the arithmetic. */
static const char *const known[] = {
    "hidden_size", "intermediate_size", "num_hidden_layers",
    "num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size",
    "max_position_embeddings", "rms_norm_eps", "rope_theta", "rope_scaling",
    "rope_parameters", "tie_word_embeddings", "bos_token_id", "eos_token_id",
    "architectures", "model_type", "torch_dtype", "dtype", "use_cache",
    "initializer_range", "transformers_version", "pad_token_id",
    "attention_dropout", "_name_or_path", "is_llama_config",
    "transformers.js_config", "unk_token_id", "attention_bias", "mlp_bias",
    "hidden_act", "hidden_activation", "sliding_window", "layer_types",
    "use_sliding_window", "max_window_layers", "sliding_window_pattern",
    "_sliding_window_pattern", "query_pre_attn_scalar",
    "rope_local_base_freq", "cache_implementation", "mup_enabled",
    /* GPT-2 */
    "n_embd", "n_layer", "n_head", "n_inner", "n_positions", "n_ctx",
    "layer_norm_epsilon", "activation_function", "attn_pdrop", "embd_pdrop",
    "resid_pdrop", "summary_activation", "summary_first_dropout",
    "summary_proj_to_labels", "summary_type", "summary_use_proj",
    "task_specific_params", "reorder_and_upcast_attn", "gradient_checkpointing",
    "add_cross_attention", "output_past",
};

static const struct fixed_key fixed[] = {
    {"pretraining_tp", "1"},        {"partial_rotary_factor", "1"},
    {"rope_interleaved", "false"},  {"quantization_config", NULL},
    {"auto_map", NULL},             {"attn_logit_softcapping", NULL},
    {"final_logit_softcapping", NULL},
    {"use_bidirectional_attention", "false"},
    {"scale_attn_weights", "true"},
    {"scale_attn_by_inverse_layer_idx", "false"},
};

static bool is_empty(const char *value)
{
    return !strcmp(value, "false") || !strcmp(value, "[]") ||
           !strcmp(value, "{}");
}

bool config_fixed(const json *j, const struct fixed_key *fixed_keys, size_t n,
                  bool empty, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        const json *v = json_get(j, fixed_keys[i].key);
        const char *want = fixed_keys[i].value;
        if (!v || json_is_null(v))
            continue;
        struct buf b = BUF_INIT(4096);
        json_print(&b, v);
        bool ok = (want && !strcmp(buf_str(&b), want)) ||
                  (empty && is_empty(buf_str(&b)));
        if (!ok)
            err_set(e, ERR_REFUSED, _("%s is %.80s, which is not supported"),
                    fixed_keys[i].key, buf_str(&b));
        buf_free(&b);
        if (!ok)
            return false;
    }
    return true;
}

/* What a field has to be where it is there and not null. */
enum field { NUMBER, WHOLE, TRUTH, WORD, OBJECT, LIST, FIELDS };

static const struct {
    const char *key;
    enum field is;
} fields[] = {
    {"rms_norm_eps", NUMBER},       {"layer_norm_epsilon", NUMBER},
    {"rope_theta", NUMBER},         {"rope_local_base_freq", NUMBER},
    {"query_pre_attn_scalar", NUMBER},
    {"sliding_window", WHOLE},      {"sliding_window_pattern", WHOLE},
    {"_sliding_window_pattern", WHOLE},
    {"attention_bias", TRUTH},      {"mlp_bias", TRUTH},
    {"tie_word_embeddings", TRUTH}, {"use_sliding_window", TRUTH},
    {"hidden_act", WORD},           {"hidden_activation", WORD},
    {"activation_function", WORD},  {"rope_scaling", OBJECT},
    {"rope_parameters", OBJECT},    {"layer_types", LIST},
};

static const struct {
    const char *key;
    enum field is;
} rope_fields[] = {
    {"rope_type", WORD}, {"type", WORD}, {"rope_theta", NUMBER},
    {"factor", NUMBER}, {"low_freq_factor", NUMBER},
    {"high_freq_factor", NUMBER}, {"original_max_position_embeddings", NUMBER},
    {"partial_rotary_factor", NUMBER},
};

static bool field_is(const json *v, enum field is)
{
    double n = json_number(v, NAN);
    switch (is) {
    case NUMBER: return isfinite(n);
    case WHOLE: return n >= 1 && n < 1e9 && n <= floor(n);
    case TRUTH: return json_is_bool(v);
    case WORD: return json_string(v) != NULL;
    case OBJECT: return json_is_object(v);
    case LIST:
    case FIELDS: break;
    }
    return json_is_array(v);
}

static bool check_field(const json *j, const char *key, enum field is,
                        struct err *e)
{
    static const char *const names[FIELDS] = {
        [NUMBER] = N_("a number"), [WHOLE] = N_("a whole number from 1 on"),
        [TRUTH] = N_("true or false"), [WORD] = N_("a text"),
        [OBJECT] = N_("an object"), [LIST] = N_("a list")};
    const json *v = json_get(j, key);
    return !v || json_is_null(v) || field_is(v, is) ||
           err_set(e, ERR_INPUT, _("%s is not %s"), key, _(names[is]));
}

static bool check_fields(const json *j, struct err *e)
{
    for (size_t i = 0; i < COUNT(fields); i++)
        if (!check_field(j, fields[i].key, fields[i].is, e))
            return false;
    return true;
}

static bool find_family(const json *j, struct config *c, struct err *e)
{
    const char *type = json_get_string(j, "model_type", "");
    const json *a = json_first(json_get(j, "architectures"));
    const char *name = a ? json_string(a) : NULL;
    for (size_t i = 0; i < COUNT(families); i++)
        if (!strcmp(families[i].type, type))
            c->family = &families[i];
    if (!c->family)
        return err_set(e, ERR_REFUSED, _("model_type is \"%.60s\"; llama, "
                                         "mistral, qwen2, qwen3, gemma3_text "
                                         "and gpt2 are supported"), type);
    if (name && strcmp(name, c->family->architecture))
        return err_set(e, ERR_REFUSED, _("the architecture is \"%.60s\"; only "
                                         "%s is supported"), name,
                       c->family->architecture);
    return true;
}

static void name_unknown(const json *j, struct config *c)
{
    for (const json *v = json_first(j); v; v = json_next(v)) {
        bool seen = false;
        for (size_t i = 0; i < COUNT(known) && !seen; i++)
            seen = !strcmp(json_key(v), known[i]);
        for (size_t i = 0; i < COUNT(fixed) && !seen; i++)
            seen = !strcmp(json_key(v), fixed[i].key);
        size_t n = strlen(c->unknown);
        if (!seen)
            snprintf(c->unknown + n, sizeof c->unknown - n, "%s%.60s",
                     n ? ", " : "", json_key(v));
    }
}

static bool present(const json *j, const char *key)
{
    const json *v = json_get(j, key);
    return v && !json_is_null(v);
}

/* A whole number member from 1 on; `otherwise` where absent or null (0: it
 * must be there). */
static bool get_size(const json *j, const char *key, int otherwise, int *out,
                     struct err *e)
{
    if (!present(j, key) && otherwise > 0) {
        *out = otherwise;
        return true;
    }
    int64_t n = json_get_int(j, key, -1);
    if (n < 1 || n > 1 << 24)
        return err_set(e, ERR_INPUT, _("%s is missing or not a whole number "
                                       "from 1 to %d"), key, 1 << 24);
    *out = (int)n;
    return true;
}

/* The first id where the value is a list. */
static int get_id(const json *j, const char *key)
{
    const json *v = json_get(j, key);
    if (json_is_array(v))
        v = json_first(v);
    double id = json_number(v, -1);
    return id >= 0 && id < 1 << 24 && id == floor(id) ? (int)id : -1;
}

/* ---- The rotary embedding ----------------------------------------------- */

/* What a rope_scaling (v4) or rope_parameters (v5) says. */
static bool read_rope(const json *p, struct rope *r, struct err *e)
{
    for (size_t i = 0; i < COUNT(rope_fields); i++)
        if (!check_field(p, rope_fields[i].key, rope_fields[i].is, e))
            return false;
    if (present(p, "factor") && !present(p, "rope_type") && !present(p, "type"))
        return err_set(e, ERR_INPUT, _("a scaling of the rotary embedding does "
                                       "not say its rope_type"));
    const char *type = json_get_string(p, "rope_type",
                                       json_get_string(p, "type", "default"));
    r->theta = json_get_number(p, "rope_theta", r->theta);
    r->factor = json_get_number(p, "factor", 1);
    r->low = json_get_number(p, "low_freq_factor", 1);
    r->high = json_get_number(p, "high_freq_factor", 4);
    r->original = json_get_number(p, "original_max_position_embeddings", 0);
    double part = json_get_number(p, "partial_rotary_factor", 1);
    if (!strcmp(type, "default"))
        r->kind = ROPE_PLAIN;
    else if (!strcmp(type, "linear"))
        r->kind = ROPE_LINEAR;
    else if (!strcmp(type, "llama3"))
        r->kind = ROPE_LLAMA3;
    else
        return err_set(e, ERR_REFUSED, _("rope_type is \"%.40s\", which is "
                                         "not supported"), type);
    bool sane = r->factor > 1e-3 && r->factor < 1e6 && part >= 1 && part <= 1 &&
                (r->kind != ROPE_LLAMA3 ||
                 (r->original > 0 && r->high > r->low && r->low > 0));
    return sane || err_set(e, ERR_INPUT, _("rope_parameters has numbers that "
                                           "cannot be"));
}

static bool same(const json *a, const json *b)
{
    struct buf x = BUF_INIT(0), y = BUF_INIT(0);
    json_print(&x, a);
    json_print(&y, b);
    bool equal = !strcmp(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return equal;
}

static bool read_ropes(const json *j, struct config *c, struct err *e)
{
    const json *p = json_get(j, "rope_parameters");
    const json *scaling = json_get(j, "rope_scaling");
    const json *full = json_get(p, "full_attention");
    const json *local = json_get(p, "sliding_attention");
    double theta = c->family->gemma ? 1e6 : 1e4;
    c->rope.theta = json_get_number(j, "rope_theta", theta);
    c->rope_local = (struct rope){
        .theta = json_get_number(j, "rope_local_base_freq", 1e4)};
    if (json_is_object(p) && json_is_object(scaling) && !same(p, scaling))
        return err_set(e, ERR_REFUSED, _("rope_scaling and rope_parameters say "
                                         "different things"));
    if (json_is_object(full))
        return read_rope(full, &c->rope, e) &&
               (!json_is_object(local) ||
                read_rope(local, &c->rope_local, e));
    if (json_is_object(p))
        return read_rope(p, &c->rope, e);
    return !json_is_object(scaling) || read_rope(scaling, &c->rope, e);
}

/* Only Gemma turns the layers with a window by angles of their own. */
static bool check_rope(const json *j, struct config *c, struct err *e)
{
    if (!read_ropes(j, c, e))
        return false;
    if (!c->family->gemma)
        c->rope_local = c->rope;
    return true;
}

/* Llama 3.1's: long waves are stretched, short ones kept, those between are
 * mixed (transformers, modeling_rope_utils). */
static double llama3_inverse(const struct rope *r, double inverse)
{
    double wave = 2 * 3.14159265358979323846 / inverse;
    if (wave < r->original / r->high)
        return inverse;
    if (wave > r->original / r->low)
        return inverse / r->factor;
    double s = (r->original / wave - r->low) / (r->high - r->low);
    return (1 - s) * inverse / r->factor + s * inverse;
}

void config_rope(const struct config *c, bool local, float *inverse)
{
    const struct rope *r = local ? &c->rope_local : &c->rope;
    for (int i = 0; i < c->head_dim / 2; i++) {
        double v = (double)(float)(1 / pow(r->theta, 2.0 * i / c->head_dim));
        v = r->kind == ROPE_LINEAR   ? v / r->factor
            : r->kind == ROPE_LLAMA3 ? llama3_inverse(r, v)
                                     : v;
        inverse[i] = (float)v;
    }
}

/* ---- Windows ------------------------------------------------------------ */

static void windows_by_rule(const json *j, struct config *c)
{
    int64_t from = json_get_int(j, "max_window_layers", 28);
    int64_t every = json_get_int(j, "_sliding_window_pattern",
                                 json_get_int(j, "sliding_window_pattern",
                                              6));
    for (int i = 0; i < c->layers; i++)
        c->local[i] =
            c->family->windows == WINDOWS_ALL    ? 1
            : c->family->windows == WINDOWS_QWEN ? i >= from
                                                 : every > 0 &&
                                                       (i + 1) % every != 0;
}

static bool read_windows(const json *j, struct config *c, struct err *e)
{
    const json *types = json_get(j, "layer_types");
    bool qwen = c->family->windows == WINDOWS_QWEN;
    if (c->family->windows == WINDOWS_NO || c->layers > MOST_LAYERS)
        return true;
    int64_t window = json_get_int(j, "sliding_window",
                                  c->family->gemma ? 4096 : 0);
    c->window = (int)(window > c->context ? c->context : window);
    bool none = c->window < 1 ||
                (qwen && !json_get_bool(j, "use_sliding_window", false) &&
                 !json_is_array(types));
    if (none) {
        c->window = 0;
        return true;
    }
    if (!json_is_array(types)) {
        windows_by_rule(j, c);
        return true;
    }
    int i = 0;
    for (const json *t = json_first(types); t; t = json_next(t), i++) {
        const char *name = json_string(t) ? json_string(t) : "";
        bool slides = !strcmp(name, "sliding_attention");
        if (i >= c->layers || (!slides && strcmp(name, "full_attention")))
            return err_set(e, ERR_REFUSED, _("layer_types has \"%.40s\", or "
                                             "too many"), name);
        c->local[i] = slides;
    }
    return i == c->layers ||
           err_set(e, ERR_INPUT, _("layer_types names %d layers of %d"), i,
                   c->layers);
}

/* ---- The whole ---------------------------------------------------------- */

double config_parameters(const struct config *c)
{
    double layer = 2.0 * config_q(c) + 2.0 * config_kv(c) +
                   (c->gated ? 3.0 : 2.0) * c->ffn + 2;
    return (double)c->hidden * ((double)c->vocab * (c->tied ? 1 : 2) +
                                (c->positions ? c->context : 0) +
                                c->layers * layer + 1);
}

bool config_check(const struct config *c, struct err *e)
{
    if (c->heads % c->kv_heads)
        return err_set(e, ERR_INPUT,
                       _("num_attention_heads (%d) is not a multiple of "
                         "num_key_value_heads (%d)"), c->heads, c->kv_heads);
    if (c->head_dim % 2 || c->head_dim > 1024)
        return err_set(e, ERR_INPUT, _("head_dim is %d; it must be even and "
                                       "at most 1024"), c->head_dim);
    if (!(c->eps > 0 && c->eps < 1))
        return err_set(e, ERR_INPUT, _("rms_norm_eps is not between 0 and 1"));
    if (!(c->rope.theta >= 1 && c->rope.theta < 1e12 &&
          c->rope_local.theta >= 1 && c->rope_local.theta < 1e12))
        return err_set(e, ERR_INPUT, _("rope_theta is not between 1 and 1e12"));
    if (c->hidden > 1 << 16 || c->ffn > 1 << 18 || c->layers > MOST_LAYERS ||
        c->heads > 4096 || c->heads * c->head_dim > 1 << 17 ||
        c->vocab > 1 << 20 || c->context > 1 << 20)
        return err_set(e, ERR_INPUT, _("a size in the configuration is larger "
                                       "than this program trains"));
    double n = config_parameters(c);
    if (n > 4e9)
        return err_set(e, ERR_INPUT, _("the model has %.0f million "
                                       "parameters; 4,000 is the limit"),
                       n / 1e6);
    return true;
}

static bool read_activation(const json *j, struct config *c, struct err *e)
{
    const char *key = c->family->gemma  ? "hidden_activation"
                      : c->family->gpt2 ? "activation_function"
                                        : "hidden_act";
    const char *name = json_get_string(
        j, key, c->family->gemma || c->family->gpt2 ? "gelu_new" : "silu");
    if (!strcmp(name, "silu") && c->gated)
        c->act = ACT_SILU;
    else if (!strcmp(name, "gelu_new") || !strcmp(name, "gelu_pytorch_tanh"))
        c->act = ACT_GELU_TANH;
    else if (!strcmp(name, "gelu"))
        c->act = ACT_GELU_ERF;
    else
        return err_set(e, ERR_REFUSED, _("%s is %.80s, which is not supported"),
                       key, name);
    return true;
}

static bool has_bias(enum bias b, bool field)
{
    return b == BIAS_YES || (b == BIAS_FIELD && field);
}

/* What the family makes of the file, behind the sizes. */
static bool read_shape(const json *j, struct config *c, struct err *e)
{
    const struct family *f = c->family;
    bool bias = json_get_bool(j, "attention_bias", false);
    c->gated = !f->gpt2;
    c->qkv_bias = has_bias(f->qkv, bias);
    c->o_bias = has_bias(f->o, bias);
    c->mlp_bias = f->gpt2 || (f->mlp_bias && json_get_bool(j, "mlp_bias",
                                                           false));
    c->layer_norm = c->positions = c->transposed = f->gpt2;
    c->qk_norm = f->qk_norm;
    c->sandwich = f->gemma;
    c->norm_plus = f->gemma;
    c->embed_scale = f->gemma ? sqrt((double)c->hidden) : 1;
    if (f->gemma) {
        double by = json_get_number(j, "query_pre_attn_scalar", 256);
        if (!(by > 1e-3 && by < 1e9))
            return err_set(e, ERR_INPUT, _("query_pre_attn_scalar is not above "
                                           "0"));
        c->attention_scale = 1 / sqrt(by);
    }
    c->tied = json_get_bool(j, "tie_word_embeddings", f->tied);
    return read_activation(j, c, e) && read_windows(j, c, e);
}

static bool read_gpt2_sizes(const json *j, struct config *c, struct err *e)
{
    c->eps = json_get_number(j, "layer_norm_epsilon", 1e-5);
    if (!get_size(j, "n_embd", 768, &c->hidden, e) ||
        !get_size(j, "n_inner", 4 * c->hidden, &c->ffn, e) ||
        !get_size(j, "n_layer", 12, &c->layers, e) ||
        !get_size(j, "n_head", 12, &c->heads, e) ||
        !get_size(j, "vocab_size", 50257, &c->vocab, e) ||
        !get_size(j, "n_positions", 1024, &c->context, e))
        return false;
    c->kv_heads = c->heads;
    c->head_dim = c->hidden / c->heads;
    return c->head_dim * c->heads == c->hidden ||
           err_set(e, ERR_INPUT, _("n_embd is not a multiple of n_head"));
}

static bool read_sizes(const json *j, struct config *c, struct err *e)
{
    const struct family *f = c->family;
    if (f->gpt2)
        return read_gpt2_sizes(j, c, e);
    if (!get_size(j, "hidden_size", 0, &c->hidden, e) ||
        !get_size(j, "intermediate_size", 0, &c->ffn, e) ||
        !get_size(j, "num_hidden_layers", 0, &c->layers, e) ||
        !get_size(j, "num_attention_heads", 0, &c->heads, e) ||
        !get_size(j, "num_key_value_heads",
                  f->kv_heads ? f->kv_heads : c->heads, &c->kv_heads, e) ||
        !get_size(j, "vocab_size", 0, &c->vocab, e) ||
        !get_size(j, "max_position_embeddings", 2048, &c->context, e))
        return false;
    int d = f->head_dim ? f->head_dim : c->hidden / c->heads;
    return get_size(j, "head_dim", d > 0 ? d : 1, &c->head_dim, e);
}

static bool read_config(const json *j, struct config *c, struct err *e)
{
    *c = (struct config){.bos = get_id(j, "bos_token_id"),
                         .eos = get_id(j, "eos_token_id"),
                         .eps = json_get_number(j, "rms_norm_eps", 1e-6)};
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("not an object"));
    if (!find_family(j, c, e) || !check_fields(j, e) ||
        !config_fixed(j, fixed, COUNT(fixed), false, e) ||
        !check_rope(j, c, e) || !read_sizes(j, c, e) || !read_shape(j, c, e))
        return false;
    name_unknown(j, c);
    return config_check(c, e);
}

void config_plain(struct config *c, double theta)
{
    c->family = &families[0];
    c->gated = true;
    c->embed_scale = 1;
    c->rope = c->rope_local = (struct rope){.theta = theta};
}

bool config_read(const char *text, size_t n, struct config *c, struct err *e)
{
    json *j = json_parse(text, n, e);
    bool ok = j && read_config(j, c, e);
    json_free(j);
    return ok;
}

bool config_load(const char *dir, struct config *c, char **text,
                 struct err *e)
{
    char *path = path_join(dir, "config.json");
    struct buf b = BUF_INIT((size_t)4 << 20);
    bool ok = file_read(path, (size_t)4 << 20, &b, e);
    if (ok) {
        ok = config_read(buf_str(&b), b.len, c, e);
        if (!ok)
            err_in(e, "%s", path);
    }
    if (ok && text)
        *text = buf_take(&b);
    buf_free(&b);
    free(path);
    return ok;
}

static const char *type_name(bool bf16)
{
    return bf16 ? "bfloat16" : "float32";
}

/* The text with its "dtype" and "torch_dtype" saying what is written. */
static void put_type(const char *text, bool bf16, struct buf *b)
{
    static const char *const types[] = {"\"float32\"", "\"float16\"",
                                        "\"bfloat16\""};
    for (const char *at; (at = strstr(text, "dtype\"")); text = at) {
        at += 6;
        at += strspn(at, ": \t\r\n");
        buf_add(b, text, (size_t)(at - text));
        for (size_t i = 0; i < COUNT(types); i++)
            if (!strncmp(at, types[i], strlen(types[i]))) {
                buf_printf(b, "\"%s\"", type_name(bf16));
                at += strlen(types[i]);
                break;
            }
    }
    buf_puts(b, text);
}

static void print_config(const struct config *c, bool bf16, struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_key(&w, "architectures");
    jw_raw(&w, "[\"LlamaForCausalLM\"]");
    jw_kstr(&w, "model_type", "llama");
    jw_kint(&w, "hidden_size", c->hidden);
    jw_kint(&w, "intermediate_size", c->ffn);
    jw_kint(&w, "num_hidden_layers", c->layers);
    jw_kint(&w, "num_attention_heads", c->heads);
    jw_kint(&w, "num_key_value_heads", c->kv_heads);
    jw_kint(&w, "head_dim", c->head_dim);
    jw_kint(&w, "vocab_size", c->vocab);
    jw_kint(&w, "max_position_embeddings", c->context);
    jw_knum(&w, "rms_norm_eps", c->eps);
    jw_knum(&w, "rope_theta", c->rope.theta);
    jw_kstr(&w, "hidden_act", "silu");
    jw_kbool(&w, "tie_word_embeddings", c->tied);
    jw_kbool(&w, "attention_bias", false);
    jw_kbool(&w, "mlp_bias", false);
    if (c->bos >= 0)
        jw_kint(&w, "bos_token_id", c->bos);
    if (c->eos >= 0)
        jw_kint(&w, "eos_token_id", c->eos);
    jw_kstr(&w, "torch_dtype", type_name(bf16));
    jw_close(&w);
    buf_putc(b, '\n');
}

bool config_save(const char *dir, const struct config *c, const char *text,
                 bool bf16, struct err *e)
{
    char *path = path_join(dir, "config.json");
    struct buf b = BUF_INIT(0);
    if (text)
        put_type(text, bf16, &b);
    else
        print_config(c, bf16, &b);
    bool ok = file_replace(path, buf_str(&b), b.len, 0644, true, e);
    buf_free(&b);
    free(path);
    return ok;
}
