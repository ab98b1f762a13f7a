#include "unit/test.h"

#include <math.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/idmap.h"
#include "base/ini.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/rng.h"
#include "base/say.h"
#include "base/sha256.h"
#include "base/status.h"
#include "base/uni.h"
#include "base/utf8.h"

static void last_words(void *ctx, const char *why)
{
    dprintf(2, "%s: %s\n", (const char *)ctx, why);
}

/* What a child says that finds an invariant broken; its exit code is 1. */
static char *broken_invariant(void)
{
    struct buf said = BUF_INIT(4096);
    char part[512];
    ssize_t n;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char first[] = "first", second[] = "second", gone[] = "gone";
        dup2(ends[1], 2);
        last_act_add(last_words, first);
        last_act_add(last_words, gone);
        last_act_add(last_words, second);
        last_act_remove(gone);
        must(pid == 0);
        must(first[0] == 's');
        _exit(0);
    }
    close(ends[1]);
    while ((n = read(ends[0], part, sizeof part)) > 0)
        buf_add(&said, part, (size_t)n);
    close(ends[0]);
    assert_int_equal(proc_wait(pid), 1);
    return buf_take(&said);
}

static void a_broken_invariant_ends_the_process(void **state)
{
    (void)state;
    char *said = broken_invariant();
    const char *one = strstr(said, "first: "), *two = strstr(said, "second: ");
    assert_true(one && two && two < one);
    assert_null(strstr(said, "gone"));
    assert_non_null(strstr(said, "test_base.c:"));
    assert_non_null(strstr(said, "first[0] == 's'"));
    free(said);
}

static void buf_has_a_ceiling(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(10);
    assert_true(buf_puts(&b, "0123456789"));
    assert_false(buf_putc(&b, 'x'));
    assert_false(buf_ok(&b));
    assert_false(buf_putc(&b, 'y')); /* sticky */
    assert_string_equal(buf_str(&b), "0123456789");
    buf_free(&b);
}

static void utf8_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t good;
    } cases[] = {
        {"abc", 3},          {"\xc3\xa9", 2},     {"a\xc0\x80", 1},
        {"\xed\xa0\x80", 0}, {"\xf4\x90\x80\x80", 0}, {"\xe2\x82", 0},
        {"\xf0\x9f\x98\x80!", 5}, {"\x80", 0},    {"ok\xff", 2},
        {"\xe0\x80\xaf", 0}, {"\xf0\x80\x80\xaf", 0}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(utf8_check(cases[i].s, strlen(cases[i].s)),
                         cases[i].good);
    for (uint32_t cp = 0; cp < 0x110000; cp += cp < 0x3000 ? 1 : 97) {
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        char out[4];
        uint32_t back;
        size_t n = utf8_put(out, cp);
        assert_int_equal(utf8_get(out, n, &back), n);
        assert_int_equal(back, cp);
    }
}

static void hidden_characters_are_counted(void **state)
{
    (void)state;
    const char *s = "3,5 x 100\u200b\u202e\x1b[0m\xff ok\n\t";
    assert_int_equal(utf8_hidden(s, strlen(s)), 4);
    assert_int_equal(cp_class(0x301), CP_MARK);
    assert_int_equal(cp_class(0xe0041), CP_ZERO);
    assert_int_equal(cp_class('\r'), CP_CONTROL);
    assert_int_equal(cp_width(0x4e2d), 2);
    assert_int_equal(cp_width(0xe9), 1);
}

static void say_shows_what_would_act(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(0);
    const char *s = "a\x1b]0;x\x07\u202e\xff";
    say_clean(&b, s, strlen(s), false, true);
    assert_string_equal(buf_str(&b),
                        "a\u20391B\u203a]0;x\u203907\u203a\u2039202E\u203a"
                        "\u2039FF\u203a");
    buf_clear(&b);
    say_clean(&b, "é\x9b", 3, true, true);
    assert_string_equal(buf_str(&b), "?<9B>");
    buf_free(&b);
}

