/* Runs: background trainings of a student on a filter. */
#ifndef STORE_RUN_H
#define STORE_RUN_H

#include "store/target.h"

struct run {
    int64_t id, target, as_of, seed, started, ended;
    char *filter, *student, *objective, *args, *state, *figures;
};

void run_free(struct run *r);
/* Adds a run in state running; its id, 0 on failure. Inside store_begin. */
int64_t run_add(struct store *s, const struct run *r, struct err *e);
bool run_get(struct store *s, int64_t id, struct run *out, struct err *e);
/* Sets state and, where given, the figures (JSON). Inside store_begin. */
bool run_set_state(struct store *s, int64_t id, const char *state,
                   const char *figures, struct err *e);
/* How many rows it trains on. */
int64_t run_rows(struct store *s, int64_t id);
/* Newest first, of one target or (0) all. */
bool run_ids(struct store *s, int64_t target, ids *out, struct err *e);
/* Those that run, as far as the store knows. */
bool run_ids_running(struct store *s, ids *out, struct err *e);
int64_t run_last_id(struct store *s);

#define MEMBER_HASH 16 /* bytes */

/* A row of a run ("run") or an export ("export"). */
struct member {
    const char *kind, *shape;
    int64_t owner, row, sample, candidate;
    int split;
    const void *hash; /* MEMBER_HASH bytes over the row, or NULL */
};

/* Records that a sample's candidate stands in its owner's row of a shape and
 * split. Inside store_begin. */
bool member_add(struct store *s, const struct member *m, struct err *e);

#endif
