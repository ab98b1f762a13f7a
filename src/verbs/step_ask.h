/* What is asked for with a step's prompt: sampling as its recipe says, what the
 * form said over it.
 */
#ifndef VERBS_STEP_ASK_H
#define VERBS_STEP_ASK_H

#include "base/json.h"
#include "recipe/recipe.h"
#include "teacher/request.h"

/* Fills in the request of a call with these parameters; the chat is
 * borrowed. */
void step_ask(const struct recipe_step *s, const json *params,
              const struct chat *chat, struct ask *a);

/* The step's stop strings, NULL-ended; the caller frees with
 * proc_free_argv. */
char **step_stops(const struct recipe_step *s,
                  const struct recipe_bindings *b);

#endif