static void words_fold_and_keep_numbers(void **state)
{
    (void)state;
    uint64_t a[8], b[8];
    assert_int_equal(uni_words("Converta 3,5 km: ÁGUA!", a, 8), 4);
    assert_int_equal(uni_words("converta 3,5 KM A\u0301gua", b, 8), 4);
    assert_memory_equal(a, b, 4 * sizeof *a);
    assert_int_equal(uni_count_words("one, two.three 3.14 5."), 5);
    char *f = uni_fold_space("  a \t\n b\u00a0c  ");
    assert_string_equal(f, "a b c");
    free(f);
    f = uni_fold_lines(" \r\n if  x:\r\n\t\u00a0a( )  \n\n  b\t\tc\r d \n ");
    assert_string_equal(f, "if x:\n\t\u00a0a( )\n\n  b c\n d");
    free(f);
    f = uni_fold_lines("\xff  A\u0301 ");
    assert_string_equal(f, "\xff A\u0301");
    free(f);
    assert_true(uni_is_blank(" \n\u00a0\u3000"));
    assert_false(uni_is_blank(" \xff"));
    assert_true(uni_is_blank(""));
}

/* Ids in any order, each found, the last number counts. */
static void ids_have_numbers(void **state)
{
    (void)state;
    struct idmap m = {0};
    assert_null(idmap_find(&m, 7));
    for (int64_t i = 0; i < 5000; i++)
        idmap_put(&m, 1 + i * 7919 % 4999, i);
    assert_int_equal(m.n, 4999);
    assert_int_equal(*idmap_find(&m, 1), 4999);
    assert_int_equal(*idmap_find(&m, 1 + 7919 % 4999), 1);
    assert_null(idmap_find(&m, 5000));
    idmap_sort(&m);
    for (size_t i = 0; i < m.n; i++)
        assert_int_equal(m.at[i].id, i + 1);
    idmap_free(&m);
    assert_int_equal(m.n, 0);
}

static void json_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",        "{",         "[1,]",     "{\"a\":1,}", "01",
        "1.",      ".5",        "+1",       "1e999",      "nul",
        "\"\\u0000\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\x\"",
        "\"a\nb\"", "\"\xff\"", "\"\xed\xa0\x80\"", "{\"a\":1,\"a\":2}",
        "1 2",     "[1 2]",     "{\"a\" 1}", "{a:1}",     "\"open",
        "{\"b\":[{\"c\":1,\"c\":2}]}", "NaN", "'x'"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err e = {0};
        json *j = json_parse(bad[i], strlen(bad[i]), &e);
        if (j)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(e.code, ERR_INPUT);
        assert_true(e.text[0]);
    }
    struct buf deep = BUF_INIT(0);
    for (int i = 0; i < 100; i++)
        buf_putc(&deep, '[');
    assert_null(json_parse(buf_str(&deep), deep.len, NULL));
    buf_free(&deep);
}

