/* Samples and their candidates, checks and scores. */
#ifndef STORE_SAMPLE_H
#define STORE_SAMPLE_H

#include "domain/chat.h"
#include "domain/check.h"
#include "domain/status.h"
#include "store/journal.h"
#include "store/target.h"

/* ---- Writing (inside an act) -------------------------------------------- */

struct sample_new {
    int64_t target, job, call, item, seed, line;
    const char *origin;
    const struct chat *prompt;
    enum split split;
};

/* Adds a pending sample without candidates; its id, 0 on failure. Call
 * sample_index when its candidates are there. */
int64_t sample_add(struct act *a, const struct sample_new *n, struct err *e);

struct candidate_new {
    int64_t sample, call, parent;
    enum source source;
    const char *who;  /* of a human's; else NULL */
    const char *body; /* canonical answer */
    const uint8_t *hash; /* chat_hash, where the caller has it; else NULL */
};

/* Adds a candidate that answers the sample's present prompt; its id, 0 on
 * failure. */
int64_t candidate_add(struct act *a, const struct candidate_new *n,
                      struct err *e);

/* Puts the sample's words into the index; the second form where the caller
 * has its last user message and all its answers at hand. */
bool sample_index(struct act *a, int64_t sample, struct err *e);
bool sample_index_words(struct act *a, int64_t sample, const char *prompt,
                        const char *answers, struct err *e);
/* Takes them out before a candidate is added to an indexed sample. */
bool sample_unindex(struct act *a, int64_t sample, struct err *e);

/* Writes what a check found of a candidate (0: of the prompt), sealed. */
bool check_add(struct act *a, int64_t sample, int64_t candidate,
               const struct check_result *c, struct err *e);

struct score_new {
    int64_t candidate, call;
    const char *aspect, *reason, *who;
    double value;
};
/* Writes a judge's score of a candidate, with its reason, sealed. */
bool score_add(struct act *a, const struct score_new *n, struct err *e);

/* The last figure of that aspect that somebody gave; false where there is
 * none. */
bool score_value(struct store *s, int64_t candidate, const char *aspect,
                 const char *who, double *value);

/* The live samples that a decision brought. */
bool sample_ids_born(struct store *s, int64_t seq, ids *out, struct err *e);
/* The live answers that a decision added to samples that stood before it. */
bool candidate_ids_added(struct store *s, int64_t seq, ids *out,
                         struct err *e);
/* The live answers of a job's calls to samples that it did not make. */
bool candidate_ids_of_job(struct store *s, int64_t job, ids *out,
                          struct err *e);
/* The accepted sample that an answer stands for, 0 where there is none. */
int64_t candidate_stands_for(struct store *s, int64_t candidate);
/* What a prompt is called that is no sample yet: an item of a call's reply, of
 * which there are fewer than PROMPT_ITEMS. It stands where a sample's id does,
 * above all of them, in near's index and in what a check was held against. Its
 * sample by now, 0 while there is none; an id stays itself. */
#define PROMPT_COMING ((int64_t)1 << 50)
#define PROMPT_ITEMS 4096
int64_t prompt_coming(int64_t call, int64_t item);
int64_t prompt_came(struct store *s, int64_t key);
/* A live sample of the target with this prompt, 0 where there is none. */
int64_t sample_with_prompt(struct store *s, int64_t target,
                           const struct chat *prompt);
/* All of them, oldest first; where there are none, those that have one of the
 * hashes of before. */
bool sample_ids_with_prompt(struct store *s, int64_t target,
                            const struct chat *prompt, ids *out,
                            struct err *e);
/* Whether two answers are the same: answers_same or answer_holds. */
typedef bool same_fn(const struct message *mine, const struct message *other);
struct same_query {
    int64_t target;
    const uint8_t *hash;          /* chat_hash, or one of before */
    const struct message *answer; /* NULL: whatever has the hash */
    same_fn *same;
    int64_t but, first; /* a sample to leave out; one to look at first */
};
/* A live answer that is the same, and the live sample that it is of; 0 where
 * there is none. */
int64_t candidate_same(struct store *s, const struct same_query *q,
                       int64_t *sample);
/* Whether it stands rejected because its answers came in marked as false. */
bool sample_is_false(struct store *s, int64_t id);
/* The live answers to its present prompt, in order. */
bool sample_candidates(struct store *s, int64_t id, ids *out, struct err *e);

/* Prompts of a target: those of the ids above `after` up to `until`. */
struct prompt_range {
    int64_t target, after, until;
    bool rejected; /* samples that are rejected too */
};
/* Calls fn with the prompt (canonical messages, good for the call) of each
 * live sample of the range, by id, until it returns false; job is 0 for one
 * that no job brought. A purged prompt is passed over; false where one cannot
 * be read. */
