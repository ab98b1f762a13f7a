/* What a call was made for: the item of an earlier step, with all that it came
 * from, or the seed or sample that was drawn. It is read from the store again
 * whenever it is wanted: a reply is parsed to the same items every time.
 */
#ifndef VERBS_CALL_CHAIN_H
#define VERBS_CALL_CHAIN_H

#include "recipe/recipe.h"
#include "store/job.h"

/* behind the last that went back, the steps and what they go through; a seed */
#define CHAIN_DEEP (RECIPE_DEEP + 2 * RECIPE_STEPS + 1)

struct call_chain {
    struct recipe_bindings b; /* counts, order, chain and group; no prompt */
    struct recipe_chain links[CHAIN_DEEP];
    struct recipe_item items[CHAIN_DEEP];
    size_t n;
    struct call_chain *members; /* of a group, else NULL */
    size_t n_members;
    const struct recipe_chain *group[RECIPE_GROUP];
    const char *answers[RECIPE_GROUP];
    size_t order[RECIPE_GROUP];
};

/* Fills in what parsing a reply of the call, and its templates, need. False
 * where something of it cannot be read. call_chain_free also after a
 * failure. */
bool call_chain_load(struct store *s, const struct recipe *r,
                 const struct call *c, struct call_chain *out, struct err *e);
void call_chain_free(struct call_chain *x);

/* The chain of one item of an earlier call's reply: it is the first. */
bool item_chain_load(struct store *s, const struct recipe *r, int64_t call,
                     int64_t item, struct call_chain *out, struct err *e);

/* Appends what a step goes through to a call's parameters: its fields are a
 * text of the store, as they may hold words of a reply. Inside an act. */
bool each_write(struct store *s, const struct recipe_item *each, struct jw *w,
                struct err *e);

/* Binds such chains, which stay the caller's, as the group of a step. */
void call_chain_group(const struct recipe_step *step, size_t n,
                      struct call_chain *x);

/* The calls that brought what a call was made for, in order: those of a group,
 * else the one above, or none. Appends to *out. */
void call_parents(const struct call *c, ids *out);
/* The first of a call's line, which drew or was made for what was there. */
int64_t call_first(struct store *s, int64_t call);

/* Fields of what is there: those that STEP_OVERS lists. Both give 0..2 fields
 * to a fresh item; what is not there gives none. */
void fields_of_seed(struct store *s, int64_t id, struct recipe_item *out);
void fields_of_sample(struct store *s, int64_t id, struct recipe_item *out);

/* The items of a call's kept reply. The caller frees. */
bool call_items(struct store *s, const struct recipe *r,
                  const struct call *c, struct recipe_items *out,
                  struct err *e);

#endif
