/* Finding a text: further in the item that is shown, then in other rows, round
 * the end of the list. Case and accents do not count. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "base/uni.h"

/* Scrolls to the next hit of the text on the screen that is out of sight. */
static bool find_in_text(struct app *a, int by)
{
    int *scroll = view_scroll(a), most = a->text_total - a->text_rows;
    if (!scroll || most <= 0)
        return false;
    for (size_t k = 0; k < a->n_hits; k++) {
        int row = a->hits[by > 0 ? k : a->n_hits - 1 - k];
        bool further = by > 0 ? row >= *scroll + a->text_rows : row < *scroll;
        if (!further)
            continue;
        *scroll = row > most ? most : row;
        a->stale = STALE_PAINT;
        return true;
    }
    return false;
}

static bool row_holds(struct app *a, size_t row)
{
    size_t from, to;
    char *text = view_of(a->view)->row_text(a, list_at(app_list(a), row));
    bool hit = uni_find(text, strlen(text), 0, a->find, &from, &to);
    free(text);
    return hit;
}

/* The row of a list that is held whole; -1: none. */
static long next_row(struct app *a, int by)
{
    struct list *l = app_list(a);
    long n = (long)l->total, i = (long)l->cursor;
    for (long step = 0; step < n; step++) {
        i = (i + n + by) % n;
        if (row_holds(a, (size_t)i))
            return i;
    }
    return -1;
}

/* The id of the row of a queue, 0: none, -1: given up. */
static int64_t next_id(struct app *a, int by, bool *wrapped)
{
    const struct queue *q = app_list(a)->ctx;
    int64_t here = list_id(app_list(a));
    int64_t end = by < 0 ? 0 : INT64_MAX, start = by < 0 ? INT64_MAX : 0;
    int64_t id = queue_find(q, a->find, here, end, by < 0);
    *wrapped = !id;
    return id ? id : queue_find(q, a->find, start, here, by < 0);
}

void find_next(struct app *a, int by)
{
    struct list *l = app_list(a);
    bool wrapped = false, hit;
    if (!a->find || !*a->find)
        return;
    a->said[0] = '\0';
    if (find_in_text(a, by))
        return;
    if (l->source) {
        int64_t id = next_id(a, by, &wrapped);
        if (id < 0)
            return; /* it has said why */
        hit = id && list_go(l, id);
    } else {
        size_t was = l->cursor;
        long row = view_of(a->view)->row_text ? next_row(a, by) : -1;
        hit = row >= 0;
        wrapped = hit && (by > 0 ? (size_t)row <= was : (size_t)row >= was);
        if (hit)
            list_go_row(l, (size_t)row);
    }
    if (hit) {
        app_load(a);
        a->seek_hit = true;
    }
    if (!hit)
        app_say(a, _("not found: %s"), a->find);
    else if (wrapped)
        app_say(a, _("the search went round"));
}

void find_start(struct app *a, const char *text)
{
    free(a->find);
    a->find = xstrdup(text);
    a->n_hits = 0;
    find_next(a, 1);
}
