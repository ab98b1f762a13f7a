/* Drafts: unsaved typing, kept so that a crash or a hang-up loses none. */
#ifndef STORE_DRAFT_H
#define STORE_DRAFT_H

#include "store/journal.h"

/* `field` is "answer", "prompt", "note" ... */
bool draft_put(struct store *s, const char *who, enum object kind,
               int64_t object, const char *field, const char *body,
               struct err *e);
/* The draft's body, or NULL; the caller frees. */
char *draft_get(struct store *s, const char *who, enum object kind,
                int64_t object, const char *field);
bool draft_drop(struct store *s, const char *who, enum object kind,
                int64_t object, const char *field, struct err *e);
/* Drops everybody's drafts of an object. Inside an act. */
bool draft_drop_all(struct store *s, enum object kind, int64_t object,
                    struct err *e);

#endif
