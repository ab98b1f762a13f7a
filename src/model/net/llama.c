#include "model/net/llama.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/net/attention.h"
#include "model/net/gemm.h"
#include "model/net/head.h"
#include "model/net/ops.h"

struct work {
    int tokens;     /* rows that fit */
    real *block;    /* all arrays below stand in it */
    real *x;        /* [layers + 1][T, h] the residual before each layer */
    real *mid;      /* [layers][T, h] the residual between its halves */
    real *n1, *n2;  /* [layers][T, h] normed */
    real *r1, *r2;  /* [layers][T] their rstd */
    real *qkv;      /* [layers][T, q + 2 kv], rotated */
    real *att;      /* [layers][T, q] */
    real *lse;      /* [layers][T, heads] */
    real *gu;       /* [layers][T, 2 f] */
    real *act;      /* [layers][T, f] */
    real *dx, *dn;  /* [T, h] gradients */
    real *wide;     /* [T, max(2 f, q + 2 kv)] */
    real *narrow;   /* [T, max(f, q)] */
    real *scratch;  /* of attention */
    int32_t *pos;   /* [T] */
    int32_t *row;   /* [kept] the rows with a target: behind the attention of
                       the last layer only they are computed */
    int32_t *want;  /* [kept] their targets */
    int kept;
    struct head *head;
    double drop;
    uint64_t key;
};

/* Carves n elements (padded to whole cache lines) out of the block; in the
 * first walk, base is NULL and only the sum counts. */
static real *carve(real *base, size_t *at, size_t n)
{
    real *p = base ? base + *at : NULL;
    *at += (n + 15) / 16 * 16;
    return p;
}

static size_t lay_out(struct work *k, const struct config *c, int context)
{
    size_t T = (size_t)k->tokens, L = (size_t)c->layers, at = 0;
    size_t h = (size_t)c->hidden, f = (size_t)c->ffn;
    size_t q = (size_t)config_q(c), w = q + 2 * (size_t)config_kv(c);
    real *b = k->block;
    k->x = carve(b, &at, (L + 1) * T * h);
    k->mid = carve(b, &at, L * T * h);
    k->n1 = carve(b, &at, L * T * h);
    k->n2 = carve(b, &at, L * T * h);
    k->r1 = carve(b, &at, L * T);
    k->r2 = carve(b, &at, L * T);
    k->qkv = carve(b, &at, L * T * w);
    k->att = carve(b, &at, L * T * q);
    k->lse = carve(b, &at, L * T * (size_t)c->heads);
    k->gu = carve(b, &at, L * T * 2 * f);
    k->act = carve(b, &at, L * T * f);
    k->dx = carve(b, &at, T * h);
    k->dn = carve(b, &at, T * h);
    k->wide = carve(b, &at, T * (2 * f > w ? 2 * f : w));
    k->narrow = carve(b, &at, T * (f > q ? f : q));
    k->scratch = carve(b, &at, attention_scratch(context));
    return at;
}

struct work *work_new(const struct llama *m, int tokens, int context,
                      struct err *e)
{
    struct work *k = xcalloc(1, sizeof *k);
    k->tokens = tokens;
    size_t n = lay_out(k, &m->config, context);
    void *block = NULL;
    if (posix_memalign(&block, 64, n * sizeof(real)) == 0)
        k->block = block;
    k->head = k->block ? head_new(&m->config, e) : NULL;
    if (!k->head) {
        err_set(e, ERR_MEMORY, _("not enough memory for %d tokens at once "
                                 "(%zu MB)"), tokens, n * sizeof(real) >> 20);
        work_free(&k);
        return NULL;
    }
    lay_out(k, &m->config, context);
    k->pos = xcalloc(3 * (size_t)tokens, sizeof *k->pos);
    k->row = k->pos + tokens;
    k->want = k->row + tokens;
    return k;
}

void work_free(struct work **kp)
{
    struct work *k = *kp;
    if (!k)
        return;
    head_free(&k->head);
    free(k->block);
    free(k->pos);
    free(k);
    *kp = NULL;
}

void work_drop(struct work *k, double p, uint64_t key)
{
    k->drop = p;
    k->key = key;
}

/* The place of a dropout in the step: layer and half. */
static uint64_t place(const struct work *k, int layer, int half)
{
    return k->key + ((uint64_t)layer * 2 + (uint64_t)half + 1) *
                        0xd1342543de82ef95u;
}

/* y[T, out] = x[T, in] w[out, in]^T (+ y where `add`). */
static void linear(real *y, const real *x, const real *w, int T, int in,
                   int out, bool add)
{
    gemm(false, true, T, out, in, 1, x, in, w, in, add ? 1 : 0, y, out);
}

/* dx = dy w; dw += dy^T x. */
static void linear_back(real *dx, real *dw, const real *dy, const real *x,
                        const real *w, int T, int in, int out)
{
    gemm(true, false, out, in, T, 1, dy, out, x, in, 1, dw, in);
    gemm(false, false, T, in, out, 1, dy, out, w, in, 0, dx, in);
}

