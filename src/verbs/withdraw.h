/* Withdrawing: what a job or an import brought is taken out of sight as one
 * decision that undo takes back. Nothing is deleted. */
#ifndef VERBS_WITHDRAW_H
#define VERBS_WITHDRAW_H

#include "verbs/decide.h"

/* All live samples and seeds of the job. *n of them; *seq is the decision. */
enum decided verb_withdraw_job(struct store *s, const char *who, int64_t job,
                               int64_t *n, int64_t *seq, struct err *e);

/* The live samples and seeds that decision `arrival` brought. */
enum decided verb_withdraw_arrival(struct store *s, const char *who,
                                   int64_t arrival, int64_t *n, int64_t *seq,
                                   struct err *e);

#endif
