#include "model/learn/pack.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"

enum { LEAST = 512, BYTES = 256 << 20 };

void pack_init(struct pack *p, int room)
{
    size_t n = (size_t)room;
    *p = (struct pack){.room = room};
    p->ids = xcalloc(3 * n + 1, sizeof *p->ids);
    p->target = p->ids + n;
    p->start = p->target + n;
    p->weight = xcalloc(n, sizeof *p->weight);
}

void pack_done(struct pack *p)
{
    free(p->ids);
    free(p->weight);
    *p = (struct pack){0};
}

static void add(struct pack *p, const struct item *m)
{
    for (int i = 0; i + 1 < m->n; i++, p->T++) {
        p->ids[p->T] = m->ids[i];
        p->target[p->T] = m->trained[i + 1] ? m->ids[i + 1] : -1;
        p->weight[p->T] = m->weight;
    }
    p->start[++p->n] = p->T;
    must(p->T <= p->room);
}

size_t pack_fill(struct pack *p, const struct items *d, const uint32_t *row,
                 size_t n)
{
    size_t i = 0;
    p->T = p->n = 0;
    for (; i < n; i++) {
        const struct item *m = &d->at[row ? row[i] : i];
        if (p->T + m->n - 1 > p->room)
            break;
        add(p, m);
    }
    must(i > 0 || !n); /* a row without room would be tried for ever */
    return i;
}

struct batch pack_batch(const struct pack *p, int64_t first)
{
    return (struct batch){.ids = p->ids, .target = p->target,
                          .start = p->start, .sequences = p->n,
                          .first = first, .weight = p->weight};
}

int pack_room(const struct llama *m, bool recompute, int64_t longest,
              int64_t most)
{
    int64_t n = BYTES / (int64_t)work_row(m, recompute);
    n = n < most ? n : most;
    n = n > LEAST ? n : LEAST;
    return (int)(n > longest ? n : longest);
}
