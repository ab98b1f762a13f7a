/* The form that has a teacher make and answer prompts. */
#ifndef APP_EXPAND_H
#define APP_EXPAND_H

struct app;
struct form;

/* Makes the fields; brings the estimate and the first prompt up to date; does
 * what the pressed button says. */
void expand_build(struct app *a, struct form *f);
void expand_refresh(struct app *a);
void expand_press(struct app *a);

#endif
