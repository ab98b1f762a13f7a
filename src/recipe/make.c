/* Sinks: what becomes of an item; and the conditions on its fields. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/load.h"
#include "recipe/parser.h"
#include "recipe/read.h"

#define ROW(id, name, must, may) {name, must, may},
static const struct {
    const char *name, *must, *may;
} sinks[] = {SINKS(ROW)};

/* The i-th of blank-separated words; NULL behind the last one. */
static const char *word(const char *list, size_t i, char out[20])
{
    while (word_next(&list, out, 20))
        if (!i--)
            return out;
    return NULL;
}

static size_t count_words(const char *list)
{
    char text[20];
    size_t n = 0;
    while (word_next(&list, text, sizeof text))
        n++;
    return n;
}

const char *sink_key(enum sink s, size_t i, char out[20])
{
    size_t must = count_words(sinks[s].must);
    return i < must ? word(sinks[s].must, i, out)
                    : word(sinks[s].may, i - must, out);
}

int sink_place(enum sink s, const char *key)
{
    char name[20];
    for (size_t i = 0; sink_key(s, i, name); i++)
        if (!strcmp(name, key))
            return (int)i;
    return -1;
}

/* ---- Reading ------------------------------------------------------------- */

static bool load_key(const json *v, struct recipe_step *s,
                     struct recipe_make *m, size_t at, struct err *e)
{
    char name[20];
    char *text = NULL;
    struct fields_of fields = {s, true};
    struct tmpl_scope scope = fields_scope(&fields);
    bool must = at < count_words(sinks[m->sink].must);
    sink_key(m->sink, at, name);
    if (!read_text(v, name, must, &text, e))
        return false;
    m->at[at] = text ? tmpl_new(text, &scope, e) : NULL;
    bool ok = !text || m->at[at];
    free(text);
    return ok || err_in(e, "%s", name);
}

static bool load_make(const json *v, struct recipe_step *s,
                      struct recipe_make *m, struct err *e)
{
    const char *names[SINK_COUNT];
    char keys[80], key[20];
    int sink = 0;
    for (int i = 0; i < SINK_COUNT; i++)
        names[i] = sinks[i].name;
    if (!json_is_object(v))
        return err_set(e, ERR_INPUT, _("not an object"));
    if (!read_choice(v, "as", names, SINK_COUNT, &sink, e))
        return false;
    m->sink = (enum sink)sink;
    snprintf(keys, sizeof keys, "as where %s %s", sinks[sink].must,
             sinks[sink].may);
    struct fields_of fields = {s, true};
    struct tmpl_scope scope = fields_scope(&fields);
    if (!read_keys(v, keys, e) ||
        !where_load(json_get(v, "where"), &scope, &m->where, e))
        return false;
    for (size_t i = 0; sink_key(m->sink, i, key); i++)
        if (!load_key(v, s, m, i, e))
            return false;
    return true;
}

static bool load_list(const json *j, struct recipe_step *s, struct err *e)
{
    size_t n = json_is_array(j) ? json_count(j) : 1, i = 0;
    if (n > RECIPE_MAKES)
        return err_set(e, ERR_INPUT, _("more than %d things are made"),
                       RECIPE_MAKES);
    s->makes = xcalloc(n + 1, sizeof *s->makes);
    for (const json *v = json_is_array(j) ? json_first(j) : j; i < n;
         v = json_next(v), i++) {
        s->n_makes = i + 1;
        if (!load_make(v, s, &s->makes[i], e))
            return false;
    }
    return true;
}

bool makes_load(const json *j, struct recipe_step *s, struct err *e)
{
    const char *usual = s->usual;
    json *own = !j && usual ? json_parse(usual, strlen(usual), e) : NULL;
    bool ok = (!j && !own) || load_list(j ? j : own, s, e) ||
              err_in(e, "make");
    json_free(own);
    return ok;
}

void makes_free(struct recipe_step *s)
{
    for (size_t i = 0; i < s->n_makes; i++) {
        for (size_t k = 0; k < SINK_KEYS; k++)
            tmpl_free(&s->makes[i].at[k]);
        where_free(&s->makes[i].where);
    }
    free(s->makes);
}

