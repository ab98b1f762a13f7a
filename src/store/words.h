/* The word index (FTS5, contentless) over prompts and answers. Not for other
 * rooms: filters reach it through store/query.h. */
#ifndef STORE_WORDS_H
#define STORE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* What the index holds of a sample (its last user message and its live
 * candidates' answers) or a seed; the caller frees both. False where a text of
 * it was purged: then nothing of it is in the index. */
bool words_of_sample(struct store *s, int64_t sample, char **prompt,
                     char **answers);
bool words_of_seed(struct store *s, int64_t seed, char **prompt,
                   char **answer);

/* Puts in, or takes out, what it holds at this moment. A row must be taken
 * out before what it holds changes. */
bool words_add_sample(struct store *s, int64_t sample, struct err *e);
bool words_remove_sample(struct store *s, int64_t sample, struct err *e);
bool words_add_seed(struct store *s, int64_t seed, const char *prompt,
                    const char *answer, struct err *e);
/* All that a text stands in: in, after it came back; out, before it goes. */
bool words_of_text(struct store *s, int64_t text, bool in, struct err *e);
/* The same when both texts are at hand (an import's fast path). */
bool words_add(struct store *s, int64_t sample, const char *prompt,
               const char *answers, struct err *e);

/* The FTS5 query for a piece of text: its words one after another; without
 * `exact` the last one may go on. The caller frees. */
char *words_query(const char *text, bool exact);

#endif
