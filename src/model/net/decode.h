/* Decoding with a key/value cache, one stream, and drawing the next token. */
#ifndef MODEL_NET_DECODE_H
#define MODEL_NET_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "model/net/llama.h"

struct decoder;

/* A stream of at most `tokens` tokens (cut to the model's context). The model
 * is borrowed and may be shared by decoders in several threads. */
struct decoder *decoder_new(const struct llama *m, int tokens, struct err *e);
void decoder_free(struct decoder **d);

/* How many tokens stand in the stream, and how many fit. */
int decoder_length(const struct decoder *d);
int decoder_room(const struct decoder *d);
/* Keeps the first n tokens and forgets the rest. */
void decoder_cut(struct decoder *d, int n);

/* Appends n > 0 ids (each below vocab). False where they do not fit. */
bool decoder_feed(struct decoder *d, const int32_t *ids, int n);

/* The logits behind the last token fed, [vocab]; borrowed, until the next
 * feed. */
real *decoder_logits(struct decoder *d);

/* Natural log probabilities of logits[V], in place. */
void log_softmax(real *logits, int V);

struct sampling {
    double temperature; /* 0: the largest logit */
    double top_p;       /* 1: all */
    int top_k;          /* 0: all */
};

/* The next token's id: of equal logits the first. Temperature first, then
 * top_k, then the smallest set whose probability reaches top_p, as
 * transformers does. */
int sample_token(const real *logits, int V, const struct sampling *s,
                 struct rng *r);

#endif
