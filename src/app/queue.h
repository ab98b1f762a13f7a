/* The rows of Review and of Seeds: what the view's filter names, by id, as the
 * source of a list.
 */
#ifndef APP_QUEUE_H
#define APP_QUEUE_H

#include "app/list.h"

struct app;

struct queue {
    struct app *a;
    bool seeds; /* else samples */
};

/* Its ctx is a struct queue. A query that failed, or that Esc ended, is said on
 * row 23. */
extern const struct list_source queue_source;

/* Whether a filter can be asked of such rows; *e says why not. */
bool queue_takes(const struct queue *q, const char *filter, struct err *e);
/* Whether the filter names this one now. */
bool queue_has(const struct queue *q, int64_t id);

/* Reads the rows of its list anew: those that it names no more keep their
 * places as long as the list is open, and so does the one that is shown. */
void queue_refresh(const struct queue *q, struct list *l, int64_t shown);

/* The nearest row after `from` (or before it) and not past `until` in which a
 * text stands, 0 where there is none, -1 where it was given up. By words, then
 * by reading. */
int64_t queue_find(const struct queue *q, const char *text, int64_t from,
                   int64_t until, bool back);

#endif
