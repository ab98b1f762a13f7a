/* Grouped-query causal attention by blocks of queries against all keys so
 * far: no T x T array, and in the backward pass the probabilities are made
 * again from each row's log-sum. One sequence a call; a packed batch calls
 * it for each of its sequences, which so attend only to themselves.
 */
#ifndef MODEL_NET_ATTENTION_H
#define MODEL_NET_ATTENTION_H

#include <stddef.h>

#include "model/net/real.h"

enum { ATTENTION_BLOCK = 64 }; /* queries a block */

/* The shape of one sequence: n queries that stand behind `past` keys, so
 * that query i sees keys 0 .. past + i. Head j uses key/value head
 * j / (heads / kv_heads). */
struct attention {
    int n, past;
    int heads, kv_heads, d;
    int window;      /* a query sees so many keys, itself among them; 0: all */
    double scale;    /* of the scores; 0: 1/sqrt(d) */
    int ldq, ldk, ldo; /* elements from row to row; v has k's */
};

/* How many elements of scratch the two functions want for sequences of at
 * most `keys` keys. */
size_t attention_scratch(int keys);

/* o[n, heads d] = softmax(q k^T / sqrt(d)) v; lse[n, heads] takes the
 * log-sums (NULL: not wanted). */
void attention_forward(const struct attention *a, real *o, real *lse,
                       const real *q, const real *k, const real *v,
                       real *scratch);

/* dq is set, dk and dv are added to (past must be 0); dq has q's stride, dk
 * and dv have k's, dout has o's. */
void attention_backward(const struct attention *a, real *dq, real *dk,
                        real *dv, const real *dout, const real *q,
                        const real *k, const real *v, const real *lse,
                        real *scratch);

#endif
