/* Import: rows of a file become seeds, or samples that wait for review. */
#ifndef VERBS_IMPORT_H
#define VERBS_IMPORT_H

#include "formats/format.h"
#include "store/store.h"

struct import_options {
    const char *path;
    const char *target;    /* NULL: the only one, else named after the file */
    bool as_samples;
    bool strict;           /* one bad row refuses the whole file */
    const char *format;    /* NULL: detected from the first good row */
    const struct mapping *mapping; /* NULL: none */
    int64_t job;           /* what came is its, and it is done then; 0: none */
    /* Called now and then with how many rows were read; false stops it and
     * nothing is changed. NULL: nobody asks. `ctx` is that of import_fn. */
    bool (*on_rows)(void *ctx, uint64_t rows);
};

/* Every row read is in exactly one of blank, bad, repeated or good; a good
 * row has brought at least one item. */
struct import_report {
    uint64_t rows, blank, bad, repeated, good;
    int64_t items;      /* seeds or samples added */
    int64_t duplicates; /* of them, rejected by the check */
    int64_t target;
    const char *format; /* name, or "map" */
    bool created;       /* the target is new */
};

/* Called once a row that was left out, with its line and the reason. */
typedef void import_fn(void *ctx, uint64_t line, const char *reason);

/* One decision (and one of `check` where there are duplicates) in one
 * transaction. With strict and bad rows nothing is changed and e says how
 * many. A row that is the same as a seed or sample of the file or the target
 * counts as repeated (seeds) or arrives rejected (samples). */
bool verb_import(struct store *s, const char *who,
                 const struct import_options *o, import_fn *fn, void *ctx,
                 struct import_report *out, struct err *e);

#endif
