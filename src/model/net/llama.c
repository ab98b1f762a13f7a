#include "model/net/llama.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/net/block.h"
#include "model/net/gemm.h"
#include "model/net/head.h"
#include "model/net/lora.h"
#include "model/net/ops.h"

/* What reads rows of one width: the first matrix of a sublayer, the last one of
 * attention, the last one of the MLP. */
enum reader { READS_HIDDEN, READS_HEADS, READS_FFN, READERS };

struct work {
    struct work_shape shape;
    real *block;    /* all arrays below stand in it */
    real *x;        /* [layers + 1][T, h] the residual before each layer */
    /* of each layer, or with recompute of one: L of them */
    real *mid;      /* [L][T, h] the residual between its sublayers */
    real *r1, *r2;  /* [L][T] their rstd */
    real *qkv;      /* [L][T, q + 2 kv], rotated */
    real *att;      /* [L][T, q] */
    real *lse;      /* [L][T, heads] */
    real *gu;       /* [L][T, 2 f] */
    real *m1, *m2;  /* [L][T] LayerNorm's means */
    real *raw;      /* [L][T, q + kv] before the heads' norms */
    real *rq;       /* [L][T (heads + kv_heads)] their rstd */
    real *o1, *o2;  /* [L][T, h] what a sublayer gave before its own norm */
    real *ro1, *ro2; /* [L][T] their rstd */
    real *normed;   /* [T, h] what a sublayer's norm gave: made again by the
                       backward pass, which costs less than keeping it */
    real *act;      /* [T, f] the same of what gu became */
    real *dx, *dn;  /* [T, h] gradients */
    real *wide;     /* [T, max(2 f, q + 2 kv)] */
    real *narrow;   /* [T, max(f, q)] */
    real *parts;    /* [workers][T, 2 kv] of attention's backward pass */
    real *scratch;  /* [workers] of attention */
    real *low;      /* [2][T, rank] of the adapter */
    real *read[READERS]; /* [T, their width] what the adapter reads, dropped:
                            rows of one width each, so that no worker writes
                            over another's */
    real *undo[READERS]; /* the same of its gradient */
    int32_t *pos;   /* [T] */
    int32_t *row;   /* [kept] the rows with a target: behind the attention of
                       the last layer only they are computed */
    int32_t *want;  /* [kept] their targets */
    float *weight;  /* [kept] what each counts */
    int kept;
    struct head *head;
    bool adapted; /* there is an adapter */
    double drop, drop_adapter;
    uint64_t key;
    real *grad;     /* [trained] where the gradient goes */
    size_t first;   /* the offset of its first */
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

static size_t lay_out(struct work *k, const struct llama *m)
{
    const struct config *c = &m->config;
    size_t T = (size_t)k->shape.tokens, at = 0;
    size_t workers = (size_t)k->shape.workers, layers = (size_t)c->layers;
    size_t L = k->shape.recompute ? 1 : layers;
    size_t h = (size_t)c->hidden, f = (size_t)c->ffn;
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c), w = q + 2 * kv;
    size_t up = (size_t)config_up(c);
    size_t heads = (size_t)(c->heads + c->kv_heads);
    real *b = k->block;
    k->x = carve(b, &at, (layers + 1) * T * h);
    k->mid = carve(b, &at, L * T * h);
    k->r1 = carve(b, &at, L * T);
    k->r2 = carve(b, &at, L * T);
    k->qkv = carve(b, &at, L * T * w);
    k->att = carve(b, &at, L * T * q);
    k->lse = carve(b, &at, L * T * (size_t)c->heads);
    k->gu = carve(b, &at, L * T * up);
    k->m1 = carve(b, &at, c->layer_norm ? L * T : 0);
    k->m2 = carve(b, &at, c->layer_norm ? L * T : 0);
    k->raw = carve(b, &at, c->qk_norm ? L * T * (w - kv) : 0);
    k->rq = carve(b, &at, c->qk_norm ? L * T * heads : 0);
    k->o1 = carve(b, &at, c->sandwich ? L * T * h : 0);
    k->o2 = carve(b, &at, c->sandwich ? L * T * h : 0);
    k->ro1 = carve(b, &at, c->sandwich ? L * T : 0);
    k->ro2 = carve(b, &at, c->sandwich ? L * T : 0);
    k->normed = carve(b, &at, T * h);
    k->act = carve(b, &at, T * f);
    k->dx = carve(b, &at, T * h);
    k->dn = carve(b, &at, T * h);
    k->wide = carve(b, &at, T * (up > w ? up : w));
    k->narrow = carve(b, &at, T * widest(f, q, c->sandwich ? h : 0));
    k->parts = carve(b, &at, workers * T * 2 * kv);
    k->low = carve(b, &at, 2 * T * (size_t)m->rank);
    const size_t width[READERS] = {h, q, f};
    for (int i = 0; i < READERS; i++) {
        k->read[i] = carve(b, &at, m->rank ? T * width[i] : 0);
        k->undo[i] = carve(b, &at, m->rank ? T * width[i] : 0);
    }
    struct attention a = block_attention(c, 0);
    k->scratch = carve(b, &at, workers * attention_scratch(
                                             &a, k->shape.context));
    return at;
}

