/* Tags, notes and ratings of samples and seeds. They are written by
 * act_tag and act_change (FIELD_NOTE, FIELD_RATING). */
#ifndef STORE_TAGS_H
#define STORE_TAGS_H

#include "store/journal.h"

/* The object's tags, blank-separated, in order; the caller frees. */
char *tags_of(struct store *s, enum object kind, int64_t object);

/* The note's text, or NULL; the caller frees. */
char *note_of(struct store *s, enum object kind, int64_t object);

/* The rating, 1 to 5, or 0. */
int rating_of(struct store *s, enum object kind, int64_t object);

/* Every tag in use, most used first, one a line, for completion; the caller
 * frees. */
char *tags_all(struct store *s);

#endif
