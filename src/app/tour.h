/* The tour of the demo store: six steps, each derived from the store. */
#ifndef APP_TOUR_H
#define APP_TOUR_H

struct app;

/* Reads which step is next; its line, translated, NULL where there is no tour
 * or it is over. */
void tour_look(struct app *a);
const char *tour_line(const struct app *a);

#endif
