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
#include "recipe/item.h"

enum {
    RECIPE_BYTES = 256 << 10, /* a recipe file */
    RECIPE_STEPS = 8,         /* in a file; see `cannot` */
    RECIPE_DEMOS = 64,        /* demonstrations in one prompt */
    RECIPE_CANDIDATES = 26,   /* answers judged in one call: A to Z */
    RECIPE_GROUP = 64,        /* items handed on together */
    RECIPE_WANTED = 200,      /* items asked for in one call */
    RECIPE_TIMES = 64,        /* calls for each thing */
    RECIPE_MAKES = 8,         /* things made of one item */
    RECIPE_EACH = 64,         /* values of a list, and of all lists together */
    RECIPE_PASSES = 16,       /* of a step that repeats */
    RECIPE_DEEP = 96,         /* items and lists that one comes from */
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

/* What one call of a step is made for: id, name, the fields that it brings.
 * A draw is one of demonstrations; `candidates` are those of one sample, two
 * or more, together; `items` are those of an earlier step ("items of NAME").
 */
#define STEP_OVERS(X)                                                         \
    X(DRAW, "draw", "") X(SEED, "seed", "prompt answer")                      \
    X(SAMPLE, "sample", "prompt answer") X(CANDIDATES, "candidates", "prompt") \
    X(ITEMS, "items of", "")
#define OVER_ID(id, ...) OVER_##id,
enum step_over { STEP_OVERS(OVER_ID) OVER_COUNT };
#undef OVER_ID

/* What becomes of an item: id, name, the keys that it must have, those that it
 * may. A sample is a prompt, with an answer where one is given; a candidate is
 * one more answer to the prompt that stands above it; a score is a judge's of
 * one of the candidates above it. */
#define SINKS(X)                                                              \
    X(SAMPLE, "sample", "prompt", "answer reasoning")                         \
    X(CANDIDATE, "candidate", "answer", "reasoning")                          \
    X(SCORE, "score", "aspect value", "candidate reason")
#define SINK_ID(id, ...) SINK_##id,
enum sink { SINKS(SINK_ID) SINK_COUNT };
#undef SINK_ID

struct recipe_chain;
struct recipe_bindings;
struct tmpl;   /* a compiled template, see template.h */
struct parser; /* how a reply is read, see parser.h */
struct op;     /* what a step does without a teacher, see op.h */

struct recipe_aspect {
    char *name; /* help, truth, instr ... */
    char *text; /* what the judge is told about it */
};

/* Sampling parameters; what a file leaves out is not sent. */
struct recipe_decode {
    double temperature, top_p, presence_penalty; /* NAN: not said */
    int max_tokens;                              /* 0: not said */
    struct tmpl **stop;
    size_t n_stop;
};

/* A condition on a field: it is one of the texts, or is none of them, or is a
 * number within bounds. A field that an item has not is the empty text. */
struct recipe_where {
    char *field;
    char **is;
    size_t n_is;
    bool not;
    double min, max; /* NAN: no such bound */
};

struct recipe_wheres {
    struct recipe_where *at;
    size_t n;
};

/* What is made of each item that passes: a template for each of its sink's
 * keys, as sink_key counts them; NULL where none is given. */
#define SINK_KEYS 4
struct recipe_make {
    enum sink sink;
    struct recipe_wheres where;
    struct tmpl *at[SINK_KEYS];
};

/* A list that a step goes through for each thing it runs over: its values are
 * fields, of its own name or of several names. */
struct recipe_each {
    char *name;
    struct recipe_item *values;
    size_t n;
    bool principles; /* the target's, instead of values */
    size_t draw;     /* so many of them by chance; 0: all */
};

/* That a step runs over what comes of it as well, pass after pass. What it
 * carries are fields of the next pass, made of the item that goes back. */
struct recipe_repeat {
    char *over;                     /* a step's name; NULL: it does not */
    const struct recipe_step *from; /* that step */
    size_t max;                     /* passes, the first one counted */
    struct recipe_wheres until;     /* an item that passes does not go back */
    char *until_json;               /* as it stands in the file, or NULL */
    struct recipe_carry {
        char *name, *text;
        struct tmpl *tmpl;
    } *carry;
    size_t n_carry;
};

struct recipe_message {
    enum role role;
    struct tmpl *text; /* NULL: the prompt's own messages stand here */
};

struct recipe_step {
    char *name;
    enum step_over over;
    const struct recipe_step *from; /* OVER_ITEMS: the step of the items */
    bool items_of_before; /* said as "prompt", the older word */
    struct recipe_wheres where; /* of those, the ones that pass all */
    char *by; /* items that have this field from the same one above, together;
                 NULL: each for itself */
    const struct recipe_step *giver; /* by: whose field it is; NULL: what the
                                        first step started from */
    size_t at_least;                 /* by: fewer are not handed on */
    bool last;     /* of those, the ones that did not go back */
    struct recipe_repeat repeat;
    struct recipe_each *each;
    size_t n_each;
    char *each_gives; /* their fields and what repeat carries,
                         blank-separated; "": none */
    size_t times;  /* calls for each; 0: not said, see recipe_times */
    size_t wanted; /* items asked for in one call (numbered, triples) */
    struct recipe_message *messages;
    size_t n_messages;
    struct recipe_decode decode;
    const struct op *op; /* what is done here, see op.h; NULL: it is asked */
    const struct parser *parser; /* see parser.h */
    void *own;         /* the op's settings, or the parser's */
    char *gives;       /* the fields of its items, blank-separated */
    const char *usual; /* what is made of them unless the file says it, as
                          JSON; NULL: nothing */
    struct recipe_make *makes;
    size_t n_makes;
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

/* "label" ... "self": as a file has it; in the program's language. */
const char *recipe_kind_name(enum recipe_kind k);
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
/* What the step makes into that sink, NULL where nothing. */
const struct recipe_make *recipe_makes(const struct recipe_step *s,
                                       enum sink sink);
/* Whether it makes prompts that other steps answer: samples without an
 * answer. */
bool recipe_asks(const struct recipe_step *s);
/* Whether any step lives on the items of this one; whether `s` does. */
bool recipe_feeds(const struct recipe *r, const struct recipe_step *s);
bool recipe_lives_on(const struct recipe_step *s,
                     const struct recipe_step *from);
/* The step that made the prompt which stands above what `s` makes, NULL where
 * that was there. */
const struct recipe_step *recipe_maker(const struct recipe_step *s);
/* The step whose items stand one by one above what `s` makes: the one it runs
 * over, or that which gave its group its field; NULL where that was there. */
const struct recipe_step *recipe_above(const struct recipe_step *s);
/* Whether an item goes back to `s` for another pass; to any step. */
bool recipe_goes_back(const struct recipe_step *s,
                      const struct recipe_chain *item);
bool recipe_repeats(const struct recipe *r, const struct recipe_chain *item);
/* How many calls are made for each thing that a step runs over; `answers` is
 * what the form says, and counts for what makes candidates. */
size_t recipe_times(const struct recipe_step *s, size_t answers);

/* What a step goes through for one thing: an item of fields for each call, in
 * every combination of its lists, RECIPE_EACH at most; one without fields
 * where it has no list. The draw depends on the seed. The caller frees. */
struct recipe_each_list {
    struct recipe_item *at;
    size_t n, cap;
};
void recipe_each(const struct recipe_step *s, uint64_t seed,
                 const char *const *principles, size_t n_principles,
                 struct recipe_each_list *out);
void recipe_each_free(struct recipe_each_list *l);
/* Adds what a pass of a step that repeats begins with to all of them: its
 * number, and what the item that goes back carries (NULL: the first pass). */
void recipe_each_pass(const struct recipe_step *s,
                      const struct recipe_bindings *back,
                      struct recipe_each_list *l);
/* How many that are, for a target of so many principles. */
size_t recipe_each_count(const struct recipe_step *s, size_t n_principles);

/* A sink's i-th key, NULL behind the last one; the key's place, -1 where it
 * has none of that name. */
const char *sink_key(enum sink s, size_t i, char out[20]);
int sink_place(enum sink s, const char *key);

/* The step's rule for a check, NULL where it does not run. */
const struct check_rule *recipe_check(const struct recipe_step *s,
                                      enum check check);

/* ---- Draws to prompts ---------------------------------------------------- */

/* An item with those that it came from: of a step, or (step NULL) what was
 * there, with the fields of its kind. */
struct recipe_chain {
    const struct recipe_step *step;
    const struct recipe_item *item;
    const struct recipe_chain *up;
    const char *there; /* "seed" or "sample" without a step; with one "each",
                          where it is what the step goes through */
    int64_t id; /* the caller's: of the call that brought it, or of the seed
                   or sample */
};

/* A field of the nearest that has it, or of one step's as "step.field" (what
 * was there is "seed" or "sample"); NULL where there is none. */
const char *chain_get(const struct recipe_chain *c, const char *name);

struct recipe_demo {
    const char *prompt, *answer; /* plain text; answer may be NULL */
};

/* What is put into a step's templates; all borrowed. Parsing reads only the
 * counts (n_demos, wanted, n_candidates), the order, and the chain where the
 * parser looks a source up. */
struct recipe_bindings {
    const char *system, *description; /* of the target; NULL: none */
    const char *const *principles;
    size_t n_principles;
    const struct recipe_demo *demos;
    size_t n_demos;
    size_t wanted;             /* 0: the step's own figure */
    const struct chat *prompt; /* the prompt to be answered or judged */
    const struct recipe_chain *chain; /* what the step is asked for */
    const char *const *candidates; /* answers, in the caller's order */
    size_t n_candidates;
    const struct recipe_chain *const *group; /* the candidates' items, where
                                                they are a group's */
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

/* The messages of a step that asks, without a store: every value stands as its
 * name in ‹›, demonstrations n_demos times, answers twice. The caller frees. */
bool recipe_sketch(const struct recipe_step *s, size_t n_demos,
                   struct chat *out, struct err *e);

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
    struct recipe_item fields;
};

/* False where the messages are not of this step. Frees with
 * recipe_found_free. */
bool recipe_unrender(const struct recipe_step *s, const struct chat *messages,
                     struct recipe_found *out);
void recipe_found_free(struct recipe_found *f);

/* ---- Replies to items ---------------------------------------------------- */

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

/* Whether an item passes all conditions. */
bool recipe_passes(const struct recipe_wheres *w,
                   const struct recipe_chain *c);

/* Does what a step with an op does for what is bound, which is n_candidates
 * items of a group or the chain's first. Never fails: what comes to nothing
 * stands in `missing`. The caller frees *out. */
void recipe_do(const struct recipe_step *s, const struct recipe_bindings *b,
               struct recipe_items *out);

/* Such items as a reply that recipe_parse reads. */
void recipe_print(const struct recipe_items *items, struct buf *out);

/* What is made of an item, which is the chain's first: a text for each key of
 * the sink, NULL where none is given or it comes out empty. Frees it. */
struct made {
    enum sink sink;
    char *at[SINK_KEYS];
};
void recipe_fill(const struct recipe_make *m, const struct recipe_bindings *b,
                 struct made *out);
void made_free(struct made *m);
/* A template as text; the caller frees. */
char *recipe_text(const struct recipe_step *s, const struct tmpl *t,
                  const struct recipe_bindings *b);

/* The text for a key, NULL where there is none. */
const char *made_get(const struct made *m, const char *key);

/* Writes items in the form that the step's parser reads back (numbers go on
 * behind the demonstrations; a rating's `candidate` is the place shown). */
void recipe_write(const struct recipe_step *s, size_t n_demos,
                  const struct recipe_item *items, size_t n, struct buf *out);

#endif
