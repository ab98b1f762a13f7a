#include "model/net/llama.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/net/block.h"
#include "model/net/gemm.h"
#include "model/net/head.h"
#include "model/net/lora.h"
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
    real *m1, *m2;  /* [layers][T] LayerNorm's means */
    real *raw;      /* [layers][T, q + kv] before the heads' norms */
    real *rq;       /* [layers][T (heads + kv_heads)] their rstd */
    real *o1, *o2;  /* [layers][T, h] what a half gave before its own norm */
    real *ro1, *ro2; /* [layers][T] their rstd */
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
    real *grad;     /* [trained] where the gradient goes */
    size_t first;   /* the offset of its first */
    real *sink;     /* [widest row] where that of frozen vectors goes */
};

/* Carves n elements (padded to whole cache lines) out of the block; in the
 * first walk, base is NULL and only the sum counts. */
static real *carve(real *base, size_t *at, size_t n)
{
    real *p = base ? base + *at : NULL;
    *at += (n + 15) / 16 * 16;
    return p;
}

static size_t widest(size_t a, size_t b, size_t c)
{
    a = a > b ? a : b;
    return a > c ? a : c;
}

static size_t lay_out(struct work *k, const struct config *c, int context)
{
    size_t T = (size_t)k->tokens, L = (size_t)c->layers, at = 0;
    size_t h = (size_t)c->hidden, f = (size_t)c->ffn;
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c), w = q + 2 * kv;
    size_t up = (size_t)config_up(c);
    size_t heads = (size_t)(c->heads + c->kv_heads);
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
    k->gu = carve(b, &at, L * T * up);
    k->act = carve(b, &at, L * T * f);
    k->m1 = carve(b, &at, c->layer_norm ? L * T : 0);
    k->m2 = carve(b, &at, c->layer_norm ? L * T : 0);
    k->raw = carve(b, &at, c->qk_norm ? L * T * (w - kv) : 0);
    k->rq = carve(b, &at, c->qk_norm ? L * T * heads : 0);
    k->o1 = carve(b, &at, c->sandwich ? L * T * h : 0);
    k->o2 = carve(b, &at, c->sandwich ? L * T * h : 0);
    k->ro1 = carve(b, &at, c->sandwich ? L * T : 0);
    k->ro2 = carve(b, &at, c->sandwich ? L * T : 0);
    k->dx = carve(b, &at, T * h);
    k->dn = carve(b, &at, T * h);
    k->wide = carve(b, &at, T * (up > w ? up : w));
    k->narrow = carve(b, &at, T * widest(f, q, c->sandwich ? h : 0));
    k->sink = carve(b, &at, widest(up, w, h));
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

/* Where the gradient of a vector goes. */
static real *into(const struct work *k, size_t offset)
{
    return offset < k->first ? k->sink : k->grad + (offset - k->first);
}

/* dx = dy w; dw += dy^T x, unless w is frozen; then that of the n pairs. */
static void linear_back(const struct llama *m, const struct work *k, real *dx,
                        size_t w, const struct pair_at *pair, int n,
                        const real *dy, const real *x, int T, int in, int out)
{
    if (w >= k->first)
        gemm(true, false, out, in, T, 1, dy, out, x, in, 1, into(k, w), in);
    gemm(false, false, T, in, out, 1, dy, out, m->w + w, in, 0, dx, in);
    lora_backward(m, pair, n, dx, k->grad, dy, out, x, T);
}

/* ---- Forward ------------------------------------------------------------ */

static struct attention shape_of(const struct config *c, int l)
{
    struct attention a = block_attention(c, l);
    a.ldq = a.ldk = config_q(c) + 2 * config_kv(c);
    return a;
}

