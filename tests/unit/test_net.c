/* Gradients. Compiled twice: with double, where every operation and a whole
 * tiny model are held against central differences (relative 1e-6); and with
 * float, which is held against what the double program prints (1e-4).
 */
#include "unit/test.h"

#include <math.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/rng.h"
#include "model/net/attention.h"
#include "model/net/decode.h"
#include "model/net/gemm.h"
#include "model/net/llama.h"
#include "model/net/lora.h"
#include "model/net/ops.h"

/* What rounding may do to a logit of the tiny model. */
#define ROUNDING (sizeof(real) == 4 ? 1e-3 : 1e-9)

static struct rng rng;

/* ---- The tiny model ----------------------------------------------------- */

/* What the families are made of, each in one shape. */
enum shape { LLAMA, BIASES, QWEN, GEMMA, GPT, SHAPES };
enum { VOCAB = 23 };

#define SIZES "\"hidden_size\":24,\"intermediate_size\":20," \
    "\"num_hidden_layers\":2,\"num_attention_heads\":4," \
    "\"num_key_value_heads\":2,\"head_dim\":8,\"vocab_size\":23," \
    "\"max_position_embeddings\":128,\"rms_norm_eps\":1e-5"

static const char *const config[SHAPES] = {
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
};

enum { ROWS = 80 }; /* the second sequence is longer than one block */

static int32_t ids[ROWS], target[ROWS];
static const int32_t start[] = {0, 5, 73, ROWS};

static struct batch make_batch(int vocab)
{
    for (int t = 0; t < ROWS; t++) {
        ids[t] = (int32_t)rng_below(&rng, (uint64_t)vocab);
        target[t] = t % 3 ? (int32_t)rng_below(&rng, (uint64_t)vocab) : -1;
    }
    return (struct batch){ids, target, start, 3, 0, NULL};
}

static struct llama *make_model(enum shape kind, bool tied)
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
static void add_pairs(struct llama *m)
{
    struct err e = {0};
    struct lora l = {.rank = 3, .alpha = 6};
    assert_ok(lora_targets("all-linear", &l.targets, &e), e);
    assert_ok(lora_add(m, &l, 1, &e), e);
    for (size_t i = m->first; i < m->n; i++)
        *llama_at(m, i) = (real)(float)(.3 * sin((double)i));
}

static const struct work_shape one_worker = {ROWS, ROWS, 1, false};

/* Prints the loss and every gradient of a tiny model. */
static int dump(enum shape kind)
{
    struct err e = {0};
    if (!gemm_start(&e))
        return 1;
    rng_seed(&rng, 11);
    struct batch b = make_batch(VOCAB);
    struct llama *m = make_model(kind, true);
    struct work *k = work_new(m, &one_worker, &e);
    real *g = xcalloc(m->n, sizeof *g);
    printf("%.17g\n", llama_pass(&alone, m, k, &b, (real).02, g, NULL));
    for (size_t i = 0; i < m->n; i++)
        printf("%.17g\n", (double)g[i]);
    free(g);
    work_free(&k);
    llama_free(&m);
    return 0;
}

#ifdef REAL_IS_DOUBLE

/* ---- Central differences ------------------------------------------------ */

static void fill(real *x, size_t n, double d)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (real)(float)(rng_normal(&rng) * d);
}

static void close_to(double got, double want, double scale)
{
    if (!(fabs(got - want) <= 1e-6 * fmax(fabs(want), scale)))
        fail_msg("gradient %.10g, by differences %.10g", got, want);
}

struct probe {
    double (*value)(void *ctx);
    void *ctx;
};

/* The derivative of the probe by *x (fourth order). */
static double slope(const struct probe *p, real *x)
{
    real was = *x, h = 2e-5;
    double v[4];
    const double step[] = {-2, -1, 1, 2};
    for (int i = 0; i < 4; i++) {
        *x = was + step[i] * h;
        v[i] = p->value(p->ctx);
    }
    *x = was;
    return (v[0] - 8 * v[1] + 8 * v[2] - v[3]) / (12 * h);
}

