/* A number for each of many ids, in whatever order they come. */
#ifndef BASE_IDMAP_H
#define BASE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

/* Zero it before use; ids are not 0. */
struct idmap {
    struct idmap_slot {
        int64_t id, value; /* id 0: free */
    } *at;
    size_t n, size; /* used, and there are: a power of two */
};

/* The number of an id, to read or to change; NULL where it has none. Good
 * until the next id is put. */
int64_t *idmap_find(const struct idmap *m, int64_t id);
/* Puts one, in the place of the one that it had. */
void idmap_put(struct idmap *m, int64_t id, int64_t value);
/* Sorts by id what is in it into at[0..n): nothing is found or put then. */
void idmap_sort(struct idmap *m);
void idmap_free(struct idmap *m);

#endif