size_t work_row(const struct llama *m, bool recompute)
{
    struct work one = {.shape = {1024, 1, 1, recompute}};
    struct work two = {.shape = {2048, 1, 1, recompute}};
    return (lay_out(&two, m) - lay_out(&one, m)) / 1024 * sizeof(real);
}

struct work *work_new(const struct llama *m, const struct work_shape *shape,
                      struct err *e)
{
    struct work *k = xcalloc(1, sizeof *k);
    int tokens = shape->tokens;
    k->shape = *shape;
    k->adapted = m->rank > 0;
    size_t n = lay_out(k, m);
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
    lay_out(k, m);
    k->pos = xcalloc(3 * (size_t)tokens, sizeof *k->pos);
    k->row = k->pos + tokens;
    k->want = k->row + tokens;
    k->weight = xcalloc((size_t)tokens, sizeof *k->weight);
    return k;
}

size_t work_bytes(const struct llama *m, const struct work_shape *shape)
{
    struct work k = {.shape = *shape};
    return lay_out(&k, m) * sizeof(real) + head_bytes(&m->config);
}

int work_tokens(const struct work *k)
{
    return k->shape.tokens;
}

void work_free(struct work **kp)
{
    struct work *k = *kp;
    if (!k)
        return;
    head_free(&k->head);
    free(k->block);
    free(k->pos);
    free(k->weight);
    free(k);
    *kp = NULL;
}

void work_drop(struct work *k, double p, double adapter, uint64_t key)
{
    k->drop = p;
    k->drop_adapter = k->adapted ? adapter : 0;
    k->key = key;
}

/* The place of a dropout in the step: layer and sublayer. */
static uint64_t place(const struct work *k, int layer, int sub)
{
    return k->key + ((uint64_t)layer * 2 + (uint64_t)sub + 1) *
                        0xd1342543de82ef95u;
}

/* Rows that the adapter reads, and their dropout. */
struct adapter_in {
    struct lora_drop drop;
    enum reader by;
};

static struct adapter_in adapter_in(const struct work *k,
                                    const struct batch *b, int l, int sub,
                                    enum reader by, const int32_t *row)
{
    uint64_t key = place(k, l, sub) + (by + 2u) * 0x9e3779b97f4a7c15u;
    return (struct adapter_in){{k->drop_adapter, key, b->first, row}, by};
}

/* What the adapter reads of x [T, width]: x, or what its dropout leaves. */
static const real *for_adapter(const struct team *t, const struct work *k,
                               struct adapter_in r, const real *x, int T,
                               int width)
{
    if (r.drop.p <= 0)
        return x;
    lora_dropped(t, &r.drop, k->read[r.by], x, T, width);
    return k->read[r.by];
}

/* Where the gradient of a weight goes; NULL: it is frozen. */
static real *into(const struct work *k, size_t offset)
{
    return offset < k->first ? NULL : k->grad + (offset - k->first);
}

/* This worker's rows of T. */
struct rows {
    int lo, n;
};

static struct rows my_rows(const struct team *t, int T)
{
    int lo, hi;
    team_rows(t, T, &lo, &hi);
    return (struct rows){lo, hi - lo};
}

/* db += the sum of dx's rows, unless it is frozen; each worker has some
 * columns. Waits before. */
static void bias_back(const struct team *t, real *db, const real *dx, int T,
                      int w)
{
    int lo, hi;
    if (!db)
        return;
    team_wait(t);
    team_share(t, w, 16, &lo, &hi);
    bias_backward(db, dx, T, w, lo, hi);
}

