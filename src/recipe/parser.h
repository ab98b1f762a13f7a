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
    bool many;  /* items asked for in one call: the step says `wanted` ... */
    bool one;   /* ... or asks for one by leaving it out */
    bool shown; /* reads what is said of answers that were shown */
    bool above; /* reads fields of what the step was asked for */
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
extern const struct parser parser_answer, parser_code, parser_critique,
    parser_fields, parser_json, parser_numbered, parser_preference,
    parser_quotes, parser_ranking, parser_ratings, parser_react,
    parser_triples, parser_turns, parser_verdict;
/* Of what was done here: not in the table. */
extern const struct parser parser_rows;

/* ---- For the parsers' files ---------------------------------------------- */

#define PARSE_MARKS 4 /* tokens of a number, of a field's name */

/* Adds an item without fields, at a place in the reply, to be filled before
 * the next one is added; or a sentence on what is not there (taken). */
struct recipe_item *parse_add(struct parse *p, size_t index);
void parse_miss(struct parse *p, char *sentence);
/* The sentence on an item over RECIPE_ITEM. */
char *parse_too_long(size_t number);
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

/* What stands behind `words` where s begins with them, in any case, with or
 * without accents; else NULL. */
const char *parse_begins(const char *s, const char *words);

/* Where the line begins with `label`, in any case, with or without accents
 * and perhaps in bold: what stands behind it, else NULL. A label that ends in
 * a colon is forgiven blanks, marks and a number in front of it ("**Question
 * 2** :"), and the colon itself in a heading. */
const char *parse_labelled(const char *s, const char *label);

/* The last line that begins with the marker: its start, and what stands behind
 * the marker. False where there is none, for which parse_miss_marker has the
 * sentence. */
bool parse_marked(const char *s, const char *marker, const char **at,
                  const char **behind);
void parse_miss_marker(struct parse *p, const char *marker);

/* What is said for a choice: what stands behind it on its line, else in front
 * of the line, else on the lines after it; NULL for nothing. The caller
 * frees. */
char *parse_reason(const char *s, const char *line, const char *behind);
/* Behind what is no letter, no digit and no "(" on this line. */
const char *parse_skip_marks(const char *s);

/* Where a marker's line is empty: the next line with something on it. */
const char *parse_first_words(const char *s);

/* How many marks of a fence ("```", "~~~") the line begins with, 0 for none;
 * *behind is what stands behind them. */
size_t parse_fence(const char *s, const char **behind);
/* The line that closes the fence which begins at `open`, and the one behind
 * it; NULL where none does. */
const char *parse_fence_end(const char *open, const char **next);

/* A line that only parts things: "###", "---". */
bool parse_is_rule(const char *line);

/* Parts of a reply that begin with a label, in order; what stands in a fenced
 * block of a section begins none. */
struct parse_section {
    size_t label;
    const char *line, *from, *to; /* the label's line; its text */
};
struct parse_sections {
    struct parse_section *at;
    size_t n, cap;
};
/* Fills *out, which is empty; the caller frees it with VEC_FREE. */
void parse_sections(const char *s, char *const *labels, size_t n,
                    struct parse_sections *out);
/* A section's text; of the `last` one what stands behind its last rule is no
 * part. The caller frees. */
char *parse_section_text(const struct parse_section *x, bool last);

/* Takes off the heading of the next item at a text's end: rules, numbers,
 * lines in bold, on lines of their own. */
void parse_drop_heading(char *text);
/* What stands in the fence where the text is one block and nothing else, and
 * its word is among the blank-separated ones (NULL: any) or is none; else a
 * copy. The caller frees. */
char *parse_unfenced(const char *text, const char *infos);

/* "A", "Answer A", "[B]", "a resposta C": its place among n, and what stands
 * behind it; -1 for none. */
int parse_letter(const char **s, size_t n);
/* The caller's place of the answer that was shown at this one. */
size_t parse_of_place(const struct parse *p, size_t place);

/* The settings "fields", a list of names or an object of name to label, and
 * "optional"; the names are what the step gives. Frees with
 * parse_names_free, also after a failure. */
enum { PARSE_NAMES = 16 };
struct parse_names {
    struct parse_name {
        char *name, *label;
        bool optional;
    } at[PARSE_NAMES];
    size_t n;
};
bool parse_names_load(const json *j, struct parse_names *out,
                      struct recipe_step *s, struct err *e);
void parse_names_free(struct parse_names *x);
/* The tokens of so many items (0: one): one field is like an answer, the
 * others like prompts. */
long parse_names_tokens(const struct parse_names *x, size_t wanted,
                        long prompt, long answer);

/* A field for writing: "" where it is not there. */
const char *parse_field(const struct recipe_item *it, const char *name);

/* How many items were asked for; at least one. */
size_t parse_wanted(const struct parse *p);

/* Puts a copy of `otherwise` where *s is NULL or empty. */
void text_or(char **s, const char *otherwise);

#endif
