/* Filters of chat templates: one table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "model/token/jinja_lib.h"

/* obj.a.b or obj.0, for attribute= of filters. */
static struct jv path_of(struct run *r, const struct jv *v,
                         const struct jv *path)
{
    struct jv at = *v;
    if (path->type == JV_INT)
        return run_item(r, v, path);
    for (size_t i = 0; path->type == JV_STRING && i <= path->n;) {
        size_t n = strcspn(path->s + i, ".");
        struct jv key = jv_string(&r->arena, path->s + i, n);
        bool number = n && strspn(key.s, "0123456789") == n;
        struct jv index = jv_int(number ? atoll(key.s) : 0);
        at = run_item(r, &at, number ? &index : &key);
        i += n + 1;
    }
    return at;
}

/* ---- Filters ------------------------------------------------------------ */

#define FILTER(name)                                                          \
    static struct jv filter_##name(struct run *r, const struct jv *v,         \
                                   const struct args *a)

FILTER(length)
{
    int64_t n = jv_length(v);
    (void)a;
    return n >= 0 ? jv_int(n)
                  : run_fail(r, _("object of type '%s' has no len()"),
                             jv_type_name(v));
}

FILTER(trim)
{
    struct jv s = lib_as_text(r, v), chars = arg(a, 0, "chars", jv_none());
    return r->failed ? s : lib_strip(r, &s, &chars, true, true);
}

FILTER(lower)
{
    struct jv s = lib_as_text(r, v);
    (void)a;
    return lib_case(r, &s, UNI_LOWER);
}

FILTER(upper)
{
    struct jv s = lib_as_text(r, v);
    (void)a;
    return lib_case(r, &s, UNI_UPPER);
}

FILTER(title)
{
    struct jv s = lib_as_text(r, v);
    (void)a;
    return lib_case(r, &s, UNI_TITLE);
}

FILTER(capitalize)
{
    struct jv s = lib_as_text(r, v);
    (void)a;
    return lib_case(r, &s, UNI_CAPITAL);
}

FILTER(first)
{
    struct jv all = run_iterate(r, v);
    (void)a;
    return r->failed || !all.list->n ? lib_none() : all.list->at[0];
}

FILTER(last)
{
    struct jv all = run_iterate(r, v);
    (void)a;
    return r->failed || !all.list->n ? lib_none()
                                     : all.list->at[all.list->n - 1];
}

FILTER(list)
{
    struct jv all = run_iterate(r, v), out = jv_list(&r->arena);
    (void)a;
    for (size_t i = 0; !r->failed && i < all.list->n; i++)
        lib_add(r, out, all.list->at[i]);
    return out;
}

FILTER(string)
{
    (void)a;
    return lib_as_text(r, v);
}

FILTER(join)
{
    struct jv by = arg(a, 0, "d", lib_text("")), all = run_iterate(r, v);
    struct jv path = arg(a, 1, "attribute", jv_none());
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    for (size_t i = 0; !r->failed && i < all.list->n; i++) {
        struct jv one = all.list->at[i];
        if (path.type != JV_NONE)
            one = path_of(r, &one, &path);
        if (i)
            jv_print(&by, &b);
        jv_print(&one, &b);
    }
    struct jv out = run_string(r, &b);
    buf_free(&b);
    return out;
}

FILTER(int)
{
    struct jv otherwise = arg(a, 0, "default", jv_int(0));
    char *end;
    if (jv_is_number(v) && !isnan(jv_number(v)) && !isinf(jv_number(v)))
        return jv_int((int64_t)jv_number(v));
    if (v->type != JV_STRING || !v->n)
        return otherwise;
    int64_t i = strtoll(v->s, &end, 10);
    if (!end[strspn(end, " \t\n")])
        return jv_int(i);
    double f = strtod(v->s, &end);
    (void)r;
    return end[strspn(end, " \t\n")] ? otherwise : jv_int((int64_t)f);
}

