/* config.json of a model, by family: Llama (1 to 3, SmolLM2, TinyLlama),
 * Mistral, Qwen2, Qwen3, Gemma 3 text and GPT-2. One table says what sets a
 * family apart (llama_config.c); the engine reads the shape below, never the
 * family's name. A value that cannot be honoured is refused by name; keys that
 * nobody knows are told. (The file is not called config.h, which is
 * autoconf's.)
 */
#ifndef MODEL_NET_LLAMA_CONFIG_H
#define MODEL_NET_LLAMA_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "model/net/ops.h"

#define MOST_LAYERS 1024

struct family;

/* How the angles of the rotary embedding are stretched. */
enum rope_kind { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3 };
struct rope {
    enum rope_kind kind;
    double theta, factor;
    double low, high, original; /* of llama3 */
};

struct config {
    int hidden, ffn, layers, heads, kv_heads, head_dim, vocab;
    int context;      /* max_position_embeddings */
    double eps;       /* of the norms */
    bool tied;        /* the head is the embedding */
    int bos, eos;     /* token ids, -1: none */
    const struct family *family;
    /* what the family and the file make of it */
    bool qkv_bias, o_bias, mlp_bias;
    bool layer_norm;  /* LayerNorm with a bias; else RMSNorm */
    bool qk_norm;     /* each head of q and k is normed before it is turned */
    bool sandwich;    /* norms behind both sublayers too, before adding */
    bool gated;       /* act(gate) up; else act(up) alone */
    bool positions;   /* learned positions; else the rotary embedding */
    bool transposed;  /* matrices stand as [in, out] in the file */
    enum activation act;
    double norm_plus; /* added to RMSNorm's gains: 1 in Gemma */
    double embed_scale, attention_scale; /* the latter 0: 1/sqrt(head_dim) */
    struct rope rope, rope_local; /* the latter of layers with a window */
    int window;       /* keys that such a layer sees */
    uint8_t local[MOST_LAYERS]; /* which layers have it */
    char unknown[200]; /* keys that nobody here knows, "a, b" */
};

/* A key that must be absent, null, or this value (as canonical JSON; NULL: no
 * other). */
struct fixed_key {
    const char *key, *value;
};
/* Refuses by name the first key of n that is something else. With `empty`,
 * false, [] and {} count as absent. */
bool config_fixed(const json *j, const struct fixed_key *fixed_keys, size_t n,
                  bool empty, struct err *e);

/* Widths of the query and of the key/value rows. */
static inline int config_q(const struct config *c)
{
    return c->heads * c->head_dim;
}
static inline int config_kv(const struct config *c)
{
    return c->kv_heads * c->head_dim;
}
/* The width of what the activation reads. */
static inline int config_up(const struct config *c)
{
    return c->gated ? 2 * c->ffn : c->ffn;
}

/* How many parameters a model of that shape has (norms and biases apart). */
double config_parameters(const struct config *c);

/* The names of its tensors in files: of the model and of a layer. NULL: the
 * family has none. */
enum tensor {
    TENSOR_EMBED, TENSOR_POSITIONS, TENSOR_NORM, TENSOR_HEAD,
    TENSOR_NORM1, TENSOR_Q, TENSOR_K, TENSOR_V, TENSOR_QKV, TENSOR_Q_NORM,
    TENSOR_K_NORM, TENSOR_O, TENSOR_POST1, TENSOR_NORM2, TENSOR_GATE,
    TENSOR_UP, TENSOR_DOWN, TENSOR_POST2, TENSOR_COUNT
};
const char *config_tensor(const struct config *c, enum tensor t);

/* Fills a plain Llama's shape in behind the sizes, for `new`. */
void config_plain(struct config *c, double theta);

/* The head_dim / 2 inverse frequencies of a rotary embedding. */
void config_rope(const struct config *c, bool local, float *inverse);

/* Every number within its limits and in agreement with the others. */
bool config_check(const struct config *c, struct err *e);

/* What the n bytes of a config.json say. */
bool config_read(const char *text, size_t n, struct config *c, struct err *e);

/* Reads DIR/config.json; with `text` its bytes too, which the caller frees. */
bool config_load(const char *dir, struct config *c, char **text,
                 struct err *e);

/* Replaces DIR/config.json: by `text` where it is not NULL, with the type of
 * the weights put right, else by one that transformers reads the same (of a
 * plain Llama). */
bool config_save(const char *dir, const struct config *c, const char *text,
                 bool bf16, struct err *e);

#endif
