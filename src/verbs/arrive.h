/* What a reply's items become: samples, candidates, scores, and calls of the
 * next step. Each reply is one decision of kind arrive; what a check fails
 * arrives rejected, by a decision of `check` beside it.
 */
#ifndef VERBS_ARRIVE_H
#define VERBS_ARRIVE_H

#include "verbs/near.h"
#include "verbs/plan.h"

struct groups; /* items that wait for others, see arrival.h */

struct arrivals {
    struct store *s;
    struct job job;
    struct recipe *r;
    struct target_words words;
    int64_t answers;           /* each */
    struct near_prompts *near; /* NULL where the recipe makes no prompts */
    struct groups *groups;     /* NULL: to be read from the store */
    struct arrived n;          /* since the job began, in other lives too */
    int64_t unparsed;
};

/* Loads the job, its recipe as it was used, its target, the prompts that new
 * ones are held against and the counts. arrivals_close also after a
 * failure. */
bool arrivals_open(struct arrivals *v, struct store *s, int64_t job,
                   struct err *e);
void arrivals_close(struct arrivals *v);

/* Reads the replies of calls whose reply is stored (state sent), learns of
 * those that ended without one, and writes what they bring: one decision a
 * reply, all in one transaction. Each call's state becomes answered or
 * unparsed. What asks nobody is worked out, and groups that are whole go on.
 * All answers of a sample are checked; it falls, by a decision of `check`,
 * only when its prompt fails or no answer is left that passes, and stands up
 * again when one comes; what a person decided stands. The ids of calls that
 * were planned are appended. On failure nothing was written. */
bool arrive(struct arrivals *v, const ids *calls, const ids *dead,
            ids *planned, struct err *e);

/* Whether a call that came to nothing would be asked again for nothing: its
 * step makes nothing itself, and all that its items could join are groups that
 * have gone on. False where that cannot be told. */
bool arrive_too_late(struct arrivals *v, const struct call *c);

#endif
