#include "model/token/jinja_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { PART = 64 << 10, DEEP = 200 };

struct arena_part {
    struct arena_part *next;
    size_t n, cap;
    max_align_t data[];
};

void *arena_get(struct arena *a, size_t n)
{
    n = (n + 15) / 16 * 16;
    if (n > ARENA_MOST - a->used)
        return NULL;
    if (!a->part || a->part->cap - a->part->n < n) {
        size_t cap = n > PART ? n : PART;
        struct arena_part *p = xcalloc(1, sizeof *p + cap);
        p->cap = cap;
        p->next = a->part;
        a->part = p;
    }
    void *p = (char *)a->part->data + a->part->n;
    a->part->n += n;
    a->used += n;
    return p;
}

void arena_free(struct arena *a)
{
    for (struct arena_part *p = a->part, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    *a = (struct arena){0};
}

/* ---- Making ------------------------------------------------------------- */

struct jv jv_none(void) { return (struct jv){.type = JV_NONE}; }
struct jv jv_bool(bool b) { return (struct jv){.type = JV_BOOL, .b = b}; }
struct jv jv_int(int64_t i) { return (struct jv){.type = JV_INT, .i = i}; }
struct jv jv_float(double f) { return (struct jv){.type = JV_FLOAT, .f = f}; }

struct jv jv_undefined(const char *name)
{
    return (struct jv){.type = JV_UNDEFINED, .name = name};
}

struct jv jv_borrow(const char *s, size_t n)
{
    struct jv v = {.type = JV_STRING};
    v.s = s;
    v.n = n;
    return v;
}

struct jv jv_string(struct arena *a, const char *s, size_t n)
{
    char *copy = arena_get(a, n + 1);
    if (!copy)
        return jv_undefined("memory");
    memcpy(copy, s, n);
    return jv_borrow(copy, n);
}

struct jv jv_list(struct arena *a)
{
    struct jv v = {.type = JV_LIST, .list = arena_get(a, sizeof *v.list)};
    return v.list ? v : jv_undefined("memory");
}

struct jv jv_dict(struct arena *a)
{
    struct jv v = {.type = JV_DICT, .dict = arena_get(a, sizeof *v.dict)};
    return v.dict ? v : jv_undefined("memory");
}

static void *grown(struct arena *a, void *at, size_t n, size_t *cap,
                   size_t size)
{
    size_t to = *cap ? 2 * *cap : 8;
    void *p = arena_get(a, to * size);
    if (!p)
        return NULL;
    if (n)
        memcpy(p, at, n * size);
    *cap = to;
    return p;
}

bool jv_push(struct arena *a, struct jv v, struct jv item)
{
    if (v.type != JV_LIST)
        return false;
    struct jv_list *l = v.list;
    if (l->n == l->cap) {
        void *p = grown(a, l->at, l->n, &l->cap, sizeof *l->at);
        if (!p)
            return false;
        l->at = p;
    }
    l->at[l->n++] = item;
    return true;
}

struct jv *jv_find(const struct jv *v, const struct jv *key)
{
    if (v->type != JV_DICT && v->type != JV_SPACE)
        return NULL;
    for (size_t i = 0; i < v->dict->n; i++)
        if (jv_equal(&v->dict->at[i].key, key))
            return &v->dict->at[i].value;
    return NULL;
}

struct jv *jv_find_name(const struct jv *v, const char *key)
{
    struct jv k = jv_borrow(key, strlen(key));
    return jv_find(v, &k);
}

bool jv_put(struct arena *a, struct jv v, struct jv key, struct jv value)
{
    struct jv *there = jv_find(&v, &key);
    if (there) {
        *there = value;
        return true;
    }
    if (v.type != JV_DICT && v.type != JV_SPACE)
        return false;
    struct jv_dict *d = v.dict;
    if (d->n == d->cap) {
        void *p = grown(a, d->at, d->n, &d->cap, sizeof *d->at);
        if (!p)
            return false;
        d->at = p;
    }
    d->at[d->n].key = key;
    d->at[d->n++].value = value;
    return true;
}

/* ---- Asking ------------------------------------------------------------- */

bool jv_is_number(const struct jv *v)
{
    return v->type == JV_INT || v->type == JV_FLOAT || v->type == JV_BOOL;
}

double jv_number(const struct jv *v)
{
    return v->type == JV_INT    ? (double)v->i
           : v->type == JV_BOOL ? v->b
                                : v->f;
}

bool jv_true(const struct jv *v)
{
    switch (v->type) {
    case JV_UNDEFINED:
    case JV_NONE: return false;
    case JV_BOOL: return v->b;
    case JV_INT: return v->i != 0;
    case JV_FLOAT: return v->f < 0 || v->f > 0 || isnan(v->f);
    case JV_STRING: return v->n > 0;
    case JV_LIST: return v->list->n > 0;
    case JV_DICT: return v->dict->n > 0;
    case JV_SPACE:
    case JV_CALLABLE: break;
    }
    return true;
}

static bool equal(const struct jv *a, const struct jv *b, int depth)
{
    if (depth > DEEP)
        return false;
    if (a->type == JV_INT && b->type == JV_INT)
        return a->i == b->i;
    if (jv_is_number(a) && jv_is_number(b)) {
        double x = jv_number(a), y = jv_number(b);
        return x <= y && x >= y;
    }
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case JV_UNDEFINED:
    case JV_NONE: return true;
    case JV_STRING: return a->n == b->n && !memcmp(a->s, b->s, a->n);
    case JV_LIST:
        for (size_t i = 0; i < a->list->n; i++)
            if (i >= b->list->n ||
                !equal(&a->list->at[i], &b->list->at[i], depth + 1))
                return false;
        return a->list->n == b->list->n && a->tuple == b->tuple;
    case JV_DICT:
        for (size_t i = 0; i < a->dict->n; i++) {
            const struct jv *v = jv_find(b, &a->dict->at[i].key);
            if (!v || !equal(&a->dict->at[i].value, v, depth + 1))
                return false;
        }
        return a->dict->n == b->dict->n;
    case JV_BOOL: return a->b == b->b;
    case JV_INT:
    case JV_FLOAT: return false; /* were held as numbers */
    case JV_SPACE: return a->dict == b->dict;
    case JV_CALLABLE: return a->call == b->call;
    }
    return false;
}

