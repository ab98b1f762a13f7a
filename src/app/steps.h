/* The steps of a sample's lineage, read from the store. */
#ifndef APP_STEPS_H
#define APP_STEPS_H

#include "app/lineage.h"

struct store;

/* Adds the steps of a sample, oldest first: import or seeds, recipe, calls,
 * checks, decisions, then the runs and the exports that hold it. */
void lineage_read(struct store *s, const struct sample *x, struct lineage *out);
/* Frees all of them. */
void lineage_forget(struct lineage *l);

#endif
