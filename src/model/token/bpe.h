/* Byte-pair encoding over symbols that are token ids: which two neighbours
 * may be joined, in which order, and the joining itself, in O(n log n).
 */
#ifndef MODEL_TOKEN_BPE_H
#define MODEL_TOKEN_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The merges: (left, right) to rank and result. */
struct merges {
    struct merge {
        int32_t left, right, to;
        int32_t rank; /* -1: the place is free */
    } *at;            /* open addressing; cap is a power of two */
    size_t n, cap;
};

void merges_free(struct merges *m);
/* Adds one with the next rank. False where the pair is there already. */
bool merges_add(struct merges *m, int32_t left, int32_t right, int32_t to);

/* A token or a piece of one, with its bytes from..to-1 of the text. */
struct symbol {
    int32_t id;
    uint32_t from, to;
};

/* Joins neighbours, lowest rank first, of equal ranks the leftmost; returns
 * how many symbols are left in s. */
size_t bpe_merge(const struct merges *m, struct symbol *s, size_t n);

#endif
