#include "model/token/jinja_parse.h"

#include <ctype.h>
#include <string.h>

#include "base/lang.h"
#include "model/token/jinja_words.h"

/* ---- Statements --------------------------------------------------------- */

static struct node *body(struct parser *x, const char *const ends[],
                         const char **which);

/* Takes the close of the tag; what it trims behind it. */
static bool close_tag(struct parser *x, const char *close)
{
    if (x->failed)
        return false;
    if (x->w.kind != WORD_END)
        return parse_fail(x, _("this should stand at the end of the tag"));
    char sign = *x->p == '-' || *x->p == '+' ? *x->p++ : 0;
    if (memcmp(x->p, close, 2))
        return parse_fail(x, _("the tag ends with the wrong sign"));
    x->p += 2;
    x->trim = sign == '-';
    if (close[0] == '%' && !sign && x->p < x->end && *x->p == '\n') {
        x->p++; /* trim_blocks */
        x->line++;
    }
    return true;
}

/* The rest of a tag, the body behind it, and the tag that ends it. */
static struct node *block(struct parser *x, const char *end)
{
    const char *const ends[] = {end, NULL};
    const char *which;
    if (!close_tag(x, "%}"))
        return NULL;
    struct node *n = body(x, ends, &which);
    return n && close_tag(x, "%}") ? n : NULL;
}

static struct node *if_tag(struct parser *x)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    const char *which;
    struct node *n = parse_node(x, NODE_IF);
    if (!n || !(n->a = parse_tuple(x, true)) || !close_tag(x, "%}") ||
        !(n->b = body(x, ends, &which)))
        return NULL;
    if (!strcmp(which, "elif"))
        return (n->c = if_tag(x)) ? n : NULL;
    if (!strcmp(which, "else") && !(n->c = block(x, "endif")))
        return NULL;
    if (!strcmp(which, "endif") && !close_tag(x, "%}"))
        return NULL;
    return n;
}

/* A name, or several: what a loop or a set writes to. */
static struct node *target(struct parser *x)
{
    struct node *n = parse_node(x, NODE_LIST);
    if (!n)
        return NULL;
    n->tuple = true;
    bool many = false, paren = word_take(x, '(');
    while (!x->failed) {
        struct node *one = x->w.kind == WORD_NAME
                               ? parse_postfix(x, parse_name(x))
                               : word_take(x, '(') ? target(x) : NULL;
        if (!one)
            return parse_fail(x, _("a name to write to is missing"));
        bool fits = one->kind == NODE_NAME || one->kind == NODE_LIST ||
                    (one->kind == NODE_ATTR && one->a->kind == NODE_NAME);
        if (!fits || !parse_kid(x, n, one))
            return parse_fail(x, _("this cannot be written to"));
        if (!word_take(x, ','))
            break;
        many = true;
    }
    if (x->failed || (paren && !word_want(x, ')', _("\")\" is missing"))))
        return NULL;
    return many ? n : n->kids[0];
}

static struct node *for_tag(struct parser *x)
{
    static const char *const ends[] = {"else", "endfor", NULL};
    const char *which;
    struct node *n = parse_node(x, NODE_FOR);
    if (!n || !(n->a = target(x)))
        return NULL;
    if (!word_take_name(x, "in"))
        return parse_fail(x, _("\"in\" is missing"));
    if (!(n->b = parse_tuple(x, false)))
        return NULL;
    if (word_take_name(x, "if") && !(n->filter = parse_expression(x)))
        return NULL;
    if (word_is_name(x, "recursive"))
        return parse_fail(x, _("recursive loops are not supported"));
    x->in_loop++;
    if (!close_tag(x, "%}") || !(n->c = body(x, ends, &which)))
        return NULL;
    x->in_loop--;
    if (!strcmp(which, "else"))
        return (n->d = block(x, "endfor")) ? n : NULL;
    return close_tag(x, "%}") ? n : NULL;
}

/* NAME | FILTER ... of {% filter %} and {% set x | filter %}. */
static struct node *filter_chain(struct parser *x)
{
    struct node *n = parse_named_node(x, NODE_FILTER, NULL);
    while (n && word_take(x, '|'))
        n = parse_named_node(x, NODE_FILTER, n);
    return n;
}

static struct node *set_tag(struct parser *x)
{
    struct node *n = parse_node(x, NODE_SET);
    if (!n || !(n->a = target(x)))
        return NULL;
    if (word_take(x, '='))
        return (n->b = parse_tuple(x, true)) && close_tag(x, "%}") ? n : NULL;
    n->kind = NODE_SET_BODY;
    if (word_take(x, '|') && !(n->filter = filter_chain(x)))
        return NULL;
    return (n->c = block(x, "endset")) ? n : NULL;
}

