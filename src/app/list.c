#include "app/list.h"

#include <stdint.h>
#include <string.h>

#define CHUNK ((size_t)256) /* rows that are asked for at once */
#define MARGIN ((size_t)100) /* held on both sides of the cursor */

/* ---- Sorted ids --------------------------------------------------------- */

static bool holds(const ids *v, int64_t id)
{
    size_t i = sorted_place(v->at, v->n, id);
    return i < v->n && v->at[i] == id;
}

static void put(ids *v, int64_t id)
{
    size_t i = sorted_place(v->at, v->n, id);
    if (holds(v, id))
        return;
    VEC_PUSH(v, id);
    memmove(v->at + i + 1, v->at + i, (v->n - 1 - i) * sizeof *v->at);
    v->at[i] = id;
}

static void drop(ids *v, int64_t id)
{
    size_t i = sorted_place(v->at, v->n, id);
    if (holds(v, id))
        memmove(v->at + i, v->at + i + 1, (--v->n - i) * sizeof *v->at);
}

/* ---- Reading from the source, with what is kept ------------------------- */

static size_t kept_below(const struct list *l, int64_t id)
{
    return sorted_place(l->kept.at, l->kept.n, id);
}

/* Up to n rows above an id, of the query and of those kept. */
static bool rows_after(const struct list *l, int64_t id, size_t n, ids *out)
{
    ids q = {0};
    size_t i = 0, k = sorted_place(l->kept.at, l->kept.n, id);
    k += k < l->kept.n && l->kept.at[k] == id;
    bool ok = l->source->after(l->ctx, id, n, &q);
    for (size_t got = 0; ok && got < n && (i < q.n || k < l->kept.n); got++) {
        bool kept = i == q.n || (k < l->kept.n && l->kept.at[k] < q.at[i]);
        VEC_PUSH(out, kept ? l->kept.at[k++] : q.at[i++]);
    }
    VEC_FREE(&q);
    return ok;
}

/* The same below an id, descending. */
static bool rows_before(const struct list *l, int64_t id, size_t n, ids *out)
{
    ids q = {0};
    size_t i = 0, k = kept_below(l, id);
    bool ok = l->source->before(l->ctx, id, n, &q);
    for (size_t got = 0; ok && got < n && (i < q.n || k); got++) {
        bool kept = i == q.n || (k && l->kept.at[k - 1] > q.at[i]);
        VEC_PUSH(out, kept ? l->kept.at[--k] : q.at[i++]);
    }
    VEC_FREE(&q);
    return ok;
}

/* How many rows stand before an id, -1 where nobody can tell. */
static int64_t rank(const struct list *l, int64_t id)
{
    int64_t n = l->source->rank(l->ctx, id);
    return n < 0 ? n : n + (int64_t)kept_below(l, id);
}

/* ---- The window --------------------------------------------------------- */

/* Rows that were read downwards, then those upwards, are the window. */
static void take_window(struct list *l, size_t from, const ids *down,
                        const ids *up)
{
    l->rows.n = 0;
    for (size_t i = down->n; i > 0; i--)
        VEC_PUSH(&l->rows, down->at[i - 1]);
    for (size_t i = 0; i < up->n; i++)
        VEC_PUSH(&l->rows, up->at[i]);
    l->from = from;
}

/* A window around an id that has `row` rows before it. */
static bool window_at(struct list *l, int64_t id, size_t row)
{
    ids down = {0}, up = {0};
    bool ok = rows_before(l, id, CHUNK, &down) &&
              rows_after(l, id - 1, CHUNK, &up);
    if (ok)
        take_window(l, row > down.n ? row - down.n : 0, &down, &up);
    VEC_FREE(&down);
    VEC_FREE(&up);
    return ok;
}

/* A window around a row far from both ends. Between none and all of those
 * that are kept stand before it: halved until it is close enough. */
static void window_inside(struct list *l, size_t row)
{
    size_t lo = row > l->kept.n ? row - l->kept.n : 0, hi = row;
    int64_t id = l->source->at(l->ctx, lo);
    while (id > 0 && hi - lo > CHUNK / 2) {
        size_t mid = (lo + hi + 1) / 2;
        int64_t x = l->source->at(l->ctx, mid);
        if (x > 0 && mid + kept_below(l, x) <= row) {
            lo = mid;
            id = x;
        } else {
            hi = mid - 1;
        }
    }
    if (id > 0)
        window_at(l, id, lo + kept_below(l, id));
}