/* Odd texts as they are read where that is asked for; "!" is a refusal. */
static void json_lets_through(void **state)
{
    (void)state;
    static const struct {
        unsigned odd;
        const char *text, *want;
    } rows[] = {
        {JSON_ODD_NUMBERS, "[NaN,-Infinity,inf,1e999,2]",
         "[null,null,null,null,2]"},
        {JSON_ODD_NUMBERS, "{\"a\":NaN,\"b\":\"NaN\"}",
         "{\"a\":null,\"b\":\"NaN\"}"},
        {JSON_ODD_NUMBERS, "[nano]", "!"},
        {JSON_ODD_NUMBERS, "\"\xff\"", "!"},
        {JSON_ODD_TEXT, "[NaN]", "!"},
        {JSON_ODD_TEXT, "[\"a\\u0000b\",\"\\x\",\"\\ud83d\\ude00\"]",
         "[\"a\xef\xbf\xbd" "b\",\"x\",\"\xf0\x9f\x98\x80\"]"},
        {JSON_ODD_TEXT, "\"a\nb\"", "\"a\\nb\""},
        {JSON_ODD_TEXT, "\"open", "!"},
        {JSON_TWICE, "[{\"a\":1,\"a\":2}]", "[{\"a\":1,\"a\":2}]"},
        {JSON_ODD_NUMBERS | JSON_ODD_TEXT, "{\"a\":1,\"a\":2}", "!"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b = BUF_INIT(0);
        struct err e = {0};
        size_t used, n = strlen(rows[i].text);
        json *j = json_parse_odd(rows[i].text, n, rows[i].odd, &used, &e);
        if (j)
            json_print(&b, j);
        assert_string_equal(j ? buf_str(&b) : "!", rows[i].want);
        assert_true(!j || used == n);
        buf_free(&b);
        json_free(j);
    }
    size_t used;
    json *j = json_parse_odd("NaN", 3, JSON_ODD_NUMBERS, &used, NULL);
    assert_false(isfinite(json_number(j, 0)));
    assert_int_equal(json_get_int(j, "x", 7), 7);
    json_free(j);
}

static void numbers_stay_as_written(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":12345678901234567890,\"b\":[9007199254740993,1.0,-0,1E2],"
        "\"c\":100000000,\"d\":{\"e\":0.10},\"f\":"
        "1234567890123456789012345678901234567890123456789012345678901234567,"
        "\"g\":7}";
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    json *j = json_parse(text, strlen(text), &e);
    assert_ok(j != NULL, e);
    json_print(&b, j);
    assert_string_equal(buf_str(&b), text);
    assert_true(json_get_int(j, "g", 0) == 7);
    assert_true(json_get_int(j, "c", 0) == 100000000);
    buf_clear(&b);
    json_print_rounded(&b, json_get(j, "b"));
    assert_string_equal(buf_str(&b), "[9007199254740992,1,-0,100]");
    buf_free(&b);
    json_free(j);
}

static void what_was_read_is_marked(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":\"[{\\\"x\\\":1}]\",\"b\":2}";
    struct err e = {0};
    json *j = json_parse(text, strlen(text), &e);
    assert_ok(j != NULL, e);
    const json *a = json_take(j, "a");
    assert_true(json_is_taken(a) && !json_is_whole(a));
    assert_false(json_is_taken(json_get(j, "b")));
    assert_true(json_unfold(a));
    assert_true(json_is_array(a) && json_is_taken(a));
    assert_true(json_get_int(json_first(a), "x", 0) == 1);
    json_untake(a);
    assert_false(json_is_taken(a));
    json_free(j);
}

static void halves_are_healed(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"a\xed\xa0\xbd\xed\xb8\x80z", "a\xf0\x9f\x98\x80z"},
        {"a\xed\xa0\xbdz", "a\xef\xbf\xbdz"},
        {"\xed\xb8\x80\xed\xa0\xbd", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf0\x9f", "\xef\xbf\xbd"},
        {"\xffok\xc3\xa9", "\xef\xbf\xbdok\xc3\xa9"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = utf8_heal(rows[i][0], strlen(rows[i][0]));
        assert_string_equal(text, rows[i][1]);
        free(text);
    }
}

static void json_round_trips(void **state)
{
    (void)state;
    const char *text = "{\"s\":\"a\\\"\\\\\\n\xc3\xa9\xf0\x9f\x98\x80\","
                       "\"n\":[0,-1,2.5,1e+20,0.1],\"t\":true,\"z\":null,"
                       "\"o\":{}}";
    struct err e = {0};
    json *j = json_parse(text, strlen(text), &e);
    assert_ok(j, e);
    struct buf b = BUF_INIT(0);
    json_print(&b, j);
    assert_string_equal(buf_str(&b), text);
    assert_int_equal(json_get_int(json_get(j, "n"), "x", 7), 7);
    buf_free(&b);
    json_free(j);
    const char *pair = "\"\\ud83d\\ude00\"";
    j = json_parse(pair, strlen(pair), &e);
    assert_ok(j, e);
    assert_string_equal(json_string(j), "\xf0\x9f\x98\x80");
    json_free(j);
    const char *big = "{\"a\":9007199254740993}";
    j = json_parse(big, strlen(big), &e);
    assert_int_equal(json_get_int(j, "a", -1) == 9007199254740993, 0);
    json_free(j);
}

static void lines_are_bounded(void **state)
{
    (void)state;
    struct err e = {0};
    char *path = xasprintf("%s/lines", getenv("TMPDIR"));
    FILE *f = fopen(path, "w");
    fputs("\xef\xbb\xbf" "first\r\n\n", f);
    for (int i = 0; i < 1000000; i++)
        fputc('x', f);
    fputs("\nlast", f);
    fclose(f);
    struct lines l;
    assert_ok(lines_open(&l, path, 1000, &e), e);
    assert_true(lines_next(&l, &e));
    assert_string_equal(buf_str(&l.line), "first");
    assert_true(lines_next(&l, &e));
    assert_int_equal(l.line.len, 0);
    assert_true(lines_next(&l, &e));
    assert_true(l.too_long);
    assert_true(lines_next(&l, &e));
    assert_string_equal(buf_str(&l.line), "last");
    assert_int_equal(l.number, 4);
    assert_false(lines_next(&l, &e));
    assert_false(l.failed);
    lines_close(&l);
    assert_false(lines_open(&l, "/dev/zero", 10, &e));
    free(path);
}

static void files_are_replaced_whole(void **state)
{
    (void)state;
    struct err e = {0};
    char *path = xasprintf("%s/a/b/file", getenv("TMPDIR"));
    char *dir = path_dir(path);
    assert_ok(dir_make(dir, 0700, &e), e);
    assert_ok(file_replace(path, "one", 3, 0600, true, &e), e);
    assert_ok(file_replace(path, "two!", 4, 0600, false, &e), e);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct buf b = BUF_INIT(0);
    assert_ok(file_read(path, 100, &b, &e), e);
    assert_string_equal(buf_str(&b), "two!");
    assert_false(file_read(path, 3, &b, &e));
    assert_false(file_replace("/nonexistent/x", "", 0, 0600, true, &e));
    char *up = xasprintf("%s/a", getenv("TMPDIR"));
    assert_ok(dir_remove(up, &e), e);
    assert_false(file_exists(up));
    free(up);
    buf_free(&b);
    free(dir);
    free(path);
}

static bool collect(void *ctx, const char *section, const char *name,
                    const char *value, struct err *e)
{
    if (!strcmp(name, "bad"))
        return err_set(e, ERR_INPUT, "unknown key %s", name);
    buf_printf(ctx, "%s.%s=%s;", section, name, value);
    return true;
}

static bool ini_of(const char *text, struct buf *out, struct err *e)
{
    char *path = xasprintf("%s/ini", getenv("TMPDIR"));
    file_replace(path, text, strlen(text), 0600, false, NULL);
    buf_clear(out);
    bool ok = ini_read(path, collect, out, e);
    free(path);
    return ok;
}

static void ini_names_the_line(void **state)
{
    (void)state;
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    assert_ok(ini_of("[a]\nx = 1 ; note\n# c\n[b c]\ny=2\n", &b, &e), e);
    assert_string_equal(buf_str(&b), "a.x=1;b c.y=2;");
    assert_false(ini_of("[a]\n\nbad = 1\n", &b, &e));
    assert_non_null(strstr(e.text, "line 3: unknown key bad"));
    assert_false(ini_of("[a]\nx\x01=1\n", &b, &e));
    assert_non_null(strstr(e.text, "line 2: a control character (01)"));
    char *longer = xmalloc(100001);
    memset(longer, 'x', 100000);
    longer[100000] = 0;
    assert_false(ini_of(longer, &b, &e));
    assert_non_null(strstr(e.text, "line 1: longer than"));
    free(longer);
    assert_false(ini_of("[a]\nnothing here\n", &b, &e));
    assert_non_null(strstr(e.text, "line 2"));
    buf_free(&b);
}

static void sha_is_sha256(void **state)
{
    (void)state;
    uint8_t d[SHA_SIZE];
    char hex[65];
    sha_of("abc", 3, d);
    assert_string_equal(sha_hex(d, SHA_SIZE, hex),
                        "ba7816bf8f01cfea414140de5dae2223"
                        "b00361a396177a9cb410ff61f20015ad");
}

static void rng_is_the_same_everywhere(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 7);
    uint64_t first = rng_next(&r);
    rng_seed(&r, 7);
    assert_true(first == rng_next(&r));
    int seen[6] = {0};
    for (int i = 0; i < 6000; i++)
        seen[rng_below(&r, 6)]++;
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 850, 1150);
}

