/* Purging: takes words out of the store, the folders of its runs and the word
 * index for good. Only hashes stay. */
#ifndef VERBS_PURGE_H
#define VERBS_PURGE_H

#include "store/purge.h"

/* Finds what goes, and with `really` does it, in one transaction: one
 * decision, *seq. Snapshots and answers of runs that hold a purged sample are
 * deleted with it; a run that still goes on refuses the purge. What exports
 * hold is outside the store: they are named in `out`, which the caller frees
 * with purge_found_free. */
bool verb_purge(struct store *s, const char *who, const struct purge *p,
                bool really, struct purge_found *out, int64_t *seq,
                struct err *e);

#endif
