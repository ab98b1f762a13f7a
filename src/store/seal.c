#include "store/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "store/db.h"

#define TABLE_ROW(id, table, key, columns) {#table, key, columns},
static const struct {
    const char *name, *key, *columns;
} tables[] = {SEALED(TABLE_ROW)};

const char *seal_table(enum sealed t) { return tables[t].name; }

/* ---- The columns of a table --------------------------------------------- */

struct column {
    char name[24], field[12]; /* field: of the journal, "" where it is none */
    bool text, open, later;   /* open: not sealed */
};

/* The next column of a list; false at its end. */
static bool next_column(const char **at, struct column *c)
{
    const char *p = *at + strspn(*at, " ");
    *c = (struct column){.text = *p == '#', .open = *p == '-',
                         .later = *p == '+'};
    if (!*p)
        return false;
    p += c->text || c->open || c->later;
    size_t n = strcspn(p, " "), eq = strcspn(p, " =");
    snprintf(c->name, sizeof c->name, "%.*s", (int)eq, p);
    if (eq < n)
        snprintf(c->field, sizeof c->field, "%.*s", (int)(n - eq - 1),
                 p + eq + 1);
    *at = p + n;
    return true;
}

/* ", " and what of the column goes into the seal, its value being `value`. */
static void put_sealed(struct buf *b, const struct column *c,
                       const char *value)
{
    if (c->open)
        return;
    buf_printf(b, c->text    ? ", (SELECT sha256 FROM text WHERE text.id = %s)"
                  : c->later ? ", coalesce(%s, x'')"
                             : ", %s", value);
}

/* The value that a cached column was born with. */
static char *born_value(enum sealed t, const struct column *c)
{
    const char *table = tables[t].name;
    if (!*c->field)
        return xstrdup(c->name);
    return xasprintf("coalesce((SELECT old FROM change WHERE"
                     " change.object = %s.id AND change.kind = '%s'"
                     " AND change.field = '%s' ORDER BY change.decision,"
                     " change.n LIMIT 1), %s.%s)", table, table, c->field,
                     table, c->name);
}

/* seal(...) over what a row holds; of the columns in `set` (NULL: of none)
 * the new values, which are ?2, ?3 ... */
static void put_seal(struct buf *b, enum sealed t, const char *set)
{
    struct column c, other;
    const char *at = tables[t].columns;
    if (t < BROUGHT_COUNT)
        buf_printf(b, "seal(%s, born", tables[t].key);
    else
        buf_printf(b, "log_seal('%s'%s%s", tables[t].name,
                   tables[t].key ? ", " : "",
                   tables[t].key ? tables[t].key : "");
    while (next_column(&at, &c)) {
        char *value = born_value(t, &c);
        const char *in = set ? set : "";
        for (int i = 2; next_column(&in, &other); i++) {
            if (!strcmp(other.name, c.name)) {
                free(value);
                value = xasprintf("?%d", i);
            }
        }
        put_sealed(b, &c, value);
        free(value);
    }
    buf_putc(b, ')');
}

/* ---- The statements that are made of them -------------------------------- */

enum made_kind {
    MADE_SCAN, MADE_INSERT, MADE_PUT, MADE_UPDATE, MADE_DROP, MADE_ANEW
};

static void make_scan(struct buf *b, enum sealed t)
{
    struct column c;
    const char *at = tables[t].columns, *key = tables[t].key;
    buf_puts(b, "SELECT ");
    for (int i = 0; !key && i < 4 && next_column(&at, &c); i++)
        buf_printf(b, "%s%s", i ? " || ' ' || " : "", c.name);
    buf_printf(b, "%s%s, seal, ", key ? key : "",
               t < BROUGHT_COUNT ? ", born" : "");
    put_seal(b, t, NULL);
    buf_printf(b, " FROM %s", tables[t].name);
    if (key)
        buf_printf(b, " ORDER BY %s", key);
}

