#include "domain/schema.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "domain/verifier.h"

static const char *const types[] = {"object",  "array",   "string", "number",
                                    "integer", "boolean", "null"};

static bool known_type(const json *v)
{
    for (size_t i = 0; json_is_string(v) && i < COUNT(types); i++)
        if (!strcmp(types[i], json_string(v)))
            return true;
    return false;
}

/* Puts one more step in front of the place that the error names. */
static bool below(struct err *e, const char *step)
{
    char was[sizeof e->text];
    if (!e)
        return false;
    memcpy(was, e->text, sizeof was);
    return err_set(e, ERR_INPUT, "/%.40s%s%s", step, *was == '/' ? "" : ": ",
                   was);
}

/* ---- The schema itself --------------------------------------------------- */

static bool usable_type(const json *v, struct err *e)
{
    bool list = json_is_array(v) && json_count(v);
    for (const json *t = list ? json_first(v) : v; t;
         t = list ? json_next(t) : NULL)
        if (!known_type(t))
            return err_set(e, ERR_INPUT, _("type: expected object, array, "
                           "string, number, integer, boolean or null"));
    return true;
}

static bool usable_names(const json *v, struct err *e)
{
    bool ok = json_is_array(v);
    for (const json *t = json_first(v); ok && t; t = json_next(t))
        ok = json_is_string(t);
    return ok || err_set(e, ERR_INPUT, _("required: expected a list of names"));
}

static bool usable_properties(const json *v, struct err *e)
{
    if (!json_is_object(v))
        return err_set(e, ERR_INPUT, _("properties: expected an object"));
    for (const json *m = json_first(v); m; m = json_next(m))
        if (!schema_usable(m, e))
            return below(e, json_key(m)) || below(e, "properties");
    return true;
}

static bool usable_enum(const json *v, struct err *e)
{
    return (json_is_array(v) && json_count(v)) ||
           err_set(e, ERR_INPUT, _("enum: expected a list of values"));
}

static bool usable_more(const json *v, struct err *e)
{
    return json_is_bool(v) || schema_usable(v, e) ||
           below(e, "additionalProperties");
}

static bool usable_items(const json *v, struct err *e)
{
    return schema_usable(v, e) || below(e, "items");
}

static bool usable_bound(const json *v, struct err *e)
{
    return (json_is_number(v) && isfinite(json_number(v, NAN))) ||
           err_set(e, ERR_INPUT, _("%s: expected a number"), json_key(v));
}

static bool usable_count(const json *v, struct err *e)
{
    double n = json_number(v, -1);
    return (n >= 0 && n == floor(n)) ||
           err_set(e, ERR_INPUT, _("%s: expected a whole number from 0"),
                   json_key(v));
}

/* ---- A value ------------------------------------------------------------- */

static bool is_type(const json *v, const char *type)
{
    double n = json_number(v, NAN);
    switch (type[0]) {
    case 'o':
        return json_is_object(v);
    case 'a':
        return json_is_array(v);
    case 's':
        return json_is_string(v);
    case 'b':
        return json_is_bool(v);
    case 'i':
        return json_is_number(v) && isfinite(n) && n == floor(n);
    default:
        return type[2] == 'm' ? json_is_number(v) : json_is_null(v);
    }
}

/* ": expected a string" and their like, whole for the translators. */
static bool not_type(const char *type, struct err *e)
{
    static const char *const expected[COUNT(types)] = {
        N_("expected an object"), N_("expected a list"),
        N_("expected a string"),  N_("expected a number"),
        N_("expected a whole number"), N_("expected true or false"),
        N_("expected null")};
    for (size_t i = 0; i < COUNT(types); i++)
        if (!strcmp(types[i], type))
            return err_set(e, ERR_INPUT, "%s", _(expected[i]));
    return false;
}

static bool check_type(const json *k, const json *s, const json *v,
                       struct err *e)
{
    (void)s;
    if (json_is_string(k))
        return is_type(v, json_string(k)) || not_type(json_string(k), e);
    for (const json *t = json_first(k); t; t = json_next(t))
        if (is_type(v, json_string(t)))
            return true;
    return err_set(e, ERR_INPUT, _("a value of another kind than expected"));
}

static bool check_required(const json *k, const json *s, const json *v,
                           struct err *e)
{
    (void)s;
    for (const json *n = json_is_object(v) ? json_first(k) : NULL; n;
         n = json_next(n))
        if (!json_get(v, json_string(n)))
            return err_set(e, ERR_INPUT, _("\"%.40s\" is missing"),
                           json_string(n));
    return true;
}

static bool check_properties(const json *k, const json *s, const json *v,
                             struct err *e)
{
    (void)s;
    for (const json *p = json_first(k); p; p = json_next(p)) {
        const json *m = json_get(v, json_key(p));
        if (m && !schema_check(p, m, e))
            return below(e, json_key(p));
    }
    return true;
}