bool jv_equal(const struct jv *a, const struct jv *b)
{
    return equal(a, b, 0);
}

int jv_compare(const struct jv *a, const struct jv *b, bool *ok)
{
    *ok = true;
    if (jv_is_number(a) && jv_is_number(b)) {
        double x = jv_number(a), y = jv_number(b);
        return x < y ? -1 : x > y;
    }
    if (a->type == JV_STRING && b->type == JV_STRING) {
        size_t n = a->n < b->n ? a->n : b->n;
        int c = n ? memcmp(a->s, b->s, n) : 0; /* code point order in UTF-8 */
        return c ? c : a->n < b->n ? -1 : a->n > b->n;
    }
    if (a->type == JV_LIST && b->type == JV_LIST) {
        for (size_t i = 0; i < a->list->n && i < b->list->n; i++) {
            int c = jv_compare(&a->list->at[i], &b->list->at[i], ok);
            if (c || !*ok)
                return c;
        }
        return a->list->n < b->list->n ? -1 : a->list->n > b->list->n;
    }
    *ok = false;
    return 0;
}

int64_t jv_length(const struct jv *v)
{
    switch (v->type) {
    case JV_UNDEFINED: return 0;
    case JV_STRING: return (int64_t)utf8_length(v->s, v->n);
    case JV_LIST: return (int64_t)v->list->n;
    case JV_DICT: return (int64_t)v->dict->n;
    case JV_NONE:
    case JV_BOOL:
    case JV_INT:
    case JV_FLOAT:
    case JV_SPACE:
    case JV_CALLABLE: break;
    }
    return -1;
}

