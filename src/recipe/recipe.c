#include "recipe/recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "recipe/read.h"
#include "recipe/template.h"

static const char *const kinds[] = {"label",   "expand",   "curate",
                                    "feature", "feedback", "self"};
static const char *const overs[] = {"draw", "prompt", "candidates"};
static const char *const parsers[] = {"numbered", "triples", "answer",
                                      "ratings"};
static const char *const check_names[] = {"near", "duplicate", "length",
                                          "cut_off", "echo", "refusal",
                                          "empty"};

/* What the recipes in data/recipes say of themselves, for the translators. */
static const char *const shipped[] = {
    N_("17 tasks and answers in one call"),
    N_("reasoning apart, then an answer"),
    N_("answers prompts that are there"),
    N_("rated by help, truth, instr"),
    N_("new tasks from 8, then answers"),
};

const char *recipe_about(const struct recipe *r)
{
    for (size_t i = 0; r->about && i < COUNT(shipped); i++)
        if (!strcmp(shipped[i], r->about))
            return _(shipped[i]);
    return r->about ? r->about : "";
}

const char *recipe_kind_name(enum recipe_kind k)
{
    return kinds[k];
}

const char *step_over_name(enum step_over o)
{
    return overs[o];
}

const char *step_parser_name(enum step_parser p)
{
    return parsers[p];
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

static bool load_aspects(const json *j, struct recipe_step *s, struct err *e)
{
    size_t n = json_count(j), i = 0;
    if (!json_is_array(j) || n < 1 || n > 16)
        return err_set(e, ERR_INPUT, _("aspects: expected a list of 1 to 16 "
                                       "aspects"));
    s->aspects = xcalloc(n, sizeof *s->aspects);
    for (const json *a = json_first(j); a; a = json_next(a), i++) {
        struct recipe_aspect *x = &s->aspects[i];
        s->n_aspects = i + 1;
        if (!read_keys(a, "name text", e) ||
            !read_text(a, "name", true, &x->name, e) ||
            !read_text(a, "text", true, &x->text, e))
            return err_in(e, "aspects[%zu]", i);
        if (!name_ok(x->name))
            return err_set(e, ERR_INPUT, _("aspects[%zu]: name: use a-z, "
                                           "0-9, - and _"), i);
    }
    return true;
}

static bool load_ratings(const json *j, struct recipe_step *s, struct err *e)
{
    if (!read_keys(j, "as low high aspects", e) ||
        !read_whole(j, "low", 0, 100, &s->low, e) ||
        !read_whole(j, "high", 0, 100, &s->high, e))
        return false;
    if (s->high <= s->low)
        return err_set(e, ERR_INPUT, _("high: must be above low"));
    return load_aspects(json_get(j, "aspects"), s, e);
}

static void text_or(char **s, const char *otherwise)
{
    if (!*s || !**s) {
        free(*s);
        *s = xstrdup(otherwise);
    }
}

static bool load_triples(const json *j, struct recipe_step *s, struct err *e)
{
    static const char *const keys[] = {"instruction", "input", "output"};
    static const char *const usual[] = {"Instruction:", "Input:", "Output:"};
    if (!read_keys(j, "as instruction input output no_input", e))
        return false;
    for (int i = 0; i < 3; i++) {
        if (!read_text(j, keys[i], false, &s->fields[i], e))
            return false;
        text_or(&s->fields[i], usual[i]);
    }
    if (!read_text(j, "no_input", false, &s->no_input, e))
        return false;
    text_or(&s->no_input, "<none>");
    return true;
}

static bool load_answer(const json *j, struct recipe_step *s, struct err *e)
{
    if (!read_keys(j, "as rationale marker", e) ||
        !read_bool(j, "rationale", &s->rationale, e) ||
        !read_text(j, "marker", false, &s->marker, e))
        return false;
    text_or(&s->marker, "Answer:");
    return true;
}

static bool load_parser(const json *j, struct recipe_step *s, struct err *e)
{
    int parser = 0;
    if (!read_choice(j, "as", parsers, COUNT(parsers), &parser, e))
        return false;
    s->parser = (enum step_parser)parser;
    switch (s->parser) {
    case PARSE_NUMBERED:
        return read_keys(j, "as", e);
    case PARSE_TRIPLES:
        return load_triples(j, s, e);
    case PARSE_ANSWER:
        return load_answer(j, s, e);
    case PARSE_RATINGS:
        return load_ratings(j, s, e);
    }
    return false;
}

static bool load_check(const json *j, struct recipe_check *c, struct err *e)
{
    int which = 0;
    if (!read_keys(j, "name limit min max", e) ||
        !read_choice(j, "name", check_names, COUNT(check_names), &which, e))
        return false;
    bool near = which == 0, length = which == 2, echo = which == 4;
    c->name = xstrdup(check_names[which]);
    *c = (struct recipe_check){c->name, near ? .70 : 16, 0, 1e6};
    if ((json_get(j, "limit") && !near && !echo) ||
        ((json_get(j, "min") || json_get(j, "max")) && !length))
        return err_set(e, ERR_INPUT, _("%s takes no such figure"), c->name);
    return read_number(j, "limit", 0, near ? 1 : 1e6, &c->limit, e) &&
           read_number(j, "min", 0, 1e6, &c->min, e) &&
           read_number(j, "max", c->min, 1e6, &c->max, e);
}

static bool load_checks(const json *j, struct recipe_step *s, struct err *e)
{
    size_t n = json_count(j), i = 0;
    if (!j)
        return true;
    if (!json_is_array(j) || n > COUNT(check_names))
        return err_set(e, ERR_INPUT, _("checks: expected a list of checks"));
    s->checks = xcalloc(n + 1, sizeof *s->checks);
    for (const json *c = json_first(j); c; c = json_next(c), i++) {
        s->n_checks = i + 1;
        if (!load_check(c, &s->checks[i], e))
            return err_in(e, "checks[%zu]", i);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(s->checks[k].name, s->checks[i].name))
                return err_set(e, ERR_INPUT, _("checks[%zu]: %s stands there "
                                               "twice"), i,
                               s->checks[i].name);
    }
    return true;
}

