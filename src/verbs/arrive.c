#include "verbs/arrive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "verbs/arrival.h"

/* ---- Opening ------------------------------------------------------------ */

static bool makes_prompts(const struct recipe *r)
{
    for (size_t i = 0; i < r->n_steps; i++)
        if (recipe_makes(&r->steps[i], SINK_SAMPLE))
            return true;
    return false;
}

bool arrivals_open(struct arrivals *v, struct store *s, int64_t job,
                   struct err *e)
{
    *v = (struct arrivals){.s = s};
    if (!job_get(s, job, &v->job, e))
        return false;
    char *file = recipe_file(s, v->job.recipe);
    json *args = json_parse(v->job.args, strlen(v->job.args), NULL);
    v->answers = json_get_int(args, "answers", 1);
    json_free(args);
    v->r = file ? recipe_load(file, strlen(file), e) : NULL;
    free(file);
    if (!v->r || !target_words_load(s, v->job.target, &v->words, e))
        return false;
    job_arrived(s, job, makes_prompts(v->r), &v->n);
    if (makes_prompts(v->r))
        v->near = near_prompts_new(s, v->job.target, job);
    return true;
}

void arrivals_close(struct arrivals *v)
{
    job_free(&v->job);
    recipe_free(&v->r);
    if (v->words.doc)
        target_words_free(&v->words);
    near_prompts_free(&v->near);
    groups_free(&v->groups);
}

/* ---- One reply ---------------------------------------------------------- */

static bool take_item(struct arrival *x, const struct recipe_item *item,
                      struct err *e)
{
    struct arriving it = {.item = item, .asked = x->asked};
    it.chain = (struct recipe_chain){x->step, item, x->chain.b.chain, NULL,
                                     x->call.id};
    if (recipe_asks(x->step) && !recipe_feeds(x->v->r, x->step))
        return true; /* a copy of old may have nobody to answer it */
    return sink_item(x, &it, e) && (it.fell || feed(x, &it, e));
}

static bool take_items(struct arrival *x, struct recipe_items *items,
                       struct err *e)
{
    for (size_t i = 0; i < items->n; i++)
        if (!take_item(x, &items->at[i], e))
            return false;
    groups_ended(x->v->groups, x->step, x->chain.b.chain);
    return settle_all(x, e);
}

static bool open_call(struct arrival *x, int64_t call, struct err *e)
{
    const struct recipe *r = x->v->r;
    if (!call_get(x->v->s, call, &x->call, e) ||
        !call_chain_load(x->v->s, r, &x->call, &x->chain, e))
        return false;
    x->step = &r->steps[x->call.step - 1];
    x->params = json_parse(x->call.params, strlen(x->call.params), e);
    x->split = (enum split)json_get_int(x->params, "split", SPLIT_TRAIN);
    x->asked = asked_read(&x->call, x->params);
    return x->params != NULL;
}

/* What was asked for and is not there: the first sentence, and how many. */
static char *say_missing(const struct recipe_items *items)
{
    size_t more = items->n_missing - 1;
    if (!more)
        return xstrdup(items->missing[0]);
    return xasprintf(P_("%s; and %zu more", "%s; and %zu more", more),
                     items->missing[0], more);
}

/* What the call came to by its items, and what of it is missing; what was
 * worked out stays so. */
static void close_call(struct arrival *x, const struct recipe_items *items)
{
    if (x->call.state == CALL_WORKED)
        return;
    x->call.state = items->n ? CALL_ANSWERED : CALL_UNPARSED;
    x->v->unparsed += !items->n;
    if (items->n && !items->n_missing)
        return;
    free(x->call.trouble);
    x->call.trouble = items->n_missing ? say_missing(items)
                                       : xstrdup(_("nothing was found"));
}

