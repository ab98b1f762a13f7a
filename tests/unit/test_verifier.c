#include "unit/test.h"

#include "base/mem.h"
#include "domain/verifier.h"

static void rows(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *expected, *answer;
        bool right;
    } all[] = {
        {"final", "#### 17", "3*7=21\n21-4=17\n#### 17", true},
        {"final", "17", "So 21 - 4 = 17.", true},
        {"final", "17", "17 eggs of 21", false},
        {"final", "17", "#### 17\nHope this helps with 3!", true},
        {"final", "17", "#### 17.0", true},
        {"final", "1234", "#### 1,234", true},
        {"final", "1.5", "#### 1.5", true},
        {"final", "3 May", "3 May", true},
        {"final", "3 May", "3 may.", true},
        {"final", "3 May", "3 June", false},
        {"final", "3 de maio", "3", false},
        {"final", "sábado", "SÁBADO", true},
        {"final", "BONA", "bona", true},
        {"final", "34, 57", "34,  57", true},
        {"final", "34, 57", "57, 34", false},
        {"final", "none", "", false},
        {"final", "3*7=21\n#### 21", "so #### 7 no\n####   21 ", true},
        {"final", "3*7=21\n#### 21", "3*7=21\n#### 22", false},
        {"final", " a  b", "a b\n", true},
        {"final", "a b", "ab", false},
        {"final", "caf\303\251", "cafe\314\201", true},
        {"number", "3.14", "about 3.1400", true},
        {"number", "10", "x = 11", false},
        {"number", "10", "no idea", false},
        {"number", "R$ 1.234,50", "R$ 1234.50", true},
        {"set", "a, b, c", "c; a; B", true},
        {"set", "a, b", "a, b, b", false},
        {"set", "[1, 2]", "2\n1", true},
        {"set", "#### 1, 2", "they are\n#### 2, 1", true},
        {"regex", "[0-9]{3}", "#### 123", true},
        {"regex", "[0-9]{3}", "1234", false},
        {"regex", "[0-9", "1", false},
        {"json", "{\"a\":1,\"b\":[true,null]}",
         "```json\n{ \"b\": [true, null], \"a\": 1.0 }\n```", true},
        {"json", "{\"a\":1}", "{\"a\":1,\"b\":2}", false},
        {"json", "[1,2]", "[2,1]", false},
        {"json", "true", "false", false},
        {"json", "{\"a\":1}", "{\"a\":1", false},
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        enum verifier v;
        assert_true(verifier_parse(all[i].kind, &v));
        assert_string_equal(verifier_name(v), all[i].kind);
        if (verifier_check(v, all[i].expected, all[i].answer, NULL) !=
            all[i].right)
            fail_msg("%s: \"%s\" against \"%s\"", all[i].kind,
                     all[i].answer, all[i].expected);
    }
    enum verifier v;
    assert_false(verifier_parse("magic", &v));
}

static void tolerances(void **state)
{
    (void)state;
    struct verifier_params p = {.absolute = .5};
    assert_true(verifier_check(VERIFY_NUMBER, "10", "10.4", &p));
    assert_false(verifier_check(VERIFY_NUMBER, "10", "10.6", &p));
    p = (struct verifier_params){.relative = .01};
    assert_true(verifier_check(VERIFY_NUMBER, "200", "198", &p));
    assert_false(verifier_check(VERIFY_NUMBER, "200", "197", &p));
    p = (struct verifier_params){.anywhere = true};
    assert_true(verifier_check(VERIFY_REGEX, "[0-9]{3}", "x1234", &p));
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        double v;
        bool ok;
    } all[] = {{"1,234", 1234, true},   {"1.234", 1234, true},
               {"0.125", .125, true},   {"3,5", 3.5, true},
               {"1.234.567", 1234567, true}, {"12,345.67", 12345.67, true},
               {"-4", -4, true},        {"1 234 km", 1234, true},
               {"12345.678", 12345.678, true}, {"25 %", 25, true},
               {"3 of 4", 0, false},    {"none", 0, false},
               {"H2O", 0, false},       {"$5", 5, true}};
    for (size_t i = 0; i < COUNT(all); i++) {
        double v = 0;
        bool ok = verifier_number(all[i].s, &v);
        if (ok != all[i].ok || (ok && v != all[i].v))
            fail_msg("%s: %g", all[i].s, v);
    }
}

static void free_text_fits_no_verifier(void **state)
{
    (void)state;
    static const struct {
        const char *expected;
        int fits; /* -1: none */
    } all[] = {
        {"3*7=21\n#### 21", VERIFY_FINAL}, {"42", VERIFY_FINAL},
        {" positive \n", VERIFY_FINAL}, {"Los Angeles", VERIFY_FINAL},
        {"7 km", VERIFY_FINAL}, {"{\"a\": [1, 2]}", VERIFY_JSON},
        {"[1, 2]", VERIFY_JSON}, {"{not json", VERIFY_FINAL},
        {"I cannot say.", -1}, {"It was in 1969 that men landed there.", -1},
        {"First line\nsecond", -1}, {"", -1}, {"   ", -1},
        {"one two three four five", -1}};
    for (size_t i = 0; i < COUNT(all); i++) {
        enum verifier v;
        int got = verifier_fits(all[i].expected, &v) ? (int)v : -1;
        if (got != all[i].fits)
            fail_msg("%s: %d", all[i].expected, got);
    }
}

static void useless_expectations_are_told(void **state)
{
    (void)state;
    struct err e = {0};
    assert_false(verifier_usable(VERIFY_REGEX, "(", &e));
    assert_non_null(strstr(e.text, "not a regular expression"));
    assert_false(verifier_usable(VERIFY_JSON, "{", &e));
    assert_false(verifier_usable(VERIFY_NUMBER, "many", &e));
    assert_true(verifier_usable(VERIFY_NUMBER, "#### 5", &e));
    assert_true(verifier_usable(VERIFY_SET, "", &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(tolerances),
        cmocka_unit_test(numbers),
        cmocka_unit_test(free_text_fits_no_verifier),
        cmocka_unit_test(useless_expectations_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
