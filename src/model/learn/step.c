#include "model/learn/step.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/net/gemm.h"

enum { MICRO = 256 }; /* rows of tokens that go through the model at once */

struct seat { /* what one worker has for itself */
    real *grad;
    int32_t *ids, *target, *start; /* one micro-batch */
    double loss, squares, gemm;
};

struct turn { /* what one step asks of all */
    struct stepper *s;
    const uint32_t *row;
    size_t n;
    int64_t tokens;
    int64_t targets;
    const struct adamw *a;
    double dropout;
    uint64_t key;
};

static int capacity(int longest)
{
    return longest > MICRO ? longest : MICRO;
}

bool stepper_init(struct stepper *s, struct llama *m, const struct items *d,
                  struct pool *pool, int longest, struct err *e)
{
    int workers = pool_workers(pool), cap = capacity(longest);
    *s = (struct stepper){.model = m, .d = d, .pool = pool};
    s->k = xcalloc((size_t)workers, sizeof *s->k);
    s->seat = xcalloc((size_t)workers, sizeof *s->seat);
    s->m = calloc(llama_trained(m), sizeof(real));
    s->v = calloc(llama_trained(m), sizeof(real));
    for (int i = 0; i < workers; i++) {
        struct seat *t = &s->seat[i];
        t->grad = calloc(llama_trained(m), sizeof(real));
        t->ids = xcalloc((size_t)cap, sizeof *t->ids);
        t->target = xcalloc((size_t)cap, sizeof *t->target);
        t->start = xcalloc((size_t)cap + 1, sizeof *t->start);
        s->k[i] = work_new(m, cap, longest, e);
        if (!s->k[i] || !t->grad || !s->m || !s->v)
            return err_set(e, ERR_MEMORY,
                           _("not enough memory to train %zu parameters"),
                           llama_trained(m));
    }
    return true;
}

void stepper_done(struct stepper *s)
{
    int workers = s->pool ? pool_workers(s->pool) : 0;
    for (int i = 0; i < workers; i++) {
        work_free(&s->k[i]);
        free(s->seat[i].grad);
        free(s->seat[i].ids);
        free(s->seat[i].target);
        free(s->seat[i].start);
    }
    free(s->k);
    free(s->seat);
    free(s->m);
    free(s->v);
    *s = (struct stepper){0};
}

/* Adds a row to the worker's micro-batch of `at` tokens; the new count. */
static int pack(struct seat *t, const struct item *m, int at)
{
    for (int i = 0; i + 1 < m->n; i++) {
        t->ids[at + i] = m->ids[i];
        t->target[at + i] = m->trained[i + 1] ? m->ids[i + 1] : -1;
    }
    return at + m->n - 1;
}

/* Takes rows lo..hi-1 through the model; `first` tokens stand before them. */
static void learn(const struct turn *g, int worker, size_t lo, size_t hi,
                  int64_t first)
{
    struct stepper *s = g->s;
    struct seat *t = &s->seat[worker];
    work_drop(s->k[worker], g->dropout, g->key);
    for (size_t i = lo; i < hi;) {
        int at = 0, n = 0;
        do {
            at = pack(t, &s->d->at[g->row[i++]], at);
            t->start[++n] = at;
        } while (i < hi && at + s->d->at[g->row[i]].n - 1 <= MICRO);
        struct batch b = {t->ids, t->target, t->start, n, first};
        t->loss += llama_pass(s->model, s->k[worker], &b,
                              (real)(1 / (double)g->targets), t->grad, NULL);
        first += at;
    }
}

/* Each worker takes the rows whose first token lies in its share. */
static void pass(void *ctx, int worker, int workers)
{
    const struct turn *g = ctx;
    struct seat *t = &g->s->seat[worker];
    double from = gemm_seconds();
    int64_t at = 0, first = 0;
    size_t lo = g->n, hi = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (at * workers / g->tokens == worker) {
            if (lo == g->n) {
                lo = i;
                first = at;
            }
            hi = i + 1;
        }
        at += g->s->d->at[g->row[i]].n - 1;
    }
    t->loss = 0;
    if (lo < hi)
        learn(g, worker, lo, hi, first);
    t->gemm = gemm_seconds() - from;
}

static void slice(const struct turn *g, int worker, int workers, size_t *lo,
                  size_t *hi)
{
    size_t n = llama_trained(g->s->model);
    *lo = n * (size_t)worker / (size_t)workers;
    *hi = n * (size_t)(worker + 1) / (size_t)workers;
}

/* Adds all gradients into the first, slice by slice. */
static void gather(void *ctx, int worker, int workers)
{
    const struct turn *g = ctx;
    struct seat *all = g->s->seat;
    size_t lo, hi;
    slice(g, worker, workers, &lo, &hi);
    for (int i = 1; i < workers; i++)
        all[worker].squares =
            gather_squares(all[0].grad + lo, all[i].grad + lo, hi - lo);
    if (workers == 1)
        all[0].squares = gather_squares(all[0].grad + lo, NULL, hi - lo);
}

static void clear(void *ctx, int worker, int workers)
{
    const struct turn *g = ctx;
    (void)workers;
    memset(g->s->seat[worker].grad, 0,
           llama_trained(g->s->model) * sizeof(real));
}

static void update(void *ctx, int worker, int workers)
{
    const struct turn *g = ctx;
    struct stepper *s = g->s;
    size_t lo, hi;
    slice(g, worker, workers, &lo, &hi);
    adamw_update(g->a, s->model, s->m, s->v, s->seat[0].grad, lo, hi);
}

double stepper_step(struct stepper *s, const uint32_t *row, size_t n,
                    struct adamw *a, double dropout, uint64_t key)
{
    struct turn g = {.s = s, .row = row, .n = n, .a = a, .dropout = dropout,
                     .key = key};
    for (size_t i = 0; i < n; i++) {
        g.tokens += s->d->at[row[i]].n - 1;
        g.targets += s->d->at[row[i]].targets;
    }
    pool_run(s->pool, pass, &g);
    pool_run(s->pool, gather, &g);
    double loss = 0, squares = 0;
    for (int i = 0; i < pool_workers(s->pool); i++) {
        loss += s->seat[i].loss;
        squares += s->seat[i].squares;
        s->gemm_seconds += s->seat[i].gemm;
    }
    loss /= (double)g.targets;
    double norm = sqrt(squares);
    a->scale = s->clip > 0 && norm > s->clip ? s->clip / (norm + 1e-6) : 1;
    if (isfinite(loss) && isfinite(norm))
        pool_run(s->pool, update, &g);
    pool_run(s->pool, clear, &g);
    return isfinite(norm) ? loss : norm;
}
