/* Stored replies, and recipes that read them: for each parser of the table the
 * folder fixtures/replies/NAME. */
#ifndef UNIT_REPLIES_H
#define UNIT_REPLIES_H

#include "base/json.h"
#include "recipe/recipe.h"

/* fixtures/replies/PARSER/NAME and `ending`; the caller frees. */
char *replies_path(const char *parser, const char *name, const char *ending);

/* A recipe of one step that the parser reads, as its settings.json says, with
 * the keys of `step` (may be NULL) in the place of those. The test fails where
 * it does not load. */
struct recipe *replies_recipe(const char *parser, const json *step);

#endif
