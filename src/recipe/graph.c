/* How the steps of a recipe hang together: which fields reach a step, and what
 * of it would never run. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/load.h"
#include "recipe/parser.h"
#include "recipe/read.h"

/* ---- Fields -------------------------------------------------------------- */

#define FIELDS(id, name, fields) fields,

/* What a step that starts from the store has of it. */
static const char *given(const struct recipe_step *s)
{
    static const char *const fields[] = {STEP_OVERS(FIELDS)};
    return fields[s->over];
}

static bool gives(const struct recipe_step *s, const char *name)
{
    return s->gives && word_among(name, s->gives);
}

/* A field of the items of `s` or of what they came from; with a step's name,
 * of its items only. */
static bool reaches(const struct recipe_step *s, const char *step, size_t n,
                    const char *name)
{
    for (; s; s = s->from) {
        bool here = !step || (strlen(s->name) == n &&
                              !memcmp(s->name, step, n));
        if (here && gives(s, name))
            return true;
        if (!step && s->over != OVER_ITEMS && word_among(name, given(s)))
            return true;
    }
    return false;
}

static bool has_field(void *ctx, const char *name)
{
    const struct fields_of *f = ctx;
    const struct recipe_step *s = f->step;
    const char *dot = strchr(name, '.');
    if (strchr(name, ' '))
        return false;
    if (dot)
        return reaches(f->own ? s : s->from, name, (size_t)(dot - name),
                       dot + 1);
    if (f->own && gives(s, name))
        return true;
    return s->over == OVER_ITEMS ? reaches(s->from, NULL, 0, name)
                                 : word_among(name, given(s));
}

struct tmpl_scope fields_scope(struct fields_of *f)
{
    return (struct tmpl_scope){has_field, f};
}

const char *chain_get(const struct recipe_chain *c, const char *name)
{
    const char *dot = strchr(name, '.');
    for (; c; c = c->up) {
        size_t n = dot ? (size_t)(dot - name) : 0;
        bool here = !dot || (c->step && strlen(c->step->name) == n &&
                             !memcmp(c->step->name, name, n));
        const char *text = here ? field_get(c->item, dot ? dot + 1 : name)
                                : NULL;
        if (text)
            return text;
    }
    return NULL;
}

/* ---- What would never run ------------------------------------------------ */

/* Whether a prompt stands above what a step makes. */
static bool has_prompt(const struct recipe_step *s)
{
    const struct recipe_step *first = s;
    while (first->from)
        first = first->from;
    return first->over != OVER_DRAW || recipe_maker(s);
}

bool recipe_lives_on(const struct recipe_step *s,
                     const struct recipe_step *from)
{
    return s->from == from && from && (!s->items_of_before ||
                                       recipe_asks(from));
}

bool recipe_feeds(const struct recipe *r, const struct recipe_step *s)
{
    for (size_t i = 0; i < r->n_steps; i++)
        if (recipe_lives_on(&r->steps[i], s))
            return true;
    return false;
}

const struct recipe_step *recipe_maker(const struct recipe_step *s)
{
    for (s = s->from; s; s = s->from)
        if (recipe_makes(s, SINK_SAMPLE))
            return s;
    return NULL;
}

/* Whether its items' prompts are answered by a step that lives on them. */
static bool answered(const struct recipe *r, const struct recipe_step *s)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct recipe_step *t = &r->steps[i];
        if (t->from != s)
            continue;
        if (recipe_makes(t, SINK_CANDIDATE) ||
            (!recipe_makes(t, SINK_SAMPLE) && answered(r, t)))
            return true;
    }
    return false;
}

/* A check is run on what it is about: a step that makes no prompts runs none
 * of theirs, and where no answer is made or comes later none of those. */
static char *idle_check(const struct recipe_step *s, size_t at)
{
    bool prompts = recipe_makes(s, SINK_SAMPLE) != NULL;
    bool answers = prompts || recipe_makes(s, SINK_CANDIDATE);
    for (size_t i = 0; i < s->n_checks; i++) {
        enum check c = s->checks[i].check;
        if (recipe_makes(s, SINK_SCORE))
            return xasprintf(_("steps[%zu]: checks[%zu]: ratings have no "
                               "checks"), at, i);
        if (check_about(c) == ABOUT_PROMPT ? !prompts : !answers)
            return xasprintf(check_about(c) == ABOUT_PROMPT
                                 ? _("steps[%zu]: checks[%zu]: %s is about "
                                     "prompts, and this step makes none")
                                 : _("steps[%zu]: checks[%zu]: %s is about "
                                     "answers, and this step makes none"),
                             at, i, check_name(c));
    }
    return NULL;
}

static char *idle_step(const struct recipe *r, size_t at)
{
    const struct recipe_step *s = &r->steps[at];
    if (at && s->over != OVER_ITEMS)
        return xasprintf(_("steps[%zu]: it would never be asked: only the "
                           "first step starts from what is there"), at);
    if (s->items_of_before && !recipe_asks(s->from))
        return xasprintf(_("steps[%zu]: it would never be asked: the step "
                           "before it makes no prompts for it"), at);
    if (recipe_makes(s, SINK_CANDIDATE) && !has_prompt(s))
        return xasprintf(_("steps[%zu]: it makes answers, and there is no "
                           "prompt that they answer"), at);
    if (recipe_asks(s) && !answered(r, s))
        return xasprintf(_("steps[%zu]: it makes prompts, and no step "
                           "behind it answers them"), at);
    if (!s->n_makes && !recipe_feeds(r, s))
        return xasprintf(_("steps[%zu]: nothing is made of what it brings"),
                         at);
    if (s->wanted && !s->parser->many)
        return xasprintf(_("steps[%zu]: wanted: %s reads one item"), at,
                         s->parser->name);
    return idle_check(s, at);
}

char *recipe_never_runs(const struct recipe *r)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        char *idle = idle_step(r, i);
        if (idle)
            return idle;
    }
    if (r->with_answers && !r->from_seeds && !r->from_samples)
        return xstrdup(_("draw: answers: nothing is drawn"));
    return NULL;
}