const struct recipe_make *recipe_makes(const struct recipe_step *s,
                                       enum sink sink)
{
    for (size_t i = 0; i < s->n_makes; i++)
        if (s->makes[i].sink == sink)
            return &s->makes[i];
    return NULL;
}

bool recipe_asks(const struct recipe_step *s)
{
    const struct recipe_make *m = recipe_makes(s, SINK_SAMPLE);
    return m && !m->at[sink_place(SINK_SAMPLE, "answer")];
}

/* ---- Conditions ---------------------------------------------------------- */

/* One text, or a list of them. */
static bool load_texts(const json *v, struct recipe_where *w, struct err *e)
{
    size_t n = json_is_array(v) ? json_count(v) : 1;
    w->is = xcalloc(n + 1, sizeof *w->is);
    for (const json *t = json_is_array(v) ? json_first(v) : v; w->n_is < n;
         t = json_next(t)) {
        if (!json_is_string(t))
            return err_set(e, ERR_INPUT, _("%s: expected a text, a list of "
                           "texts, or an object with not, min or max"),
                           w->field);
        w->is[w->n_is++] = xstrdup(json_string(t));
    }
    return n > 0 || err_set(e, ERR_INPUT, _("%s: expected a text, a list of "
                            "texts, or an object with not, min or max"),
                            w->field);
}

static bool load_bounds(const json *v, struct recipe_where *w, struct err *e)
{
    const json *not = json_get(v, "not");
    w->not = not != NULL;
    if (!read_keys(v, "not min max", e) ||
        !read_number(v, "min", -1e9, 1e9, &w->min, e) ||
        !read_number(v, "max", -1e9, 1e9, &w->max, e))
        return err_in(e, "%s", w->field);
    if (!not && isnan(w->min) && isnan(w->max))
        return err_set(e, ERR_INPUT, _("%s: not, min or max is missing"),
                       w->field);
    return !not || load_texts(not, w, e);
}

bool where_load(const json *j, const struct tmpl_scope *scope,
                struct recipe_wheres *out, struct err *e)
{
    if (!j)
        return true;
    if (!json_is_object(j) || !json_count(j))
        return err_set(e, ERR_INPUT, _("where: expected an object of fields"));
    out->at = xcalloc(json_count(j), sizeof *out->at);
    for (const json *v = json_first(j); v; v = json_next(v)) {
        struct recipe_where *w = &out->at[out->n++];
        w->min = w->max = NAN;
        w->field = xstrdup(json_key(v));
        if (!scope->has(scope->ctx, w->field, PH_COUNT_OF))
            return err_set(e, ERR_INPUT, _("where: no item has a field "
                                           "\"%.40s\""), w->field);
        if (!(json_is_object(v) ? load_bounds(v, w, e)
                                : load_texts(v, w, e)))
            return err_in(e, "where");
    }
    return true;
}

void where_free(struct recipe_wheres *w)
{
    for (size_t i = 0; i < w->n; i++) {
        for (size_t k = 0; k < w->at[i].n_is; k++)
            free(w->at[i].is[k]);
        free(w->at[i].is);
        free(w->at[i].field);
    }
    free(w->at);
}

static bool holds(const struct recipe_where *w, const char *text)
{
    bool among = false;
    char *end;
    double v = strtod(text, &end);
    for (size_t i = 0; i < w->n_is; i++)
        among = among || !strcmp(w->is[i], text);
    if (w->n_is && among == w->not)
        return false;
    if (isnan(w->min) && isnan(w->max))
        return true;
    return *text && !*end && !(v < w->min) && !(v > w->max);
}

bool recipe_passes(const struct recipe_wheres *w,
                   const struct recipe_chain *c)
{
    for (size_t i = 0; i < w->n; i++) {
        const char *text = chain_get(c, w->at[i].field);
        if (!holds(&w->at[i], text ? text : ""))
            return false;
    }
    return true;
}
