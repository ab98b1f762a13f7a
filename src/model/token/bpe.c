#include "model/token/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t slot(const struct merges *m, int32_t left, int32_t right)
{
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) *
                 0x9e3779b97f4a7c15u;
    size_t i = (size_t)(h >> 32) & (m->cap - 1);
    while (m->at[i].rank >= 0 &&
           (m->at[i].left != left || m->at[i].right != right))
        i = (i + 1) & (m->cap - 1);
    return i;
}

static void grow(struct merges *m)
{
    struct merges old = *m;
    m->cap = old.cap ? 2 * old.cap : 1024;
    m->at = xmalloc(m->cap * sizeof *m->at);
    for (size_t i = 0; i < m->cap; i++)
        m->at[i].rank = -1;
    for (size_t i = 0; i < old.cap; i++)
        if (old.at[i].rank >= 0)
            m->at[slot(m, old.at[i].left, old.at[i].right)] = old.at[i];
    free(old.at);
}

void merges_free(struct merges *m)
{
    free(m->at);
    *m = (struct merges){0};
}

bool merges_add(struct merges *m, int32_t left, int32_t right, int32_t to)
{
    if (2 * m->n >= m->cap)
        grow(m);
    struct merge *at = &m->at[slot(m, left, right)];
    if (at->rank >= 0)
        return false;
    *at = (struct merge){left, right, to, (int32_t)m->n++};
    return true;
}

/* The merge of a pair, or NULL. */
static const struct merge *merges_find(const struct merges *m, int32_t left,
                                       int32_t right)
{
    if (!m->cap)
        return NULL;
    const struct merge *at = &m->at[slot(m, left, right)];
    return at->rank >= 0 ? at : NULL;
}

enum { SHORT = 32 };

/* ---- Joining ------------------------------------------------------------ */

/* A possible join: of the symbol at `left` with its neighbour, which then
 * were `a` and `b`; out of date where they are not any more. */
struct join {
    int32_t rank, a, b, to;
    size_t left;
};

struct joiner {
    const struct merges *m;
    struct symbol *s;
    size_t *next, *prev; /* n: none */
    size_t n;
    VEC(struct join) heap;
};

static bool before(const struct join *x, const struct join *y)
{
    return x->rank != y->rank ? x->rank < y->rank : x->left < y->left;
}

static void push(struct joiner *j, size_t left)
{
    size_t right = left < j->n ? j->next[left] : j->n;
    if (right >= j->n)
        return;
    const struct merge *m = merges_find(j->m, j->s[left].id, j->s[right].id);
    if (!m)
        return;
    struct join join = {m->rank, m->left, m->right, m->to, left};
    VEC_PUSH(&j->heap, join);
    size_t i = j->heap.n - 1;
    while (i > 0 && before(&join, &j->heap.at[(i - 1) / 2])) {
        j->heap.at[i] = j->heap.at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    j->heap.at[i] = join;
}

static struct join pop(struct joiner *j)
{
    struct join *h = j->heap.at, top = h[0], last = h[--j->heap.n];
    size_t i = 0, n = j->heap.n;
    for (size_t c = 1; c < n; c = 2 * i + 1) {
        if (c + 1 < n && before(&h[c + 1], &h[c]))
            c++;
        if (!before(&h[c], &last))
            break;
        h[i] = h[c];
        i = c;
    }
    h[i] = last;
    return top;
}

static void join(struct joiner *j, const struct join *x)
{
    size_t right = j->next[x->left];
    if (j->s[x->left].id != x->a || right >= j->n || j->s[right].id != x->b)
        return;
    j->s[x->left].id = x->to;
    j->s[x->left].to = j->s[right].to;
    j->s[right].id = -1;
    j->next[x->left] = j->next[right];
    if (j->next[right] < j->n)
        j->prev[j->next[right]] = x->left;
    push(j, x->left);
    push(j, j->prev[x->left]);
}

/* A short word: the best join is looked for anew each time. */
static size_t merge_short(const struct merges *m, struct symbol *s, size_t n)
{
    const struct merge *join[SHORT]; /* of symbol i with the next one */
    for (size_t i = 0; i + 1 < n; i++)
        join[i] = merges_find(m, s[i].id, s[i + 1].id);
    while (n > 1) {
        size_t best = n;
        for (size_t i = 0; i + 1 < n; i++)
            if (join[i] && (best == n || join[i]->rank < join[best]->rank))
                best = i;
        if (best == n)
            break;
        s[best].id = join[best]->to;
        s[best].to = s[best + 1].to;
        n--;
        memmove(s + best + 1, s + best + 2, (n - best - 1) * sizeof *s);
        memmove(join + best, join + best + 1,
                (n - best) * sizeof *join);
        if (best + 1 < n)
            join[best] = merges_find(m, s[best].id, s[best + 1].id);
        if (best)
            join[best - 1] = merges_find(m, s[best - 1].id, s[best].id);
    }
    return n;
}

size_t bpe_merge(const struct merges *m, struct symbol *s, size_t n)
{
    if (n < 2)
        return n;
    if (n <= SHORT)
        return merge_short(m, s, n);
    struct joiner j = {.m = m, .s = s, .n = n};
    j.next = xmalloc(2 * n * sizeof *j.next);
    j.prev = j.next + n;
    for (size_t i = 0; i < n; i++) {
        j.next[i] = i + 1;
        j.prev[i] = i ? i - 1 : n;
    }
    for (size_t i = 0; i < n; i++)
        push(&j, i);
    while (j.heap.n) {
        struct join x = pop(&j);
        join(&j, &x);
    }
    size_t out = 0;
    for (size_t i = 0; i < n; i = j.next[i])
        s[out++] = s[i];
    VEC_FREE(&j.heap);
    free(j.next);
    return out;
}
