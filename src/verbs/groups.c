/* Items that go on together. A group are the items of a step that have a field
 * from the same item above them; it is handed on when no call that could bring
 * another one is on its way. All of it can be read from the store: what stands
 * here is what the calls of the job say.
 */
#include <math.h>
#include <stdlib.h>

#include "base/lang.h"
#include "store/sample.h"
#include "verbs/arrival.h"

struct member {
    int64_t call, item;
};

/* Those of one step that came from one item (call, index), or from one seed or
 * sample (its id, and 0). */
struct group {
    int64_t call, index;
    size_t waits; /* calls that may bring more */
    bool handed;
    VEC(struct member) items;
};

struct gathering {
    const struct recipe *r;
    const struct recipe_step *step;
    VEC(struct group) groups; /* in the order in which they began */
};

struct groups {
    VEC(struct gathering) at; /* in the order of the steps */
};

void groups_free(struct groups **g)
{
    if (!*g)
        return;
    for (size_t i = 0; i < (*g)->at.n; i++) {
        struct gathering *x = &(*g)->at.at[i];
        for (size_t k = 0; k < x->groups.n; k++)
            VEC_FREE(&x->groups.at[k].items);
        VEC_FREE(&x->groups);
    }
    VEC_FREE(&(*g)->at);
    free(*g);
    *g = NULL;
}

/* Whether what a step brings can lead to items of another one, through the
 * steps that live on it and those that it goes back to. `seen` has a bit for
 * each step that was looked at. */
static bool leads(const struct recipe *r, const struct recipe_step *s,
                  const struct recipe_step *to, unsigned *seen)
{
    unsigned bit = 1u << (s - r->steps);
    if (s == to)
        return true;
    if (*seen & bit)
        return false;
    *seen |= bit;
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct recipe_step *t = &r->steps[i];
        if ((t->from == s || t->repeat.from == s) && leads(r, t, to, seen))
            return true;
    }
    return false;
}

/* Whether a call of step `s` can lead to items of the gathering: not one of
 * the step that gives the field, with whose items groups begin. */
static bool leads_to(const struct gathering *x, const struct recipe_step *s)
{
    unsigned seen = 0;
    return s != x->step->giver && leads(x->r, s, x->step->from, &seen);
}

/* The group of what a chain holds, begun where it is new; NULL where what
 * gives the field is not in the chain. */
static struct group *group_of(struct gathering *x,
                              const struct recipe_chain *c)
{
    while (c && c->step != x->step->giver)
        c = c->up;
    if (!c)
        return NULL;
    int64_t index = c->step ? (int64_t)c->item->index : 0;
    for (size_t i = x->groups.n; i > 0; i--)
        if (x->groups.at[i - 1].call == c->id &&
            x->groups.at[i - 1].index == index)
            return &x->groups.at[i - 1];
    VEC_PUSH(&x->groups, ((struct group){.call = c->id, .index = index}));
    return &x->groups.at[x->groups.n - 1];
}

void groups_planned(struct groups *g, const struct recipe_step *s,
                    const struct recipe_chain *c)
{
    for (size_t i = 0; i < g->at.n; i++) {
        struct gathering *x = &g->at.at[i];
        struct group *k = leads_to(x, s) ? group_of(x, c) : NULL;
        if (k)
            k->waits++;
    }
}

void groups_ended(struct groups *g, const struct recipe_step *s,
                  const struct recipe_chain *c)
{
    for (size_t i = 0; i < g->at.n; i++) {
        struct gathering *x = &g->at.at[i];
        struct group *k = leads_to(x, s) ? group_of(x, c) : NULL;
        if (k && k->waits)
            k->waits--;
    }
}

/* In the order of their calls, whichever came first. */
static void add_member(struct group *k, int64_t call, int64_t item)
{
    size_t at = k->items.n;
    if (at < RECIPE_GROUP)
        VEC_PUSH(&k->items, ((struct member){call, item}));
    for (; at && k->items.at[at - 1].call > call; at--)
        if (at < k->items.n)
            k->items.at[at] = k->items.at[at - 1];
    if (at < k->items.n)
        k->items.at[at] = (struct member){call, item};
}

bool groups_item(struct groups *g, const struct recipe_chain *item,
                 bool goes_back)
{
    bool in_time = true;
    for (size_t i = 0; i < g->at.n; i++) {
        struct gathering *x = &g->at.at[i];
        struct group *k = x->step->from == item->step &&
                                  !(x->step->last && goes_back) &&
                                  recipe_passes(&x->step->where, item)
                              ? group_of(x, item)
                              : NULL;
        in_time = in_time && !(k && k->handed);
        if (k)
            add_member(k, item->id, (int64_t)item->item->index);
    }
    return in_time;
}

