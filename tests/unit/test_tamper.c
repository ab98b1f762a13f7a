/* What another program changes in a store is found: one value of one row of
 * any table, a row taken away, put in, or exchanged with another. */
#include "unit/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "store/db.h"
#include "store/fsck.h"
#include "store/journal.h"
#include "store/text.h"

#define CHANGES 400
#define FIXTURE "store-v1.db"

static struct err e;
static char *base, *copy; /* stores; their folders stand beside */

static void copy_file(const char *from, const char *to)
{
    struct buf b = BUF_INIT(0);
    if (!file_read(from, 64 << 20, &b, &e))
        fail_msg("%s", e.text);
    assert_true(file_replace(to, buf_str(&b), b.len, 0600, false, NULL));
    buf_free(&b);
}

static char *fixture(const char *name)
{
    return xasprintf("%s/fixtures/%s", getenv("srcdir"), name);
}

static char *head_of(const char *store)
{
    return xasprintf("%.*s.runs/head", (int)strlen(store) - 3, store);
}

/* A copy of a store with its head. */
static void copy_store(const char *from, const char *to)
{
    char *a = head_of(from), *b = head_of(to), *dir = path_dir(b);
    copy_file(from, to);
    assert_ok(dir_make(dir, 0700, &e), e);
    copy_file(a, b);
    free(a);
    free(b);
    free(dir);
}

/* The store of schema 1, as it was made by the program of that time. */
static void old_store(const char *to)
{
    char *db = fixture(FIXTURE), *head = fixture("store-v1.head");
    char *at = head_of(to), *dir = path_dir(at);
    copy_file(db, to);
    assert_ok(dir_make(dir, 0700, &e), e);
    copy_file(head, at);
    free(db);
    free(head);
    free(at);
    free(dir);
}

static void on_finding(void *ctx, bool finding, const char *text)
{
    buf_printf(ctx, "%s%s\n", finding ? "" : "(", text);
}

/* How many findings; a store that does not open any more is one. */
static int64_t findings(const char *path, struct buf *b)
{
    struct store *s;
    struct fsck_counts n = {0};
    buf_clear(b);
    e = (struct err){0};
    if (!store_open(path, &s, &e)) {
        buf_printf(b, "%s\n", e.text);
        return 1;
    }
    bool ok = store_fsck(s, on_finding, b, &n, &e);
    store_close(&s);
    return n.findings + !ok;
}

static int setup(void **state)
{
    struct store *s;
    struct act a;
    (void)state;
    base = xasprintf("%s/base.db", getenv("TMPDIR"));
    copy = xasprintf("%s/copy.db", getenv("TMPDIR"));
    old_store(base);
    if (!store_open(base, &s, &e))
        fail_msg("%s", e.text);
    assert_ok(act_begin(s, &a, "accept", "ana", "", 0, &e), e);
    assert_ok(act_change(&a, OBJECT_SAMPLE, 2, FIELD_STATUS, 1, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    store_close(&s);
    return 0;
}

/* ---- Changes at random -------------------- */

struct place {
    char table[80], column[80], sql[2000];
};

static sqlite3 *open_raw(const char *path)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA foreign_keys = OFF", NULL, NULL, NULL);
    return db;
}

/* The row `skip` of a query, its first columns as texts; false where it has
 * fewer. */
static bool pick(sqlite3 *db, const char *sql, int skip, char out[][80],
                 int columns)
{
    sqlite3_stmt *st;
    bool ok = false;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW) {
        if (skip--)
            continue;
        ok = true;
        for (int i = 0; i < columns; i++)
            snprintf(out[i], 80, "%s", sqlite3_column_text(st, i));
        break;
    }
    sqlite3_finalize(st);
    return ok;
}

static int count(sqlite3 *db, const char *sql)
{
    char n[1][80] = {"0"};
    pick(db, sql, 0, n, 1);
    return atoi(n[0]);
}

#define TABLES                                                                \
    "SELECT name FROM sqlite_schema WHERE type = 'table'"                     \
    " AND substr(name, 1, 7) <> 'sqlite_'"                                    \
    " AND name NOT IN ('sample_words', 'seed_words')"

/* What names rows of a table, and where one row stands. */
static const char *key_of(sqlite3 *db, const char *table)
{
    static char key[200];
    char sql[200], part[2][80];
    *key = '\0';
    snprintf(sql, sizeof sql, "SELECT name, 0 FROM pragma_table_info('%s')"
             " WHERE pk > 0 ORDER BY pk", table);
    for (int i = 0; pick(db, sql, i, part, 1); i++)
        snprintf(key + strlen(key), sizeof key - strlen(key), "%s%s",
                 i ? ", " : "", part[0]);
    if (!*key)
        snprintf(key, sizeof key, "rowid");
    return key;
}

