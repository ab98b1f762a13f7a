/* The regular expressions of tokenizer files (Oniguruma's, as `tokenizers`
 * reads them), by PCRE2: Unicode properties, with \s as White_Space's 25
 * points.
 */
#ifndef MODEL_TOKEN_REGEX_H
#define MODEL_TOKEN_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

struct regex;

/* NULL where it cannot be compiled, with the reason. */
struct regex *regex_new(const char *pattern, struct err *e);
void regex_free(struct regex **r);

struct match {
    size_t from, to; /* bytes */
};
typedef VEC(struct match) matches;

/* Appends every match in s[0..n), left to right; empty ones are left out.
 * False where a limit ended the search: what was found stands. Safe from
 * several threads. */
bool regex_all(const struct regex *r, const char *s, size_t n, matches *out);

#endif
