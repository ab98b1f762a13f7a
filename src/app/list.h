/* A list of ids with a cursor, a selection and the first visible row.
 *
 * A short list is held whole. Of a long one, the rows of a query in the order
 * of their ids, a window around the cursor is held and the rest is asked for
 * when it is wanted: nothing of it grows with the store. Rows are counted from
 * 0 over the whole list, wherever the window stands.
 *
 * Rows that left the query while the list was open (they were decided) stay
 * in their places until it is opened anew: those are kept by name.
 */
#ifndef APP_LIST_H
#define APP_LIST_H

#include <stdbool.h>

#include "store/target.h"

/* Where the rows of a long list come from. Each returns false, or -1, where
 * it could not tell; it has said why. */
struct list_source {
    int64_t (*count)(void *ctx);
    int64_t (*rank)(void *ctx, int64_t id);     /* how many have a lower id */
    int64_t (*at)(void *ctx, size_t row);       /* 0: there are fewer */
    /* Up to n ids above or below one: ascending, descending. */
    bool (*after)(void *ctx, int64_t id, size_t n, ids *out);
    bool (*before)(void *ctx, int64_t id, size_t n, ids *out);
};

struct list {
    const struct list_source *source; /* NULL: held whole */
    void *ctx;
    ids rows;           /* the window: rows `from` and behind */
    size_t from, total; /* total: of all rows, */
    bool uncounted;     /* or of those that were read so far */
    size_t cursor, top;
    ids kept;           /* rows that are in the query no more, ascending */
    bool everything;    /* the selection is all but `marked`; else `marked` */
    ids marked;
    int64_t anchor;     /* an end of a range: its id */
};

void list_free(struct list *l);
/* Takes new ids (emptying *from) as all that there is, keeping the cursor on
 * the same id where it is still there. */
void list_take(struct list *l, ids *from);
/* Makes it the rows of a source, nothing kept and nothing selected; the cursor
 * stays on its id where that is still there. */
void list_open(struct list *l, const struct list_source *source, void *ctx);
/* Reads anew what the source has: rows came or went. Cursor, selection and
 * what is kept stay. */
void list_refresh(struct list *l);
/* Counts the rows anew; false where that was left with Esc: nobody knows how
 * many there are. */
bool list_count(struct list *l);
/* Says that this id is in the query no more but keeps its row; or that it is
 * in it again. To be followed by list_refresh. */
void list_keep(struct list *l, int64_t id, bool on);

/* The id of a row, 0 where there is none or it is outside of the window; that
 * under the cursor. */
int64_t list_at(const struct list *l, size_t row);
int64_t list_id(const struct list *l);
/* Moves by n rows; false where it stood at the end already. */
bool list_move(struct list *l, long n);
/* Goes to a row, the last one where there are fewer; to an id: false where it
 * is not in the list. */
void list_go_row(struct list *l, size_t row);
bool list_go(struct list *l, int64_t id);
/* Brings the cursor into `rows` visible rows, keeping one row beside it in
 * sight. */
void list_scroll(struct list *l, size_t rows);

/* The selection: whether a row is in it, putting it in or out, from the anchor
 * to the cursor, how many are, and which (appended, ascending). */
bool list_selected(const struct list *l, int64_t id);
void list_mark(struct list *l, int64_t id, bool on);
void list_mark_range(struct list *l);
void list_mark_none(struct list *l);
size_t list_selected_count(const struct list *l);
bool list_selected_ids(const struct list *l, ids *out);

#endif