/* One reply inside the open act. */
static bool arrive_one(struct arrivals *v, struct act *a, int64_t call,
                       ids *planned, ids *worked, struct err *e)
{
    struct arrival x = {.v = v, .a = a, .planned = planned,
                        .worked = worked};
    struct recipe_items items = {0};
    bool ok = open_call(&x, call, e) &&
              call_items(v->s, v->r, &x.call, &items, e);
    if (ok) {
        close_call(&x, &items);
        ok = take_items(&x, &items, e) &&
             (x.call.state == CALL_WORKED || call_finish(v->s, &x.call, e));
    }
    recipe_items_free(&items);
    call_chain_free(&x.chain);
    VEC_FREE(&x.unsettled);
    VEC_FREE(&x.fates);
    json_free(x.params);
    call_free(&x.call);
    return ok;
}

/* ---- Many at once -------------------------------------------------------- */

/* The next decision of the job's, in the transaction that is open or opened
 * with it. */
static bool next_act(struct arrivals *v, struct act *a, struct err *e)
{
    return a->open ? act_next(a, "arrive", v->job.who, v->r->name, e)
                   : act_begin(v->s, a, "arrive", v->job.who, v->r->name, 0,
                               e);
}

static bool arrive_list(struct arrivals *v, struct act *a, const ids *calls,
                        ids *planned, ids *worked, struct err *e)
{
    for (size_t i = 0; i < calls->n; i++)
        if (!next_act(v, a, e) ||
            !arrive_one(v, a, calls->at[i], planned, worked, e) ||
            (v->near && near_prompts_failed(v->near)))
            return false;
    return true;
}

/* Calls that ended without a reply bring nothing to their groups. */
static bool note_dead(struct arrivals *v, const ids *dead, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < dead->n; i++) {
        struct call c;
        struct call_chain from = {.n = 0};
        if (!call_get(v->s, dead->at[i], &c, e))
            return false;
        ok = call_chain_load(v->s, v->r, &c, &from, e);
        if (ok)
            groups_ended(v->groups, &v->r->steps[c.step - 1], from.b.chain);
        call_chain_free(&from);
        call_free(&c);
    }
    return ok;
}

/* What was worked out arrives too, and groups that are whole go on, until
 * there is nothing left to do here. */
static bool go_on(struct arrivals *v, struct act *a, ids *planned,
                  ids *worked, struct err *e)
{
    for (;;) {
        ids now = *worked;
        *worked = (ids){0};
        bool ok = arrive_list(v, a, &now, planned, worked, e);
        VEC_FREE(&now);
        if (!ok)
            return false;
        if (worked->n)
            continue;
        if (!groups_ready(v->groups))
            return true;
        if ((!a->open && !next_act(v, a, e)) ||
            !groups_hand_on(v, planned, worked, e))
            return false;
    }
}

/* All of them in one transaction. */
static bool arrive_all(struct arrivals *v, const ids *calls, const ids *dead,
                       ids *planned, struct err *e)
{
    struct act a = {0};
    ids worked = {0};
    bool read = !v->groups; /* which knows of the dead */
    if (read && !(v->groups = groups_load(v, e)))
        return false;
    bool ok = arrive_list(v, &a, calls, planned, &worked, e) &&
              (read || note_dead(v, dead, e)) &&
              go_on(v, &a, planned, &worked, e);
    VEC_FREE(&worked);
    if (ok)
        return !a.open || act_saved(act_commit(&a, e));
    groups_free(&v->groups); /* they know of what was not written */
    act_cancel(&a);
    return false;
}

bool arrive(struct arrivals *v, const ids *calls, const ids *dead,
            ids *planned, struct err *e)
{
    struct arrivals was = *v;
    size_t before = planned->n;
    do {
        if ((!v->near || near_prompts_refresh(v->near, e)) &&
            arrive_all(v, calls, dead, planned, e))
            return true;
        v->n = was.n;
        v->unparsed = was.unparsed;
        planned->n = before;
    } while (v->near && near_prompts_failed(v->near));
    return false;
}
