#include "store/seal.h"

#include <string.h>

#include "base/lang.h"
#include "store/db.h"

/* Computing and storing are two statements: an UPDATE ... RETURNING opens a
 * statement transaction, and at each of those FTS5 flushes what it holds. */
#define ROW(id, table, columns)                                               \
    {#table,                                                                  \
     "SELECT seal(id, born, " columns ") FROM " #table " WHERE id = ?1",      \
     "UPDATE " #table " SET seal = ?2 WHERE id = ?1",                         \
     "SELECT id, born, seal, seal(id, born, " columns ") FROM " #table        \
     " ORDER BY id"},
static const struct {
    const char *table, *compute, *update, *scan;
} tables[] = {SEALED(ROW)};

const char *seal_table(enum sealed t) { return tables[t].table; }
const char *seal_scan_sql(enum sealed t) { return tables[t].scan; }

static void add_value(struct sha *s, sqlite3_value *v)
{
    int type = sqlite3_value_type(v);
    sha_int(s, type);
    if (type == SQLITE_INTEGER) {
        sha_int(s, sqlite3_value_int64(v));
    } else if (type == SQLITE_FLOAT) {
        double d = sqlite3_value_double(v);
        sha_field(s, &d, sizeof d);
    } else if (type != SQLITE_NULL) {
        const void *p = sqlite3_value_blob(v);
        sha_field(s, p, (size_t)sqlite3_value_bytes(v));
    }
}

static void seal_function(sqlite3_context *ctx, int n, sqlite3_value **args)
{
    struct sha s;
    uint8_t digest[SHA_SIZE];
    sha_start(&s);
    for (int i = 0; i < n; i++)
        add_value(&s, args[i]);
    sha_end(&s, digest);
    sqlite3_result_blob(ctx, digest, SEAL_SIZE, SQLITE_TRANSIENT);
}

bool seal_register(struct store *s, struct err *e)
{
    int rc = sqlite3_create_function(s->db, "seal", -1,
                                     SQLITE_UTF8 | SQLITE_DETERMINISTIC |
                                         SQLITE_DIRECTONLY,
                                     NULL, seal_function, NULL, NULL);
    return rc == SQLITE_OK || db_error(s, e, rc, "seal");
}

bool seal_row(struct store *s, enum sealed t, int64_t id,
              uint8_t out[SEAL_SIZE], struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, tables[t].compute, "i", id))
        return false;
    bool ok = rows_next(&r, e);
    size_t n = 0;
    const void *p = ok ? rows_blob(&r, 0, &n) : NULL;
    if (n == SEAL_SIZE)
        memcpy(out, p, n);
    rows_done(&r);
    if (n != SEAL_SIZE)
        return err_set(e, ERR_STORE, _("a row of %s could not be sealed"),
                       tables[t].table);
    return db_run(s, e, tables[t].update, "ib", id, out, n);
}
