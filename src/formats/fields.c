/* Fields by what they mean, whatever their columns are called. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "formats/format.h"

#define FIELD_ROW(id, name, columns) {name, columns},
static const struct {
    const char *name, *columns;
} fields[] = {IN_FIELDS(FIELD_ROW)};
#undef FIELD_ROW

/* ---- A person's own names ----------------------------------------------- */

static bool add_role(struct mapping *m, const char *name, size_t n,
                     const char *own, const char *whole, struct err *e)
{
    struct own_role r = {NULL, ROLE_USER};
    char *first = xstrndup(name, n);
    bool ok = true;
    if (role_parse(first, NULL, &r.role, NULL))
        r.name = xstrdup(own);
    else if (role_parse(own, NULL, &r.role, NULL))
        r.name = xstrdup(first);
    else
        ok = err_set(e, ERR_USAGE, _("--map %s: write role:ROLE=NAME with a "
                     "role of system, user, assistant, tool"), whole);
    free(first);
    if (ok)
        VEC_PUSH(&m->roles, r);
    return ok;
}

bool mapping_add(struct mapping *m, const char *text, struct err *e)
{
    const char *equal = strchr(text, '=');
    size_t n = equal ? (size_t)(equal - text) : 0;
    if (equal && equal[1] && n > 5 && !strncmp(text, "role:", 5))
        return add_role(m, text + 5, n - 5, equal + 1, text, e);
    for (size_t i = 0; equal && equal[1] && i < IN_COUNT; i++) {
        if (strlen(fields[i].name) != n || strncmp(fields[i].name, text, n))
            continue;
        free(m->columns[i]);
        m->columns[i] = xstrdup(equal + 1);
        return true;
    }
    struct buf names = BUF_INIT(0);
    for (size_t i = 0; i < IN_COUNT; i++)
        buf_printf(&names, "%s%s", i ? ", " : "", fields[i].name);
    err_set(e, ERR_USAGE, _("--map %s: write FIELD=COLUMN with a field of %s; "
                            "or role:ROLE=NAME"), text, buf_str(&names));
    buf_free(&names);
    return false;
}

void mapping_free(struct mapping *m)
{
    for (size_t i = 0; i < IN_COUNT; i++)
        free(m->columns[i]);
    for (size_t i = 0; i < m->roles.n; i++)
        free(m->roles.at[i].name);
    VEC_FREE(&m->roles);
    *m = (struct mapping){0};
}

/* ---- Columns ------------------------------------------------------------ */

/* The member of that name; else, with dots, the member of a member. What is
 * passed on the way is marked where `take`. */
static const json *find(const json *row, const char *name, bool take)
{
    const json *v = json_get(row, name);
    const char *dot = strchr(name, '.');
    if (v || !dot) {
        if (take)
            json_taken(v, false);
        return v;
    }
    char *first = xstrndup(name, (size_t)(dot - name));
    const json *in = json_get(row, first);
    free(first);
    if (!in)
        return NULL;
    json_unfold(in);
    v = find(in, dot + 1, take);
    if (v && take)
        json_taken(in, false);
    return v;
}

/* Whether the column serves another field already. */
static bool is_used(const struct in *in, enum in_field f, const json *v)
{
    return f == IN_INPUT && json_is_taken(v) &&
           in_peek(in, IN_PROMPT).value == v;
}

static struct column look(const struct in *in, enum in_field f, bool take)
{
    const struct mapping *m = in->how->map;
    if (m && m->columns[f]) {
        const json *v = find(in->row, m->columns[f], take);
        in->how->seen[f] = in->how->seen[f] || v;
        return (struct column){m->columns[f], json_is_null(v) ? NULL : v};
    }
    static const char blanks[] = " ";
    char name[40];
    for (const char *p = fields[f].columns; *p; p += strspn(p, blanks)) {
        size_t n = strcspn(p, blanks);
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        p += n;
        const json *v = json_get(in->row, name);
        if (in->lead && f == IN_PROMPT && strcmp(name, in->lead))
            continue;
        if (!v || json_is_null(v) || is_used(in, f, v))
            continue;
        if (take)
            json_taken(v, false);
        return (struct column){json_key(v), v};
    }
    return (struct column){NULL, NULL};
}

struct column in_peek(const struct in *in, enum in_field f)
{
    return look(in, f, false);
}

struct column in_take(const struct in *in, enum in_field f)
{
    return look(in, f, true);
}

bool column_text(const struct column *c, const char **out, struct err *e)
{
    *out = json_string(c->value);
    if (json_is_no_number(c->value))
        return err_set(e, ERR_INPUT, _("\"%s\" is NaN or infinite, which is "
                                       "no JSON"), c->name);
    return !c->value || *out ||
           err_set(e, ERR_INPUT, _("\"%s\" is not text"), c->name);
}

bool in_text(const struct in *in, enum in_field f, bool may_be_blank,
             const char **out, struct err *e)
{
    struct column c = in_take(in, f);
    if (!column_text(&c, out, e))
        return false;
    return may_be_blank || !*out || (*out)[strspn(*out, " \t\r\n")] ||
           err_set(e, ERR_INPUT, _("\"%s\" is empty"), c.name);
}

bool in_number(const struct in *in, enum in_field f, double *out,
               struct err *e)
{
    struct column c = in_take(in, f);
    const char *text = json_string(c.value);
    char *end = NULL;
    *out = NAN;
    if (!c.value)
        return true;
    if (json_is_number(c.value))
        *out = json_number(c.value, NAN);
    else if (text && *text)
        *out = strtod(text, &end);
    return (isfinite(*out) && (!end || !*end)) ||
           err_set(e, ERR_INPUT, _("\"%s\" is not a number"), c.name);
}

static bool is_list(const json *v)
{
    const json *first = json_first(v);
    return json_is_array(v) && json_is_object(first) &&
           (json_get(first, "role") || json_get(first, "from"));
}

bool is_messages(const json *v)
{
    const char *s = json_string(v);
    if (!s || s[strspn(s, " \t\r\n")] != '[')
        return is_list(v);
    json *j = json_parse(s, strlen(s), NULL);
    bool list = is_list(j);
    json_free(j);
    return list && json_unfold(v);
}