static void check(const struct probe *p, real *x, const real *grad, size_t n,
                  size_t stride)
{
    double scale = 0;
    for (size_t i = 0; i < n; i++)
        scale = fmax(scale, fabs(grad[i]));
    assert_true(scale > 0);
    for (size_t i = 0; i < n; i += stride)
        close_to(grad[i], slope(p, x + i), 1e-2 * scale);
}

static double dot(const real *a, const real *b, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

enum { T = 3, H = 10 };
static real x[2 * T * H], y[2 * T * H], dy[2 * T * H], dx[2 * T * H];
static real gain[H], dgain[H], rstd[T];

static double rms_value(void *ctx)
{
    (void)ctx;
    rms_forward(y, rstd, x, gain, 0, T, H, 1e-5);
    return dot(y, dy, T * H);
}

static void rms_gradient(void **state)
{
    (void)state;
    fill(x, T * H, 1);
    fill(dy, T * H, 1);
    fill(gain, H, 1);
    memset(dx, 0, sizeof dx);
    memset(dgain, 0, sizeof dgain);
    struct probe p = {rms_value, NULL};
    rms_value(NULL);
    rms_backward(dx, dy, x, gain, 0, rstd, T, H);
    rms_gain_backward(dgain, dy, x, rstd, T, H, 0, 4); /* in two shares */
    rms_gain_backward(dgain, dy, x, rstd, T, H, 4, H);
    check(&p, x, dx, T * H, 1);
    check(&p, gain, dgain, H, 1);
}

static double swiglu_value(void *ctx)
{
    (void)ctx;
    swiglu_forward(y, x, T, H);
    return dot(y, dy, T * H);
}

static void swiglu_gradient(void **state)
{
    (void)state;
    fill(x, 2 * T * H, 2);
    fill(dy, T * H, 1);
    swiglu_backward(dx, dy, x, T, H);
    struct probe p = {swiglu_value, NULL};
    check(&p, x, dx, 2 * T * H, 1);
}

static real cosine[9 * 2], sine[9 * 2];
static const int32_t pos[T] = {0, 5, 8};

static double rope_value(void *ctx)
{
    (void)ctx;
    memcpy(y, x, T * H * sizeof *x);
    rope_forward(y, H, pos, T, 2, 4, cosine, sine);
    return dot(y, dy, T * H);
}

static void rope_gradient(void **state)
{
    (void)state;
    static const float inverse[] = {1, .01f};
    rope_tables(cosine, sine, 9, 4, inverse);
    fill(x, T * H, 1);
    fill(dy, T * H, 1);
    memcpy(dx, dy, T * H * sizeof *x);
    rope_backward(dx, H, pos, T, 2, 4, cosine, sine);
    struct probe p = {rope_value, NULL};
    check(&p, x, dx, T * H, 1);
    /* half-split: 0 goes with 2; head 1 begins at 4; 8 and 9 are let be */
    double a = cos(5), b = sin(5);
    rope_value(NULL);
    assert_true(fabs(y[H] - (x[H] * a - x[H + 2] * b)) < 1e-6);
    assert_true(fabs(y[H + 2] - (x[H + 2] * a + x[H] * b)) < 1e-6);
    assert_true(y[H + 8] == x[H + 8]);
}

static real table[4 * H], dtable[4 * H];
static const int32_t few[T] = {2, 0, 2};

static double embed_value(void *ctx)
{
    (void)ctx;
    for (int t = 0; t < T; t++)
        memcpy(y + t * H, table + few[t] * H, H * sizeof *y);
    return dot(y, dy, T * H);
}

static void embed_gradient(void **state)
{
    (void)state;
    fill(table, 4 * H, 1);
    fill(dy, T * H, 1);
    memset(dtable, 0, sizeof dtable);
    embed_backward(dtable, dy, few, T, H, 0, 3);
    embed_backward(dtable, dy, few, T, H, 3, H);
    struct probe p = {embed_value, NULL};
    check(&p, table, dtable, 4 * H, 1);
}

static double softmax_value(void *ctx)
{
    int top;
    memcpy(y, x, H * sizeof *x);
    return -.5 * softmax_loss(y, H, *(int *)ctx, .5, &top);
}

static void softmax_gradient(void **state)
{
    (void)state;
    int t = 3, top;
    fill(x, H, 2);
    x[7] = 9;
    memcpy(dx, x, H * sizeof *x);
    softmax_loss(dx, H, t, .5, &top);
    assert_int_equal(top, 7);
    struct probe p = {softmax_value, &t};
    check(&p, x, dx, H, 1);
    x[0] = 800; /* far from what exp can hold */
    x[3] = -800;
    assert_true(fabs(softmax_loss(x, H, 3, 1, &top) + 1600) < 1e-6);
}

enum { N = 70, D = 4, W = 4 * D + 2 * 2 * D }; /* two blocks, 4/2 heads */
static real qkv[N * W], dqkv[N * W], out[N * 16], dout[N * 16], lse[N * 4];
static real parts[N * 4 * D];
static const int32_t whole[] = {0, N};
static const struct attention shape = {.heads = 4, .kv_heads = 2, .d = D,
                                       .ldq = W, .ldk = W, .ldo = 16};

static double attention_value(void *ctx)
{
    attention_forward(&alone, &shape, whole, 1, out, lse, qkv, qkv + 16,
                      qkv + 16 + 2 * D, ctx);
    return dot(out, dout, N * 16);
}

static void attention_gradient(void **state)
{
    (void)state;
    real *scratch = xcalloc(attention_scratch(&shape, N), sizeof *scratch);
    fill(qkv, N * W, 1);
    fill(dout, N * 16, 1);
    memset(dqkv, 0, sizeof dqkv);
    attention_value(scratch);
    attention_backward(&alone, &shape, whole, 1, dqkv, dqkv + 16,
                       dqkv + 16 + 2 * D, dout, qkv, qkv + 16,
                       qkv + 16 + 2 * D, lse, parts, scratch);
    struct probe p = {attention_value, scratch};
    check(&p, qkv, dqkv, N * W, 7);
    free(scratch);
}

struct model {
    struct llama *m;
    struct work *k;
    struct batch b;
};

static double whole_value(void *ctx)
{
    struct model *w = ctx;
    return .02 * llama_pass(&alone, w->m, w->k, &w->b, 1, NULL, NULL);
}

static void check_model(enum shape kind, bool tied, double dropout)
{
    struct err e = {0};
    struct model w = {.m = make_model(kind, tied), .b = make_batch(VOCAB)};
    w.k = work_new(w.m, &one_worker, &e);
    work_drop(w.k, dropout, 0, 77);
    real *g = xcalloc(w.m->n, sizeof *g);
    double loss = .02 * llama_pass(&alone, w.m, w.k, &w.b, .02, g, NULL);
    assert_true(loss == whole_value(&w));
    struct probe p = {whole_value, &w};
    for (size_t i = 0; i < w.m->n_weights; i++) {
        const struct weight *t = &w.m->weight[i];
        check(&p, w.m->w + t->offset, g + t->offset,
              t->rows * (t->cols ? t->cols : 1), 29);
    }
    free(g);
    work_free(&w.k);
    llama_free(&w.m);
}

/* The pairs' gradients, where all else is frozen. */
static void check_pairs(enum shape kind, double dropout)
{
    struct err e = {0};
    struct model w = {.m = make_model(kind, true), .b = make_batch(VOCAB)};
    add_pairs(w.m);
    w.k = work_new(w.m, &one_worker, &e);
    work_drop(w.k, 0, dropout, 77);
    real *g = xcalloc(llama_trained(w.m), sizeof *g);
    double loss = .02 * llama_pass(&alone, w.m, w.k, &w.b, .02, g, NULL);
    assert_true(loss == whole_value(&w));
    struct probe p = {whole_value, &w};
    for (size_t i = w.m->n_own; i < w.m->n_weights; i++) {
        const struct weight *t = &w.m->weight[i];
        check(&p, llama_at(w.m, t->offset), g + (t->offset - w.m->first),
              t->rows * t->cols, 11);
    }
    free(g);
    work_free(&w.k);
    llama_free(&w.m);
}

static void pairs_gradient(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        check_pairs((enum shape)i, i % 2 ? .3 : 0);
}

static void model_gradient(void **state)
{
    (void)state;
    check_model(LLAMA, false, 0);
    for (int i = 0; i < SHAPES; i++) {
        check_model((enum shape)i, true, 0);
        check_model((enum shape)i, true, .2);
    }
}

#else

static void read_numbers(const char *text, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *end;
        out[i] = strtod(text, &end);
        assert_true(end > text);
        text = end;
    }
}

