/* A process that outlives the screen shows itself by a folder: an flock on
 * the folder while it lives, and status.json, replaced by rename. Both
 * programs write these; the screen and `runs` read them.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* Takes the folder's lock; the descriptor that holds it, or -1 (ERR_BUSY
 * where another process has it). Closing the descriptor gives it back. */
int status_lock(const char *dir, struct err *e);

/* The starter of a process may hold its folder's lock already and hand the
 * descriptor down; this variable names it. */
#define STATUS_LOCK_VARIABLE "STILLROOM_LOCK_FD"

/* Takes the lock over from the starter, else as status_lock. */
int status_take(const char *dir, struct err *e);

/* True where some process holds the folder's lock. */
bool status_locked(const char *dir);

/* Replaces DIR/status.json (no fsync: it may be lost with the machine). */
bool status_write(const char *dir, const struct buf *text, struct err *e);

/* Reads DIR/status.json; NULL where there is none yet. */
json *status_read(const char *dir, struct err *e);

#endif
