/* Withdrawing: what a job or an import brought is taken out of sight as one
 * decision that undo takes back. Nothing is deleted. */
#ifndef VERBS_WITHDRAW_H
#define VERBS_WITHDRAW_H

#include "verbs/decide.h"

/* What went: samples and seeds, answers to samples that stay, and the
 * decision. */
struct withdrawn {
    int64_t objects, answers, seq;
};

/* All live samples and seeds of the job, and its answers to other samples.
 * Refused where one of those answers has been accepted since. */
enum decided verb_withdraw_job(struct store *s, const char *who, int64_t job,
                               struct withdrawn *out, struct err *e);

/* The live samples and seeds that decision `arrival` brought, and the answers
 * that it added to samples that stood. Refused as above. */
enum decided verb_withdraw_arrival(struct store *s, const char *who,
                                   int64_t arrival, struct withdrawn *out,
                                   struct err *e);

#endif
