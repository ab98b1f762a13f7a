/* Eliciting: the job that asks a teacher. Planning writes the job and its
 * calls; the body, in a process of its own, asks them, keeps every reply as
 * it came, reads it, runs the checks and lets the items arrive.
 */
#ifndef VERBS_ELICIT_H
#define VERBS_ELICIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/job.h"
#include "store/target.h"

/* What the Expand form says. */
struct expand {
    int64_t target;
    const char *recipe, *teacher;
    int split;          /* enum split; -1: every split */
    int64_t prompts;    /* new prompts asked for (expand), or inputs (label),
                           or samples (rank); 0: as many as there are */
    int64_t answers;    /* each */
    double temperature; /* NAN: the recipe's own */
    double spend_max;   /* NAN: no limit */
    uint64_t seed;      /* of the draws */
    const ids *picked;  /* these seeds only; NULL: all */
};

/* What the form shows before anything is paid. */
struct estimate {
    int64_t calls_first, calls_then, tokens_in, tokens_out;
    double cost; /* at the teacher's prices */
    char *first_prompt; /* rendered, as text; the caller frees */
    int64_t first_tokens;
    int64_t jobs; /* earlier ones that say what follows; 0: nothing does */
    double seconds;
    int64_t will_pass; /* of the answers; -1: none came before */
};

/* Renders the first prompt and reckons calls, tokens and cost: by what
 * earlier calls of the recipe came to at this teacher, else by the lengths of
 * prompts and seeds. Changes nothing. */
bool verb_estimate(struct store *s, const struct expand *x,
                   struct estimate *out, struct err *e);

/* Writes the job with its planned calls and draws, as one decision of kind
 * arrive. Returns its id, 0 on failure. */
int64_t verb_plan(struct store *s, const char *who, const struct expand *x,
                  struct err *e);

/* Writes the job alone: its process plans the calls, so that a screen does not
 * wait for them. Returns its id, 0 on failure. */
int64_t verb_add_job(struct store *s, const char *who,
                     const struct expand *x, struct err *e);

/* The body: runs in the job's process until everything is asked. The store is
 * the process's own. Returns its exit code. */
int verb_run_job(struct store *s, int64_t job);

#endif