const char *jv_type_name(const struct jv *v)
{
    static const char *const names[] = {
        "Undefined", "NoneType", "bool", "int", "float", "str", "list",
        "dict", "Namespace", "function"};
    return v->type == JV_LIST && v->tuple ? "tuple" : names[v->type];
}

/* ---- Showing ------------------------------------------------------------ */

/* A float as Python's repr has it: 1.0, 0.1, 1e+20. */
static void print_float(double f, struct buf *out)
{
    char text[40];
    if (isnan(f) || isinf(f)) {
        buf_puts(out, isnan(f) ? "nan" : f < 0 ? "-inf" : "inf");
        return;
    }
    int digits = 1;
    do
        snprintf(text, sizeof text, "%.*e", digits - 1, f);
    while (digits++ < 17 && strtod(text, NULL) != f);
    int exp = atoi(strchr(text, 'e') + 1);
    if (exp < -4 || exp >= 16) { /* 1e+20: no ".0" in front of the e */
        buf_puts(out, text);
        return;
    }
    int after = digits - 2 - exp;
    snprintf(text, sizeof text, "%.*f", after > 0 ? after : 1, f);
    buf_puts(out, text);
}

static void repr_string(const struct jv *v, struct buf *out)
{
    bool single = memchr(v->s, '\'', v->n) != NULL;
    bool twice = memchr(v->s, '"', v->n) != NULL;
    char quote = single && !twice ? '"' : '\'';
    buf_putc(out, quote);
    for (size_t i = 0, len; i < v->n; i += len) {
        uint32_t cp;
        len = utf8_get(v->s + i, v->n - i, &cp);
        if (!len) {
            len = 1;
            continue;
        }
        enum cp_class k = cp_class(cp);
        bool hidden = k == CP_CONTROL || k == CP_NEWLINE || k == CP_TAB ||
                      k == CP_BIDI || k == CP_ZERO || k == CP_ODD ||
                      (cp >= 0x80 && cp <= 0xa0);
        if (cp == (uint32_t)quote || cp == '\\')
            buf_printf(out, "\\%c", (char)cp);
        else if (cp == '\n')
            buf_puts(out, "\\n");
        else if (cp == '\t')
            buf_puts(out, "\\t");
        else if (cp == '\r')
            buf_puts(out, "\\r");
        else if (hidden && cp < 0x100)
            buf_printf(out, "\\x%02x", cp);
        else if (hidden && cp < 0x10000)
            buf_printf(out, "\\u%04x", cp);
        else if (hidden)
            buf_printf(out, "\\U%08x", cp);
        else
            buf_add(out, v->s + i, len);
    }
    buf_putc(out, quote);
}

static void repr(const struct jv *v, struct buf *out, int depth)
{
    if (depth > DEEP) {
        buf_puts(out, "...");
        return;
    }
    switch (v->type) {
    case JV_UNDEFINED: buf_puts(out, "Undefined"); break;
    case JV_NONE: buf_puts(out, "None"); break;
    case JV_BOOL: buf_puts(out, v->b ? "True" : "False"); break;
    case JV_INT: buf_printf(out, "%lld", (long long)v->i); break;
    case JV_FLOAT: print_float(v->f, out); break;
    case JV_STRING: repr_string(v, out); break;
    case JV_LIST:
        buf_putc(out, v->tuple ? '(' : '[');
        for (size_t i = 0; i < v->list->n; i++) {
            buf_puts(out, i ? ", " : "");
            repr(&v->list->at[i], out, depth + 1);
        }
        buf_puts(out, v->tuple && v->list->n == 1 ? ",)" : v->tuple ? ")"
                                                                    : "]");
        break;
    case JV_DICT:
        buf_putc(out, '{');
        for (size_t i = 0; i < v->dict->n; i++) {
            buf_puts(out, i ? ", " : "");
            repr(&v->dict->at[i].key, out, depth + 1);
            buf_puts(out, ": ");
            repr(&v->dict->at[i].value, out, depth + 1);
        }
        buf_putc(out, '}');
        break;
    case JV_SPACE:
    case JV_CALLABLE: buf_printf(out, "<%s>", jv_type_name(v)); break;
    }
}

