#include "model/net/attention.h"

#include "model/net/gemm.h"
#include "model/net/ops.h"

size_t attention_scratch(int keys)
{
    return 2 * (size_t)ATTENTION_BLOCK * (size_t)keys;
}

/* Turns a row of scores into probabilities of keys lo .. seen - 1, 0 for the
 * others; returns the log-sum. */
HOT static real soften(real *s, int lo, int seen, int keys)
{
    real max = row_max(s + lo, seen - lo), sum = 0;
    for (int j = 0; j < lo; j++)
        s[j] = 0;
    SIMD(reduction(+ : sum))
    for (int j = lo; j < seen; j++) {
        s[j] = real_exp(s[j] - max);
        sum += s[j];
    }
    real by = 1 / sum;
    SIMD()
    for (int j = lo; j < seen; j++)
        s[j] *= by;
    for (int j = seen; j < keys; j++)
        s[j] = 0;
    return max + (real)log((double)sum);
}

/* Scores s and gradients dp of one row: s becomes the probabilities, dp the
 * gradient of the scores (times scale). */
HOT static void soften_back(real *s, real *dp, real lse, real scale, int lo,
                            int seen, int keys)
{
    real sum = 0;
    for (int j = 0; j < lo; j++)
        s[j] = dp[j] = 0;
    SIMD(reduction(+ : sum))
    for (int j = lo; j < seen; j++) {
        s[j] = real_exp(s[j] - lse);
        sum += s[j] * dp[j];
    }
    SIMD()
    for (int j = lo; j < seen; j++)
        dp[j] = s[j] * (dp[j] - sum) * scale;
    for (int j = seen; j < keys; j++)
        s[j] = dp[j] = 0;
}

static real scale_of(const struct attention *a)
{
    return (real)(a->scale > 0 ? a->scale : 1 / sqrt((double)a->d));
}

/* The first key that the query at position `at` sees. */
static int first_key(const struct attention *a, int at)
{
    return a->window && at >= a->window ? at - a->window + 1 : 0;
}

void attention_forward(const struct attention *a, real *o, real *lse,
                       const real *q, const real *k, const real *v,
                       real *scratch)
{
    int group = a->heads / a->kv_heads, d = a->d;
    for (int h = 0; h < a->heads; h++) {
        const real *kh = k + h / group * d, *vh = v + h / group * d;
        for (int from = 0; from < a->n; from += ATTENTION_BLOCK) {
            int n = a->n - from < ATTENTION_BLOCK ? a->n - from
                                                  : ATTENTION_BLOCK;
            int at = a->past + from, lo = first_key(a, at), keys = at + n - lo;
            const real *qb = q + (size_t)from * (size_t)a->ldq + h * d;
            size_t skip = (size_t)lo * (size_t)a->ldk;
            gemm(false, true, n, keys, d, scale_of(a), qb, a->ldq, kh + skip,
                 a->ldk, 0, scratch, keys);
            for (int i = 0; i < n; i++) {
                real l = soften(scratch + (size_t)i * (size_t)keys,
                                first_key(a, at + i) - lo, at + i + 1 - lo,
                                keys);
                if (lse)
                    lse[(from + i) * a->heads + h] = l;
            }
            gemm(false, false, n, d, keys, 1, scratch, keys, vh + skip,
                 a->ldk, 0, o + (size_t)from * (size_t)a->ldo + h * d, a->ldo);
        }
    }
}

/* One block of n queries of head h from row `from` on. */
static void block_back(const struct attention *a, int h, int from, int n,
                       real *dq, real *dk, real *dv, const real *dout,
                       const real *q, const real *k, const real *v,
                       const real *lse, real *scratch)
{
    int lo = first_key(a, from), keys = from + n - lo, d = a->d;
    size_t row = (size_t)from, skip = (size_t)lo * (size_t)a->ldk;
    k += skip;
    v += skip;
    dk += skip;
    dv += skip;
    const real *qb = q + row * (size_t)a->ldq + h * d;
    const real *db = dout + row * (size_t)a->ldo + h * d;
    real *s = scratch, *dp = scratch + (size_t)n * (size_t)keys;
    gemm(false, true, n, keys, d, scale_of(a), qb, a->ldq, k, a->ldk, 0, s,
         keys);
    gemm(false, true, n, keys, d, 1, db, a->ldo, v, a->ldk, 0, dp, keys);
    for (int i = 0; i < n; i++)
        soften_back(s + (size_t)i * (size_t)keys, dp + (size_t)i * (size_t)keys,
                    lse[(from + i) * a->heads + h], scale_of(a),
                    first_key(a, from + i) - lo, from + i + 1 - lo, keys);
    gemm(true, false, keys, d, n, 1, s, keys, db, a->ldo, 1, dv, a->ldk);
    gemm(true, false, keys, d, n, 1, dp, keys, qb, a->ldq, 1, dk, a->ldk);
    gemm(false, false, n, d, keys, 1, dp, keys, k, a->ldk, 0,
         dq + row * (size_t)a->ldq + h * d, a->ldq);
}

void attention_backward(const struct attention *a, real *dq, real *dk,
                        real *dv, const real *dout, const real *q,
                        const real *k, const real *v, const real *lse,
                        real *scratch)
{
    int group = a->heads / a->kv_heads;
    for (int h = 0; h < a->heads; h++) {
        int at = h / group * a->d;
        for (int from = 0; from < a->n; from += ATTENTION_BLOCK) {
            int n = a->n - from < ATTENTION_BLOCK ? a->n - from
                                                  : ATTENTION_BLOCK;
            block_back(a, h, from, n, dq, dk + at, dv + at, dout, q, k + at,
                       v + at, lse, scratch);
        }
    }
}
