/* A model: its parameters, the forward and the backward pass over packed
 * sequences, and its folder on disk. Named for the architecture that the
 * families are variations of (llama_config.h).
 *
 * Parameters stand in one array in the order of the layout, so that q|k|v
 * and gate|up are each one matrix: two products fewer a layer. Pairs of LoRA
 * stand in one of their own, with offsets that go on behind the others.
 */
#ifndef MODEL_NET_LLAMA_H
#define MODEL_NET_LLAMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/net/llama_config.h"
#include "model/net/pool.h"
#include "model/net/real.h"

/* One named matrix [rows, cols]; cols 0: a vector (the norms' gains). */
struct weight {
    char name[80];
    size_t offset, rows, cols;
    bool transposed; /* in files: [cols, rows] */
};

/* Modules that LoRA may adapt (lora.h). A fused q|k|v of the file's is
 * MODULE_Q. */
enum module {
    MODULE_Q, MODULE_K, MODULE_V, MODULE_O, MODULE_GATE, MODULE_UP,
    MODULE_DOWN, MODULES
};
struct module_at {
    size_t a, b;       /* offsets; 0: there is none */
    int from, in, out; /* its columns in the fused product; its sizes */
};

struct layer_at { /* offsets of one layer's matrices; 0: it has none */
    size_t norm1, qkv, o, norm2, gate_up, down;
    size_t norm1_b, qkv_b, o_b, norm2_b, gate_up_b, down_b; /* biases */
    size_t q_norm, k_norm, post1, post2;
    struct module_at module[MODULES];
};

struct llama {
    struct config config;
    struct weight *weight; /* in file and array order */
    size_t n_weights;
    size_t n_own; /* without the adapter's */
    size_t n;     /* parameters, the adapter's included */
    size_t first; /* those from here on are trained: 0, or the adapter */
    int rank;     /* of the adapter; 0: there is none */
    double alpha;
    bool root;    /* rsLoRA */
    size_t embed, position, norm, norm_b, head;
    bool bf16;              /* files are written in bfloat16, as they came */
    char *text;             /* config.json as it was read; NULL: a new model */
    struct layer_at *layer; /* [layers] */
    uint16_t *w16;          /* its own matrices, which then stand here alone
                               (llama_lean); or NULL */
    real *w;                /* its own, [first], or [n] without one */
    real *adapter;          /* [n - first] */
    const struct llama *base; /* whose own weights, tables and text it borrows
                                 (adapter.h); NULL: none's */
    real *cosine, *sine;    /* [context, head_dim / 2] */
    real *cosine_local, *sine_local; /* of layers with a window */
};

/* The parameters from an offset on, own ones or the adapter's. */
static inline real *llama_at(const struct llama *m, size_t offset)
{
    return m->first && offset >= m->first ? m->adapter + (offset - m->first)
                                          : m->w + offset;
}

/* How many parameters are trained. */
static inline size_t llama_trained(const struct llama *m)
{
    return m->n - m->first;
}

/* A model with all parameters 0; NULL where memory is short. */
struct llama *llama_new(const struct config *c, struct err *e);
void llama_free(struct llama **m);

/* Initial values: gains 1, the rest normal with deviation .06 (embedding and
 * head .03; the two projections into the residual divided by the root of
 * twice the number of layers). */
void llama_init(struct llama *m, uint64_t seed);

/* Reads config.json and every model*.safetensors of a folder. Missing, extra
 * and misshapen tensors are listed. */
struct llama *llama_load(const char *dir, struct err *e);
/* Writes config.json and model.safetensors, an adapter added to weights. */
bool llama_save(const struct llama *m, const char *dir, struct err *e);

/* Copies n of the parameters from an offset on, of one weight or a part. */
void llama_copy(const struct llama *m, size_t offset, size_t n, real *to);

/* Keeps the own matrices, which are not to be trained, in bfloat16 alone where
 * all own weights are exact in it (as most published ones are), and gives the
 * memory of the fp32 ones back, one after the other: half the bytes to hold and
 * to read, the same numbers, to the bit with gemm_has_bf16. False, and
 * nothing changed, where they are not, or memory is short. */
bool llama_lean(struct llama *m);

/* ---- Passes ------------------------------------------------------------- */

/* Packed sequences: rows of sequence s are start[s] .. start[s + 1] - 1 and
 * their positions begin at 0. target[t] is the token that row t should
 * predict, -1 where it is not trained; weight[t] what its loss counts.
 * A sequence s with prompt[s] = p goes on with sequence p, which has no prompt
 * itself and stands before it: it sees all of its rows, and its positions begin
 * behind them. So several answers share one prompt, whose last token is the
 * first row of each. */
struct batch {
    const int32_t *ids, *target; /* [T] */
    const int32_t *start;        /* [sequences + 1]; start[0] = 0 */
    int sequences;
    int64_t first; /* the first row's number in the step (for dropout) */
    const float *weight; /* [T]; NULL: 1 each */
    const int32_t *prompt; /* [sequences], -1: none; NULL: none has one */
};

/* What a pass may need: up to `tokens` rows, sequences of at most `context`,
 * the prompt that one shares with others included, a team of so many workers.
 * With `recompute` only the input of each layer is kept and the rest made
 * again in the backward pass, to the same bits (Chen et al. 2016, "Training
 * deep nets with sublinear memory cost"). */
struct work_shape {
    int tokens, context, workers;
    bool recompute;
};

/* Activations and scratch for passes of that shape. */
struct work;
struct work *work_new(const struct llama *m, const struct work_shape *shape,
                      struct err *e);
/* The bytes that a work of that shape takes, or would. */
size_t work_bytes(const struct llama *m, const struct work_shape *shape);
/* For how many tokens it is. */
int work_tokens(const struct work *k);
/* The bytes of activations that each row more would want. */
size_t work_row(const struct llama *m, bool recompute);
void work_free(struct work **k);
/* Dropout of every sublayer's output from now on, and of what the LoRA
 * adapter reads (one matrix's share it): chances, bits from key. */
void work_drop(struct work *k, double p, double adapter, uint64_t key);

/* What a loss reports, each may be NULL: the natural log probability of
 * target[t] and whether it was the largest, by row (rows without a target
 * are left alone). */
struct told {
    double *logprob;
    uint8_t *top;
    /* Called by the worker that has the row, with its vocab logits. */
    void (*each)(void *ctx, int row, const real *logits);
    void *ctx;
};

/* One pass over a batch by all workers of a team. Returns the sum of -log p
 * times weight over its targets; where grad is not NULL adds `scale` times the
 * gradient of that sum to grad[n - first], that of what is trained. Everything
 * is there for all when it returns. */
double llama_pass(const struct team *t, const struct llama *m, struct work *k,
                  const struct batch *b, real scale, real *grad,
                  const struct told *told);

/* Logits of the last row of one sequence of n ids, into out[vocab]. */
void llama_logits(const struct llama *m, struct work *k, const int32_t *ids,
                  int n, real *out);

#endif