static void children_are_fed_and_read(void **state)
{
    (void)state;
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    setenv("SECRET_KEY", "k", 1);
    const char *const drop[] = {"SECRET_KEY", NULL};
    const char *const argv[] = {"sh", "-c", "cat; echo [$SECRET_KEY]; exit 3",
                                NULL};
    assert_int_equal(proc_capture(argv, drop, "hello ", &b, &e), 3);
    assert_string_equal(buf_str(&b), "hello []\n");
    const char *const none[] = {"/no/such/program", NULL};
    assert_int_equal(proc_capture(none, NULL, NULL, &b, &e), -1);
    assert_non_null(strstr(e.text, "No such file"));
    char **v = proc_split("vim -c 'set tw=0' \"a b\"");
    assert_string_equal(v[2], "set tw=0");
    assert_string_equal(v[3], "a b");
    assert_null(v[4]);
    proc_free_argv(v);
    assert_null(proc_split("vim 'open"));
    buf_free(&b);
}

static void a_folder_is_locked_once(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = xasprintf("%s/job", getenv("TMPDIR"));
    assert_ok(dir_make(dir, 0700, &e), e);
    assert_false(status_locked(dir));
    int fd = status_lock(dir, &e);
    assert_true(fd >= 0);
    assert_true(status_locked(dir));
    assert_int_equal(status_lock(dir, &e), -1);
    assert_int_equal(e.code, ERR_BUSY);
    close(fd);
    assert_false(status_locked(dir));
    free(dir);
}

