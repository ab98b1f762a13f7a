/* What plan.c and elicit.c share: a target's words as bindings. */
#ifndef VERBS_PLAN_H
#define VERBS_PLAN_H

#include "base/json.h"
#include "base/mem.h"
#include "recipe/recipe.h"
#include "verbs/elicit.h"

struct target_words {
    json *doc; /* owns the strings */
    const char *system, *description;
    VEC(const char *) principles;
    double near_limit; /* NAN: the recipe's */
};

/* Reads the words that recipes may use from the target's document; frees
 * them; binds them, borrowed, for as long as `w` lives. */
bool target_words_load(struct store *s, int64_t id, struct target_words *out,
                       struct err *e);
void target_words_free(struct target_words *w);
void target_bind(const struct target_words *w, struct recipe_bindings *b);

#define PLAN_CALLS 1000000 /* prompts, inputs or samples of one job */
#define PLAN_ANSWERS 1000  /* of one prompt */

/* False with a sentence where the form asks for more than that. */
bool plan_within(const struct expand *x, struct err *e);

#define PLAN_LOOKED 50 /* inputs that are looked at */

/* A plan that was looked at and not made; tokens are guessed by script. */
struct plan_look {
    struct recipe *r;
    int64_t calls;  /* of the first step */
    int64_t tokens; /* of one of them, the mean */
    int64_t then_tokens;   /* of a call of the second step */
    int64_t prompt_tokens, answer_tokens; /* of seeds; -1: none is answered */
    int64_t first_tokens;
    size_t principles; /* of the target */
    char *first; /* the first prompt, as text */
};

/* Renders the first calls of what the form says. Changes nothing. The caller
 * frees r and first, which are NULL after a failure. */
bool plan_look(struct store *s, const struct expand *x, struct plan_look *out,
               struct err *e);

/* The first call of a plan as it would be sent, with what is bound in it; all
 * borrowed. */
struct planned {
    const struct recipe *r;
    const struct target_words *words;
    const struct recipe_bindings *b;
    const struct chat *chat;
    const char *params;
};

/* Renders the first call of what the form says and hands it over. Changes
 * nothing. */
typedef bool planned_fn(void *ctx, const struct planned *c, struct err *e);
bool plan_first(struct store *s, const struct expand *x, planned_fn *fn,
                void *ctx, struct err *e);

/* A chat as text: its messages with an empty line between them. The caller
 * frees. */
char *plan_text(const struct chat *chat);

/* Plans the calls of a job that has none yet, from its record. */
bool plan_job(struct store *s, int64_t job, struct err *e);

#endif
