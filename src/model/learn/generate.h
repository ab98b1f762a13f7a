/* Answers, token by token. */
#ifndef MODEL_LEARN_GENERATE_H
#define MODEL_LEARN_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "model/net/decode.h"
#include "model/net/sample.h"
#include "model/token/tokenizer.h"

/* Called for each token drawn (the end too), with the logits that it was
 * drawn from, which it may change. False stops. */
typedef bool generate_fn(void *ctx, int32_t id, real *logits);

struct generate {
    const struct tokenizer *t; /* says which tokens end an answer; or NULL */
    int max;         /* tokens at most, the end not counted */
    struct sampling sampling;
    struct rng *rng; /* may be NULL where the temperature is 0 */
    int vocab;       /* ids from here on are never drawn */
    generate_fn *each; /* may be NULL */
    void *ctx;
};

/* Feeds a prompt of n ids to an empty or prefilled stream and draws an answer
 * into out[g->max]; returns its length without the end. *ended says whether
 * the end was drawn (else the limit, the context or `each` stopped it). */
int generate(struct decoder *d, const struct generate *g, const int32_t *ids,
             int n, int32_t *out, bool *ended);

#endif
