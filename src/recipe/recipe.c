#include "recipe/recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "recipe/load.h"
#include "recipe/parser.h"
#include "recipe/read.h"
#include "recipe/template.h"

static const char *const kinds[] = {"label",   "expand",   "curate",
                                    "feature", "feedback", "self"};

const char *recipe_kind_name(enum recipe_kind k)
{
    return kinds[k];
}

const char *recipe_kind_label(enum recipe_kind k)
{
    static const char *const labels[] = {
        N_("kind|label"),   N_("kind|expand"),   N_("kind|curate"),
        N_("kind|feature"), N_("kind|feedback"), N_("kind|self")};
    return C_(labels[k]);
}

/* ---- The whole ----------------------------------------------------------- */

static bool load_draw(const json *j, struct recipe *r, struct err *e)
{
    int seeds = 0, samples = 0;
    if (!j)
        return true;
    if (!read_keys(j, "seeds samples answers", e) ||
        !read_whole(j, "seeds", 0, RECIPE_DEMOS / 2, &seeds, e) ||
        !read_whole(j, "samples", 0, RECIPE_DEMOS / 2, &samples, e) ||
        !read_bool(j, "answers", &r->with_answers, e))
        return err_in(e, "draw");
    r->from_seeds = (size_t)seeds;
    r->from_samples = (size_t)samples;
    return true;
}

/* Names that are different, and a step that draws only where something is
 * drawn. */
static bool check_order(const struct recipe *r, struct err *e)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct recipe_step *s = &r->steps[i];
        for (size_t k = 0; k < i; k++)
            if (!strcmp(r->steps[k].name, s->name))
                return err_set(e, ERR_INPUT, _("steps[%zu]: the name \"%s\" "
                                               "stands there twice"), i,
                               s->name);
        if (i > 0 && s->over == OVER_DRAW)
            return err_set(e, ERR_INPUT, _("steps[%zu]: over: only the first "
                                           "step draws"), i);
        if (i == 0 && s->over == OVER_DRAW &&
            r->from_seeds + r->from_samples == 0)
            return err_set(e, ERR_INPUT, _("draw: how many demonstrations is "
                                           "missing"));
    }
    return true;
}

static bool load_steps(const json *j, struct recipe *r, struct err *e)
{
    size_t n = json_count(j), i = 0;
    if (!json_is_array(j) || n < 1 || n > RECIPE_STEPS)
        return err_set(e, ERR_INPUT, _("steps: expected a list of 1 to %d "
                                       "steps"), RECIPE_STEPS);
    r->steps = xcalloc(n, sizeof *r->steps);
    for (const json *s = json_first(j); s; s = json_next(s), i++) {
        r->n_steps = i + 1;
        if (!step_load(s, r, i, e))
            return err_in(e, "steps[%zu]", i);
    }
    for (i = 0; i < n; i++)
        if (!repeat_resolve(r, &r->steps[i], e))
            return err_in(e, "steps[%zu]", i);
    return check_order(r, e);
}

/* A text, or one by language: {"en": "...", "pt_BR": "..."}. */
static bool load_about(const json *j, struct recipe *r, struct err *e)
{
    const json *mine = json_is_object(j) ? json_get(j, lang_name()) : j;
    if (json_is_object(j) && !mine)
        mine = json_get(j, "en");
    for (const json *v = json_is_object(j) ? json_first(j) : NULL; v;
         v = json_next(v))
        if (!json_is_string(v))
            return err_set(e, ERR_INPUT, _("about: expected a text for each "
                                           "language"));
    if (!json_is_string(mine))
        return err_set(e, ERR_INPUT, _("about: expected a text, or one by "
                                       "language with \"en\" among them"));
    r->about = xstrdup(json_string(mine));
    return true;
}

static bool load_recipe(const json *j, struct recipe *r, struct err *e)
{
    int kind = 0;
    if (!read_keys(j, "name version kind about draw steps", e) ||
        !read_text(j, "name", true, &r->name, e) ||
        !read_whole(j, "version", 1, 1e6, &r->version, e) ||
        !read_choice(j, "kind", kinds, COUNT(kinds), &kind, e) ||
        !load_about(json_get(j, "about"), r, e))
        return false;
    r->kind = (enum recipe_kind)kind;
    if (!name_ok(r->name))
        return err_set(e, ERR_INPUT, _("name: use a-z, 0-9, - and _"));
    if (!r->version)
        return err_set(e, ERR_INPUT, _("version is missing"));
    if (!load_draw(json_get(j, "draw"), r, e) ||
        !load_steps(json_get(j, "steps"), r, e))
        return false;
    r->cannot = recipe_never_runs(r);
    return true;
}

struct recipe *recipe_load(const char *text, size_t n, struct err *e)
{
    if (n > RECIPE_BYTES) {
        err_set(e, ERR_INPUT, _("a recipe of more than %d bytes"),
                RECIPE_BYTES);
        return NULL;
    }
    json *j = json_parse(text, n, e);
    if (!j)
        return NULL;
    struct recipe *r = xcalloc(1, sizeof *r);
    r->text = xstrndup(text, n);
    if (!load_recipe(j, r, e))
        recipe_free(&r);
    json_free(j);
    return r;
}

void recipe_free(struct recipe **r)
{
    if (!*r)
        return;
    for (size_t i = 0; i < (*r)->n_steps; i++)
        step_free(&(*r)->steps[i]);
    free((*r)->steps);
    free((*r)->name);
    free((*r)->about);
    free((*r)->cannot);
    free((*r)->text);
    free(*r);
    *r = NULL;
}

const struct recipe_step *recipe_step(const struct recipe *r,
                                      const char *name)
{
    for (size_t i = 0; i < r->n_steps; i++)
        if (!strcmp(r->steps[i].name, name))
            return &r->steps[i];
    return NULL;
}
