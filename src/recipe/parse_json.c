/* JSON objects, read with tolerance: in a fence, text around them, a comma too
 * many or too few, one or a list of them, perhaps inside of an object, cut at
 * the end. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "domain/schema.h"
#include "recipe/parser.h"
#include "recipe/read.h"

struct settings {
    struct parse_names names; /* a label is the object's key */
    json *schema;             /* of one item, or NULL */
};

static bool load_schema(const json *j, struct settings *own, struct err *e)
{
    struct buf text = BUF_INIT(0);
    if (!j)
        return true;
    if (!schema_usable(j, e))
        return err_in(e, "schema");
    json_print(&text, j);
    own->schema = json_parse(buf_str(&text), text.len, e);
    buf_free(&text);
    return own->schema != NULL;
}

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    return parse_names_load(j, &own->names, s, e) &&
           load_schema(json_get(j, "schema"), own, e);
}

static void unload(void *settings)
{
    struct settings *own = settings;
    parse_names_free(&own->names);
    json_free(own->schema);
    free(own);
}

/* ---- Mending ------------------------------------------------------------- */

/* A value as it is copied out of a reply. */
struct mend {
    struct buf out;         /* without commas before closing brackets */
    char close[JSON_DEPTH]; /* of the brackets that are open */
    int depth;
    bool item;        /* an object has ended, and nothing came since */
    size_t comma;     /* behind a comma that may have to go; 0: none */
    size_t whole;     /* out's length behind the last whole element ... */
    int whole_depth;  /* ... of a list, and how deep that is; 0: none */
    const char *rest; /* behind that element, or behind the value */
};

/* The list whose elements are items: the value, or one that it holds. */
static bool in_items(const struct mend *m)
{
    return m->depth <= 2 && m->close[m->depth - 1] == ']' &&
           (m->depth == 1 || m->close[0] == '}');
}

/* Copies a string; NULL where it does not end. */
static const char *copy_string(struct mend *m, const char *s)
{
    const char *end = s + 1;
    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    buf_add(&m->out, s, (size_t)(end - s) + (*end == '"'));
    return *end ? end + 1 : NULL;
}

static void ended(struct mend *m, const char *behind)
{
    if (!m->depth || !in_items(m))
        return;
    m->whole = m->out.len;
    m->whole_depth = m->depth;
    m->rest = behind;
}

/* One sign of the value at s; NULL where it cannot go on. */
static const char *copy_sign(struct mend *m, const char *s)
{
    if (*s == '"') {
        m->comma = 0;
        m->item = false;
        s = copy_string(m, s);
        if (s)
            ended(m, s);
        return s;
    }
    if (s[0] == '/' && s[1] == '/') /* a remark */
        return parse_line_end(s);
    if (*s == '{' || *s == '[') {
        if (m->depth == JSON_DEPTH)
            return NULL;
        if (m->item) /* a comma that was forgotten */
            buf_putc(&m->out, ',');
        m->close[m->depth++] = *s == '{' ? '}' : ']';
    } else if (*s == '}' || *s == ']') {
        if (m->close[m->depth - 1] != *s)
            return NULL;
        if (m->comma)
            m->out.data[m->comma - 1] = ' ';
        m->depth--;
    }
    if (*s == ',')
        ended(m, s);
    buf_putc(&m->out, *s);
    m->item = *s == '}' || (m->item && strchr(" \t\r\n", *s));
    if (*s == ',')
        m->comma = m->out.len;
    else if (!strchr(" \t\r\n", *s))
        m->comma = 0;
    if (*s == '}' || *s == ']')
        ended(m, s + 1);
    return s + 1;
}

/* Copies the value that begins at s. False where the text ends, or goes wrong,
 * within it: then what is whole of a list is closed. */
