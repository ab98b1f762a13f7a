/* Parsers: how a reply is read. One table, a file each; a parser reads its own
 * settings, turns a reply into items and writes items as such a reply. Not for
 * other rooms.
 */
#ifndef RECIPE_PARSER_H
#define RECIPE_PARSER_H

#include "base/json.h"
#include "recipe/recipe.h"

/* One reply that is being read. */
struct parse {
    const struct recipe_step *step;
    const struct recipe_bindings *b;
    struct recipe_items *out;
    char *thought; /* what the teacher thought first, or NULL; may be taken */
    bool cut;      /* the reply ended at the token limit */
};

struct parser {
    const char *name;
    const char *keys;  /* its settings in "parse", blank-separated */
    const char *gives; /* the fields of its items, blank-separated; NULL: its
                          settings say, and load writes them to s->gives */
    const char *usual; /* what a step makes of them that does not say it;
                          load may say otherwise in s->usual */
    bool many; /* items asked for in one call: the step says `wanted` */
    /* Reads the settings into s->own, and lets go of them; NULL where it has
     * none. */
    bool (*load)(const json *j, struct recipe_step *s, struct err *e);
    void (*unload)(void *own);
    void (*parse)(struct parse *p, const char *reply);
    /* Appends one item; `number` is its place, from 1, demonstrations
     * counted. */
    void (*write)(const struct recipe_step *s, size_t number,
                  const struct recipe_item *it, struct buf *out);
    /* The tokens of a reply, where prompts and answers have so many. */
    long (*tokens)(const struct recipe_step *s, long prompt, long answer);
};

/* All of them, NULL-ended. */
extern const struct parser *const parsers[];
extern const struct parser parser_numbered, parser_triples, parser_answer,
    parser_ratings;
/* Of what was done here: not in the table. */
extern const struct parser parser_rows;

/* ---- For the parsers' files ---------------------------------------------- */

#define PARSE_MARKS 4 /* tokens of a number, of a field's name */

/* Adds an item without fields, at a place in the reply, to be filled before
 * the next one is added; or a sentence on what is not there (taken). */
struct recipe_item *parse_add(struct parse *p, size_t index);
void parse_miss(struct parse *p, char *sentence);
/* Says that items from..to, by their numbers, are not there. */
void parse_miss_range(struct parse *p, size_t from, size_t to);

/* A copy of s[0..n), or of from..to, without white space at its ends. */
char *parse_trimmed(const char *s, size_t n);
char *parse_between(const char *from, const char *to);

/* The end of the line, and the next one's beginning. */
const char *parse_line_end(const char *s);
const char *parse_next_line(const char *s);

/* "12. ", "12) " or "12: ", perhaps in bold: the number and what stands
 * behind it; 0 where the line does not begin so. */
size_t parse_number(const char *s, const char **behind);

/* Where the line begins with `label`, in any case and perhaps in bold: what
 * stands behind it, else NULL. */
const char *parse_labelled(const char *s, const char *label);

/* A field for writing: "" where it is not there. */
const char *parse_field(const struct recipe_item *it, const char *name);

/* How many items were asked for. */
size_t parse_wanted(const struct parse *p);

/* Puts a copy of `otherwise` where *s is NULL or empty. */
void text_or(char **s, const char *otherwise);

#endif