/* dx = dy w; dw += dy^T x, unless w is frozen; then that of its n modules. */
static void linear_back(const struct team *t, const struct llama *m,
                        const struct work *k, real *dx, size_t w,
                        const struct module_at *pair, int n,
                        struct adapter_in read, const real *dy,
                        const real *x, int T, int in, int out)
{
    real *dw = into(k, w);
    if (dw)
        gemm_share(t, true, false, out, in, T, 1, dy, out, x, in, 1, dw, in);
    if (m->w16)
        gemm_share_bf16(t, false, false, T, in, out, dy, m->w16 + w, dx);
    else
        gemm_share(t, false, false, T, in, out, 1, dy, out, m->w + w, in, 0,
                   dx, in);
    if (!m->rank)
        return;
    struct lora_back b = {k->grad, k->low, k->undo[read.by], read.drop};
    lora_backward(t, m, pair, n, dx, &b, dy, out,
                  for_adapter(t, k, read, x, T, in), T);
}

/* ---- Forward ------------------------------------------------------------ */

static struct attention shape_of(const struct config *c, int l,
                                 const struct batch *b)
{
    struct attention a = block_attention(c, l);
    a.ldq = a.ldk = config_q(c) + 2 * config_kv(c);
    a.prompt = b->prompt;
    return a;
}

static void attend(const struct team *t, const struct config *c, int l,
                   struct work *k, const struct batch *b, real *out, real *lse,
                   const real *qkv)
{
    struct attention a = shape_of(c, l, b);
    int q = config_q(c);
    team_wait(t);
    attention_forward(t, &a, b->start, b->sequences, out, lse, qkv, qkv + q,
                      qkv + q + config_kv(c), k->scratch);
    team_wait(t);
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
    real *x, *mid, *next, *r1, *r2, *m1, *m2, *qkv, *att, *lse;
    real *gu, *act, *raw, *rq, *o1, *o2, *ro1, *ro2;
};

static struct kept kept_of(const struct llama *m, const struct work *k, int l)
{
    const struct config *c = &m->config;
    size_t T = (size_t)k->shape.tokens, x = (size_t)l * T;
    size_t row = k->shape.recompute ? 0 : x;
    size_t h = (size_t)c->hidden, q = (size_t)config_q(c);
    size_t kv = (size_t)config_kv(c);
    return (struct kept){
        .x = k->x + x * h, .mid = k->mid + row * h,
        .next = k->x + (x + T) * h, .r1 = k->r1 + row, .r2 = k->r2 + row,
        .m1 = c->layer_norm ? k->m1 + row : NULL,
        .m2 = c->layer_norm ? k->m2 + row : NULL,
        .qkv = k->qkv + row * (q + 2 * kv), .att = k->att + row * q,
        .lse = k->lse + row * (size_t)c->heads,
        .gu = k->gu + row * (size_t)config_up(c), .act = k->act,
        .raw = c->qk_norm ? k->raw + row * (q + kv) : NULL,
        .rq = c->qk_norm ? k->rq + row * (size_t)(c->heads + c->kv_heads)
                         : NULL,
        .o1 = c->sandwich ? k->o1 + row * h : NULL,
        .o2 = c->sandwich ? k->o2 + row * h : NULL,
        .ro1 = c->sandwich ? k->ro1 + row : NULL,
        .ro2 = c->sandwich ? k->ro2 + row : NULL};
}

/* to[i] = from[row[i]] + to[i] for this worker's rows. */
static void add_rows(const struct team *t, real *to, const real *from,
                     const int32_t *row, int n, int h)
{
    struct rows r = my_rows(t, n);
    for (int i = r.lo; i < r.lo + r.n; i++)
        add_to(to + (size_t)i * (size_t)h,
               from + (size_t)(row ? row[i] : i) * (size_t)h, (size_t)h);
}

/* This worker's rows through the dropout behind a sublayer. */
static void drop_rows(const struct team *t, const struct work *k,
                      const struct batch *b, int l, int sub, real *x,
                      const int32_t *row, int n, int h)
{
    struct rows r = my_rows(t, n);
    drop(x + (size_t)r.lo * (size_t)h, r.n, h, k->drop, place(k, l, sub),
         b->first + (row ? 0 : r.lo), row ? row + r.lo : NULL);
}

/* What the norm before a sublayer (0: attention, 1: the MLP) of layer l gives
 * of its n rows, into k->normed. */