/* ---- As the store has it ------------------------------------------------- */

/* The items of a call that ended, and the group that it was itself. */
static bool load_ended(struct arrivals *v, struct groups *g,
                       const struct call *c, const struct call_chain *from,
                       struct err *e)
{
    const struct recipe_step *s = &v->r->steps[c->step - 1];
    struct recipe_items items = {0};
    bool read = c->state == CALL_ANSWERED || c->state == CALL_WORKED;
    bool ok = !read || call_items(v->s, v->r, c, &items, e);
    for (size_t i = 0; ok && i < items.n; i++) {
        struct recipe_chain it = {s, &items.at[i], from->b.chain, NULL,
                                  c->id};
        if (!recipe_makes(s, SINK_SAMPLE) ||
            !sample_prompt_fell(v->s, c->id, (int64_t)items.at[i].index))
            groups_item(g, &it, recipe_repeats(v->r, &it));
    }
    recipe_items_free(&items);
    return ok;
}

static void mark_handed(struct groups *g, const struct recipe_step *s,
                        const struct recipe_chain *c)
{
    for (size_t i = 0; i < g->at.n; i++) {
        struct group *k = g->at.at[i].step == s
                              ? group_of(&g->at.at[i], c)
                              : NULL;
        if (k)
            k->handed = true;
    }
}

static bool load_call(struct arrivals *v, struct groups *g, int64_t id,
                      struct err *e)
{
    struct call c;
    struct call_chain from = {.n = 0};
    if (!call_get(v->s, id, &c, e))
        return false;
    const struct recipe_step *s = &v->r->steps[c.step - 1];
    bool matters = s->by != NULL;
    for (size_t i = 0; i < g->at.n; i++)
        matters = matters || leads_to(&g->at.at[i], s);
    bool ok = !matters || call_chain_load(v->s, v->r, &c, &from, e);
    if (ok && matters && s->by)
        mark_handed(g, s, from.b.chain);
    if (ok && matters && (c.state == CALL_PLANNED || c.state == CALL_SENT))
        groups_planned(g, s, from.b.chain);
    else if (ok && matters)
        ok = load_ended(v, g, &c, &from, e);
    call_chain_free(&from);
    call_free(&c);
    return ok;
}

struct groups *groups_load(struct arrivals *v, struct err *e)
{
    struct groups *g = xcalloc(1, sizeof *g);
    ids calls = {0};
    for (size_t i = 0; i < v->r->n_steps; i++)
        if (v->r->steps[i].by)
            VEC_PUSH(&g->at, ((struct gathering){.r = v->r,
                                              .step = &v->r->steps[i]}));
    bool ok = !g->at.n || call_newest(v->s, v->job.id, &calls, e);
    for (size_t i = 0; ok && i < calls.n; i++)
        ok = load_call(v, g, calls.at[i], e);
    VEC_FREE(&calls);
    if (!ok)
        groups_free(&g);
    return g;
}

/* ---- Handing on ---------------------------------------------------------- */

/* The candidate that stands for a member: the nearest that was made of it. */
static int64_t candidate_of(struct store *s, const struct recipe_chain *c)
{
    for (; c && c->step; c = c->up) {
        bool makes = recipe_makes(c->step, SINK_CANDIDATE) ||
                     recipe_makes(c->step, SINK_SAMPLE);
        if (makes)
            return candidate_made_by(s, c->id, (int64_t)c->item->index);
    }
    return 0;
}

/* The group's members and their candidates as JSON lists. */
static void print_members(struct arrivals *v, const struct group *k,
                          const struct call_chain *x, struct buf *items,
                          struct buf *candidates)
{
    for (size_t i = 0; i < x->b.n_candidates; i++) {
        buf_printf(items, "%s[%lld,%lld]", i ? "," : "[",
                   (long long)k->items.at[i].call,
                   (long long)k->items.at[i].item);
        buf_printf(candidates, "%s%lld", i ? "," : "[",
                   (long long)candidate_of(v->s, x->group[i]));
    }
    buf_putc(items, ']');
    buf_putc(candidates, ']');
}

/* The prompt that stands above the whole group. */
static struct asked asked_of(const struct recipe_step *s,
                             const struct call *first, const json *params)
{
    const struct recipe_step *maker = recipe_maker(s->from);
    struct asked k = asked_read(first, params);
    if (maker && maker != recipe_maker(s) && maker != s->giver)
        return (struct asked){.text = 0}; /* each has its own */
    return k;
}

