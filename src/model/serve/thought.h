/* What an answer thinks, <think>...</think> at its beginning, apart from what
 * it says, piece by piece. */
#ifndef SERVE_THOUGHT_H
#define SERVE_THOUGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum thought_place { THOUGHT_BEFORE, THOUGHT_IN, THOUGHT_BEHIND, THOUGHT_OVER };

/* Begins as {0} with a buf of some room; thought_free frees. */
struct thought {
    enum thought_place place;
    bool begun; /* something was thought */
    struct buf held; /* what may be the beginning of a mark */
};

/* Adds n bytes of the answer: what is thought goes to `thought`, what is said
 * to `said`, blanks behind the two marks to neither. With `last` nothing is
 * held back. */
void thought_feed(struct thought *t, const char *s, size_t n, bool last,
                  struct buf *thought, struct buf *said);
void thought_free(struct thought *t);

#endif