static void norm_rows(const struct team *t, const struct llama *m,
                      struct work *k, int l, int sub, int n)
{
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    if (sub)
        block_norm(t, m, at->norm2, at->norm2_b, k->normed, a.m2, a.r2, a.mid,
                   n);
    else
        block_norm(t, m, at->norm1, at->norm1_b, k->normed, a.m1, a.r1, a.x,
                   n);
}

/* x (all rows) to mid (the rows that go on). */
static void attention_sublayer(const struct team *t, const struct llama *m,
                               struct work *k, const struct batch *b, int l,
                               int T)
{
    const struct config *c = &m->config;
    struct kept a = kept_of(m, k, l);
    int h = c->hidden, q = config_q(c), n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    norm_rows(t, m, k, l, 0, T);
    block_qkv(t, m, l, a.qkv, k->normed,
              for_adapter(t, k, adapter_in(k, b, l, 0, READS_HIDDEN, NULL),
                          k->normed, T, h), k->pos, T, a.raw, a.rq);
    attend(t, c, l, k, b, a.att, a.lse, a.qkv);
    if (rows) {
        if (!t->me)
            keep_rows(a.att, rows, n, q);
        team_wait(t);
    }
    block_out(t, m, l, 0, a.mid, a.att,
              for_adapter(t, k, adapter_in(k, b, l, 0, READS_HEADS, rows),
                          a.att, n, q), n, a.o1, a.ro1);
    drop_rows(t, k, b, l, 0, a.mid, rows, n, h);
    add_rows(t, a.mid, a.x, rows, n, h);
}

/* mid to what the activation gives, both of the rows that go on. */
static void mlp_up(const struct team *t, const struct llama *m, struct work *k,
                   const struct batch *b, int l, int T)
{
    struct kept a = kept_of(m, k, l);
    int n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    norm_rows(t, m, k, l, 1, n);
    block_up(t, m, l, a.gu, a.act, k->normed,
             for_adapter(t, k, adapter_in(k, b, l, 1, READS_HIDDEN, rows),
                         k->normed, n, m->config.hidden), n);
}

/* That to the next layer's x. */
static void mlp_down(const struct team *t, const struct llama *m,
                     struct work *k, const struct batch *b, int l, int T)
{
    struct kept a = kept_of(m, k, l);
    int h = m->config.hidden, n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    block_out(t, m, l, 1, a.next, a.act,
              for_adapter(t, k, adapter_in(k, b, l, 1, READS_FFN, rows),
                          a.act, n, m->config.ffn), n, a.o2, a.ro2);
    drop_rows(t, k, b, l, 1, a.next, rows, n, h);
    add_rows(t, a.next, a.mid, NULL, n, h);
}

/* Leaves the last residual of the kept rows in x[layers]. */
static void forward(const struct team *t, const struct llama *m,
                    struct work *k, const struct batch *b)
{
    int T = b->start[b->sequences];
    for (int s = 0; !t->me && s < b->sequences; s++) {
        int p = b->prompt ? b->prompt[s] : -1;
        int at = p < 0 ? 0 : b->start[p + 1] - b->start[p];
        for (int i = b->start[s]; i < b->start[s + 1]; i++)
            k->pos[i] = at + i - b->start[s];
    }
    team_wait(t);
    block_embed(t, m, k->x, b->ids, k->pos, T);
    for (int l = 0; l < m->config.layers; l++) {
        attention_sublayer(t, m, k, b, l, T);
        mlp_up(t, m, k, b, l, T);
        mlp_down(t, m, k, b, l, T);
    }
    team_wait(t);
}

static real *last_x(const struct llama *m, const struct work *k)
{
    return k->x + (size_t)m->config.layers * (size_t)k->shape.tokens *
                      (size_t)m->config.hidden;
}

/* ---- Backward ----------------------------------------------------------- */

static void attend_back(const struct team *t, const struct config *c, int l,
                        struct work *k, const struct batch *b, real *dqkv,
                        const real *dout, const real *qkv, const real *lse)
{
    struct attention a = shape_of(c, l, b);
    int q = config_q(c), v = q + config_kv(c);
    attention_backward(t, &a, b->start, b->sequences, dqkv, dqkv + q, dqkv + v,
                       dout, qkv, qkv + q, qkv + v, lse, k->parts,
                       k->scratch);
    team_wait(t);
}

