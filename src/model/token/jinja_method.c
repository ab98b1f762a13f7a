/* Tests, methods and functions of chat templates: one table each. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "model/token/jinja_lib.h"

#define RANGE_MOST 100000 /* as in Jinja's sandbox */

/* ---- Tests -------------------------------------------------------------- */

static bool whole(const struct jv *v)
{
    return v->type == JV_INT || v->type == JV_BOOL;
}

static bool is_case(struct run *r, const struct jv *v, int how)
{
    struct jv s = lib_as_text(r, v), other = lib_case(r, &s, how);
    struct jv back = lib_case(r, &s, how == UNI_LOWER ? UNI_UPPER
                                                          : UNI_LOWER);
    return jv_equal(&s, &other) && !jv_equal(&s, &back);
}

bool lib_test(struct run *r, const char *name, const struct jv *v,
              const struct args *a)
{
    static const char *const names[] = {
        "defined", "undefined", "none", "string", "number", "integer",
        "float", "boolean", "true", "false", "mapping", "sequence",
        "iterable", "callable", "odd", "even", "divisibleby", "lower",
        "upper", "in", "sameas", "filter", "test"};
    static const struct {
        const char *name, *other;
        int op;
    } compared[] = {{"eq", "equalto", 0}, {"ne", "!=", 1}, {"lt", "<", 2},
                    {"gt", ">", 3}, {"le", "<=", 4}, {"ge", ">=", 5},
                    {"==", "equalto", 0}, {"lessthan", "<", 2},
                    {"greaterthan", ">", 3}};
    struct jv other = arg(a, 0, NULL, lib_none());
    bool ok = true;
    for (size_t i = 0; i < COUNT(compared); i++) {
        if (strcmp(name, compared[i].name) && strcmp(name, compared[i].other))
            continue;
        int op = compared[i].op;
        if (op < 2)
            return jv_equal(v, &other) == (op == 0);
        int c = jv_compare(v, &other, &ok);
        if (!ok)
            run_fail(r, "%s", _("values of these types have no order"));
        return op == 2 ? c < 0 : op == 3 ? c > 0 : op == 4 ? c <= 0 : c >= 0;
    }
    size_t k = 0;
    while (k < COUNT(names) && strcmp(names[k], name))
        k++;
    int64_t i = whole(v) ? (int64_t)jv_number(v) : 0;
    int64_t by = whole(&other) ? (int64_t)jv_number(&other) : 0;
    switch (k) {
    case 0: return v->type != JV_UNDEFINED;
    case 1: return v->type == JV_UNDEFINED;
    case 2: return v->type == JV_NONE;
    case 3: return v->type == JV_STRING;
    case 4: return jv_is_number(v);
    case 5: return v->type == JV_INT;
    case 6: return v->type == JV_FLOAT;
    case 7: return v->type == JV_BOOL;
    case 8: return v->type == JV_BOOL && v->b;
    case 9: return v->type == JV_BOOL && !v->b;
    case 10: return v->type == JV_DICT;
    case 11:
    case 12: return v->type == JV_LIST || v->type == JV_STRING ||
                    v->type == JV_DICT || v->type == JV_UNDEFINED;
    case 13: return v->type == JV_CALLABLE;
    case 14: return i % 2 != 0;
    case 15: return whole(v) && i % 2 == 0;
    case 16: return by && i % by == 0;
    case 17: return is_case(r, v, UNI_LOWER);
    case 18: return is_case(r, v, UNI_UPPER);
    case 19: {
        struct jv all = run_iterate(r, &other);
        if (other.type == JV_STRING && v->type == JV_STRING)
            return memmem(other.s, other.n, v->s, v->n) != NULL;
        for (size_t n = 0; !r->failed && n < all.list->n; n++)
            if (jv_equal(&all.list->at[n], v))
                return true;
        return false;
    }
    case 20: return v->type == other.type && jv_equal(v, &other);
    default: run_fail(r, _("no test is named '%s'"), name); return false;
    }
}

