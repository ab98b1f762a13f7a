/* A store: one SQLite file with everything that a person decided and all
 * that it was decided about. This header opens and closes it; each noun has a
 * header of its own, the journal writes all of them.
 *
 * Rules of the room: rollback journal (TRUNCATE, synchronous EXTRA), every
 * pragma read back; every write inside BEGIN IMMEDIATE; no statement stays
 * open when a function returns to the caller, except a `struct rows` that the
 * caller walks at once. Ids are positive; 0 means none.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct store;

typedef VEC(int64_t) ids; /* of objects */

#define STORE_DEFAULT "stillroom.db"

/* Makes an empty store (0600). Refuses a path that exists. */
bool store_create(const char *path, struct store **out, struct err *e);

/* Opens a store, migrating an older one (a copy NAME.before-vN is kept).
 * ERR_ABSENT where there is no file; ERR_REFUSED with a sentence where it is
 * not a store of ours, is newer, is in WAL mode and in use, or is a link.
 * A file or folder that may not be written opens read-only. */
bool store_open(const char *path, struct store **out, struct err *e);

void store_close(struct store **s);

/* What opening did that has to be said once (an older store was taken up),
 * and why nothing is written (the head file is ahead of the store: it lost
 * its end, or another one stands in its place); NULL where there is nothing
 * to say. Borrowed. */
const char *store_notice(const struct store *s);
const char *store_loss(const struct store *s);
/* Goes on after a loss: the next write keeps the old head as head.lost-N. */
void store_after_loss(struct store *s);

/* The file as it was opened. Borrowed. */
const char *store_path(const struct store *s);
/* NAME.runs beside it (not made yet). Borrowed. */
const char *store_runs_dir(const struct store *s);
/* NAME.runs/PREFIX<id>, e.g. ("j", 7); the caller frees. */
char *store_work_dir(const struct store *s, const char *prefix, int64_t id);
/* Gives a file that was written there the mode and the group of the store, so
 * that whom it is shared with reads it, too. */
void store_share(const struct store *s, const char *path);
/* 32 hex digits. */
const char *store_id(const struct store *s);
const void *store_salt(const struct store *s, size_t *n);
bool store_read_only(const struct store *s);

/* Changes when another process has written (PRAGMA data_version). */
int64_t store_data_version(struct store *s);

/* Called while SQLite waits for a lock or a query runs long, at most every 5
 * ms; `holder` names who holds the store, "" where nobody is known, NULL where
 * a query merely runs long. Returning false gives up (ERR_BUSY, ERR_CANCEL).
 * Without one, a wait ends after 10 s. */
typedef bool store_tick(void *ctx, const char *holder, int64_t waited_ms);
void store_set_tick(struct store *s, store_tick *fn, void *ctx);

/* Groups writes that are not decisions (jobs, calls, drafts, runs): BEGIN
 * IMMEDIATE, the schema's version and the head file checked; the ledger
 * written, COMMIT with retries, the head file written. */
bool store_begin(struct store *s, struct err *e);
bool store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s);

/* The newest decision's seq, 0 in an empty store. */
int64_t store_seq(struct store *s);

/* Syncs the head file to disk (when idle, and before the process ends). */
void store_sync_head(struct store *s);

/* A full, consistent copy in a new file (SQLite's backup, one step), of what
 * was last committed. It stands under its name when it is whole. */
bool store_copy(struct store *s, const char *path, struct err *e);

#endif
