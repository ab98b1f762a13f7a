/* A row of a bundle as Export shows it: one of a sample's rows of a shape, as
 * the walk of verbs/rows.h makes them. */
#ifndef APP_SHOWN_ROW_H
#define APP_SHOWN_ROW_H

#include "export/row.h"
#include "store/target.h"

struct shown_row {
    int64_t sample;   /* 0: there is no row */
    int n, of;        /* which of the sample's rows of the shape: 0 .. of - 1 */
    enum shape shape;
    enum split split;
    bool label;       /* kto */
    bool from_order;  /* dpo: else from an edit */
    char *asked, *answer, *worse; /* for people; worse: dpo, else NULL */
    char *messages;   /* sft, sft_pc: as `stillroom-model render` reads them */
};

void shown_row_free(struct shown_row *r);
/* Reads the n-th (-1: the last) of a sample's rows of a shape; r->sample is 0
 * where it has no such row. */
void shown_row_read(struct store *s, enum shape shape, int64_t sample, int n,
                    struct shown_row *r);
/* Goes to the next row (by 1) or the one before (-1) of a shape among the
 * samples that narrow and filter name, from r on (r->sample 0: from the
 * start); round the end, over at most `most` samples. False where it found
 * none; r stays. */
bool shown_row_step(struct store *s, int64_t target, const char *filter,
                    enum shape shape, int by, size_t most,
                    struct shown_row *r);

#endif
