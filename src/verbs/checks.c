#include "verbs/checks.h"

#include <stdlib.h>
#include <string.h>

#include "store/job.h"

static void add(struct check_list *l, const struct check_rule *r)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].check == r->check)
            return;
    l->at[l->n++] = *r;
}

struct check_list checks_of_prompt(const struct recipe_step *s)
{
    struct check_list l = {.n = 0};
    for (size_t i = 0; recipe_makes(s, SINK_SAMPLE) && i < s->n_checks; i++)
        if (check_about(s->checks[i].check) != ABOUT_ANSWER)
            add(&l, &s->checks[i]);
    return l;
}

struct check_list checks_of_answer(const struct recipe_step *s)
{
    const struct recipe_step *maker = recipe_maker(s);
    struct check_list l = {.n = 0};
    for (size_t i = 0; i < s->n_checks; i++) {
        enum check_about about = check_about(s->checks[i].check);
        if (about == ABOUT_ANSWER ||
            (about == ABOUT_MADE && recipe_makes(s, SINK_CANDIDATE)))
            add(&l, &s->checks[i]);
    }
    for (size_t i = 0; maker && i < maker->n_checks; i++)
        if (check_about(maker->checks[i].check) == ABOUT_ANSWER)
            add(&l, &maker->checks[i]);
    return l;
}

size_t checks_run(const struct check_list *l, const struct check_input *in,
                  struct check_result *out)
{
    for (size_t i = 0; i < l->n; i++)
        out[i] = check_run(&l->at[i], in);
    return l->n;
}

const struct check_result *checks_failed(const struct check_result *r,
                                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (r[i].verdict == VERDICT_FAIL)
            return &r[i];
    return NULL;
}

struct check_list checks_usual(void)
{
    static const enum check usual[] = {CHECK_DUPLICATE, CHECK_EMPTY,
                                       CHECK_ECHO, CHECK_REFUSAL,
                                       CHECK_SPECIAL};
    struct check_list l = {.n = 0};
    for (size_t i = 0; i < COUNT(usual); i++)
        l.at[l.n++] = check_rule(usual[i]);
    return l;
}

/* ---- Edits -------------------------------------------------------------- */

/* The recipe of the job that brought the sample, as it was used; NULL where
 * there is none. */
static struct recipe *recipe_of(struct store *s, const struct sample *x)
{
    struct job j;
    if (!x->job || !job_get(s, x->job, &j, NULL))
        return NULL;
    char *file = j.recipe ? recipe_file(s, j.recipe) : NULL;
    struct recipe *r = file ? recipe_load(file, strlen(file), NULL) : NULL;
    free(file);
    job_free(&j);
    return r;
}

/* The last step that makes answers, NULL where none does. */
static const struct recipe_step *answers_of(const struct recipe *r)
{
    for (size_t i = r->n_steps; i > 0; i--)
        if (recipe_makes(&r->steps[i - 1], SINK_CANDIDATE) ||
            recipe_makes(&r->steps[i - 1], SINK_SAMPLE))
            return &r->steps[i - 1];
    return NULL;
}

static void without(struct check_list *l, enum check c)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].check != c)
            l->at[n++] = l->at[i];
    l->n = n;
}

void checks_of_edit(struct store *s, const struct sample *x,
                    struct check_list *prompt, struct check_list *answer)
{
    struct recipe *r = recipe_of(s, x);
    *prompt = *answer = (struct check_list){.n = 0};
    const struct recipe_step *last = r ? answers_of(r) : NULL;
    if (last) {
        const struct recipe_step *maker = recipe_maker(last);
        *prompt = checks_of_prompt(maker ? maker : last);
        *answer = checks_of_answer(last);
    } else {
        *answer = checks_usual();
    }
    without(prompt, CHECK_NEAR);
    without(answer, CHECK_CUT_OFF);
    recipe_free(&r);
}
