#include "domain/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "domain/check.h"
#include "domain/status.h"

#define DEPTH 32

#define FIELD(id, name, kind, help) {name, FILTER_##kind, help},
static const struct filter_info infos[] = {
#include "domain/filter.def"
};
#undef FIELD

const struct filter_info *filter_info(enum filter_field f)
{
    return &infos[f];
}

static const char *name_of_status(int i) { return status_name((enum status)i); }
static const char *name_of_split(int i) { return split_name((enum split)i); }
static const char *name_of_check(int i) { return check_name((enum check)i); }
static const char *name_of_flag(int i) { return i ? "yes" : "no"; }

/* The i-th choice of a CHOICE or FLAG field, NULL behind the last. */
static const char *choice_name(enum filter_field f, int i)
{
    static const struct {
        const char *(*name)(int i);
        int n;
    } choices[] = {[FILTER_STATUS] = {name_of_status, STATUS_COUNT},
                   [FILTER_SPLIT] = {name_of_split, SPLIT_COUNT},
                   [FILTER_CHECK] = {name_of_check, CHECK_COUNT},
                   [FILTER_EDITED] = {name_of_flag, 2}};
    must((size_t)f < COUNT(choices) && choices[f].name);
    return i < choices[f].n ? choices[f].name(i) : NULL;
}

struct parse {
    const char *s;
    size_t at;
    struct filter *f;
    struct err *e;
    int depth;
};

static int parse_or(struct parse *p);

/* "column N: " in front of the reason; columns count characters. */
static int fail(struct parse *p, size_t at, const char *text)
{
    if (p->e && p->e->code == ERR_NONE)
        err_set(p->e, ERR_USAGE, _("filter, column %zu: %s"),
                utf8_length(p->s, at) + 1, text);
    return -1;
}

static int node(struct parse *p, enum filter_node_kind kind, int left,
                int right)
{
    if (left < 0 || right < 0)
        return -1;
    if (p->f->n == FILTER_NODES)
        return fail(p, p->at, _("too long a filter"));
    p->f->nodes[p->f->n] = (struct filter_node){.kind = kind, .left = left,
                                                .right = right};
    return p->f->n++;
}

static void skip_blanks(struct parse *p)
{
    while (p->s[p->at] == ' ' || p->s[p->at] == '\t')
        p->at++;
}

/* Takes the keyword where it stands here as a whole word. */
static bool keyword(struct parse *p, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(p);
    char after = strncasecmp(p->s + p->at, word, n) ? 'x' : p->s[p->at + n];
    if (after && !strchr(" \t()", after))
        return false;
    p->at += n;
    return true;
}

/* A value: "quoted", or up to a blank or a closing bracket. The caller
 * frees; NULL where a quote is not closed. */
static char *value(struct parse *p)
{
    size_t from = p->at;
    if (p->s[p->at] == '"') {
        const char *end = strchr(p->s + p->at + 1, '"');
        if (!end) {
            fail(p, from, _("a closing \" was expected"));
            return NULL;
        }
        p->at = (size_t)(end - p->s) + 1;
        return xstrndup(p->s + from + 1, p->at - from - 2);
    }
    while (p->s[p->at] && !strchr(" \t()", p->s[p->at]))
        p->at++;
    return xstrndup(p->s + from, p->at - from);
}

static int unknown_field(struct parse *p, size_t at, const char *name, size_t n)
{
    char text[300];
    size_t o = (size_t)snprintf(text, sizeof text,
                                _("no field is named \"%.*s\"; there are"),
                                (int)(n < 40 ? n : 40), name);
    for (int i = 0; i < FILTER_FIELDS && o < sizeof text; i++)
        o += (size_t)snprintf(text + o, sizeof text - o, " %s", infos[i].name);
    return fail(p, at, text);
}