/* Every gradient of float within 1e-4 of double's, in 2-norm by tensor. */
static void agrees(const char *build, enum shape kind)
{
    struct err e = {0};
    char *path = xasprintf("%s/tests/unit/test_net64", build);
    char number[12];
    snprintf(number, sizeof number, "%d", (int)kind);
    const char *argv[] = {path, "--dump", number, NULL};
    struct buf b = BUF_INIT(0);
    assert_int_equal(proc_capture(argv, NULL, NULL, &b, &e), 0);
    rng_seed(&rng, 11);
    struct batch batch = make_batch(VOCAB);
    struct llama *m = make_model(kind, true);
    double *want = xcalloc(m->n + 1, sizeof *want);
    read_numbers(buf_str(&b), want, m->n + 1);
    struct work *k = work_new(m, &one_worker, &e);
    real *g = xcalloc(m->n, sizeof *g);
    double loss = llama_pass(&alone, m, k, &batch, (real).02, g, NULL);
    assert_true(fabs(loss - want[0]) < 1e-4 * want[0]);
    for (size_t i = 0; i < m->n_weights; i++) {
        const struct weight *t = &m->weight[i];
        double off = 0, all = 0;
        for (size_t j = 0; j < t->rows * (t->cols ? t->cols : 1); j++) {
            double w = want[1 + t->offset + j];
            off += pow((double)g[t->offset + j] - w, 2);
            all += w * w;
        }
        if (!(sqrt(off) <= 1e-4 * sqrt(all)))
            fail_msg("%s: off by %g", t->name, sqrt(off / all));
    }
    free(want);
    free(g);
    free(path);
    buf_free(&b);
    work_free(&k);
    llama_free(&m);
}

