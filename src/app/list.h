/* A list of ids with a cursor, a selection and the first visible row. */
#ifndef APP_LIST_H
#define APP_LIST_H

#include <stdbool.h>

#include "store/target.h"

struct list {
    ids all;
    size_t cursor, top;
    bool everything; /* the selection is all but `marked`; else `marked` */
    ids marked;
    size_t anchor;   /* of a range */
};

void list_free(struct list *l);
/* Takes new ids (emptying *from), keeping the cursor on the same id where it
 * is still there. */
void list_take(struct list *l, ids *from);
/* The id under the cursor, 0 in an empty list. */
int64_t list_id(const struct list *l);
/* Moves by n rows; false where it stood at the end already. */
bool list_move(struct list *l, long n);
bool list_go(struct list *l, int64_t id);
/* Brings the cursor into `rows` visible rows, keeping one decided row above
 * it in sight. */
void list_scroll(struct list *l, size_t rows);

/* The selection: whether a row is in it, putting it in or out, how many are. */
bool list_selected(const struct list *l, int64_t id);
void list_mark(struct list *l, int64_t id, bool on);
size_t list_selected_count(const struct list *l);

#endif
