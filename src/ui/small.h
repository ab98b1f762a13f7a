/* Screens under 60x16: one pane at a time, texts without a gutter. */
#ifndef UI_SMALL_H
#define UI_SMALL_H

#include "ui/layout.h"

/* Row 1 and the pane that is there; of Review the facts as well. */
void small_draw(struct app *a, const struct view_ops *ops,
                const struct layout *l);
/* Under 20x5: what can be said in one to four rows. */
void small_line(struct app *a);

#endif