static void count_call(void *ctx, int revents)
{
    (void)revents;
    ++*(int *)ctx;
}

static void timers_fire_once(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    int called = 0;
    loop_timer(l, 5, count_call, &called);
    loop_timer(l, 1, count_call, &called); /* moves it */
    while (!called)
        loop_once(l, 100);
    loop_once(l, 10);
    assert_int_equal(called, 1);
    loop_free(&l);
}

/* Wherever a text is cut, the reader is told to come back with more. */
static void a_cut_is_no_fault(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[true,false,null,NaN,-Infinity,-1.5e+3,{}],"
        "\"b\\u00e9\":\"\\ud83d\\ude00 \xC3\xA9 \xF0\x9F\x98\x80\\n\"}";
    size_t used;
    bool early;
    for (size_t n = 0; n < sizeof text; n++) {
        struct err e = {0};
        json *j = json_parse_part(text, n, JSON_ODD_NUMBERS, &used, &early,
                                  &e);
        bool whole = n == sizeof text - 1;
        if (!j != !whole || (!whole && !early))
            fail_msg("cut at %zu: %s", n, e.text);
        json_free(j);
    }
    static const char bad[] = "{\"a\":tru,\"b\":\"a text behind it\"}";
    assert_null(json_parse_part(bad, sizeof bad - 1, 0, &used, &early, NULL));
    assert_false(early);
}

int main(void)
{
    const char *dirs[] = {"/nonexistent", NULL};
    lang_init(dirs);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_invariant_ends_the_process),
        cmocka_unit_test(buf_has_a_ceiling),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(hidden_characters_are_counted),
        cmocka_unit_test(say_shows_what_would_act),
        cmocka_unit_test(words_fold_and_keep_numbers),
        cmocka_unit_test(ids_have_numbers),
        cmocka_unit_test(json_refuses),
        cmocka_unit_test(json_lets_through),
        cmocka_unit_test(a_cut_is_no_fault),
        cmocka_unit_test(halves_are_healed),
        cmocka_unit_test(numbers_stay_as_written),
        cmocka_unit_test(what_was_read_is_marked),
        cmocka_unit_test(json_round_trips),
        cmocka_unit_test(lines_are_bounded),
        cmocka_unit_test(files_are_replaced_whole),
        cmocka_unit_test(ini_names_the_line),
        cmocka_unit_test(sha_is_sha256),
        cmocka_unit_test(rng_is_the_same_everywhere),
        cmocka_unit_test(children_are_fed_and_read),
        cmocka_unit_test(a_folder_is_locked_once),
        cmocka_unit_test(timers_fire_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