static void float_agrees_with_double(void **state)
{
    (void)state;
    const char *build = getenv("top_builddir");
    if (!build)
        skip();
    for (int i = 0; i < SHAPES; i++)
        agrees(build, (enum shape)i);
}

static void exp_is_close(void **state)
{
    (void)state;
    for (float v = -87; v < 88; v += .0137f)
        assert_true(fabs((double)real_exp(v) / exp((double)v) - 1) < 3e-7);
    assert_true(real_exp(-1000) < 1e-37f && real_exp(1000) > 1e38f);
}

#endif

/* A cache gives what a whole pass gives, however it is fed. */
static void decodes(enum shape kind)
{
    struct err e = {0};
    struct llama *m = make_model(kind, kind > LLAMA);
    struct work *k = work_new(m, &one_worker, &e);
    make_batch(VOCAB);
    struct decoder *d = decoder_new(m, 100, &e);
    real want[VOCAB];
    int cuts[] = {1, 66, 67, 68, 75, ROWS};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        int at = decoder_length(d);
        assert_true(decoder_feed(d, ids + at, cuts[i] - at));
        llama_logits(m, k, ids, cuts[i], want);
        for (int j = 0; j < VOCAB; j++)
            assert_true(fabs((double)(want[j] - decoder_logits(d)[j])) <
                        ROUNDING);
    }
    assert_false(decoder_feed(d, ids, 21));
    decoder_cut(d, 66);
    assert_true(decoder_feed(d, ids + 66, 1));
    llama_logits(m, k, ids, 67, want);
    assert_true(fabs((double)(want[3] - decoder_logits(d)[3])) < ROUNDING);
    decoder_free(&d);
    work_free(&k);
    llama_free(&m);
}

