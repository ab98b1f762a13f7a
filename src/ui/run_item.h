/* Runs: the item of a training. */
#ifndef UI_RUN_ITEM_H
#define UI_RUN_ITEM_H

#include "ui/ui.h"

/* Draws the training under the cursor: settings, curve, a held-out row with
 * its answers, the best of it. */
void run_item_draw(struct app *a, struct area w);

#endif
