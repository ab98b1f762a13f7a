#include "verbs/call_chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"

void fields_of_seed(struct store *s, int64_t id, struct recipe_item *out)
{
    struct seed x;
    if (!seed_get(s, id, &x, NULL))
        return;
    field_take(out, "prompt", prompt_text(x.prompt));
    field_take(out, "answer", x.answer ? answer_text(x.answer) : NULL);
    seed_free(&x);
}

void fields_of_sample(struct store *s, int64_t id, struct recipe_item *out)
{
    struct sample x;
    if (!sample_get(s, id, &x, NULL))
        return;
    int k = sample_choice(&x);
    field_take(out, "prompt", prompt_text(x.prompt));
    field_take(out, "answer",
              k >= 0 ? answer_text(x.candidates.at[k].body) : NULL);
    sample_free(&x);
}

/* The place for one more link of the chain, whose fields are to be filled. */
static struct recipe_item *add_link(struct call_chain *x,
                                    const struct recipe_step *step)
{
    struct recipe_item *it = &x->items[x->n];
    *it = (struct recipe_item){.index = 0};
    x->links[x->n] = (struct recipe_chain){step, it, NULL};
    if (x->n)
        x->links[x->n - 1].up = &x->links[x->n];
    else
        x->b.chain = &x->links[0];
    x->n++;
    return it;
}

/* What was drawn as it stands. */
static void add_drawn(struct store *s, const struct call *c,
                      struct call_chain *x)
{
    struct drawn in[1];
    if (!draws_of(s, c->id, in, 1) || strcmp(in[0].role, "input"))
        return;
    struct recipe_item *it = add_link(x, NULL);
    if (in[0].seed)
        fields_of_seed(s, in[0].seed, it);
    else
        fields_of_sample(s, in[0].sample, it);
}

/* The item of an earlier call's reply. */
static bool add_item(struct store *s, const struct recipe *r,
                     const struct call *c, struct call_chain *x, struct err *e)
{
    struct call from;
    struct recipe_items items = {0};
    bool found = false;
    if (x->n == CHAIN_DEEP || !call_get(s, c->from_call, &from, e))
        return false;
    bool ok = call_items(s, r, &from, &items, e);
    for (size_t i = 0; ok && i < items.n && !found; i++) {
        if ((int64_t)items.at[i].index != c->from_item)
            continue;
        struct recipe_item *it = add_link(x, &r->steps[from.step - 1]);
        struct recipe_item moved = *it;
        *it = items.at[i];
        items.at[i] = moved;
        found = true;
    }
    recipe_items_free(&items);
    ok = ok && (found || err_set(e, ERR_STORE, _("call c%lld: the item that "
                                 "it came from is not there"),
                                 (long long)c->id));
    if (ok && from.from_call)
        ok = add_item(s, r, &from, x, e);
    else if (ok)
        add_drawn(s, &from, x);
    call_free(&from);
    return ok;
}

/* What parsing needs: how many demonstrations stood there, and the order that
 * answers were shown in. */
static void bind_counts(struct store *s, const struct recipe_step *step,
                        const struct call *c, const json *params,
                        struct call_chain *x)
{
    struct drawn list[RECIPE_DEMOS];
    const json *shown = json_get(params, "candidates");
    size_t n = json_count(shown);
    x->b = (struct recipe_bindings){0};
    if (step->over == OVER_DRAW)
        x->b.n_demos = draws_of(s, c->id, list, RECIPE_DEMOS);
    x->b.n_candidates = n < RECIPE_CANDIDATES ? n : RECIPE_CANDIDATES;
    if (!n)
        return;
    recipe_order((uint64_t)json_get_int(params, "seed", 0),
                 x->b.n_candidates, x->order);
    x->b.order = x->order;
}

static bool bind(struct store *s, const struct recipe *r,
                 const struct call *c, struct call_chain *x, struct err *e)
{
    if (c->step < 1 || c->step > (int64_t)r->n_steps)
        return err_set(e, ERR_STORE, _("call c%lld is of no step of its "
                                       "recipe"), (long long)c->id);
    json *params = json_parse(c->params, strlen(c->params), e);
    if (params)
        bind_counts(s, &r->steps[c->step - 1], c, params, x);
    json_free(params);
    return params != NULL;
}

bool call_items(struct store *s, const struct recipe *r,
                  const struct call *c, struct recipe_items *out,
                  struct err *e)
{
    struct call_chain x = {.n = 0};
    *out = (struct recipe_items){0};
    if (!bind(s, r, c, &x, e))
        return false;
    char *answer = text_get(s, c->answer_text, NULL);
    char *thinking = text_get(s, c->thinking_text, NULL);
    x.b.thinking = thinking;
    recipe_parse(&r->steps[c->step - 1], &x.b, answer ? answer : "",
                 c->finish, out);
    free(answer);
    free(thinking);
    return true;
}

bool call_chain_load(struct store *s, const struct recipe *r,
                 const struct call *c, struct call_chain *out, struct err *e)
{
    *out = (struct call_chain){.n = 0};
    if (!bind(s, r, c, out, e))
        return false;
    if (c->from_call)
        return add_item(s, r, c, out, e);
    add_drawn(s, c, out);
    return true;
}

void call_chain_free(struct call_chain *x)
{
    for (size_t i = 0; i < x->n; i++)
        fields_free(&x->items[i]);
    x->n = 0;
}
