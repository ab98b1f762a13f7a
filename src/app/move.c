/* Moving through lists and texts, selecting, the mouse. */
#include "app/app.h"
#include "base/lang.h"

/* PgDn moves through the text while there is more of it, else the list. */
void move_page(struct app *a, int by)
{
    int *scroll = view_scroll(a);
    if (scroll && a->text_total > a->text_rows) {
        int max = a->text_total - a->text_rows;
        int step = a->text_rows > 2 ? a->text_rows - 1 : 1, was = *scroll;
        *scroll += by * step;
        *scroll = *scroll < 0 ? 0 : *scroll > max ? max : *scroll;
        a->stale = STALE_PAINT;
        if (*scroll != was)
            return;
    }
    if (list_move(app_list(a), (long)by * a->page))
        app_load(a);
}

void move_cursor(struct app *a, enum action act)
{
    struct list *l = app_list(a);
    long n = (long)l->total;
    long by = act == ACT_DOWN ? 1 : act == ACT_UP ? -1
              : act == ACT_FIRST ? -n : n;
    if (list_move(l, by))
        app_load(a);
}

void select_rows(struct app *a, enum action act)
{
    struct list *l = app_list(a);
    int64_t id = list_id(l);
    a->stale = STALE_PAINT;
    if (act == ACT_ALL_OF || act == ACT_NONE) {
        list_mark_none(l);
        l->everything = act == ACT_ALL_OF;
    } else if (act == ACT_SELECT && id) {
        list_mark(l, id, !list_selected(l, id));
        l->anchor = id;
        if (list_move(l, 1))
            app_load(a);
    } else if (act == ACT_RANGE) {
        list_mark_range(l);
    }
    size_t n = list_selected_count(l);
    if (n)
        app_say(a, P_("%zu selected", "%zu selected", n), n);
    else
        a->said[0] = '\0';
}

void app_click(struct app *a, int y)
{
    struct list *l = app_list(a);
    size_t row = l->top + (size_t)(y - a->list_y);
    bool busy = a->line.kind != LINE_NONE || a->typing.open || a->form.open ||
                a->ask.kind != ASK_NOTHING;
    if (busy || y < a->list_y || y > a->list_y + a->page || row >= l->total)
        return;
    list_go_row(l, row);
    app_load(a);
}
