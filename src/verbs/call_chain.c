#include "verbs/call_chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "recipe/parser.h"
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

static bool check_call(const struct recipe *r, const struct call *c,
                       struct err *e)
{
    return (c->step >= 1 && c->step <= (int64_t)r->n_steps) ||
           err_set(e, ERR_STORE, _("call c%lld is of no step of its recipe"),
                   (long long)c->id);
}

static bool text_is_gone(struct store *s, int64_t id)
{
    char *text = text_get(s, id, NULL);
    free(text);
    return !text;
}

/* The place for one more link of the chain, whose fields are to be filled. */
static struct recipe_item *add_link(struct call_chain *x,
                                    const struct recipe_step *step,
                                    const char *there, int64_t id)
{
    struct recipe_item *it = &x->items[x->n];
    *it = (struct recipe_item){.index = 0};
    x->links[x->n] = (struct recipe_chain){step, it, NULL, there, id};
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
    if (x->n == CHAIN_DEEP || !draws_of(s, c->id, in, 1) ||
        strcmp(in[0].role, "input"))
        return;
    if (in[0].seed)
        fields_of_seed(s, in[0].seed, add_link(x, NULL, "seed", in[0].seed));
    else
        fields_of_sample(s, in[0].sample,
                         add_link(x, NULL, "sample", in[0].sample));
}

static bool read_params(const struct call *c, json **out, struct err *e)
{
    *out = json_parse(c->params, strlen(c->params), e);
    return *out != NULL;
}

static bool add_item(struct store *s, const struct recipe *r, int64_t call,
                     int64_t item, struct call_chain *x, struct err *e);

bool each_write(struct store *s, const struct recipe_item *each, struct jw *w,
                struct err *e)
{
    struct recipe_items one = {.at = (struct recipe_item *)(uintptr_t)each,
                               .n = 1};
    struct buf b = BUF_INIT(0);
    if (!each->fields.n)
        return true;
    recipe_print(&one, &b);
    int64_t id = text_put(s, buf_str(&b), b.len, e);
    jw_kint(w, "each", id);
    buf_free(&b);
    return id != 0;
}

/* What the step went through for this call; nothing where that was purged. */
static bool add_each(struct store *s, const struct recipe_step *step,
                     const struct call *c, struct call_chain *x,
                     struct err *e)
{
    json *params, *each = NULL;
    if (!step->each_gives)
        return true;
    if (x->n == CHAIN_DEEP || !read_params(c, &params, e))
        return false;
    char *text = text_get(s, json_get_int(params, "each", 0), NULL);
    struct recipe_item *it = add_link(x, step, "each", c->id);
    if (text)
        each = json_parse(text, strlen(text), NULL);
    for (const json *f = json_first(json_first(each)); f; f = json_next(f))
        if (json_is_string(f))
            field_put(it, json_key(f), json_string(f));
    free(text);
    json_free(each);
    json_free(params);
    return true;
}

/* What a call was made for, behind what stands in the chain already: what its
 * step went through, and the item. Of a group it is what all of it came from:
 * the item that gave its field. */
static bool add_above(struct store *s, const struct recipe *r,
                      const struct call *c, struct call_chain *x,
                      struct err *e)
{
    if (!add_each(s, &r->steps[c->step - 1], c, x, e))
        return false;
    if (!c->from_call) {
        add_drawn(s, c, x);
        return true;
    }
    const struct recipe_step *step = &r->steps[c->step - 1];
    struct call_chain one = {.n = 0};
    if (!step->by)
        return add_item(s, r, c->from_call, c->from_item, x, e);
    bool ok = item_chain_load(s, r, c->from_call, c->from_item, &one, e);
    for (size_t i = 0, on = 0; ok && i < one.n && x->n < CHAIN_DEEP; i++) {
        on = on || one.links[i].step == step->giver;
        if (!on)
            continue;
        const struct recipe_chain *l = &one.links[i];
        struct recipe_item *it = add_link(x, l->step, l->there, l->id);
        *it = one.items[i];
        one.items[i] = (struct recipe_item){.index = 0};
    }
    call_chain_free(&one);
    return ok;
}

static bool read_items(struct store *s, const struct recipe *r,
                       const struct call *c, const struct recipe_chain *above,
                       struct recipe_items *out, struct err *e);

/* The item of an earlier call's reply, with all that it came from. Of a reply
 * that was purged it has no fields. */
static bool add_item(struct store *s, const struct recipe *r, int64_t call,
                     int64_t item, struct call_chain *x, struct err *e)
{
    struct call from;
    struct recipe_items items = {0};
    size_t at = x->n;
    if (at == CHAIN_DEEP)
        return err_set(e, ERR_STORE, _("call c%lld: it comes of too many "
                                       "others"), (long long)call);
    if (!call_get(s, call, &from, e))
        return false;
    bool ok = check_call(r, &from, e);
    struct recipe_item *it =
        ok ? add_link(x, &r->steps[from.step - 1], NULL, call) : NULL;
    ok = ok && add_above(s, r, &from, x, e) &&
         read_items(s, r, &from, x->n > at + 1 ? &x->links[at + 1] : NULL,
                    &items, e);
    bool found = ok && from.answer_text &&
                 text_is_gone(s, from.answer_text);
    if (ok)
        it->index = (size_t)item;
    for (size_t i = 0; ok && i < items.n && !found; i++) {
        if ((int64_t)items.at[i].index != item)
            continue;
        *it = items.at[i];
        items.at[i] = (struct recipe_item){.index = 0};
        found = true;
    }
    recipe_items_free(&items);
    call_free(&from);
    return ok && (found || err_set(e, ERR_STORE, _("call c%lld: item %lld is "
                                   "not there"), (long long)call,
                                   (long long)item + 1));
}

