/* An open prompt: the line that is typed, and what may come next. */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "app/line.h"
#include "ui/cells.h"

/* Draws what is typed in `room` cells of a row, scrolled so that the cursor is
 * among them or right behind, and puts it there. */
void line_text(const struct line *l, int y, int x, int room, enum style role);
/* Draws the whole row of an open prompt. */
void line_draw(const struct line *l, int y);
/* What stands below it: what is wrong with it, else what Tab can put in, else
 * its keys. */
void line_hint(const struct line *l, int y);

#endif
