#include "model/net/head.h"

#include <stdlib.h>

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
};

struct head *head_new(const struct config *c, struct err *e)
{
    struct head *h = xcalloc(1, sizeof *h);
    size_t rows = HEAD_ROWS, width = (size_t)c->hidden;
    h->hidden = c->hidden;
    h->vocab = c->vocab;
    h->block = malloc((rows * (2 * width + (size_t)c->vocab) + 2 * rows) *
                      sizeof(real));
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

/* Logits of rows from..from+n-1 to losses and, in place, gradients. */
static double losses(struct head *h, const struct head_part *p, int from,
                     int n)
{
    double loss = 0;
    for (int i = 0; i < n; i++) {
        int top, want = p->target[from + i], row = p->row[from + i];
        double l = softmax_loss(h->logits + (size_t)i * (size_t)h->vocab,
                                h->vocab, want, p->scale, &top);
        loss -= l;
        if (p->told && p->told->logprob)
            p->told->logprob[row] = l;
        if (p->told && p->told->top)
            p->told->top[row] = top == want;
    }
    return loss;
}

/* dx and the gradients of the norm, from h->dy. */
static void norm_back(struct head *h, const struct head_part *p, size_t at,
                      int n)
{
    const struct llama *m = p->m;
    if (m->config.layer_norm)
        layer_norm_backward(p->dx + at, p->dnorm, p->dnorm_b, h->dy, p->x + at,
                            m->w + m->norm, h->mean, h->rstd, n, h->hidden);
    else
        rms_backward(p->dx + at, p->dnorm, h->dy, p->x + at,
                     m->w + m->norm, (real)m->config.norm_plus, h->rstd, n,
                     h->hidden);
}

static double chunk(struct head *h, const struct head_part *p, int from,
                    int n)
{
    const struct llama *m = p->m;
    const real *head = m->w + m->head;
    int w = h->hidden, V = h->vocab;
    size_t at = (size_t)from * (size_t)w;
    block_norm(m, m->norm, m->norm_b, h->y, h->mean, h->rstd, p->x + at, n);
    gemm(false, true, n, V, w, 1, h->y, w, head, w, 0, h->logits, V);
    double loss = losses(h, p, from, n);
    if (p->dhead)
        gemm(true, false, V, w, n, 1, h->logits, V, h->y, w, 1, p->dhead, w);
    if (p->dx) {
        gemm(false, false, n, w, V, 1, h->logits, V, head, w, 0, h->dy, w);
        norm_back(h, p, at, n);
    }
    return loss;
}

double head_loss(struct head *h, const struct head_part *p)
{
    double loss = 0;
    for (int from = 0; from < p->n; from += HEAD_ROWS)
        loss += chunk(h, p, from, p->n - from < HEAD_ROWS ? p->n - from
                                                          : HEAD_ROWS);
    return loss;
}
