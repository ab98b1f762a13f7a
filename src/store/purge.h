/* Purging: words that must not stay are emptied wherever the store carries
 * them. Rows, ids and hashes stay, so that the chain still checks; a purged
 * text has no body and the date of its purge.
 */
#ifndef STORE_PURGE_H
#define STORE_PURGE_H

#include "store/journal.h"
#include "store/target.h"

/* What is to go. */
struct purge {
    ids samples, seeds, texts;
    bool everywhere; /* also where another live object uses a text */
};

/* A text that stays, and the object that uses it: "sample", "seed", "target",
 * "recipe" or "tag". */
struct purge_kept {
    int64_t text, object;
    const char *kind;
};

struct purge_found {
    ids samples, seeds; /* that are withdrawn: what was named and, everywhere,
                           what else used its texts */
    ids texts;          /* that are emptied */
    ids runs, exports;  /* that hold one of the samples */
    VEC(struct purge_kept) kept;
};

/* Finds what a purge would do: the texts of the objects themselves (prompts,
 * answers, edits, notes, reasons), the rendered prompts and raw replies that
 * they came in or went out with, and every other text that holds their words
 * (messages of at least PURGE_WORDS bytes, as they are or escaped in JSON).
 * An object that is not there is an error; the caller frees. */
#define PURGE_WORDS 12
bool purge_find(struct store *s, const struct purge *p,
                struct purge_found *out, struct err *e);
void purge_found_free(struct purge_found *f);

/* Withdraws the objects, takes them out of the word index, empties texts and
 * drafts and cancels the calls that wait to be asked with them, inside an act
 * of kind "purge". */
bool purge_apply(struct act *a, const struct purge_found *f, struct err *e);

#endif
