/* Items: what a reply brought, as named fields. Each parser says which fields
 * it gives; a step's templates, conditions and sinks name them.
 */
#ifndef RECIPE_ITEM_H
#define RECIPE_ITEM_H

#include <stddef.h>

#include "base/mem.h"

struct recipe_field {
    char *name, *text;
};

struct recipe_item {
    size_t index; /* its place in the reply, from 0 */
    VEC(struct recipe_field) fields;
};

/* The field's text, NULL where the item has none of that name. */
const char *field_get(const struct recipe_item *it, const char *name);
/* The same as a number, NAN where it is none. */
double field_number(const struct recipe_item *it, const char *name);

/* Sets a field: takes the text, or copies it. NULL sets nothing. */
void field_take(struct recipe_item *it, const char *name, char *text);
void field_put(struct recipe_item *it, const char *name, const char *text);
void field_put_number(struct recipe_item *it, const char *name, double value);

void fields_free(struct recipe_item *it);

#endif
