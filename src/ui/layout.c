#include "ui/layout.h"

#include <curses.h>

#define WIDE 120
#define LIST_LEAST 40
#define LIST_MOST 72
#define TEXT_MOST 100
#define FORM_LIST 3 /* rows of the list over an open form */

static enum layout_kind kind_of(const struct app *a,
                                const struct view_ops *ops)
{
    if (COLS < 20 || LINES < 5)
        return LAYOUT_LINE;
    if (COLS < 40 || LINES < 8)
        return LAYOUT_TINY;
    if (COLS < 60 || LINES < 16)
        return LAYOUT_PANE;
    bool beside = COLS >= WIDE && ops->item && !ops->whole &&
                  !ops->stacked && !a->form.open && !a->zoom;
    return beside ? LAYOUT_BESIDE : LAYOUT_STACKED;
}

/* One pane at a time: the list, or what it stands for. */
static void one_pane(struct app *a, const struct view_ops *ops,
                     struct layout *l)
{
    struct area all = {1, 0, LINES - 3, COLS};
    bool empty = !ops->whole && !list_id(app_list(a));
    bool item = a->form.open || ops->whole ||
                (ops->item && (empty || !a->list_focus || a->review.bulk));
    if (a->form.open)
        all.h--; /* its buttons stand on the row below */
    *(item ? &l->item : &l->list) = all;
}

static void stacked(const struct app *a, const struct view_ops *ops,
                    struct layout *l)
{
    struct area all = {2, 0, LINES - 4, COLS};
    int rows = a->zoom && !a->form.open ? 0
               : a->form.open           ? FORM_LIST + 1
               : ops->item && !ops->whole ? ops->list_rows(LINES) + 1
                                          : all.h;
    if (ops->whole && !a->form.open) {
        l->item = all;
        return;
    }
    l->list = (struct area){all.y, 0, rows, COLS};
    if (rows < all.h) {
        l->rule_y = all.y + rows;
        l->item = (struct area){all.y + rows + 1, 0, all.h - rows - 1, COLS};
    }
}

/* The text has 62 cells at least and 100 at most; then the list grows, and
 * what is left stays blank. */
static void beside(struct layout *l)
{
    int item = COLS - LIST_LEAST - 1, most = GUTTER + TEXT_MOST;
    item = item > most ? most : item;
    int list = COLS - 1 - item;
    list = list > LIST_MOST ? LIST_MOST : list;
    l->list = (struct area){2, 0, LINES - 4, list};
    l->rule_x = list;
    l->item = (struct area){2, list + 1, LINES - 4, item};
}

struct layout layout_of(struct app *a)
{
    const struct view_ops *ops = view_ops(a->view);
    struct layout l = {.kind = kind_of(a, ops), .rule_y = -1, .rule_x = -1};
    switch (l.kind) {
    case LAYOUT_LINE: break;
    case LAYOUT_TINY: l.item = (struct area){0, 0, LINES - 2, COLS}; break;
    case LAYOUT_PANE: one_pane(a, ops, &l); break;
    case LAYOUT_STACKED: stacked(a, ops, &l); break;
    case LAYOUT_BESIDE: beside(&l); break;
    }
    return l;
}