/* The chain of what the whole group came from. */
static void bind_above(const struct recipe_step *s, struct call_chain *x)
{
    const struct recipe_chain *c = x->group[0];
    while (c && c->step != s->giver)
        c = c->up;
    x->b.chain = c;
}

static bool plan_group(struct arrivals *v, const struct recipe_step *s,
                       const struct group *k, struct call_chain *x,
                       const struct call *first, ids *planned, ids *worked,
                       struct err *e)
{
    struct buf items = BUF_INIT(0), candidates = BUF_INIT(0);
    json *params = json_parse(first->params, strlen(first->params), e);
    struct asked asked = asked_of(s, first, params);
    struct call_plan p = {
        .step = s, .b = &x->b, .asked = &asked, .from_call = first->id,
        .from_item = k->items.at[0].item,
        .split = (enum split)json_get_int(params, "split", SPLIT_TRAIN),
        .temperature = json_get_number(params, "temperature", NAN)};
    int64_t place = 0;
    print_members(v, k, x, &items, &candidates);
    p.items = buf_str(&items);
    p.candidates = buf_str(&candidates);
    p.seed = json_get_int(params, "seed", 1) + 2;
    bool ok = params && plan_calls_for(v, &p, &place, planned, worked, e);
    json_free(params);
    buf_free(&items);
    buf_free(&candidates);
    return ok;
}

static bool hand_on(struct arrivals *v, const struct recipe_step *s,
                    const struct group *k, ids *planned, ids *worked,
                    struct err *e)
{
    struct call first;
    struct call_chain x = {.n = 0};
    if (!call_get(v->s, k->items.at[0].call, &first, e))
        return false;
    bool ok = true;
    x.members = xcalloc(k->items.n, sizeof *x.members);
    for (size_t i = 0; ok && i < k->items.n; i++) {
        x.n_members++;
        ok = item_chain_load(v->s, v->r, k->items.at[i].call,
                             k->items.at[i].item, &x.members[i], e);
    }
    if (ok) {
        call_chain_group(s, k->items.n, &x);
        bind_above(s, &x);
        ok = plan_group(v, s, k, &x, &first, planned, worked, e);
    }
    call_chain_free(&x);
    call_free(&first);
    return ok;
}

bool groups_ready(const struct groups *g)
{
    for (size_t i = 0; i < g->at.n; i++)
        for (size_t n = 0; n < g->at.at[i].groups.n; n++)
            if (!g->at.at[i].groups.at[n].waits &&
                !g->at.at[i].groups.at[n].handed)
                return true;
    return false;
}

bool groups_hand_on(struct arrivals *v, ids *planned, ids *worked,
                    struct err *e)
{
    for (size_t i = 0; i < v->groups->at.n; i++) {
        struct gathering *x = &v->groups->at.at[i];
        for (size_t n = 0; n < x->groups.n; n++) {
            struct group *k = &x->groups.at[n];
            if (k->waits || k->handed)
                continue;
            k->handed = true;
            if (k->items.n >= x->step->at_least &&
                !hand_on(v, x->step, k, planned, worked, e))
                return false;
            if (worked->n) /* what it brings comes before the next step */
                return true;
        }
    }
    return true;
}

/* Whether the group that a step takes of what a chain holds has gone on. */
static bool has_gone_on(struct groups *g, const struct recipe_step *s,
                        const struct recipe_chain *c)
{
    for (size_t i = 0; i < g->at.n; i++) {
        struct group *k = g->at.at[i].step == s
                              ? group_of(&g->at.at[i], c)
                              : NULL;
        if (k)
            return k->handed;
    }
    return false;
}

bool arrive_too_late(struct arrivals *v, const struct call *c)
{
    struct call_chain x = {.n = 0};
    struct err e = {0};
    if (!v->groups)
        v->groups = groups_load(v, &e);
    if (!v->groups || c->step < 1 || c->step > (int64_t)v->r->n_steps)
        return false;
    const struct recipe_step *s = &v->r->steps[c->step - 1];
    bool late = !s->n_makes && call_chain_load(v->s, v->r, c, &x, &e);
    for (size_t i = 0; late && i < v->r->n_steps; i++) {
        const struct recipe_step *t = &v->r->steps[i];
        if (t->repeat.from == s || (t->from == s && !t->by))
            late = false;
        else if (t->from == s)
            late = has_gone_on(v->groups, t, x.b.chain);
    }
    call_chain_free(&x);
    return late;
}
