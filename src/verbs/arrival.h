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
    ids *worked; /* calls of steps that ask nobody: to be taken in */
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

/* What a call is planned from: its parameters' common part, and the place of
 * it among its siblings. */
struct call_plan {
    const struct recipe_step *step;
    const struct recipe_bindings *b; /* without the target's words */
    const struct asked *asked;
    int64_t from_call, from_item, seed; /* seed: of what it came from */
    double temperature;                 /* NAN: not said */
    enum split split;
    const char *items, *candidates; /* JSON lists of a group, or NULL */
    const struct recipe_item *each; /* what it goes through; NULL: nothing */
    bool back; /* what it is planned for goes back for another pass */
};

/* Adds the calls of a step for one thing: for each of its lists' values, as
 * often as it says. seed is that of the first, `place` counts them. */
bool plan_calls_for(struct arrivals *v, const struct call_plan *p,
                    int64_t *place, ids *planned, ids *worked,
                    struct err *e);

/* Adds one call; its id is appended to planned, or to worked where the step
 * asks nobody: it is done at once. */
bool plan_call(struct arrivals *v, const struct call_plan *p, ids *planned,
               ids *worked, struct err *e);

/* ---- Items that go on together ------------------------------------------- */

/* ---- Checks of what comes, for a call that is only tried as well --------- */

/* The rules for a prompt that a step makes; the target's own limit of near
 * comes first. Looks a new prompt up in the index, where its step asks for
 * that. Runs the rules with what near found of it. */
struct check_list prompt_rules(const struct arrivals *v,
                               const struct recipe_step *s);
struct near_found look_near(struct arrivals *v, const struct check_list *l,
                            const char *prompt);
size_t check_prompt(struct check_list *l, const char *prompt,
                    const struct near_found *w, struct check_result *out);

/* The answer that is made, borrowed. */
struct message said_by(const struct made *m);

/* An answer to a prompt; `sample`: the one that it joins, 0: none. */
struct answer_made {
    const struct recipe_step *step;
    const struct chat *prompt;
    const struct message *said;
    const char *finish;
    int64_t sample;
};

/* Runs the checks that its steps list, and counts it. */
size_t check_answer(struct arrivals *v, const struct answer_made *m,
                    struct check_result *out);

/* What waits, for each step that takes items together, as the store has it. */
struct groups *groups_load(struct arrivals *v, struct err *e);
void groups_free(struct groups **g);

/* A call was planned for what the chain holds; one ended; one brought an item,
 * which may go back for another pass: false where its group has gone on
 * already. */
void groups_planned(struct groups *g, const struct recipe_step *s,
                    const struct recipe_chain *c);
void groups_ended(struct groups *g, const struct recipe_step *s,
                  const struct recipe_chain *c);
bool groups_item(struct groups *g, const struct recipe_chain *item,
                 bool goes_back);

/* Whether one waits for nothing more; hands those on, in the order of steps,
 * up to the first that was worked out here. */
bool groups_ready(const struct groups *g);
bool groups_hand_on(struct arrivals *v, ids *planned, ids *worked,
                    struct err *e);

#endif
