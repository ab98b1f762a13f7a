/* Which checks run: what the recipe's steps list, and nothing else. A check
 * about the answer that is listed where its prompt is made runs when the
 * answer is there.
 */
#ifndef VERBS_CHECKS_H
#define VERBS_CHECKS_H

#include "recipe/recipe.h"
#include "store/sample.h"

/* Rules, each check at most once. */
struct check_list {
    struct check_rule at[CHECK_COUNT];
    size_t n;
};

/* The rules for a prompt that this step makes; none where it makes none. */
struct check_list checks_of_prompt(const struct recipe_step *s);

/* The rules for an answer of step `s`, with those for answers that the step
 * which made its prompt lists. */
struct check_list checks_of_answer(const struct recipe_step *s);

/* Those that need no recipe and run on what no job brought: duplicate, empty,
 * echo, refusal and special tokens. */
struct check_list checks_usual(void);

/* The rules for a sample's edited answer and prompt, as the recipe that made
 * it has them; of an imported one the usual. What only a reply has (cut off)
 * and what asks the index (near) are left out. */
void checks_of_edit(struct store *s, const struct sample *x,
                    struct check_list *prompt, struct check_list *answer);

/* Runs the rules into out[CHECK_COUNT]; how many. */
size_t checks_run(const struct check_list *l, const struct check_input *in,
                  struct check_result *out);

/* The first of n results that fails, NULL where none does. */
const struct check_result *checks_failed(const struct check_result *r,
                                         size_t n);

#endif
