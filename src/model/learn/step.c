#include "model/learn/step.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/net/gemm.h"

bool stepper_init(struct stepper *s, struct llama *m, const struct items *d,
                  struct pool *pool, int64_t longest, int64_t tokens,
                  bool recompute, struct err *e)
{
    struct work_shape shape = {pack_room(m, recompute, longest, tokens),
                               (int)longest, pool_workers(pool), recompute};
    size_t n = llama_trained(m);
    *s = (struct stepper){.model = m, .d = d, .pool = pool};
    pack_init(&s->pack, shape.tokens);
    s->m = calloc(n, sizeof(real));
    s->v = calloc(n, sizeof(real));
    s->grad = calloc(n, sizeof(real));
    s->k = work_new(m, &shape, e);
    return (s->k && s->m && s->v && s->grad) ||
           err_set(e, ERR_MEMORY,
                   _("not enough memory to train %zu parameters"), n);
}

void stepper_done(struct stepper *s)
{
    work_free(&s->k);
    pack_done(&s->pack);
    free(s->grad);
    free(s->m);
    free(s->v);
    *s = (struct stepper){0};
}

/* What one step asks of all. */
struct turn {
    struct stepper *s;
    struct batch batch;
    real scale; /* of the gradient: one over the weights of its targets */
    const struct adamw *a;
    double loss;
    double squares[POOL_MOST], gemm[POOL_MOST]; /* by worker */
};

static void pass(void *ctx, const struct team *t)
{
    struct turn *g = ctx;
    struct stepper *s = g->s;
    double from = gemm_seconds();
    double loss = llama_pass(t, s->model, s->k, &g->batch, g->scale, s->grad,
                             NULL);
    if (!t->me)
        g->loss += loss;
    g->gemm[t->me] += gemm_seconds() - from;
}

static void measure(void *ctx, const struct team *t)
{
    struct turn *g = ctx;
    size_t lo, hi;
    team_slice(t, llama_trained(g->s->model), &lo, &hi);
    g->squares[t->me] = adamw_squares(g->s->grad + lo, hi - lo);
}

static void update(void *ctx, const struct team *t)
{
    const struct turn *g = ctx;
    struct stepper *s = g->s;
    size_t lo, hi;
    team_slice(t, llama_trained(s->model), &lo, &hi);
    must(lo <= hi && hi <= llama_trained(s->model));
    adamw_update(g->a, s->model, s->m, s->v, s->grad, lo, hi);
}

/* All rows of the step through the model. */
static void learn(struct turn *g, const uint32_t *row, size_t n)
{
    struct stepper *s = g->s;
    int64_t first = 0;
    for (size_t i = 0; i < n; first += s->pack.T) {
        i += pack_fill(&s->pack, s->d, row + i, n - i);
        g->batch = pack_batch(&s->pack, first);
        pool_run(s->pool, pass, g);
    }
}

/* The gradient's norm; the workers' parts in their order. */
static double norm_of(struct turn *g)
{
    double squares = 0;
    pool_run(g->s->pool, measure, g);
    for (int i = 0; i < pool_workers(g->s->pool); i++) {
        squares += g->squares[i];
        g->s->gemm_seconds += g->gemm[i];
    }
    return sqrt(squares);
}

double stepper_step(struct stepper *s, const uint32_t *row, size_t n,
                    struct adamw *a, double dropout, double adapter_dropout,
                    uint64_t key)
{
    struct turn g = {.s = s, .a = a};
    double weights = 0; /* of all targets */
    for (size_t i = 0; i < n; i++)
        weights += s->d->at[row[i]].targets * (double)s->d->at[row[i]].weight;
    must(n > 0 && weights > 0);
    g.scale = (real)(1 / weights);
    work_drop(s->k, dropout, adapter_dropout, key);
    learn(&g, row, n);
    double loss = g.loss / weights, norm = norm_of(&g);
    a->scale = s->clip > 0 && norm > s->clip ? s->clip / (norm + 1e-6) : 1;
    if (isfinite(loss) && isfinite(norm))
        pool_run(s->pool, update, &g);
    else
        memset(s->grad, 0, llama_trained(s->model) * sizeof(real));
    return isfinite(norm) ? loss : norm;
}
