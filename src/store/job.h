/* Jobs, their calls and what each call drew. A call is committed as sent
 * before its request leaves, and its reply is committed before it is parsed.
 * These rows are a log, not decisions: they are written inside store_begin.
 */
#ifndef STORE_JOB_H
#define STORE_JOB_H

#include "base/lang.h"
#include "domain/check.h"
#include "store/journal.h"
#include "store/target.h"

struct job {
    int64_t id, target, recipe, started, ended, recipe_version;
    double spend_max; /* NAN: no limit */
    bool live;
    char *kind;       /* "expand", "rank", "import", "bulk", "undo" */
    char *recipe_name, *teacher, *who, *args; /* args: JSON of the form */
    char *state;      /* "running", "done", "stopped", "failed" */
};

void job_free(struct job *j);

/* Adds a job in state running with the fields of `j` (id is ignored); its id,
 * 0 on failure. Inside store_begin or an act. */
int64_t job_add(struct store *s, const struct job *j, struct err *e);
bool job_get(struct store *s, int64_t id, struct job *out, struct err *e);
/* Sets state (and ended, where it is over). Inside store_begin. */
bool job_set_state(struct store *s, int64_t id, const char *state,
                   struct err *e);
/* Moves it to a target's list. Inside store_begin or an act. */
bool job_set_target(struct store *s, int64_t id, int64_t target,
                    struct err *e);
/* Newest first, of one target or (0) all. */
bool job_ids(struct store *s, int64_t target, ids *out, struct err *e);
/* Those that run, as far as the store knows. */
bool job_ids_running(struct store *s, ids *out, struct err *e);
int64_t job_last_id(struct store *s);

/* Those of a target, recipe and teacher that are done, newest first, at most
 * n. */
bool job_ids_done(struct store *s, int64_t target, const char *recipe,
                  const char *teacher, size_t n, ids *out, struct err *e);

/* The recipe's row for this file text, added where it is new. Inside
 * store_begin or an act; 0 on failure. */
int64_t recipe_row(struct store *s, const char *name, int64_t version,
                   const char *file, struct err *e);

/* The file of a recipe as it was used; the caller frees. NULL where there is
 * none. */
char *recipe_file(struct store *s, int64_t recipe);

/* The states of a call, as the design names them; one that was worked out is
 * of a step that asks nobody. */
#define CALL_STATES(X)                                                        \
    X(PLANNED, "planned") X(SENT, "sent") X(ANSWERED, "answered")             \
    X(UNPARSED, N_("unparsed")) X(FAILED, "failed") X(LOST, "lost")           \
    X(CANCELLED, "cancelled") X(WORKED, N_("worked out"))
#define CALL_ID(id, name) CALL_##id,
enum call_state { CALL_STATES(CALL_ID) CALL_STATE_COUNT };
#undef CALL_ID
const char *call_state_name(enum call_state c);

struct call {
    int64_t id, job, step, n, attempt, from_call, from_item, sample;
    int64_t prompt_text, reply_text, answer_text, thinking_text;
    enum call_state state;
    int http;
    int64_t tokens_in, tokens_out, ms, at;
    double cost;
    char *params, *trouble, *finish;
};

void call_free(struct call *c);

/* Adds a planned call (job, step, n, attempt, from_*, sample, prompt_text,
 * params are read); its id, 0 on failure. */
int64_t call_add(struct store *s, const struct call *c, struct err *e);
bool call_get(struct store *s, int64_t id, struct call *out, struct err *e);
bool call_set_state(struct store *s, int64_t id, enum call_state state,
                    struct err *e);
/* Writes what came back: state, http, reply, answer, trouble, usage, cost,
 * ms, finish. */
bool call_finish(struct store *s, const struct call *c, struct err *e);

/* The calls of a job's (step, n), one an attempt, in order. */
bool call_attempts(struct store *s, const struct call *c, ids *out,
                   struct err *e);