static bool mend(const char *s, struct mend *m)
{
    *m = (struct mend){.out = BUF_INIT(4 * RECIPE_REPLY)};
    do
        s = copy_sign(m, s);
    while (s && *s && m->depth);
    if (s && !m->depth) {
        m->rest = s;
        return true;
    }
    buf_drop(&m->out, m->out.len - m->whole);
    buf_puts(&m->out, m->whole_depth == 1 ? "]" : m->whole_depth ? "]}" : "");
    return false;
}

/* ---- Items --------------------------------------------------------------- */

struct reading {
    struct parse *p;
    size_t number; /* of the next item */
    bool cut;      /* the value is not whole ... */
    bool begun;    /* ... and is an item of which a part is there */
    bool other;    /* an object came that has none of the fields */
};

static const json *member(const json *j, const char *key)
{
    const json *exact = json_get(j, key);
    for (const json *m = exact ? NULL : json_first(j); m; m = json_next(m))
        if (json_key(m) && !strcasecmp(json_key(m), key))
            return m;
    return exact;
}

static bool has_fields(const struct settings *own, const json *j)
{
    for (size_t i = 0; json_is_object(j) && i < own->names.n; i++)
        if (member(j, own->names.at[i].label))
            return true;
    return false;
}

/* A text as it is, other values as JSON; NULL for null and for nothing. */
static char *text_of(const json *v)
{
    struct buf b = BUF_INIT(0);
    if (!v || json_is_null(v) || json_is_no_number(v))
        return NULL;
    if (json_is_string(v))
        return parse_trimmed(json_string(v), strlen(json_string(v)));
    json_print(&b, v);
    return buf_take(&b);
}

/* What the i-th field is of: with one field alone an item may be its value. */
static const json *value_of(const struct settings *own, const json *j,
                            size_t i)
{
    return json_is_object(j) ? member(j, own->names.at[i].label)
           : own->names.n == 1 && !json_is_array(j) ? j : NULL;
}

static char *trouble(const struct settings *own, const json *j, size_t number)
{
    struct err e = {0};
    for (size_t i = 0; i < own->names.n; i++) {
        char *text = text_of(value_of(own, j, i));
        size_t n = text ? strlen(text) : 0;
        free(text);
        if (!n && !own->names.at[i].optional)
            return xasprintf(_("item %zu has no %s"), number,
                             own->names.at[i].name);
        if (n > RECIPE_ITEM)
            return parse_too_long(number);
    }
    return own->schema && !schema_check(own->schema, j, &e)
               ? xasprintf(_("item %zu is not as its schema says: %s"), number,
                           e.text)
               : NULL;
}

static void add_item(struct reading *r, const json *j)
{
    const struct settings *own = r->p->step->own;
    char *why = trouble(own, j, r->number);
    r->number++;
    if (why) {
        parse_miss(r->p, why);
        return;
    }
    struct recipe_item *it = parse_add(r->p, r->number - 2);
    for (size_t i = 0; i < own->names.n; i++) {
        char *text = text_of(value_of(own, j, i));
        if (text && *text)
            field_take(it, own->names.at[i].name, text);
        else
            free(text);
    }
}

/* The one list among the members, or the one member; NULL for none. */
static const json *held(const json *j)
{
    const json *list = NULL;
    if (json_is_object(j) && json_count(j) == 1)
        return json_first(j);
    for (const json *m = json_is_object(j) ? json_first(j) : NULL; m;
         m = json_next(m)) {
        if (!json_is_array(m))
            continue;
        if (list)
            return NULL;
        list = m;
    }
    return list;
}

/* Whether an element can be an item at all. */
static bool may_be_item(const struct settings *own, const json *j)
{
    return json_is_object(j) || (own->names.n == 1 && !json_is_array(j));
}