/* Another value of the same type. */
static const char another[] =
    "CASE typeof(%1$s) WHEN 'integer' THEN %1$s + %2$d"
    " WHEN 'real' THEN %1$s + 0.125 WHEN 'text' THEN %1$s || 'x'"
    " WHEN 'blob' THEN CAST(substr(%1$s, 1, length(%1$s) - 1) ||"
    "  CASE substr(%1$s, -1) WHEN x'71' THEN 'r' ELSE 'q' END AS BLOB)"
    " ELSE CASE '%3$s' WHEN 'INTEGER' THEN 1 WHEN 'REAL' THEN 1.5"
    "  WHEN 'BLOB' THEN CAST('q' AS BLOB) ELSE 'x' END END";

static bool change_one(const char *path, struct rng *r, struct place *p)
{
    char got[2][80], sql[1200], value[1000];
    sqlite3 *db = open_raw(path);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM (" TABLES ")");
    bool ok = pick(db, TABLES, (int)rng_below(r, (uint64_t)count(db, sql)),
                   got, 1);
    snprintf(p->table, sizeof p->table, "%s", got[0]);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM pragma_table_info('%s')",
             p->table);
    int columns = count(db, sql);
    snprintf(sql, sizeof sql, "SELECT name, type FROM pragma_table_info('%s')",
             p->table);
    ok = ok && pick(db, sql, (int)rng_below(r, (uint64_t)columns), got, 2);
    snprintf(p->column, sizeof p->column, "%s", got[0]);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", p->table);
    int rows = count(db, sql);
    const char *key = key_of(db, p->table);
    snprintf(value, sizeof value, another, p->column,
             1 + (int)rng_below(r, 3), got[1]);
    snprintf(p->sql, sizeof p->sql, "UPDATE %s SET %s = %s WHERE (%s) ="
             " (SELECT %s FROM %s LIMIT 1 OFFSET %d)", p->table, p->column,
             value, key, key, p->table,
             rows ? (int)rng_below(r, (uint64_t)rows) : 0);
    ok = ok && rows > 0 &&
         sqlite3_exec(db, p->sql, NULL, NULL, NULL) == SQLITE_OK &&
         sqlite3_changes(db) == 1;
    sqlite3_close(db);
    return ok;
}

static void every_change_is_found(void **state)
{
    (void)state;
    struct rng r;
    struct buf b = BUF_INIT(0);
    int done = 0, missed = 0;
    rng_seed(&r, 2026);
    for (int tries = 0; done < CHANGES && tries < 20 * CHANGES; tries++) {
        struct place p;
        copy_store(base, copy);
        if (!change_one(copy, &r, &p))
            continue;
        done++;
        if (findings(copy, &b))
            continue;
        missed++;
        printf("not found: %s\n", p.sql);
    }
    printf("%d changes, %d not found\n", done, missed);
    assert_int_equal(done, CHANGES);
    assert_int_equal(missed, 0);
    copy_store(base, copy);
    if (findings(copy, &b))
        fail_msg("an unchanged store: %s", buf_str(&b));
    buf_free(&b);
}

/* ---- Rows -------------------- */

static void run(const char *sql)
{
    char *why = NULL;
    sqlite3 *db = open_raw(copy);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    if (!sqlite3_changes(db))
        fail_msg("%s: changed nothing", sql);
    sqlite3_close(db);
}

static void must_find(const char *sql)
{
    struct buf b = BUF_INIT(0);
    copy_store(base, copy);
    run(sql);
    if (!findings(copy, &b))
        fail_msg("not found: %s", sql);
    buf_free(&b);
}

static void a_row_taken_away_is_found(void **state)
{
    (void)state;
    char sql[300], table[1][80];
    sqlite3 *db = open_raw(base);
    for (int i = 0; pick(db, TABLES, i, table, 1); i++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table[0]);
        int rows = count(db, sql);
        for (int k = 0; k < rows; k += 1 + rows / 3) {
            snprintf(sql, sizeof sql, "DELETE FROM %s WHERE (%s) = (SELECT %s"
                     " FROM %s LIMIT 1 OFFSET %d)", table[0],
                     key_of(db, table[0]), key_of(db, table[0]), table[0], k);
            must_find(sql);
        }
    }
    sqlite3_close(db);
}

static void a_row_put_in_is_found(void **state)
{
    (void)state;
    static const char *const inserts[] = {
        "INSERT INTO text(sha256, body) VALUES(x'"
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',"
        " 'x')", /* a true text */
        "INSERT INTO tag VALUES('sample', 1, 'new')",
        "INSERT INTO tag VALUES('thing', 1, 'new')",
        "INSERT INTO note VALUES('thing', 1, 1)",
        "INSERT INTO rating VALUES('thing', 1, 1)",
        "INSERT INTO ranking VALUES(2, 1)",
        "INSERT INTO draft SELECT 'eve', kind, object, field, body, at, seal"
        " FROM draft LIMIT 1",
        "INSERT INTO member SELECT kind, owner, shape, split, row + 100,"
        " sample, candidate, hash, seal FROM member LIMIT 1",
        "INSERT INTO call SELECT id + 100, job, step, n + 100, attempt,"
        " from_call, from_item, sample, prompt_text, params_json, state,"
        " http, reply_text, answer_text, trouble, tokens_in, tokens_out,"
        " cost, ms, finish, at, thinking_text, seal FROM call LIMIT 1",
        "INSERT INTO score(candidate, aspect, value, born)"
        " VALUES(1, 'truth', 5, 1)",
        "INSERT INTO store SELECT * FROM store",
        "INSERT INTO change VALUES(3, 100, 'sample', 1, 'status', 0, 1)",
    };
    for (size_t i = 0; i < COUNT(inserts); i++)
        must_find(inserts[i]);
}