/* ---- Methods ------------------------------------------------------------ */

#define METHOD(name)                                                          \
    static struct jv method_##name(struct run *r, const struct jv *self,      \
                                   const struct args *a)

METHOD(strip)
{
    struct jv c = arg(a, 0, NULL, jv_none());
    return lib_strip(r, self, &c, true, true);
}

METHOD(lstrip)
{
    struct jv c = arg(a, 0, NULL, jv_none());
    return lib_strip(r, self, &c, true, false);
}

METHOD(rstrip)
{
    struct jv c = arg(a, 0, NULL, jv_none());
    return lib_strip(r, self, &c, false, true);
}

/* At white space, runs of it taken as one. */
static struct jv split_space(struct run *r, const struct jv *v, int64_t most)
{
    struct jv out = jv_list(&r->arena), no = jv_none();
    size_t at = 0;
    while (at < v->n && !r->failed) {
        uint32_t cp;
        size_t n = lib_point(v, at, &cp), to = at;
        if (lib_strips(cp, &no)) {
            at += n;
            continue;
        }
        if (most >= 0 && (int64_t)out.list->n >= most) {
            struct jv last = jv_borrow(v->s + at, v->n - at);
            lib_add(r, out, lib_strip(r, &last, &no, false, true));
            break;
        }
        while (to < v->n && (n = lib_point(v, to, &cp)) && !lib_strips(cp, &no))
            to += n;
        lib_add(r, out, jv_string(&r->arena, v->s + at, to - at));
        at = to;
    }
    return out;
}

static struct jv split_at(struct run *r, const struct jv *v,
                          const struct jv *by, int64_t most)
{
    struct jv out = jv_list(&r->arena);
    size_t at = 0;
    if (!by->n)
        return run_fail(r, "%s", _("empty separator"));
    while (!r->failed && (most < 0 || (int64_t)out.list->n < most)) {
        size_t hit = lib_find(v, at, by);
        if (hit >= v->n)
            break;
        lib_add(r, out, jv_string(&r->arena, v->s + at, hit - at));
        at = hit + by->n;
    }
    lib_add(r, out, jv_string(&r->arena, v->s + at, v->n - at));
    return out;
}

METHOD(split)
{
    struct jv by = arg(a, 0, "sep", jv_none());
    int64_t most = lib_int(a, 1, "maxsplit", -1);
    return by.type == JV_STRING ? split_at(r, self, &by, most)
                                : split_space(r, self, most);
}

METHOD(rsplit)
{
    struct jv by = arg(a, 0, "sep", jv_none()), out = jv_list(&r->arena);
    int64_t most = lib_int(a, 1, "maxsplit", -1);
    struct jv all = by.type == JV_STRING ? split_at(r, self, &by, -1)
                                         : split_space(r, self, -1);
    int64_t n = r->failed ? 0 : (int64_t)all.list->n;
    if (most < 0 || n <= most + 1 || by.type != JV_STRING)
        return all;
    size_t head = 0; /* bytes of what stays in one piece */
    for (int64_t i = 0; i < n - most; i++)
        head += all.list->at[i].n + (i ? by.n : 0);
    lib_add(r, out, jv_string(&r->arena, self->s, head));
    for (int64_t i = n - most; i < n; i++)
        lib_add(r, out, all.list->at[i]);
    return out;
}

METHOD(splitlines)
{
    struct jv out = jv_list(&r->arena);
    struct jv keep = arg(a, 0, "keepends", jv_bool(false));
    for (size_t at = 0; at < self->n;) {
        size_t n = strcspn(self->s + at, "\r\n"), end = at + n;
        size_t more = self->s[end] == '\r' && self->s[end + 1] == '\n' ? 2
                      : end < self->n                                  ? 1
                                                                       : 0;
        lib_add(r, out, jv_string(&r->arena, self->s + at,
                              n + (jv_true(&keep) ? more : 0)));
        at = end + more;
    }
    return out;
}

