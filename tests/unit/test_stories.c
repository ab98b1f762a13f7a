/* A real model, held against an independent implementation: the log
 * probabilities, the last logits and the greedy continuation that
 * ../shared/models/stories260k/reference.json records. Skips, saying so,
 * where that folder is absent. */
#include "unit/test.h"

#include <math.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/net/decode.h"
#include "model/net/sample.h"
#include "model/net/gemm.h"
#include "model/net/llama.h"
#include "model/token/tokenizer.h"

static struct llama *m;
static struct work *k;
static json *reference;
static char *dir;

static int32_t *ids_of(const json *list, int *n)
{
    int32_t *ids = xmalloc((json_count(list) + 1) * sizeof *ids);
    *n = 0;
    for (const json *v = json_first(list); v; v = json_next(v))
        ids[(*n)++] = (int32_t)json_number(v, -1);
    return ids;
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-3))
        fail_msg("%.6f instead of %.6f", got, want);
}

static void check_logprobs(const json *text, const int32_t *ids, int n)
{
    int32_t target[512];
    double logprob[512];
    for (int t = 0; t < n; t++)
        target[t] = t + 1 < n ? ids[t + 1] : -1;
    const int32_t start[] = {0, n};
    struct batch b = {ids, target, start, 1, 0, NULL, NULL};
    llama_pass(&alone, m, k, &b, 0, NULL, &(struct told){.logprob = logprob});
    int t = 0;
    for (const json *v = json_first(json_get(text, "logprob")); v;
         v = json_next(v))
        near(logprob[t++], json_number(v, NAN));
    assert_int_equal(t, n - 1);
}

static void check_logits(const json *text, const real *logits)
{
    int i = 0;
    for (const json *v = json_first(json_get(text, "last_logits_0_15")); v;
         v = json_next(v))
        near((double)logits[i++], json_number(v, NAN));
    assert_int_equal(i, 16);
}

static void check_greedy(const json *text, const int32_t *ids, int n)
{
    struct err e = {0};
    struct decoder *d = decoder_new(m, 512, &e);
    struct sampling greedy = {0};
    int want_n;
    int32_t *want = ids_of(json_get(text, "greedy"), &want_n);
    assert_true(decoder_feed(d, ids, n));
    check_logits(text, decoder_logits(d));
    assert_true(want_n >= 40);
    for (int i = 0; i < want_n; i++) {
        int32_t id = sample_token(decoder_logits(d), 512, &greedy, NULL);
        assert_int_equal(id, want[i]);
        decoder_feed(d, &id, 1);
    }
    free(want);
    decoder_free(&d);
}

static void figures_are_equal(void **state)
{
    (void)state;
    int texts = 0;
    for (const json *t = json_first(json_get(reference, "texts")); t;
         t = json_next(t), texts++) {
        int n;
        int32_t *ids = ids_of(json_get(t, "ids"), &n);
        real logits[512];
        check_logprobs(t, ids, n);
        llama_logits(m, k, ids, n, logits);
        check_logits(t, logits);
        check_greedy(t, ids, n);
        free(ids);
    }
    assert_int_equal(texts, 5);
}

/* The ids of `tokenizers` 0.23.3 on this file. */
static void ids_are_equal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t ids[24];
        int n;
    } known[] = {
#include "fixtures/stories_ids.h"
    };
    struct err e = {0};
    struct tokenizer *t = tokenizer_load(dir, &e);
    assert_ok(t != NULL, e);
    for (size_t i = 0; i < COUNT(known); i++) {
        struct tokens k2 = {0};
        struct buf text = BUF_INIT(0);
        int32_t ids[24];
        tokenizer_encode(t, known[i].text, strlen(known[i].text), true, &k2);
        assert_int_equal(k2.n, known[i].n);
        for (size_t j = 0; j < k2.n; j++) {
            assert_int_equal(k2.at[j].id, known[i].ids[j]);
            ids[j] = k2.at[j].id;
        }
        tokenizer_decode(t, ids, k2.n, false, &text);
        assert_string_equal(buf_str(&text), known[i].text);
        VEC_FREE(&k2);
        buf_free(&text);
    }
    tokenizer_free(&t);
}

int main(void)
{
    const char *shared = getenv("SHARED");
    dir = path_join(shared ? shared : "../shared", "models/stories260k");
    char *path = path_join(dir, "reference.json");
    struct err e = {0};
    if (!file_exists(path)) {
        printf("skipped: %s is not there\n", dir);
        return 77;
    }
    reference = json_load(path, 1 << 20, &e);
    if (!reference || !gemm_start(&e) || !(m = llama_load(dir, &e)) ||
        !(k = work_new(m, &(struct work_shape){512, 512, 1, false}, &e))) {
        printf("%s\n", e.text);
        return 99;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_equal),
        cmocka_unit_test(ids_are_equal),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_free(reference);
    work_free(&k);
    llama_free(&m);
    free(path);
    free(dir);
    return failed;
}
