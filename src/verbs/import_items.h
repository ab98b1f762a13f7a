/* What a row came to, into the store: a seed, or a sample with its answers. */
#ifndef VERBS_IMPORT_ITEMS_H
#define VERBS_IMPORT_ITEMS_H

#include "base/idmap.h"
#include "formats/format.h"
#include "store/journal.h"
#include "store/seed.h"

/* Where items go; begun by who imports with its act. */
struct intake {
    struct store *s;
    struct act a;
    int64_t target, job, line;
    const char *origin;        /* the file's name */
    const char *raw;           /* the row as it came */
    size_t raw_size;
    struct seed_deal deal;
    ids falses;                /* samples marked as false, ascending */
    struct idmap orders;       /* texts of those that it wrote, by sample */
    int64_t items, answers;    /* seeds or samples; answers to samples that
                                  stood already */
    bool misfit;               /* the last item's order was left out: it does
                                  not go with the one that stands */
};

/* Adds a seed, with the best answer where it has several; *new says whether it
 * was not there yet. `split` -1: dealt. */
bool intake_seed(struct intake *in, const struct item *x, int split,
                 bool *new_one, struct err *e);
/* Adds a sample, or the item's answers to the sample that has its prompt; its
 * order joins the one that stands. Nothing is added where all stands. */
bool intake_sample(struct intake *in, const struct item *x, int split,
                   bool *new_one, struct err *e);
/* What belongs to all of them: splits, then orders and marks as decisions of
 * `import`. Frees what the intake holds. */
bool intake_end(struct intake *in, struct err *e);
void intake_free(struct intake *in);

#endif
