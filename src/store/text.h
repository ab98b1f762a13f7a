/* Texts: every prompt, answer, reason and raw reply once, under its SHA-256,
 * never changed. */
#ifndef STORE_TEXT_H
#define STORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* The id of these n bytes, stored now where they are new; 0 on failure. Must
 * run inside a write transaction. A text that was purged is refused with its
 * date (ERR_REFUSED), unless text_allow_restore was called. */
int64_t text_put(struct store *s, const void *p, size_t n, struct err *e);
int64_t text_puts(struct store *s, const char *text, struct err *e);

/* Whether text_put would refuse it as purged; e says when that was. */
bool text_refused(struct store *s, const void *p, size_t n, struct err *e);

/* From now on a purged text that comes in again gets its words back. */
void text_allow_restore(struct store *s);

/* A copy, NUL-terminated, that the caller frees; *n (may be NULL) gets its
 * length. NULL where there is no such text or it was purged. */
char *text_get(struct store *s, int64_t id, size_t *n);

#endif