FILTER(float)
{
    struct jv otherwise = arg(a, 0, "default", jv_float(0));
    char *end;
    (void)r;
    if (jv_is_number(v))
        return jv_float(jv_number(v));
    if (v->type != JV_STRING || !v->n)
        return otherwise;
    double f = strtod(v->s, &end);
    return end[strspn(end, " \t\n")] ? otherwise : jv_float(f);
}

FILTER(default)
{
    struct jv otherwise = arg(a, 0, "default_value", lib_text(""));
    struct jv empty = arg(a, 1, "boolean", jv_bool(false));
    (void)r;
    bool use = v->type == JV_UNDEFINED || (jv_true(&empty) && !jv_true(v));
    return use ? otherwise : *v;
}

FILTER(replace)
{
    struct jv s = lib_as_text(r, v), x = arg(a, 0, "old", lib_none());
    struct jv y = arg(a, 1, "new", lib_none());
    x = lib_as_text(r, &x);
    y = lib_as_text(r, &y);
    return lib_replaced(r, &s, &x, &y, lib_int(a, 2, "count", -1));
}

FILTER(reverse)
{
    struct jv all = run_iterate(r, v), out = jv_list(&r->arena);
    (void)a;
    for (size_t i = r->failed ? 0 : all.list->n; i > 0; i--)
        lib_add(r, out, all.list->at[i - 1]);
    if (v->type != JV_STRING)
        return out;
    struct args none_given = {0};
    return filter_join(r, &out, &none_given);
}

struct keyed {
    struct jv key, value;
    size_t at;
};

static int by_key(const void *x, const void *y)
{
    const struct keyed *a = x, *b = y;
    bool ok;
    int c = jv_compare(&a->key, &b->key, &ok);
    return c ? c : a->at < b->at ? -1 : a->at > b->at;
}

/* Sorted by a key, letters' case aside unless asked. */
static struct jv sorted(struct run *r, const struct jv *all,
                        const struct jv *path, bool reverse, bool exact)
{
    size_t n = all->list->n;
    struct keyed *k = xcalloc(n + 1, sizeof *k);
    struct jv out = jv_list(&r->arena);
    bool ok = true;
    for (size_t i = 0; i < n && !r->failed; i++) {
        k[i].value = k[i].key = all->list->at[i];
        k[i].at = reverse ? n - i : i;
        if (path->type != JV_NONE)
            k[i].key = path_of(r, &k[i].value, path);
        if (k[i].key.type == JV_STRING && !exact)
            k[i].key = lib_case(r, &k[i].key, UNI_LOWER);
        if (i)
            jv_compare(&k[i - 1].key, &k[i].key, &ok);
        if (!ok)
            run_fail(r, "%s", _("values of these types have no order"));
    }
    if (!r->failed)
        qsort(k, n, sizeof *k, by_key);
    for (size_t i = 0; i < n && !r->failed; i++)
        lib_add(r, out, k[reverse ? n - 1 - i : i].value);
    free(k);
    return out;
}

FILTER(sort)
{
    struct jv all = run_iterate(r, v), no = jv_bool(false);
    struct jv reverse = arg(a, 0, "reverse", no);
    struct jv exact = arg(a, 1, "case_sensitive", no);
    struct jv path = arg(a, 2, "attribute", jv_none());
    return r->failed ? all
                     : sorted(r, &all, &path, jv_true(&reverse),
                              jv_true(&exact));
}

FILTER(unique)
{
    struct jv all = run_iterate(r, v), out = jv_list(&r->arena);
    struct jv path = arg(a, 1, "attribute", jv_none());
    struct jv seen = jv_list(&r->arena);
    for (size_t i = 0; !r->failed && i < all.list->n; i++) {
        struct jv key = path.type == JV_NONE
                            ? all.list->at[i]
                            : path_of(r, &all.list->at[i], &path);
        if (key.type == JV_STRING)
            key = lib_case(r, &key, UNI_LOWER);
        bool there = false;
        for (size_t k = 0; k < seen.list->n && !there; k++)
            there = jv_equal(&seen.list->at[k], &key);
        if (there)
            continue;
        lib_add(r, seen, key);
        lib_add(r, out, all.list->at[i]);
    }
    return out;
}

