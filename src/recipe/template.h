/* The template language of recipes. `{{name}}` puts a value in;
 * `{{#name}}...{{/name}}` stands once where the value is not empty, and once
 * for each element where it is a list. A name is that of a list's element
 * inside the list, else of a field (of the nearest item that has it, or of
 * the item of one step: `{{step.field}}`), else of a placeholder. Everything
 * else is text. The same compiled form is read backwards: tmpl_match finds
 * what stood in the placeholders of a text that was rendered from it.
 */
#ifndef RECIPE_TEMPLATE_H
#define RECIPE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Placeholders. Those from PH_N on have a meaning only inside a list. */
enum ph {
    PH_SYSTEM,
    PH_DESCRIPTION,
    PH_INPUT,
    PH_COUNT,  /* how many demonstrations */
    PH_FIRST,  /* the number behind them */
    PH_LAST,   /* the number of the last item wanted */
    PH_NEXT,   /* the number behind that */
    PH_WANTED, /* how many items are wanted */
    PH_DEMONSTRATIONS,
    PH_CANDIDATES,
    PH_ASPECTS,
    PH_PRINCIPLES,
    PH_N,      /* in any list: the element's number, from 1 */
    PH_LETTER, /* candidates: A, B ... */
    PH_PROMPT, /* demonstrations */
    PH_ANSWER, /* demonstrations, candidates */
    PH_NAME,   /* aspects */
    PH_TEXT,   /* aspects, principles */
    PH_FIELD,  /* a field: the node has its name */
    PH_COUNT_OF
};

/* What a placeholder holds. */
bool ph_is_list(enum ph p);
bool ph_is_number(enum ph p);

struct tmpl_node {
    enum { NODE_TEXT, NODE_VALUE, NODE_SECTION } kind;
    enum ph ph;
    char *text; /* the text, or the name between the braces */
    size_t len;
    struct tmpl *body; /* NODE_SECTION */
};

struct tmpl {
    struct tmpl_node *at;
    size_t n, cap;
};

/* Which fields there are, inside a list or (PH_COUNT_OF) outside. */
struct tmpl_scope {
    bool (*has)(void *ctx, const char *name, enum ph list);
    void *ctx;
};

/* Compiles; errors name the placeholder. Without a scope there are no fields.
 * The caller frees. */
struct tmpl *tmpl_new(const char *text, const struct tmpl_scope *scope,
                      struct err *e);
void tmpl_free(struct tmpl **t);
/* True where the placeholder stands anywhere in it. */
bool tmpl_uses(const struct tmpl *t, enum ph p);

/* Where values come from. `list` is the list that we are in (PH_COUNT_OF
 * outside), `i` the element. */
struct tmpl_source {
    void *ctx;
    /* Adds a node's value; an absent one adds nothing. */
    void (*put)(void *ctx, const struct tmpl_node *n, enum ph list, size_t i,
                struct buf *out);
    size_t (*count)(void *ctx, enum ph list);
};
void tmpl_render(const struct tmpl *t, const struct tmpl_source *src,
                 struct buf *out);

/* One value found: bytes at..at+len of the text. */
struct tmpl_found {
    enum ph ph, list;
    size_t i, at, len;
    const char *name; /* as it stands between the braces */
};

struct tmpl_match {
    struct tmpl_found *at;
    size_t n, cap;
    size_t fuel; /* steps left before it gives up */
    const char *s;
    size_t len;
    /* Values that are known (numbers in lists, aspects ...) are compared; for
     * all others this returns false. */
    bool (*known)(void *ctx, enum ph p, enum ph list, size_t i,
                  struct buf *out);
    void *ctx;
};

/* Matches the whole of m->s against t, the shortest value first; fills m->at.
 * The caller frees m->at. */
bool tmpl_match(const struct tmpl *t, struct tmpl_match *m);

#endif