static bool check_more(const json *k, const json *s, const json *v,
                       struct err *e)
{
    const json *known = json_get(s, "properties");
    for (const json *m = json_is_object(v) ? json_first(v) : NULL; m;
         m = json_next(m)) {
        if (json_get(known, json_key(m)))
            continue;
        if (json_is_bool(k) && !json_is_true(k))
            return err_set(e, ERR_INPUT, _("unknown key \"%.40s\""),
                           json_key(m));
        if (!json_is_bool(k) && !schema_check(k, m, e))
            return below(e, json_key(m));
    }
    return true;
}

static bool check_items(const json *k, const json *s, const json *v,
                        struct err *e)
{
    size_t i = 0;
    char place[24];
    (void)s;
    for (const json *m = json_is_array(v) ? json_first(v) : NULL; m;
         m = json_next(m), i++)
        if (!schema_check(k, m, e)) {
            snprintf(place, sizeof place, "%zu", i);
            return below(e, place);
        }
    return true;
}

static bool check_enum(const json *k, const json *s, const json *v,
                       struct err *e)
{
    (void)s;
    for (const json *m = json_first(k); m; m = json_next(m))
        if (json_same(m, v))
            return true;
    return err_set(e, ERR_INPUT, _("not among the values that it may have"));
}

static bool check_minimum(const json *k, const json *s, const json *v,
                          struct err *e)
{
    (void)s;
    return !json_is_number(v) || json_number(v, 0) >= json_number(k, 0) ||
           err_set(e, ERR_INPUT, _("less than %g"), json_number(k, 0));
}

static bool check_maximum(const json *k, const json *s, const json *v,
                          struct err *e)
{
    (void)s;
    return !json_is_number(v) || json_number(v, 0) <= json_number(k, 0) ||
           err_set(e, ERR_INPUT, _("more than %g"), json_number(k, 0));
}

/* The length of a text or of a list, as `list` says; NAN for other values. */
static double length_of(const json *v, bool list)
{
    const char *text = json_string(v);
    if (list)
        return json_is_array(v) ? (double)json_count(v) : NAN;
    return text ? (double)utf8_length(text, strlen(text)) : NAN;
}

static bool check_least(const json *k, const json *s, const json *v,
                        struct err *e)
{
    bool list = json_key(k)[3] == 'I';
    double least = json_number(k, 0);
    (void)s;
    return !(length_of(v, list) < least) ||
           err_set(e, ERR_INPUT, list ? _("fewer than %g elements")
                                      : _("shorter than %g characters"),
                   least);
}

static bool check_most(const json *k, const json *s, const json *v,
                       struct err *e)
{
    bool list = json_key(k)[3] == 'I';
    double most = json_number(k, 0);
    (void)s;
    return !(length_of(v, list) > most) ||
           err_set(e, ERR_INPUT, list ? _("more than %g elements")
                                      : _("longer than %g characters"),
                   most);
}

/* ---- The keywords -------------------------------------------------------- */

static const struct keyword {
    const char *name;
    bool (*usable)(const json *k, struct err *e);
    bool (*check)(const json *k, const json *schema, const json *v,
                  struct err *e);
} keywords[] = {
    {"type", usable_type, check_type},
    {"required", usable_names, check_required},
    {"properties", usable_properties, check_properties},
    {"additionalProperties", usable_more, check_more},
    {"items", usable_items, check_items},
    {"enum", usable_enum, check_enum},
    {"minimum", usable_bound, check_minimum},
    {"maximum", usable_bound, check_maximum},
    {"minLength", usable_count, check_least},
    {"maxLength", usable_count, check_most},
    {"minItems", usable_count, check_least},
    {"maxItems", usable_count, check_most},
};

static const struct keyword *keyword(const char *name)
{
    for (size_t i = 0; i < COUNT(keywords); i++)
        if (!strcmp(keywords[i].name, name))
            return &keywords[i];
    return NULL;
}

bool schema_usable(const json *schema, struct err *e)
{
    if (!json_is_object(schema))
        return err_set(e, ERR_INPUT, _("not an object"));
    for (const json *k = json_first(schema); k; k = json_next(k)) {
        const struct keyword *w = keyword(json_key(k));
        if (!w)
            return err_set(e, ERR_INPUT, _("unknown keyword \"%.40s\""),
                           json_key(k));
        if (!w->usable(k, e))
            return false;
    }
    return true;
}

bool schema_check(const json *schema, const json *value, struct err *e)
{
    for (const json *k = json_first(schema); k; k = json_next(k))
        if (!keyword(json_key(k))->check(k, schema, value, e))
            return false;
    return true;
}
