/* Starting what outlives the program that asks for it: a job in a process of
 * its own, a training in the model program's. Both begin anew or go on where
 * they were interrupted.
 */
#ifndef VERBS_LAUNCH_H
#define VERBS_LAUNCH_H

#include <stddef.h>

#include "store/store.h"
#include "verbs/train.h"

/* Starts the job's process (or goes on with an interrupted one); `again` also
 * asks anew what failed, was lost or could not be parsed. */
bool verb_start_job(struct store *s, int64_t job, bool again, struct err *e);

/* Starts the training of a recorded run whose rows stand in its folder;
 * `resume` goes on from its last checkpoint. The store is not told. */
bool launch_run(struct store *s, int64_t run, bool resume, struct err *e);

/* What `stillroom-model train` is told of a training, but for its files. The
 * words point into the struct itself. */
struct train_words {
    char seed[24], amount[24], lora[24], rate[40];
    const char *at[8];
    size_t n;
};
void train_words(const struct train *t, struct train_words *out);

#endif