/* One text, or a tuple of them. */
static bool any_end(const struct jv *self, const struct jv *with, bool start)
{
    if (with->type == JV_LIST) {
        for (size_t i = 0; i < with->list->n; i++)
            if (any_end(self, &with->list->at[i], start))
                return true;
        return false;
    }
    return with->type == JV_STRING && with->n <= self->n &&
           !memcmp(start ? self->s : self->s + self->n - with->n, with->s,
                   with->n);
}

METHOD(startswith)
{
    struct jv with = arg(a, 0, NULL, lib_none());
    (void)r;
    return jv_bool(any_end(self, &with, true));
}

METHOD(endswith)
{
    struct jv with = arg(a, 0, NULL, lib_none());
    (void)r;
    return jv_bool(any_end(self, &with, false));
}

METHOD(removeprefix)
{
    struct jv with = arg(a, 0, NULL, lib_none());
    size_t n = any_end(self, &with, true) && with.type == JV_STRING ? with.n
                                                                    : 0;
    return jv_string(&r->arena, self->s + n, self->n - n);
}

METHOD(removesuffix)
{
    struct jv with = arg(a, 0, NULL, lib_none());
    size_t n = any_end(self, &with, false) && with.type == JV_STRING ? with.n
                                                                     : 0;
    return jv_string(&r->arena, self->s, self->n - n);
}

METHOD(upper) { (void)a; return lib_case(r, self, UNI_UPPER); }
METHOD(lower) { (void)a; return lib_case(r, self, UNI_LOWER); }
METHOD(title) { (void)a; return lib_case(r, self, UNI_TITLE); }
METHOD(capitalize) { (void)a; return lib_case(r, self, UNI_CAPITAL); }

METHOD(replace)
{
    struct jv x = arg(a, 0, "old", lib_none());
    struct jv y = arg(a, 1, "new", lib_none());
    if (!lib_want_text(r, &x, "replace") || !lib_want_text(r, &y, "replace"))
        return lib_none();
    return lib_replaced(r, self, &x, &y, lib_int(a, 2, "count", -1));
}

METHOD(join)
{
    struct jv all = arg(a, 0, NULL, lib_none());
    struct jv by[1] = {*self};
    struct args with = {.at = by, .n = 1};
    all = run_iterate(r, &all);
    for (size_t i = 0; !r->failed && i < all.list->n; i++)
        if (!lib_want_text(r, &all.list->at[i], "join"))
            return lib_none();
    return r->failed ? lib_none() : lib_filter(r, "join", &all, &with);
}

/* A byte offset as a number of code points. */
static int64_t points_before(const struct jv *v, size_t at)
{
    return (int64_t)utf8_length(v->s, at);
}

METHOD(find)
{
    struct jv part = arg(a, 0, NULL, lib_none());
    if (!lib_want_text(r, &part, "find"))
        return lib_none();
    size_t at = lib_find(self, 0, &part);
    bool there = at < self->n || !part.n;
    return jv_int(there ? points_before(self, at) : -1);
}

METHOD(rfind)
{
    struct jv part = arg(a, 0, NULL, lib_none());
    int64_t best = -1;
    if (!lib_want_text(r, &part, "rfind"))
        return lib_none();
    for (size_t at = lib_find(self, 0, &part); at < self->n;
         at = lib_find(self, at + 1, &part))
        best = points_before(self, at);
    return jv_int(best);
}

METHOD(count)
{
    struct jv part = arg(a, 0, NULL, lib_none());
    int64_t n = 0;
    if (self->type == JV_LIST) {
        for (size_t i = 0; i < self->list->n; i++)
            n += jv_equal(&self->list->at[i], &part);
        return jv_int(n);
    }
    if (!lib_want_text(r, &part, "count") || !part.n)
        return jv_int(0);
    for (size_t at = lib_find(self, 0, &part); at < self->n;
         at = lib_find(self, at + part.n, &part))
        n++;
    return jv_int(n);
}

