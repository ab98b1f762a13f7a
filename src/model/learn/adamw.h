/* AdamW (Loshchilov and Hutter 2019) with decoupled decay, as PyTorch has
 * it: the decay first, epsilon outside the root of the corrected moment.
 */
#ifndef MODEL_LEARN_ADAMW_H
#define MODEL_LEARN_ADAMW_H

#include <stddef.h>
#include <stdint.h>

#include "model/net/llama.h"

struct adamw {
    double rate, decay, beta1, beta2, eps;
    int64_t step;   /* from 1 */
    double scale;   /* of the gradient (clipping) */
};

/* Updates the trained parameters lo..hi-1 of the model (llama_trained counts
 * them); m and v are their moments, g the gradient, which is 0 afterwards.
 * Gains are not decayed. */
void adamw_update(const struct adamw *a, struct llama *model, real *m, real *v,
                  real *g, size_t lo, size_t hi);

/* The sum of squares of n elements. */
double adamw_squares(const real *g, size_t n);

/* The rate at a step counted from 0: up in a line from 0 over `warm` steps,
 * then a half cosine or a line down to `floor` of the peak, or no change. */
enum schedule { SCHEDULE_COSINE, SCHEDULE_LINEAR, SCHEDULE_CONSTANT };
double rate_at(enum schedule kind, double peak, double floor, int64_t warm,
               int64_t steps, int64_t step);

#endif