static int wrong_choice(struct parse *p, size_t at, enum filter_field f)
{
    char text[300];
    size_t o = (size_t)snprintf(text, sizeof text, _("%s is one of"),
                                infos[f].name);
    for (int i = 0; choice_name(f, i) && o < sizeof text; i++)
        o += (size_t)snprintf(text + o, sizeof text - o, "%s %s", i ? "," : "",
                              choice_name(f, i));
    return fail(p, at, text);
}

/* The values of a term into its node: alternatives parted by commas. */
static int take_values(struct parse *p, int id, size_t at, char *text)
{
    struct filter_node *t = &p->f->nodes[id];
    char *rest = text, *one;
    while ((one = strsep(&rest, ","))) {
        if (!*one)
            return fail(p, at, _("a value was expected"));
        if (t->n_values == FILTER_VALUES)
            return fail(p, at, _("at most 8 alternatives"));
        if (infos[t->field].kind != FILTER_WORD) {
            int i = 0;
            while (choice_name(t->field, i) &&
                   strcasecmp(choice_name(t->field, i), one))
                i++;
            if (!choice_name(t->field, i))
                return wrong_choice(p, at, t->field);
            t->choice[t->n_values] = i;
        }
        t->values[t->n_values++] = xstrdup(one);
    }
    return id;
}

static int take_number(struct parse *p, int id, size_t at, const char *text)
{
    char *end;
    char *copy = xstrdup(text), *comma = strchr(copy, ',');
    if (comma)
        *comma = '.';
    double v = strtod(copy, &end);
    bool ok = end > copy && !*end;
    free(copy);
    if (!ok)
        return fail(p, at, _("a number was expected"));
    p->f->nodes[id].number = v;
    return id;
}

static enum filter_op take_op(struct parse *p)
{
    char c = p->s[p->at++];
    bool equal = (c == '<' || c == '>') && p->s[p->at] == '=';
    p->at += equal;
    if (c == '<')
        return equal ? FILTER_LE : FILTER_LT;
    return c == '>' ? equal ? FILTER_GE : FILTER_GT : FILTER_EQ;
}

/* The field of that name, `len` bytes; FILTER_FIELDS where there is none. */
static enum filter_field field_named(const char *name, size_t len)
{
    int f = 0;
    while (f < FILTER_FIELDS && (strlen(infos[f].name) != len ||
                                 strncasecmp(infos[f].name, name, len)))
        f++;
    return (enum filter_field)f;
}

/* FIELD and an operator at p->at; `len` is the field's length. */
static int parse_field(struct parse *p, size_t len)
{
    const char *name = p->s + p->at;
    size_t at = p->at;
    enum filter_field f = field_named(name, len);
    if (f == FILTER_FIELDS)
        return unknown_field(p, at, name, len);
    p->at += len;
    size_t op_at = p->at;
    enum filter_op op = take_op(p);
    if (op != FILTER_EQ && infos[f].kind != FILTER_NUMBER)
        return fail(p, op_at,
                    _("only figures are compared; write field:value"));
    int id = node(p, FILTER_TERM, 0, 0);
    if (id < 0)
        return -1;
    p->f->nodes[id].field = (enum filter_field)f;
    p->f->nodes[id].op = op;
    size_t value_at = p->at;
    char *text = value(p);
    if (!text)
        return -1;
    int done = infos[f].kind == FILTER_NUMBER
                   ? take_number(p, id, value_at, text)
                   : take_values(p, id, value_at, text);
    free(text);
    return done;
}

static int parse_words(struct parse *p)
{
    size_t at = p->at;
    char *text = value(p);
    if (!text)
        return -1;
    if (!uni_count_words(text)) {
        free(text);
        return fail(p, at, _("a field, a word or a bracket was expected"));
    }
    int id = node(p, FILTER_TEXT, 0, 0);
    if (id < 0) {
        free(text);
        return -1;
    }
    p->f->nodes[id].values[0] = text;
    p->f->nodes[id].n_values = 1;
    p->f->nodes[id].choice[0] = p->s[at] == '"';
    return id;
}

