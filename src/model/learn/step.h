/* One optimiser step over some rows, by all workers of a pool together: packs
 * of rows go through the model one after the other, their gradients add up,
 * and then the weights move.
 */
#ifndef MODEL_LEARN_STEP_H
#define MODEL_LEARN_STEP_H

#include <stdint.h>

#include "model/learn/adamw.h"
#include "model/learn/pack.h"
#include "model/learn/rows.h"
#include "model/net/llama.h"
#include "model/net/pool.h"

struct stepper {
    struct llama *model;
    const struct items *d;
    struct pool *pool;
    struct work *k;
    struct pack pack;
    real *grad;          /* [trained] */
    real *m, *v;         /* AdamW's moments [trained] */
    double clip;         /* 0: none */
    double gemm_seconds; /* of all workers so far */
};

/* Scratch for rows of at most `longest` ids, steps of about `tokens`;
 * recompute is work_shape's. Moments are 0. */
bool stepper_init(struct stepper *s, struct llama *m, const struct items *d,
                  struct pool *pool, int64_t longest, int64_t tokens,
                  bool recompute, struct err *e);
void stepper_done(struct stepper *s);

/* Makes the step: the loss is the weighted mean over the rows' targets, its
 * gradient is clipped to s->clip. Returns the loss; where it or the gradient's
 * norm is not finite nothing has changed and the result is not finite. */
double stepper_step(struct stepper *s, const uint32_t *row, size_t n,
                    struct adamw *a, double dropout, double adapter_dropout,
                    uint64_t key);

#endif
