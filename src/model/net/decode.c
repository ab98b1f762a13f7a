#include "model/net/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/net/block.h"
#include "model/net/gemm.h"
#include "model/net/ops.h"

/* Scratch of one pass of up to DECODE_CHUNK rows. */
struct desk {
    const struct llama *m;
    struct pool *pool;
    int context, workers;
    real *block;
    real *x, *y;       /* [rows, hidden] */
    real *q;           /* [rows, q + 2 kv] */
    real *att;         /* [rows, q] */
    real *gu, *act;    /* [rows, 2 f], [rows, f] */
    real *rstd, *mean; /* [rows] */
    real *heads;       /* [rows (heads + kv_heads)] of their norms */
    real *logits;      /* [DECODE_STREAMS, vocab] */
    real *scratch;     /* [workers] of attention */
};

struct decoder {
    struct desk *desk, *own;
    int n, max;
    real *block;
    real *k, *v;   /* [layers][max, kv] */
    real *logits;  /* [vocab] */
};

static size_t lay_out(struct desk *d)
{
    const struct config *c = &d->m->config;
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c), at = 0;
    size_t h = (size_t)c->hidden, f = (size_t)c->ffn, rows = DECODE_CHUNK;
    struct attention shape = block_attention(c, 0);
    const struct {
        real **to;
        size_t n;
    } part[] = {
        {&d->x, rows * h},     {&d->y, rows * h},
        {&d->att, rows * q},   {&d->q, rows * (q + 2 * kv)},
        {&d->gu, rows * (size_t)config_up(c)}, {&d->act, rows * f},
        {&d->rstd, rows},      {&d->mean, rows},
        {&d->heads, rows * (size_t)(c->heads + c->kv_heads)},
        {&d->logits, DECODE_STREAMS * (size_t)c->vocab},
        {&d->scratch,
         (size_t)d->workers * attention_scratch(&shape, d->context)},
    };
    for (size_t i = 0; i < COUNT(part); i++) {
        if (d->block)
            *part[i].to = d->block + at;
        at += (part[i].n + 15) / 16 * 16;
    }
    return at;
}

static real *take(size_t n, int tokens, struct err *e)
{
    void *block = NULL;
    if (posix_memalign(&block, 64, n * sizeof(real)) == 0)
        return block;
    err_set(e, ERR_MEMORY, _("not enough memory for %d tokens"), tokens);
    return NULL;
}

struct desk *desk_new(const struct llama *m, int tokens, struct pool *pool,
                      struct err *e)
{
    struct desk *d = xcalloc(1, sizeof *d);
    d->m = m;
    d->pool = pool;
    d->workers = pool ? pool_workers(pool) : 1;
    d->context = tokens < m->config.context ? tokens : m->config.context;
    d->block = take(lay_out(d), d->context, e);
    if (!d->block) {
        free(d);
        return NULL;
    }
    lay_out(d);
    return d;
}

void desk_free(struct desk **d)
{
    if (*d)
        free((*d)->block);
    free(*d);
    *d = NULL;
}

struct decoder *decoder_at(struct desk *desk, int tokens, struct err *e)
{
    const struct config *c = &desk->m->config;
    struct decoder *d = xcalloc(1, sizeof *d);
    d->desk = desk;
    d->max = tokens < desk->context ? tokens : desk->context;
    size_t cache = (size_t)c->layers * (size_t)d->max * (size_t)config_kv(c);
    d->block = take(2 * cache + (size_t)c->vocab, d->max, e);
    if (!d->block) {
        free(d);
        return NULL;
    }
    d->k = d->block;
    d->v = d->k + cache;
    d->logits = d->v + cache;
    return d;
}

struct decoder *decoder_new(const struct llama *m, int tokens, struct err *e)
{
    struct desk *desk = desk_new(m, tokens, NULL, e);
    struct decoder *d = desk ? decoder_at(desk, tokens, e) : NULL;
    if (d)
        d->own = desk;
    else
        desk_free(&desk);
    return d;
}

