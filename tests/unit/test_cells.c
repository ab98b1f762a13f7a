/* How text is measured and wrapped before it is drawn. */
#include "test.h"

#include <locale.h>

#include "base/utf8.h"
#include "ui/cells.h"

#define MAN "\U0001f468"
#define WOMAN "\U0001f469"
#define GIRL "\U0001f467"
#define ZWJ "\u200d"
#define FAMILY MAN ZWJ WOMAN ZWJ GIRL
#define HEART "\u2764\ufe0f"

static size_t hidden(const char *s)
{
    return utf8_hidden(s, strlen(s));
}

/* The lines of a text, each behind its indent, with a | at its end. */
static const char *wrapped(const char *text, int width)
{
    static char out[1000];
    struct rich r = {.text = BUF_INIT(0)};
    wrapped_lines lines = {0};
    size_t o = 0;
    rich_add(&r, STYLE_TEXT, text);
    rich_wrap(&r, width, &lines);
    for (size_t i = 0; i < lines.n; i++) {
        struct wrapped l = lines.at[i];
        o += (size_t)snprintf(out + o, sizeof out - o, "%*s%.*s|", l.indent,
                              "", (int)(l.to - l.from), text + l.from);
        assert_true(l.indent <= width / 2);
        assert_true(rich_column(&r, l, l.to) <= width);
    }
    rich_free(&r);
    VEC_FREE(&lines);
    return out;
}

static void emoji_are_whole(void **state)
{
    (void)state;
    assert_int_equal(utf8_emoji(FAMILY "!", strlen(FAMILY) + 1),
                     strlen(FAMILY));
    assert_int_equal(hidden(FAMILY), 0);
    assert_int_equal(hidden("I " HEART ZWJ "\U0001f525 it"), 0);
    assert_int_equal(hidden(WOMAN "\U0001f3fd" ZWJ "\U0001f4bb"), 0);
    assert_int_equal(hidden(HEART), 0);
    assert_int_equal(utf8_emoji(MAN, strlen(MAN)), 0); /* one code point */
}

/* A joiner that joins no two pictures hides something. */
static void other_joiners_are_marked(void **state)
{
    (void)state;
    assert_int_equal(hidden("a" ZWJ "b"), 1);
    assert_int_equal(hidden(MAN ZWJ), 1);
    assert_int_equal(hidden(ZWJ MAN), 1);
    assert_int_equal(hidden(MAN ZWJ ZWJ GIRL), 2);
    assert_int_equal(hidden(MAN ZWJ "a"), 1);
    assert_int_equal(hidden("a\ufe0f"), 1);
    assert_int_equal(hidden("7\ufe0f"), 1);
    /* longer than any that is drawn as one: the first does not belong to it */
    assert_int_equal(hidden(MAN ZWJ MAN ZWJ MAN ZWJ MAN ZWJ MAN ZWJ MAN), 1);
    assert_int_equal(hidden(FAMILY "\u200b"), 1);
}

static void emoji_take_their_cells(void **state)
{
    (void)state;
    assert_int_equal(cells_width(FAMILY), 6);
    assert_int_equal(cells_width("a" ZWJ), 7); /* ‹200D› */
    assert_string_equal(wrapped("aaa " FAMILY " b", 7),
                        "aaa|" FAMILY "|b|");
    cells_join_emoji(true);
    assert_int_equal(cells_width(FAMILY), 2);
    assert_string_equal(wrapped("aaa " FAMILY " b", 7), "aaa " FAMILY "|b|");
    /* longer than a place of curses' holds */
    assert_int_equal(cells_width(FAMILY ZWJ GIRL), 8);
    cells_join_emoji(false);
}

static void items_hang(void **state)
{
    (void)state;
    assert_string_equal(wrapped("1. one two three\nfour five six", 9),
                        "1. one|   two|   three|four five|six|");
    assert_string_equal(wrapped("- one two three", 9),
                        "- one two|  three|");
    assert_string_equal(wrapped("  * one two", 8), "  * one|    two|");
    assert_string_equal(wrapped("10) one two", 8), "10) one|    two|");
    assert_string_equal(wrapped("   one two three", 10),
                        "   one two|   three|");
    assert_string_equal(wrapped("\u2022 one two", 6), "\u2022 one|  two|");
}

/* What is no item stays at the edge; so does one that would leave no room. */
static void others_do_not(void **state)
{
    (void)state;
    assert_string_equal(wrapped("3.5 one two", 8), "3.5 one|two|");
    assert_string_equal(wrapped("-5 one two", 7), "-5 one|two|");
    assert_string_equal(wrapped("2026. one two", 10), "2026. one|two|");
    assert_string_equal(wrapped("one two three", 8), "one two|three|");
    assert_string_equal(wrapped("      one two", 9), "      one|two|");
    assert_string_equal(wrapped("1. \n2. ", 9), "1. |2. |");
    assert_string_equal(wrapped("", 9), "|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emoji_are_whole),
        cmocka_unit_test(other_joiners_are_marked),
        cmocka_unit_test(emoji_take_their_cells),
        cmocka_unit_test(items_hang),
        cmocka_unit_test(others_do_not),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
