/* Rows one behind the other, without padding, for one pass of the model. */
#ifndef MODEL_LEARN_PACK_H
#define MODEL_LEARN_PACK_H

#include "model/learn/rows.h"
#include "model/net/llama.h"

struct pack {
    int room; /* tokens that fit */
    int T, n; /* tokens and rows in it */
    int32_t *ids, *target, *start;
    float *weight;
};

/* Room for so many tokens; pack_done gives it back. */
void pack_init(struct pack *p, int room);
void pack_done(struct pack *p);

/* Empties it, then adds rows from row[0] on (d->at[0] on where row is NULL)
 * while they fit; the first one always has to. Returns how many of the n it
 * took. */
size_t pack_fill(struct pack *p, const struct items *d, const uint32_t *row,
                 size_t n);

/* What was filled, `first` being its first token's number in the step;
 * borrows the pack's arrays. */
struct batch pack_batch(const struct pack *p, int64_t first);

/* How many tokens to take at once: as many as keep the activations within
 * 256 MB, at least 512 and the longest row, at most `most`. */
int pack_room(const struct llama *m, bool recompute, int64_t longest,
              int64_t most);

#endif
