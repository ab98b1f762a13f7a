/* What looking up would do: the answer of the training row whose prompt is
 * nearest to a held-out row's. A student that does no better has learned
 * nothing that the rows do not say word for word.
 */
#ifndef MODEL_LEARN_NEAREST_H
#define MODEL_LEARN_NEAREST_H

#include "model/learn/rows.h"

/* More training rows than these are not looked through. */
#define NEAREST_ROWS 100000

/* The share of right ones among such answers to the held-out rows (read from
 * `valid`) that are asked and can be marked; NAN where those are fewer than
 * FIGURE_LEAST, where there are too many rows, or a file cannot be read. */
double nearest_exact(char *const *rows, size_t n_rows, const char *valid,
                     const struct items *held);

#endif
