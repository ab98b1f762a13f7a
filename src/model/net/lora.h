/* LoRA (Hu et al. 2021): beside each chosen matrix W a pair A [rank, in],
 * B [out, rank]; the product is x W^T + scale (x A^T) B^T with scale
 * alpha / rank, or alpha / sqrt(rank) (rsLoRA, Kalajdzievski 2023). The pairs,
 * together the adapter, are then all that is trained.
 */
#ifndef MODEL_NET_LORA_H
#define MODEL_NET_LORA_H

#include "model/net/llama.h"
#include "model/net/pool.h"

enum { LORA_RANK = 256 }; /* at most */

struct lora {
    int rank;
    double alpha;
    bool root;    /* rsLoRA */
    int targets;  /* bits: 1 << enum module */
};

/* "all-linear", or modules by name: "q_proj,v_proj", "c_attn,c_fc". */
bool lora_targets(const char *names, int *targets, struct err *e);

/* Adds an adapter to a model that has none: A uniform within 1/sqrt(in), B
 * zero, so that nothing changes yet. The model's own weights are frozen. */
bool lora_add(struct llama *m, const struct lora *l, uint64_t seed,
              struct err *e);

/* The pair that stands beside the model's own weight number i; NULL where it
 * has none. */
const struct module_at *lora_beside(const struct llama *m, size_t i);

/* y[T, ld] += scale (x A^T) B^T in the columns of each of the n pairs; each
 * worker of the team has its rows and waits for nobody. */
void lora_forward(const struct team *t, const struct llama *m,
                  const struct module_at *p, int n, real *y, int ld,
                  const real *x, int T);

/* The dropout of what the adapter reads; p 0: none. See drop of ops.h. */
struct lora_drop {
    double p;
    uint64_t key;
    int64_t first;
    const int32_t *row;
};

/* to = x [T, width] with that dropout, for this worker's rows. */
void lora_dropped(const struct team *t, const struct lora_drop *d, real *to,
                  const real *x, int T, int width);

/* What the backward pass of an adapter works with. */
struct lora_back {
    real *grad; /* of what is trained, by offset less m->first */
    real *low;  /* room for two matrices [T, rank] */
    real *dx;   /* room for [T, in], where there is a dropout */
    struct lora_drop drop;
};

/* From dy[T, ld]: dx[T, in] += its gradient; grad += that of A and B. x is
 * what the adapter reads. dx is there for this worker's rows alone. */
void lora_backward(const struct team *t, const struct llama *m,
                   const struct module_at *p, int n, real *dx,
                   const struct lora_back *b, const real *dy, int ld,
                   const real *x, int T);

/* w[rows, cols] of weight i += scale B A of the pair beside it, if there is
 * one. */
void lora_onto(const struct llama *m, size_t i, real *w);

/* Writes the adapter as PEFT loads it onto the folder `base`, saying that it
 * was trained with that dropout: DIR/adapter_config.json and
 * DIR/adapter_model.safetensors. */
bool lora_save(const struct llama *m, const char *dir, const char *base,
               double dropout, struct err *e);

#endif