static void attend(const struct config *c, int l, struct work *k,
                   const struct batch *b, real *out, real *lse,
                   const real *qkv)
{
    struct attention a = shape_of(c, l);
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

/* What a layer keeps of T rows: the places of its arrays. */
struct kept {
    real *x, *mid, *next, *n1, *n2, *r1, *r2, *m1, *m2, *qkv, *att, *lse;
    real *gu, *act, *raw, *rq, *o1, *o2, *ro1, *ro2;
};

static struct kept kept_of(const struct llama *m, const struct work *k, int l)
{
    const struct config *c = &m->config;
    size_t T = (size_t)k->tokens, row = (size_t)l * T;
    size_t h = (size_t)c->hidden, q = (size_t)config_q(c);
    size_t kv = (size_t)config_kv(c), f = (size_t)c->ffn;
    return (struct kept){
        .x = k->x + row * h, .mid = k->mid + row * h,
        .next = k->x + (row + T) * h, .n1 = k->n1 + row * h,
        .n2 = k->n2 + row * h, .r1 = k->r1 + row, .r2 = k->r2 + row,
        .m1 = c->layer_norm ? k->m1 + row : NULL,
        .m2 = c->layer_norm ? k->m2 + row : NULL,
        .qkv = k->qkv + row * (q + 2 * kv), .att = k->att + row * q,
        .lse = k->lse + row * (size_t)c->heads,
        .gu = k->gu + row * (size_t)config_up(c), .act = k->act + row * f,
        .raw = c->qk_norm ? k->raw + row * (q + kv) : NULL,
        .rq = c->qk_norm ? k->rq + row * (size_t)(c->heads + c->kv_heads)
                         : NULL,
        .o1 = c->sandwich ? k->o1 + row * h : NULL,
        .o2 = c->sandwich ? k->o2 + row * h : NULL,
        .ro1 = c->sandwich ? k->ro1 + row : NULL,
        .ro2 = c->sandwich ? k->ro2 + row : NULL};
}

/* x (all rows) to mid (the rows that go on). */
static void attention_half(const struct llama *m, struct work *k,
                           const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int h = c->hidden, q = config_q(c), n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    block_norm(m, at->norm1, at->norm1_b, a.n1, a.m1, a.r1, a.x, T);
    block_qkv(m, l, a.qkv, a.n1, k->pos, T, a.raw, a.rq);
    attend(c, l, k, b, a.att, a.lse, a.qkv);
    if (rows)
        keep_rows(a.att, rows, n, q);
    block_out(m, l, 0, a.mid, a.att, n, a.o1, a.ro1);
    drop(a.mid, n, h, k->drop, place(k, l, 0), b->first, rows);
    for (int i = 0; i < n; i++)
        add_to(a.mid + (size_t)i * (size_t)h,
               a.x + (size_t)(rows ? rows[i] : i) * (size_t)h, (size_t)h);
}

/* mid to the next layer's x, both [rows that go on, h]. */
static void mlp_half(const struct llama *m, struct work *k,
                     const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int h = c->hidden, n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    block_norm(m, at->norm2, at->norm2_b, a.n2, a.m2, a.r2, a.mid, n);
    block_up(m, l, a.gu, a.act, a.n2, n);
    block_out(m, l, 1, a.next, a.act, n, a.o2, a.ro2);
    drop(a.next, n, h, k->drop, place(k, l, 1), b->first, rows);
    add_to(a.next, a.mid, (size_t)n * (size_t)h);
}

/* Leaves the last residual of the kept rows in x[layers]. */
static void forward(const struct llama *m, struct work *k,
                    const struct batch *b)
{
    int T = b->start[b->sequences];
    for (int s = 0; s < b->sequences; s++)
        for (int t = b->start[s]; t < b->start[s + 1]; t++)
            k->pos[t] = t - b->start[s];
    block_embed(m, k->x, b->ids, k->pos, T);
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

static void attend_back(const struct config *c, int l, struct work *k,
                        const struct batch *b, real *dqkv, const real *dout,
                        const real *qkv, const real *lse)
{
    struct attention a = shape_of(c, l);
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

/* The gradient of what a half gave: k->dx itself, or a copy in k->dn, behind
 * its dropout and its own norm. */
static const real *undo_out(const struct llama *m, struct work *k,
                            const struct batch *b, int l, int half,
                            const int32_t *rows, int n)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int h = c->hidden;
    size_t all = (size_t)n * (size_t)h, post = half ? at->post2 : at->post1;
    if (k->drop <= 0 && !c->sandwich)
        return k->dx;
    memcpy(k->dn, k->dx, all * sizeof(real));
    drop(k->dn, n, h, k->drop, place(k, l, half), b->first, rows);
    if (!c->sandwich)
        return k->dn;
    memset(k->narrow, 0, all * sizeof(real));
    rms_backward(k->narrow, into(k, post), k->dn, half ? a.o2 : a.o1,
                 m->w + post, (real)c->norm_plus, half ? a.ro2 : a.ro1, n, h);
    memcpy(k->dn, k->narrow, all * sizeof(real));
    return k->dn;
}

/* dx += the gradient through a norm, from k->dn. */
static void norm_back(const struct llama *m, struct work *k, size_t gain,
                      size_t bias, const real *x, const real *mean,
                      const real *rstd, int n)
{
    const struct config *c = &m->config;
    if (c->layer_norm)
        layer_norm_backward(k->dx, into(k, gain), into(k, bias), k->dn, x,
                            m->w + gain, mean, rstd, n, c->hidden);
    else
        rms_backward(k->dx, into(k, gain), k->dn, x, m->w + gain,
                     (real)c->norm_plus, rstd, n, c->hidden);
}

/* The second half: k->dx holds the gradient of the layer's output and then
 * that of mid. */
static void mlp_back(const struct llama *m, struct work *k,
                     const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int h = c->hidden, f = c->ffn, n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    const real *dy = undo_out(m, k, b, l, 1, rows, n);
    if (c->mlp_bias)
        bias_backward(into(k, at->down_b), dy, n, h);
    linear_back(m, k, k->narrow, at->down, &at->pair[PAIR_DOWN], 1, dy, a.act,
                n, f, h);
    act_backward(c->act, c->gated, k->wide, k->narrow, a.gu, n, f);
    if (c->mlp_bias)
        bias_backward(into(k, at->gate_up_b), k->wide, n, config_up(c));
    linear_back(m, k, k->dn, at->gate_up, &at->pair[PAIR_GATE], 2, k->wide,
                a.n2, n, h, config_up(c));
    norm_back(m, k, at->norm2, at->norm2_b, a.mid, a.m2, a.r2, n);
}

/* From the gradient of turned q|k|v to that of the product's, in place. */
static void qkv_back(const struct llama *m, struct work *k, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int q = config_q(c), kv = config_kv(c), w = q + 2 * kv;
    bool local = c->window && c->local[l];
    if (!c->positions)
        rope_backward(k->wide, w, k->pos, T, c->heads + c->kv_heads,
                      c->head_dim, local ? m->cosine_local : m->cosine,
                      local ? m->sine_local : m->sine);
    if (c->qk_norm) {
        rms_heads_backward(k->wide, w, into(k, at->q_norm), a.raw, q + kv,
                           m->w + at->q_norm, (real)c->norm_plus, a.rq, T,
                           c->heads, c->head_dim);
        rms_heads_backward(k->wide + q, w, into(k, at->k_norm), a.raw + q,
                           q + kv, m->w + at->k_norm, (real)c->norm_plus,
                           a.rq + (size_t)T * (size_t)c->heads, T,
                           c->kv_heads, c->head_dim);
    }
    if (c->qkv_bias)
        bias_backward(into(k, at->qkv_b), k->wide, T, w);
}

/* The first half: from the gradient of mid to that of the layer's input. */
static void attention_half_back(const struct llama *m, struct work *k,
                                const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int h = c->hidden, q = config_q(c), w = q + 2 * config_kv(c), n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    const real *dy = undo_out(m, k, b, l, 0, rows, n);
    if (c->o_bias)
        bias_backward(into(k, at->o_b), dy, n, h);
    linear_back(m, k, k->narrow, at->o, &at->pair[PAIR_O], 1, dy, a.att, n, q,
                h);
    if (rows) {
        spread_rows(k->narrow, rows, n, T, q);
        spread_rows(k->dx, rows, n, T, h);
    }
    memset(k->wide, 0, (size_t)T * (size_t)w * sizeof(real));
    attend_back(c, l, k, b, k->wide, k->narrow, a.qkv, a.lse);
    qkv_back(m, k, l, T);
    linear_back(m, k, k->dn, at->qkv, &at->pair[PAIR_Q], 3, k->wide, a.n1, T,
                h, w);
    norm_back(m, k, at->norm1, at->norm1_b, a.x, a.m1, a.r1, T);
}

/* Into the gradients of the embedding and of the positions. */
static void embed_back(const struct llama *m, struct work *k,
                       const struct batch *b, int T)
{
    const struct config *c = &m->config;
    if (m->embed < k->first)
        return;
    if (c->positions)
        embed_backward(into(k, m->position), k->dx, k->pos, T, c->hidden);
    if (c->embed_scale > 0 && (c->embed_scale < 1 || c->embed_scale > 1))
        scale_by(k->dx, c->embed_scale, (size_t)T * (size_t)c->hidden);
    embed_backward(into(k, m->embed), k->dx, b->ids, T, c->hidden);
}

static void backward(const struct llama *m, struct work *k,
                     const struct batch *b)
{
    int T = b->start[b->sequences];
    for (int l = m->config.layers - 1; l >= 0; l--) {
        mlp_back(m, k, b, l, T);
        attention_half_back(m, k, b, l, T);
    }
    embed_back(m, k, b, T);
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
    k->grad = grad;
    k->first = m->first;
    if (grad)
        memset(k->dx, 0, (size_t)k->kept * (size_t)m->config.hidden *
                             sizeof(real));
    struct head_part part = {
        .x = last_x(m, k), .target = k->want, .row = k->row, .n = k->kept,
        .scale = scale, .m = m, .told = told};
    if (grad) {
        part.dx = k->dx;
        part.dnorm = into(k, m->norm);
        part.dnorm_b = into(k, m->norm_b);
        part.dhead = m->head < k->first ? NULL : into(k, m->head);
    }
    double loss = head_loss(k->head, &part);
    if (grad)
        backward(m, k, b);
    return loss;
}

void llama_logits(const struct llama *m, struct work *k, const int32_t *ids,
                  int n, real *out)
{
    const int32_t start[2] = {0, n};
    struct batch b = {.ids = ids, .start = start, .sequences = 1};
    int h = m->config.hidden;
    real mean, rstd;
    k->kept = 1;
    k->row[0] = n - 1;
    forward(m, k, &b);
    block_norm(m, m->norm, m->norm_b, k->dn, &mean, &rstd, last_x(m, k), 1);
    linear(out, k->dn, m->w + m->head, 1, h, m->config.vocab, false);
}
