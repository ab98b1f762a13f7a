/* Expressions of chat templates, in Jinja2's order of precedence. */
#include <string.h>

#include "base/lang.h"
#include "model/token/jinja_words.h"

enum { MOST_KIDS = 100000 };

/* ---- Expressions -------------------------------------------------------- */

static struct node *condition(struct parser *x, bool ternary);

bool parse_kid(struct parser *x, struct node *n, struct node *kid)
{
    if (!kid)
        return false;
    if (n->n_kids >= MOST_KIDS)
        return parse_fail(x, _("the template is too large"));
    if ((n->n_kids & (n->n_kids - 1)) == 0) { /* at 0, 1, 2, 4, 8 ... */
        size_t cap = n->n_kids ? 2 * n->n_kids : 1;
        struct node **p = arena_get(x->arena, cap * sizeof *p);
        if (!p)
            return parse_fail(x, _("the template is too large"));
        if (n->n_kids)
            memcpy(p, n->kids, n->n_kids * sizeof *p);
        n->kids = p;
    }
    n->kids[n->n_kids++] = kid;
    return true;
}

bool parse_named(struct parser *x, struct node *n, const char *name,
                      struct node *value)
{
    struct named *p = arena_get(x->arena, (n->n_named + 1) * sizeof *p);
    if (!p || n->n_named > 100)
        return parse_fail(x, _("too many names"));
    if (n->n_named)
        memcpy(p, n->named, n->n_named * sizeof *p);
    n->named = p;
    n->named[n->n_named++] = (struct named){name, value};
    return true;
}

/* Arguments up to the closing parenthesis, whose opening one is taken. */
static bool arguments(struct parser *x, struct node *n)
{
    while (!x->failed && !word_is(x, ')')) {
        struct node *v = parse_expression(x);
        if (v && v->kind == NODE_NAME && word_take(x, '=')) {
            if (!parse_named(x, n, v->text, parse_expression(x)))
                return false;
        } else if (!parse_kid(x, n, v)) {
            return false;
        }
        if (!word_take(x, ','))
            break;
    }
    return word_want(x, ')', _("\")\" is missing"));
}

static struct node *value_node(struct parser *x, struct jv v)
{
    struct node *n = parse_node(x, NODE_VALUE);
    if (n)
        n->value = v;
    parse_next(x);
    return n;
}

struct node *parse_name(struct parser *x)
{
    const char *s = x->w.s;
    if (!strcmp(s, "true") || !strcmp(s, "True"))
        return value_node(x, jv_bool(true));
    if (!strcmp(s, "false") || !strcmp(s, "False"))
        return value_node(x, jv_bool(false));
    if (!strcmp(s, "none") || !strcmp(s, "None"))
        return value_node(x, jv_none());
    struct node *n = parse_node(x, NODE_NAME);
    if (n)
        n->text = s;
    parse_next(x);
    return n;
}

/* Neighbouring string literals are one. */
static struct node *string_node(struct parser *x)
{
    struct buf b = BUF_INIT(0);
    struct node *n = parse_node(x, NODE_VALUE);
    for (; x->w.kind == WORD_STRING; parse_next(x))
        buf_add(&b, x->w.s, x->w.n);
    if (n)
        n->value = jv_string(x->arena, buf_str(&b), b.len);
    buf_free(&b);
    return n;
}

/* A parenthesis is opened: a tuple, or one expression. */
static struct node *parenthesis(struct parser *x)
{
    struct node *n = parse_node(x, NODE_LIST);
    bool tuple = word_is(x, ')');
    if (!n)
        return NULL;
    n->tuple = true;
    while (!x->failed && !word_is(x, ')')) {
        if (!parse_kid(x, n, parse_expression(x)))
            return NULL;
        if (!word_take(x, ','))
            break;
        tuple = true;
    }
    if (!word_want(x, ')', _("\")\" is missing")))
        return NULL;
    return tuple ? n : n->kids[0];
}

static struct node *list_node(struct parser *x)
{
    struct node *n = parse_node(x, NODE_LIST);
    while (n && !x->failed && !word_is(x, ']')) {
        if (!parse_kid(x, n, parse_expression(x)))
            return NULL;
        if (!word_take(x, ','))
            break;
    }
    return n && word_want(x, ']', _("\"]\" is missing")) ? n : NULL;
}