/* The gradient of a sublayer's own norm, from k->dn and in it. */
static void post_norm_back(const struct team *t, const struct llama *m,
                           struct work *k, size_t gain, const real *x,
                           const real *rstd, int n)
{
    int h = m->config.hidden, lo, hi;
    struct rows r = my_rows(t, n);
    size_t at = (size_t)r.lo * (size_t)h;
    size_t bytes = (size_t)r.n * (size_t)h * sizeof(real);
    memset(k->narrow + at, 0, bytes);
    rms_backward(k->narrow + at, k->dn + at, x + at, m->w + gain,
                 (real)m->config.norm_plus, rstd + r.lo, r.n, h);
    team_wait(t);
    team_share(t, h, 16, &lo, &hi);
    if (into(k, gain))
        rms_gain_backward(into(k, gain), k->dn, x, rstd, n, h, lo, hi);
    team_wait(t);
    memcpy(k->dn + at, k->narrow + at, bytes);
}

/* The gradient of what a sublayer gave: k->dx itself, or a copy in k->dn,
 * behind its dropout and its own norm. */
static const real *undo_out(const struct team *t, const struct llama *m,
                            struct work *k, const struct batch *b, int l,
                            int sub, const int32_t *rows, int n)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    if (k->drop <= 0 && !c->sandwich)
        return k->dx;
    struct rows r = my_rows(t, n);
    size_t from = (size_t)r.lo * (size_t)c->hidden;
    memcpy(k->dn + from, k->dx + from,
           (size_t)r.n * (size_t)c->hidden * sizeof(real));
    drop_rows(t, k, b, l, sub, k->dn, rows, n, c->hidden);
    if (c->sandwich)
        post_norm_back(t, m, k, sub ? at->post2 : at->post1,
                       sub ? a.o2 : a.o1, sub ? a.ro2 : a.ro1, n);
    return k->dn;
}

/* dx += the gradient through a norm, from k->dn. */
static void norm_back(const struct team *t, const struct llama *m,
                      struct work *k, size_t gain, size_t bias, const real *x,
                      const real *mean, const real *rstd, int n)
{
    const struct config *c = &m->config;
    int h = c->hidden, lo, hi;
    struct rows r = my_rows(t, n);
    size_t at = (size_t)r.lo * (size_t)h;
    real *dgain = into(k, gain);
    team_wait(t);
    team_share(t, h, 16, &lo, &hi);
    if (c->layer_norm) {
        layer_norm_backward(k->dx + at, k->dn + at, x + at, m->w + gain,
                            mean + r.lo, rstd + r.lo, r.n, h);
        if (dgain)
            layer_norm_gain_backward(dgain, into(k, bias), k->dn, x, mean,
                                     rstd, n, h, lo, hi);
    } else {
        rms_backward(k->dx + at, k->dn + at, x + at, m->w + gain,
                     (real)c->norm_plus, rstd + r.lo, r.n, h);
        if (dgain)
            rms_gain_backward(dgain, k->dn, x, rstd, n, h, lo, hi);
    }
    team_wait(t);
}

/* The second sublayer: k->dx holds the gradient of the layer's output and then
 * that of mid. */
static void mlp_back(const struct team *t, const struct llama *m,
                     struct work *k, const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int h = c->hidden, f = c->ffn, up = config_up(c), n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    const real *dy = undo_out(t, m, k, b, l, 1, rows, n);
    struct rows r = my_rows(t, n);
    if (c->mlp_bias)
        bias_back(t, into(k, at->down_b), dy, n, h);
    linear_back(t, m, k, k->narrow, at->down, &at->module[MODULE_DOWN], 1,
                adapter_in(k, b, l, 1, READS_FFN, rows), dy, a.act, n, f, h);
    act_backward(c->act, c->gated, k->wide + (size_t)r.lo * (size_t)up,
                 k->narrow + (size_t)r.lo * (size_t)f,
                 a.gu + (size_t)r.lo * (size_t)up, r.n, f);
    if (c->mlp_bias)
        bias_back(t, into(k, at->gate_up_b), k->wide, n, up);
    norm_rows(t, m, k, l, 1, n);
    linear_back(t, m, k, k->dn, at->gate_up, &at->module[MODULE_GATE], 2,
                adapter_in(k, b, l, 1, READS_HIDDEN, rows), k->wide, k->normed,
                n, h, up);
    norm_back(t, m, k, at->norm2, at->norm2_b, a.mid, a.m2, a.r2, n);
}

