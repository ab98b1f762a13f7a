/* The one walk from samples to rows: export, training and nano read samples
 * through it, one after another, in ascending order or in the order given.
 */
#ifndef VERBS_ROWS_H
#define VERBS_ROWS_H

#include "export/row.h"
#include "store/sample.h"

/* ---- Samples ------------------------------------------------------------ */

/* Appends the target's samples that both filters name, ascending: `narrow`
 * ("status:accepted split:train") and `filter` ("" for everything). */
bool pick_ids(struct store *s, int64_t target, const char *narrow,
              const char *filter, ids *out, struct err *e);

/* One sample after another:
 *   struct pick p = {.s = s, .ids = &list};
 *   while (pick_next(&p, e)) ... p.x, p.answer
 *   pick_done(&p);
 * pick_next is false at the end, and on failure, which p.failed tells. */
struct pick {
    struct store *s;
    const ids *ids;
    size_t next;
    struct sample x;
    const struct candidate *answer; /* that it stands for, of an undecided one
                                       that it opens with; NULL: none */
    bool failed;
};
bool pick_next(struct pick *p, struct err *e);
void pick_done(struct pick *p);

/* ---- Rows of a bundle --------------------------------------------------- */

struct row_form {
    int64_t target;
    const char *filter;       /* "" for everything */
    bool shapes[SHAPE_COUNT]; /* which to make */
    enum thinking thinking;
    bool list_tools;
    const char *system;       /* the system message of each row, "" for none;
                                 NULL: as the prompts have it */
    bool keep_own;            /* only where a prompt has none */
    bool (*stop)(void);       /* asked once a sample: true ends with
                                 ERR_CANCEL; or NULL */
};

/* Rows, all of one sample together; samples ascending, but first those that
 * have more than role and content. `form` is borrowed. NULL on failure. */
struct row_walk;
struct row_walk *row_walk_open(struct store *s, const struct row_form *form,
                               struct err *e);
/* Those of one sample alone, whatever the form's filter says. */
struct row_walk *row_walk_of(struct store *s, const struct row_form *form,
                             int64_t sample);
void row_walk_free(struct row_walk **w);
/* Hands out the next row, good until the next call: *row is NULL at the end.
 * False on failure. */
bool row_walk_next(struct row_walk *w, const struct export_row **row,
                   struct err *e);

#endif
