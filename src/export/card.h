/* The texts of a bundle that are no rows. All English: the same bytes in
 * every language. Not for other rooms. */
#ifndef EXPORT_CARD_H
#define EXPORT_CARD_H

#include "export/bundle.h"

/* Who answered, how many rows each; kept by the bundle. */
struct answerer {
    char *name;
    int64_t rows;
};
typedef VEC(struct answerer) answerers;

/* README.md: header of the hub, counts, how it was made, checks. */
void card_write(const struct export_options *o, const struct export_report *r,
                const answerers *by, struct buf *out);

/* dataset_info.json for the subsets that LLaMA-Factory reads as they are. It
 * takes message lists (sft); its pairs and its marks want other rows. */
void index_write(const struct export_report *r, struct buf *out);

/* prov/lock.json. */
void lock_write(const struct export_options *o, const struct export_report *r,
                struct buf *out);

#endif