static struct node *dict_node(struct parser *x)
{
    struct node *n = parse_node(x, NODE_DICT);
    while (n && !x->failed && !word_is(x, '}')) {
        if (!parse_kid(x, n, parse_expression(x)) ||
            !word_want(x, ':', _("\":\" is missing")) ||
            !parse_kid(x, n, parse_expression(x)))
            return NULL;
        if (!word_take(x, ','))
            break;
    }
    return n && word_want(x, '}', _("\"}\" is missing")) ? n : NULL;
}

static struct node *primary(struct parser *x)
{
    switch (x->w.kind) {
    case WORD_NAME: return parse_name(x);
    case WORD_STRING: return string_node(x);
    case WORD_INT:
    case WORD_FLOAT: return value_node(x, x->w.value);
    case WORD_END:
    case WORD_SIGN: break;
    }
    if (word_take(x, '('))
        return parenthesis(x);
    if (word_take(x, '['))
        return list_node(x);
    if (word_take(x, '{'))
        return dict_node(x);
    return parse_fail(x, _("a value is missing"));
}

static struct node *part_of_slice(struct parser *x)
{
    return word_is(x, ':') || word_is(x, ']') ? NULL : parse_expression(x);
}

static struct node *subscript(struct parser *x, struct node *of)
{
    struct node *n = parse_node(x, NODE_ITEM);
    if (!n)
        return NULL;
    n->a = of;
    n->b = part_of_slice(x);
    if (word_take(x, ':')) {
        n->kind = NODE_SLICE;
        n->c = part_of_slice(x);
        if (word_take(x, ':'))
            n->d = part_of_slice(x);
    } else if (!n->b) {
        return parse_fail(x, _("a subscript is empty"));
    }
    return word_want(x, ']', _("\"]\" is missing")) ? n : NULL;
}

static struct node *attribute(struct parser *x, struct node *of)
{
    if (x->w.kind == WORD_INT) { /* a.0 */
        struct node *n = parse_node(x, NODE_ITEM);
        struct node *i = value_node(x, x->w.value);
        if (!n || !i)
            return NULL;
        n->a = of;
        n->b = i;
        return n;
    }
    struct node *n = parse_node(x, NODE_ATTR);
    if (x->w.kind != WORD_NAME || !n)
        return parse_fail(x, _("a name is missing behind \".\""));
    n->a = of;
    n->text = x->w.s;
    parse_next(x);
    return n;
}

static struct node *call(struct parser *x, struct node *of)
{
    struct node *n = parse_node(x, NODE_CALL);
    if (!n)
        return NULL;
    n->a = of;
    return arguments(x, n) ? n : NULL;
}

struct node *parse_postfix(struct parser *x, struct node *n)
{
    while (n && !x->failed) {
        if (word_take(x, '.'))
            n = attribute(x, n);
        else if (word_take(x, '['))
            n = subscript(x, n);
        else if (word_take(x, '('))
            n = call(x, n);
        else
            break;
    }
    return n;
}

/* NAME, with its arguments, of a filter or a test. */
struct node *parse_named_node(struct parser *x, enum node_kind kind,
                               struct node *of)
{
    struct node *n = parse_node(x, kind);
    if (!n || x->w.kind != WORD_NAME)
        return parse_fail(x, _("a name is missing"));
    n->a = of;
    n->text = x->w.s;
    parse_next(x);
    while (word_take(x, '.')) { /* names with dots do not exist here */
        parse_fail(x, _("a name is missing"));
        return NULL;
    }
    if (kind == NODE_FILTER || word_is(x, '('))
        return !word_take(x, '(') || arguments(x, n) ? n : NULL;
    return n;
}

static struct node *unary(struct parser *x, bool filters);

static struct node *test(struct parser *x, struct node *of)
{
    bool no = word_take_name(x, "not");
    struct node *n = parse_named_node(x, NODE_TEST, of);
    if (!n)
        return NULL;
    n->no = no;
    bool value = x->w.kind == WORD_STRING || x->w.kind == WORD_INT ||
                 x->w.kind == WORD_FLOAT || word_is(x, '[') ||
                 word_is(x, '{') ||
                 (x->w.kind == WORD_NAME && !word_is_name(x, "else") &&
                  !word_is_name(x, "or") && !word_is_name(x, "and") &&
                  !word_is_name(x, "is") && !word_is_name(x, "if") &&
                  !word_is_name(x, "not") && !word_is_name(x, "in"));
    if (!n->n_kids && value && !parse_kid(x, n, parse_postfix(x, primary(x))))
        return NULL;
    return n;
}

static struct node *filtered(struct parser *x, struct node *n)
{
    while (n && !x->failed) {
        if (word_take(x, '|'))
            n = parse_named_node(x, NODE_FILTER, n);
        else if (word_take_name(x, "is"))
            n = test(x, n);
        else if (word_take(x, '('))
            n = call(x, n);
        else
            break;
    }
    return n;
}

