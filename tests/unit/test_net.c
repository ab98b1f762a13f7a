/* Gradients. Compiled twice: with double, where every operation and a whole
 * tiny model are held against central differences (relative 1e-6); and with
 * float, which is held against what the double program prints (1e-4).
 */
#include "unit/models.h"

#include <math.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/proc.h"
#include "model/net/attention.h"
#include "model/net/gemm.h"
#include "model/net/llama.h"
#include "model/net/ops.h"

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
    add_adapter(w.m);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