/* The live samples that a call brought or gave an answer to. */
bool call_samples(struct store *s, int64_t call, ids *out, struct err *e);
/* Ids of all of a job's calls, in their order. */
bool call_all(struct store *s, int64_t job, ids *out, struct err *e);
/* Ids of a job's calls in a state, in order (step, n, attempt), at most n. */
bool call_ids(struct store *s, int64_t job, enum call_state state, size_t n,
              ids *out, struct err *e);
/* The newest attempts of all of a job's calls, in the order of steps. */
bool call_newest(struct store *s, int64_t job, ids *out, struct err *e);
/* Calls of a job that came to nothing and can be asked anew: failed, lost,
 * cancelled, and unparsed where `unparsed`; only the newest attempt of each
 * (step, n). */
bool call_ids_to_repeat(struct store *s, int64_t job, bool unparsed, ids *out,
                        struct err *e);

struct call_counts {
    int64_t by_state[CALL_STATE_COUNT]; /* the newest attempt of each */
    int64_t total; /* of those that are asked: without what was worked out */
    int64_t tokens_in, tokens_out; /* of all attempts */
    double cost, dearest; /* of all attempts, of the dearest of them */
};
void call_counts(struct store *s, int64_t job, struct call_counts *out);

/* Why calls came to nothing or could not be read, the same reasons counted
 * together. */
struct call_reason {
    enum call_state state; /* failed, lost or unparsed */
    int64_t n;
    char *text; /* "" where nothing is known; the caller frees */
};
/* At most `most` of them, the commonest of each state first. */
size_t call_reasons(struct store *s, int64_t job, struct call_reason *out,
                    size_t most);

/* What answered calls of a step took on average, over the newest 200 of a
 * target, recipe and teacher. */
struct call_means {
    int64_t n, tokens_in, tokens_out;
};
void call_means(struct store *s, int64_t target, const char *recipe,
                const char *teacher, int64_t step, struct call_means *out);
/* The share of the `wanted` items of each first call that went on to a second
 * step, in the earlier jobs of a target and recipe; 1 where there were none. */
double job_yield(struct store *s, int64_t target, const char *recipe,
                 int64_t wanted);

/* Whether a job's recipe makes prompts of what it draws; how many samples it
 * made that stand: live, and not rejected. */
bool job_draws(struct store *s, int64_t job);
int64_t job_made(struct store *s, int64_t job);
/* How many of its samples a person or a check has decided on. */
int64_t job_decided(struct store *s, int64_t job);
/* How many inputs the calls of a recipe that takes them as they are have. */
int64_t job_inputs(struct store *s, int64_t job);
/* What a job's replies brought: prompts and answers. found is passed and
 * failed together; what warned has passed. */
struct arrived {
    int64_t found, passed, failed, warned;
    int64_t repeated; /* prompts that stood already: their answers join them */
    int64_t fails[CHECK_COUNT], warns[CHECK_COUNT]; /* by check: the first
                            that failed a prompt or answer; all that warned */
};
/* Adds one prompt or answer with the n checks that were run on it. */
void arrived_add(struct arrived *a, const struct check_result *checks,
                 size_t n);
/* Counts them from the store (all but `repeated`); `prompts` where the job's
 * recipe makes prompts. */
void job_arrived(struct store *s, int64_t job, bool prompts,
                 struct arrived *out);

/* The next free n of a step. */
int64_t call_next_n(struct store *s, int64_t job, int64_t step);

/* Records that a call drew a seed or a sample (the other is 0). */
bool draw_add(struct act *a, int64_t call, const char *role, int64_t seed,
              int64_t sample, struct err *e);

struct drawn {
    char role[20];
    int64_t seed, sample;
};
/* What a call drew (in whichever attempt), in order; at most n. */
size_t draws_of(struct store *s, int64_t call, struct drawn *out, size_t n);

#endif
