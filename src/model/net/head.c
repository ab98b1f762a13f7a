#include "model/net/head.h"

#include <stdlib.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/net/gemm.h"
#include "model/net/ops.h"

struct head {
    int hidden, vocab;
    double eps;
    real *block;
    real *y, *dy; /* [HEAD_ROWS, hidden] normed rows, their gradient */
    real *rstd;   /* [HEAD_ROWS] */
    real *logits; /* [HEAD_ROWS, vocab] */
};

struct head *head_new(const struct config *c, struct err *e)
{
    struct head *h = xcalloc(1, sizeof *h);
    size_t rows = HEAD_ROWS, width = (size_t)c->hidden;
    h->hidden = c->hidden;
    h->vocab = c->vocab;
    h->eps = c->eps;
    h->block = malloc((rows * (2 * width + (size_t)c->vocab) + rows) *
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

static double chunk(struct head *h, const struct head_part *p, int from,
                    int n)
{
    int w = h->hidden, V = h->vocab;
    size_t at = (size_t)from * (size_t)w;
    rms_forward(h->y, h->rstd, p->x + at, p->gain, n, w, h->eps);
    gemm(false, true, n, V, w, 1, h->y, w, p->w, w, 0, h->logits, V);
    double loss = losses(h, p, from, n);
    if (p->dx) {
        gemm(true, false, V, w, n, 1, h->logits, V, h->y, w, 1, p->dw, w);
        gemm(false, false, n, w, V, 1, h->logits, V, p->w, w, 0, h->dy, w);
        rms_backward(p->dx + at, p->dgain, h->dy, p->x + at, p->gain, h->rstd,
                     n, w);
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
