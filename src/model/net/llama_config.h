/* config.json of the Llama architecture. What is read, what must have one
 * value, and what does not matter stand in three lists; a value that we
 * cannot honour is refused by name. (The file is not called config.h, which
 * is autoconf's.)
 */
#ifndef MODEL_NET_LLAMA_CONFIG_H
#define MODEL_NET_LLAMA_CONFIG_H

#include <stdbool.h>

#include "base/err.h"

struct config {
    int hidden, ffn, layers, heads, kv_heads, head_dim, vocab;
    int context;      /* max_position_embeddings */
    double eps;       /* of the norms */
    double theta;     /* of the rotary embedding */
    bool tied;        /* the head is the embedding */
    int bos, eos;     /* token ids, -1: none */
    char unknown[200]; /* keys that nobody here knows, "a, b" */
};

/* Widths of the query and of the key/value rows. */
static inline int config_q(const struct config *c)
{
    return c->heads * c->head_dim;
}
static inline int config_kv(const struct config *c)
{
    return c->kv_heads * c->head_dim;
}

/* How many parameters a model of that shape has. */
double config_parameters(const struct config *c);

/* Every number within its limits and in agreement with the others. */
bool config_check(const struct config *c, struct err *e);

/* Reads DIR/config.json. */
bool config_load(const char *dir, struct config *c, struct err *e);

/* Replaces DIR/config.json by one that transformers reads the same. */
bool config_save(const char *dir, const struct config *c, struct err *e);

#endif