static struct node *unary(struct parser *x, bool filters)
{
    struct node *n;
    if (++x->depth > DEEPEST)
        return parse_fail(x, _("nested too deeply"));
    int op = word_is(x, '-') ? '-' : word_is(x, '+') ? '+' : 0;
    if (op) {
        parse_next(x);
        n = parse_node(x, NODE_UNARY);
        if (n) {
            n->op = op;
            n->a = unary(x, false);
        }
    } else {
        n = parse_postfix(x, primary(x));
    }
    n = filters ? filtered(x, n) : n;
    x->depth--;
    return n;
}

static struct node *join(struct parser *x, int op, struct node *a,
                         struct node *b)
{
    struct node *n = parse_node(x, NODE_BINARY);
    if (!n || !a || !b)
        return NULL;
    n->op = op;
    n->a = a;
    n->b = b;
    return n;
}

/* Binary operators by level, loosest first; each level is left associative. */
static const int levels[][5] = {
    {'+', '-'}, {'~'}, {'*', '/', OP_FLOOR, '%'}, {OP_POWER}};
enum { LEVELS = sizeof levels / sizeof *levels };

static struct node *operators(struct parser *x, int level)
{
    if (level == LEVELS)
        return unary(x, true);
    struct node *n = operators(x, level + 1);
    for (bool more = true; n && more && !x->failed;) {
        more = false;
        for (int i = 0; levels[level][i] && !more; i++)
            if (word_take(x, levels[level][i])) {
                n = join(x, levels[level][i], n, operators(x, level + 1));
                more = true;
            }
    }
    return n;
}

static int comparison(struct parser *x)
{
    static const int signs[] = {OP_EQ, OP_NE, '<', '>', OP_LE, OP_GE};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (word_take(x, signs[i]))
            return signs[i];
    if (word_take_name(x, "in"))
        return OP_IN;
    if (word_is_name(x, "not")) {
        parse_next(x);
        if (word_take_name(x, "in"))
            return OP_NOT_IN;
        parse_fail(x, _("\"in\" is missing"));
    }
    return 0;
}

/* a < b < c is a < b and b < c; the middle is taken twice. */
static struct node *compared(struct parser *x)
{
    struct node *left = operators(x, 0), *all = NULL;
    int op;
    while (left && !x->failed && (op = comparison(x))) {
        struct node *right = operators(x, 0);
        struct node *one = join(x, op, left, right);
        all = all ? join(x, OP_AND, all, one) : one;
        left = right;
        if (!all)
            return NULL;
    }
    return all ? all : left;
}

static struct node *negated(struct parser *x)
{
    if (!word_take_name(x, "not"))
        return compared(x);
    if (++x->depth > DEEPEST)
        return parse_fail(x, _("nested too deeply"));
    struct node *n = parse_node(x, NODE_UNARY);
    if (n) {
        n->op = 'n';
        n->a = negated(x);
    }
    x->depth--;
    return n;
}

static struct node *conjunction(struct parser *x)
{
    struct node *n = negated(x);
    while (n && word_take_name(x, "and"))
        n = join(x, OP_AND, n, negated(x));
    return n;
}

static struct node *condition(struct parser *x, bool ternary)
{
    if (++x->depth > DEEPEST)
        return parse_fail(x, _("nested too deeply"));
    struct node *n = conjunction(x);
    while (n && word_take_name(x, "or"))
        n = join(x, OP_OR, n, conjunction(x));
    while (n && ternary && word_take_name(x, "if")) {
        struct node *t = parse_node(x, NODE_IF_ELSE);
        if (!t)
            return NULL;
        t->a = n;
        t->b = condition(x, false);
        t->c = word_take_name(x, "else") ? condition(x, true) : NULL;
        n = t->b ? t : NULL;
    }
    x->depth--;
    return n;
}

struct node *parse_expression(struct parser *x)
{
    return condition(x, true);
}

/* An expression, or several with commas: then a tuple. */
struct node *parse_tuple(struct parser *x, bool ternary)
{
    struct node *first = condition(x, ternary);
    if (!first || !word_is(x, ','))
        return first;
    struct node *n = parse_node(x, NODE_LIST);
    if (!n || !parse_kid(x, n, first))
        return NULL;
    n->tuple = true;
    while (word_take(x, ',') && x->w.kind != WORD_END && !word_is_name(x, "in"))
        if (!parse_kid(x, n, condition(x, ternary)))
            return NULL;
    return n;
}