static int parse_unary(struct parse *p)
{
    skip_blanks(p);
    if (++p->depth > DEPTH)
        return fail(p, p->at, _("too many brackets"));
    int id;
    if (keyword(p, "not")) {
        id = node(p, FILTER_NOT, parse_unary(p), 0);
    } else if (p->s[p->at] == '-' && p->s[p->at + 1] &&
               !strchr(" \t)", p->s[p->at + 1])) {
        p->at++;
        id = node(p, FILTER_NOT, parse_unary(p), 0);
    } else if (p->s[p->at] == '(') {
        p->at++;
        id = parse_or(p);
        skip_blanks(p);
        if (id >= 0 && p->s[p->at] != ')')
            id = fail(p, p->at, _("a closing bracket was expected"));
        p->at += id >= 0;
    } else {
        size_t len = strspn(p->s + p->at, "abcdefghijklmnopqrstuvwxyz"
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        char c = p->s[p->at + len];
        id = len && c && strchr(":<>=", c) ? parse_field(p, len)
                                           : parse_words(p);
    }
    p->depth--;
    return id;
}

static bool at_end(struct parse *p)
{
    skip_blanks(p);
    return !p->s[p->at] || p->s[p->at] == ')';
}

static bool at_or(struct parse *p)
{
    size_t at = p->at;
    bool yes = keyword(p, "or");
    p->at = at;
    return yes;
}

static int parse_and(struct parse *p)
{
    int id = parse_unary(p);
    while (id >= 0 && !at_end(p) && !at_or(p)) {
        keyword(p, "and");
        id = node(p, FILTER_AND, id, parse_unary(p));
    }
    return id;
}

static int parse_or(struct parse *p)
{
    int id = parse_and(p);
    while (id >= 0 && keyword(p, "or"))
        id = node(p, FILTER_OR, id, parse_and(p));
    return id;
}

bool filter_parse(const char *text, struct filter *f, struct err *e)
{
    *f = (struct filter){0};
    struct err local = {0};
    struct parse p = {.s = text, .f = f, .e = e ? e : &local};
    p.e->code = ERR_NONE;
    if (at_end(&p) && !p.s[p.at])
        f->root = node(&p, FILTER_ALL, 0, 0);
    else
        f->root = parse_or(&p);
    if (f->root >= 0 && p.s[p.at])
        f->root = fail(&p, p.at, _("a bracket was closed that is not open"));
    if (f->root >= 0)
        return true;
    filter_free(f);
    return false;
}

void filter_free(struct filter *f)
{
    for (int i = 0; i < f->n; i++)
        for (size_t k = 0; k < f->nodes[i].n_values; k++)
            free(f->nodes[i].values[k]);
    f->n = 0;
    f->root = -1;
}

enum filter_field filter_complete(const char *text, size_t *from,
                                  struct buf *out)
{
    size_t n = strlen(text), at = n;
    while (at > 0 && !strchr(" \t(", text[at - 1]))
        at--;
    at += text[at] == '-';
    const char *colon = strpbrk(text + at, ":<>=");
    if (!colon) {
        *from = at;
        for (int i = 0; i < FILTER_FIELDS; i++)
            if (!strncasecmp(infos[i].name, text + at, n - at))
                buf_printf(out, "%s%s\n", infos[i].name,
                           infos[i].kind == FILTER_NUMBER ? "" : ":");
        return FILTER_FIELDS;
    }
    const char *comma = strrchr(colon, ',');
    *from = (size_t)((comma ? comma : colon) - text) + 1;
    enum filter_field f =
        field_named(text + at, (size_t)(colon - text) - at);
    if (f < FILTER_FIELDS && (infos[f].kind == FILTER_CHOICE ||
                              infos[f].kind == FILTER_FLAG))
        for (int i = 0; choice_name(f, i); i++)
            if (!strncasecmp(choice_name(f, i), text + *from, n - *from))
                buf_printf(out, "%s\n", choice_name(f, i));
    return f;
}
