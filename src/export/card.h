/* The card of a bundle, in English: the same bytes in every language. Not for
 * other rooms. */
#ifndef EXPORT_CARD_H
#define EXPORT_CARD_H

#include "export/bundle.h"

/* Who answered, how many rows each; kept by the bundle. */
struct answerer {
    char *name;
    int64_t rows;
};
typedef VEC(struct answerer) answerers;

/* README.md: header of the hub, counts, how each trainer loads it, how it was
 * made, checks. */
void card_write(const struct export_options *o, const struct export_report *r,
                const answerers *by, struct buf *out);

#endif
