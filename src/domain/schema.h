/* What a JSON value must be like, said in JSON Schema. Of its keywords these
 * are known: type, required, properties, additionalProperties, items, enum,
 * minimum, maximum, minLength, maxLength, minItems, maxItems. A pure function
 * of the schema and the value.
 */
#ifndef DOMAIN_SCHEMA_H
#define DOMAIN_SCHEMA_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/* False where the schema has another keyword, or one of them with a value that
 * it cannot have; the error begins with the place, as "/properties/age". */
bool schema_usable(const json *schema, struct err *e);

/* True where the value is as the schema says, which must be usable; else the
 * first thing that is not, behind its place ("/tags/0: expected a string"). */
bool schema_check(const json *schema, const json *value, struct err *e);

#endif