void jv_repr(const struct jv *v, struct buf *out)
{
    repr(v, out, 0);
}

void jv_print(const struct jv *v, struct buf *out)
{
    if (v->type == JV_STRING)
        buf_add(out, v->s, v->n);
    else if (v->type != JV_UNDEFINED)
        jv_repr(v, out);
}

/* ---- JSON --------------------------------------------------------------- */

/* A code point over 127 as \uXXXX, or two of them; how many bytes it took. */
static size_t dump_point(const char *s, size_t n, struct buf *out)
{
    uint32_t cp;
    size_t len = utf8_get(s, n, &cp);
    if (cp > 0xffff && len)
        buf_printf(out, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
                   0xdc00 + (cp & 0x3ff));
    else
        buf_printf(out, "\\u%04x", len ? cp : 0xfffd);
    return len ? len : 1;
}

static void dump_string(const struct jv *v, bool ascii, struct buf *out)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < v->n; i++) {
        unsigned char c = (unsigned char)v->s[i];
        if (ascii && c >= 0x7f) {
            size_t n = c == 0x7f ? (size_t)buf_putc(out, 0x7f)
                                 : dump_point(v->s + i, v->n - i, out);
            i += n - 1;
            continue;
        }
        static const char *const short_form = "\b\t\n\f\r";
        const char *at = c ? strchr(short_form, c) : NULL;
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (at)
            buf_printf(out, "\\%c", "btnfr"[at - short_form]);
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else
            buf_putc(out, (char)c);
    }
    buf_putc(out, '"');
}

static void new_line(const struct jv_dump *how, int depth, struct buf *out)
{
    if (how->indent >= 0)
        buf_printf(out, "\n%*s", how->indent * depth, "");
}

static int by_key(const void *a, const void *b)
{
    bool ok;
    return jv_compare(&((const struct jv_pair *)a)->key,
                      &((const struct jv_pair *)b)->key, &ok);
}

static bool dump(const struct jv *v, const struct jv_dump *how, int depth,
                 struct buf *out);

static bool dump_key(const struct jv *key, bool ascii, struct buf *out)
{
    if (key->type == JV_STRING) {
        dump_string(key, ascii, out);
        return true;
    }
    if (key->type > JV_FLOAT || key->type == JV_UNDEFINED)
        return false;
    buf_putc(out, '"');
    if (key->type == JV_NONE || key->type == JV_BOOL)
        buf_puts(out, key->type == JV_NONE ? "null"
                      : key->b ? "true" : "false");
    else
        jv_repr(key, out);
    buf_putc(out, '"');
    return true;
}

static bool dump_dict(const struct jv *v, const struct jv_dump *how,
                      int depth, struct buf *out)
{
    size_t n = v->dict->n;
    struct jv_pair *at = xmalloc((n + 1) * sizeof *at);
    bool ok = true;
    if (n)
        memcpy(at, v->dict->at, n * sizeof *at);
    if (how->sort)
        qsort(at, n, sizeof *at, by_key);
    buf_putc(out, '{');
    for (size_t i = 0; ok && i < n; i++) {
        buf_puts(out, i ? how->item : "");
        new_line(how, depth + 1, out);
        ok = dump_key(&at[i].key, how->ascii, out);
        buf_puts(out, how->key);
        ok = ok && dump(&at[i].value, how, depth + 1, out);
    }
    if (n)
        new_line(how, depth, out);
    buf_putc(out, '}');
    free(at);
    return ok;
}

