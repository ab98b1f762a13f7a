#include "model/learn/plan.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/rng.h"

static void shuffle(struct plan *p)
{
    struct rng r;
    rng_seed(&r, p->seed * 0x9e3779b97f4a7c15u + (uint64_t)p->epoch);
    for (size_t i = 0; i < p->d->n; i++)
        p->order[i] = (uint32_t)i;
    for (size_t i = p->d->n; i > 1; i--) {
        size_t j = (size_t)rng_below(&r, i);
        uint32_t was = p->order[i - 1];
        p->order[i - 1] = p->order[j];
        p->order[j] = was;
    }
}

void plan_start(struct plan *p, const struct items *d,
                const struct budget *budget, int64_t batch, uint64_t seed)
{
    *p = (struct plan){.d = d, .budget = *budget, .batch = batch,
                       .seed = seed};
    p->order = xmalloc(d->n * sizeof *p->order);
    shuffle(p);
}

void plan_free(struct plan *p)
{
    free(p->order);
    free(p->row);
    *p = (struct plan){0};
}

static bool used_up(const struct plan *p)
{
    const struct budget *b = &p->budget;
    if (b->steps)
        return p->n == 0 && p->step >= b->steps;
    if (b->epochs)
        return p->epoch >= b->epochs;
    return p->targets >= b->targets;
}

static void take(struct plan *p)
{
    must(p->at < p->d->n);
    uint32_t row = p->order[p->at++];
    must(row < p->d->n);
    if (p->n == p->cap)
        p->row = vec_grow(p->row, &p->cap, sizeof *p->row);
    p->row[p->n++] = row;
    p->targets += p->d->at[row].targets;
    p->tokens += p->d->at[row].n - 1;
    if (p->at == p->d->n) {
        p->at = 0;
        p->epoch++;
        shuffle(p);
    }
}

bool plan_next(struct plan *p)
{
    int64_t from = p->tokens;
    p->n = 0;
    while (!used_up(p)) {
        int64_t next = p->d->at[p->order[p->at]].n - 1;
        if (p->n && p->tokens - from + next > p->batch)
            break;
        take(p);
    }
    p->step += p->n > 0;
    return p->n > 0;
}

int64_t plan_steps(const struct plan *p, int64_t *tokens)
{
    struct plan copy;
    plan_start(&copy, p->d, &p->budget, p->batch, p->seed);
    while (plan_next(&copy))
        ;
    int64_t steps = copy.step;
    *tokens = copy.tokens;
    plan_free(&copy);
    return steps;
}

void plan_skip(struct plan *p, int64_t steps)
{
    while (p->step < steps && plan_next(p))
        ;
}