static void decoding_agrees(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        decodes((enum shape)i);
}

/* W += scale B A, B = 0. */
static void fold(struct llama *m)
{
    for (size_t i = 0; i < m->n_own; i++)
        lora_onto(m, i, m->w + m->weight[i].offset);
    for (size_t i = m->n_own; i < m->n_weights; i++)
        if (strstr(m->weight[i].name, "lora_B"))
            for (size_t j = 0; j < m->weight[i].rows * m->weight[i].cols; j++)
                *llama_at(m, m->weight[i].offset + j) = 0;
}

/* Pairs that are new change nothing; folded into the weights they give what
 * they gave beside them, decoding included. */
static void folds(enum shape kind)
{
    struct err e = {0};
    struct llama *m = make_model(kind, kind > LLAMA);
    struct work *k = work_new(m, &one_worker, &e);
    make_batch(VOCAB);
    real was[VOCAB], with[VOCAB], folded[VOCAB];
    llama_logits(m, k, ids, ROWS, was);
    struct lora l = {.rank = 3, .alpha = 6, .root = kind == QWEN};
    assert_ok(lora_targets("all-linear", &l.targets, &e), e);
    assert_ok(lora_add(m, &l, 1, &e), e);
    llama_logits(m, k, ids, ROWS, with);
    assert_memory_equal(was, with, sizeof was);
    for (size_t i = m->first; i < m->n; i++)
        *llama_at(m, i) = (real)(float)(.3 * sin((double)i));
    llama_logits(m, k, ids, ROWS, with);
    struct decoder *d = decoder_new(m, ROWS, &e);
    decoder_feed(d, ids, ROWS);
    fold(m);
    llama_logits(m, k, ids, ROWS, folded);
    double moved = 0;
    for (int j = 0; j < VOCAB; j++) {
        moved = fmax(moved, fabs((double)(with[j] - was[j])));
        assert_true(fabs((double)(with[j] - folded[j])) < 5 * ROUNDING);
        assert_true(fabs((double)(with[j] - decoder_logits(d)[j])) <
                    5 * ROUNDING);
    }
    assert_true(moved > .05);
    decoder_free(&d);
    work_free(&k);
    llama_free(&m);
}

static void pairs_fold(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        folds((enum shape)i);
    struct err e = {0};
    int targets;
    assert_false(lora_targets("q_proj,w_proj", &targets, &e));
    assert_non_null(strstr(e.text, "w_proj"));
    struct llama *m = make_model(GPT, true);
    struct lora l = {.rank = 3, .alpha = 6};
    assert_true(lora_targets("gate_proj", &l.targets, &e));
    assert_false(lora_add(m, &l, 1, &e));
    llama_free(&m);
}

/* A packed sequence knows nothing of its neighbours. */
static void packing_is_invisible(void **state)
{
    (void)state;
    struct err e = {0};
    struct llama *m = make_model(GEMMA, true);
    struct work *k = work_new(m, &one_worker, &e);
    struct batch b = make_batch(VOCAB);
    double together = llama_pass(&alone, m, k, &b, 1, NULL, NULL), apart = 0;
    for (int s = 0; s < 3; s++) {
        int32_t one[2] = {0, start[s + 1] - start[s]};
        struct batch p = {ids + start[s], target + start[s], one, 1, 0, NULL};
        apart += llama_pass(&alone, m, k, &p, 1, NULL, NULL);
    }
    assert_true(fabs(together - apart) < ROUNDING * together);
    work_free(&k);
    llama_free(&m);
}