/* ---- Forward ------------------------------------------------------------ */

static struct attention shape_of(const struct config *c)
{
    int w = config_q(c) + 2 * config_kv(c);
    return (struct attention){.heads = c->heads, .kv_heads = c->kv_heads,
                              .d = c->head_dim, .ldq = w, .ldk = w,
                              .ldo = config_q(c)};
}

static void attend(const struct config *c, struct work *k,
                   const struct batch *b, real *out, real *lse,
                   const real *qkv)
{
    struct attention a = shape_of(c);
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c);
    for (int s = 0; s < b->sequences; s++) {
        size_t from = (size_t)b->start[s];
        a.n = b->start[s + 1] - b->start[s];
        const real *p = qkv + from * (size_t)a.ldq;
        attention_forward(&a, out + from * q, lse + from * (size_t)c->heads, p,
                          p + q, p + q + kv, k->scratch);
    }
}

/* The rows that go on behind layer l's attention; NULL: all T of them. */
static const int32_t *rows_of(const struct llama *m, const struct work *k,
                              int l, int T, int *n)
{
    bool last = l == m->config.layers - 1;
    *n = last ? k->kept : T;
    return last ? k->row : NULL;
}

/* x (all rows) to mid (the rows that go on). */
static void attention_half(const struct llama *m, struct work *k,
                           const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    int h = c->hidden, q = config_q(c), w = q + 2 * config_kv(c), n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    size_t row = (size_t)l * (size_t)k->tokens;
    real *x = k->x + row * (size_t)h, *mid = k->mid + row * (size_t)h;
    real *n1 = k->n1 + row * (size_t)h;
    real *qkv = k->qkv + row * (size_t)w, *att = k->att + row * (size_t)q;
    rms_forward(n1, k->r1 + row, x, m->w + at->norm1, T, h, c->eps);
    linear(qkv, n1, m->w + at->qkv, T, h, w, false);
    rope_forward(qkv, w, k->pos, T, c->heads + c->kv_heads, c->head_dim,
                 m->cosine, m->sine);
    attend(c, k, b, att, k->lse + row * (size_t)c->heads, qkv);
    if (rows)
        keep_rows(att, rows, n, q);
    linear(mid, att, m->w + at->o, n, q, h, false);
    drop(mid, n, h, k->drop, place(k, l, 0), b->first, rows);
    for (int i = 0; i < n; i++)
        add_to(mid + (size_t)i * (size_t)h,
               x + (size_t)(rows ? rows[i] : i) * (size_t)h, (size_t)h);
}

/* mid to the next layer's x, both [rows that go on, h]. */
static void mlp_half(const struct llama *m, struct work *k,
                     const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    int h = c->hidden, f = c->ffn, n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    size_t row = (size_t)l * (size_t)k->tokens;
    real *mid = k->mid + row * (size_t)h, *n2 = k->n2 + row * (size_t)h;
    real *next = k->x + (row + (size_t)k->tokens) * (size_t)h;
    real *gu = k->gu + row * 2 * (size_t)f, *act = k->act + row * (size_t)f;
    rms_forward(n2, k->r2 + row, mid, m->w + at->norm2, n, h, c->eps);
    linear(gu, n2, m->w + at->gate_up, n, h, 2 * f, false);
    swiglu_forward(act, gu, n, f);
    linear(next, act, m->w + at->down, n, f, h, false);
    drop(next, n, h, k->drop, place(k, l, 1), b->first, rows);
    add_to(next, mid, (size_t)n * (size_t)h);
}

/* Leaves the last residual of the kept rows in x[layers]. */
static void forward(const struct llama *m, struct work *k,
                    const struct batch *b)
{
    int T = b->start[b->sequences];
    for (int s = 0; s < b->sequences; s++)
        for (int t = b->start[s]; t < b->start[s + 1]; t++)
            k->pos[t] = t - b->start[s];
    embed_forward(k->x, m->w + m->embed, b->ids, T, m->config.hidden);
    for (int l = 0; l < m->config.layers; l++) {
        attention_half(m, k, b, l, T);
        mlp_half(m, k, b, l, T);
    }
}

static real *last_x(const struct llama *m, const struct work *k)
{
    return k->x + (size_t)m->config.layers * (size_t)k->tokens *
                      (size_t)m->config.hidden;
}

/* ---- Backward ----------------------------------------------------------- */

static void attend_back(const struct config *c, struct work *k,
                        const struct batch *b, real *dqkv, const real *dout,
                        const real *qkv, const real *lse)
{
    struct attention a = shape_of(c);
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c);
    for (int s = 0; s < b->sequences; s++) {
        size_t from = (size_t)b->start[s];
        a.n = b->start[s + 1] - b->start[s];
        const real *p = qkv + from * (size_t)a.ldq;
        real *d = dqkv + from * (size_t)a.ldq;
        attention_backward(&a, d, d + q, d + q + kv, dout + from * q, p, p + q,
                           p + q + kv, lse + from * (size_t)c->heads,
                           k->scratch);
    }
}

