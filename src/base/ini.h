/* Configuration files (by inih). Lines are measured before inih sees them:
 * over 4,000 bytes, or with a control character, they are refused by number.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Called for each `name = value`. False with a text in e refuses the line;
 * the file name and line number are put in front of it. */
typedef bool ini_fn(void *ctx, const char *section, const char *name,
                    const char *value, struct err *e);

/* Reads the file (at most 1 MiB). A file that is not there is empty. */
bool ini_read(const char *path, ini_fn *fn, void *ctx, struct err *e);

#endif