/* What fits together: a step that judges needs candidates, and so on. */
static bool check_step(const struct recipe_step *s, struct err *e)
{
    bool many = s->parser == PARSE_NUMBERED || s->parser == PARSE_TRIPLES;
    bool judges = s->parser == PARSE_RATINGS;
    bool uses_candidates = false;
    if (many && !s->wanted)
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

static bool load_recipe(const json *j, struct recipe *r, struct err *e)
{
    int kind = 0;
    if (!read_keys(j, "name version kind about draw steps", e) ||
        !read_text(j, "name", true, &r->name, e) ||
        !read_whole(j, "version", 1, 1e6, &r->version, e) ||
        !read_choice(j, "kind", kinds, COUNT(kinds), &kind, e) ||
        !read_text(j, "about", true, &r->about, e))
        return false;
    r->kind = (enum recipe_kind)kind;
    if (!name_ok(r->name))
        return err_set(e, ERR_INPUT, _("name: use a-z, 0-9, - and _"));
    if (!r->version)
        return err_set(e, ERR_INPUT, _("version is missing"));
    return load_draw(json_get(j, "draw"), r, e) &&
           load_steps(json_get(j, "steps"), r, e);
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
    for (size_t i = 0; i < s->n_checks; i++)
        free(s->checks[i].name);
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

const struct recipe_check *recipe_check(const struct recipe_step *s,
                                        const char *name)
{
    for (size_t i = 0; i < s->n_checks; i++)
        if (!strcmp(s->checks[i].name, name))
            return &s->checks[i];
    return NULL;
}