void decoder_free(struct decoder **d)
{
    if (*d) {
        desk_free(&(*d)->own);
        free((*d)->block);
    }
    free(*d);
    *d = NULL;
}

int decoder_length(const struct decoder *d)
{
    return d->n;
}

/* How many more fit. */
static int decoder_room(const struct decoder *d)
{
    return d->max - d->n;
}

void decoder_cut(struct decoder *d, int n)
{
    if (n < d->n)
        d->n = n < 0 ? 0 : n;
}

void decoder_take(struct decoder *d, const struct decoder *from, int n)
{
    const struct config *c = &d->desk->m->config;
    size_t kv = (size_t)config_kv(c), rows = (size_t)n * kv * sizeof(real);
    must(n >= 0 && n <= from->n && n <= d->max);
    for (int l = 0; l < c->layers; l++) {
        size_t to = (size_t)l * (size_t)d->max * kv;
        size_t at = (size_t)l * (size_t)from->max * kv;
        memcpy(d->k + to, from->k + at, rows);
        memcpy(d->v + to, from->v + at, rows);
    }
    d->n = n;
}

/* ---- One pass ----------------------------------------------------------- */

/* n rows: of one stream, one behind the other, or of n streams. */
struct pass {
    struct desk *desk;
    struct decoder *const *d;
    const int32_t *ids;
    int n;
    bool together; /* a row of each of n streams */
    int32_t pos[DECODE_CHUNK];
};

static struct decoder *stream_of(const struct pass *p, int row)
{
    return p->d[p->together ? row : 0];
}

static size_t layer_of(const struct decoder *d, int l)
{
    return (size_t)l * (size_t)d->max *
           (size_t)config_kv(&d->desk->m->config);
}

/* Copies keys and values of this worker's rows from q|k|v to the caches. */
static void remember(const struct team *t, const struct pass *p, int l)
{
    const struct desk *d = p->desk;
    const struct config *c = &d->m->config;
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c);
    int lo, hi;
    team_rows(t, p->n, &lo, &hi);
    for (int i = lo; i < hi; i++) {
        struct decoder *s = stream_of(p, i);
        const real *row = d->q + (size_t)i * (q + 2 * kv) + q;
        size_t at = layer_of(s, l) + (size_t)p->pos[i] * kv;
        memcpy(s->k + at, row, kv * sizeof *row);
        memcpy(s->v + at, row + kv, kv * sizeof *row);
    }
}

/* Heads lo..hi-1 of the streams, counted through, in parts that share keys. */
static void attend_heads(const struct pass *p, int l, struct attention a,
                         int lo, int hi, real *scratch)
{
    const struct desk *d = p->desk;
    int group = a.heads / a.kv_heads;
    for (int part; lo < hi; lo += part) {
        int row = lo / a.heads, head = lo % a.heads;
        const struct decoder *s = stream_of(p, row);
        part = group - head % group;
        part = part < hi - lo ? part : hi - lo;
        part = part < GEMM_FEW ? part : GEMM_FEW;
        a.past = p->pos[row];
        attention_heads(&a, head, part, d->att + (size_t)row * (size_t)a.ldo,
                        d->q + (size_t)row * (size_t)a.ldq,
                        s->k + layer_of(s, l), s->v + layer_of(s, l), scratch);
    }
}

static void attend(const struct team *t, const struct pass *p, int l)
{
    const struct desk *d = p->desk;
    const struct config *c = &d->m->config;
    struct attention a = block_attention(c, l);
    const int32_t start[] = {0, p->n};
    int lo, hi;
    a.ldq = config_q(c) + 2 * config_kv(c);
    a.ldk = config_kv(c);
    if (p->together) {
        team_share(t, p->n * c->heads, 1, &lo, &hi);
        attend_heads(p, l, a, lo, hi,
                     d->scratch +
                         (size_t)t->me * attention_scratch(&a, d->context));
        return;
    }
    const struct decoder *s = stream_of(p, 0);
    a.past = p->pos[0];
    attention_forward(t, &a, start, 1, d->att, NULL, d->q,
                      s->k + layer_of(s, l), s->v + layer_of(s, l),
                      d->scratch);
}