static bool dump(const struct jv *v, const struct jv_dump *how, int depth,
                 struct buf *out)
{
    if (depth > DEEP)
        return false;
    switch (v->type) {
    case JV_NONE: buf_puts(out, "null"); return true;
    case JV_BOOL: buf_puts(out, v->b ? "true" : "false"); return true;
    case JV_INT: buf_printf(out, "%lld", (long long)v->i); return true;
    case JV_FLOAT:
        if (isnan(v->f) || isinf(v->f))
            buf_puts(out, isnan(v->f) ? "NaN" : v->f < 0 ? "-Infinity"
                                                         : "Infinity");
        else
            print_float(v->f, out);
        return true;
    case JV_STRING: dump_string(v, how->ascii, out); return true;
    case JV_LIST:
        buf_putc(out, '[');
        for (size_t i = 0; i < v->list->n; i++) {
            buf_puts(out, i ? how->item : "");
            new_line(how, depth + 1, out);
            if (!dump(&v->list->at[i], how, depth + 1, out))
                return false;
        }
        if (v->list->n)
            new_line(how, depth, out);
        buf_putc(out, ']');
        return true;
    case JV_DICT: return dump_dict(v, how, depth, out);
    case JV_UNDEFINED:
    case JV_SPACE:
    case JV_CALLABLE: break;
    }
    return false;
}

bool jv_dumps(const struct jv *v, const struct jv_dump *how, struct buf *out)
{
    return dump(v, how, 0, out);
}

/* A reader of what the strict scanner has passed: nothing can be wrong. */
struct load {
    struct arena *a;
    const char *p;
};

static void blanks(struct load *l)
{
    l->p += strspn(l->p, " \t\r\n");
}

static uint32_t hex4(const char *p)
{
    char text[5] = {p[0], p[1], p[2], p[3], 0};
    return (uint32_t)strtoul(text, NULL, 16);
}

static struct jv load_string(struct load *l)
{
    const char *end = ++l->p;
    while (*end != '"')
        end += *end == '\\' ? 2 : 1;
    char *out = arena_get(l->a, (size_t)(end - l->p) + 1);
    size_t n = 0;
    if (!out)
        return jv_undefined("memory");
    while (l->p < end) {
        if (*l->p != '\\') {
            out[n++] = *l->p++;
            continue;
        }
        char c = l->p[1];
        l->p += 2;
        static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
        const char *at = strchr(from, c);
        if (c != 'u') {
            out[n++] = at ? to[at - from] : c;
            continue;
        }
        uint32_t cp = hex4(l->p);
        l->p += 4;
        if (cp >= 0xd800 && cp < 0xdc00) {
            cp = 0x10000 + ((cp - 0xd800) << 10) + (hex4(l->p + 2) - 0xdc00);
            l->p += 6;
        }
        n += utf8_put(out + n, cp);
    }
    l->p = end + 1;
    out[n] = '\0';
    return jv_borrow(out, n);
}

static struct jv load_number(struct load *l)
{
    size_t n = strspn(l->p, "+-0123456789.eE");
    bool whole = strcspn(l->p, ".eE") >= n && n < 19;
    struct jv v = whole ? jv_int(strtoll(l->p, NULL, 10))
                        : jv_float(strtod(l->p, NULL));
    l->p += n;
    return v;
}

static struct jv load_value(struct load *l)
{
    blanks(l);
    switch (*l->p) {
    case '"': return load_string(l);
    case 't': l->p += 4; return jv_bool(true);
    case 'f': l->p += 5; return jv_bool(false);
    case 'n': l->p += 4; return jv_none();
    case '[':
    case '{': break;
    default: return load_number(l);
    }
    bool list = *l->p++ == '[';
    struct jv v = list ? jv_list(l->a) : jv_dict(l->a);
    for (blanks(l); *l->p != ']' && *l->p != '}'; blanks(l)) {
        if (*l->p == ',') {
            l->p++;
            continue;
        }
        if (list) {
            jv_push(l->a, v, load_value(l));
            continue;
        }
        struct jv key = load_string(l);
        blanks(l);
        l->p++; /* the colon */
        jv_put(l->a, v, key, load_value(l));
    }
    l->p++;
    return v;
}

bool jv_load(struct arena *a, const char *s, size_t n, struct jv *out,
             struct err *e)
{
    struct err why = {0};
    if (json_scan(s, n, &why) == 0) {
        *e = why;
        return false;
    }
    struct load l = {a, s};
    *out = load_value(&l);
    return a->used < ARENA_MOST || err_set(e, ERR_MEMORY, _("out of memory"));
}
