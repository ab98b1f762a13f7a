/* Checkpoints: one safetensors file each with the weights, AdamW's moments
 * and a note (JSON) of everything else that decides the bits to come, and of
 * the sum of its numbers: one that has changed is not read. Written to a
 * temporary, synced, renamed; the last two are kept, and the best beside
 * them.
 */
#ifndef MODEL_LEARN_CHECKPOINT_H
#define MODEL_LEARN_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct checkpoint {
    size_t n;           /* parameters */
    float *w, *m, *v;   /* [n], borrowed */
    int64_t step;
};

/* Writes RUN/checkpoints/step-NNNNNNNN.safetensors and removes all but the
 * two newest. */
bool checkpoint_save(const char *run, const struct checkpoint *c,
                     const char *note, struct err *e);

/* Writes RUN/checkpoints/best.safetensors: the weights alone. */
bool checkpoint_best(const char *run, const struct checkpoint *c,
                     const char *note, struct err *e);

/* Reads those weights into c->w, and c->step: where they are from. */
bool checkpoint_load_best(const char *run, struct checkpoint *c,
                          struct err *e);

/* The note of the newest checkpoint that can be read, parsed, with its step
 * in *step; NULL with code ERR_ABSENT where there is none. */
json *checkpoint_find(const char *run, int64_t *step, struct err *e);

/* Reads the arrays of checkpoint c->step. */
bool checkpoint_load(const char *run, struct checkpoint *c, struct err *e);

#endif
