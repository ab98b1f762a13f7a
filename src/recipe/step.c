/* One step of a recipe file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "recipe/load.h"
#include "recipe/op.h"
#include "recipe/parser.h"
#include "recipe/read.h"

#define OVER_NAME(id, name, fields) name,

/* ---- Messages, sampling, parser, checks ---------------------------------- */

static bool load_message(const json *j, const struct recipe_step *s,
                         struct recipe_message *m, struct err *e)
{
    struct fields_of fields = {s, false};
    struct tmpl_scope scope = fields_scope(&fields);
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
    m->text = ok ? tmpl_new(text, &scope, e) : NULL;
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
        if (!load_message(m, s, &s->messages[i], e))
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

static bool load_stop(const json *j, struct recipe_step *s, struct err *e)
{
    struct fields_of fields = {s, false};
    struct tmpl_scope scope = fields_scope(&fields);
    struct recipe_decode *d = &s->decode;
    size_t n = json_count(j);
    if (!j)
        return true;
    if (!json_is_array(j) || n > 4)
        return err_set(e, ERR_INPUT, _("stop: expected a list of at most 4 "
                                       "texts"));
    d->stop = xcalloc(n + 1, sizeof *d->stop);
    for (const json *v = json_first(j); v; v = json_next(v)) {
        const char *text = json_string(v);
        if (!text || !*text)
            return err_set(e, ERR_INPUT, _("stop: an empty text"));
        struct tmpl *t = tmpl_new(text, &scope, e);
        if (!t)
            return err_in(e, "stop");
        d->stop[d->n_stop++] = t;
    }
    return true;
}

static bool load_decode(const json *j, struct recipe_step *s, struct err *e)
{
    struct recipe_decode *d = &s->decode;
    if (!j)
        return true;
    return read_keys(j, "temperature top_p presence_penalty max_tokens stop",
                     e) &&
           read_number(j, "temperature", 0, 2, &d->temperature, e) &&
           read_number(j, "top_p", 0, 1, &d->top_p, e) &&
           read_number(j, "presence_penalty", -2, 2, &d->presence_penalty,
                       e) &&
           read_whole(j, "max_tokens", 1, 1e6, &d->max_tokens, e) &&
           load_stop(json_get(j, "stop"), s, e);
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
    s->usual = s->parser->usual;
    s->gives = s->parser->gives ? xstrdup(s->parser->gives) : NULL;
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

/* What fits together: what is said of answers is asked for where they are
 * shown, and so on. */
static bool check_step(const struct recipe_step *s, struct err *e)
{
    const struct parser *p = s->parser;
    bool together = s->over == OVER_CANDIDATES || s->by;
    bool shows = false;
    if (p->many && !p->one && !s->wanted)
        return err_set(e, ERR_INPUT, _("wanted: how many items a call asks "
                                       "for is missing"));
    if (p->shown && !together)
        return err_set(e, ERR_INPUT, _("over: %s is about answers that were "
                                       "shown: expected candidates"), p->name);
    if (!p->shown && s->over == OVER_CANDIDATES)
        return err_set(e, ERR_INPUT, _("over: %s reads nothing that is said "
                                       "of candidates"), p->name);
    for (size_t i = 0; i < s->n_messages; i++)
        shows |= tmpl_uses(s->messages[i].text, PH_CANDIDATES);
    if (together && !s->op && !shows)
        return err_set(e, ERR_INPUT, _("messages: {{#candidates}} does not "
                                       "stand in them"));
    return true;
}

/* ---- What it runs over --------------------------------------------------- */

/* "items of NAME": an earlier step's. */
static bool load_items_of(const char *name, const struct recipe *r, size_t at,
                          struct recipe_step *s, struct err *e)
{
    s->over = OVER_ITEMS;
    for (size_t i = 0; i < at; i++)
        if (!strcmp(r->steps[i].name, name))
            s->from = &r->steps[i];
    return s->from || err_set(e, ERR_INPUT, _("over: no step before this one "
                                              "is called \"%.40s\""), name);
}

/* The older word for a seed's prompt, or for what the step before makes. */
static void load_prompt(struct recipe *r, size_t at, struct recipe_step *s)
{
    s->over = at ? OVER_ITEMS : OVER_SEED;
    s->from = at ? &r->steps[at - 1] : NULL;
    s->items_of_before = at > 0;
}

static bool load_over(const json *j, struct recipe *r, size_t at,
                      struct recipe_step *s, struct err *e)
{
    static const char items_of[] = "items of ";
    const char *text = json_get_string(j, "over", "");
    int over = 0;
    if (!strcmp(text, "prompt")) {
        load_prompt(r, at, s);
        return true;
    }
    s->last = !strncmp(text, "last ", 5);
    text += s->last ? 5 : 0;
    if (!strncmp(text, items_of, sizeof items_of - 1))
        return load_items_of(text + sizeof items_of - 1, r, at, s, e);
    const char *const names[] = {STEP_OVERS(OVER_NAME) "items of NAME"};
    if (!read_choice(j, "over", names, COUNT(names), &over, e))
        return false;
    s->over = (enum step_over)over;
    return s->over != OVER_ITEMS ||
           err_set(e, ERR_INPUT, _("over: items of which step?"));
}

/* ---- The whole step ------------------------------------------------------ */

static bool load_counts(const json *j, struct recipe_step *s, struct err *e)
{
    int wanted = 0, times = 0;
    if (!read_whole(j, "wanted", 1, RECIPE_WANTED, &wanted, e) ||
        !read_whole(j, "times", 1, RECIPE_TIMES, &times, e))
        return false;
    s->wanted = (size_t)wanted;
    s->times = (size_t)times;
    return true;
}

/* What is sent, and how the reply is read. */
static bool load_ask(const json *j, struct recipe_step *s, struct err *e)
{
    if (!load_counts(j, s, e) ||
        !load_messages(json_get(j, "messages"), s, e))
        return false;
    if (!load_decode(json_get(j, "decode"), s, e))
        return err_in(e, "decode");
    return load_parser(json_get(j, "parse"), s, e) || err_in(e, "parse");
}

/* The fields that the op adds, behind those that its items have of the
 * group's. */
static char *op_gives(const struct recipe_step *s)
{
    return s->op->grouped ? xasprintf("%s %s", s->from->gives, s->op->gives)
                          : xstrdup(s->op->gives);
}

/* What is done here instead. */
static bool load_do(const json *j, struct recipe_step *s, struct err *e)
{
    const char *names[16];
    size_t n = 0;
    int which = 0;
    for (; ops[n] && n < COUNT(names); n++)
        names[n] = ops[n]->name;
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("not an object"));
    if (!read_choice(j, "as", names, n, &which, e))
        return false;
    s->op = ops[which];
    s->parser = &parser_rows;
    if (s->over != OVER_ITEMS || s->op->grouped != (s->by != NULL))
        return err_set(e, ERR_INPUT,
                       s->op->grouped ? _("%s is done with items together: "
                                          "by is missing")
                                      : _("%s is done with each item of a "
                                          "step for itself"), s->op->name);
    s->gives = op_gives(s);
    char *keys = xasprintf("as %s", s->op->keys);
    bool ok = read_keys(j, keys, e) && s->op->load(j, s, e);
    free(keys);
    return ok;
}

bool step_load(const json *j, struct recipe *r, size_t at, struct err *e)
{
    static const char done_here[] = "name over where by at_least do make "
                                    "checks";
    static const char asked[] = "name over where by at_least repeat each "
                                "times wanted messages decode parse make "
                                "checks";
    struct recipe_step *s = &r->steps[at];
    struct fields_of fields = {s, false};
    struct tmpl_scope scope = fields_scope(&fields);
    const json *act = json_get(j, "do");
    s->decode = (struct recipe_decode){NAN, NAN, NAN, 0, NULL, 0};
    if (!read_keys(j, act ? done_here : asked, e) ||
        !read_text(j, "name", true, &s->name, e) ||
        !load_over(j, r, at, s, e) ||
        !where_load(json_get(j, "where"), &scope, &s->where, e) ||
        !by_load(j, s, e) || !each_load(json_get(j, "each"), s, e) ||
        !repeat_load(json_get(j, "repeat"), s, e))
        return false;
    if (!name_ok(s->name) || word_among(s->name, "seed sample"))
        return err_set(e, ERR_INPUT, _("name: use a-z, 0-9, - and _; seed and "
                                       "sample are what was there"));
    if (act ? !load_do(act, s, e) : !load_ask(j, s, e))
        return act && err_in(e, "do");
    return makes_load(json_get(j, "make"), s, e) &&
           load_checks(json_get(j, "checks"), s, e) && check_step(s, e);
}

void step_free(struct recipe_step *s)
{
    for (size_t i = 0; i < s->n_messages; i++)
        tmpl_free(&s->messages[i].text);
    for (size_t i = 0; i < s->decode.n_stop; i++)
        tmpl_free(&s->decode.stop[i]);
    for (size_t i = 0; i < s->n_aspects; i++) {
        free(s->aspects[i].name);
        free(s->aspects[i].text);
    }
    if (s->own && s->op)
        s->op->unload(s->own);
    else if (s->own)
        s->parser->unload(s->own);
    makes_free(s);
    where_free(&s->where);
    each_free(s);
    repeat_free(s);
    free(s->by);
    free(s->gives);
    free(s->messages);
    free(s->decode.stop);
    free(s->aspects);
    free(s->checks);
    free(s->name);
}

const struct check_rule *recipe_check(const struct recipe_step *s,
                                      enum check check)
{
    for (size_t i = 0; i < s->n_checks; i++)
        if (s->checks[i].check == check)
            return &s->checks[i];
    return NULL;
}

size_t recipe_times(const struct recipe_step *s, size_t answers)
{
    return s->times                            ? s->times
           : recipe_makes(s, SINK_CANDIDATE) ? answers
                                               : 1;
}
