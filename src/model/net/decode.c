#include "model/net/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/net/block.h"
#include "model/net/gemm.h"
#include "model/net/ops.h"

enum { CHUNK = 64 }; /* tokens fed at once */

struct decoder {
    const struct llama *m;
    int n, max;
    real *block;
    real *k, *v;            /* [layers][max, kv] */
    real *x, *y;            /* [CHUNK, hidden] */
    real *q;                /* [CHUNK, q + 2 kv] */
    real *att;              /* [CHUNK, q] */
    real *gu, *act;         /* [CHUNK, 2 f], [CHUNK, f] */
    real *rstd, *mean;      /* [CHUNK] */
    real *heads;            /* [CHUNK (heads + kv_heads)] of their norms */
    real *scratch, *logits;
};

static size_t lay_out(struct decoder *d)
{
    const struct config *c = &d->m->config;
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c), at = 0;
    size_t h = (size_t)c->hidden, f = (size_t)c->ffn;
    size_t cache = (size_t)c->layers * (size_t)d->max * kv;
    struct attention shape = block_attention(c, 0);
    const struct {
        real **to;
        size_t n;
    } part[] = {
        {&d->k, cache},         {&d->v, cache},     {&d->x, CHUNK * h},
        {&d->y, CHUNK * h},     {&d->att, CHUNK * q},
        {&d->q, CHUNK * (q + 2 * kv)},
        {&d->gu, CHUNK * (size_t)config_up(c)}, {&d->act, CHUNK * f},
        {&d->rstd, CHUNK},      {&d->mean, CHUNK},
        {&d->heads, CHUNK * (size_t)(c->heads + c->kv_heads)},
        {&d->scratch, attention_scratch(&shape, d->max)},
        {&d->logits, (size_t)c->vocab},
    };
    for (size_t i = 0; i < COUNT(part); i++) {
        if (d->block)
            *part[i].to = d->block + at;
        at += (part[i].n + 15) / 16 * 16;
    }
    return at;
}

struct decoder *decoder_new(const struct llama *m, int tokens, struct err *e)
{
    struct decoder *d = xcalloc(1, sizeof *d);
    d->m = m;
    d->max = tokens < m->config.context ? tokens : m->config.context;
    void *block = NULL;
    if (posix_memalign(&block, 64, lay_out(d) * sizeof(real))) {
        err_set(e, ERR_MEMORY, _("not enough memory for %d tokens"), d->max);
        free(d);
        return NULL;
    }
    d->block = block;
    lay_out(d);
    return d;
}

void decoder_free(struct decoder **d)
{
    if (*d)
        free((*d)->block);
    free(*d);
    *d = NULL;
}

int decoder_length(const struct decoder *d)
{
    return d->n;
}

int decoder_room(const struct decoder *d)
{
    return d->max - d->n;
}

void decoder_cut(struct decoder *d, int n)
{
    if (n < d->n)
        d->n = n < 0 ? 0 : n;
}

/* Copies keys and values of the new rows from q|k|v into the cache. */
static void remember(struct decoder *d, real *k, real *v, int n)
{
    const struct config *c = &d->m->config;
    size_t q = (size_t)config_q(c), kv = (size_t)config_kv(c);
    for (int i = 0; i < n; i++) {
        const real *row = d->q + (size_t)i * (q + 2 * kv) + q;
        size_t at = (size_t)(d->n + i) * kv;
        memcpy(k + at, row, kv * sizeof *k);
        memcpy(v + at, row + kv, kv * sizeof *v);
    }
}

static void layer(struct decoder *d, int l, int n, const int32_t *pos)
{
    const struct llama *m = d->m;
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    int q = config_q(c), kv = config_kv(c);
    size_t cache = (size_t)l * (size_t)d->max * (size_t)kv;
    size_t all = (size_t)n * (size_t)c->hidden;
    struct attention a = block_attention(c, l);
    a.past = d->n;
    a.ldq = q + 2 * kv;
    a.ldk = kv;
    block_norm(&alone, m, at->norm1, at->norm1_b, d->y, d->mean, d->rstd,
               d->x, n);
    block_qkv(&alone, m, l, d->q, d->y, pos, n, NULL, d->heads);
    remember(d, d->k + cache, d->v + cache, n);
    attention_forward(&alone, &a, (const int32_t[]){0, n}, 1, d->att, NULL,
                      d->q, d->k + cache, d->v + cache, d->scratch);
    block_out(&alone, m, l, 0, d->y, d->att, n, NULL, d->rstd);
    add_to(d->x, d->y, all);
    block_norm(&alone, m, at->norm2, at->norm2_b, d->y, d->mean, d->rstd,
               d->x, n);
    block_up(&alone, m, l, d->gu, d->act, d->y, n);
    block_out(&alone, m, l, 1, d->y, d->act, n, NULL, d->rstd);
    add_to(d->x, d->y, all);
}

static void feed(struct decoder *d, const int32_t *ids, int n)
{
    const struct llama *m = d->m;
    int h = m->config.hidden;
    int32_t pos[CHUNK];
    for (int i = 0; i < n; i++)
        pos[i] = d->n + i;
    block_embed(&alone, m, d->x, ids, pos, n);
    for (int l = 0; l < m->config.layers; l++)
        layer(d, l, n, pos);
    block_norm(&alone, m, m->norm, m->norm_b, d->y, d->mean, d->rstd,
               d->x + (size_t)(n - 1) * (size_t)h, 1);
    linear(&alone, d->logits, d->y, m->w + m->head, 1, h, m->config.vocab);
    d->n += n;
}

bool decoder_feed(struct decoder *d, const int32_t *ids, int n)
{
    if (n < 1 || n > decoder_room(d))
        return false;
    for (int at = 0; at < n; at += CHUNK)
        feed(d, ids + at, n - at < CHUNK ? n - at : CHUNK);
    return true;
}

real *decoder_logits(struct decoder *d)
{
    return d->logits;
}

/* ---- Drawing ------------------------------------------------------------ */

static int largest(const real *x, int n)
{
    int top = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[top])
            top = i;
    return top;
}

void log_softmax(real *logits, int V)
{
    double max = (double)logits[largest(logits, V)], sum = 0;
    for (int i = 0; i < V; i++)
        sum += exp((double)logits[i] - max);
    for (int i = 0; i < V; i++)
        logits[i] = (real)((double)logits[i] - max - log(sum));
}

struct choice {
    double p;
    int id;
};

static int by_p(const void *a, const void *b)
{
    const struct choice *x = a, *y = b;
    if (x->p != y->p)
        return x->p > y->p ? -1 : 1;
    return x->id - y->id;
}

int sample_token(const real *logits, int V, const struct sampling *s,
                 struct rng *r)
{
    int top = largest(logits, V);
    if (s->temperature <= 0)
        return top;
    struct choice *c = xmalloc((size_t)V * sizeof *c);
    for (int i = 0; i < V; i++)
        c[i] = (struct choice){exp(((double)logits[i] - (double)logits[top]) /
                                   s->temperature), i};
    qsort(c, (size_t)V, sizeof *c, by_p);
    int n = s->top_k > 0 && s->top_k < V ? s->top_k : V;
    double sum = 0, kept = 0;
    for (int i = 0; i < n; i++)
        sum += c[i].p;
    for (int i = 0; i < n; i++) {
        kept += c[i].p;
        if (kept >= s->top_p * sum)
            n = i + 1;
    }
    double at = rng_unit(r) * kept;
    int i = 0;
    while (i < n - 1 && (at -= c[i].p) >= 0)
        i++;
    int id = c[i].id;
    free(c);
    return id;
}
