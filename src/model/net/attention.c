#include "model/net/attention.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "model/net/gemm.h"
#include "model/net/ops.h"

enum { BLOCK = 64 }; /* queries of each head that go through together */

static int group_of(const struct attention *a)
{
    return a->heads / a->kv_heads;
}

/* Scores and their gradients, and the rows of three matrices side by side. */
size_t attention_scratch(const struct attention *a, int keys)
{
    return (size_t)(BLOCK * group_of(a)) *
           (2 * (size_t)keys + 3 * (size_t)a->d);
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
 * gradient of the scores (times scale). The probabilities are normed by their
 * own sum: a large lse has few digits behind the point, and where dp has a
 * large common offset what it lacks would not cancel. */
HOT static void soften_back(real *s, real *dp, real lse, real scale, int lo,
                            int seen, int keys)
{
    real sum = 0, dot = 0;
    for (int j = 0; j < lo; j++)
        s[j] = dp[j] = 0;
    SIMD(reduction(+ : sum, dot))
    for (int j = lo; j < seen; j++) {
        s[j] = real_exp(s[j] - lse);
        sum += s[j];
        dot += s[j] * dp[j];
    }
    real by = 1 / sum, mean = dot * by;
    SIMD()
    for (int j = lo; j < seen; j++) {
        s[j] *= by;
        dp[j] = s[j] * (dp[j] - mean) * scale;
    }
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

/* ---- Blocks ------------------------------------------------------------- */

/* A sequence among packed ones: where its rows begin, and those of the prompt
 * that it goes on with. */
struct sequence {
    int first, rows, prompt, shared; /* shared: rows of the prompt */
};

static struct sequence sequence_of(const struct attention *a,
                                   const int32_t *start, int s)
{
    int p = a->prompt ? a->prompt[s] : -1;
    return (struct sequence){start[s], start[s + 1] - start[s],
                             p < 0 ? 0 : start[p],
                             p < 0 ? 0 : start[p + 1] - start[p]};
}

/* One key/value head and a block of queries: rows from..from+n-1 of one
 * sequence, `group` heads of each from `first` on, the first row at position
 * `at`, that see keys at positions lo..lo+keys-1. Row i * group + j of its
 * scores is query i, head first + j. The first `lead` of the keys are those of
 * a shared prompt, `away` rows before the sequence's own first. */
struct block {
    const struct attention *a;
    int head, from, n, first, group, at, lo, keys, lead, away, shared;
};

static struct block block_at(const struct attention *a, int head, int from,
                             const struct sequence *q)
{
    int n = q->rows - from < BLOCK ? q->rows - from : BLOCK;
    int at = a->past + q->shared + from, lo = first_key(a, at);
    return (struct block){.a = a, .head = head, .from = from, .n = n,
                          .first = head * group_of(a), .group = group_of(a),
                          .at = at, .lo = lo, .keys = at + n - lo,
                          .lead = lo < q->shared ? q->shared - lo : 0,
                          .away = q->first - q->prompt, .shared = q->shared};
}

/* Rows of the block's heads from x (stride ld), side by side, and back. */
static void gather(const struct block *b, real *to, const real *x, int ld)
{
    int width = b->group * b->a->d;
    for (int i = 0; i < b->n; i++)
        memcpy(to + (size_t)i * (size_t)width,
               x + (size_t)(b->from + i) * (size_t)ld +
                   (size_t)(b->first * b->a->d),
               (size_t)width * sizeof *to);
}

static void scatter(const struct block *b, real *x, int ld, const real *from)
{
    int width = b->group * b->a->d;
    for (int i = 0; i < b->n; i++)
        memcpy(x + (size_t)(b->from + i) * (size_t)ld +
                   (size_t)(b->first * b->a->d),
               from + (size_t)i * (size_t)width, (size_t)width * sizeof *x);
}

/* The keys that query i of the block sees: lo..*seen-1 of its own. */
static int seen_by(const struct block *b, int i, int *seen)
{
    int at = b->at + i;
    *seen = at + 1 - b->lo;
    return first_key(b->a, at) - b->lo;
}

/* Keys that stand one behind the other: n of them, the first `row` rows from
 * the sequence's own first, from column `col` of the scores on. */
struct run {
    int row, n, col;
};

/* The block's runs: of the shared prompt, and of its own. */
static int runs_of(const struct block *b, struct run run[2])
{
    int n = 0, own = b->lo - b->shared;
    if (b->lead)
        run[n++] = (struct run){b->lo - b->away, b->lead, 0};
    run[n++] = (struct run){own > 0 ? own : 0, b->keys - b->lead, b->lead};
    return n;
}

/* Where a run's keys (or values, or their gradients) are, with so many
 * elements from row to row. */
static ptrdiff_t place(const struct block *b, const struct run *r, int ld)
{
    return (ptrdiff_t)r->row * ld + b->head * b->a->d;
}

/* s[m, keys] = by x k^T. */
static void score(const struct block *b, real by, const real *x,
                  const real *k, real *s)
{
    struct run run[2];
    int n = runs_of(b, run), ld = b->a->ldk;
    for (int i = 0; i < n; i++)
        gemm_exact(false, true, b->n * b->group, run[i].n, b->a->d, by, x,
                   b->a->d, k + place(b, &run[i], ld), ld, 0, s + run[i].col,
                   b->keys);
}

/* x[m, d] = s v. */
static void gather_values(const struct block *b, const real *s, const real *v,
                          real *x)
{
    struct run run[2];
    int n = runs_of(b, run), ld = b->a->ldk;
    for (int i = 0; i < n; i++)
        gemm_exact(false, false, b->n * b->group, b->a->d, run[i].n, 1,
                   s + run[i].col, b->keys, v + place(b, &run[i], ld), ld,
                   i > 0, x, b->a->d);
}

/* dk += s^T x. */
static void spread_values(const struct block *b, const real *s, const real *x,
                          real *dk, int ld)
{
    struct run run[2];
    int n = runs_of(b, run);
    for (int i = 0; i < n; i++)
        gemm(true, false, run[i].n, b->a->d, b->n * b->group, 1,
             s + run[i].col, b->keys, x, b->a->d, 1,
             dk + place(b, &run[i], ld), ld);
}

static void block_forward(const struct block *b, real *o, real *lse,
                          const real *q, const real *k, const real *v,
                          real *scratch)
{
    const struct attention *a = b->a;
    int m = b->n * b->group, keys = b->keys;
    real *s = scratch, *x = s + (size_t)m * (size_t)keys;
    gather(b, x, q, a->ldq);
    score(b, scale_of(a), x, k, s);
    for (int i = 0; i < m; i++) {
        int seen, lo = seen_by(b, i / b->group, &seen);
        real l = soften(s + (size_t)i * (size_t)keys, lo, seen, keys);
        if (lse)
            lse[(b->from + i / b->group) * a->heads + b->first +
                i % b->group] = l;
    }
    gather_values(b, s, v, x);
    scatter(b, o, a->ldo, x);
}

static void block_back(const struct block *b, real *dq, real *dk, real *dv,
                       const real *dout, const real *q, const real *k,
                       const real *v, const real *lse, int ldd, real *scratch)
{
    const struct attention *a = b->a;
    int m = b->n * b->group, keys = b->keys;
    size_t all = (size_t)m * (size_t)keys, rows = (size_t)(m * a->d);
    real *s = scratch, *ds = s + all, *x = ds + all, *y = x + rows;
    gather(b, x, q, a->ldq);
    gather(b, y, dout, a->ldo);
    score(b, scale_of(a), x, k, s);
    score(b, 1, y, v, ds);
    for (int i = 0; i < m; i++) {
        int seen, lo = seen_by(b, i / b->group, &seen);
        int at = (b->from + i / b->group) * a->heads + b->first +
                 i % b->group;
        soften_back(s + (size_t)i * (size_t)keys, ds + (size_t)i * (size_t)keys,
                    lse[at], scale_of(a), lo, seen, keys);
    }
    spread_values(b, s, y, dv, ldd);
    spread_values(b, ds, x, dk, ldd);
    gather_values(b, ds, k, y);
    scatter(b, dq, a->ldq, y);
}

/* ---- Dealing them out --------------------------------------------------- */

struct deal {
    int64_t cost[POOL_MOST]; /* of what each worker has so far */
};

/* Whether the next block is this worker's: it goes to whoever has least. */
static bool is_mine(struct deal *d, const struct team *t,
                    const struct block *b)
{
    int least = 0;
    for (int i = 1; i < t->of; i++)
        if (d->cost[i] < d->cost[least])
            least = i;
    d->cost[least] += (int64_t)b->n * (b->keys + 16);
    return least == t->me;
}

static real *my_scratch(const struct team *t, const struct attention *a,
                        const int32_t *start, int sequences, real *scratch)
{
    int longest = 0;
    for (int s = 0; s < sequences; s++) {
        struct sequence q = sequence_of(a, start, s);
        if (q.rows + q.shared > longest)
            longest = q.rows + q.shared;
    }
    return scratch + (size_t)t->me * attention_scratch(a, a->past + longest);
}

void attention_forward(const struct team *t, const struct attention *a,
                       const int32_t *start, int sequences, real *o,
                       real *lse, const real *q, const real *k, const real *v,
                       real *scratch)
{
    struct deal d = {0};
    scratch = my_scratch(t, a, start, sequences, scratch);
    for (int s = 0; s < sequences; s++) {
        struct sequence own = sequence_of(a, start, s);
        size_t row = (size_t)own.first, n = row * (size_t)a->ldk;
        for (int h = 0; h < a->kv_heads; h++)
            for (int from = 0; from < own.rows; from += BLOCK) {
                struct block b = block_at(a, h, from, &own);
                if (is_mine(&d, t, &b))
                    block_forward(&b, o + row * (size_t)a->ldo,
                                  lse ? lse + row * (size_t)a->heads : NULL,
                                  q + row * (size_t)a->ldq, k + n, v + n,
                                  scratch);
            }
    }
}

void attention_heads(const struct attention *a, int first, int heads, real *o,
                     const real *q, const real *k, const real *v,
                     real *scratch)
{
    struct sequence one = {.rows = 1};
    must(first >= 0 && heads >= 1 && first + heads <= a->heads);
    struct block b = block_at(a, first / group_of(a), 0, &one);
    b.first = first;
    b.group = heads;
    block_forward(&b, o, NULL, q, k, v, scratch);
}

/* Sums every worker's dk and dv, in their order, for this one's rows. */
static void sum_parts(const struct team *t, const struct attention *a, int T,
                      real *dk, real *dv, const real *parts)
{
    size_t kv = (size_t)(a->kv_heads * a->d), all = (size_t)T * 2 * kv;
    int lo, hi;
    team_rows(t, T, &lo, &hi);
    for (int r = lo; r < hi; r++) {
        const real *p = parts + (size_t)r * 2 * kv;
        real *k = dk + (size_t)r * (size_t)a->ldk;
        real *v = dv + (size_t)r * (size_t)a->ldk;
        memcpy(k, p, kv * sizeof *k);
        memcpy(v, p + kv, kv * sizeof *v);
        for (int i = 1; i < t->of; i++) {
            add_to(k, p + (size_t)i * all, kv);
            add_to(v, p + (size_t)i * all + kv, kv);
        }
    }
}

void attention_backward(const struct team *t, const struct attention *a,
                        const int32_t *start, int sequences, real *dq,
                        real *dk, real *dv, const real *dout, const real *q,
                        const real *k, const real *v, const real *lse,
                        real *parts, real *scratch)
{
    struct deal d = {0};
    int T = start[sequences], ldd = 2 * a->kv_heads * a->d;
    size_t all = (size_t)T * (size_t)ldd;
    real *mine = parts + (size_t)t->me * all;
    scratch = my_scratch(t, a, start, sequences, scratch);
    memset(mine, 0, all * sizeof *mine);
    for (int s = 0; s < sequences; s++) {
        struct sequence own = sequence_of(a, start, s);
        size_t row = (size_t)own.first, n = row * (size_t)a->ldk;
        real *part = mine + row * (size_t)ldd;
        for (int h = 0; h < a->kv_heads; h++)
            for (int from = 0; from < own.rows; from += BLOCK) {
                struct block b = block_at(a, h, from, &own);
                if (is_mine(&d, t, &b))
                    block_back(&b, dq + row * (size_t)a->ldq, part,
                               part + ldd / 2, dout + row * (size_t)a->ldo,
                               q + row * (size_t)a->ldq, k + n, v + n,
                               lse + row * (size_t)a->heads, ldd, scratch);
            }
    }
    team_wait(t);
    sum_parts(t, a, T, dk, dv, parts);
}
