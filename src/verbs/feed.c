/* The calls of the steps that live on an item. */
#include <math.h>
#include <stdlib.h>

#include "base/lang.h"
#include "store/text.h"
#include "verbs/arrival.h"

static bool call_params(struct arrivals *v, const struct call_plan *p,
                        struct buf *out, struct err *e)
{
    struct jw w = jw_start(out);
    bool ok = true;
    jw_open(&w, '{');
    jw_kint(&w, "split", p->split);
    asked_write(p->asked, &w);
    jw_kint(&w, "seed", p->seed & 0x7fffffff);
    if (!isnan(p->temperature))
        jw_knum(&w, "temperature", p->temperature);
    if (p->each)
        ok = each_write(v->s, p->each, &w, e);
    if (p->items) {
        jw_key(&w, "items");
        jw_raw(&w, p->items);
    }
    if (p->candidates) {
        jw_key(&w, "candidates");
        jw_raw(&w, p->candidates);
    }
    jw_close(&w);
    return ok;
}

/* The messages of a step, as a text of the store; 0 on failure. What asks
 * nobody has none. */
static int64_t render(struct arrivals *v, const struct call_plan *p,
                      struct err *e)
{
    struct recipe_bindings b = *p->b;
    struct chat prompt = {0}, asked = {0};
    struct buf text = BUF_INIT(0);
    int64_t k = p->asked->text, id = 0;
    char *own = k && !p->step->op ? text_get(v->s, k, NULL) : NULL;
    size_t order[RECIPE_CANDIDATES];
    target_bind(&v->words, &b);
    if (b.n_candidates && !p->step->op) { /* shuffled by the call's seed */
        recipe_order((uint64_t)(p->seed & 0x7fffffff), b.n_candidates, order);
        b.order = order;
    }
    bool ok = !own || chat_parse(own, &prompt, e);
    b.prompt = own && ok ? &prompt : NULL;
    ok = ok && (p->step->op || recipe_render(p->step, &b, &asked, e));
    if (ok) {
        chat_print(&asked, &text);
        id = text_put(v->s, buf_str(&text), text.len, e);
    }
    chat_free(&asked);
    chat_free(&prompt);
    buf_free(&text);
    free(own);
    return id;
}

/* Does what a step does without a teacher, and keeps it as a reply. */
static bool work_out(struct arrivals *v, const struct call_plan *p,
                     struct call *c, struct err *e)
{
    struct recipe_items items;
    struct buf text = BUF_INIT(0);
    recipe_do(p->step, p->b, &items);
    /* a text of its own: a purge of it is none of another call's */
    buf_printf(&text, "{\"call\":%lld,\"rows\":", (long long)c->id);
    recipe_print(&items, &text);
    buf_putc(&text, '}');
    c->state = CALL_WORKED;
    c->answer_text = text_put(v->s, buf_str(&text), text.len, e);
    c->trouble = items.n_missing ? items.missing[0] : NULL;
    bool ok = c->answer_text && call_finish(v->s, c, e);
    c->trouble = NULL;
    buf_free(&text);
    recipe_items_free(&items);
    return ok;
}

bool plan_call(struct arrivals *v, const struct call_plan *p, ids *planned,
               ids *worked, struct err *e)
{
    struct buf params = BUF_INIT(0);
    int64_t step = p->step - v->r->steps + 1;
    struct call c = {.job = v->job.id, .step = step, .attempt = 1,
                     .n = call_next_n(v->s, v->job.id, step),
                     .from_call = p->from_call, .from_item = p->from_item,
                     .prompt_text = render(v, p, e)};
    bool whole = c.prompt_text && call_params(v, p, &params, e);
    c.params = (char *)(uintptr_t)buf_str(&params);
    c.id = whole ? call_add(v->s, &c, e) : 0;
    bool ok = c.id && (!p->step->op || work_out(v, p, &c, e));
    buf_free(&params);
    if (!c.id && !p->step->op && e->code == ERR_REFUSED) {
        /* its words were purged: nothing is asked of them */
        *e = (struct err){0};
        return true;
    }
    if (!ok)
        return false;
    groups_planned(v->groups, p->step, p->b->chain);
    if (p->step->op)
        VEC_PUSH(worked, c.id);
    else
        VEC_PUSH(planned, c.id);
    return true;
}

bool plan_calls_for(struct arrivals *v, const struct call_plan *p,
                    int64_t *place, ids *planned, ids *worked, struct err *e)
{
    const struct recipe_step *s = p->step;
    struct recipe_each_list each;
    size_t times = s->op ? 1 : recipe_times(s, (size_t)v->answers);
    bool ok = true;
    recipe_each(s, (uint64_t)p->seed, v->words.principles.at,
                v->words.principles.n, &each);
    recipe_each_pass(s, p->back ? p->b : NULL, &each);
    for (size_t i = 0; ok && i < each.n * times; i++, ++*place) {
        struct recipe_chain link = {s, &each.at[i / times], p->b->chain,
                                    "each", 0};
        struct recipe_bindings b = *p->b;
        struct call_plan one = *p;
        b.chain = s->each_gives ? &link : p->b->chain;
        one.b = &b;
        one.each = &each.at[i / times];
        one.seed = p->seed + *place * 7 + 1;
        ok = plan_call(v, &one, planned, worked, e);
    }
    recipe_each_free(&each);
    return ok;
}

/* With the call, where it says nothing yet. */
static void say_trouble(struct arrival *x, const char *text)
{
    if (!x->call.trouble)
        x->call.trouble = xstrdup(text);
}

/* All calls of one step for the item; `place` counts those of all steps. */
static bool plan_step(struct arrival *x, const struct recipe_step *s,
                      const struct arriving *it, bool back, int64_t *place,
                      struct err *e)
{
    struct recipe_bindings b = {.chain = &it->chain};
    struct call_plan p = {
        .step = s, .b = &b, .asked = &it->asked, .split = x->split,
        .back = back,
        .from_call = x->call.id, .from_item = (int64_t)it->item->index,
        .temperature = json_get_number(x->params, "temperature", NAN)};
    p.seed = json_get_int(x->params, "seed", 1) + p.from_item * 31;
    size_t before = x->planned->n + x->worked->n;
    if (!plan_calls_for(x->v, &p, place, x->planned, x->worked, e))
        return false;
    if (x->planned->n + x->worked->n == before)
        say_trouble(x, _("what would be asked next was purged"));
    return true;
}

bool feed(struct arrival *x, const struct arriving *it, struct err *e)
{
    const struct recipe *r = x->v->r;
    bool goes_back = recipe_repeats(r, &it->chain);
    int64_t place = 0;
    if (!groups_item(x->v->groups, &it->chain, goes_back))
        say_trouble(x, _("it came after its group had gone on"));
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct recipe_step *s = &r->steps[i];
        bool goes_on = !s->by && recipe_lives_on(s, x->step) &&
                       !(s->last && goes_back) &&
                       recipe_passes(&s->where, &it->chain);
        if ((goes_on && !plan_step(x, s, it, false, &place, e)) ||
            (recipe_goes_back(s, &it->chain) &&
             !plan_step(x, s, it, true, &place, e)))
            return false;
    }
    return true;
}
