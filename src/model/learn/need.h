/* The memory that a training needs, known before it begins. */
#ifndef MODEL_LEARN_NEED_H
#define MODEL_LEARN_NEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/learn/settings.h"
#include "model/net/llama.h"

/* Bytes: of the weights, of gradient and moments of what is trained, and of
 * the activations and scratch of a pass. */
struct need {
    int64_t weights, trained, pass;
};

static inline int64_t need_all(const struct need *n)
{
    return n->weights + n->trained + n->pass;
}

/* What training m (with its adapter, if any) by so many workers needs, rows
 * having at most `longest` tokens. */
struct need need_of(const struct llama *m, const struct settings *s,
                    int64_t longest, int workers);

/* The bytes that this process may still take: what the system has, or what is
 * left of the limit of its control group; -1 where nobody says. */
int64_t need_available(void);

/* False where gradient, moments and pass do not fit `available`: says what is
 * needed, and what would fit. The weights are in memory already. */
bool need_fits(const struct llama *m, const struct settings *s,
               int64_t longest, int workers, int64_t available,
               struct err *e);

#endif
