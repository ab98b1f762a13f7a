/* Import: rows of a file become seeds, or samples that wait for review. */
#ifndef VERBS_IMPORT_H
#define VERBS_IMPORT_H

#include "formats/format.h"
#include "store/store.h"

struct import_options {
    const char *path;
    const char *target;    /* NULL: the only one, else named after the file */
    bool as_samples;
    bool strict;           /* a bad row, or a key that nobody reads, refuses
                              the whole file */
    bool dry_run;          /* all is read and counted, nothing is written */
    const char *format;    /* NULL: each row by its own shape */
    const struct mapping *mapping; /* NULL: none */
    char delimiter;        /* of CSV; 0: found in the header */
    const char *rejects;   /* a new file for the rows that are refused: JSON
                              lines; NULL: none */
    int64_t job;           /* what came is its, and it is done then; 0: none */
    /* Called now and then with how many rows were read; false stops it and
     * nothing is changed. NULL: nobody asks. `ctx` is that of import_fn. */
    bool (*on_rows)(void *ctx, uint64_t rows);
};

/* Every row read is in exactly one of blank, bad, repeated or good; a good
 * row has brought an item, an answer, an order or a tag. */
struct import_report {
    uint64_t rows, blank, bad, repeated, good;
    int64_t items;      /* seeds or samples added */
    int64_t answers;    /* to samples that stood already */
    int64_t falses;     /* of the samples: rejected, marked as false */
    int64_t target;
    const char *format; /* its name, "map", or "mixed" */
    char *note;         /* how the file was read, NULL for nothing */
    struct unread unread; /* of the rows that were taken */
    bool created;       /* the target is new */
};
void import_report_free(struct import_report *r);

/* Called once a row that was left out, with its line and the reason. */
typedef void import_fn(void *ctx, uint64_t line, const char *reason);

/* One decision in one transaction, with those of `import` behind it: orders
 * that rows gave, marks as false. With strict and bad rows nothing is changed
 * and e says how many. Several answers to one prompt are candidates of one
 * sample; a row whose prompt and answers all stand counts as repeated. `out`
 * is freed with import_report_free whatever comes of it. */
bool verb_import(struct store *s, const char *who,
                 const struct import_options *o, import_fn *fn, void *ctx,
                 struct import_report *out, struct err *e);

#endif