/* ?1 is `born`, the columns follow; the row's number is the next one. */
static void make_insert(struct buf *b, enum sealed t)
{
    struct column c;
    struct buf values = BUF_INIT(0), sealed = BUF_INIT(0);
    const char *at = tables[t].columns;
    bool brought = t < BROUGHT_COUNT, key = tables[t].key != NULL;
    char *next = xasprintf("(SELECT 1 + coalesce(max(id), 0) FROM %s)",
                           tables[t].name);
    buf_printf(b, "INSERT INTO %s(", tables[t].name);
    if (key) {
        buf_printf(b, "id, %s", brought ? "born, " : "");
        buf_printf(&values, "%s, %s", next, brought ? "?1, " : "");
    }
    if (brought)
        buf_printf(&sealed, "seal(%s, ?1", next);
    else
        buf_printf(&sealed, "keep(%d, NULL, log_seal('%s'%s%s", (int)t,
                   tables[t].name, key ? ", " : "", key ? next : "");
    for (int i = 2; next_column(&at, &c); i++) {
        char value[12];
        snprintf(value, sizeof value, "?%d", i);
        buf_printf(b, "%s, ", c.name);
        buf_printf(&values, "%s, ", value);
        put_sealed(&sealed, &c, value);
    }
    buf_printf(b, "seal) VALUES(%s%s%s)", buf_str(&values), buf_str(&sealed),
               brought ? ")" : "))");
    buf_free(&values);
    buf_free(&sealed);
    free(next);
}

/* The seal of the row that was there leaves the ledger. */
static void make_put(struct buf *b, enum sealed t)
{
    struct column c;
    const char *at = tables[t].columns;
    make_insert(b, t);
    buf_puts(b, " ON CONFLICT DO UPDATE SET ");
    while (next_column(&at, &c))
        buf_printf(b, "%s = excluded.%s, ", c.name, c.name);
    buf_printf(b, "seal = coalesce(keep(%d, seal, NULL), excluded.seal)",
               (int)t);
}

static void make_update(struct buf *b, enum sealed t, const char *set)
{
    struct column c;
    const char *at = set;
    buf_printf(b, "UPDATE %s SET ", tables[t].name);
    for (int i = 2; set && next_column(&at, &c); i++)
        buf_printf(b, "%s = ?%d, ", c.name, i);
    buf_printf(b, "seal = keep(%d, %s, ", (int)t, set ? "seal" : "NULL");
    put_seal(b, t, set);
    buf_puts(b, set ? ") WHERE rowid = ?1" : ")");
}

static char *make(enum made_kind kind, enum sealed t, const char *set)
{
    struct buf b = BUF_INIT(0);
    switch (kind) {
    case MADE_SCAN: make_scan(&b, t); break;
    case MADE_INSERT: make_insert(&b, t); break;
    case MADE_PUT: make_put(&b, t); break;
    case MADE_UPDATE:
    case MADE_ANEW: make_update(&b, t, set); break;
    case MADE_DROP:
        buf_printf(&b, "DELETE FROM %s WHERE rowid = ?1"
                   " AND keep(%d, seal, NULL) IS NULL", tables[t].name,
                   (int)t);
        break;
    }
    return buf_take(&b);
}

/* A statement's text, made once a store. */
static const char *made(struct store *s, enum made_kind kind, enum sealed t,
                        const char *set)
{
    for (size_t i = 0; i < s->made.n; i++) {
        const struct made *m = &s->made.at[i];
        if (m->kind == (int)kind && m->table == t && m->set == set)
            return m->sql;
    }
    struct made m = {(int)kind, t, set, make(kind, t, set)};
    VEC_PUSH(&s->made, m);
    return m.sql;
}

void seal_forget(struct store *s)
{
    for (size_t i = 0; i < s->made.n; i++)
        free(s->made.at[i].sql);
    VEC_FREE(&s->made);
}

const char *seal_scan_sql(struct store *s, enum sealed t)
{
    return made(s, MADE_SCAN, t, NULL);
}

/* ---- SQL functions ------------------------------------------------------- */

