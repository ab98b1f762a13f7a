/* An open prompt: the line that is typed, and what may come next. */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "app/line.h"

/* Draws the line on row y and leaves the cursor in it. */
void line_draw(const struct line *l, int y);
/* What stands below it: what is wrong with it, else what Tab can put in, else
 * its keys. */
void line_hint(const struct line *l, int y);

#endif
