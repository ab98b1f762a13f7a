/* A chat template's text as a tree: the part of Jinja2 that transformers
 * allows in one (trim_blocks, lstrip_blocks, loop controls, generation).
 * What cannot be read is refused with its line.
 */
#ifndef MODEL_TOKEN_JINJA_PARSE_H
#define MODEL_TOKEN_JINJA_PARSE_H

#include "base/err.h"
#include "model/token/jinja_value.h"

enum node_kind {
    /* expressions */
    NODE_VALUE,   /* value */
    NODE_NAME,    /* text */
    NODE_LIST,    /* kids; tuple */
    NODE_DICT,    /* kids: key, value, key, value ... */
    NODE_ATTR,    /* a.text */
    NODE_ITEM,    /* a[b] */
    NODE_SLICE,   /* a[b:c:d]; each may be NULL */
    NODE_CALL,    /* a(kids, named) */
    NODE_FILTER,  /* a | text(kids, named) */
    NODE_TEST,    /* a is text(kids); `no` where negated */
    NODE_UNARY,   /* op a: '-' '+' 'n'(ot) */
    NODE_BINARY,  /* a op b */
    NODE_IF_ELSE, /* a if b else c (c may be NULL) */
    /* statements */
    NODE_BODY,    /* kids */
    NODE_TEXT,    /* text */
    NODE_PRINT,   /* a */
    NODE_IF,      /* a: condition, b: then, c: else or NULL */
    NODE_FOR,     /* a: target, b: iterable, c: body, d: else, filter */
    NODE_SET,     /* a: target, b: value */
    NODE_SET_BODY,  /* a: target, c: body, filter: of what it printed */
    NODE_MACRO,   /* text: its name, params, c: body */
    NODE_CALL_BODY, /* a: the call, params, c: body */
    NODE_FILTER_BODY, /* filter, c: body */
    NODE_WITH,    /* params with their values, c: body */
    NODE_GENERATION, /* c: body */
    NODE_BREAK,
    NODE_CONTINUE
};

/* Binary operators beside the characters + - * / % ~ < >. */
enum { OP_FLOOR = 256, OP_POWER, OP_EQ, OP_NE, OP_LE, OP_GE, OP_IN,
       OP_NOT_IN, OP_AND, OP_OR };

struct node {
    enum node_kind kind;
    int line, op;
    bool tuple, no;
    const char *text;
    size_t n; /* bytes of NODE_TEXT */
    struct jv value;
    struct node *a, *b, *c, *d, *filter;
    struct node **kids;
    size_t n_kids;
    struct named {  /* named arguments; parameters with their defaults */
        const char *name;
        struct node *value;
    } *named;
    size_t n_named;
};

/* The tree, in the arena; NULL with "line N: ..." in e. `text` must live as
 * long. *marks is set where it has a generation block. */
struct node *jinja_tree(struct arena *a, const char *text, size_t n,
                        bool *marks, struct err *e);

#endif