/* The gradient behind a dropout: k->dx itself, or a masked copy in k->dn. */
static const real *undrop(struct work *k, const struct batch *b, int h,
                          uint64_t key, const int32_t *rows, int n)
{
    if (k->drop <= 0)
        return k->dx;
    memcpy(k->dn, k->dx, (size_t)n * (size_t)h * sizeof(real));
    drop(k->dn, n, h, k->drop, key, b->first, rows);
    return k->dn;
}

/* The second half: k->dx holds the gradient of the layer's output and then
 * that of mid. */
static void mlp_back(const struct llama *m, struct work *k,
                     const struct batch *b, int l, int T, real *grad)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    int h = c->hidden, f = c->ffn, n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    size_t row = (size_t)l * (size_t)k->tokens;
    const real *dy = undrop(k, b, h, place(k, l, 1), rows, n);
    linear_back(k->narrow, grad + at->down, dy, k->act + row * (size_t)f,
                m->w + at->down, n, f, h);
    swiglu_backward(k->wide, k->narrow, k->gu + row * 2 * (size_t)f, n, f);
    linear_back(k->dn, grad + at->gate_up, k->wide,
                k->n2 + row * (size_t)h, m->w + at->gate_up, n, h, 2 * f);
    rms_backward(k->dx, grad + at->norm2, k->dn, k->mid + row * (size_t)h,
                 m->w + at->norm2, k->r2 + row, n, h);
}

/* The first half: from the gradient of mid to that of the layer's input. */
static void attention_half_back(const struct llama *m, struct work *k,
                                const struct batch *b, int l, int T,
                                real *grad)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    int h = c->hidden, q = config_q(c), w = q + 2 * config_kv(c), n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    size_t row = (size_t)l * (size_t)k->tokens;
    const real *dy = undrop(k, b, h, place(k, l, 0), rows, n);
    linear_back(k->narrow, grad + at->o, dy, k->att + row * (size_t)q,
                m->w + at->o, n, q, h);
    if (rows) {
        spread_rows(k->narrow, rows, n, T, q);
        spread_rows(k->dx, rows, n, T, h);
    }
    memset(k->wide, 0, (size_t)T * (size_t)w * sizeof(real));
    attend_back(c, k, b, k->wide, k->narrow, k->qkv + row * (size_t)w,
                k->lse + row * (size_t)c->heads);
    rope_backward(k->wide, w, k->pos, T, c->heads + c->kv_heads, c->head_dim,
                  m->cosine, m->sine);
    linear_back(k->dn, grad + at->qkv, k->wide, k->n1 + row * (size_t)h,
                m->w + at->qkv, T, h, w);
    rms_backward(k->dx, grad + at->norm1, k->dn, k->x + row * (size_t)h,
                 m->w + at->norm1, k->r1 + row, T, h);
}

static void backward(const struct llama *m, struct work *k,
                     const struct batch *b, real *grad)
{
    int T = b->start[b->sequences];
    for (int l = m->config.layers - 1; l >= 0; l--) {
        mlp_back(m, k, b, l, T, grad);
        attention_half_back(m, k, b, l, T, grad);
    }
    embed_backward(grad + m->embed, k->dx, b->ids, T, m->config.hidden);
}

double llama_pass(const struct llama *m, struct work *k,
                  const struct batch *b, real scale, real *grad,
                  const struct told *told)
{
    int T = b->start[b->sequences];
    k->kept = 0;
    for (int t = 0; t < T; t++)
        if (b->target[t] >= 0) {
            k->row[k->kept] = t;
            k->want[k->kept++] = b->target[t];
        }
    if (!k->kept)
        return 0;
    forward(m, k, b);
    if (grad)
        memset(k->dx, 0, (size_t)k->kept * (size_t)m->config.hidden *
                             sizeof(real));
    struct head_part part = {
        .x = last_x(m, k), .target = k->want, .row = k->row, .n = k->kept,
        .scale = scale, .gain = m->w + m->norm, .w = m->w + m->head,
        .dx = grad ? k->dx : NULL, .dgain = grad ? grad + m->norm : NULL,
        .dw = grad ? grad + m->head : NULL, .told = told};
    double loss = head_loss(k->head, &part);
    if (grad)
        backward(m, k, b, grad);
    return loss;
}

void llama_logits(const struct llama *m, struct work *k, const int32_t *ids,
                  int n, real *out)
{
    const int32_t start[2] = {0, n};
    struct batch b = {.ids = ids, .start = start, .sequences = 1};
    int h = m->config.hidden;
    real rstd;
    k->kept = 1;
    k->row[0] = n - 1;
    forward(m, k, &b);
    rms_forward(k->dn, &rstd, last_x(m, k), m->w + m->norm, 1, h,
                m->config.eps);
    linear(out, k->dn, m->w + m->head, 1, h, m->config.vocab, false);
}
