/* What came of a call that ended: into the store, or, where the store cannot
 * be written, into a file of the job's folder that the job takes in when it
 * goes on. Nothing that was paid for is lost with the process.
 */
#ifndef VERBS_LANDING_H
#define VERBS_LANDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/job.h"

struct landing {
    struct call call; /* state (sent: a reply that is to be read), http,
                         tokens, cost, trouble, finish */
    struct buf raw;   /* the reply as it came */
    char *answer, *reasoning; /* read of it, or NULL */
};

void landing_free(struct landing *l);

/* Writes the call's row and texts, inside store_begin. A reply whose very
 * bytes were purged is not kept, and its call says so. */
bool landing_keep(struct store *s, struct landing *l, struct err *e);

/* The file in a job's folder; the caller frees. */
char *landings_path(const char *dir);

/* Appends one to what such a file will hold. */
void landing_print(const struct landing *l, struct buf *out);

/* Takes the file of a job into the store, in one transaction, and removes it.
 * What came to nothing is planned anew; calls that the store knows more of
 * than that they were sent stay as they are. *n says how many came in, 0
 * also where there is no file. */
bool landings_take(struct store *s, const char *dir, int64_t job, size_t *n,
                   struct err *e);

#endif