/* Through the norms of heads, in place; the gains' gradient first, of some
 * columns, from all rows. */
static void heads_back(const struct team *t, const struct llama *m,
                       struct work *k, const struct layer_at *at,
                       const struct kept *a, int T)
{
    const struct config *c = &m->config;
    int q = config_q(c), kv = config_kv(c), w = q + 2 * kv, lo, hi;
    struct rows r = my_rows(t, T);
    const real *rk = a->rq + (size_t)T * (size_t)c->heads;
    real plus = (real)c->norm_plus;
    team_share(t, c->head_dim, 4, &lo, &hi);
    team_wait(t);
    if (into(k, at->q_norm)) {
        rms_heads_gain_backward(into(k, at->q_norm), k->wide, w, a->raw,
                                q + kv, a->rq, T, c->heads, c->head_dim, lo,
                                hi);
        rms_heads_gain_backward(into(k, at->k_norm), k->wide + q, w,
                                a->raw + q, q + kv, rk, T, c->kv_heads,
                                c->head_dim, lo, hi);
        team_wait(t);
    }
    real *dx = k->wide + (size_t)r.lo * (size_t)w;
    const real *raw = a->raw + (size_t)r.lo * (size_t)(q + kv);
    rms_heads_backward(dx, w, raw, q + kv, m->w + at->q_norm, plus,
                       a->rq + r.lo * c->heads, r.n, c->heads, c->head_dim);
    rms_heads_backward(dx + q, w, raw + q, q + kv, m->w + at->k_norm, plus,
                       rk + r.lo * c->kv_heads, r.n, c->kv_heads,
                       c->head_dim);
}

/* From the gradient of turned q|k|v to that of the product's, in place. */
static void qkv_back(const struct team *t, const struct llama *m,
                     struct work *k, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int w = config_q(c) + 2 * config_kv(c);
    bool local = c->window && c->local[l];
    struct rows r = my_rows(t, T);
    if (!c->positions)
        rope_backward(k->wide + (size_t)r.lo * (size_t)w, w, k->pos + r.lo,
                      r.n, c->heads + c->kv_heads, c->head_dim,
                      local ? m->cosine_local : m->cosine,
                      local ? m->sine_local : m->sine);
    if (c->qk_norm)
        heads_back(t, m, k, at, &a, T);
    if (c->qkv_bias)
        bias_back(t, into(k, at->qkv_b), k->wide, T, w);
}

/* Spreads the gradients of the kept rows to all of them. */
static void spread(const struct team *t, const struct llama *m,
                   struct work *k, const int32_t *rows, int n, int T)
{
    team_wait(t);
    if (!t->me) {
        spread_rows(k->narrow, rows, n, T, config_q(&m->config));
        spread_rows(k->dx, rows, n, T, m->config.hidden);
    }
}

/* The first sublayer: from the gradient of mid to that of the layer's input. */
static void attention_sublayer_back(const struct team *t,
                                    const struct llama *m, struct work *k,
                                    const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    struct kept a = kept_of(m, k, l);
    int h = c->hidden, q = config_q(c), w = q + 2 * config_kv(c), n;
    const int32_t *rows = rows_of(m, k, l, T, &n);
    const real *dy = undo_out(t, m, k, b, l, 0, rows, n);
    if (c->o_bias)
        bias_back(t, into(k, at->o_b), dy, n, h);
    linear_back(t, m, k, k->narrow, at->o, &at->module[MODULE_O], 1,
                adapter_in(k, b, l, 0, READS_HEADS, rows), dy, a.att, n, q, h);
    if (rows)
        spread(t, m, k, rows, n, T);
    team_wait(t);
    attend_back(t, c, l, k, b, k->wide, k->narrow, a.qkv, a.lse);
    qkv_back(t, m, k, l, T);
    norm_rows(t, m, k, l, 0, T);
    linear_back(t, m, k, k->dn, at->qkv, &at->module[MODULE_Q], 3,
                adapter_in(k, b, l, 0, READS_HIDDEN, NULL), k->wide, k->normed,
                T, h, w);
    norm_back(t, m, k, at->norm1, at->norm1_b, a.x, a.m1, a.r1, T);
}

