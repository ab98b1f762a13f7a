/* One reply that arrives, between the files that take it in: arrive.c reads
 * it, sinks.c writes what becomes of its items, feed.c plans the calls that
 * live on them, settle.c decides what the checks leave. Not for others.
 */
#ifndef VERBS_ARRIVAL_H
#define VERBS_ARRIVAL_H

#include "verbs/arrive.h"
#include "verbs/asked.h"
#include "verbs/checks.h"
#include "verbs/call_chain.h"

struct arrival {
    struct arrivals *v;
    struct act *a;
    struct call call;
    const struct recipe_step *step;
    enum split split;
    json *params;
    struct asked asked;   /* the prompt that stands above the call */
    struct call_chain chain; /* what the call was made for */
    ids *planned;
    ids unsettled; /* samples whose status its checks may change */
    VEC(struct fate {
        int64_t sample;
        enum check by; /* CHECK_COUNT: it stands up again */
    }) fates;
};

/* An item of the reply, with the prompt that its next steps live on: the one
 * above, or the one that it is. */
struct arriving {
    const struct recipe_item *item;
    struct recipe_chain chain;
    struct asked asked;
    bool fell; /* its prompt failed: nothing is asked of it */
};

/* The sample's status may change by what its checks found. */
void unsettle(struct arrival *x, int64_t sample);
/* Decisions of `check` for those that were unsettled. */
bool settle_all(struct arrival *x, struct err *e);

/* Writes what the step makes of the item. */
bool sink_item(struct arrival *x, struct arriving *it, struct err *e);

/* Plans the calls of the steps that live on the item. */
bool feed(struct arrival *x, const struct arriving *it, struct err *e);

#endif