/* What map, select and their kin walk: nothing where the value is false. */
static struct jv walked(struct run *r, const struct jv *v)
{
    return jv_true(v) ? run_iterate(r, v) : jv_list(&r->arena);
}

/* The arguments behind the first `skip`. */
static struct args rest(const struct args *a, size_t skip)
{
    struct args out = *a;
    out.at += skip < a->n ? skip : a->n;
    out.n -= skip < a->n ? skip : a->n;
    return out;
}

FILTER(map)
{
    struct jv all = walked(r, v), out = jv_list(&r->arena);
    struct jv path = arg(a, SIZE_MAX, "attribute", jv_none());
    struct jv otherwise = arg(a, SIZE_MAX, "default", lib_none());
    struct jv name = arg(a, 0, NULL, jv_none());
    struct args more = rest(a, 1);
    for (size_t i = 0; !r->failed && i < all.list->n; i++) {
        struct jv one;
        if (path.type != JV_NONE) {
            one = path_of(r, &all.list->at[i], &path);
            if (one.type == JV_UNDEFINED)
                one = otherwise;
        } else if (name.type == JV_STRING) {
            one = lib_filter(r, name.s, &all.list->at[i], &more);
        } else {
            return run_fail(r, "%s", _("map wants a filter or attribute="));
        }
        lib_add(r, out, one);
    }
    return out;
}

/* select, reject, selectattr, rejectattr. */
static struct jv chosen(struct run *r, const struct jv *v,
                        const struct args *a, bool attr, bool keep)
{
    struct jv all = walked(r, v), out = jv_list(&r->arena);
    struct jv path = attr ? arg(a, 0, NULL, jv_none()) : jv_none();
    struct jv name = arg(a, attr, NULL, jv_none());
    struct args more = rest(a, (size_t)attr + 1);
    for (size_t i = 0; !r->failed && i < all.list->n; i++) {
        struct jv one = all.list->at[i];
        if (attr)
            one = path_of(r, &one, &path);
        bool yes = name.type == JV_STRING
                       ? lib_test(r, name.s, &one, &more)
                       : jv_true(&one);
        if (yes == keep)
            lib_add(r, out, all.list->at[i]);
    }
    return out;
}

FILTER(select) { return chosen(r, v, a, false, true); }
FILTER(reject) { return chosen(r, v, a, false, false); }
FILTER(selectattr) { return chosen(r, v, a, true, true); }
FILTER(rejectattr) { return chosen(r, v, a, true, false); }

FILTER(tojson)
{
    struct jv separators = arg(a, 2, "separators", jv_none());
    struct jv sort = arg(a, 3, "sort_keys", jv_bool(false));
    struct jv ascii = arg(a, 0, "ensure_ascii", jv_bool(false));
    struct jv_dump how = {.indent = (int)lib_int(a, 1, "indent", -1),
                          .item = ", ", .key = ": ", .sort = jv_true(&sort),
                          .ascii = jv_true(&ascii)};
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    if (how.indent >= 0)
        how.item = ",";
    if (how.indent > 100)
        how.indent = 100;
    if (separators.type == JV_LIST && separators.list->n == 2 &&
        separators.list->at[0].type == JV_STRING &&
        separators.list->at[1].type == JV_STRING) {
        how.item = separators.list->at[0].s;
        how.key = separators.list->at[1].s;
    }
    struct jv out;
    if (!jv_dumps(v, &how, &b) || b.failed)
        out = run_fail(r, _("an object of type %s has no JSON"),
                       jv_type_name(v));
    else
        out = run_string(r, &b);
    buf_free(&b);
    return out;
}

static struct jv pair(struct run *r, struct jv a, struct jv b)
{
    struct jv out = jv_list(&r->arena);
    lib_add(r, out, a);
    lib_add(r, out, b);
    out.tuple = true;
    return out;
}

