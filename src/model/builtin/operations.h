/* The eight operations. What one draws, writes, reads, solves and mistakes is
 * told in front of its functions in ops_text.c and ops_number.c. */
#ifndef BUILTIN_OPERATIONS_H
#define BUILTIN_OPERATIONS_H

#include "model/builtin/family.h"

extern const struct operation op_extraction, op_toolcall, op_letters,
    op_units, op_filter, op_sort, op_dates, op_twostep;

/* ---- What they share ----------------------------------------------------- */

/* Evenly from lo to hi. */
int draw_between(struct rng *r, int lo, int hi);
/* Evenly from the family's i-th range. */
int draw_range(const struct problem *p, struct rng *r, int i);
bool in_range(const struct problem *p, int i, int value);
/* A place in the problem's list. */
int draw_word(const struct problem *p, struct rng *r, int list);
size_t word_count(const struct family *f, size_t lang, int list);

/* Reads a whole number without sign or leading zeros (at most 6 digits) and
 * moves *s behind it. */
bool take_number(const char **s, int *out);
/* The whole of s is such a number. */
bool read_whole_number(const char *s, int *out);
/* Moves *s behind `text` where it stands there. */
bool take_text(const char **s, const char *text);

#endif
