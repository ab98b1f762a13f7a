/* The tour of the demo store: six steps, each derived from the store. */
#ifndef APP_TOUR_H
#define APP_TOUR_H

#include <stddef.h>

struct app;

/* The line of the step that is next, translated; NULL where there is no tour
 * or it is over. */
const char *tour_line(struct app *a, char *out, size_t cap);

#endif