METHOD(index)
{
    struct jv v = arg(a, 0, NULL, lib_none());
    for (size_t i = 0; self->type == JV_LIST && i < self->list->n; i++)
        if (jv_equal(&self->list->at[i], &v))
            return jv_int((int64_t)i);
    return run_fail(r, "%s", _("the value is not in the list"));
}

static struct jv all_of(const struct jv *v, int (*is)(int))
{
    for (size_t i = 0; i < v->n; i++)
        if ((unsigned char)v->s[i] >= 0x80 || !is((unsigned char)v->s[i]))
            return jv_bool(false);
    return jv_bool(v->n > 0);
}

METHOD(isdigit) { (void)r; (void)a; return all_of(self, isdigit); }
METHOD(isalpha) { (void)r; (void)a; return all_of(self, isalpha); }
METHOD(isalnum) { (void)r; (void)a; return all_of(self, isalnum); }
METHOD(isspace) { (void)r; (void)a; return all_of(self, isspace); }

/* '{} {0} {name}'.format(...); a format behind ":" is not known. */
METHOD(format)
{
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    size_t next = 0;
    for (size_t i = 0; i < self->n && !r->failed; i++) {
        char c = self->s[i];
        size_t n = strcspn(self->s + i, "}");
        if ((c != '{' && c != '}') || self->s[i + 1] == c) {
            buf_putc(&b, c);
            i += c == '{' || c == '}';
            continue;
        }
        struct jv key = jv_string(&r->arena, self->s + i + 1, n ? n - 1 : 0);
        bool number = key.n && strspn(key.s, "0123456789") == key.n;
        size_t at = number ? (size_t)atoll(key.s) : key.n ? SIZE_MAX : next++;
        struct jv v = arg(a, at, key.s, lib_none());
        if (c == '}' || strpbrk(key.s, ":!.[") || v.type == JV_UNDEFINED)
            run_fail(r, "%s", _("this format is not supported"));
        jv_print(&v, &b);
        i += n;
    }
    struct jv out = run_string(r, &b);
    buf_free(&b);
    return out;
}

METHOD(get)
{
    struct jv key = arg(a, 0, NULL, lib_none());
    struct jv *v = jv_find(self, &key);
    (void)r;
    return v ? *v : arg(a, 1, "default", jv_none());
}

METHOD(items)
{
    struct args zero = {0};
    (void)a;
    return lib_filter(r, "items", self, &zero);
}

METHOD(keys)
{
    (void)a;
    return run_iterate(r, self);
}

METHOD(values)
{
    struct jv out = jv_list(&r->arena);
    (void)a;
    for (size_t i = 0; i < self->dict->n; i++)
        lib_add(r, out, self->dict->at[i].value);
    return out;
}

static const struct {
    enum jv_type type;
    const char *name;
    native_fn *fn;
} methods[] = {
    {JV_STRING, "strip", method_strip}, {JV_STRING, "lstrip", method_lstrip},
    {JV_STRING, "rstrip", method_rstrip}, {JV_STRING, "split", method_split},
    {JV_STRING, "rsplit", method_rsplit},
    {JV_STRING, "splitlines", method_splitlines},
    {JV_STRING, "startswith", method_startswith},
    {JV_STRING, "endswith", method_endswith},
    {JV_STRING, "removeprefix", method_removeprefix},
    {JV_STRING, "removesuffix", method_removesuffix},
    {JV_STRING, "upper", method_upper}, {JV_STRING, "lower", method_lower},
    {JV_STRING, "title", method_title},
    {JV_STRING, "capitalize", method_capitalize},
    {JV_STRING, "replace", method_replace}, {JV_STRING, "join", method_join},
    {JV_STRING, "find", method_find}, {JV_STRING, "rfind", method_rfind},
    {JV_STRING, "count", method_count}, {JV_STRING, "format", method_format},
    {JV_STRING, "isdigit", method_isdigit},
    {JV_STRING, "isnumeric", method_isdigit},
    {JV_STRING, "isdecimal", method_isdigit},
    {JV_STRING, "isalpha", method_isalpha},
    {JV_STRING, "isalnum", method_isalnum},
    {JV_STRING, "isspace", method_isspace},
    {JV_LIST, "count", method_count}, {JV_LIST, "index", method_index},
    {JV_DICT, "get", method_get}, {JV_DICT, "items", method_items},
    {JV_DICT, "keys", method_keys}, {JV_DICT, "values", method_values},
};

