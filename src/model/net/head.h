/* The last norm, the head and the loss over rows that all have a target, a
 * chunk of rows at a time: all logits never stand in memory at once.
 */
#ifndef MODEL_NET_HEAD_H
#define MODEL_NET_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/net/llama.h"

enum { HEAD_ROWS = 256 }; /* rows of logits at once */

struct head; /* scratch of one team */

/* Scratch for models of that shape, NULL and e where there is no memory;
 * freed with head_free. */
struct head *head_new(const struct config *c, struct err *e);
void head_free(struct head **h);

/* The bytes that it takes. */
size_t head_bytes(const struct config *c);

struct head_part {
    const real *x;         /* [n, hidden] the last residual */
    const int32_t *target; /* [n] */
    const int32_t *row;    /* [n] under which number a row is told of */
    const float *weight;   /* [n] what its loss counts */
    int n;
    real scale;            /* of the gradient */
    const struct llama *m; /* its last norm and head */
    real *dx; /* [n, hidden], added to; NULL where only the loss counts */
    real *dnorm, *dnorm_b, *dhead; /* likewise, of the norm and the head;
                                      NULL: they are frozen */
    const struct told *told;
};

/* The sum of -log p(target) times weight by fused softmax and cross-entropy,
 * the same in every worker of the team. dx is there for a worker's own rows of
 * each chunk; the team waits before it returns. */
double head_loss(const struct team *t, struct head *h,
                 const struct head_part *p);

#endif
