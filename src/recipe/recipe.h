/* Recipes: one way to elicit knowledge from a teacher, declared as data. A
 * recipe file says what to draw, how the prompt of each step is worded, how
 * the reply is read, and which checks run; stillroom-recipe(5) describes it.
 * This room turns draws to prompts and replies to items. It knows no network
 * and no store, and nothing in it is about one particular teacher.
 */
#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "domain/chat.h"
#include "domain/check.h"

enum {
    RECIPE_BYTES = 256 << 10, /* a recipe file */
    RECIPE_STEPS = 8,         /* in a file; see `cannot` */
    RECIPE_DEMOS = 64,        /* demonstrations in one prompt */
    RECIPE_CANDIDATES = 26,   /* answers judged in one call: A to Z */
    RECIPE_WANTED = 200,      /* items asked for in one call */
    RECIPE_REPLY = 1 << 20,   /* bytes of a reply that are read */
    RECIPE_ITEM = 64 << 10    /* bytes of one item */
};

/* The survey's six kinds. */
enum recipe_kind {
    RECIPE_LABEL,
    RECIPE_EXPAND,
    RECIPE_CURATE,
    RECIPE_FEATURE,
    RECIPE_FEEDBACK,
    RECIPE_SELF
};

/* What a step can make of a reply. */
enum item_kind { ITEM_PROMPT, ITEM_ANSWER, ITEM_TRIPLE, ITEM_RATING };

/* What one call of a step is made for. */
enum step_over {
    OVER_DRAW,      /* once for each draw of demonstrations */
    OVER_PROMPT,    /* for each prompt of the step before, or drawn input */
    OVER_CANDIDATES /* for each sample with two or more candidates */
};

struct recipe_aspect {
    char *name; /* help, truth, instr ... */
    char *text; /* what the judge is told about it */
};

/* Sampling parameters; what a file leaves out is not sent. */
struct recipe_decode {
    double temperature, top_p, presence_penalty; /* NAN: not said */
    int max_tokens;                              /* 0: not said */
    char **stop;                                 /* templates */
    size_t n_stop;
};

struct tmpl;   /* a compiled template, see template.h */
struct parser; /* how a reply is read, see parser.h */

struct recipe_message {
    enum role role;
    struct tmpl *text; /* NULL: the prompt's own messages stand here */
};

struct recipe_step {
    char *name;
    enum step_over over;
    size_t wanted; /* items asked for in one call (numbered, triples) */
    struct recipe_message *messages;
    size_t n_messages;
    struct recipe_decode decode;
    const struct parser *parser; /* see parser.h */
    bool rationale;    /* answer: reasoning first, then the marker */
    char *marker;      /* "Answer:" */
    char *fields[3];   /* triples: "Instruction:" "Input:" "Output:" */
    char *no_input;    /* triples: what an empty input is written as */
    int low, high;     /* ratings: the scale */
    struct recipe_aspect *aspects;
    size_t n_aspects;
    struct check_rule *checks; /* those that run */
    size_t n_checks;
};

struct recipe {
    char *name;
    int version;
    enum recipe_kind kind;
    char *about;       /* one line for the form, in the program's language */
    size_t from_seeds; /* demonstrations drawn from seeds ... */
    size_t from_samples; /* ... and from samples; too few: more seeds */
    bool with_answers;   /* demonstrations need an answer */
    struct recipe_step *steps;
    size_t n_steps;
    char *text; /* the file as it was read */
    bool yours; /* found under the user's own folder */
    char *cannot; /* what of it would never run, a sentence; NULL: nothing */
};

/* "label" ... "self", in the program's language. */
const char *recipe_kind_label(enum recipe_kind k);

/* Reads a recipe from the text of its file. NULL with an error that names the
 * key ("steps[1]: decode: top_p: ..."). What is well formed and would never
 * run stands in `cannot`; a copy of a recipe that a job has used is taken all
 * the same. The caller frees. */
struct recipe *recipe_load(const char *text, size_t n, struct err *e);
void recipe_free(struct recipe **r);

/* Finds NAME.json: in the user's own folder, then in the shipped ones. A name
 * is 1 to 40 of a-z, 0-9, `-` and `_`. One of which a part would never run is
 * refused. */
struct recipe *recipe_find(const char *name, struct err *e);
/* Finds it in one folder only. */
struct recipe *recipe_find_in(const char *dir, const char *name,
                              struct err *e);

