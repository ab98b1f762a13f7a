/* What the word diff takes for one word, and when it is none to show. */
#include "test.h"

#include "base/buf.h"
#include "base/rng.h"
#include "domain/diff.h"

static const char *shown(const char *a, const char *b)
{
    static char out[1000];
    size_t o = 0;
    struct diff d;
    out[0] = '\0';
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
    assert_string_equal(shown("I can't go", "I won't go"),
                        "=I -can't +won't =go");
    assert_string_equal(shown("I can\u2019t go", "I won\u2019t go"),
                        "=I -can\u2019t +won\u2019t =go");
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
    assert_string_equal(shown("x-5 y", "x-6 y"), "=x- -5 +6 =y");
    assert_string_equal(shown("9:am now", "9:pm now"), "=9: -am +pm =now");
}

/* White space of any length is one gap; a change takes away, then adds. */
static void changes_are_runs(void **state)
{
    (void)state;
    assert_string_equal(shown("a  b\n\nc", " a b c "), "=a b c");
    assert_string_equal(shown("one two", "three four"),
                        "-one two +three four");
    assert_string_equal(shown("a x b y c", "a z b c w"),
                        "=a -x +z =b -y =c +w");
    assert_string_equal(shown("for 5 € now", "for 5 ₤ now"),
                        "=for 5 -€ +₤ =now");
    assert_string_equal(shown("", "new"), "+new");
    assert_string_equal(shown("old", ""), "-old");
    assert_string_equal(shown(" ", ""), "");
    struct diff d;
    diff_words("a b", "a  c d", &d);
    assert_int_equal(d.pieces.at[2].gap, 1);
    assert_int_equal(d.pieces.at[2].from, 3);
    assert_int_equal(d.pieces.at[2].words, 2);
    diff_free(&d);
}

/* ---- Against the longest common subsequence ------------------------------ */

enum { MOST = 14 };

static size_t draw_words(struct rng *r, char out[2 * MOST + 1])
{
    size_t n = (size_t)rng_below(r, MOST + 1), o = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        out[o++] = (char)('a' + rng_below(r, 3));
        out[o++] = i + 1 < n ? ' ' : '\0';
    }
    return n;
}

static size_t common(const char *a, size_t n, const char *b, size_t m)
{
    size_t best[MOST + 1][MOST + 1] = {{0}};
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            size_t x = best[i - 1][j], y = best[i][j - 1];
            best[i][j] = a[2 * i - 2] == b[2 * j - 2]
                             ? best[i - 1][j - 1] + 1
                             : x > y ? x : y;
        }
    return best[n][m];
}

/* One side of a diff, its words with one blank between them. */
static void side(const struct diff *d, enum diff_op op, const char *a,
                 const char *b, struct buf *out)
{
    for (size_t i = 0; i < d->pieces.n; i++) {
        struct diff_piece p = d->pieces.at[i];
        const char *s = p.op == DIFF_DEL ? a : b;
        if (p.op == op || p.op == DIFF_KEEP)
            buf_printf(out, "%s%.*s", out->len ? " " : "",
                       (int)(p.to - p.from), s + p.from);
    }
}

static void every_diff_is_the_shortest(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 7);
    for (int k = 0; k < 3000; k++) {
        char a[2 * MOST + 1], b[2 * MOST + 1];
        size_t n = draw_words(&r, a), m = draw_words(&r, b);
        size_t kept = common(a, n, b, m);
        struct buf was = BUF_INIT(0), is = BUF_INIT(0);
        struct diff d;
        diff_words(a, b, &d);
        side(&d, DIFF_DEL, a, b, &was);
        side(&d, DIFF_ADD, a, b, &is);
        assert_string_equal(buf_str(&was), a);
        assert_string_equal(buf_str(&is), b);
        assert_int_equal(d.kept, kept);
        assert_int_equal(d.removed, n - kept);
        assert_int_equal(d.added, m - kept);
        buf_free(&was);
        buf_free(&is);
        diff_free(&d);
    }
}

/* With more than 2,000 edits between the ends that are equal, all of the middle
 * is one change, whatever else is shared. */
static void too_many_edits_are_one_change(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct buf a = BUF_INIT(0), b = BUF_INIT(0);
        struct diff d;
        buf_puts(&a, "head ");
        buf_puts(&b, "head ");
        for (int i = 0; i < 999; i++) {
            buf_printf(&a, i == 500 ? "shared " : "a%d ", i);
            buf_printf(&b, i == 500 ? "shared " : "b%d ", i);
        }
        buf_puts(&a, "extra one tail");
        buf_puts(&b, more ? "other two three tail" : "other two tail");
        diff_words(buf_str(&a), buf_str(&b), &d);
        assert_int_equal(d.kept, 3 - more);
        assert_int_equal(d.pieces.n, more ? 4 : 7);
        assert_int_equal(d.removed + d.kept, 1003);
        assert_int_equal(d.added, d.removed + (size_t)more);
        diff_free(&d);
        buf_free(&a);
        buf_free(&b);
    }
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
        cmocka_unit_test(changes_are_runs),
        cmocka_unit_test(every_diff_is_the_shortest),
        cmocka_unit_test(too_many_edits_are_one_change),
        cmocka_unit_test(little_in_common_is_no_diff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
