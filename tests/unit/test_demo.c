/* The demonstration's figures: intervals, arms, and the object it prints. */
#include "test.h"

#include <math.h>

#include "demo/demo.h"

/* Wilson's interval; with none right it ends at z^2 / (n + z^2). */
static void test_interval(void **state)
{
    double low, high;
    (void)state;
    demo_interval(8, 10, &low, &high);
    assert_true(fabs(low - .4902) < 1e-4 && fabs(high - .9433) < 1e-4);
    demo_interval(0, 400, &low, &high);
    assert_true(fabs(low) < 1e-9 && fabs(high - .0095) < 1e-4);
    demo_interval(400, 400, &low, &high);
    assert_true(fabs(low - .9905) < 1e-4 && fabs(high - 1) < 1e-9);
}

static void test_arms(void **state)
{
    bool arms[ARM_COUNT];
    struct err e = {0};
    (void)state;
    assert_true(demo_arms_parse("truth,curated", arms, &e));
    assert_true(arms[ARM_TRUTH] && arms[ARM_CURATED]);
    assert_false(arms[ARM_EVERYTHING] || arms[ARM_SEEDS]);
    assert_true(demo_arms_parse("all", arms, &e));
    for (int a = 0; a < ARM_COUNT; a++)
        assert_true(arms[a]);
    assert_false(demo_arms_parse("", arms, &e));
    assert_false(demo_arms_parse("curated,", arms, &e));
    assert_false(demo_arms_parse("curate", arms, &e));
    assert_int_equal(e.code, ERR_USAGE);
}

static void test_print(void **state)
{
    struct demo_result r = {.seeds = 48, .generated = 3, .accepted = 2,
                            .rejected = 1, .seconds = 1.25, .exported = 2};
    struct buf b = BUF_INIT(0);
    (void)state;
    r.precision = (struct demo_share){1, 2, 0, 0};
    r.recall = (struct demo_share){1, 1, 0, 0};
    r.set[1].arm[ARM_RANDOM] = (struct demo_share){8, 10, 0, 0};
    demo_print(&r, &b);
    assert_string_equal(
        buf_str(&b),
        "{\"seeds\":48,\"generated\":3,\"accepted\":2,\"rejected\":1,"
        "\"curator\":{\"precision\":0.5000,\"recall\":1.0000,"
        "\"triggered\":null},\"exact_match\":{},"
        "\"exact_match_new_forms\":{\"random\":{\"mean\":0.8000,"
        "\"low\":0.4902,\"high\":0.9433,\"n\":10}},\"exported\":2,"
        "\"seconds\":1.2}");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_interval),
                                       cmocka_unit_test(test_arms),
                                       cmocka_unit_test(test_print)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
