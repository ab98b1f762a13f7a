/* Statements for the files of this room: prepared once, bound by a format,
 * reset before anybody waits. Not for other rooms.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "store/head.h"
#include "store/ledger.h"
#include "store/store.h"

struct cached {
    const char *sql;
    sqlite3_stmt *st;
};

/* A statement's text made of the columns of a table (store/seal.h). */
struct made {
    int kind;
    enum sealed table;
    const char *set;
    char *sql;
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
    struct tail tail;     /* where the journal ended when it was looked at */
    struct ledger ledger; /* of the write transaction that is open */
    uint8_t last_seal[SEAL_SIZE];
    bool sealed;     /* a decision covers the store's own row */
    bool counted;    /* the ledger was read */
    char *loss;      /* why nothing is written; NULL where all is well */
    struct act *act; /* the decision that is being made, if any */
    bool keep_head;  /* the head file is not written now */
    bool after_loss; /* the person wants to go on all the same */
    char *notice;    /* what opening it did, to be said once */
    int64_t statements; /* that were begun, for tests */
    store_tick *tick;
    void *tick_ctx;
    int64_t wait_from, last_tick;
    bool gave_up;    /* waiting ended without the lock: */
    bool stopped;    /* because the person said so */
    int64_t waited;  /* ms */
    char holder[200]; /* who held it, "" where nobody is known */
    VEC(struct cached) cache;
    VEC(struct made) made;
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
/* The same with ?1 being `first` and the values from ?2 on. */
bool db_run_with(struct store *s, struct err *e, const char *sql,
                 int64_t first, const char *format, va_list *values);
/* The first column of the first row, or `otherwise`. */
int64_t db_int(struct store *s, int64_t otherwise, const char *sql,
               const char *format, ...);
/* The first column of all rows; the caller frees `out` with VEC_FREE, also on
 * failure. */
bool db_ids(struct store *s, ids *out, struct err *e, const char *sql,
            const char *format, ...);
/* The first column of the first row as a copy, or NULL. */
char *db_text(struct store *s, const char *sql, const char *format, ...);

/* The ids from..to-1 of the rows that decision `seq` brought: decisions write
 * one after another, so `born` never falls as ids grow, and where it changes is
 * found by halving. `next` is "SELECT id, born FROM table WHERE id >= ?1 ORDER
 * BY id LIMIT 1". */
struct span {
    int64_t from, to;
};
struct span db_born(struct store *s, const char *next, int64_t seq);

/* The error of the last SQLite call as a sentence; `doing` says what was
 * tried. Returns false. */
bool db_error(struct store *s, struct err *e, int rc, const char *doing);

/* Reads where the journal and the ledger end, into s->tail and s->ledger
 * (store.c). A store of schema 1 (`first`) has no ledger. */
bool store_look(struct store *s, bool first, struct err *e);

/* Finalises every cached statement (before closing or copying). */
void db_forget_statements(struct store *s);

/* All attempts of a call, by the id of one: what it drew stands with the
 * first. */
#define ATTEMPTS_OF(call)                                                     \
    "(SELECT f.id FROM call f JOIN call own ON f.job = own.job"               \
    " AND f.step = own.step AND f.n = own.n WHERE own.id = " call ")"

#endif
