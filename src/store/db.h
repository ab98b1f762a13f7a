/* Statements for the files of this room: prepared once, bound by a format,
 * reset before anybody waits. Not for other rooms.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "store/store.h"

struct cached {
    const char *sql;
    sqlite3_stmt *st;
};

struct store {
    sqlite3 *db;
    char *path, *runs_dir;
    char id[33];
    uint8_t salt[16];
    bool read_only, in_write, broken, restore;
    int64_t begun; /* monotonic ms when the write transaction began */
    bool named;    /* our name stands in NAME.runs/holder */
    bool head_dirty;
    store_tick *tick;
    void *tick_ctx;
    int64_t wait_from, last_tick;
    bool gave_up;
    VEC(struct cached) cache;
};

/* A statement being walked. Cached by the address of its SQL, so `sql` is a
 * string literal; db_query_once takes any text. */
struct rows {
    struct store *s;
    sqlite3_stmt *st;
    bool once, failed;
};

/* Format letters, one an argument:
 *   i int64_t   I int64_t, 0 binds NULL   d double   s const char* (or NULL)
 *   b const void*, size_t (a blob; NULL pointer binds NULL)
 *   t const char*, size_t (text of that length) */
bool db_query(struct store *s, struct rows *r, struct err *e, const char *sql,
              const char *format, ...);
bool db_query_once(struct store *s, struct rows *r, struct err *e,
                   const char *sql);
/* Binds the i-th parameter (from 1) of a db_query_once. */
void rows_bind_int(struct rows *r, int i, int64_t v);
void rows_bind_double(struct rows *r, int i, double v);
void rows_bind_text(struct rows *r, int i, const char *v);

/* The next row; false at the end, or on failure (r->failed, e set). */
bool rows_next(struct rows *r, struct err *e);
/* Ends the walk; must be called after a db_query that returned true. */
void rows_done(struct rows *r);
int64_t rows_int(const struct rows *r, int column);
double rows_double(const struct rows *r, int column);
bool rows_null(const struct rows *r, int column);
/* Borrowed until the next rows_* call; NULL for NULL. */
const char *rows_text(const struct rows *r, int column);
const void *rows_blob(const struct rows *r, int column, size_t *n);
/* A copy that the caller frees; NULL for NULL. */
char *rows_copy(const struct rows *r, int column);

/* Runs a statement to its end. */
bool db_run(struct store *s, struct err *e, const char *sql,
            const char *format, ...);
/* The first column of the first row, or `otherwise`. */
int64_t db_int(struct store *s, int64_t otherwise, const char *sql,
               const char *format, ...);
/* The first column of all rows; the caller frees `out` with VEC_FREE, also on
 * failure. */
bool db_ids(struct store *s, ids *out, struct err *e, const char *sql,
            const char *format, ...);
/* The first column of the first row as a copy, or NULL. */
char *db_text(struct store *s, const char *sql, const char *format, ...);

/* The error of the last SQLite call as a sentence; `doing` says what was
 * tried. Returns false. */
bool db_error(struct store *s, struct err *e, int rc, const char *doing);

/* Finalises every cached statement (before closing or copying). */
void db_forget_statements(struct store *s);

#endif
