/* The messages of a step without a store: every value stands as its name. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "recipe/load.h"
#include "recipe/op.h"
#include "recipe/read.h"

#define LINKS (RECIPE_STEPS + 1)

struct sketch {
    struct recipe_item items[LINKS];
    struct recipe_chain links[LINKS];
    size_t n;
};

/* One more item above, each of whose fields is its own name. */
static void add_link(struct sketch *x, const struct recipe_step *step,
                     const char *there, const char *fields)
{
    struct recipe_item *it = &x->items[x->n];
    *it = (struct recipe_item){.index = 0};
    for (char name[80]; fields && word_next(&fields, name, sizeof name);)
        field_take(it, name, xasprintf("‹%s›", name));
    x->links[x->n] = (struct recipe_chain){step, it, NULL, there, 0};
    if (x->n)
        x->links[x->n - 1].up = &x->links[x->n];
    x->n++;
}

/* The chain of the items that a step runs over. */
static void chain_of(const struct recipe_step *s, struct sketch *x)
{
    if (s->each_gives)
        add_link(x, s, "each", s->each_gives);
    const struct recipe_step *t = s;
    for (; t->from && x->n + 2 < LINKS; t = t->from) {
        add_link(x, t->from, NULL, t->from->gives);
        if (t->from->each_gives && x->n + 2 < LINKS)
            add_link(x, t->from, "each", t->from->each_gives);
    }
    add_link(x, NULL, t->over == OVER_SEED ? "seed" : "sample",
             recipe_given(t));
}

bool recipe_sketch(const struct recipe_step *s, size_t n_demos,
                   struct chat *out, struct err *e)
{
    static const char *const principles[] = {"‹principle›"};
    static const char *const answers[] = {"‹answer›", "‹answer›"};
    struct recipe_demo demos[RECIPE_DEMOS];
    struct chat prompt = {0};
    struct sketch x = {.n = 0};
    chain_of(s, &x);
    chat_add(&prompt, ROLE_USER, "‹prompt›");
    for (size_t i = 0; i < n_demos && i < RECIPE_DEMOS; i++)
        demos[i] = (struct recipe_demo){"‹prompt›", "‹answer›"};
    const struct recipe_chain *group[] = {&x.links[0], &x.links[0]};
    struct recipe_bindings b = {
        .system = "‹system›", .description = "‹description›",
        .principles = principles, .n_principles = COUNT(principles),
        .demos = demos, .n_demos = n_demos, .prompt = &prompt,
        .chain = &x.links[0], .candidates = answers,
        .n_candidates = COUNT(answers), .group = s->by ? group : NULL};
    bool ok = recipe_render(s, &b, out, e);
    for (size_t i = 0; i < x.n; i++)
        fields_free(&x.items[i]);
    chat_free(&prompt);
    return ok;
}
