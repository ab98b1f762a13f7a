/* Target files, as data/targets has them: what the demonstration reads.
 *   {"name":"...","description":"...","system":"...","principles":["..."],
 *    "near_limit":0.9}
 */
#ifndef RECIPE_TARGET_H
#define RECIPE_TARGET_H

#include <stddef.h>

#include "base/err.h"

struct target_file {
    char *name, *description, *system;
    char **principles;
    size_t n_principles, principles_cap;
    double near_limit; /* NAN: the recipe's own */
};

/* Reads a target from the text of its file; errors name the key. The caller
 * frees. */
struct target_file *target_file_load(const char *text, size_t n, struct err *e);
/* Reads targets/NAME.json, the user's own before the shipped one. */
struct target_file *target_file_find(const char *name, struct err *e);
void target_file_free(struct target_file **t);

#endif
