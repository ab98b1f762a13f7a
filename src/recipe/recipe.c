#include "recipe/recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "recipe/parser.h"
#include "recipe/read.h"
#include "recipe/template.h"

static const char *const kinds[] = {"label",   "expand",   "curate",
                                    "feature", "feedback", "self"};
static const char *const overs[] = {"draw", "prompt", "candidates"};
const char *recipe_kind_label(enum recipe_kind k)
{
    static const char *const labels[] = {
        N_("kind|label"),   N_("kind|expand"),   N_("kind|curate"),
        N_("kind|feature"), N_("kind|feedback"), N_("kind|self")};
    return C_(labels[k]);
}

/* ---- One step ------------------------------------------------------------ */

static bool load_message(const json *j, struct recipe_message *m,
                         struct err *e)
{
    if (json_get(j, "insert")) {
        int ignored;
        static const char *const what[] = {"prompt"};
        m->role = ROLE_USER;
        return read_keys(j, "insert", e) &&
               read_choice(j, "insert", what, 1, &ignored, e);
    }
    int role = 0;
    static const char *const roles[] = {"system", "user", "assistant"};
    char *text = NULL;
    bool ok = read_keys(j, "role text", e) &&
              read_choice(j, "role", roles, COUNT(roles), &role, e) &&
              read_text(j, "text", true, &text, e);
    m->role = (enum role)role;
    m->text = ok ? tmpl_new(text, e) : NULL;
    free(text);
    return m->text != NULL;
}

static bool load_messages(const json *j, struct recipe_step *s, struct err *e)
{
    size_t n = json_count(j), i = 0;
    if (!json_is_array(j) || n < 1 || n > 32)
        return err_set(e, ERR_INPUT, _("messages: expected a list of 1 to 32 "
                                       "messages"));
    s->messages = xcalloc(n, sizeof *s->messages);
    for (const json *m = json_first(j); m; m = json_next(m), i++) {
        s->n_messages = i + 1;
        if (!load_message(m, &s->messages[i], e))
            return err_in(e, "messages[%zu]", i);
        if (!s->messages[i].text && i + 1 < n)
            return err_set(e, ERR_INPUT, _("messages[%zu]: the prompt's own "
                                           "messages must come last"), i);
        if (s->messages[i].role == ROLE_SYSTEM && i > 0)
            return err_set(e, ERR_INPUT, _("messages[%zu]: a system message "
                                           "must be the first"), i);
    }
    return true;
}

static bool load_stop(const json *j, struct recipe_decode *d, struct err *e)
{
    size_t n = json_count(j);
    if (!j)
        return true;
    if (!json_is_array(j) || n > 4)
        return err_set(e, ERR_INPUT, _("stop: expected a list of at most 4 "
                                       "texts"));
    d->stop = xcalloc(n + 1, sizeof *d->stop);
    for (const json *v = json_first(j); v; v = json_next(v)) {
        const char *text = json_string(v);
        struct tmpl *t = text && *text ? tmpl_new(text, e) : NULL;
        if (!t)
            return text && *text ? err_in(e, "stop")
                                 : err_set(e, ERR_INPUT,
                                           _("stop: an empty text"));
        tmpl_free(&t);
        d->stop[d->n_stop++] = xstrdup(text);
    }
    return true;
}

static bool load_decode(const json *j, struct recipe_decode *d, struct err *e)
{
    if (!j)
        return true;
    return read_keys(j, "temperature top_p presence_penalty max_tokens stop",
                     e) &&
           read_number(j, "temperature", 0, 2, &d->temperature, e) &&
           read_number(j, "top_p", 0, 1, &d->top_p, e) &&
           read_number(j, "presence_penalty", -2, 2, &d->presence_penalty,
                       e) &&
           read_whole(j, "max_tokens", 1, 1e6, &d->max_tokens, e) &&
           load_stop(json_get(j, "stop"), d, e);
}