/* A window around a row: from either end, or from a row that is counted. */
static void window_around(struct list *l, size_t row)
{
    ids down = {0}, up = {0};
    if (row < CHUNK) {
        if (rows_after(l, 0, 2 * CHUNK, &up))
            take_window(l, 0, &down, &up);
    } else if (row + CHUNK >= l->total) {
        if (rows_before(l, INT64_MAX, 2 * CHUNK, &down))
            take_window(l, l->total > down.n ? l->total - down.n : 0, &down,
                        &up);
    } else {
        window_inside(l, row);
    }
    VEC_FREE(&down);
    VEC_FREE(&up);
}

/* More rows at the window's end, fewer at its start. */
static void grow_end(struct list *l)
{
    size_t n = l->rows.n;
    if (!rows_after(l, n ? l->rows.at[n - 1] : 0, CHUNK, &l->rows))
        return;
    if (l->rows.n < n + CHUNK) { /* the end: rows may have come or gone */
        l->total = l->from + l->rows.n;
        l->uncounted = false;
    }
    size_t cut = l->rows.n > 4 * CHUNK ? CHUNK : 0;
    memmove(l->rows.at, l->rows.at + cut, (l->rows.n -= cut) *
            sizeof *l->rows.at);
    l->from += cut;
}

static void grow_start(struct list *l)
{
    ids down = {0}, up = l->rows;
    if (l->rows.n && rows_before(l, l->rows.at[0], CHUNK, &down)) {
        l->rows = (ids){0};
        if (up.n > 3 * CHUNK)
            up.n -= CHUNK;
        take_window(l, l->from > down.n ? l->from - down.n : 0, &down, &up);
        VEC_FREE(&up);
    }
    VEC_FREE(&down);
}

/* Holds a row and those near it. */
static void hold(struct list *l, size_t row)
{
    size_t end = l->from + l->rows.n;
    if (!l->source || !l->total)
        return;
    bool near_it = l->rows.n && row + CHUNK > l->from && row < end + CHUNK;
    if (!near_it) {
        window_around(l, row);
        return;
    }
    if (row + MARGIN >= end && end < l->total)
        grow_end(l);
    if (row < l->from + MARGIN && l->from)
        grow_start(l);
}

/* ---- Opening ------------------------------------------------------------ */

void list_free(struct list *l)
{
    VEC_FREE(&l->rows);
    VEC_FREE(&l->marked);
    VEC_FREE(&l->kept);
    *l = (struct list){0};
}

void list_take(struct list *l, ids *from)
{
    int64_t id = list_id(l);
    VEC_FREE(&l->rows);
    l->rows = *from;
    l->from = 0;
    l->total = l->rows.n;
    *from = (ids){0};
    if (id)
        list_go(l, id);
    if (l->cursor >= l->total)
        l->cursor = l->total ? l->total - 1 : 0;
}

bool list_count(struct list *l)
{
    int64_t n = l->source ? l->source->count(l->ctx) : (int64_t)l->total;
    l->uncounted = n < 0; /* Esc: the end is met when it is met */
    if (l->source)
        l->total = n < 0 ? SIZE_MAX >> 1 : (size_t)n + l->kept.n;
    return n >= 0;
}

/* The cursor on an id where that is in the list; else on the same row. */
static void settle(struct list *l, int64_t id)
{
    list_count(l);
    l->rows.n = l->from = 0;
    if (!id || !list_go(l, id))
        list_go_row(l, l->cursor);
}

void list_open(struct list *l, const struct list_source *source, void *ctx)
{
    int64_t id = list_id(l);
    l->source = source;
    l->ctx = ctx;
    l->kept.n = 0;
    if (!id)
        l->cursor = l->top = 0;
    list_mark_none(l);
    settle(l, id);
}

void list_refresh(struct list *l)
{
    if (l->source)
        settle(l, list_id(l));
}

void list_keep(struct list *l, int64_t id, bool on)
{
    if (on)
        put(&l->kept, id);
    else
        drop(&l->kept, id);
}

/* ---- The cursor --------------------------------------------------------- */

int64_t list_at(const struct list *l, size_t row)
{
    return row >= l->from && row - l->from < l->rows.n
               ? l->rows.at[row - l->from]
               : 0;
}

