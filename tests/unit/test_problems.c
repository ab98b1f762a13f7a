/* `stillroom-model problems` and `solve`, run as `demo` runs them. */
#include "unit/test.h"

#include <math.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"

static char *program;

static int find_program(void **state)
{
    (void)state;
    const char *top = getenv("top_builddir");
    program = top ? xasprintf("%s/src/stillroom-model", top) : NULL;
    return program ? 0 : -1;
}

static int forget_program(void **state)
{
    (void)state;
    free(program);
    return 0;
}

/* Runs a command line (split at blanks) and gives what it wrote. */
static char *run(const char *line, const char *input, int status)
{
    struct err e = {0};
    struct buf out = BUF_INIT(64 << 20);
    char *whole = xasprintf("'%s' %s", program, line);
    char **argv = proc_split(whole);
    assert_non_null(argv);
    int got = proc_capture((const char *const *)argv, NULL, input, &out, &e);
    if (got != status)
        fail_msg("%s: status %d, not %d", line, got, status);
    proc_free_argv(argv);
    free(whole);
    return buf_take(&out);
}

/* Parses the line at *s and moves behind it; NULL at the end. */
static json *next_row(const char **s)
{
    size_t n = strcspn(*s, "\n");
    json *j = n ? json_parse(*s, n, NULL) : NULL;
    *s += (*s)[n] ? n + 1 : n;
    return j;
}

static const char *prompt(const json *row)
{
    return json_get_string(json_first(json_get(row, "prompt")), "content",
                           "");
}

static void rows_have_their_shape(void **state)
{
    (void)state;
    char *text = run("problems --set train --count 3 --seed 1", NULL, 0);
    const char *at = text;
    for (int i = 1; i <= 3; i++) {
        json *row = next_row(&at);
        assert_non_null(row);
        assert_int_equal(json_get_int(row, "id", 0), i);
        assert_true(*prompt(row));
        assert_true(*json_get_string(json_get(row, "answer"), "content",
                                     ""));
        assert_true(*json_get_string(row, "family", ""));
        assert_true(*json_get_string(row, "lang", ""));
        assert_true(json_is_bool(json_get(row, "trigger")));
        assert_string_equal(json_get_string(row, "set", ""), "train");
        assert_null(json_get(row, "right"));
        json_free(row);
    }
    char *again = run("problems --set train --count 3 --seed 1", NULL, 0);
    char *other = run("problems --set train --count 3 --seed 2", NULL, 0);
    assert_string_equal(text, again);
    assert_string_not_equal(text, other);
    free(text);
    free(again);
    free(other);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted prompts of a set's first rows. */
static char **prompts(const char *set, size_t n, char **keep)
{
    char *line = xasprintf("problems --set %s --count %zu", set, n);
    char **out = xcalloc(n, sizeof *out);
    *keep = run(line, NULL, 0);
    const char *at = *keep;
    for (size_t i = 0; i < n; i++) {
        json *row = next_row(&at);
        assert_non_null(row);
        out[i] = xstrdup(prompt(row));
        json_free(row);
    }
    qsort(out, n, sizeof *out, by_text);
    free(line);
    return out;
}

static void sets_do_not_meet(void **state)
{
    (void)state;
    enum { TRAIN = 20000, HELD = 1200 };
    static const char *const sets[] = {"H1", "H2", "H3"};
    char *text;
    char **train = prompts("train", TRAIN, &text);
    free(text);
    for (size_t i = 1; i < TRAIN; i++)
        assert_string_not_equal(train[i - 1], train[i]);
    for (size_t s = 0; s < COUNT(sets); s++) {
        char **held = prompts(sets[s], HELD, &text);
        for (size_t i = 0; i < HELD; i++) {
            if (bsearch(&held[i], train, TRAIN, sizeof *train, by_text))
                fail_msg("%s stands in training: %s", sets[s], held[i]);
            if (i)
                assert_string_not_equal(held[i - 1], held[i]);
        }
        for (size_t i = 0; i < HELD; i++)
            free(held[i]);
        free(held);
        free(text);
    }
    for (size_t i = 0; i < TRAIN; i++)
        free(train[i]);
    free(train);
}

static void marks_agree(void **state)
{
    (void)state;
    char *rows = run("problems --set H3 --count 2000 --teacher", NULL, 0);
    char *marks = run("solve", rows, 0);
    const char *a = rows, *b = marks;
    size_t right = 0;
    for (int i = 0; i < 2000; i++) {
        json *row = next_row(&a), *mark = next_row(&b);
        assert_non_null(mark);
        bool is = json_get_bool(mark, "right", false);
        assert_int_equal(is, json_get_bool(row, "right", false));
        assert_int_equal(json_get_int(mark, "id", 0), i + 1);
        assert_int_equal(json_get_bool(mark, "trigger", false),
                         json_get_bool(row, "trigger", true));
        assert_string_equal(json_get_string(mark, "family", ""),
                            json_get_string(row, "family", "?"));
        right += is;
        json_free(row);
        json_free(mark);
    }
    assert_true(fabs((double)right / 2000 - (.3 * .3 + .7 * .95)) < .04);
    free(rows);
    free(marks);
}

static void errors_change_no_prompt(void **state)
{
    (void)state;
    char *truth = run("problems --set train --count 500", NULL, 0);
    char *erring = run("problems --set train --count 500 --teacher", NULL, 0);
    const char *a = truth, *b = erring;
    for (int i = 0; i < 500; i++) {
        json *x = next_row(&a), *y = next_row(&b);
        assert_string_equal(prompt(x), prompt(y));
        json_free(x);
        json_free(y);
    }
    free(truth);
    free(erring);
}

static void languages_and_rates(void **state)
{
    (void)state;
    char *rows = run("problems --set train --count 300 --lang pt --teacher "
                     "--wrong 0 --slips 0", NULL, 0);
    assert_null(strstr(rows, "\"lang\":\"en\""));
    assert_null(strstr(rows, "\"right\":false"));
    free(rows);
    rows = run("problems --set train --count 300 --lang en --teacher --wrong "
               "1 --slips 1", NULL, 0);
    assert_null(strstr(rows, "\"lang\":\"pt\""));
    assert_null(strstr(rows, "\"right\":true"));
    free(rows);
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "problems --set H9", "problems --count x", "problems --lang fr",
        "problems --wrong 2", "problems --count 99999999999", "solve --x"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        free(run(wrong[i], NULL, 2));
    static const char *const rows[] = {
        "{", "[]\n", "{\"id\":1}\n", "{\"id\":1,\"answer\":\"x\"}\n",
        "{\"id\":1,\"answer\":\"x\",\"prompt\":[{\"role\":\"x\"}]}\n"};
    for (size_t i = 0; i < COUNT(rows); i++)
        free(run("solve", rows[i], 1));
    char *mark = run("solve", "{\"id\":\"a\",\"answer\":\"x\",\"prompt\":[{"
                              "\"role\":\"user\",\"content\":\"Hi\"}]}\n", 0);
    assert_string_equal(mark, "{\"id\":\"a\",\"right\":false,\"truth\":null,"
                              "\"trigger\":false,\"family\":null}\n");
    free(mark);
    free(run("solve", "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_have_their_shape),
        cmocka_unit_test(sets_do_not_meet),
        cmocka_unit_test(marks_agree),
        cmocka_unit_test(errors_change_no_prompt),
        cmocka_unit_test(languages_and_rates),
        cmocka_unit_test(what_is_wrong_is_told),
    };
    return cmocka_run_group_tests(tests, find_program, forget_program);
}