static void add_value(struct sha *s, sqlite3_value *v)
{
    int type = sqlite3_value_type(v);
    if (type == SQLITE_BLOB && !sqlite3_value_bytes(v))
        return; /* a column that came later, and is not there yet */
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

static void digest(sqlite3_context *ctx, struct sha *sum, int n,
                   sqlite3_value **args)
{
    struct store *s = sqlite3_user_data(ctx);
    uint8_t whole[SHA_SIZE];
    for (int i = 0; i < n; i++)
        add_value(sum, args[i]);
    sha_end(sum, whole);
    memcpy(s->last_seal, whole, SEAL_SIZE);
    sqlite3_result_blob(ctx, whole, SEAL_SIZE, SQLITE_TRANSIENT);
}

static void seal_function(sqlite3_context *ctx, int n, sqlite3_value **args)
{
    struct sha sum;
    sha_start(&sum);
    digest(ctx, &sum, n, args);
}

static void log_seal_function(sqlite3_context *ctx, int n,
                              sqlite3_value **args)
{
    const struct store *s = sqlite3_user_data(ctx);
    struct sha sum;
    sha_start(&sum);
    sha_field(&sum, s->id, strlen(s->id));
    digest(ctx, &sum, n, args);
}

static const void *seal_arg(sqlite3_value *v)
{
    return sqlite3_value_bytes(v) == SEAL_SIZE ? sqlite3_value_blob(v) : NULL;
}

static void keep_function(sqlite3_context *ctx, int n, sqlite3_value **args)
{
    struct store *s = sqlite3_user_data(ctx);
    (void)n;
    ledger_enter(&s->ledger, (enum sealed)sqlite3_value_int(args[0]),
                 seal_arg(args[1]), seal_arg(args[2]));
    sqlite3_result_value(ctx, args[2]);
}

bool seal_register(struct store *s, struct err *e)
{
    static const struct {
        const char *name;
        int args, pure;
        void (*run)(sqlite3_context *ctx, int n, sqlite3_value **args);
    } functions[] = {{"seal", -1, SQLITE_DETERMINISTIC, seal_function},
                     {"log_seal", -1, SQLITE_DETERMINISTIC,
                      log_seal_function},
                     {"keep", 3, 0, keep_function}};
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < COUNT(functions); i++)
        rc = sqlite3_create_function(s->db, functions[i].name,
                                     functions[i].args,
                                     SQLITE_UTF8 | SQLITE_DIRECTONLY |
                                         functions[i].pure,
                                     s, functions[i].run, NULL, NULL);
    return rc == SQLITE_OK || db_error(s, e, rc, "seal");
}

/* ---- Writing ------------------------------------------------------------- */

int64_t seal_insert(struct store *s, enum sealed t, int64_t born,
                    uint8_t out[SEAL_SIZE], struct err *e,
                    const char *format, va_list *values)
{
    if (!db_run_with(s, e, made(s, MADE_INSERT, t, NULL), born, format,
                     values))
        return 0;
    memcpy(out, s->last_seal, SEAL_SIZE);
    return sqlite3_last_insert_rowid(s->db);
}

int64_t log_add(struct store *s, enum sealed t, struct err *e,
                const char *format, ...)
{
    uint8_t seal[SEAL_SIZE];
    va_list values;
    va_start(values, format);
    int64_t id = seal_insert(s, t, 0, seal, e, format, &values);
    va_end(values);
    return !id || tables[t].key ? id : 1;
}

bool log_put(struct store *s, enum sealed t, struct err *e,
             const char *format, ...)
{
    va_list values;
    va_start(values, format);
    bool ok = db_run_with(s, e, made(s, MADE_PUT, t, NULL), 0, format,
                          &values);
    va_end(values);
    return ok;
}

bool log_set(struct store *s, enum sealed t, int64_t id, const char *columns,
             struct err *e, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    bool ok = db_run_with(s, e, made(s, MADE_UPDATE, t, columns), id, format,
                          &values);
    va_end(values);
    return ok;
}

bool log_drop(struct store *s, enum sealed t, int64_t rowid, struct err *e)
{
    return db_run(s, e, made(s, MADE_DROP, t, NULL), "i", rowid);
}

static bool count_anew(struct store *s, enum sealed t, const char *sql,
                       struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, sql, ""))
        return false;
    while (rows_next(&r, e)) {
        size_t n;
        uint8_t seal[SEAL_SIZE];
        const void *hash = rows_blob(&r, 1, &n);
        ledger_seal(s->id, t, rows_int(&r, 0), hash, n, seal);
        ledger_enter(&s->ledger, t, NULL, seal);
    }
    rows_done(&r);
    return !r.failed;
}

bool seal_table_anew(struct store *s, enum sealed t, struct err *e)
{
    s->ledger.at[t - BROUGHT_COUNT] = (struct entry){0};
    if (t == SEAL_TEXT)
        return count_anew(s, t, "SELECT id, sha256 FROM text", e);
    if (t == SEAL_DECISION)
        return count_anew(s, t, "SELECT seq, hash FROM decision", e);
    return db_run(s, e, made(s, MADE_ANEW, t, NULL), "");
}
