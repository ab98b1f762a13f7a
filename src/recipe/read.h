/* Typed reads of JSON members whose errors name the key; what the files of
 * this room have in common. */
#ifndef RECIPE_READ_H
#define RECIPE_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

/* True where `word` is one of the blank-separated words of `list`. */
bool word_among(const char *word, const char *list);

/* The next of blank-separated words, cut to cap; *list moves behind it. False
 * at the end. */
bool word_next(const char **list, char *out, size_t cap);

/* False where j is no object or has a key that is not among the words of
 * `keys` (separated by blanks): a misspelt key is an error, not a silence. */
bool read_keys(const json *j, const char *keys, struct err *e);

/* The text member: a string, or a list of lines. Absent: *out stays, and it
 * is an error where `must`. The caller frees *out. */
bool read_text(const json *j, const char *key, bool must, char **out,
               struct err *e);

/* The number member within lo..hi. Absent: *out stays. */
bool read_number(const json *j, const char *key, double lo, double hi,
                 double *out, struct err *e);
/* The same for a whole number. */
bool read_whole(const json *j, const char *key, double lo, double hi,
                int *out, struct err *e);
/* true or false. Absent: *out stays. */
bool read_bool(const json *j, const char *key, bool *out, struct err *e);

/* The place of a text member among n names; an error that lists them where it
 * is none of them. */
bool read_choice(const json *j, const char *key, const char *const *names,
                 size_t n, int *out, struct err *e);

#endif
