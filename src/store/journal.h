/* The journal: every act is a decision with one change per field of each
 * object touched, in one transaction, chained by hashes.
 *
 *   struct act a;
 *   if (!act_begin(s, &a, "accept", "ana", "", seen, &e)) ...
 *   act_change(&a, OBJECT_SAMPLE, 2041, FIELD_STATUS, STATUS_ACCEPTED, &e);
 *   switch (act_commit(&a, &e)) { case ACT_SAVED: ... }
 *
 * A decision's hash is SHA-256 over, in this order, each length-prefixed (8
 * bytes little-endian) or an 8-byte integer: op_id, seq, at, who, kind,
 * reason, undoes, base_seq, n_changes, changes_hash, the previous decision's
 * hash. changes_hash is SHA-256 over the digest of the changes (kind, object,
 * field, old, new of each, texts by their SHA-256) and, for each sealed table
 * in the order of store/seal.h, the digest of the seals of the rows that it
 * brought. n_changes counts both. (The digest for the table `store`, which
 * schema 1 did not seal, is left out where nothing of it was brought, and its
 * row, which the first decision brings beside its own, is not counted.)
 *
 * What is covered by what:
 *   decision, change           by the decision's hash, that by the next one's,
 *                              the newest one's by the head file
 *   rows with `born`, store    by their seal, that by their decision's hash
 *   caches (schema.c: j)       made again from `change`
 *   a text                     by its SHA-256, that by what refers to it and
 *                              by the ledger; that it was purged by a change
 *   recipe, job, call, run,    by their seal, that by the ledger (how many,
 *   export, member, draft      and the sum of their seals; so is `decision`),
 *                              that by the head file
 *   sample_words, seed_words   made again from the texts
 *   the head file              by nothing: it is compared with the store
 * So a row of the log that is changed by another program is found, as long as
 * its seal, the ledger and the head file are not made anew along with it; none
 * of these is keyed. Where a head is older than the store (the process died
 * between the two) or absent (the store was copied alone) the ledger is
 * compared with nothing until the next commit.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "store/seal.h"
#include "store/store.h"

#define OBJECTS(X)                                                            \
    X(SAMPLE, "sample") X(CANDIDATE, "candidate") X(SEED, "seed")             \
    X(TARGET, "target") X(JOB, "job") X(TEXT, "text")
/* name, and whether old and new are ids of texts */
#define FIELDS(X)                                                             \
    X(STATUS, "status", false) X(CHOSEN, "chosen", false)                     \
    X(PROMPT, "prompt", true) X(LIVE, "live", false)                          \
    X(SPLIT, "split", false) X(ORDER, "order", true) X(TAG, "tag", true)      \
    X(NOTE, "note", true) X(RATING, "rating", false) X(TEXT, "text", true)    \
    X(PURGED, "purged", false)

#define OBJECT_ID(id, ...) OBJECT_##id,
#define FIELD_ID(id, ...) FIELD_##id,
enum object { OBJECTS(OBJECT_ID) OBJECT_COUNT };
enum field { FIELDS(FIELD_ID) FIELD_COUNT };
#undef OBJECT_ID
#undef FIELD_ID

/* As stored in `change`; parsing is exact; whether a field's values are
 * ids of texts. */
const char *object_name(enum object o);
const char *field_name(enum field f);
bool object_parse(const char *name, enum object *out);
bool field_parse(const char *name, enum field *out);
bool field_is_text(enum field f);
/* A value of a change as people read it: t5 for a text, names for a status or
 * a split; in `out` or constant. */
const char *field_value(enum field f, int64_t v, char out[24]);

/* Kinds of decisions that `undo` passes over: nobody's acts. */
#define NO_ACTS "('arrive', 'undo', 'redo', 'purge', 'seal')"

struct act {
    struct store *s;
    char *who, *kind, *reason;
    uint8_t op_id[16];
    int64_t seq, at, undoes, base_seq;
    int64_t n_changes, n_rows;
    struct sha changes, rows[BROUGHT_COUNT];
    bool open, brings_store;
};

enum outcome {
    ACT_SAVED,
    ACT_NOT_SAVED, /* nothing was written; e says why */
    ACT_FOUND,     /* the disk reported an error; looked up by its own id:
                      saved after all */
    ACT_UNKNOWN    /* it could not be looked up: saved or not; e says so */
};

/* Whether it is known to be saved. */
static inline bool act_saved(enum outcome o)
{
    return o == ACT_SAVED || o == ACT_FOUND;
}

/* Begins a decision inside BEGIN IMMEDIATE. `base_seq` is the journal position
 * that the author saw (0: now). On failure nothing is open. */
bool act_begin(struct store *s, struct act *a, const char *kind,
               const char *who, const char *reason, int64_t base_seq,
               struct err *e);
