/* The words of a chat template's tags. */
#ifndef MODEL_TOKEN_JINJA_WORDS_H
#define MODEL_TOKEN_JINJA_WORDS_H

#include "model/token/jinja_parse.h"

enum { DEEPEST = 150 }; /* nested blocks and expressions */

enum word_kind { WORD_END, WORD_NAME, WORD_STRING, WORD_INT, WORD_FLOAT,
                 WORD_SIGN };

struct word {
    enum word_kind kind;
    const char *s; /* of a name or a string's value */
    size_t n;
    int sign;      /* a character, or OP_... */
    struct jv value;
};

struct parser {
    struct arena *arena;
    const char *p, *end; /* what is not read yet */
    const char *begin;
    int line, depth;
    bool failed, marks;
    struct err *e;
    struct word w;     /* the word at hand, inside a tag */
    int in_loop;
    bool trim; /* the text that follows loses white space in front */
};

/* Sets the error with the line, once; returns NULL (false). */
struct node *parse_fail(struct parser *x, const char *what);
/* A node of the present line; NULL where there is no room. */
struct node *parse_node(struct parser *x, enum node_kind kind);
/* Reads the next word of the tag into x->w; WORD_END before its close. */
void parse_next(struct parser *x);
/* Whether the word at hand is this name, or this sign; `take` reads on then,
 * `want` fails where it is not. */
bool word_is_name(const struct parser *x, const char *name);
bool word_is(const struct parser *x, int sign);
bool word_take_name(struct parser *x, const char *name);
bool word_take(struct parser *x, int sign);
bool word_want(struct parser *x, int sign, const char *what);

/* ---- Expressions (jinja_expr.c) ----------------------------------------- */

/* An expression; or several with commas, then a tuple (`ternary`: "if" may
 * stand in it). NULL after a mistake, as all that follow. */
struct node *parse_expression(struct parser *x);
struct node *parse_tuple(struct parser *x, bool ternary);
/* A name or constant; what may stand behind a value: .a [b] (c). */
struct node *parse_name(struct parser *x);
struct node *parse_postfix(struct parser *x, struct node *n);
/* NAME, with its arguments, of a filter or a test of `of`. */
struct node *parse_named_node(struct parser *x, enum node_kind kind,
                              struct node *of);
/* Adds a child, or a named argument. */
bool parse_kid(struct parser *x, struct node *n, struct node *kid);
bool parse_named(struct parser *x, struct node *n, const char *name,
                 struct node *value);

#endif
