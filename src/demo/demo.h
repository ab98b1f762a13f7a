/* The demonstration: the tour's six acts through the same verbs, without a
 * screen. The teacher is the built-in one, which errs on purpose; the curator
 * is a script that sees what a person sees. Each arm is a run of `nano` on
 * other rows from the same prompts, with the same number of answer tokens
 * under one tokenizer; students are judged on problems that never enter the
 * store.
 *
 *   everything  the first answer of every prompt, nothing rejected
 *   random      as many as curated, at random
 *   curated     what the curator accepted
 *   edits       curated, and the truth written into 5% of the rejected
 *   truth       the truth under every prompt
 *   seeds       the seeds alone, the one place where seeds are trained on
 *   faultless   the truth under as many prompts as the curator keeps of what is
 *               right: what curation gains with a teacher that never errs,
 *               beside truth
 */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* In the order in which they are trained: those that write edits last. */
#define DEMO_ARMS(X)                                                          \
    X(CURATED, "curated") X(EVERYTHING, "everything") X(RANDOM, "random")     \
    X(SEEDS, "seeds") X(EDITS, "edits") X(FAULTLESS, "faultless")             \
    X(TRUTH, "truth")
#define DEMO_ARM_ID(id, name) ARM_##id,
enum demo_arm { DEMO_ARMS(DEMO_ARM_ID) ARM_COUNT };
#undef DEMO_ARM_ID

/* Presets, from the grid in tests/bench/demo-grid.txt. N, the answer tokens of
 * one arm, takes some three minutes on two cores. */
#define DEMO_TOKENS 4500000
#define DEMO_PROMPTS 20000
#define DEMO_PROBLEMS 400

/* The held-out sets: problems; wordings too; templates of no training. */
enum { DEMO_H1, DEMO_H2, DEMO_H3, DEMO_SETS };

/* Told as it goes on; `act` is 1 to 6. */
typedef void demo_told(void *ctx, int act, const char *text);

struct demo_form {
    const char *store;    /* a new file, or NULL: a temporary folder that is
                             removed at the end */
    bool arms[ARM_COUNT];
    int64_t seeds;        /* tours, each with a target of its own */
    int64_t seed;         /* random seed of the first; the next adds one */
    int64_t tokens;       /* answer tokens of each run */
    int64_t prompts;      /* asked for, in each tour */
    int64_t problems;     /* of H1 and of H2, in each tour */
    demo_told *told;      /* NULL: nobody */
    void *ctx;
};

/* A share of right answers, over the problems of all tours. */
struct demo_share {
    int64_t right, n;                 /* n is 0 where it was not run */
    int64_t right_trigger, n_trigger; /* of them, those with a trigger */
};

/* One held-out set. */
struct demo_set {
    struct demo_share before, arm[ARM_COUNT], teacher, nearest;
};

/* Sums over all tours. */
struct demo_result {
    int64_t seeds, generated, accepted, rejected;
    struct demo_share precision, recall, triggered;
    struct demo_set set[DEMO_SETS];
    int64_t exported;
    double seconds;
};

/* Does it all. ERR_CANCEL after SIGINT or SIGTERM; what was started is stopped
 * first. */
bool verb_demo(const struct demo_form *f, struct demo_result *out,
               struct err *e);

/* Reads "everything,curated" or "all". */
bool demo_arms_parse(const char *text, bool arms[ARM_COUNT], struct err *e);
const char *demo_arm_name(enum demo_arm a);

/* Wilson's 95% interval of right out of n (Wilson 1927); n > 0. */
void demo_interval(int64_t right, int64_t n, double *low, double *high);

/* Appends the result as one JSON object, with H1 and H2; arms that were not
 * run are absent. */
void demo_print(const struct demo_result *r, struct buf *out);

/* The demonstration's own store, $XDG_DATA_HOME/stillroom/demo/demo.db, made
 * with its target and seeds where it is not there. The caller frees *path. */
bool demo_store(char **path, struct err *e);

#endif