FILTER(items)
{
    struct jv out = jv_list(&r->arena);
    (void)a;
    if (v->type == JV_UNDEFINED)
        return out;
    if (v->type != JV_DICT)
        return run_fail(r, "%s", _("items wants a mapping"));
    for (size_t i = 0; i < v->dict->n; i++)
        lib_add(r, out, pair(r, v->dict->at[i].key, v->dict->at[i].value));
    return out;
}

FILTER(dictsort)
{
    struct jv none_given = jv_int(0), no = jv_bool(false);
    struct args zero = {0};
    struct jv exact = arg(a, 0, "case_sensitive", no);
    struct jv by = arg(a, 1, "by", lib_text("key"));
    struct jv reverse = arg(a, 2, "reverse", no);
    struct jv all = filter_items(r, v, &zero);
    if (by.type == JV_STRING && !strcmp(by.s, "value"))
        none_given = jv_int(1);
    return r->failed ? all
                     : sorted(r, &all, &none_given, jv_true(&reverse),
                              jv_true(&exact));
}

static struct jv extreme(struct run *r, const struct jv *v, int sign)
{
    struct jv all = run_iterate(r, v), best = lib_none();
    for (size_t i = 0; !r->failed && i < all.list->n; i++) {
        bool ok = true;
        int c = i ? jv_compare(&all.list->at[i], &best, &ok) : sign;
        if (!ok)
            return run_fail(r, "%s", _("values of these types have no "
                                       "order"));
        if (c * sign > 0)
            best = all.list->at[i];
    }
    return best;
}

FILTER(min)
{
    (void)a;
    return extreme(r, v, -1);
}

FILTER(max)
{
    (void)a;
    return extreme(r, v, 1);
}

FILTER(sum)
{
    struct jv all = run_iterate(r, v);
    struct jv path = arg(a, 0, "attribute", jv_none());
    double total = 0;
    bool whole = true;
    for (size_t i = 0; !r->failed && i < all.list->n; i++) {
        struct jv one = all.list->at[i];
        if (path.type != JV_NONE)
            one = path_of(r, &one, &path);
        whole = whole && one.type != JV_FLOAT;
        total += jv_is_number(&one) ? jv_number(&one) : 0;
    }
    return whole ? jv_int((int64_t)total) : jv_float(total);
}

FILTER(abs)
{
    (void)a;
    if (!jv_is_number(v))
        return run_fail(r, "%s", _("abs wants a number"));
    return v->type == JV_FLOAT ? jv_float(fabs(v->f))
                               : jv_int((int64_t)fabs(jv_number(v)));
}

FILTER(round)
{
    struct jv method = arg(a, 1, "method", lib_text("common"));
    double by = pow(10, (double)lib_int(a, 0, "precision", 0));
    if (!jv_is_number(v))
        return run_fail(r, "%s", _("round wants a number"));
    double x = jv_number(v) * by;
    if (method.type == JV_STRING && !strcmp(method.s, "ceil"))
        return jv_float(ceil(x) / by);
    if (method.type == JV_STRING && !strcmp(method.s, "floor"))
        return jv_float(floor(x) / by);
    return jv_float(nearbyint(x) / by); /* to even, as Python's */
}

FILTER(indent)
{
    struct jv s = lib_as_text(r, v), width = arg(a, 0, "width", jv_int(4));
    struct jv first = arg(a, 1, "first", jv_bool(false));
    struct jv blank = arg(a, 2, "blank", jv_bool(false));
    struct buf b = BUF_INIT(JINJA_OUTPUT), by = BUF_INIT(1024);
    if (width.type == JV_STRING)
        buf_add(&by, width.s, width.n);
    else
        buf_printf(&by, "%*s", (int)jv_number(&width) % 500, "");
    for (size_t i = 0; i <= s.n;) {
        size_t n = strcspn(s.s + i, "\n");
        if ((i || jv_true(&first)) && (n || jv_true(&blank)))
            buf_add(&b, buf_str(&by), by.len);
        buf_add(&b, s.s + i, n);
        if (s.s[i + n])
            buf_putc(&b, '\n');
        i += n + 1;
    }
    struct jv out = run_string(r, &b);
    buf_free(&b);
    buf_free(&by);
    return out;
}

