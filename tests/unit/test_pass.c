/* Passes of tiny models in other ways that come to the same: decoding, pairs in
 * the weights, packed, with shared prompts, weighed, in half the memory, by a
 * team. Compiled twice, with float and with double.
 */
#include "unit/bf16.h"
#include "unit/models.h"

#include "model/net/decode.h"
#include "model/net/gemm.h"

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
        struct batch p = {ids + start[s], target + start[s], one, 1, 0, NULL,
                          NULL};
        apart += llama_pass(&alone, m, k, &p, 1, NULL, NULL);
    }
    assert_true(fabs(together - apart) < ROUNDING * together);
    work_free(&k);
    llama_free(&m);
}

/* Two answers of one prompt, which stands there once, come to what they come to
 * with a prompt each. */
static void shares(enum shape kind)
{
    enum { PROMPT = 21, FIRST = 9, SECOND = ROWS - PROMPT - FIRST };
    struct err e = {0};
    struct batch b = make_batch(VOCAB);
    struct llama *m = make_model(kind, true);
    struct work *k = work_new(m, &(struct work_shape){2 * ROWS, ROWS, 1,
                                                      false}, &e);
    real *one = xcalloc(m->n, sizeof *one), *two = xcalloc(m->n, sizeof *two);
    const int32_t shared[] = {0, PROMPT, PROMPT + FIRST, ROWS};
    const int32_t of[] = {-1, 0, 0};
    for (int i = 0; i < PROMPT; i++)
        target[i] = -1;
    b.start = shared;
    b.prompt = of;
    double loss = llama_pass(&alone, m, k, &b, 1, one, NULL);
    int32_t all[2 * ROWS], want[2 * ROWS], n = 0;
    const int32_t apart[] = {0, PROMPT + FIRST, ROWS + PROMPT};
    for (int s = 1; s < 3; s++)
        for (int i = 0; i < PROMPT + shared[s + 1] - shared[s]; i++, n++) {
            int from = i < PROMPT ? i : shared[s] + i - PROMPT;
            all[n] = ids[from];
            want[n] = target[from];
        }
    assert_int_equal(n, apart[2]);
    struct batch twice = {all, want, apart, 2, 0, NULL, NULL};
    double full = llama_pass(&alone, m, k, &twice, 1, two, NULL), most = 0;
    assert_true(fabs(loss - full) < ROUNDING * full);
    for (size_t i = 0; i < m->n; i++)
        most = fmax(most, fabs((double)two[i]));
    for (size_t i = 0; i < m->n; i++)
        assert_true(fabs((double)(one[i] - two[i])) < ROUNDING * most);
    free(one);
    free(two);
    work_free(&k);
    llama_free(&m);
}

static void prompts_are_shared(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        shares((enum shape)i);
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
    struct batch first = {b.ids, b.target, both, 1, 0, NULL, NULL};
    double part = llama_pass(&alone, m, k, &b, 1, NULL, NULL);
    double want = llama_pass(&alone, m, k, &first, 1, NULL, NULL);
    assert_true(fabs(part - want) < 1e-5 * fabs(want) + 1e-9);
    free(one);
    free(two);
    work_free(&k);
    llama_free(&m);
}

/* Halves the matrices, twice, and sees to it that who reads the others is
 * found out. */
