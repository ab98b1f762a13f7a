#include "model/net/head.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/net/block.h"
#include "model/net/gemm.h"
#include "model/net/ops.h"

struct head {
    int hidden, vocab;
    real *block;
    real *y, *dy; /* [HEAD_ROWS, hidden] normed rows, their gradient */
    real *rstd;   /* [HEAD_ROWS] */
    real *mean;   /* [HEAD_ROWS] */
    real *logits; /* [HEAD_ROWS, vocab] */
    double loss[HEAD_ROWS];
};

size_t head_bytes(const struct config *c)
{
    size_t row = 2 * (size_t)c->hidden + (size_t)c->vocab + 2;
    return HEAD_ROWS * row * sizeof(real);
}

struct head *head_new(const struct config *c, struct err *e)
{
    struct head *h = xcalloc(1, sizeof *h);
    size_t rows = HEAD_ROWS, width = (size_t)c->hidden;
    h->hidden = c->hidden;
    h->vocab = c->vocab;
    h->block = malloc(head_bytes(c));
    if (!h->block) {
        free(h);
        err_set(e, ERR_MEMORY, _("not enough memory for the head"));
        return NULL;
    }
    h->logits = h->block;
    h->y = h->logits + rows * (size_t)c->vocab;
    h->dy = h->y + rows * width;
    h->rstd = h->dy + rows * width;
    h->mean = h->rstd + rows;
    return h;
}

void head_free(struct head **h)
{
    if (*h)
        free((*h)->block);
    free(*h);
    *h = NULL;
}

/* A chunk: rows from..from+n-1 of the part, lo..hi-1 of it this worker's. */
struct chunk {
    int from, n, lo, hi;
};

/* Logits to losses and, in place, gradients. */
static void losses(struct head *h, const struct head_part *p,
                   const struct chunk *c)
{
    for (int i = c->lo; i < c->hi; i++) {
        int top, want = p->target[c->from + i], row = p->row[c->from + i];
        real *logits = h->logits + (size_t)i * (size_t)h->vocab;
        if (p->told && p->told->each)
            p->told->each(p->told->ctx, row, logits);
        real weight = (real)p->weight[c->from + i];
        double l = softmax_loss(logits, h->vocab, want, p->scale * weight,
                                &top);
        h->loss[i] = l * (double)weight;
        if (p->told && p->told->logprob)
            p->told->logprob[row] = l;
        if (p->told && p->told->top)
            p->told->top[row] = top == want;
    }
}

/* dx and the gradients of the norm, from h->dy. */
static void norm_back(const struct team *t, struct head *h,
                      const struct head_part *p, const struct chunk *c)
{
    const struct llama *m = p->m;
    int w = h->hidden, rows = c->hi - c->lo, lo, hi;
    size_t all = (size_t)c->from * (size_t)w;
    size_t at = (size_t)c->lo * (size_t)w;
    const real *gain = m->w + m->norm, *dy = h->dy + at;
    const real *x = p->x + all, *mean = h->mean + c->lo;
    team_wait(t);
    team_share(t, w, 16, &lo, &hi);
    if (m->config.layer_norm) {
        layer_norm_backward(p->dx + all + at, dy, x + at, gain, mean,
                            h->rstd + c->lo, rows, w);
        if (p->dnorm)
            layer_norm_gain_backward(p->dnorm, p->dnorm_b, h->dy, x, h->mean,
                                     h->rstd, c->n, w, lo, hi);
    } else {
        rms_backward(p->dx + all + at, dy, x + at, gain,
                     (real)m->config.norm_plus, h->rstd + c->lo, rows, w);
        if (p->dnorm)
            rms_gain_backward(p->dnorm, h->dy, x, h->rstd, c->n, w, lo, hi);
    }
}

static double chunk_loss(const struct team *t, struct head *h,
                         const struct head_part *p, int from, int n)
{
    const struct llama *m = p->m;
    struct chunk c = {.from = from, .n = n};
    const real *head = m->w + m->head;
    int w = h->hidden, V = h->vocab;
    team_rows(t, n, &c.lo, &c.hi);
    block_norm(t, m, m->norm, m->norm_b, h->y, h->mean, h->rstd,
               p->x + (size_t)from * (size_t)w, n);
    linear(t, m, h->logits, h->y, m->head, n, w, V);
    losses(h, p, &c);
    if (p->dhead)
        gemm_share(t, true, false, V, w, n, 1, h->logits, V, h->y, w, 1,
                   p->dhead, w);
    if (p->dx && m->w16)
        gemm_share_bf16(t, true, false, n, w, V, h->logits, m->w16 + m->head,
                        h->dy);
    else if (p->dx)
        gemm_share_exact(t, false, false, n, w, V, 1, h->logits, V, head, w, 0,
                         h->dy, w);
    if (p->dx)
        norm_back(t, h, p, &c);
    team_wait(t);
    double loss = 0;
    for (int i = 0; i < n; i++)
        loss -= h->loss[i];
    team_wait(t);
    return loss;
}

double head_loss(const struct team *t, struct head *h,
                 const struct head_part *p)
{
    double loss = 0;
    for (int i = 0; i < p->n; i++)
        must(p->target[i] >= 0 && p->target[i] < p->m->config.vocab);
    for (int from = 0; from < p->n; from += HEAD_ROWS)
        loss += chunk_loss(t, h, p, from,
                           p->n - from < HEAD_ROWS ? p->n - from : HEAD_ROWS);
    return loss;
}
