#include "app/list.h"

#include <string.h>

static size_t find(const ids *v, int64_t id)
{
    size_t i = 0;
    while (i < v->n && v->at[i] != id)
        i++;
    return i;
}

void list_free(struct list *l)
{
    VEC_FREE(&l->all);
    VEC_FREE(&l->marked);
    *l = (struct list){0};
}

int64_t list_id(const struct list *l)
{
    return l->cursor < l->all.n ? l->all.at[l->cursor] : 0;
}

void list_take(struct list *l, ids *from)
{
    int64_t id = list_id(l);
    VEC_FREE(&l->all);
    l->all = *from;
    *from = (ids){0};
    if (id)
        list_go(l, id);
    if (l->cursor >= l->all.n)
        l->cursor = l->all.n ? l->all.n - 1 : 0;
}

bool list_move(struct list *l, long n)
{
    size_t was = l->cursor;
    if (!l->all.n)
        return false;
    if (n < 0)
        l->cursor = (size_t)-n > l->cursor ? 0 : l->cursor - (size_t)-n;
    else
        l->cursor = (size_t)n > l->all.n - 1 - l->cursor
                        ? l->all.n - 1
                        : l->cursor + (size_t)n;
    return l->cursor != was;
}

bool list_go(struct list *l, int64_t id)
{
    size_t i = find(&l->all, id);
    if (i == l->all.n)
        return false;
    l->cursor = i;
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
    if (l->top + rows > l->all.n)
        l->top = l->all.n > rows ? l->all.n - rows : 0;
}

static bool is_marked(const struct list *l, int64_t id)
{
    size_t i = sorted_place(l->marked.at, l->marked.n, id);
    return i < l->marked.n && l->marked.at[i] == id;
}

bool list_selected(const struct list *l, int64_t id)
{
    return is_marked(l, id) != l->everything;
}

void list_mark(struct list *l, int64_t id, bool on)
{
    if (list_selected(l, id) == on)
        return;
    ids *m = &l->marked;
    size_t i = sorted_place(m->at, m->n, id);
    if (is_marked(l, id)) {
        memmove(m->at + i, m->at + i + 1, (--m->n - i) * sizeof *m->at);
        return;
    }
    VEC_PUSH(m, id);
    memmove(m->at + i + 1, m->at + i, (m->n - 1 - i) * sizeof *m->at);
    m->at[i] = id;
}

size_t list_selected_count(const struct list *l)
{
    return l->everything ? l->all.n - l->marked.n : l->marked.n;
}