/* A weight of two counts a row's loss and gradient twice. */
static void weights_count(void **state)
{
    (void)state;
    struct err e = {0};
    rng_seed(&rng, 11);
    struct batch b = make_batch(VOCAB);
    struct llama *m = make_model(LLAMA, true);
    struct work *k = work_new(m, &one_worker, &e);
    float weight[ROWS];
    real *one = xcalloc(m->n, sizeof *one), *two = xcalloc(m->n, sizeof *two);
    for (int i = 0; i < ROWS; i++)
        weight[i] = 2;
    double loss = llama_pass(&alone, m, k, &b, 1, one, NULL);
    b.weight = weight;
    double twice = llama_pass(&alone, m, k, &b, (real).5, two, NULL);
    assert_true(fabs(twice - 2 * loss) < 1e-5 * loss);
    for (size_t i = 0; i < m->n; i += 7)
        assert_true(fabs((double)(one[i] - two[i])) <
                    1e-4 * fabs((double)one[i]) + 1e-5);
    for (int i = 0; i < ROWS; i++)
        weight[i] = i < b.start[1] ? 1 : 1e-30f; /* the first sequence alone */
    const int32_t both[] = {0, b.start[1]};
    struct batch first = {b.ids, b.target, both, 1, 0, NULL};
    double part = llama_pass(&alone, m, k, &b, 1, NULL, NULL);
    double want = llama_pass(&alone, m, k, &first, 1, NULL, NULL);
    assert_true(fabs(part - want) < 1e-5 * fabs(want) + 1e-9);
    free(one);
    free(two);
    work_free(&k);
    llama_free(&m);
}

/* Frozen matrices that stand in bfloat16 alone are the same matrices: the pass
 * and what is written; and what is not exact in it is not halved. */
static void leans(enum shape kind)
{
    struct err e = {0};
    struct llama *m = make_model(kind, true);
    struct lora l = {.rank = 3, .alpha = 6};
    assert_ok(lora_targets("all-linear", &l.targets, &e), e);
    assert_ok(lora_add(m, &l, 1, &e), e);
    for (size_t i = m->first; i < m->n; i++)
        *llama_at(m, i) = (real)(float)(.3 * sin((double)i));
    m->w[m->layer[0].o] = (real)1.001;
    assert_false(llama_halve(m));
    for (size_t i = 0; i < m->first; i++) {
        union {
            float f;
            uint32_t bits;
        } v = {(float)m->w[i]};
        v.bits &= 0xffff0000;
        m->w[i] = (real)v.f;
    }
    real *full = xcalloc(m->first, sizeof *full);
    memcpy(full, m->w, m->first * sizeof *full);
    struct work *k = work_new(m, &one_worker, &e);
    struct batch b = make_batch(VOCAB);
    size_t trained = llama_trained(m);
    real *fat = xcalloc(trained, sizeof *fat), got;
    real *lean = xcalloc(trained, sizeof *lean);
    double loss = llama_pass(&alone, m, k, &b, 1, fat, NULL);
    assert_true(llama_halve(m));
    llama_lean(m);
    assert_true(m->lean);
    /* nothing reads the others any more */
    for (size_t i = 0; i < m->n_own; i++)
        for (size_t j = 0; j < m->weight[i].rows * m->weight[i].cols; j++) {
            size_t at = m->weight[i].offset + j;
            llama_copy(m, at, 1, &got);
            assert_memory_equal(&got, &full[at], sizeof got);
            if (m->weight[i].offset != m->position || !m->position)
                m->w[at] = NAN;
        }
    assert_true(fabs(llama_pass(&alone, m, k, &b, 1, lean, NULL) - loss) <
                ROUNDING * loss);
    for (size_t i = 0; i < trained; i++)
        assert_true(fabs((double)(fat[i] - lean[i])) <
                    5 * ROUNDING * (1 + fabs((double)fat[i])));
    free(full);
    free(fat);
    free(lean);
    work_free(&k);
    llama_free(&m);
}

static void halves_are_enough(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        leans((enum shape)i);
}

