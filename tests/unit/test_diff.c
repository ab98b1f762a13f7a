/* What the word diff takes for one word, and when it is none to show. */
#include "test.h"

#include "base/buf.h"
#include "domain/diff.h"

static const char *shown(const char *a, const char *b)
{
    static char out[1000];
    size_t o = 0;
    struct diff d;
    diff_words(a, b, &d);
    for (size_t i = 0; i < d.pieces.n; i++) {
        struct diff_piece p = d.pieces.at[i];
        const char *s = p.op == DIFF_DEL ? a : b;
        o += (size_t)snprintf(out + o, sizeof out - o, "%s%c%.*s", i ? " " : "",
                              "=-+"[p.op], (int)(p.to - p.from), s + p.from);
    }
    diff_free(&d);
    return out;
}

static void words_are_whole(void **state)
{
    (void)state;
    assert_string_equal(shown("it is 100 m", "it is 1.000 m"),
                        "=it is -100 +1.000 =m");
    assert_string_equal(shown("at 14:35 sharp", "at 14:53 sharp"),
                        "=at -14:35 +14:53 =sharp");
    assert_string_equal(shown("it isn't so", "it isn\u2019t so"),
                        "=it -isn't +isn\u2019t =so");
    assert_string_equal(shown("an e-mail came", "an e-book came"),
                        "=an -e-mail +e-book =came");
}

/* Signs that join nothing are words of their own. */
static void signs_stand_apart(void **state)
{
    (void)state;
    assert_string_equal(shown("so 36-5=31.", "so 36-6=30."),
                        "=so 36- -5 +6 == -31 +30 =.");
    assert_string_equal(shown("say: \"no\" to it", "say: \"yes\" to it"),
                        "=say: \" -no +yes =\" to it");
    assert_string_equal(shown("a- b", "a c"), "=a -- b +c");
}

static bool apart(const char *a, const char *b)
{
    struct diff d;
    diff_words(a, b, &d);
    bool is = diff_apart(&d);
    diff_free(&d);
    return is;
}

static void little_in_common_is_no_diff(void **state)
{
    (void)state;
    assert_false(apart("a b c", "a d e")); /* 2 of 6: a third */
    assert_true(apart("a b c d", "a e f g"));
    assert_true(apart("one", "two"));
    assert_false(apart("", "two"));
    assert_false(apart("one", ""));
    assert_false(apart("", ""));
    assert_false(apart("same", "same"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_whole),
        cmocka_unit_test(signs_stand_apart),
        cmocka_unit_test(little_in_common_is_no_diff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
