/* Theme files: the shipped ones, and mistakes. */
#include "test.h"

#include <curses.h>

#include "base/paths.h"
#include "ui/theme.h"

static bool shipped(const char *name, int colours, struct look *looks)
{
    struct err e = {0};
    char *path = paths_named("themes", name, ".theme", NULL, &e);
    theme_plain(looks);
    bool ok = path && theme_read(path, colours, looks, &e);
    if (!ok)
        print_message("%s\n", e.text);
    free(path);
    return ok;
}

/* The file that a person copies says what the program's own table says. */
static void default_is_the_table(void **state)
{
    static const int colours[] = {0, 8, 256};
    struct look table[STYLES], file[STYLES];
    (void)state;
    theme_plain(table);
    for (int c = 0; c < 3; c++) {
        assert_true(shipped("default", colours[c], file));
        for (int i = 0; i < STYLES; i++) {
            assert_int_equal(file[i].mono, table[i].mono);
            assert_int_equal(file[i].fg, table[i].fg);
            assert_int_equal(file[i].attrs, table[i].attrs);
        }
    }
}

/* What was taken out and what was added differ by more than a colour. */
static void diffs_need_no_colour(void **state)
{
    static const char *const names[] = {"default", "light", "high-contrast"};
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int colours = 8; colours <= 256; colours += 248) {
            struct look l[STYLES];
            assert_true(shipped(names[i], colours, l));
            assert_int_not_equal(l[STYLE_DEL].attrs, l[STYLE_ADD].attrs);
            assert_int_not_equal(l[STYLE_DEL].attrs, A_NORMAL);
            assert_int_not_equal(l[STYLE_ADD].attrs, A_NORMAL);
        }
}

/* High contrast has neither red nor green. */
static void contrast_is_blue_and_orange(void **state)
{
    struct look l[STYLES];
    (void)state;
    assert_true(shipped("high-contrast", 8, l));
    for (int i = 0; i < STYLES; i++) {
        assert_int_not_equal(l[i].fg, COLOR_RED);
        assert_int_not_equal(l[i].fg, COLOR_GREEN);
        assert_int_equal(l[i].attrs & A_DIM, 0);
    }
    assert_int_not_equal(l[STYLE_OK].fg, l[STYLE_BAD].fg);
}

static const char *read_as(const char *text, int colours, struct look *looks)
{
    static struct err e;
    FILE *f = fopen("t.theme", "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    theme_plain(looks);
    const char *said = theme_read("t.theme", colours, looks, &e) ? "" : e.text;
    remove("t.theme");
    return said;
}

static void columns_are_read(void **state)
{
    static const char text[] = "ok = bold | blue dim | 208 underline bold\n"
                               "bad = reverse | plain\n"
                               "warn = underline\n";
    struct look l[STYLES];
    (void)state;
    assert_string_equal(read_as(text, 256, l), "");
    assert_int_equal(l[STYLE_OK].mono, A_BOLD);
    assert_int_equal(l[STYLE_OK].fg, 208);
    assert_int_equal(l[STYLE_OK].attrs, A_UNDERLINE | A_BOLD);
    assert_int_equal(l[STYLE_BAD].fg, -1);
    assert_int_equal(l[STYLE_BAD].attrs, A_NORMAL);
    assert_int_equal(l[STYLE_WARN].attrs, A_UNDERLINE);
    assert_int_equal(l[STYLE_ADD].fg, COLOR_GREEN); /* not in the file */
    assert_string_equal(read_as(text, 8, l), "");
    assert_int_equal(l[STYLE_OK].fg, COLOR_BLUE);
    assert_int_equal(l[STYLE_OK].attrs, A_DIM);
}

static void mistakes_name_their_line(void **state)
{
    static const struct {
        const char *line, *said;
    } bad[] = {
        {"okay = plain", "no role is named okay"},
        {"ok = bold | grene", "\"grene\" is neither a colour nor plain, bold, "
                              "dim, underline, reverse"},
        {"ok = green", "the first column is what stands without colours, so "
                       "green cannot be in it"},
        {"ok = plain | 208", "the column of 8 colours has no colour 208"},
        {"ok = plain | plain | 256", "\"256\" is neither a colour nor plain, "
                                     "bold, dim, underline, reverse"},
        {"ok = plain | red green", "two colours in one column"},
        {"ok = plain | | red", "an empty column; plain is a word"},
        {"ok = plain | red | red | red", "more than three columns"},
        {"[x]\nok = plain", "a theme has no sections"}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct look l[STYLES];
        char text[200], said[300];
        snprintf(text, sizeof text, "; mine\nok = bold | blue\n%s\n",
                 bad[i].line);
        snprintf(said, sizeof said, "t.theme line %d: %s",
                 *bad[i].line == '[' ? 4 : 3, bad[i].said);
        assert_string_equal(read_as(text, 256, l), said);
        assert_int_equal(l[STYLE_OK].fg, COLOR_GREEN); /* nothing of it */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_is_the_table),
        cmocka_unit_test(diffs_need_no_colour),
        cmocka_unit_test(contrast_is_blue_and_orange),
        cmocka_unit_test(columns_are_read),
        cmocka_unit_test(mistakes_name_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
