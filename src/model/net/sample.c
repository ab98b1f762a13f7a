#include "model/net/sample.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/net/ops.h"

static int largest(const real *x, int n)
{
    real max = row_max(x, n);
    int top = 0;
    while (top < n - 1 && x[top] < max)
        top++;
    return top;
}

HOT void log_softmax(real *logits, int V)
{
    real max = row_max(logits, V);
    double sum = 0;
    SIMD(reduction(+ : sum))
    for (int i = 0; i < V; i++)
        sum += (double)real_exp(logits[i] - max);
    real by = max + (real)log(sum);
    SIMD()
    for (int i = 0; i < V; i++)
        logits[i] -= by;
}

int sample_likeliest(const real *logprobs, int V, int n,
                     struct alternative *top)
{
    int kept = 0;
    for (int32_t id = 0; n && id < V; id++) {
        double x = (double)logprobs[id];
        if (kept == n && !(x > top[n - 1].logprob))
            continue;
        int i = kept < n ? kept++ : n - 1;
        for (; i > 0 && x > top[i - 1].logprob; i--)
            top[i] = top[i - 1];
        top[i] = (struct alternative){id, x};
    }
    return kept;
}

/* ---- The candidates ----------------------------------------------------- */

struct choice {
    real p; /* not normed */
    int id;
};

/* Tokens go from the likeliest down, of equal ones by their ids. */
static int by_p(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;
    if (x->p < y->p || x->p > y->p)
        return x->p > y->p ? -1 : 1;
    return x->id - y->id;
}

/* p[V] = exp((logits - max) / temperature); returns the sum. */
HOT static double weigh(real *p, const real *logits, int V, double temperature)
{
    real max = row_max(logits, V), by = (real)(1 / temperature);
    double sum = 0;
    SIMD(reduction(+ : sum))
    for (int i = 0; i < V; i++) {
        p[i] = real_exp((logits[i] - max) * by);
        sum += (double)p[i];
    }
    return sum;
}

/* Probabilities up to 1 in bins of one size each but for two percent, so that
 * the last token of a set is found without sorting all of them. */
enum { BIN_BITS = 17, BINS = (0x3f800000 >> BIN_BITS) + 1 };

static int bin_of(real p)
{
    union {
        float f;
        uint32_t bits;
    } v = {(float)p};
    int bin = (int)(v.bits >> BIN_BITS);
    return bin < BINS ? bin : BINS - 1;
}

/* The last token of the smallest set that has `most` tokens or the mass
 * `wanted`, whichever comes first; *sum is what the set has. */
static struct choice last_of(const real *p, int V, int most, double wanted,
                             double *sum)
{
    double *mass = xcalloc(BINS, sizeof *mass);
    int *count = xcalloc(BINS, sizeof *count), bin = BINS - 1, n = 0, had = 0;
    for (int i = 0; i < V; i++) {
        int b = bin_of(p[i]);
        mass[b] += (double)p[i];
        count[b]++;
    }
    *sum = 0;
    for (; bin > 0 && had + count[bin] < most && *sum + mass[bin] < wanted;
         bin--) {
        had += count[bin];
        *sum += mass[bin];
    }
    struct choice *c = xmalloc((size_t)(count[bin] + 1) * sizeof *c);
    for (int i = 0; i < V; i++)
        if (bin_of(p[i]) == bin)
            c[n++] = (struct choice){p[i], i};
    qsort(c, (size_t)n, sizeof *c, by_p);
    struct choice last = {0, V};
    for (int i = 0; i < n && had < most && *sum < wanted; i++, had++) {
        *sum += (double)c[i].p;
        last = c[i];
    }
    free(c);
    free(count);
    free(mass);
    return last;
}

static bool comes_after(const real *p, int id, const struct choice *last)
{
    return p[id] < last->p || (p[id] <= last->p && id > last->id);
}

/* p becomes 0 for what the limits leave out; returns the sum of the rest. */
static double limit(real *p, int V, const struct sampling *s, double sum)
{
    struct choice last = {0, V};
    if (s->top_k > 0 && s->top_k < V)
        last = last_of(p, V, s->top_k, INFINITY, &sum);
    if (s->top_p < 1)
        last = last_of(p, V, s->top_k > 0 && s->top_k < V ? s->top_k : V,
                       s->top_p * sum, &sum);
    double kept = 0;
    for (int i = 0; i < V; i++) {
        if ((double)p[i] < s->min_p || comes_after(p, i, &last))
            p[i] = 0;
        kept += (double)p[i];
    }
    return kept;
}

static int draw(const real *p, int V, double at)
{
    int last = 0;
    for (int i = 0; i < V; i++)
        if (p[i] > 0) {
            last = i;
            if ((at -= (double)p[i]) < 0)
                break;
        }
    return last;
}

int sample_token(const real *logits, int V, const struct sampling *s,
                 struct rng *r)
{
    if (s->temperature <= 0 || s->top_p <= 0)
        return largest(logits, V);
    real *p = xmalloc((size_t)V * sizeof *p);
    double sum = weigh(p, logits, V, s->temperature);
    int id;
    if (sum > 0) {
        if (s->top_k > 0 || s->top_p < 1 || s->min_p > 0)
            sum = limit(p, V, s, sum);
        id = draw(p, V, rng_unit(r) * sum);
    } else { /* no numbers */
        id = largest(logits, V);
    }
    free(p);
    return id;
}

/* ---- Penalties ---------------------------------------------------------- */

static void repeat(real *logits, int V, double by, const int32_t *ids,
                   size_t n, uint8_t *seen)
{
    for (size_t i = 0; i < n; i++) {
        int32_t id = ids[i];
        if (id < 0 || id >= V || seen[id])
            continue;
        seen[id] = 1;
        logits[id] = (real)((double)logits[id] *
                            (logits[id] > 0 ? 1 / by : by));
    }
}

static void forget(int V, const int32_t *ids, size_t n, uint8_t *seen)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] >= 0 && ids[i] < V)
            seen[ids[i]] = 0;
}

void penalise(real *logits, int V, const struct penalties *p,
              const int32_t *prompt, size_t n_prompt, const int32_t *answer,
              size_t n, uint8_t *seen)
{
    if (p->repetition > 0 && (p->repetition < 1 || p->repetition > 1)) {
        repeat(logits, V, p->repetition, prompt, n_prompt, seen);
        repeat(logits, V, p->repetition, answer, n, seen);
        forget(V, prompt, n_prompt, seen);
        forget(V, answer, n, seen);
    }
    for (size_t i = 0; i < n; i++) {
        int32_t id = answer[i];
        if (id < 0 || id >= V)
            continue;
        logits[id] -= (real)(p->frequency + (seen[id] ? 0 : p->presence));
        seen[id] = 1;
    }
    forget(V, answer, n, seen);
    for (size_t i = 0; i < p->n_bias; i++)
        if (p->bias_id[i] >= 0 && p->bias_id[i] < V)
            logits[p->bias_id[i]] += (real)p->bias[i];
}
