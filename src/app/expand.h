/* The form that has a teacher make and answer prompts. */
#ifndef APP_EXPAND_H
#define APP_EXPAND_H

#include <stdbool.h>

struct app;
struct form;

/* Makes the fields; brings the estimate and the first prompt up to date; does
 * what the pressed button says. */
void expand_build(struct app *a, struct form *f);
void expand_refresh(struct app *a);
void expand_press(struct app *a);
/* Looks whether the tried call has ended, and shows what came of it; ends it.
 * True where the screen changed. */
bool expand_tick(struct app *a);
bool expand_leave(struct app *a);

#endif