native_fn *lib_method(const struct jv *of, const char *name)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (methods[i].type == of->type && !strcmp(methods[i].name, name))
            return methods[i].fn;
    return NULL;
}

/* ---- Functions ---------------------------------------------------------- */

#define FUNCTION(name)                                                        \
    static struct jv function_##name(struct run *r, const struct jv *self,    \
                                     const struct args *a)

FUNCTION(range)
{
    struct jv out = jv_list(&r->arena);
    int64_t from = a->n > 1 ? lib_int(a, 0, NULL, 0) : 0;
    int64_t to = lib_int(a, a->n > 1, NULL, 0), by = lib_int(a, 2, NULL, 1);
    (void)self;
    if (!by)
        return run_fail(r, "%s", _("a range's step is zero"));
    for (int64_t i = from; by > 0 ? i < to : i > to; i += by) {
        if (out.list->n >= RANGE_MOST)
            return run_fail(r, _("a range of more than %d"), RANGE_MOST);
        lib_add(r, out, jv_int(i));
    }
    return out;
}

/* What dict() and namespace() begin with. */
static struct jv named_dict(struct run *r, const struct args *a)
{
    struct jv out = jv_dict(&r->arena);
    if (a->n && a->at[0].type == JV_DICT)
        for (size_t i = 0; i < a->at[0].dict->n; i++)
            jv_put(&r->arena, out, a->at[0].dict->at[i].key,
                   a->at[0].dict->at[i].value);
    for (size_t i = 0; i < a->n_named; i++)
        jv_put(&r->arena, out, lib_text(a->names[i]), a->values[i]);
    return out;
}

FUNCTION(dict)
{
    (void)self;
    return named_dict(r, a);
}

FUNCTION(namespace)
{
    struct jv out = named_dict(r, a);
    (void)self;
    if (out.type == JV_DICT)
        out.type = JV_SPACE;
    return out;
}

FUNCTION(raise_exception)
{
    struct jv why = arg(a, 0, NULL, lib_text("")), s = lib_as_text(r, &why);
    (void)self;
    return r->failed ? s : run_fail(r, _("the template says: %s"), s.s);
}

FUNCTION(strftime_now)
{
    struct jv format = arg(a, 0, NULL, lib_text("%Y-%m-%d"));
    char out[256];
    time_t now = (time_t)r->now;
    struct tm tm;
    (void)self;
    if (!lib_want_text(r, &format, "strftime_now"))
        return lib_none();
    gmtime_r(&now, &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    size_t n = strftime(out, sizeof out, format.s, &tm);
#pragma GCC diagnostic pop
    return jv_string(&r->arena, out, n);
}

static const struct {
    const char *name;
    native_fn *fn;
} functions[] = {{"range", function_range}, {"dict", function_dict},
                 {"namespace", function_namespace},
                 {"raise_exception", function_raise_exception},
                 {"strftime_now", function_strftime_now}};

native_fn *lib_function(const char *name)
{
    for (size_t i = 0; i < COUNT(functions); i++)
        if (!strcmp(functions[i].name, name))
            return functions[i].fn;
    return NULL;
}
