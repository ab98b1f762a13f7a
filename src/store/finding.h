/* What the parts of fsck share. Not for other files. */
#ifndef STORE_FINDING_H
#define STORE_FINDING_H

#include "store/fsck.h"

struct fsck {
    struct store *s;
    fsck_fn *fn;
    void *ctx;
    struct fsck_counts *n;
    struct err *e;
};

/* One finding; one remark that is none. */
void found(struct fsck *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void remark(struct fsck *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The word index against the texts: which words stand where, how many there
 * are of each row and in all. */
bool fsck_words(struct fsck *f);

/* The tables of the log against their seals and the ledger. */
bool fsck_log(struct fsck *f);

#endif
