/* Import: how orders join, how splits are dealt, what a row costs. */
#include "unit/test.h"

#include <unistd.h>

#include "base/file.h"
#include "domain/order.h"
#include "domain/status.h"
#include "store/db.h"
#include "verbs/import.h"

/* Places as digits, 0 for none: "12" and "102" come to "122". */
static void merges(const char *have, const char *more, const char *want)
{
    int a[ORDER_MAX] = {0}, b[ORDER_MAX] = {0};
    char got[ORDER_MAX + 1] = "";
    size_t n = strlen(more);
    for (size_t i = 0; i < n; i++) {
        a[i] = have[i] - '0';
        b[i] = more[i] - '0';
    }
    bool ok = order_merge(a, b, n);
    for (size_t i = 0; ok && i < n; i++)
        got[i] = (char)('0' + a[i]);
    if (!want)
        assert_false(ok);
    else
        assert_string_equal(got, want);
}

static void orders_join(void **state)
{
    (void)state;
    merges("000", "123", "123");
    merges("000", "311", "311");
    merges("120", "102", "122"); /* A>B and A>C */
    merges("120", "012", "123"); /* A>B and B>C */
    merges("120", "201", "231"); /* A>B and C>A */
    merges("120", "101", "131"); /* A>B and A=C */
    merges("12", "12", "12");
    merges("12", "21", NULL);   /* they contradict */
    merges("11", "12", NULL);
    merges("1200", "0012", NULL); /* nothing joins them */
}

static void quotas(void **state)
{
    (void)state;
    static const struct {
        size_t n, valid, test;
    } rows[] = {{0, 0, 0},  {6, 0, 0},   {7, 1, 0},   {8, 1, 1},
                {9, 2, 1},  {11, 3, 2},  {12, 3, 3},  {60, 3, 3},
                {80, 4, 4}, {100, 5, 5}, {2000, 100, 100}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(split_quota(SPLIT_VALID, rows[i].n), rows[i].valid);
        assert_int_equal(split_quota(SPLIT_TEST, rows[i].n), rows[i].test);
        assert_int_equal(split_quota(SPLIT_TRAIN, rows[i].n),
                         rows[i].n - rows[i].valid - rows[i].test);
    }
}

static int count_statement(unsigned type, void *n, void *p, void *x)
{
    (void)type;
    (void)p;
    (void)x;
    ++*(long *)n;
    return 0;
}

static void nobody(void *ctx, uint64_t line, const char *reason)
{
    (void)ctx;
    fail_msg("line %llu: %s", (unsigned long long)line, reason);
}

/* Statements that a thousand plain rows take. */
static long statements(bool samples)
{
    struct err e = {0};
    struct store *s;
    struct buf rows = BUF_INIT(0);
    struct import_report r;
    long n = 0;
    for (int i = 0; i < 1000; i++)
        buf_printf(&rows, "{\"question\":\"What is %d?\",\"answer\":"
                   "\"It is %d.\"}\n", i, i);
    assert_ok(file_replace("q.jsonl", buf_str(&rows), rows.len, 0600, false,
                           &e), e);
    assert_ok(store_create(samples ? "a.db" : "b.db", &s, &e), e);
    sqlite3_trace_v2(s->db, SQLITE_TRACE_STMT, count_statement, &n);
    struct import_options o = {.path = "q.jsonl", .as_samples = samples};
    assert_ok(verb_import(s, "ana", &o, nobody, NULL, &r, &e), e);
    assert_int_equal(r.items, 1000);
    import_report_free(&r);
    store_close(&s);
    buf_free(&rows);
    return n;
}

/* They were 18 a sample and 12 a seed before rows had several answers. */
static void a_row_costs_few_statements(void **state)
{
    (void)state;
    assert_in_range(statements(true), 1000, 12500);
    assert_in_range(statements(false), 1000, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_join),
        cmocka_unit_test(quotas),
        cmocka_unit_test(a_row_costs_few_statements),
    };
    char dir[] = "/tmp/import-XXXXXX";
    if (!mkdtemp(dir) || chdir(dir))
        return 99;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (chdir("/") || !dir_remove(dir, NULL))
        return 99;
    return failed;
}