bool item_chain_load(struct store *s, const struct recipe *r, int64_t call,
                     int64_t item, struct call_chain *out, struct err *e)
{
    *out = (struct call_chain){.n = 0};
    return add_item(s, r, call, item, out, e);
}

/* ---- Groups -------------------------------------------------------------- */

void call_chain_group(const struct recipe_step *step, size_t n,
                      struct call_chain *x)
{
    size_t most = step->op ? RECIPE_GROUP : RECIPE_CANDIDATES;
    n = n < most ? n : most;
    for (size_t i = 0; i < n; i++) {
        x->group[i] = x->members[i].b.chain;
        x->answers[i] = chain_get(x->group[i], "answer");
    }
    x->b.group = x->group;
    x->b.candidates = x->answers;
    x->b.n_candidates = n;
}

/* Those that a call was made for, as its parameters name them. */
static bool load_members(struct store *s, const struct recipe *r,
                         const struct call *c, const json *params,
                         struct call_chain *x, struct err *e)
{
    const json *list = json_get(params, "items");
    size_t n = json_count(list), i = 0;
    if (!n)
        return true;
    x->members = xcalloc(n, sizeof *x->members);
    x->n_members = n;
    for (const json *m = json_first(list); m; m = json_next(m), i++) {
        const json *call = json_first(m), *item = json_next(call);
        if (!item_chain_load(s, r, (int64_t)json_number(call, 0),
                             (int64_t)json_number(item, 0), &x->members[i],
                             e))
            return false;
    }
    call_chain_group(&r->steps[c->step - 1], n, x);
    return true;
}

/* What parsing needs: how many demonstrations stood there, and the order that
 * answers were shown in. */
static void bind_counts(struct store *s, const struct recipe_step *step,
                        const struct call *c, const json *params,
                        struct call_chain *x)
{
    struct drawn list[RECIPE_DEMOS];
    size_t n = json_count(json_get(params, "candidates"));
    x->b = (struct recipe_bindings){0};
    if (step->over == OVER_DRAW)
        x->b.n_demos = draws_of(s, c->id, list, RECIPE_DEMOS);
    if (json_get(params, "items"))
        n = json_count(json_get(params, "items"));
    if (!n || step->op)
        return;
    x->b.n_candidates = n < RECIPE_CANDIDATES ? n : RECIPE_CANDIDATES;
    recipe_order((uint64_t)json_get_int(params, "seed", 0),
                 x->b.n_candidates, x->order);
    x->b.order = x->order;
}

static bool read_items(struct store *s, const struct recipe *r,
                       const struct call *c, const struct recipe_chain *above,
                       struct recipe_items *out, struct err *e)
{
    const struct recipe_step *step = &r->steps[c->step - 1];
    struct call_chain x = {.n = 0};
    json *params;
    *out = (struct recipe_items){0};
    if (!read_params(c, &params, e))
        return false;
    bind_counts(s, step, c, params, &x);
    x.b.chain = above;
    char *answer = text_get(s, c->answer_text, NULL);
    char *thinking = text_get(s, c->thinking_text, NULL);
    x.b.thinking = thinking;
    recipe_parse(step, &x.b, answer ? answer : "", c->finish, out);
    free(answer);
    free(thinking);
    json_free(params);
    return true;
}

void call_parents(const struct call *c, ids *out)
{
    json *params = json_parse(c->params, strlen(c->params), NULL);
    const json *list = json_get(params, "items");
    for (const json *m = json_first(list); m; m = json_next(m))
        VEC_PUSH(out, (int64_t)json_number(json_first(m), 0));
    if (!json_count(list) && c->from_call)
        VEC_PUSH(out, c->from_call);
    json_free(params);
}

int64_t call_first(struct store *s, int64_t call)
{
    struct call c;
    while (call_get(s, call, &c, NULL)) {
        int64_t above = c.from_call;
        call_free(&c);
        if (!above)
            break;
        call = above;
    }
    return call;
}

bool call_items(struct store *s, const struct recipe *r,
                const struct call *c, struct recipe_items *out,
                struct err *e)
{
    struct call_chain x = {.n = 0};
    *out = (struct recipe_items){0};
    bool ok = check_call(r, c, e) &&
              (!r->steps[c->step - 1].parser->above ||
               add_above(s, r, c, &x, e)) &&
              read_items(s, r, c, x.b.chain, out, e);
    call_chain_free(&x);
    return ok;
}

bool call_chain_load(struct store *s, const struct recipe *r,
                     const struct call *c, struct call_chain *out,
                     struct err *e)
{
    json *params;
    *out = (struct call_chain){.n = 0};
    if (!check_call(r, c, e) || !read_params(c, &params, e))
        return false;
    bind_counts(s, &r->steps[c->step - 1], c, params, out);
    bool ok = add_above(s, r, c, out, e) &&
              load_members(s, r, c, params, out, e);
    json_free(params);
    return ok;
}

void call_chain_free(struct call_chain *x)
{
    for (size_t i = 0; i < x->n; i++)
        fields_free(&x->items[i]);
    for (size_t i = 0; i < x->n_members; i++)
        call_chain_free(&x->members[i]);
    free(x->members);
    x->members = NULL;
    x->n = x->n_members = 0;
}
