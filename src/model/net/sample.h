/* Drawing the next token from logits. */
#ifndef MODEL_NET_SAMPLE_H
#define MODEL_NET_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "model/net/real.h"

/* In the order in which they count: temperature, then top_k, then the
 * smallest set whose probability reaches top_p, then min_p, as transformers
 * does. */
struct sampling {
    double temperature; /* 0: the largest logit */
    double top_p;       /* 1: all */
    int top_k;          /* 0: all */
    double min_p;       /* of the likeliest token's probability; 0: all */
};

/* Natural log probabilities of logits[V], in place. */
void log_softmax(real *logits, int V);

struct alternative {
    int32_t id;
    double logprob;
};
/* The n likeliest of logprobs[V] into top[n], the first of equal ones first;
 * returns how many there are. */
int sample_likeliest(const real *logprobs, int V, int n,
                     struct alternative *top);

/* The next token's id: of equal logits the first. */
int sample_token(const real *logits, int V, const struct sampling *s,
                 struct rng *r);

/* What changes logits before a token is drawn. */
struct penalties {
    double frequency, presence; /* off for each time, and once, that a token
                                   is in the answer (OpenAI's) */
    double repetition; /* divides what stands in prompt or answer, or
                          multiplies it below 0 (Keskar et al. 2019); 1: not */
    const int32_t *bias_id; /* n_bias ids, and what is added to each */
    const double *bias;
    size_t n_bias;
};

/* logits[V] with the penalties for the n ids of an answer behind a prompt;
 * ids not below V are let be. `seen` has room for V and is 0 before and
 * after. */
void penalise(real *logits, int V, const struct penalties *p,
              const int32_t *prompt, size_t n_prompt, const int32_t *answer,
              size_t n, uint8_t *seen);

#endif
