#include "model/net/head.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/net/gemm.h"
#include "model/net/ops.h"

struct head {
    int hidden, vocab;
    double eps;
    real *block;
    real *x, *y, *dx, *dy;  /* [HEAD_ROWS, hidden] gathered rows */
    real *rstd;             /* [HEAD_ROWS] */
    real *logits;           /* [HEAD_ROWS, vocab] */
    int row[HEAD_ROWS], n;  /* which rows they are */
};

struct head *head_new(const struct config *c, struct err *e)
{
    struct head *h = xcalloc(1, sizeof *h);
    size_t rows = HEAD_ROWS, width = (size_t)c->hidden;
    h->hidden = c->hidden;
    h->vocab = c->vocab;
    h->eps = c->eps;
    h->block = malloc((rows * (4 * width + (size_t)c->vocab) + rows) *
                      sizeof(real));
    if (!h->block) {
        free(h);
        err_set(e, ERR_MEMORY, _("not enough memory for the head"));
        return NULL;
    }
    h->logits = h->block;
    h->x = h->logits + rows * (size_t)c->vocab;
    h->y = h->x + rows * width;
    h->dx = h->y + rows * width;
    h->dy = h->dx + rows * width;
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

/* Logits of the gathered rows to losses and, in place, gradients. */
static double losses(struct head *h, const struct head_part *p)
{
    double loss = 0;
    for (int i = 0; i < h->n; i++) {
        int top, t = h->row[i];
        double l = softmax_loss(h->logits + (size_t)i * (size_t)h->vocab,
                                h->vocab, p->target[t], p->scale, &top);
        loss -= l;
        if (p->told && p->told->logprob)
            p->told->logprob[t] = l;
        if (p->told && p->told->top)
            p->told->top[t] = top == p->target[t];
    }
    return loss;
}

static void chunk_back(struct head *h, const struct head_part *p)
{
    int n = h->n, w = h->hidden, V = h->vocab;
    size_t size = (size_t)w * sizeof(real);
    gemm(true, false, V, w, n, 1, h->logits, V, h->y, w, 1, p->dw, w);
    gemm(false, false, n, w, V, 1, h->logits, V, p->w, w, 0, h->dy, w);
    memset(h->dx, 0, (size_t)n * size);
    rms_backward(h->dx, p->dgain, h->dy, h->x, p->gain, h->rstd, n, w);
    for (int i = 0; i < n; i++)
        add_to(p->dx + (size_t)h->row[i] * (size_t)w,
               h->dx + (size_t)i * (size_t)w, (size_t)w);
}

static double chunk(struct head *h, const struct head_part *p)
{
    int n = h->n, w = h->hidden;
    for (int i = 0; i < n; i++)
        memcpy(h->x + (size_t)i * (size_t)w,
               p->x + (size_t)h->row[i] * (size_t)w, (size_t)w * sizeof(real));
    rms_forward(h->y, h->rstd, h->x, p->gain, n, w, h->eps);
    gemm(false, true, n, h->vocab, w, 1, h->y, w, p->w, w, 0, h->logits,
         h->vocab);
    double loss = losses(h, p);
    if (p->dx)
        chunk_back(h, p);
    h->n = 0;
    return loss;
}

double head_loss(struct head *h, const struct head_part *p)
{
    double loss = 0;
    h->n = 0;
    for (int t = 0; t < p->T; t++) {
        if (p->target[t] < 0)
            continue;
        h->row[h->n++] = t;
        if (h->n == HEAD_ROWS)
            loss += chunk(h, p);
    }
    return h->n ? loss + chunk(h, p) : loss;
}