/* The step of that name, NULL where there is none. */
const struct recipe_step *recipe_step(const struct recipe *r,
                                      const char *name);
/* What a step makes of a reply. */
enum item_kind recipe_makes(const struct recipe_step *s);
/* The step's rule for a check, NULL where it does not run. */
const struct check_rule *recipe_check(const struct recipe_step *s,
                                      enum check check);

/* ---- Draws to prompts ---------------------------------------------------- */

struct recipe_demo {
    const char *prompt, *answer; /* plain text; answer may be NULL */
};

/* What is put into a step's templates; all borrowed. Parsing reads only the
 * counts (n_demos, wanted, n_candidates) and the order. */
struct recipe_bindings {
    const char *system, *description; /* of the target; NULL: none */
    const char *const *principles;
    size_t n_principles;
    const struct recipe_demo *demos;
    size_t n_demos;
    size_t wanted;             /* 0: the step's own figure */
    const struct chat *prompt; /* the prompt to be answered or judged */
    const char *const *candidates; /* answers, in the caller's order */
    size_t n_candidates;
    const size_t *order; /* place i shows candidates[order[i]]; NULL: as is */
    const char *thinking; /* what came apart from the reply, or NULL */
};

/* A seeded shuffle of 0 .. n-1, against the judge's love of the first. */
void recipe_order(uint64_t seed, size_t n, size_t *order);

/* Renders the step's messages. A prompt's own system turn takes the place of
 * {{system}}, or is joined to the step's system turn where that does not use
 * it. A message that comes out empty is left out. False where something that
 * the step needs is not bound. The caller frees *out with chat_free. */
bool recipe_render(const struct recipe_step *s,
                   const struct recipe_bindings *b, struct chat *out,
                   struct err *e);

/* The i-th stop string as it is sent; the caller frees. */
char *recipe_stop(const struct recipe_step *s,
                  const struct recipe_bindings *b, size_t i);

/* A multi-turn prompt as text: the last user message where it has one turn,
 * else every turn behind the name of its role. The caller frees. */
char *recipe_input(const struct chat *prompt);

/* What stood in a step's templates when these messages were rendered: the way
 * back, for a teacher that is a program. */
struct recipe_found {
    char *system, *description, *input; /* NULL where they do not stand */
    struct recipe_demo_text {
        char *prompt, *answer;
    } *demos;
    size_t n_demos, demos_cap;
    char **candidates; /* as shown */
    size_t n_candidates, candidates_cap;
    size_t wanted;
};

/* False where the messages are not of this step. Frees with
 * recipe_found_free. */
bool recipe_unrender(const struct recipe_step *s, const struct chat *messages,
                     struct recipe_found *out);
void recipe_found_free(struct recipe_found *f);

/* ---- Replies to items ---------------------------------------------------- */

/* One thing that a reply brought; strings owned, NULL where not of the kind. */
struct recipe_item {
    enum item_kind kind;
    size_t index;    /* its place in the reply, from 0 */
    char *prompt;    /* prompt; triple: the instruction */
    char *input;     /* triple: the input, NULL where there is none */
    char *answer;    /* answer; triple: the output */
    char *reasoning; /* answer: rationale or <think> part, or NULL */
    size_t candidate; /* rating: in the caller's order */
    size_t aspect;    /* rating: place in the step's aspects */
    double value;     /* rating */
    char *reason;     /* rating: "" where the judge gave none */
};

struct recipe_items {
    struct recipe_item *at;
    size_t n, cap;
    char **missing; /* sentences: what was asked for and is not there */
    size_t n_missing, missing_cap;
};

/* Reads a reply. `finish` is the finish reason ("stop", "length", NULL):
 * after "length" the last item of a list was cut off and is dropped. Never
 * fails: what cannot be read stands in `missing`, and a reply that gives no
 * item is the caller's `unparsed`. The caller frees. */
void recipe_parse(const struct recipe_step *s,
                  const struct recipe_bindings *b, const char *reply,
                  const char *finish, struct recipe_items *out);
void recipe_items_free(struct recipe_items *items);

/* A triple's prompt: the instruction, an empty line and the input where there
 * is one. The caller frees. */
char *recipe_triple_prompt(const struct recipe_item *it);

/* Writes items in the form that the step's parser reads back (numbers go on
 * behind the demonstrations; a rating's `candidate` is the place shown). */
void recipe_write(const struct recipe_step *s, size_t n_demos,
                  const struct recipe_item *items, size_t n, struct buf *out);

#endif
