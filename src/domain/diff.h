/* The word diff of two texts, as the screen shows it. */
#ifndef DOMAIN_DIFF_H
#define DOMAIN_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

enum diff_op { DIFF_KEEP, DIFF_DEL, DIFF_ADD };

/* A run of words with one fate. The text is a[from..to) for DIFF_DEL, else
 * b[from..to); the white space in front of it is [gap..from) there. */
struct diff_piece {
    enum diff_op op;
    size_t gap, from, to;
    size_t words;
};

struct diff {
    VEC(struct diff_piece) pieces;
    size_t kept, removed, added; /* words */
};

/* Words ("isn't" and "14:35" are one), numbers ("1.000") and other signs are
 * compared as they stand; runs of white space count as equal.
 * Myers 1986, greedy, after common ends are taken off; texts that differ in
 * more than 2,000 words come out as one removal and one addition. */
void diff_words(const char *a, const char *b, struct diff *out);
/* Whether less than a third of both texts is shared: a diff of them says less
 * than they do. Not where one of them is empty. */
bool diff_apart(const struct diff *d);
void diff_free(struct diff *d);

#endif