int64_t list_id(const struct list *l)
{
    return list_at(l, l->cursor);
}

static void place(struct list *l, size_t row)
{
    l->cursor = row < l->total ? row : l->total ? l->total - 1 : 0;
    hold(l, l->cursor);
    if (l->cursor >= l->total) /* there were fewer than it was told */
        l->cursor = l->total ? l->total - 1 : 0;
}

void list_go_row(struct list *l, size_t row)
{
    size_t end = l->from + l->rows.n;
    bool far = row >= CHUNK && row >= end + CHUNK;
    if (l->uncounted && far && !list_count(l))
        row = end ? end - 1 : 0; /* the last one that anybody saw */
    place(l, row);
    if (!l->source || !l->total || list_id(l))
        return;
    list_count(l); /* rows came or went unseen: from its ends anew */
    l->rows.n = l->from = 0;
    place(l, row);
    if (!list_id(l))
        place(l, 0);
}

bool list_move(struct list *l, long n)
{
    size_t was = l->cursor, by = n < 0 ? (size_t)-n : (size_t)n;
    if (!l->total)
        return false;
    list_go_row(l, n < 0 ? (by > was ? 0 : was - by)
                   : by > l->total - 1 - was ? l->total - 1
                                             : was + by);
    return l->cursor != was;
}

bool list_go(struct list *l, int64_t id)
{
    for (size_t i = 0; i < l->rows.n; i++) {
        if (l->rows.at[i] != id)
            continue;
        list_go_row(l, l->from + i);
        return true;
    }
    if (!l->source)
        return false;
    ids one = {0};
    bool there = rows_after(l, id - 1, 1, &one) && one.n && one.at[0] == id;
    int64_t row = there ? rank(l, id) : -1;
    VEC_FREE(&one);
    if (row < 0 || !window_at(l, id, (size_t)row))
        return false;
    list_go_row(l, (size_t)row);
    return true;
}

void list_scroll(struct list *l, size_t rows)
{
    size_t margin = rows > 2 ? 1 : 0;
    if (rows == 0)
        return;
    if (l->cursor < l->top + margin)
        l->top = l->cursor > margin ? l->cursor - margin : 0;
    if (l->cursor + margin + 1 > l->top + rows)
        l->top = l->cursor + margin + 1 - rows;
    if (l->top + rows > l->total)
        l->top = l->total > rows ? l->total - rows : 0;
}

/* ---- The selection ------------------------------------------------------ */

bool list_selected(const struct list *l, int64_t id)
{
    return l->everything ? !holds(&l->marked, id) && !holds(&l->kept, id)
                         : holds(&l->marked, id);
}

void list_mark(struct list *l, int64_t id, bool on)
{
    if (on != l->everything)
        put(&l->marked, id);
    else
        drop(&l->marked, id);
}

void list_mark_none(struct list *l)
{
    l->everything = false;
    l->marked.n = 0;
}

void list_mark_range(struct list *l)
{
    int64_t here = list_id(l), there = l->anchor ? l->anchor : here;
    int64_t last = here > there ? here : there;
    int64_t id = (here > there ? there : here) - 1;
    ids part = {0};
    while (l->source && rows_after(l, id, CHUNK, &part) && part.n &&
           id < last) {
        for (size_t i = 0; i < part.n && part.at[i] <= last; i++)
            list_mark(l, part.at[i], true);
        id = part.at[part.n - 1];
        part.n = 0;
    }
    VEC_FREE(&part);
}

size_t list_selected_count(const struct list *l)
{
    size_t out = l->kept.n;
    for (size_t i = 0; l->everything && i < l->marked.n; i++)
        out += !holds(&l->kept, l->marked.at[i]);
    return !l->everything ? l->marked.n : l->total > out ? l->total - out : 0;
}

bool list_selected_ids(const struct list *l, ids *out)
{
    ids all = {0};
    bool ok = true;
    if (l->everything)
        ok = l->source->after(l->ctx, 0, l->total, &all);
    for (size_t i = 0; i < all.n; i++)
        if (list_selected(l, all.at[i]))
            VEC_PUSH(out, all.at[i]);
    for (size_t i = 0; !l->everything && i < l->marked.n; i++)
        VEC_PUSH(out, l->marked.at[i]);
    VEC_FREE(&all);
    return ok;
}
