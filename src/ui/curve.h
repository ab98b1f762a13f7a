/* The curve of a training, drawn in braille; of two over each other. */
#ifndef UI_CURVE_H
#define UI_CURVE_H

#include "app/runs.h"
#include "ui/cells.h"

/* Draws the training's losses, and those of the run that it is compared with
 * in other signs; the last row is the steps' axis. */
void curve_draw(const struct runs_state *r, struct area to);

#endif