/* (a, b=1) behind a macro's name or {% call %}. */
static bool parameters(struct parser *x, struct node *n)
{
    while (!x->failed && !word_is(x, ')')) {
        const char *name = x->w.s;
        if (x->w.kind != WORD_NAME)
            return parse_fail(x, _("a parameter's name is missing"));
        parse_next(x);
        struct node *value = NULL;
        if (word_take(x, '=') && !(value = parse_expression(x)))
            return false;
        if (!parse_named(x, n, name, value))
            return false;
        if (!word_take(x, ','))
            break;
    }
    return word_want(x, ')', _("\")\" is missing"));
}

static struct node *macro_tag(struct parser *x)
{
    struct node *n = parse_node(x, NODE_MACRO);
    int loops = x->in_loop;
    if (!n || x->w.kind != WORD_NAME)
        return parse_fail(x, _("a macro's name is missing"));
    n->text = x->w.s;
    parse_next(x);
    if (!word_want(x, '(', _("\"(\" is missing")) || !parameters(x, n))
        return NULL;
    x->in_loop = 0;
    n->c = block(x, "endmacro");
    x->in_loop = loops;
    return n->c ? n : NULL;
}

static struct node *call_tag(struct parser *x)
{
    struct node *n = parse_node(x, NODE_CALL_BODY);
    if (!n || (word_take(x, '(') && !parameters(x, n)) ||
        !(n->a = parse_expression(x)))
        return NULL;
    if (n->a->kind != NODE_CALL)
        return parse_fail(x, _("a call is missing"));
    return (n->c = block(x, "endcall")) ? n : NULL;
}

static struct node *with_tag(struct parser *x)
{
    struct node *n = parse_node(x, NODE_WITH);
    while (n && !x->failed && x->w.kind == WORD_NAME) {
        const char *name = x->w.s;
        parse_next(x);
        if (!word_want(x, '=', _("\"=\" is missing")) ||
            !parse_named(x, n, name, parse_expression(x)))
            return NULL;
        if (!word_take(x, ','))
            break;
    }
    return n && (n->c = block(x, "endwith")) ? n : NULL;
}

static struct node *plain_block(struct parser *x, enum node_kind kind,
                                const char *end)
{
    struct node *n = parse_node(x, kind);
    if (n && kind == NODE_FILTER_BODY && !(n->filter = filter_chain(x)))
        return NULL;
    return n && (n->c = block(x, end)) ? n : NULL;
}

static struct node *jump(struct parser *x, enum node_kind kind)
{
    if (!x->in_loop)
        return parse_fail(x, _("outside of a loop"));
    struct node *n = parse_node(x, kind);
    return n && close_tag(x, "%}") ? n : NULL;
}

static struct node *statement(struct parser *x)
{
    if (word_take_name(x, "if"))
        return if_tag(x);
    if (word_take_name(x, "for"))
        return for_tag(x);
    if (word_take_name(x, "set"))
        return set_tag(x);
    if (word_take_name(x, "macro"))
        return macro_tag(x);
    if (word_take_name(x, "call"))
        return call_tag(x);
    if (word_take_name(x, "with"))
        return with_tag(x);
    if (word_take_name(x, "filter"))
        return plain_block(x, NODE_FILTER_BODY, "endfilter");
    if (word_take_name(x, "generation")) {
        x->marks = true;
        return plain_block(x, NODE_GENERATION, "endgeneration");
    }
    if (word_take_name(x, "break"))
        return jump(x, NODE_BREAK);
    if (word_take_name(x, "continue"))
        return jump(x, NODE_CONTINUE);
    if (!x->failed)
        err_set(x->e, ERR_REFUSED, _("line %d: the tag \"%.40s\" is not "
                                     "supported"), x->line,
                x->w.kind == WORD_NAME ? x->w.s : "");
    x->failed = true;
    return NULL;
}

/* ---- Text between tags -------------------------------------------------- */

/* Where the next tag begins, or the end. */
static const char *next_tag(const struct parser *x)
{
    const char *p = x->p;
    for (; x->end - p >= 2; p++)
        if (*p == '{' && strchr("{%#", p[1]) && p[1])
            return p;
    return x->end;
}

/* The end of the text before a tag, without what the tag strips: all white
 * space for "-", and for a block (lstrip_blocks) the blanks of its line. */
