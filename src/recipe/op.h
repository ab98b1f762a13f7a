/* What a step does without a teacher: one table, a file each. An op reads its
 * own settings and makes items of items, the same every time. Not for other
 * rooms.
 */
#ifndef RECIPE_OP_H
#define RECIPE_OP_H

#include "base/json.h"
#include "recipe/recipe.h"

struct op {
    const char *name;
    const char *keys;  /* its settings in "do", blank-separated */
    const char *gives; /* the fields that it adds, blank-separated */
    bool grouped; /* it is of a group (`by`), and its items have the fields of
                     the group's besides */
    /* Reads the settings into s->own, and lets go of them. */
    bool (*load)(const json *j, struct recipe_step *s, struct err *e);
    void (*unload)(void *own);
    void (*run)(const struct recipe_step *s, const struct recipe_bindings *b,
                struct recipe_items *out);
};

/* All of them, NULL-ended. */
extern const struct op *const ops[];
extern const struct op op_vote, op_verify;

/* Adds an item, to be filled before the next one is added; with the fields of
 * one of the group where that is given. */
struct recipe_item *op_add(struct recipe_items *out,
                           const struct recipe_item *like);
/* Says why there is nothing (taken). */
void op_miss(struct recipe_items *out, char *sentence);

#endif
