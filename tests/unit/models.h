/* The tiny models that passes are tested on: what the families are made of,
 * each in one shape; random rows for them. Included by one file of a program.
 */
#ifndef UNIT_MODELS_H
#define UNIT_MODELS_H

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/net/llama.h"
#include "model/net/lora.h"
#include "unit/test.h"

/* What rounding may do to a logit of the tiny model. */
#define ROUNDING (sizeof(real) == 4 ? 1e-3 : 1e-9)

static struct rng rng;

/* What the families are made of, each in one shape; and one more to decode. */
enum shape { LLAMA, BIASES, QWEN, GEMMA, GPT, SHAPES, ONE_KEY = SHAPES };
enum { VOCAB = 23 };

#define SIZES "\"hidden_size\":24,\"intermediate_size\":20," \
    "\"num_hidden_layers\":2,\"num_attention_heads\":4," \
    "\"num_key_value_heads\":2,\"head_dim\":8,\"vocab_size\":23," \
    "\"max_position_embeddings\":128,\"rms_norm_eps\":1e-5"

static const char *const config[ONE_KEY + 1] = {
    [LLAMA] = "{\"model_type\":\"llama\"," SIZES "}",
    [BIASES] = "{\"model_type\":\"llama\"," SIZES ",\"attention_bias\":true,"
               "\"mlp_bias\":true,\"rope_scaling\":{\"type\":\"llama3\","
               "\"factor\":4,\"original_max_position_embeddings\":64}}",
    [QWEN] = "{\"model_type\":\"qwen3\"," SIZES "}",
    [GEMMA] = "{\"model_type\":\"gemma3_text\"," SIZES ",\"sliding_window\":5,"
              "\"query_pre_attn_scalar\":11,\"layer_types\":["
              "\"sliding_attention\",\"full_attention\"],\"rope_parameters\":"
              "{\"full_attention\":{\"rope_type\":\"linear\",\"factor\":8},"
              "\"sliding_attention\":{\"rope_theta\":100}}}",
    [GPT] = "{\"model_type\":\"gpt2\",\"n_embd\":24,\"n_inner\":20,"
            "\"n_layer\":2,\"n_head\":3,\"vocab_size\":23,"
            "\"n_positions\":128}",
    /* more heads to one of keys than are done at once */
    [ONE_KEY] = "{\"model_type\":\"llama\",\"hidden_size\":24,"
                "\"intermediate_size\":20,\"num_hidden_layers\":2,"
                "\"num_attention_heads\":20,\"num_key_value_heads\":1,"
                "\"head_dim\":4,\"vocab_size\":23,"
                "\"max_position_embeddings\":128,\"rms_norm_eps\":1e-5}",
};

enum { ROWS = 80 }; /* the second sequence is longer than one block */

static int32_t ids[ROWS], target[ROWS];
static const int32_t start[] = {0, 5, 73, ROWS};

static inline struct batch make_batch(int vocab)
{
    for (int t = 0; t < ROWS; t++) {
        ids[t] = (int32_t)rng_below(&rng, (uint64_t)vocab);
        target[t] = t % 3 ? (int32_t)rng_below(&rng, (uint64_t)vocab) : -1;
    }
    return (struct batch){ids, target, start, 3, 0, NULL, NULL};
}

static inline struct llama *make_model(enum shape kind, bool tied)
{
    struct err e = {0};
    struct config c;
    assert_ok(config_read(config[kind], strlen(config[kind]), &c, &e), e);
    c.tied = tied;
    struct llama *m = llama_new(&c, &e);
    assert_non_null(m);
    llama_init(m, 5);
    for (size_t i = 0; i < m->n; i++) /* far from the linear case */
        m->w[i] = (real)(float)(m->w[i] * 4 + .1 * sin((double)i));
    /* but for the gains of q and k: sixteen times their scores would leave a
     * float too few digits to compare */
    for (int l = 0; m->config.qk_norm && l < m->config.layers; l++)
        for (int i = 0; i < m->config.head_dim; i++) {
            m->w[m->layer[l].q_norm + (size_t)i] /= 4;
            m->w[m->layer[l].k_norm + (size_t)i] /= 4;
        }
    return m;
}

/* Pairs of rank 3 beside every matrix, far from their beginning. */
static inline void add_adapter(struct llama *m)
{
    struct err e = {0};
    struct lora l = {.rank = 3, .alpha = 6};
    assert_ok(lora_targets("all-linear", &l.targets, &e), e);
    assert_ok(lora_add(m, &l, 1, &e), e);
    for (size_t i = m->first; i < m->n; i++)
        *llama_at(m, i) = (real)(float)(.3 * sin((double)i));
}

static const struct work_shape one_worker = {ROWS, ROWS, 1, false};

#endif