static const char *strip_end(const struct parser *x, const char *from,
                             const char *tag)
{
    const char *end = tag;
    if (x->end - tag < 3)
        return end;
    if (tag[2] == '-') {
        while (end > from && isspace((unsigned char)end[-1]))
            end--;
    } else if (tag[1] != '{' && tag[2] != '+') {
        while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if (end > x->begin && end[-1] != '\n')
            end = tag;
        else if (end == from && from > x->begin && from[-1] != '\n')
            end = tag;
    }
    return end;
}

static bool add_text(struct parser *x, struct node *n, const char *from,
                     const char *end)
{
    if (end <= from)
        return true;
    struct node *t = parse_node(x, NODE_TEXT);
    if (!t)
        return false;
    t->text = from;
    t->n = (size_t)(end - from);
    return parse_kid(x, n, t);
}

static bool skip_comment(struct parser *x)
{
    const char *p = x->p + 2;
    while (x->end - p >= 2 && memcmp(p, "#}", 2))
        x->line += *p++ == '\n';
    if (x->end - p < 2)
        return parse_fail(x, _("a comment without an end"));
    x->trim = p[-1] == '-';
    x->p = p + 2;
    if (!x->trim && x->p < x->end && *x->p == '\n') {
        x->p++;
        x->line++;
    }
    return true;
}

/* {% raw %} ... {% endraw %} */
static bool raw_block(struct parser *x, struct node *n)
{
    if (!close_tag(x, "%}"))
        return false;
    const char *from = x->p;
    for (const char *p = from; x->end - p >= 2; p++) {
        if (memcmp(p, "{%", 2))
            continue;
        x->p = p + 2;
        x->p += *x->p == '-' || *x->p == '+';
        parse_next(x);
        if (!word_is_name(x, "endraw"))
            continue;
        for (const char *c = from; c < p; c++)
            x->line += *c == '\n';
        parse_next(x);
        return add_text(x, n, from, strip_end(x, from, p)) &&
               close_tag(x, "%}");
    }
    return parse_fail(x, _("raw without an end"));
}

static bool print_tag(struct parser *x, struct node *n)
{
    struct node *p = parse_node(x, NODE_PRINT);
    parse_next(x);
    if (!p || !(p->a = parse_tuple(x, true)) || !close_tag(x, "}}"))
        return false;
    return parse_kid(x, n, p);
}

/* One piece of a body; *over where one of `ends` began. */
static bool piece(struct parser *x, struct node *n, const char *const ends[],
                  const char **which, bool *over)
{
    const char *from = x->p, *tag = next_tag(x);
    if (x->trim)
        while (from < tag && isspace((unsigned char)*from))
            x->line += *from++ == '\n';
    x->trim = false;
    const char *end = tag < x->end ? strip_end(x, from, tag) : tag;
    if (!add_text(x, n, from, end))
        return !x->failed;
    for (const char *c = from; c < tag; c++)
        x->line += *c == '\n';
    x->p = tag;
    if (tag >= x->end) {
        *over = true;
        *which = NULL;
        return true;
    }
    if (tag[1] == '#')
        return skip_comment(x);
    x->p += 2;
    x->p += *x->p == '-' || *x->p == '+';
    if (tag[1] == '{')
        return print_tag(x, n);
    parse_next(x);
    for (size_t i = 0; ends && ends[i]; i++)
        if (word_is_name(x, ends[i])) {
            parse_next(x);
            *which = ends[i];
            *over = true;
            return true;
        }
    if (word_is_name(x, "raw")) {
        parse_next(x);
        return raw_block(x, n);
    }
    return parse_kid(x, n, statement(x));
}

/* Up to one of the tags `ends` (its name is read), or the text's end. */
static struct node *body(struct parser *x, const char *const ends[],
                         const char **which)
{
    bool over = false;
    if (++x->depth > DEEPEST)
        return parse_fail(x, _("nested too deeply"));
    struct node *n = parse_node(x, NODE_BODY);
    while (n && !over && !x->failed)
        if (!piece(x, n, ends, which, &over))
            n = NULL;
    x->depth--;
    if (n && !x->failed && ends && !*which)
        return parse_fail(x, _("a block without an end"));
    return x->failed ? NULL : n;
}

struct node *jinja_tree(struct arena *a, const char *text, size_t n,
                        bool *marks, struct err *e)
{
    struct parser x = {.arena = a, .p = text, .begin = text, .e = e,
                       .line = 1};
    const char *which;
    if (n && text[n - 1] == '\n') /* keep_trailing_newline is off */
        n--;
    x.end = text + n;
    struct node *tree = body(&x, NULL, &which);
    *marks = x.marks;
    return tree;
}