/* What is made again on the way back gives the same bits. */
static void recomputing_changes_nothing(void **state)
{
    (void)state;
    struct err e = {0};
    static const struct work_shape less = {ROWS, ROWS, 1, true};
    for (enum shape kind = 0; kind < SHAPES; kind++) {
        rng_seed(&rng, 11);
        struct batch b = make_batch(VOCAB);
        struct llama *m = make_model(kind, true);
        struct work *k[] = {work_new(m, &one_worker, &e),
                            work_new(m, &less, &e)};
        real *g[2];
        double loss[2];
        for (int i = 0; i < 2; i++) {
            g[i] = xcalloc(m->n, sizeof *g[i]);
            work_drop(k[i], .1, .3, 7);
            loss[i] = llama_pass(&alone, m, k[i], &b, 1, g[i], NULL);
            work_free(&k[i]);
        }
        assert_true(loss[0] == loss[1]);
        assert_memory_equal(g[0], g[1], m->n * sizeof *g[0]);
        assert_true(work_row(m, true) < work_row(m, false));
        free(g[0]);
        free(g[1]);
        llama_free(&m);
    }
}

/* ---- Teams -------------------------------------------------------------- */

struct shared {
    const struct llama *m;
    struct work *k;
    const struct batch *b;
    real *grad;
    double loss[3]; /* by worker */
};

static void pass_together(void *ctx, const struct team *t)
{
    struct shared *s = ctx;
    s->loss[t->me] = llama_pass(t, s->m, s->k, s->b, (real).02, s->grad, NULL);
}

static const struct work_shape three_workers = {ROWS, ROWS, 3, false};

/* Three workers come to what one comes to, and each time to the same. */
static void teams_agree(void **state)
{
    (void)state;
    struct err e = {0};
    struct pool *pool = pool_new(3);
    for (enum shape kind = 0; kind < SHAPES; kind++) {
        rng_seed(&rng, 11);
        struct batch b = make_batch(VOCAB);
        struct llama *m = make_model(kind, true);
        if (kind == BIASES)
            add_pairs(m);
        real *g = xcalloc(m->n, sizeof *g), *one = xcalloc(m->n, sizeof *g);
        real *two = xcalloc(m->n, sizeof *g);
        struct work *k = work_new(m, &three_workers, &e);
        struct shared both = {m, k, &b, g, {0}};
        work_drop(k, .1, .3, 7);
        double loss = llama_pass(&alone, m, k, &b, (real).02, one, NULL);
        pool_run(pool, pass_together, &both);
        both.grad = two;
        pool_run(pool, pass_together, &both);
        assert_memory_equal(g, two, m->n * sizeof *g);
        double most = 0, off = 0;
        for (size_t i = 0; i < m->n; i++) {
            most = fmax(most, fabs((double)one[i]));
            off = fmax(off, fabs((double)(one[i] - g[i])));
        }
        for (int i = 0; i < 3; i++)
            assert_true(fabs(both.loss[i] - loss) < 1e-5 * loss);
        if (!(off < 1e-5 * most))
            fail_msg("shape %d: gradients differ by %g of %g", (int)kind, off,
                     most);
        free(g);
        free(one);
        free(two);
        work_free(&k);
        llama_free(&m);
    }
    pool_free(&pool);
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "--dump"))
        return dump((enum shape)atoi(argv[2]));
    struct err e = {0};
    if (!gemm_start(&e))
        return 1;
    rng_seed(&rng, 3);
    const struct CMUnitTest tests[] = {
#ifdef REAL_IS_DOUBLE
        cmocka_unit_test(rms_gradient),
        cmocka_unit_test(swiglu_gradient),
        cmocka_unit_test(rope_gradient),
        cmocka_unit_test(embed_gradient),
        cmocka_unit_test(softmax_gradient),
        cmocka_unit_test(attention_gradient),
        cmocka_unit_test(model_gradient),
        cmocka_unit_test(pairs_gradient),
#else
        cmocka_unit_test(float_agrees_with_double),
        cmocka_unit_test(exp_is_close),
#endif
        cmocka_unit_test(decoding_agrees),
        cmocka_unit_test(pairs_fold),
        cmocka_unit_test(packing_is_invisible),
        cmocka_unit_test(weights_count),
        cmocka_unit_test(halves_are_enough),
        cmocka_unit_test(recomputing_changes_nothing),
        cmocka_unit_test(teams_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
