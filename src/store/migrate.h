/* Takes an older store up to STORE_VERSION. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stdbool.h>

#include "base/err.h"

struct store;

/* In one transaction, with a whole copy of what it begins with kept beside
 * (NAME.before-vN; where that stands there, the first of NAME.before-vN.2, .3
 * and so on that does not): the schema, the seals that it did not have, and a
 * decision of kind "seal" by `stillroom` whose reason counts, table by table,
 * what was taken on trust. What was done is the store's notice; nothing where
 * another process has just done it. A store that a head is ahead of keeps that
 * head. */
bool migrate(struct store *s, struct err *e);

#endif