/* Into the gradients of the embedding and of the positions. */
static void embed_back(const struct team *t, const struct llama *m,
                       struct work *k, const struct batch *b, int T)
{
    const struct config *c = &m->config;
    struct rows r = my_rows(t, T);
    int h = c->hidden, lo, hi;
    if (!into(k, m->embed))
        return;
    team_share(t, h, 16, &lo, &hi);
    if (c->positions)
        embed_backward(into(k, m->position), k->dx, k->pos, T, h, lo, hi);
    if (c->embed_scale > 0 && (c->embed_scale < 1 || c->embed_scale > 1)) {
        team_wait(t);
        scale_by(k->dx + (size_t)r.lo * (size_t)h, c->embed_scale,
                 (size_t)r.n * (size_t)h);
        team_wait(t);
    }
    embed_backward(into(k, m->embed), k->dx, b->ids, T, h, lo, hi);
}

/* What backward wants of layer l and does not find: of the last one all
 * still stands. What the layer gave is wanted for a norm behind it alone. */
static void make_again(const struct team *t, const struct llama *m,
                       struct work *k, const struct batch *b, int l, int T)
{
    const struct config *c = &m->config;
    struct kept a = kept_of(m, k, l);
    struct rows r = my_rows(t, T);
    if (l == c->layers - 1)
        return;
    if (!k->shape.recompute) {
        act_forward(c->act, c->gated, a.act + (size_t)r.lo * (size_t)c->ffn,
                    a.gu + (size_t)r.lo * (size_t)config_up(c), r.n, c->ffn);
        return;
    }
    attention_sublayer(t, m, k, b, l, T);
    mlp_up(t, m, k, b, l, T);
    if (c->sandwich)
        mlp_down(t, m, k, b, l, T);
    team_wait(t);
}

static void backward(const struct team *t, const struct llama *m,
                     struct work *k, const struct batch *b)
{
    int T = b->start[b->sequences];
    for (int l = m->config.layers - 1; l >= 0; l--) {
        make_again(t, m, k, b, l, T);
        mlp_back(t, m, k, b, l, T);
        attention_sublayer_back(t, m, k, b, l, T);
    }
    embed_back(t, m, k, b, T);
}

/* Which rows have a target, and which. */
static void find_targets(struct work *k, const struct batch *b)
{
    k->kept = 0;
    for (int i = 0; i < b->start[b->sequences]; i++)
        if (b->target[i] >= 0) {
            k->row[k->kept] = i;
            k->weight[k->kept] = b->weight ? b->weight[i] : 1;
            k->want[k->kept++] = b->target[i];
        }
}

double llama_pass(const struct team *t, const struct llama *m, struct work *k,
                  const struct batch *b, real scale, real *grad,
                  const struct told *told)
{
    team_wait(t);
    if (!t->me) {
        must(!b->start[0] && b->start[b->sequences] <= work_tokens(k));
        find_targets(k, b);
        k->grad = grad;
        k->first = m->first;
    }
    team_wait(t);
    if (!k->kept)
        return 0;
    forward(t, m, k, b);
    struct rows r = my_rows(t, k->kept);
    size_t h = (size_t)m->config.hidden;
    struct head_part part = {
        .x = last_x(m, k), .target = k->want, .row = k->row, .n = k->kept,
        .weight = k->weight,
        .scale = scale, .m = m, .told = told};
    if (grad) {
        memset(k->dx + (size_t)r.lo * h, 0, (size_t)r.n * h * sizeof(real));
        team_wait(t);
        part.dx = k->dx;
        part.dnorm = into(k, m->norm);
        part.dnorm_b = into(k, m->norm_b);
        part.dhead = into(k, m->head);
    }
    double loss = head_loss(t, k->head, &part);
    if (grad)
        backward(t, m, k, b);
    team_wait(t);
    return loss;
}

void llama_logits(const struct llama *m, struct work *k, const int32_t *ids,
                  int n, real *out)
{
    const int32_t start[2] = {0, n};
    struct batch b = {.ids = ids, .start = start, .sequences = 1};
    int h = m->config.hidden;
    real mean, rstd;
    must(n >= 1 && n <= work_tokens(k));
    k->kept = 1;
    k->row[0] = n - 1;
    forward(&alone, m, k, &b);
    block_norm(&alone, m, m->norm, m->norm_b, k->dn, &mean, &rstd,
               last_x(m, k), 1);
    linear(&alone, m, out, k->dn, m->head, 1, h, m->config.vocab);
}
