#include "store/db.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"

/* The first id whose born is `seq` or more; behind all rows where there is
 * none. */
static int64_t born_from(struct store *s, const char *next, int64_t seq)
{
    int64_t low = 1, high = INT64_MAX / 2;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        struct rows r;
        if (!db_query(s, &r, NULL, next, "i", mid))
            return high;
        bool found = rows_next(&r, NULL);
        int64_t id = found ? rows_int(&r, 0) : 0;
        bool younger = !found || rows_int(&r, 1) >= seq;
        rows_done(&r);
        if (younger)
            high = mid;
        else
            low = id + 1;
    }
    return low;
}

struct span db_born(struct store *s, const char *next, int64_t seq)
{
    return (struct span){born_from(s, next, seq),
                         born_from(s, next, seq + 1)};
}

bool db_error(struct store *s, struct err *e, int rc, const char *doing)
{
    int kind = rc & 0xff;
    if (kind == SQLITE_INTERRUPT)
        return err_set(e, ERR_CANCEL, _("%s: stopped"), doing);
    if (s->gave_up && kind == SQLITE_BUSY && s->stopped)
        return err_set(e, ERR_BUSY, _("%s: stopped"), doing);
    if (s->gave_up && kind == SQLITE_BUSY)
        return err_set(e, ERR_BUSY, _("%s: the store was held for %lld s by "
                       "%s; nothing was done"), doing,
                       (long long)((s->waited + 500) / 1000),
                       *s->holder ? s->holder : _("another process"));
    if (kind == SQLITE_BUSY || kind == SQLITE_LOCKED)
        return err_set(e, ERR_BUSY,
                       _("%s: the store is held by another process"), doing);
    if (kind == SQLITE_FULL)
        return err_set(e, ERR_STORE, _("%s: the disk is full"), doing);
    if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
        return err_set(e, ERR_STORE, _("%s: the store is damaged (%s); see "
                       "`stillroom fsck`"), doing, sqlite3_errmsg(s->db));
    if (kind == SQLITE_IOERR)
        return err_set(e, ERR_STORE, _("%s: the disk reported an error"),
                       doing);
    return err_set(e, ERR_STORE, "%s: %s", doing, sqlite3_errmsg(s->db));
}

static sqlite3_stmt *prepare(struct store *s, const char *sql, bool keep,
                             struct err *e)
{
    for (size_t i = 0; keep && i < s->cache.n; i++)
        if (s->cache.at[i].sql == sql && !sqlite3_stmt_busy(s->cache.at[i].st))
            return s->cache.at[i].st;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v3(s->db, sql, -1,
                                keep ? SQLITE_PREPARE_PERSISTENT : 0, &st,
                                NULL);
    if (rc != SQLITE_OK) {
        db_error(s, e, rc, _("cannot ask the store"));
        return NULL;
    }
    if (keep) {
        struct cached c = {sql, st};
        VEC_PUSH(&s->cache, c);
    }
    return st;
}

static void bind_one(sqlite3_stmt *st, int i, char kind, va_list *ap)
{
    switch (kind) {
    case 'i':
        sqlite3_bind_int64(st, i, va_arg(*ap, int64_t));
        break;
    case 'I': {
        int64_t v = va_arg(*ap, int64_t);
        if (v)
            sqlite3_bind_int64(st, i, v);
        else
            sqlite3_bind_null(st, i);
        break;
    }
    case 'd':
        sqlite3_bind_double(st, i, va_arg(*ap, double));
        break;
    case 's':
        sqlite3_bind_text(st, i, va_arg(*ap, const char *), -1,
                          SQLITE_TRANSIENT);
        break;
    case 'b': {
        const void *p = va_arg(*ap, const void *);
        size_t n = va_arg(*ap, size_t);
        if (p)
            sqlite3_bind_blob64(st, i, p, n, SQLITE_TRANSIENT);
        else
            sqlite3_bind_null(st, i);
        break;
    }
    case 't': {
        const char *p = va_arg(*ap, const char *);
        size_t n = va_arg(*ap, size_t);
        sqlite3_bind_text64(st, i, p, n, SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    }
    }
}

/* Binds the values from parameter `from` on. */
static bool query_va(struct store *s, struct rows *r, struct err *e,
                     const char *sql, int from, const char *format,
                     va_list *ap)
{
    *r = (struct rows){.s = s, .st = prepare(s, sql, true, e)};
    if (!r->st)
        return false;
    for (int i = 0; format[i]; i++)
        bind_one(r->st, from + i, format[i], ap);
    s->gave_up = false;
    s->wait_from = 0;
    s->statements++;
    return true;
}

bool db_query(struct store *s, struct rows *r, struct err *e, const char *sql,
              const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    bool ok = query_va(s, r, e, sql, 1, format, &ap);
    va_end(ap);
    return ok;
}

bool db_query_once(struct store *s, struct rows *r, struct err *e,
                   const char *sql)
{
    *r = (struct rows){.s = s, .st = prepare(s, sql, false, e), .once = true};
    return r->st != NULL;
}

void rows_bind_int(struct rows *r, int i, int64_t v)
{
    sqlite3_bind_int64(r->st, i, v);
}

void rows_bind_double(struct rows *r, int i, double v)
{
    sqlite3_bind_double(r->st, i, v);
}

void rows_bind_text(struct rows *r, int i, const char *v)
{
    sqlite3_bind_text(r->st, i, v, -1, SQLITE_TRANSIENT);
}

bool rows_next(struct rows *r, struct err *e)
{
    int rc = sqlite3_step(r->st);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE) {
        r->failed = true;
        db_error(r->s, e, rc, _("cannot read the store"));
    }
    return false;
}

