/* Decoding with key/value caches: many streams at once, each as far as it is.
 * A desk has the scratch and the workers; streams on it are fed one by one
 * (prompts) or together (a token each), and what one stream reads never
 * changes what another gets. */
#ifndef MODEL_NET_DECODE_H
#define MODEL_NET_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/net/llama.h"
#include "model/net/pool.h"

/* Tokens of a prompt that go through the model together: a prompt is always
 * cut at multiples of it, so that its keys do not depend on how it came. And
 * how many streams may be fed together. */
enum { DECODE_CHUNK = 64, DECODE_STREAMS = 16 };

struct desk;
/* Room for streams of at most `tokens` tokens (cut to the model's context).
 * The model is borrowed; several desks may share it. With pool NULL it works
 * in the calling thread. */
struct desk *desk_new(const struct llama *m, int tokens, struct pool *pool,
                      struct err *e);
void desk_free(struct desk **d);

struct decoder;
/* A stream of at most `tokens` tokens on a desk, or with a desk of its own in
 * one thread. */
struct decoder *decoder_at(struct desk *desk, int tokens, struct err *e);
struct decoder *decoder_new(const struct llama *m, int tokens, struct err *e);
void decoder_free(struct decoder **d);

/* How many tokens stand in the stream. */
int decoder_length(const struct decoder *d);
/* Keeps the first n tokens and forgets the rest. */
void decoder_cut(struct decoder *d, int n);
/* Takes over the first n tokens of another stream; n is a multiple of
 * DECODE_CHUNK, and fits. */
void decoder_take(struct decoder *d, const struct decoder *from, int n);

/* Appends n > 0 ids (each below vocab). False where they do not fit. */
bool decoder_feed(struct decoder *d, const int32_t *ids, int n);

/* Appends one id to each of n streams of one desk, at most DECODE_STREAMS,
 * all of which have room. Every stream's logits are those that it would have
 * alone. */
void decoders_feed(struct decoder *const *d, const int32_t *ids, int n);

/* The logits behind the last token fed, [vocab]; borrowed, until the next
 * feed. */
real *decoder_logits(struct decoder *d);

#endif
