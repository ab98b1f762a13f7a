/* One optimiser step over some rows, by all workers of a pool. Each takes a
 * run of the rows through the whole model with a gradient of its own; the
 * gradients are then added in the order of the workers, so that the bits
 * depend on the number of workers and on nothing else.
 */
#ifndef MODEL_LEARN_STEP_H
#define MODEL_LEARN_STEP_H

#include <stdint.h>

#include "model/learn/adamw.h"
#include "model/learn/rows.h"
#include "model/net/llama.h"
#include "model/net/pool.h"

struct stepper {
    struct llama *model;
    const struct items *d;
    struct pool *pool;
    struct work **k;     /* by worker */
    real *m, *v;         /* AdamW's moments [n] */
    struct seat *seat;   /* by worker */
    double clip;         /* 0: none */
    double gemm_seconds; /* of all workers so far */
};

/* Scratch for rows of at most `longest` ids; moments are 0. */
bool stepper_init(struct stepper *s, struct llama *m, const struct items *d,
                  struct pool *pool, int longest, struct err *e);
void stepper_done(struct stepper *s);

/* Makes the step: the loss is the mean over the rows' targets, its gradient
 * is clipped to s->clip. Returns the loss; where it or the gradient's norm is
 * not finite nothing has changed and the result is not finite. */
double stepper_step(struct stepper *s, const uint32_t *row, size_t n,
                    struct adamw *a, double dropout, uint64_t key);

#endif
