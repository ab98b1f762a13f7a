/* Grouped-query causal attention by blocks of queries against all keys so
 * far: no T x T array, and in the backward pass the probabilities are made
 * again from each row's log-sum. The heads that share keys go through the
 * products together. Packed sequences attend only to themselves, and where
 * several go on with one prompt to that, which stands there once. Blocks are
 * dealt out to a team by what they cost.
 */
#ifndef MODEL_NET_ATTENTION_H
#define MODEL_NET_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

#include "model/net/pool.h"
#include "model/net/real.h"

/* The shape: query i of a sequence stands behind `past` keys and sees keys
 * 0 .. past + i. Head j uses key/value head j / (heads / kv_heads). */
struct attention {
    int past;
    int heads, kv_heads, d;
    int window;      /* a query sees so many keys, itself among them; 0: all */
    double scale;    /* of the scores; 0: 1/sqrt(d) */
    const int32_t *prompt; /* [sequences]: the sequence that each goes on with,
                              -1: none; NULL: none has one */
    int ldq, ldk, ldo; /* elements from row to row; v has k's */
};

/* How many elements of scratch each worker wants for sequences of at most
 * `keys` keys. */
size_t attention_scratch(const struct attention *a, int keys);

/* o[n, heads d] = softmax(q k^T / sqrt(d)) v for the rows of each sequence s,
 * start[s] .. start[s + 1] - 1 (with `past`, one sequence alone);
 * lse[n, heads] takes the log-sums (NULL: not wanted). Waits for nobody. */
void attention_forward(const struct team *t, const struct attention *a,
                       const int32_t *start, int sequences, real *o,
                       real *lse, const real *q, const real *k, const real *v,
                       real *scratch);

/* Heads first .. first + heads - 1 of one query, which share a key/value head
 * and are at most GEMM_FEW, in one thread; the numbers are the same in whatever
 * parts they are done. Scratch is one worker's. */
void attention_heads(const struct attention *a, int first, int heads, real *o,
                     const real *q, const real *k, const real *v,
                     real *scratch);

/* dq is set, dk and dv are too (past must be 0); dq has q's stride, dk and dv
 * have k's, dout has o's. `parts` has room for the team's workers times T rows
 * times 2 kv_heads d. Waits for the team between its two halves, not before
 * and not behind them. */
void attention_backward(const struct team *t, const struct attention *a,
                        const int32_t *start, int sequences, real *dq,
                        real *dk, real *dv, const real *dout, const real *q,
                        const real *k, const real *v, const real *lse,
                        real *parts, real *scratch);

#endif