static bool load_parser(const json *j, struct recipe_step *s, struct err *e)
{
    const char *names[16];
    size_t n = 0;
    int which = 0;
    while (parsers[n] && n < COUNT(names)) {
        names[n] = parsers[n]->name;
        n++;
    }
    if (!read_choice(j, "as", names, n, &which, e))
        return false;
    s->parser = parsers[which];
    char *keys = xasprintf("as %s", s->parser->keys);
    bool ok = read_keys(j, keys, e) &&
              (!s->parser->load || s->parser->load(j, s, e));
    free(keys);
    return ok;
}

/* The names of all checks, for the sentence that lists them. */
static bool load_check_name(const json *j, enum check *out, struct err *e)
{
    const char *names[CHECK_COUNT];
    int which = 0;
    const char *name = json_get_string(j, "name", "");
    if (check_parse(name, out))
        return true;
    for (int i = 0; i < CHECK_COUNT; i++)
        names[i] = check_name((enum check)i);
    return read_choice(j, "name", names, CHECK_COUNT, &which, e);
}

static bool load_check(const json *j, struct check_rule *c, struct err *e)
{
    static const char *const figures[] = {"limit", "min", "max"};
    enum check which = CHECK_EMPTY;
    if (!read_keys(j, "name limit min max", e) ||
        !load_check_name(j, &which, e))
        return false;
    *c = check_rule(which);
    for (size_t i = 0; i < COUNT(figures); i++)
        if (json_get(j, figures[i]) &&
            !strstr(check_settings(which), figures[i]))
            return err_set(e, ERR_INPUT, _("%s takes no such figure"),
                           check_name(which));
    return read_number(j, "limit", 0, which == CHECK_NEAR ? 1 : 1e6,
                       &c->limit, e) &&
           read_number(j, "min", 0, 1e6, &c->min, e) &&
           read_number(j, "max", c->min, 1e6, &c->max, e);
}

static bool load_checks(const json *j, struct recipe_step *s, struct err *e)
{
    size_t n = json_count(j), i = 0;
    if (!j)
        return true;
    if (!json_is_array(j) || n > CHECK_COUNT)
        return err_set(e, ERR_INPUT, _("checks: expected a list of checks"));
    s->checks = xcalloc(n + 1, sizeof *s->checks);
    for (const json *c = json_first(j); c; c = json_next(c), i++) {
        if (!load_check(c, &s->checks[i], e))
            return err_in(e, "checks[%zu]", i);
        if (recipe_check(s, s->checks[i].check))
            return err_set(e, ERR_INPUT, _("checks[%zu]: %s stands there "
                                           "twice"), i,
                           check_name(s->checks[i].check));
        s->n_checks = i + 1;
    }
    return true;
}

/* What fits together: a step that judges needs candidates, and so on. */
static bool check_step(const struct recipe_step *s, struct err *e)
{
    bool judges = s->parser->makes == ITEM_RATING;
    bool uses_candidates = false;
    if (s->parser->many && !s->wanted)
        return err_set(e, ERR_INPUT, _("wanted: how many items a call asks "
                                       "for is missing"));
    if (judges != (s->over == OVER_CANDIDATES))
        return err_set(e, ERR_INPUT, _("over: ratings are asked for over "
                                       "candidates, and nothing else is"));
    for (size_t i = 0; i < s->n_messages; i++)
        uses_candidates |= tmpl_uses(s->messages[i].text, PH_CANDIDATES);
    if (judges && !uses_candidates)
        return err_set(e, ERR_INPUT, _("messages: {{#candidates}} does not "
                                       "stand in them"));
    return true;
}

