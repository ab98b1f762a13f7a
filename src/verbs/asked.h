/* The prompt that a call answers or lives on, as it stands in the call's
 * parameters: which text it is, where it came from, and what near found of it.
 */
#ifndef VERBS_ASKED_H
#define VERBS_ASKED_H

#include "store/job.h"
#include "verbs/near.h"

struct asked {
    int64_t text;       /* of its messages; 0: there is no prompt */
    int64_t seed;       /* the seed that a made one counts for, 0: none */
    int64_t call, item; /* what made it; call 0: it was there */
    struct near_found near;
};

/* As a call has it. A call of a step that drew its input has no maker. */
struct asked asked_read(const struct call *c, const json *params);
/* Appends it to the parameters of a call. */
void asked_write(const struct asked *a, struct jw *w);

#endif