static void lean_alone(struct llama *m)
{
    assert_true(llama_lean(m) && llama_lean(m));
    for (size_t i = 0; i < m->n_own; i++)
        for (size_t j = 0; j < m->weight[i].rows * m->weight[i].cols; j++)
            if (m->weight[i].offset != m->position || !m->position)
                m->w[m->weight[i].offset + j] = NAN;
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
    assert_false(llama_lean(m));
    round_to_bf16(m->w, m->first);
    real *full = xcalloc(m->first, sizeof *full);
    memcpy(full, m->w, m->first * sizeof *full);
    struct work *k = work_new(m, &one_worker, &e);
    struct batch b = make_batch(VOCAB);
    size_t trained = llama_trained(m);
    real *fat = xcalloc(trained, sizeof *fat), got;
    real *lean = xcalloc(trained, sizeof *lean);
    double loss = llama_pass(&alone, m, k, &b, 1, fat, NULL);
    lean_alone(m);
    for (size_t i = 0; i < m->first; i++) {
        llama_copy(m, i, 1, &got);
        assert_memory_equal(&got, &full[i], sizeof got);
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

/* The logits behind a prompt of n and three more, one by one. */
static void decode(const struct llama *m, const struct batch *b, int n,
                   real out[4][VOCAB])
{
    struct err e;
    struct decoder *d = decoder_new(m, n + 3, &e);
    assert_true(decoder_feed(d, b->ids, n));
    for (int i = 0; i < 4; i++) {
        memcpy(out[i], decoder_logits(d), sizeof out[i]);
        assert_true(i == 3 || decoder_feed(d, b->ids + n + i, 1));
    }
    decoder_free(&d);
}

/* Nor does decoding need more, of a whole model. */
static void decodes_lean(enum shape kind, bool tied)
{
    struct llama *m = make_model(kind, tied);
    struct batch b = make_batch(VOCAB);
    real fat[4][VOCAB], lean[4][VOCAB];
    round_to_bf16(m->w, m->n);
    decode(m, &b, 40, fat);
    lean_alone(m);
    decode(m, &b, 40, lean);
    for (int i = 0; i < 4 * VOCAB; i++)
        assert_true(fabs((double)(fat[i / VOCAB][i % VOCAB] -
                                  lean[i / VOCAB][i % VOCAB])) < ROUNDING);
    llama_free(&m);
}

static void halves_are_enough(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPES; i++) {
        leans((enum shape)i);
        decodes_lean((enum shape)i, true);
        decodes_lean((enum shape)i, i == GPT);
    }
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
            add_adapter(m);
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

/* n streams, numbered from `first` on, each with a prompt of its own and three
 * tokens more; the logits of each. */
static void feed(const struct llama *m, struct pool *pool, int first, int n,
                 real out[][VOCAB])
{
    struct err e;
    struct desk *desk = desk_new(m, 128, pool, &e);
    struct decoder *d[DECODE_STREAMS];
    int32_t word[DECODE_STREAMS];
    for (int i = 0; i < n; i++) {
        d[i] = decoder_at(desk, 128, &e);
        assert_true(decoder_feed(d[i], ids, 1 + (first + i) * 5 % ROWS));
    }
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < n; i++)
            word[i] = ids[first + i + step];
        decoders_feed(d, word, n);
    }
    for (int i = 0; i < n; i++) {
        memcpy(out[first + i], decoder_logits(d[i]), sizeof *out);
        decoder_free(&d[i]);
    }
    desk_free(&desk);
}

/* What a stream gets does not depend on the others', to the bit. */
static void company_is_unseen(void **state)
{
    (void)state;
    struct pool *pool = pool_new(3);
    for (enum shape kind = 0; kind <= ONE_KEY; kind++) {
        real single[DECODE_STREAMS][VOCAB], among[DECODE_STREAMS][VOCAB];
        struct llama *m = make_model(kind, true);
        make_batch(VOCAB);
        for (int i = 0; i < DECODE_STREAMS; i++)
            feed(m, pool, i, 1, single);
        feed(m, pool, 0, DECODE_STREAMS, among);
        assert_memory_equal(single, among, sizeof single);
        feed(m, pool, 4, 7, among);
        assert_memory_equal(single, among, sizeof single);
        llama_free(&m);
    }
    pool_free(&pool);
}

int main(void)
{
    struct err e = {0};
    if (!gemm_start(&e))
        return 1;
    rng_seed(&rng, 3);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_agrees),
        cmocka_unit_test(pairs_fold),
        cmocka_unit_test(packing_is_invisible),
        cmocka_unit_test(prompts_are_shared),
        cmocka_unit_test(weights_count),
        cmocka_unit_test(halves_are_enough),
        cmocka_unit_test(recomputing_changes_nothing),
        cmocka_unit_test(teams_agree),
        cmocka_unit_test(company_is_unseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
