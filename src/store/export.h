/* Exports: what was written, and which samples were in it; and what an export
 * reads of a sample beside sample_get. Exports and their members are a log,
 * not decisions.
 */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "store/journal.h"
#include "store/run.h"
#include "store/target.h"

/* Reads that must fit together: between these two the store stands still for
 * this connection, and writers wait. */
bool export_read_begin(struct store *s, struct err *e);
void export_read_end(struct store *s);

/* ---- Of a sample -------------------------------------------------------- */

/* The decision that gave the sample the status it has: an undo or a redo is
 * followed back to what it brought again. False where it never changed. */
bool status_decision(struct store *s, int64_t sample, struct decision *out);

/* The person's order of the sample's answers: its written form ("B A C=D"),
 * and the candidates that its letters A, B ... stand for. The text may name
 * them itself behind a bar ("B A C | 41 40 43"); where it does not, letter k
 * is the k-th candidate (by n) that answered the prompt and was live when the
 * order was written. False where there is none; the caller frees both. */
bool order_read(struct store *s, int64_t sample, char **text,
                ids *candidates);

/* Where a candidate came from: the call at the root of its edits. */
struct candidate_origin {
    int64_t call, recipe_version;
    char *teacher, *recipe, *params; /* NULL where there is no call */
    ids edits; /* the candidates that it was edited from, newest first */
};
bool candidate_origin(struct store *s, int64_t candidate,
                      struct candidate_origin *out, struct err *e);
void candidate_origin_free(struct candidate_origin *o);

/* The target's samples (ascending) with more than role and content in a
 * message of theirs: tools, calls, thinking, turns that are not trained. */
bool samples_with_more(struct store *s, int64_t target, ids *out,
                       struct err *e);

/* ---- Exports ------------------------------------------------------------ */

struct export {
    int64_t id, target, as_of, seed, version, at;
    char *filter, *path, *lock; /* lock: JSON */
};

/* Adds an export (id is ignored); its id, 0 on failure. Inside store_begin,
 * as member_add for its rows. */
int64_t export_add(struct store *s, const struct export *x, struct err *e);

/* The newest export of a target before `before` (0: of all), 0 where there is
 * none. */
int64_t export_last(struct store *s, int64_t target, int64_t before);
bool export_get(struct store *s, int64_t id, struct export *out,
                struct err *e);
void export_free(struct export *x);

/* Calls fn for each member that has a hash; m is good for the call. */
typedef void member_fn(void *ctx, const struct member *m);
bool export_members(struct store *s, int64_t id, member_fn *fn, void *ctx,
                    struct err *e);
/* The same for each row of a run or an export that holds a sample (without its
 * hash): runs, then exports, in order. */
bool sample_members(struct store *s, int64_t sample, member_fn *fn, void *ctx,
                    struct err *e);

#endif
