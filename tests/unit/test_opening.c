/* A store is on the screen before its samples are counted. */
#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/store.h"
#include "verbs/import.h"

enum { MANY = 3000 };

static int look_for_counts(unsigned type, void *n, void *statement, void *x)
{
    const char *sql = sqlite3_sql(statement);
    (void)type;
    (void)x;
    *(int *)n += sql && strstr(sql, "count(*) FROM sample") != NULL;
    return 0;
}

static void nobody(void *ctx, uint64_t line, const char *reason)
{
    (void)ctx;
    fail_msg("line %llu: %s", (unsigned long long)line, reason);
}

static struct store *many_samples(void)
{
    struct err e = {0};
    struct store *s;
    struct buf rows = BUF_INIT(0);
    struct import_report r;
    for (int i = 0; i < MANY; i++)
        buf_printf(&rows, "{\"question\":\"What is %d?\",\"answer\":\"%d\"}\n",
                   i, i);
    char *path = xasprintf("%s/rows.jsonl", getenv("TMPDIR"));
    char *db = xasprintf("%s/opening.db", getenv("TMPDIR"));
    assert_ok(file_replace(path, buf_str(&rows), rows.len, 0600, false, &e),
              e);
    assert_ok(store_create(db, &s, &e), e);
    struct import_options o = {.path = path, .as_samples = true};
    assert_ok(verb_import(s, "ana", &o, nobody, NULL, &r, &e), e);
    import_report_free(&r);
    buf_free(&rows);
    free(path);
    free(db);
    return s;
}

static void the_picture_comes_first(void **state)
{
    (void)state;
    struct app *a = xcalloc(1, sizeof *a);
    struct store *s = many_samples();
    int counts = 0;
    sqlite3_trace_v2(s->db, SQLITE_TRACE_STMT, look_for_counts, &counts);
    app_init(a, s, "ana");
    app_show(a, 8);
    struct list *l = app_list(a);
    assert_int_equal(a->view, VIEW_REVIEW);
    assert_int_equal(list_at(l, 0), 1);
    assert_int_equal(list_at(l, 7), 8);
    assert_true(l->uncounted);
    assert_int_equal(a->counts.pending, -1);
    assert_int_equal(counts, 0);
    app_count_late(a);
    assert_true(counts > 0);
    assert_int_equal(a->counts.pending, MANY);
    assert_int_equal(l->total, MANY);
    assert_false(l->uncounted);
    assert_int_equal(list_id(l), 1);
    sqlite3_trace_v2(s->db, 0, NULL, NULL);
    app_done(a);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_picture_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