FILTER(escape)
{
    struct jv s = lib_as_text(r, v);
    static const struct {
        char c;
        const char *with;
    } table[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"},
                 {'"', "&#34;"}, {'\'', "&#39;"}};
    struct buf b = BUF_INIT(JINJA_OUTPUT);
    (void)a;
    for (size_t i = 0; i < s.n; i++) {
        const char *with = NULL;
        for (size_t k = 0; k < COUNT(table); k++)
            if (s.s[i] == table[k].c)
                with = table[k].with;
        if (with)
            buf_puts(&b, with);
        else
            buf_putc(&b, s.s[i]);
    }
    struct jv out = run_string(r, &b);
    buf_free(&b);
    return out;
}

FILTER(safe)
{
    (void)r;
    (void)a;
    return *v;
}

FILTER(attr)
{
    struct jv name = arg(a, 0, "name", jv_none());
    return name.type == JV_STRING ? run_attr(r, v, name.s) : lib_none();
}

FILTER(wordcount)
{
    struct jv s = lib_as_text(r, v);
    int64_t n = 0;
    bool in = false;
    (void)a;
    for (size_t i = 0; i < s.n;) {
        uint32_t cp;
        i += lib_point(&s, i, &cp);
        bool space = uni_kind(cp) == UNI_SPACE;
        n += !space && !in;
        in = !space;
    }
    return jv_int(n);
}

FILTER(batch)
{
    struct jv all = run_iterate(r, v), out = jv_list(&r->arena), row = out;
    int64_t size = lib_int(a, 0, "linecount", 1);
    struct jv fill = arg(a, 1, "fill_with", jv_none());
    size = size > 0 ? size : 1;
    for (size_t i = 0; !r->failed && i < all.list->n; i++) {
        if ((int64_t)i % size == 0)
            lib_add(r, out, row = jv_list(&r->arena));
        lib_add(r, row, all.list->at[i]);
    }
    while (out.list->n && fill.type != JV_NONE &&
           (int64_t)row.list->n < size && !r->failed)
        lib_add(r, row, fill);
    return out;
}

static const struct {
    const char *name;
    struct jv (*fn)(struct run *r, const struct jv *v, const struct args *a);
} filters[] = {
    {"length", filter_length}, {"count", filter_length},
    {"trim", filter_trim}, {"lower", filter_lower}, {"upper", filter_upper},
    {"title", filter_title}, {"capitalize", filter_capitalize},
    {"first", filter_first}, {"last", filter_last}, {"list", filter_list},
    {"string", filter_string}, {"join", filter_join}, {"int", filter_int},
    {"float", filter_float}, {"default", filter_default},
    {"d", filter_default}, {"replace", filter_replace},
    {"reverse", filter_reverse}, {"sort", filter_sort},
    {"unique", filter_unique}, {"map", filter_map},
    {"select", filter_select}, {"reject", filter_reject},
    {"selectattr", filter_selectattr}, {"rejectattr", filter_rejectattr},
    {"tojson", filter_tojson}, {"items", filter_items},
    {"dictsort", filter_dictsort}, {"min", filter_min}, {"max", filter_max},
    {"sum", filter_sum}, {"abs", filter_abs}, {"round", filter_round},
    {"indent", filter_indent}, {"escape", filter_escape},
    {"e", filter_escape}, {"safe", filter_safe}, {"attr", filter_attr},
    {"wordcount", filter_wordcount}, {"batch", filter_batch},
};

struct jv lib_filter(struct run *r, const char *name, const struct jv *v,
                     const struct args *a)
{
    for (size_t i = 0; i < COUNT(filters); i++)
        if (!strcmp(filters[i].name, name))
            return filters[i].fn(r, v, a);
    return run_fail(r, _("no filter is named '%s'"), name);
}
