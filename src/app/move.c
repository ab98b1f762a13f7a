/* Moving through lists and texts, selecting, the mouse. */
#include "app/app.h"
#include "base/lang.h"

/* Moves the text, where it has the focus; it stops at its ends and never
 * goes on to another item. */
static bool move_text(struct app *a, long by)
{
    int *scroll = view_scroll(a);
    long max = a->text_total - a->text_rows, to;
    if (a->list_focus || !scroll)
        return false;
    to = *scroll + by;
    *scroll = (int)(to > max ? max : to);
    if (*scroll < 0)
        *scroll = 0;
    a->stale = STALE_PAINT;
    if (max <= 0 && list_id(app_list(a)))
        app_say(a, _("all of it is here; Tab, then these keys move the list"));
    return true;
}

void move_page(struct app *a, int by, bool half)
{
    long rows = a->text_rows > 2 ? a->text_rows - 1 : 1;
    long page = a->page > 1 ? a->page : 1;
    if (move_text(a, by * (half ? (rows + 1) / 2 : rows)))
        return;
    if (list_move(app_list(a), by * (half ? (page + 1) / 2 : page)))
        app_load(a);
}

void move_end(struct app *a, int by)
{
    if (!move_text(a, by * (1L << 24)))
        move_cursor(a, by < 0 ? ACT_FIRST : ACT_LAST);
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
    char count[32];
    a->stale = STALE_PAINT;
    if (act == ACT_ALL_OF && l->uncounted && !list_count(l))
        return; /* nobody knows how many: it was said */
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
        app_say(a, P_("%s selected", "%s selected", n),
                lang_number(count, sizeof count, (double)n, 0));
    else
        a->said[0] = '\0';
}

bool app_is_open(const struct app *a)
{
    return a->line.kind != LINE_NONE || a->typing.open || a->form.open ||
           a->ask.kind != ASK_NOTHING;
}

static bool on_list(const struct app *a, int y, int x)
{
    return x < a->list_w && y >= a->list_y && y <= a->list_y + a->page;
}

void app_click(struct app *a, int y, int x)
{
    struct list *l = app_list(a);
    size_t row = l->top + (size_t)(y - a->list_y);
    bool list = on_list(a, y, x);
    if (app_is_open(a) || (list && row >= l->total))
        return;
    a->list_focus = list;
    a->stale = STALE_PAINT;
    if (!list)
        return;
    list_go_row(l, row);
    app_load(a);
}

void app_wheel(struct app *a, int y, int x, int by)
{
    enum { ROWS = 3 };
    bool focus = a->list_focus;
    if (app_is_open(a))
        return;
    if (on_list(a, y, x)) {
        if (list_move(app_list(a), ROWS * by))
            app_load(a);
        return;
    }
    a->list_focus = false;
    if (a->text_total > a->text_rows)
        move_text(a, ROWS * by);
    a->list_focus = focus;
}