/* The same inside a transaction that is open. */
void act_open(struct store *s, struct act *a, const char *kind,
              const char *who, const char *reason, int64_t base_seq);

/* Changes one field: reads the old value, writes the cache and the change.
 * Nothing is written where it holds the new value already. For FIELD_TAG
 * `old` is the tag's text id to remove or 0, `value` the one to add or 0: use
 * act_tag. */
bool act_change(struct act *a, enum object kind, int64_t object,
                enum field field, int64_t value, struct err *e);
bool act_tag(struct act *a, enum object kind, int64_t object,
             const char *name, bool on, struct err *e);

/* Inserts a row that this decision brings, sealed; values in the order of
 * the table's columns in store/seal.h, formats as db_run's. Its id, 0 on
 * failure. */
int64_t act_bring(struct act *a, enum sealed table, struct err *e,
                  const char *format, ...);

/* Ends this decision and begins the next one in the same transaction, so that
 * both are saved or neither. */
bool act_next(struct act *a, const char *kind, const char *who,
              const char *reason, struct err *e);

/* Writes the decision and commits. The act is closed either way. */
enum outcome act_commit(struct act *a, struct err *e);
void act_cancel(struct act *a);

/* Who changed this object last after `base_seq`, the asker at another screen
 * too; what arrived is not counted. False where nobody did. */
struct other {
    int64_t seq, at;
    char who[64], kind[32], reason[64];
};
bool journal_changed_since(struct store *s, enum object kind, int64_t object,
                           int64_t base_seq, struct other *out);

/* ---- Reading ------------------------------------------------------------ */

struct decision {
    int64_t seq, at, undoes, n_changes;
    char who[64], kind[32], reason[64];
};

struct change {
    enum object kind;
    int64_t object;
    enum field field;
    int64_t old, new_value;
};

typedef VEC(struct change) change_list;

/* The hash of a decision; false where there is none with that number. */
bool journal_hash(struct store *s, int64_t seq, uint8_t out[SHA_SIZE]);
/* Whether a decision of this kind came after that one. */
bool journal_has_since(struct store *s, int64_t seq, const char *kind);
/* Reads one decision, false where there is none with that number. */
bool journal_get(struct store *s, int64_t seq, struct decision *out);
/* The decision's changes in order; the caller frees with VEC_FREE. */
bool journal_changes(struct store *s, int64_t seq, change_list *out,
                     struct err *e);
/* Decisions with seq <= from (0: the newest), newest first, at most n, into
 * out; returns how many. */
size_t journal_list(struct store *s, int64_t from, struct decision *out,
                    size_t n);
/* The decisions that touched an object, oldest first, at most n. */
size_t journal_of(struct store *s, enum object kind, int64_t object,
                  struct decision *out, size_t n);
/* How many samples a decision changed, of one that changed none how many other
 * objects; *sample is the first of them, 0 where there is none. */
int64_t journal_objects(struct store *s, int64_t seq, int64_t *sample);
/* What people gave as reasons to reject, most often given first, at most n. */
#define REASON_BYTES 64
size_t journal_reasons(struct store *s, char out[][REASON_BYTES], size_t n);
/* How many decisions about a status or an order `who` took since `at` (ms)
 * that nobody has taken back. */
int64_t journal_count_since(struct store *s, const char *who, int64_t at);

/* ---- Undo --------------------------------------------------------------- */

/* The decision that `u` would take back: who's last act that is not yet
 * undone. 0 where there is none. */
int64_t journal_undoable(struct store *s, const char *who);
/* The undo that `U` would take back; 0 where a new act ended the line. */
int64_t journal_redoable(struct store *s, const char *who);

/* Takes decision `seq` back as a decision of its own of that kind ("undo",
 * "redo"): every change reversed. Refused, naming who, where another person
 * has since changed the same field of one of its objects (of tags, the same
 * tag). */
enum outcome journal_reverse(struct store *s, int64_t seq, const char *who,
                             const char *kind, struct err *e);

/* ---- Hashes ------------------------------------------------------------- */

/* The hash of a decision from its fields (used by act_commit and fsck). */
struct decision_fields {
    const void *op_id;
    size_t op_id_size;
    int64_t seq, at, undoes, base_seq, n_changes;
    const char *who, *kind, *reason;
    const uint8_t *changes_hash, *prev_hash; /* SHA_SIZE each */
};
void decision_hash(const struct decision_fields *d, uint8_t out[SHA_SIZE]);
/* Adds one change to a running digest; texts by their SHA-256. */
void change_digest(struct store *s, struct sha *sum, const struct change *c);
/* The digest over the changes' and the tables' digests; ends them all. */
void changes_hash_end(struct sha *changes, struct sha rows[BROUGHT_COUNT],
                      bool with_store, uint8_t out[SHA_SIZE]);

#endif
