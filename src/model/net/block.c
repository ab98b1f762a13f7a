#include "model/net/block.h"

#include <string.h>

#include "model/net/gemm.h"
#include "model/net/lora.h"
#include "model/net/ops.h"

void linear(real *y, const real *x, const real *w, int T, int in, int out,
            bool add)
{
    gemm(false, true, T, out, in, 1, x, in, w, in, add ? 1 : 0, y, out);
}

void block_norm(const struct llama *m, size_t gain, size_t bias, real *y,
                real *mean, real *rstd, const real *x, int T)
{
    const struct config *c = &m->config;
    if (c->layer_norm)
        layer_norm_forward(y, mean, rstd, x, m->w + gain, m->w + bias, T,
                           c->hidden, c->eps);
    else
        rms_forward(y, rstd, x, m->w + gain, (real)c->norm_plus, T,
                    c->hidden, c->eps);
}

void block_embed(const struct llama *m, real *x, const int32_t *ids,
                 const int32_t *pos, int T)
{
    const struct config *c = &m->config;
    size_t h = (size_t)c->hidden;
    embed_forward(x, m->w + m->embed, ids, T, c->hidden);
    if (c->embed_scale > 0 && (c->embed_scale < 1 || c->embed_scale > 1))
        scale_by(x, c->embed_scale, (size_t)T * h);
    for (int t = 0; c->positions && t < T; t++)
        add_to(x + (size_t)t * h, m->w + m->position + (size_t)pos[t] * h, h);
}

void block_qkv(const struct llama *m, int l, real *qkv, const real *normed,
               const int32_t *pos, int T, real *raw, real *rstd)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    int q = config_q(c), kv = config_kv(c), w = q + 2 * kv;
    bool local = c->window && c->local[l];
    linear(qkv, normed, m->w + at->qkv, T, c->hidden, w, false);
    lora_forward(m, &at->pair[PAIR_Q], 3, qkv, w, normed, T);
    if (c->qkv_bias)
        bias_forward(qkv, m->w + at->qkv_b, T, w);
    if (c->qk_norm) {
        real *rk = rstd + (size_t)T * (size_t)c->heads;
        for (int t = 0; raw && t < T; t++)
            memcpy(raw + (size_t)t * (size_t)(q + kv),
                   qkv + (size_t)t * (size_t)w,
                   (size_t)(q + kv) * sizeof *raw);
        rms_heads_forward(qkv, w, rstd, m->w + at->q_norm,
                          (real)c->norm_plus, T, c->heads, c->head_dim,
                          c->eps);
        rms_heads_forward(qkv + q, w, rk, m->w + at->k_norm,
                          (real)c->norm_plus, T, c->kv_heads, c->head_dim,
                          c->eps);
    }
    if (!c->positions)
        rope_forward(qkv, w, pos, T, c->heads + c->kv_heads, c->head_dim,
                     local ? m->cosine_local : m->cosine,
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

void block_out(const struct llama *m, int l, int half, real *y,
               const real *x, int T, real *kept, real *rstd)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    const struct pair_at *pair = &at->pair[half ? PAIR_DOWN : PAIR_O];
    size_t bias = half ? at->down_b : at->o_b;
    int h = c->hidden, in = half ? c->ffn : config_q(c);
    linear(y, x, m->w + (half ? at->down : at->o), T, in, h, false);
    lora_forward(m, pair, 1, y, h, x, T);
    if (bias)
        bias_forward(y, m->w + bias, T, h);
    if (!c->sandwich)
        return;
    if (kept)
        memcpy(kept, y, (size_t)T * (size_t)h * sizeof *kept);
    rms_forward(y, rstd, y, m->w + (half ? at->post2 : at->post1),
                (real)c->norm_plus, T, h, c->eps);
}

void block_up(const struct llama *m, int l, real *gu, real *act,
              const real *normed, int T)
{
    const struct config *c = &m->config;
    const struct layer_at *at = &m->layer[l];
    linear(gu, normed, m->w + at->gate_up, T, c->hidden, config_up(c), false);
    lora_forward(m, &at->pair[PAIR_GATE], 2, gu, config_up(c), normed, T);
    if (c->mlp_bias)
        bias_forward(gu, m->w + at->gate_up_b, T, config_up(c));
    act_forward(c->act, c->gated, act, gu, T, c->ffn);
}