static void add_rows(const struct team *t, const struct pass *p)
{
    size_t h = (size_t)p->desk->m->config.hidden;
    int lo, hi;
    team_rows(t, p->n, &lo, &hi);
    add_to(p->desk->x + (size_t)lo * h, p->desk->y + (size_t)lo * h,
           (size_t)(hi - lo) * h);
}

static void layer(const struct team *t, const struct pass *p, int l)
{
    struct desk *d = p->desk;
    const struct llama *m = d->m;
    const struct layer_at *at = &m->layer[l];
    int n = p->n;
    block_norm(t, m, at->norm1, at->norm1_b, d->y, d->mean, d->rstd, d->x, n);
    block_qkv(t, m, l, d->q, d->y, d->y, p->pos, n, NULL, d->heads);
    remember(t, p, l);
    team_wait(t);
    attend(t, p, l);
    team_wait(t);
    block_out(t, m, l, 0, d->y, d->att, d->att, n, NULL, d->rstd);
    add_rows(t, p);
    block_norm(t, m, at->norm2, at->norm2_b, d->y, d->mean, d->rstd, d->x, n);
    block_up(t, m, l, d->gu, d->act, d->y, d->y, n);
    block_out(t, m, l, 1, d->y, d->act, d->act, n, NULL, d->rstd);
    add_rows(t, p);
}

/* The logits of the last row, or of each stream's. */
static void finish(const struct team *t, const struct pass *p)
{
    struct desk *d = p->desk;
    const struct llama *m = d->m;
    const struct config *c = &m->config;
    int n = p->together ? p->n : 1, lo, hi;
    size_t V = (size_t)c->vocab, from = (size_t)(p->n - n) * (size_t)c->hidden;
    team_wait(t);
    block_norm(t, m, m->norm, m->norm_b, d->y, d->mean, d->rstd, d->x + from,
               n);
    linear(t, m, d->logits, d->y, m->head, n, c->hidden, c->vocab);
    team_rows(t, n, &lo, &hi);
    for (int i = lo; i < hi; i++)
        memcpy(p->d[i]->logits, d->logits + (size_t)i * V, V * sizeof(real));
}

static void pass(void *ctx, const struct team *t)
{
    const struct pass *p = ctx;
    block_embed(t, p->desk->m, p->desk->x, p->ids, p->pos, p->n);
    for (int l = 0; l < p->desk->m->config.layers; l++)
        layer(t, p, l);
    finish(t, p);
}

static void run(struct pass *p)
{
    must(p->n >= 1 && p->n <= DECODE_CHUNK);
    for (int i = 0; i < p->n; i++) {
        p->pos[i] = stream_of(p, i)->n + (p->together ? 0 : i);
        must(p->pos[i] < stream_of(p, i)->max);
    }
    if (p->desk->pool)
        pool_run(p->desk->pool, pass, p);
    else
        pass(p, &alone);
    for (int i = 0; i < p->n; i++)
        stream_of(p, i)->n++;
}

bool decoder_feed(struct decoder *d, const int32_t *ids, int n)
{
    if (n < 1 || n > decoder_room(d))
        return false;
    while (n > 0) {
        int k = DECODE_CHUNK - d->n % DECODE_CHUNK;
        k = k < n ? k : n;
        run(&(struct pass){.desk = d->desk, .d = &d, .ids = ids, .n = k,
                           .together = k == 1});
        ids += k;
        n -= k;
    }
    return true;
}

void decoders_feed(struct decoder *const *d, const int32_t *ids, int n)
{
    run(&(struct pass){.desk = d[0]->desk, .d = d, .ids = ids, .n = n,
                       .together = true});
}

real *decoder_logits(struct decoder *d)
{
    return d->logits;
}
