#include "base/idmap.h"

#include <stdlib.h>

#include "base/mem.h"

/* Where the id stands, or is to stand. */
static struct idmap_slot *slot(const struct idmap *m, int64_t id)
{
    size_t i = (size_t)((uint64_t)id * 0x9e3779b97f4a7c15u >> 32);
    while (m->at[i &= m->size - 1].id && m->at[i].id != id)
        i++;
    return &m->at[i];
}

int64_t *idmap_find(const struct idmap *m, int64_t id)
{
    struct idmap_slot *s = m->n ? slot(m, id) : NULL;
    return s && s->id ? &s->value : NULL;
}

static void grow(struct idmap *m)
{
    struct idmap more = {.size = m->size ? m->size * 2 : 64};
    more.at = xcalloc(more.size, sizeof *more.at);
    for (size_t i = 0; i < m->size; i++)
        if (m->at[i].id)
            *slot(&more, m->at[i].id) = m->at[i];
    more.n = m->n;
    free(m->at);
    *m = more;
}

void idmap_put(struct idmap *m, int64_t id, int64_t value)
{
    if (m->n >= m->size / 2)
        grow(m);
    struct idmap_slot *s = slot(m, id);
    m->n += !s->id;
    *s = (struct idmap_slot){id, value};
}

static int by_id(const void *a, const void *b)
{
    const struct idmap_slot *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

void idmap_sort(struct idmap *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->size; i++)
        if (m->at[i].id)
            m->at[n++] = m->at[i];
    if (n)
        qsort(m->at, n, sizeof *m->at, by_id);
}

void idmap_free(struct idmap *m)
{
    free(m->at);
    *m = (struct idmap){0};
}
