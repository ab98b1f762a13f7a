/* Seeds: what a person supplied. Not trained on, not exported. */
#ifndef STORE_SEED_H
#define STORE_SEED_H

#include "domain/chat.h"
#include "domain/filter.h"
#include "store/journal.h"
#include "store/sample.h"
#include "store/target.h"

struct seed_new {
    int64_t target;
    const char *kind;           /* "example", "document", "term" */
    const struct chat *prompt;
    const char *answer;         /* canonical body, or NULL */
    const char *raw;            /* the row as it came, or NULL */
    size_t raw_size;
    const char *origin;         /* file name, or NULL */
    int64_t line, job;          /* 0: none */
    int split;                  /* enum split, or -1: dealt */
};

/* Seeds that one act brings: their splits are dealt when all are there. */
struct seed_deal {
    VEC(struct dealt {
        int64_t id;
        uint64_t hash; /* of the store's salt and the prompt */
        int split;     /* as asked for, or -1 */
    }) at;
    int64_t same; /* the one for which the last was refused; 0: none */
};

/* Adds a seed and its words; its id, 0 on failure. ERR_REFUSED where the
 * target has the same seed (prompt and answer folded) already. seed_deal_end
 * must come before the act is saved. */
int64_t seed_put(struct act *a, const struct seed_new *n, struct seed_deal *d,
                 struct err *e);
/* Deals the splits in the order of the hashes, so that the target's held-out
 * splits reach their quota (split_quota): seeds come in as train, those that
 * are held out by a change of the same decision. Empties d. */
bool seed_deal_end(struct act *a, int64_t target, struct seed_deal *d,
                   struct err *e);
/* Both for one seed. */
int64_t seed_add(struct act *a, const struct seed_new *n, struct err *e);

struct seed {
    int64_t id, target, line, born;
    int split;
    bool live;
    char *kind, *prompt, *answer, *origin; /* prompt: canonical messages;
                                              answer: canonical body or NULL */
};

/* Whether a person gave the seed an answer. */
bool seed_has_answer(struct store *s, int64_t id);
/* Reads a seed, freed with seed_free; false where there is none or the store
 * cannot be read. */
bool seed_get(struct store *s, int64_t id, struct seed *out, struct err *e);
void seed_free(struct seed *x);

/* The prompts of the target's live seeds, as sample_prompts has them. */
bool seed_prompts(struct store *s, const struct prompt_range *r,
                  prompt_fn *fn, void *ctx, struct err *e);
/* The target's live seeds up to `until`, unordered. */
bool seed_live_ids(struct store *s, int64_t target, int64_t until, ids *out,
                   struct err *e);
/* Seeds that came or went after that decision. */
bool seed_ids_changed(struct store *s, int64_t seq, ids *out, struct err *e);
int64_t seed_last_id(struct store *s);

/* One row of the Seeds list. `made` counts samples of every status that are
 * nearest to it; kept is accepted over accepted plus rejected, -1 where there
 * are none. */
struct seed_row {
    int64_t id, drawn, made, accepted, rejected, pending, deferred;
    int split;
    double kept;
    char *first_line; /* of the last user message; the caller frees */
    char *tags;       /* blank-separated; the caller frees */
    int64_t when;
};
bool seed_row_get(struct store *s, int64_t id, struct seed_row *out);
void seed_row_free(struct seed_row *r);

/* The target's live seeds that a filter names, oldest first (fields split,
 * tag, id and words; another field is refused). */
bool seed_ids(struct store *s, int64_t target, const struct filter *f,
              ids *out, struct err *e);

/* The live seeds that a decision brought. */
bool seed_ids_born(struct store *s, int64_t seq, ids *out, struct err *e);

/* The live seeds that a job brought. */
bool seed_ids_of_job(struct store *s, int64_t job, ids *out, struct err *e);

/* Live seeds of a target by split (-1: all of them). */
int64_t seed_count(struct store *s, int64_t target, int split);
int64_t seed_never_drawn(struct store *s, int64_t target);

#endif
