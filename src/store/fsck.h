/* fsck: recomputes everything that can be recomputed. */
#ifndef STORE_FSCK_H
#define STORE_FSCK_H

#include "store/store.h"

/* Called once a finding with one sentence that names the row, and once a
 * remark: what was taken on trust, what there was nothing to compare with. */
typedef void fsck_fn(void *ctx, bool finding, const char *text);

struct fsck_counts {
    int64_t texts, decisions, changes, rows, findings;
};

/* SQLite's own check; every text against its SHA-256; every sealed row
 * against its seal; every decision's hash and the chain; the ledger; caches
 * against the changes; references; the word index; the head file (what is
 * covered by what: store/journal.h). False where it could not be carried
 * through. */
bool store_fsck(struct store *s, fsck_fn *fn, void *ctx,
                struct fsck_counts *out, struct err *e);

/* Makes the word index anew of the texts, in one transaction. */
bool store_reindex(struct store *s, struct err *e);

#endif