/* Reads the items of a value; false where it holds none. */
static bool read_value(struct reading *r, const json *j)
{
    const struct settings *own = r->p->step->own;
    const json *inner;
    for (int i = 0; i < 3 && !has_fields(own, j) && (inner = held(j)); i++)
        j = inner;
    if (has_fields(own, j)) {
        r->begun = r->cut;
        if (!r->cut)
            add_item(r, j);
        return !r->cut;
    }
    r->other = r->other || (json_is_object(j) && !r->cut);
    if (!json_is_array(j) || !json_first(j) ||
        !may_be_item(own, json_first(j)))
        return false;
    for (const json *v = json_first(j);
         v && r->number <= parse_wanted(r->p); v = json_next(v))
        add_item(r, v);
    return true;
}

/* Reads the value at s and says where it ends; false where that is none. */
static bool read_at(struct reading *r, const char *s, const char **rest)
{
    struct mend m;
    size_t used;
    r->cut = !mend(s, &m);
    json *j = json_parse_odd(buf_str(&m.out), m.out.len,
                             JSON_ODD_TEXT | JSON_TWICE, &used, NULL);
    bool read = j && read_value(r, j);
    json_free(j);
    buf_free(&m.out);
    *rest = m.rest;
    return read;
}

/* A reply that is one value of its own: a string or a number. */
static bool read_bare(struct reading *r, const char *s)
{
    const struct settings *own = r->p->step->own;
    json *j = own->names.n == 1 ? json_parse(s, strlen(s), NULL) : NULL;
    bool bare = j && !json_is_object(j) && !json_is_array(j);
    if (bare)
        add_item(r, j);
    json_free(j);
    return bare;
}

/* Whether something of an item stands behind the whole ones. */
static bool is_begun(const char *rest)
{
    rest += strspn(rest, " \t\r\n,");
    return *rest && !strchr("]}`", *rest);
}

static void parse(struct parse *p, const char *s)
{
    struct reading r = {.p = p, .number = 1};
    const char *rest;
    size_t wanted = parse_wanted(p);
    int tries = 0;
    bool cut = false;
    if (read_bare(&r, s))
        return;
    for (s += strcspn(s, "{["); *s && r.number <= wanted && tries < 200;
         s += strcspn(s, "{[")) {
        bool read = read_at(&r, s, &rest);
        tries += !read;
        cut = r.cut && (!read || is_begun(rest));
        if (r.cut && (read || r.begun))
            break;
        s = rest && !r.cut ? rest : s + 1;
    }
    if (r.number > wanted)
        return;
    bool other = r.number == 1 && r.other;
    if (other)
        parse_miss(p, xstrdup(_("item 1 has none of the fields")));
    else if (cut)
        parse_miss(p, xasprintf(_("item %zu was cut off"), r.number));
    parse_miss_range(p, r.number + (other || cut), wanted);
}

/* ---- Writing ------------------------------------------------------------- */

/* Whether the field is written as the JSON value that its text is. */
static bool is_value(const struct settings *own, const char *key,
                     const char *text)
{
    const json *type = json_get(json_get(json_get(own->schema, "properties"),
                                         key), "type");
    if (type && json_is_string(type) && !strcmp(json_string(type), "string"))
        return false;
    json *j = json_parse(text, strlen(text), NULL);
    bool is = j && !json_is_string(j) && !json_is_null(j);
    json_free(j);
    return is;
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    struct jw w = jw_start(out);
    (void)number;
    jw_open(&w, '{');
    for (size_t i = 0; i < own->names.n; i++) {
        const struct parse_name *x = &own->names.at[i];
        const char *text = field_get(it, x->name);
        if (!text)
            continue;
        jw_key(&w, x->label);
        if (is_value(own, x->label, text))
            jw_raw(&w, text);
        else
            jw_str(&w, text);
    }
    jw_close(&w);
    buf_putc(out, '\n');
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    const struct settings *own = s->own;
    return parse_names_tokens(&own->names, s->wanted, prompt, answer);
}

const struct parser parser_json = {
    .name = "json", .keys = "fields optional schema", .many = true,
    .one = true, .load = load, .unload = unload, .parse = parse,
    .write = write_item, .tokens = tokens};
