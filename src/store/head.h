/* The head file, NAME.runs/head: where the journal and the ledger ended when
 * something was last saved. "SEQ HASH N LEDGER": the newest decision and its
 * hash, the number of the commit and the digest of the ledger that it wrote
 * (a head of schema 1 ends behind HASH). It is written after each commit, so
 * it may be older than the store; newer it never is, unless the store lost
 * its end or an older copy was put in its place.
 */
#ifndef STORE_HEAD_H
#define STORE_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "store/seal.h"

struct store;

struct tail {
    int64_t seq;             /* 0: no decision */
    uint8_t hash[SHA_SIZE];
    int64_t n;               /* of the ledger; 0: not known */
    uint8_t ledger[SEAL_SIZE];
};

enum head_found {
    HEAD_READ,
    HEAD_NONE,     /* not there, or empty */
    HEAD_MALFORMED /* or not to be read */
};

/* Reads the head file. */
enum head_found head_read(struct store *s, struct tail *out);
/* Renames a new one into place, with the mode and the group of the store; not
 * over one that another process has written since (no fsync: store_sync_head
 * does that). */
void head_write(struct store *s, const struct tail *t);
/* Whether a head can be of a store that ends at `t`: false with a sentence
 * where it cannot. Read the head before the store. */
bool head_fits(struct store *s, const struct tail *head,
               const struct tail *t, struct err *e);
/* Keeps the head as head.lost-N, N the first number that is free. */
bool head_set_aside(struct store *s, struct err *e);

/* Makes NAME.runs with the mode and the group of the store where it is not
 * there. */
bool runs_dir_make(struct store *s, struct err *e);

/* Whether NAME.runs may be used: it is not there, or it and what stands in it
 * are no links, and the folders are of this user, of root, or of one whom the
 * group of the store's folder admits. Refused with a sentence. */
bool runs_dir_check(const struct store *s, struct err *e);

#endif