static void rows_exchanged_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *table, *columns;
        int a, b;
    } swaps[] = {
        {"call", "state, reply_text, tokens_in, seal", 2, 3},
        {"call", "prompt_text, params_json, seal", 2, 3},
        {"job", "recipe, args_json, state, seal", 1, 2},
        {"recipe", "name, seal", 1, 2},
        {"candidate", "body_text, hash, seal", 1, 2},
        {"sample", "prompt_text, prompt_hash", 1, 2},
        {"sample", "origin, line, seal", 5, 6},
        {"seed", "messages_text, answer_text, hash, seal", 1, 2},
        {"check_result", "figure, bound, seal", 1, 2},
        {"text", "body", 2, 3},
        {"sample_words_docsize", "sz", 1, 5},
    };
    for (size_t i = 0; i < COUNT(swaps); i++) {
        char sql[900];
        snprintf(sql, sizeof sql, "CREATE TEMP TABLE x AS SELECT id, %1$s"
                 " FROM %2$s WHERE id IN (%3$d, %4$d);"
                 " UPDATE %2$s SET (%1$s) = (SELECT %1$s FROM x"
                 "  WHERE x.id = %3$d + %4$d - %2$s.id)"
                 " WHERE id IN (%3$d, %4$d)", swaps[i].columns,
                 swaps[i].table, swaps[i].a, swaps[i].b);
        must_find(sql);
    }
}

static void an_altered_word_index_is_found(void **state)
{
    (void)state;
    must_find("INSERT INTO sample_words(sample_words) VALUES('delete-all')");
    must_find("INSERT INTO seed_words(seed_words) VALUES('delete-all')");
    must_find("INSERT INTO sample_words(rowid, prompt, answer)"
              " VALUES(1, 'another', 'word')");
    must_find("INSERT INTO sample_words(rowid, prompt, answer)"
              " VALUES(1000, 'another', 'word')");
}

/* A purge needs its decision. */
static void a_made_up_purge_is_found(void **state)
{
    (void)state;
    must_find("UPDATE text SET body = NULL, purged = 1 WHERE id = (SELECT"
              " body_text FROM candidate WHERE id = 1)");
    must_find("UPDATE text SET body = NULL, purged = (SELECT max(purged)"
              " FROM text) WHERE id = (SELECT body_text FROM candidate"
              " WHERE id = 1)");
    must_find("UPDATE text SET purged = NULL, body = 'x'"
              " WHERE purged IS NOT NULL");
}

/* ---- Two stores -------------------- */

static void parts_of_two_stores_are_found(void **state)
{
    (void)state;
    struct store *s;
    struct act a;
    char *other = xasprintf("%s/other.db", getenv("TMPDIR"));
    char *attach = xasprintf("ATTACH '%s' AS o", other);
    assert_ok(store_create(other, &s, &e), e);
    assert_ok(act_begin(s, &a, "arrive", "rui", "", 0, &e), e);
    assert_true(text_puts(s, "of another store", &e) > 0);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    store_close(&s);
    static const char *const mixes[] = {
        "DELETE FROM store; INSERT INTO store SELECT * FROM o.store",
        "UPDATE store SET ledger = (SELECT ledger FROM o.store)",
        "UPDATE store SET id = (SELECT id FROM o.store),"
        " salt = (SELECT salt FROM o.store)",
        "DELETE FROM decision; DELETE FROM change;"
        " INSERT INTO decision SELECT * FROM o.decision",
        "INSERT INTO text(sha256, body) SELECT sha256, body FROM o.text",
    };
    for (size_t i = 0; i < COUNT(mixes); i++) {
        char *sql = xasprintf("%s; %s", attach, mixes[i]);
        must_find(sql);
        free(sql);
    }
    free(other);
    free(attach);
}

int main(void)
{
    const char *dirs[] = {"/nonexistent", NULL};
    lang_init(dirs);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_is_found),
        cmocka_unit_test(a_row_taken_away_is_found),
        cmocka_unit_test(a_row_put_in_is_found),
        cmocka_unit_test(rows_exchanged_are_found),
        cmocka_unit_test(an_altered_word_index_is_found),
        cmocka_unit_test(a_made_up_purge_is_found),
        cmocka_unit_test(parts_of_two_stores_are_found),
    };
    int failed = cmocka_run_group_tests(tests, setup, NULL);
    free(base);
    free(copy);
    return failed;
}
