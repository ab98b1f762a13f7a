/* A list's rows as columns: one table a view says what they hold, how wide
 * they are and which go first where there is no room. The last column holds
 * the row's text and takes what is left; while it has less than 17 cells,
 * another column is dropped. What does not fit its column is cut where it is a
 * text, and left out whole where it is a figure.
 */
#ifndef UI_COLUMNS_H
#define UI_COLUMNS_H

#include "app/app.h"
#include "ui/cells.h"

enum column_kind {
    COLUMN_TEXT,
    COLUMN_FIGURE, /* at its right edge */
    COLUMN_BAR     /* a share of one, drawn; text() gives it in percent */
};

struct column {
    const char *title; /* untranslated; what stands before a | says of what */
    enum column_kind kind;
    short gap, width;  /* cells before it, and its own; the last has none */
    short beside;      /* its cells beside the item, gap and all; 0: not there,
                        * -1: only there, as wide as `width` says */
    short drop;        /* the lowest goes first; 0: never */
    void (*text)(struct app *a, size_t row, char *out, size_t cap);
    enum style style;  /* 0: the row's own */
};

/* How a view's list looks. */
struct list_look {
    const struct column *columns;
    size_t n;
    bool selects;      /* the mark of a selected row has a place */
    /* The sign in front of a row, NULL: none; `beside`: only there. */
    const char *(*mark)(struct app *a, size_t row);
    bool mark_beside;
    enum style (*style)(struct app *a, size_t row);
    /* What stands beside the item in the last column's place, as wide as it
     * says; NULL: the same. */
    const struct column *beside_last;
};

/* Cells of the largest text that a column's function may give. */
#define COLUMN_CAP 400

/* Draws the titles and `h` rows of the present list from its first visible
 * one. `beside`: it stands beside the item. */
void columns_draw(struct app *a, const struct list_look *look,
                  struct area where, bool beside);

#endif