static bool load_step(const json *j, struct recipe_step *s, struct err *e)
{
    int over = 0, wanted = 0;
    s->decode = (struct recipe_decode){NAN, NAN, NAN, 0, NULL, 0};
    s->low = 1;
    s->high = 5;
    if (!read_keys(j, "name over wanted messages decode parse checks", e) ||
        !read_text(j, "name", true, &s->name, e) ||
        !read_choice(j, "over", overs, COUNT(overs), &over, e) ||
        !read_whole(j, "wanted", 1, RECIPE_WANTED, &wanted, e) ||
        !load_messages(json_get(j, "messages"), s, e))
        return false;
    s->over = (enum step_over)over;
    s->wanted = (size_t)wanted;
    if (!name_ok(s->name))
        return err_set(e, ERR_INPUT, _("name: use a-z, 0-9, - and _"));
    if (!load_decode(json_get(j, "decode"), &s->decode, e))
        return err_in(e, "decode");
    if (!load_parser(json_get(j, "parse"), s, e))
        return err_in(e, "parse");
    return load_checks(json_get(j, "checks"), s, e) && check_step(s, e);
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

/* The first step may draw or take inputs; each later one lives on prompts
 * that an earlier one makes. */
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
        if (!load_step(s, &r->steps[i], e))
            return err_in(e, "steps[%zu]", i);
    }
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

/* ---- What would never run ------------------------------------------------ */

static bool makes_prompts(const struct recipe_step *s)
{
    return s->parser->makes == ITEM_PROMPT || s->parser->makes == ITEM_TRIPLE;
}

/* A check is run on what it is about: a step that makes no prompts runs none
 * of theirs, and ratings have none at all. What is listed where prompts are
 * made and is about the answer runs when the answer is there. */
static char *idle_check(const struct recipe_step *s, size_t at)
{
    for (size_t i = 0; i < s->n_checks; i++) {
        enum check c = s->checks[i].check;
        if (s->parser->makes == ITEM_RATING)
            return xasprintf(_("steps[%zu]: checks[%zu]: ratings have no "
                               "checks"), at, i);
        if (check_about(c) == ABOUT_PROMPT && !makes_prompts(s))
            return xasprintf(_("steps[%zu]: checks[%zu]: %s is about prompts, "
                               "and this step makes none"), at, i,
                             check_name(c));
    }
    return NULL;
}

/* The first thing in the recipe that would be read and never done, as a
 * sentence that the caller frees; NULL where all of it runs. */
static char *never_runs(const struct recipe *r)
{
    for (size_t i = 0; i < r->n_steps; i++) {
        const struct recipe_step *s = &r->steps[i];
        bool fed = i == 0 || r->steps[i - 1].parser->makes == ITEM_PROMPT;
        bool read = s->parser->makes != ITEM_PROMPT || i + 1 < r->n_steps;
        if (!fed || (i > 0 && s->over != OVER_PROMPT))
            return xasprintf(_("steps[%zu]: it would never be asked: the step "
                               "before it makes no prompts for it"), i);
        if (!read)
            return xasprintf(_("steps[%zu]: it makes prompts, and no step "
                               "behind it answers them"), i);
        char *idle = idle_check(s, i);
        if (idle)
            return idle;
    }
    if (r->with_answers && !r->from_seeds && !r->from_samples)
        return xstrdup(_("draw: answers: nothing is drawn"));
    return NULL;
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
    r->cannot = never_runs(r);
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

static void free_step(struct recipe_step *s)
{
    for (size_t i = 0; i < s->n_messages; i++)
        tmpl_free(&s->messages[i].text);
    for (size_t i = 0; i < s->decode.n_stop; i++)
        free(s->decode.stop[i]);
    for (size_t i = 0; i < s->n_aspects; i++) {
        free(s->aspects[i].name);
        free(s->aspects[i].text);
    }
    for (int i = 0; i < 3; i++)
        free(s->fields[i]);
    free(s->messages);
    free(s->decode.stop);
    free(s->aspects);
    free(s->checks);
    free(s->no_input);
    free(s->marker);
    free(s->name);
}

void recipe_free(struct recipe **r)
{
    if (!*r)
        return;
    for (size_t i = 0; i < (*r)->n_steps; i++)
        free_step(&(*r)->steps[i]);
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

const struct check_rule *recipe_check(const struct recipe_step *s,
                                      enum check check)
{
    for (size_t i = 0; i < s->n_checks; i++)
        if (s->checks[i].check == check)
            return &s->checks[i];
    return NULL;
}
