/* What demo.c and arms.c share: one tour of the demonstration. */
#ifndef DEMO_TOUR_H
#define DEMO_TOUR_H

#include "base/rng.h"
#include "demo/demo.h"
#include "demo/marks.h"
#include "store/target.h"

#define DEMO_WHO "demo"

struct tour {
    struct store *s;
    const struct demo_form *f;
    struct demo_result *out;
    int64_t target, seed;
    char *name;         /* of the target */
    char *dir;          /* a folder for files that no store holds */
    struct rng rng;
    ids all;            /* samples with an answer */
    mark_list marks;    /* of their first answers, by place in `all` */
    bool *kept;         /* what the curator accepted, by place */
    int64_t n_kept;
    mark_list held[DEMO_SETS]; /* the problems */
};

extern const char *const demo_sets[DEMO_SETS]; /* "H1" ... */

/* Tells where the tour is. */
void tour_say(const struct tour *t, int act, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Waits for a job or run to end, telling; false where it did not end well or
 * a signal came (then it is stopped first). */
bool tour_wait(const struct tour *t, int act, const char *dir,
               const char *what, struct err *e);

/* Adds right and wrong. */
void demo_count(struct demo_share *s, const mark_list *m);

/* Brings a seeds file into a target of that name, which is made with the
 * shipped document where it is not there; its id, 0 on failure. */
int64_t demo_fill(struct store *s, const char *target, bool as_samples,
                  struct err *e);

/* Trains and judges one arm, and takes back what it did to the journal. */
bool tour_arm(struct tour *t, enum demo_arm a, struct err *e);

#endif
