/* Where things stand on the screen, by its size alone: the rows at the top and
 * the bottom, the list, the item.
 */
#ifndef UI_LAYOUT_H
#define UI_LAYOUT_H

#include "app/app.h"
#include "ui/ui.h"

enum layout_kind {
    LAYOUT_LINE,    /* under 20x5: one line, nothing can be decided */
    LAYOUT_TINY,    /* under 40x8: the text, and one row of facts */
    LAYOUT_PANE,    /* under 60x16: one pane at a time */
    LAYOUT_STACKED, /* the item under the list */
    LAYOUT_BESIDE   /* from 120 columns on: beside it */
};

struct layout {
    enum layout_kind kind;
    struct area list; /* its titles and rows; h 0: it is not there */
    struct area item; /* the item, a form, or what a view draws by itself */
    int rule_y;       /* the rule between the two, -1: none */
    int rule_x;       /* or the one that stands upright, -1 */
};

/* Of the present view, with what is open over it. */
struct layout layout_of(struct app *a);

#endif
