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

/* What a step that starts from the store has of it, and what it is called. */
const char *recipe_given(const struct recipe_step *s)
{
    static const char *const fields[] = {STEP_OVERS(FIELDS)};
    return fields[s->over];
}

static bool gives(const struct recipe_step *s, const char *name)
{
    return s->gives && word_among(name, s->gives);
}

/* Whether a field is one of the lists that a step goes through. */
static bool goes_through(const struct recipe_step *s, const char *name)
{
    return s->each_gives && word_among(name, s->each_gives);
}

const struct recipe_step *recipe_above(const struct recipe_step *s)
{
    return s->by ? s->giver : s->from;
}

/* What the first step above `s` starts from. */
static const struct recipe_step *first_of(const struct recipe_step *s)
{
    while (s->from)
        s = s->from;
    return s;
}

/* Whether the name of a step is these n bytes; of what was there (NULL), as
 * `first` starts from it. */
static bool is_called(const struct recipe_step *s,
                      const struct recipe_step *first, const char *name,
                      size_t n)
{
    const char *own = s ? s->name
                      : first->over == OVER_SEED ? "seed" : "sample";
    return strlen(own) == n && !memcmp(own, name, n);
}

/* The step whose field a name is, of `s` or of those above it; *there where it
 * is of what was there. NULL and not *there: of none. */
static const struct recipe_step *find_giver(const struct recipe_step *s,
                                            const struct recipe_step *first,
                                            const char *name, bool *there)
{
    const char *dot = strchr(name, '.');
    size_t n = dot ? (size_t)(dot - name) : 0;
    const char *field = dot ? dot + 1 : name;
    *there = false;
    if (strchr(name, ' '))
        return NULL;
    for (; s; s = recipe_above(s))
        if ((!dot || is_called(s, first, name, n)) &&
            (gives(s, field) || goes_through(s, field)))
            return s;
    *there = (!dot || is_called(NULL, first, name, n)) &&
             word_among(field, recipe_given(first));
    return NULL;
}

static bool has_field(void *ctx, const char *name, enum ph list)
{
    const struct fields_of *f = ctx;
    const struct recipe_step *s = f->step, *first = first_of(s);
    bool each = list == PH_CANDIDATES || !s->by;
    const struct recipe_step *from = f->own ? s
                                     : each ? s->from
                                            : recipe_above(s);
    bool there;
    if (!f->own && list == PH_COUNT_OF && goes_through(s, name))
        return true;
    return find_giver(from, first, name, &there) || there;
}

struct tmpl_scope fields_scope(struct fields_of *f)
{
    return (struct tmpl_scope){has_field, f};
}

bool by_load(const json *j, struct recipe_step *s, struct err *e)
{
    int at_least = 2;
    bool there;
    if (!read_text(j, "by", false, &s->by, e) ||
        !read_whole(j, "at_least", 1, RECIPE_GROUP, &at_least, e))
        return false;
    s->at_least = (size_t)at_least;
    if (!s->by)
        return !json_get(j, "at_least") ||
               err_set(e, ERR_INPUT, _("at_least: there is no group without "
                                       "by"));
    if (s->over != OVER_ITEMS)
        return err_set(e, ERR_INPUT, _("by: only items of a step are put "
                                       "together"));
    s->giver = find_giver(recipe_above(s->from), first_of(s), s->by, &there);
    return s->giver || there ||
           err_set(e, ERR_INPUT, _("by: nothing that the items came from has "
                                   "a field \"%.40s\""), s->by);
}

const char *chain_get(const struct recipe_chain *c, const char *name)
{
    const char *dot = strchr(name, '.');
    for (; c; c = c->up) {
        size_t n = dot ? (size_t)(dot - name) : 0;
        const char *own = c->step ? c->step->name : c->there;
        bool here = !dot || (own && strlen(own) == n &&
                             !memcmp(own, name, n));
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
    return first_of(s)->over != OVER_DRAW || recipe_maker(s);
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
        if (recipe_lives_on(&r->steps[i], s) || r->steps[i].repeat.from == s)
            return true;
    return false;
}

const struct recipe_step *recipe_maker(const struct recipe_step *s)
{
    for (s = recipe_above(s); s; s = recipe_above(s))
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

/* Whether a loop goes through a group of what came before it, which is handed
 * on once. */
static bool regroups(const struct recipe_step *s)
{
    for (const struct recipe_step *t = s->repeat.from; t; t = t->from) {
        const struct recipe_step *g = t->by && t != s ? t->giver : NULL;
        while (g && g != s)
            g = g->from;
        if (t->by && !g)
            return true;
        if (t == s)
            return false;
    }
    return false;
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
    if (regroups(s))
        return xasprintf(_("steps[%zu]: repeat: it goes through a group, which "
                           "is handed on once"), at);
    if (recipe_makes(s, SINK_SCORE) && !s->parser->shown)
        return xasprintf(_("steps[%zu]: make: %s does not read which answer is "
                           "scored"), at, s->parser->name);
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
