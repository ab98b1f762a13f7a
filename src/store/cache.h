/* The cached columns and tables that the journal keeps: one place that knows
 * where the value of (object, field) stands. Not for other rooms. */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include "store/journal.h"

/* The current value; ERR_ABSENT where there is no such object. 0 for a field
 * that holds nothing. FIELD_TAG has no single value and is refused. */
bool cache_get(struct store *s, enum object kind, int64_t object,
               enum field field, int64_t *value, struct err *e);

/* Writes c->new_value (FIELD_TAG: removes old, adds new), keeping the word
 * index and the prompt's hash in step. */
bool cache_set(struct store *s, const struct change *c, struct err *e);

/* Makes the hash of every prompt that is this text again. */
bool cache_prompts_of(struct store *s, int64_t text, struct err *e);

/* Whether the object carries the tag now. */
bool cache_has_tag(struct store *s, enum object kind, int64_t object,
                   const char *name);

#endif
