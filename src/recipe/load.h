/* The parts of a recipe file, read one by one. Not for other rooms. */
#ifndef RECIPE_LOAD_H
#define RECIPE_LOAD_H

#include "base/json.h"
#include "recipe/recipe.h"
#include "recipe/template.h"

/* Reads step `at` of the recipe, of which the steps before it are read.
 * Errors name the key. */
bool step_load(const json *j, struct recipe *r, size_t at, struct err *e);
void step_free(struct recipe_step *s);

/* "make": an object or a list of them, which may be empty; where the file says
 * nothing, what is usual for the parser. */
bool makes_load(const json *j, struct recipe_step *s, struct err *e);
void makes_free(struct recipe_step *s);

/* "where": an object of conditions by field. */
bool where_load(const json *j, const struct tmpl_scope *scope,
                struct recipe_wheres *out, struct err *e);
void where_free(struct recipe_wheres *w);

/* "repeat": read with its step, and made whole when all steps are there. */
bool repeat_load(const json *j, struct recipe_step *s, struct err *e);
bool repeat_resolve(struct recipe *r, struct recipe_step *s, struct err *e);
void repeat_free(struct recipe_step *s);

/* "each": an object of lists. */
bool each_load(const json *j, struct recipe_step *s, struct err *e);
void each_free(struct recipe_step *s);

/* "by" and "at_least". */
bool by_load(const json *j, struct recipe_step *s, struct err *e);

/* The fields that a step's templates may name: those of the items it runs
 * over and of all that these came from; with `own`, those of its own items
 * before them. */
struct fields_of {
    const struct recipe_step *step;
    bool own;
};
struct tmpl_scope fields_scope(struct fields_of *f);

/* The fields of what a step that starts from the store has, blank-separated. */
const char *recipe_given(const struct recipe_step *s);

/* The first thing in the recipe that would be read and never done, as a
 * sentence that the caller frees; NULL where all of it runs. */
char *recipe_never_runs(const struct recipe *r);

#endif
