/* The fields that a request may have: one table of those that are honoured and
 * those that change nothing while they have a neutral value. Any other is
 * refused by its name, so that nobody takes for done what is not.
 */
#ifndef SERVE_FIELDS_H
#define SERVE_FIELDS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/* The fields of a chat's request, or of a text's; null says nothing and is
 * always taken. False with one sentence that names the field. */
bool fields_check(const json *request, bool text, struct err *e);

#endif