typedef bool prompt_fn(void *ctx, int64_t id, int64_t job,
                       const char *messages, struct err *e);
bool sample_prompts(struct store *s, const struct prompt_range *r,
                    prompt_fn *fn, void *ctx, struct err *e);
/* Hands on rows of id, job, body and date of purge, and ends them. Not for
 * other rooms. */
struct rows;
bool prompts_walk(struct rows *r, const char *kind, prompt_fn *fn, void *ctx,
                  struct err *e);
/* The target's live samples up to `until` that are not rejected, unordered. */
bool sample_kept_ids(struct store *s, int64_t target, int64_t until, ids *out,
                     struct err *e);
/* Samples, of whatever target, whose prompt changed after that decision, or
 * which came or went. */
bool sample_ids_changed(struct store *s, int64_t seq, ids *out,
                        struct err *e);
int64_t sample_last_id(struct store *s);
/* The target's samples that a judge scored, that wait and that nobody has
 * ordered, ascending: found from the scores, not among all that wait. */
bool sample_ids_to_rank(struct store *s, int64_t target, ids *out,
                        struct err *e);
int64_t sample_count_to_rank(struct store *s, int64_t target);

/* ---- Reading ------------------------------------------------------------ */

struct candidate {
    int64_t id, n, call, parent, born;
    enum source source;
    char *who;  /* the person, or the teacher's name; may be NULL */
    char *body; /* canonical answer */
    double judge; /* mean over the judge's scores, NAN where there are none */
};

struct score {
    int64_t candidate;
    char *aspect, *reason, *who;
    double value;
    bool judged; /* a job asked for it; else it was imported */
};

struct checked {
    struct check_result result;
    int64_t candidate;
};

struct sample {
    int64_t id, target, job, call, item, seed, line, chosen, born;
    int64_t prompt_text;
    enum status status;
    enum split split;
    bool live;
    char *origin, *prompt, *recipe, *teacher; /* prompt: canonical messages */
    int64_t recipe_version;
    VEC(struct candidate) candidates; /* those that answer this prompt */
    VEC(struct checked) checks;       /* the newest of each name */
    VEC(struct score) scores;
    char *tags, *note;
    int rating; /* 0: none */
    char order[128]; /* the person's order ("B A C=D"), "" where none */
    int64_t drawn;   /* demonstrations that its call drew */
};

/* Everything that a view shows of a sample. */
bool sample_get(struct store *s, int64_t id, struct sample *out,
                struct err *e);
void sample_free(struct sample *x);

/* What a sample that stands says of itself: its split, its origin and its
 * prompt's canonical messages (NULL where purged), which the caller frees. */
struct sample_told {
    enum split split;
    char *origin, *prompt;
};
bool sample_told(struct store *s, int64_t id, struct sample_told *out,
                 struct err *e);
/* Status and split alone. */
bool sample_state(struct store *s, int64_t id, enum status *status,
                  enum split *split, struct err *e);

/* False where a check failed the k-th candidate. */
bool sample_passes(const struct sample *x, int k);

/* Whether the look at prompts near its own was approximate. */
bool sample_is_approximate(const struct sample *x);

/* The index of the answer that stands for the sample where nobody names one:
 * the chosen one; else the newest human edit unless it is empty; else, of those
 * that are not empty and whose checks pass, the one with the best judge mean,
 * or the first. -1 where there is none. */
int sample_choice(const struct sample *x);

/* Whether a check failed the prompt that item `item` of a call brought. */
bool sample_prompt_fell(struct store *s, int64_t call, int64_t item);

/* The candidate that item `item` of a call brought, 0 where it brought none. */
int64_t candidate_made_by(struct store *s, int64_t call, int64_t item);

/* The index of the candidate that a screen opens with: the choice, else the
 * first. -1 where there are none. */
int sample_opens_with(const struct sample *x);

/* Whether the checks leave nothing of it: its prompt fails, or it has answers
 * and none passes. *by is the check that it falls by. */
bool sample_falls(const struct sample *x, enum check *by);

/* One row of a queue. */
struct sample_row {
    int64_t id;
    enum status status;
    double near, judge;  /* NAN where there is none */
    bool approximate;    /* near is */
    int warnings;        /* checks that warned or failed, hidden text too */
    char recipe[24];
    char *first_line;    /* of the last user message; the caller frees */
};
bool sample_row_get(struct store *s, int64_t id, struct sample_row *out);

#endif
