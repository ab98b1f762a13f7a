/* Lists of ids as text: "2041,2050-2099". */
#ifndef STORE_IDS_H
#define STORE_IDS_H

#include <stdbool.h>

#include "base/buf.h"
#include "store/store.h"

#define IDS_MOST 10000000 /* in one range */

/* Appends the list, in its order, what follows one on another as a range. */
void ids_print(const ids *list, struct buf *out);
/* Appends what such a text names; `letter` (s, j, d ...; 0: none) may stand in
 * front of each number. False where it is no such list. The caller frees with
 * VEC_FREE, also on failure. */
bool ids_parse(const char *text, char letter, ids *out);

#endif