void rows_done(struct rows *r)
{
    if (r->once)
        sqlite3_finalize(r->st);
    else
        sqlite3_reset(r->st);
    r->st = NULL;
}

int64_t rows_int(const struct rows *r, int column)
{
    return sqlite3_column_int64(r->st, column);
}

double rows_double(const struct rows *r, int column)
{
    return sqlite3_column_double(r->st, column);
}

bool rows_null(const struct rows *r, int column)
{
    return sqlite3_column_type(r->st, column) == SQLITE_NULL;
}

const char *rows_text(const struct rows *r, int column)
{
    return (const char *)sqlite3_column_text(r->st, column);
}

const void *rows_blob(const struct rows *r, int column, size_t *n)
{
    const void *p = sqlite3_column_blob(r->st, column);
    *n = (size_t)sqlite3_column_bytes(r->st, column);
    return p;
}

char *rows_copy(const struct rows *r, int column)
{
    const char *s = rows_text(r, column);
    return s ? xstrdup(s) : NULL;
}

static bool run_through(struct rows *r, struct err *e)
{
    int rc;
    while ((rc = sqlite3_step(r->st)) == SQLITE_ROW)
        ;
    bool ok = rc == SQLITE_DONE ||
              db_error(r->s, e, rc, _("cannot write the store"));
    rows_done(r);
    return ok;
}

bool db_run(struct store *s, struct err *e, const char *sql,
            const char *format, ...)
{
    struct rows r;
    va_list ap;
    va_start(ap, format);
    bool ok = query_va(s, &r, e, sql, 1, format, &ap);
    va_end(ap);
    return ok && run_through(&r, e);
}

bool db_run_with(struct store *s, struct err *e, const char *sql,
                 int64_t first, const char *format, va_list *values)
{
    struct rows r;
    if (!query_va(s, &r, e, sql, 2, format, values))
        return false;
    rows_bind_int(&r, 1, first);
    return run_through(&r, e);
}

int64_t db_int(struct store *s, int64_t otherwise, const char *sql,
               const char *format, ...)
{
    struct rows r;
    va_list ap;
    va_start(ap, format);
    bool ok = query_va(s, &r, NULL, sql, 1, format, &ap);
    va_end(ap);
    if (!ok)
        return otherwise;
    if (rows_next(&r, NULL) && !rows_null(&r, 0))
        otherwise = rows_int(&r, 0);
    rows_done(&r);
    return otherwise;
}

bool db_ids(struct store *s, ids *out, struct err *e, const char *sql,
            const char *format, ...)
{
    struct rows r;
    va_list ap;
    *out = (ids){0};
    va_start(ap, format);
    bool ok = query_va(s, &r, e, sql, 1, format, &ap);
    va_end(ap);
    if (!ok)
        return false;
    while (rows_next(&r, e))
        VEC_PUSH(out, rows_int(&r, 0));
    rows_done(&r);
    return !r.failed;
}

char *db_text(struct store *s, const char *sql, const char *format, ...)
{
    struct rows r;
    va_list ap;
    va_start(ap, format);
    bool ok = query_va(s, &r, NULL, sql, 1, format, &ap);
    va_end(ap);
    if (!ok)
        return NULL;
    char *text = rows_next(&r, NULL) ? rows_copy(&r, 0) : NULL;
    rows_done(&r);
    return text;
}

void db_forget_statements(struct store *s)
{
    for (size_t i = 0; i < s->cache.n; i++)
        sqlite3_finalize(s->cache.at[i].st);
    VEC_FREE(&s->cache);
}
