/* Which rows make up which step. Rows are packed whole, without padding, in
 * an order that is shuffled for every pass over the data; all of it follows
 * from the seed, so the state to keep is two numbers.
 */
#ifndef MODEL_LEARN_PLAN_H
#define MODEL_LEARN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/learn/rows.h"

/* How much there is to do; one of the three is not 0. */
struct budget {
    int64_t targets; /* trained tokens */
    int64_t epochs;  /* passes over the rows */
    int64_t steps;
};

struct plan {
    const struct items *d;
    struct budget budget;
    uint64_t seed;
    int64_t batch;    /* tokens of a step, about */
    uint32_t *order;  /* [d->n] of this epoch */
    int64_t epoch;
    size_t at;        /* rows taken from this epoch */
    int64_t step;     /* steps made */
    int64_t targets;  /* trained tokens in them */
    int64_t tokens;   /* rows of the student's input in them */
    uint32_t *row;    /* the rows of the step made last */
    size_t n, cap;
};

/* The beginning; d must have rows. */
void plan_start(struct plan *p, const struct items *d,
                const struct budget *budget, int64_t batch, uint64_t seed);
void plan_free(struct plan *p);

/* Chooses the next step's rows: at least one, and more while their tokens fit
 * in the batch and the budget lasts. False where the budget is used up. */
bool plan_next(struct plan *p);

/* How many steps the whole budget makes, and of how many tokens. */
int64_t plan_steps(const struct plan *p, int64_t *tokens);

/* Goes to the place after `steps` steps. */
void plan_skip(struct plan *p, int64_t steps);

#endif
