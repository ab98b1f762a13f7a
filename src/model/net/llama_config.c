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

/* Keys that are read below, and keys without meaning for the arithmetic. */
static const char *const known[] = {
    "hidden_size", "intermediate_size", "num_hidden_layers",
    "num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size",
    "max_position_embeddings", "rms_norm_eps", "rope_theta",
    "rope_parameters", "tie_word_embeddings", "bos_token_id", "eos_token_id",
    "architectures", "model_type", "torch_dtype", "dtype", "use_cache",
    "initializer_range", "transformers_version", "pad_token_id",
    "attention_dropout", "_name_or_path", "is_llama_config",
    "transformers.js_config", "unk_token_id",
};

/* Keys that must be absent, null, or this. */
static const struct {
    const char *key, *value; /* as canonical JSON; NULL: absent or null */
} fixed[] = {
    {"hidden_act", "\"silu\""},    {"attention_bias", "false"},
    {"mlp_bias", "false"},         {"rope_scaling", NULL},
    {"pretraining_tp", "1"},       {"partial_rotary_factor", "1"},
    {"rope_interleaved", "false"}, {"quantization_config", NULL},
    {"auto_map", NULL},            {"sliding_window", NULL},
};

static bool check_fixed(const json *j, struct err *e)
{
    for (size_t i = 0; i < COUNT(fixed); i++) {
        const json *v = json_get(j, fixed[i].key);
        if (!v || json_is_null(v))
            continue;
        struct buf b = BUF_INIT(4096);
        json_print(&b, v);
        bool same = fixed[i].value && !strcmp(buf_str(&b), fixed[i].value);
        if (!same)
            err_set(e, ERR_REFUSED, _("%s is %.80s, which is not supported"),
                    fixed[i].key, buf_str(&b));
        buf_free(&b);
        if (!same)
            return false;
    }
    return true;
}

static bool check_kind(const json *j, struct err *e)
{
    const char *type = json_get_string(j, "model_type", "");
    const json *a = json_first(json_get(j, "architectures"));
    const char *name = a ? json_string(a) : "LlamaForCausalLM";
    if (strcmp(type, "llama"))
        return err_set(e, ERR_REFUSED, _("model_type is \"%.60s\"; only "
                                         "\"llama\" is supported"), type);
    if (!name || strcmp(name, "LlamaForCausalLM"))
        return err_set(e, ERR_REFUSED, _("the architecture is \"%.60s\"; only "
                                         "LlamaForCausalLM is supported"),
                       name ? name : "");
    return true;
}

static bool check_rope(const json *j, struct config *c, struct err *e)
{
    const json *p = json_get(j, "rope_parameters");
    if (!json_is_object(p))
        return true;
    const char *type = json_get_string(p, "rope_type", "default");
    if (strcmp(type, "default"))
        return err_set(e, ERR_REFUSED, _("rope_type is \"%.40s\", which is "
                                         "not supported"), type);
    c->theta = json_get_number(p, "rope_theta", c->theta);
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

/* A whole number member from 1 on; `otherwise` where absent or null (0: it
 * must be there). */
static bool get_size(const json *j, const char *key, int otherwise, int *out,
                     struct err *e)
{
    const json *v = json_get(j, key);
    if ((!v || json_is_null(v)) && otherwise > 0) {
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

double config_parameters(const struct config *c)
{
    double layer = 2.0 * config_q(c) + 2.0 * config_kv(c) + 3.0 * c->ffn + 2;
    return (double)c->hidden * ((double)c->vocab * (c->tied ? 1 : 2) +
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
    if (!(c->theta >= 1 && c->theta < 1e12))
        return err_set(e, ERR_INPUT, _("rope_theta is not between 1 and 1e12"));
    if (c->hidden > 1 << 16 || c->ffn > 1 << 18 || c->layers > 1024 ||
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

static bool read_config(const json *j, struct config *c, struct err *e)
{
    *c = (struct config){.bos = get_id(j, "bos_token_id"),
                         .eos = get_id(j, "eos_token_id"),
                         .eps = json_get_number(j, "rms_norm_eps", 1e-6),
                         .theta = json_get_number(j, "rope_theta", 1e4),
                         .tied = json_get_bool(j, "tie_word_embeddings",
                                               false)};
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("not an object"));
    if (!check_kind(j, e) || !check_fixed(j, e) || !check_rope(j, c, e) ||
        !get_size(j, "hidden_size", 0, &c->hidden, e) ||
        !get_size(j, "intermediate_size", 0, &c->ffn, e) ||
        !get_size(j, "num_hidden_layers", 0, &c->layers, e) ||
        !get_size(j, "num_attention_heads", 0, &c->heads, e) ||
        !get_size(j, "num_key_value_heads", c->heads, &c->kv_heads, e) ||
        !get_size(j, "vocab_size", 0, &c->vocab, e) ||
        !get_size(j, "max_position_embeddings", 2048, &c->context, e))
        return false;
    int d = c->hidden / c->heads;
    if (!get_size(j, "head_dim", d > 0 ? d : 1, &c->head_dim, e))
        return false;
    name_unknown(j, c);
    return config_check(c, e);
}

bool config_load(const char *dir, struct config *c, struct err *e)
{
    char *path = path_join(dir, "config.json");
    json *j = json_load(path, (size_t)4 << 20, e);
    bool ok = j && (read_config(j, c, e) || err_in(e, "%s", path));
    json_free(j);
    free(path);
    return ok;
}

static void print_config(const struct config *c, struct buf *b)
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
    jw_knum(&w, "rope_theta", c->theta);
    jw_kstr(&w, "hidden_act", "silu");
    jw_kbool(&w, "tie_word_embeddings", c->tied);
    jw_kbool(&w, "attention_bias", false);
    jw_kbool(&w, "mlp_bias", false);
    if (c->bos >= 0)
        jw_kint(&w, "bos_token_id", c->bos);
    if (c->eos >= 0)
        jw_kint(&w, "eos_token_id", c->eos);
    jw_kstr(&w, "torch_dtype", "float32");
    jw_close(&w);
    buf_putc(b, '\n');
}

bool config_save(const char *dir, const struct config *c, struct err *e)
{
    char *path = path_join(dir, "config.json");
    struct buf b = BUF_INIT(0);
    print_config(c, &b);
    bool ok = file_replace(path, buf_str(&b), b.len, 0644, true, e);
    buf_free(&b);
    free(path);
    return ok;
}
