#include "model/net/block.h"

#include <string.h>

#include "model/net/gemm.h"
#include "model/net/lora.h"
#include "model/net/ops.h"

void linear(const struct team *t, const struct llama *m, real *y,
            const real *x, size_t at, int T, int in, int out)
{
    const real *w = m->w + at;
    if (m->w16) {
        gemm_share_bf16(t, true, true, T, out, in, x, m->w16 + at, y);
        return;
    }
    gemm_share_exact(t, false, true, T, out, in, 1, x, in, w, in, 0, y, out);
}

void block_norm(const struct team *t, const struct llama *m, size_t gain,
                size_t bias, real *y, real *mean, real *rstd, const real *x,
                int T)
{
    const struct config *c = &m->config;
    int lo, hi;
    team_rows(t, T, &lo, &hi);
    size_t at = (size_t)lo * (size_t)c->hidden;
    if (c->layer_norm)
        layer_norm_forward(y + at, mean + lo, rstd + lo, x + at, m->w + gain,
                           m->w + bias, hi - lo, c->hidden, c->eps);
    else
        rms_forward(y + at, rstd + lo, x + at, m->w + gain, (real)c->norm_plus,
                    hi - lo, c->hidden, c->eps);
}

void block_embed(const struct team *t, const struct llama *m, real *x,
                 const int32_t *ids, const int32_t *pos, int T)
{
    const struct config *c = &m->config;
    size_t h = (size_t)c->hidden;
    int lo, hi;
    team_rows(t, T, &lo, &hi);
    x += (size_t)lo * h;
    for (int i = lo; i < hi; i++)
        llama_copy(m, m->embed + (size_t)ids[i] * h, h,
                   x + (size_t)(i - lo) * h);
    if (c->embed_scale > 0 && (c->embed_scale < 1 || c->embed_scale > 1))
        scale_by(x, c->embed_scale, (size_t)(hi - lo) * h);
    for (int i = lo; c->positions && i < hi; i++, x += h)
        add_to(x, m->w + m->position + (size_t)pos[i] * h, h);
}

/* The norms of rows' heads, keeping what they were where raw is not NULL. */
static void norm_heads(const struct llama *m, const struct layer_at *at,
                       real *qkv, real *raw, real *rq, real *rk, int n)
{
    const struct config *c = &m->config;
    int q = config_q(c), kv = config_kv(c), w = q + 2 * kv;
    for (int i = 0; raw && i < n; i++)
        memcpy(raw + (size_t)i * (size_t)(q + kv),
               qkv + (size_t)i * (size_t)w, (size_t)(q + kv) * sizeof *raw);
    rms_heads_forward(qkv, w, rq, m->w + at->q_norm, (real)c->norm_plus, n,
                      c->heads, c->head_dim, c->eps);
    rms_heads_forward(qkv + q, w, rk, m->w + at->k_norm, (real)c->norm_plus, n,
                      c->kv_heads, c->head_dim, c->eps);
}

void block_qkv(const struct team *t, const struct llama *m, int l, real *qkv,
               const real *normed, const real *for_adapter, const int32_t *pos,
               int T, real *raw, real *rstd)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    int q = config_q(c), kv = config_kv(c), w = q + 2 * kv, lo, hi;
    bool local = c->window && c->local[l];
    linear(t, m, qkv, normed, at->qkv, T, c->hidden, w);
    team_rows(t, T, &lo, &hi);
    lora_forward(t, m, &at->module[MODULE_Q], 3, qkv, w, for_adapter, T);
    qkv += (size_t)lo * (size_t)w;
    if (c->qkv_bias)
        bias_forward(qkv, m->w + at->qkv_b, hi - lo, w);
    if (c->qk_norm)
        norm_heads(m, at, qkv,
                   raw ? raw + (size_t)lo * (size_t)(q + kv) : NULL,
                   rstd + lo * c->heads,
                   rstd + T * c->heads + lo * c->kv_heads, hi - lo);
    if (!c->positions)
        rope_forward(qkv, w, pos + lo, hi - lo, c->heads + c->kv_heads,
                     c->head_dim, local ? m->cosine_local : m->cosine,
                     local ? m->sine_local : m->sine);
}

struct attention block_attention(const struct config *c, int l)
{
    return (struct attention){.heads = c->heads, .kv_heads = c->kv_heads,
                              .d = c->head_dim,
                              .scale = c->attention_scale,
                              .window = c->local[l] ? c->window : 0,
                              .ldo = config_q(c)};
}

void block_out(const struct team *t, const struct llama *m, int l, int sub,
               real *y, const real *x, const real *for_adapter, int T,
               real *kept, real *rstd)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    const struct module_at *pair = &at->module[sub ? MODULE_DOWN : MODULE_O];
    size_t bias = sub ? at->down_b : at->o_b;
    int h = c->hidden, in = sub ? c->ffn : config_q(c), lo, hi;
    linear(t, m, y, x, sub ? at->down : at->o, T, in, h);
    lora_forward(t, m, pair, 1, y, h, for_adapter, T);
    team_rows(t, T, &lo, &hi);
    size_t from = (size_t)lo * (size_t)h;
    y += from;
    if (bias)
        bias_forward(y, m->w + bias, hi - lo, h);
    if (!c->sandwich)
        return;
    if (kept)
        memcpy(kept + from, y, (size_t)(hi - lo) * (size_t)h * sizeof *kept);
    rms_forward(y, rstd + lo, y, m->w + (sub ? at->post2 : at->post1),
                (real)c->norm_plus, hi - lo, h, c->eps);
}

void block_up(const struct team *t, const struct llama *m, int l, real *gu,
              real *act, const real *normed, const real *for_adapter, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    int up = config_up(c), lo, hi;
    linear(t, m, gu, normed, at->gate_up, T, c->hidden, up);
    lora_forward(t, m, &at->module[MODULE_GATE], 2, gu, up, for_adapter, T);
    team_rows(t, T, &lo, &hi);
    gu += (size_t)lo * (size_t)up;
    if (c->mlp_bias)
        bias_forward(gu, m->w + at->gate_up_b, hi - lo, up);
    act_forward(c->act, c->gated, act + (size_t)lo * (size_t)c->ffn, gu,
                hi - lo, c->ffn);
}
