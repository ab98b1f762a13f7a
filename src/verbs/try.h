/* One call of a plan, tried before the job is begun: it is asked and paid, its
 * reply is read and checked as the job would, and nothing is stored.
 */
#ifndef VERBS_TRY_H
#define VERBS_TRY_H

#include "verbs/elicit.h"

struct tried {
    char *prompt, *reply; /* as text; reply NULL: none came */
    char *why;            /* why it came to nothing; NULL: it did not */
    char *step;
    int http;
    int64_t ms, tokens_in, tokens_out; /* tokens -1: not said */
    double cost;
    struct arrived n; /* what the reply brings, by its checks */
};

/* Asks the first call of what the form says. False where there was none to
 * ask, or it could not be sent. tried_free in any case. */
bool verb_try(struct store *s, const struct expand *x, struct tried *out,
              struct err *e);
void tried_free(struct tried *t);

#endif
