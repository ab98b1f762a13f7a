/* Families of problems with checkable answers. An operation is C: it draws a
 * problem, writes its values into slots, reads them back, solves it, and
 * makes one named mistake. data/families/NAME.json holds what is language:
 * openers, phrasings and closers, lists of words, ranges. A prompt is
 * opener + phrasing + closer; which three (and, where the operation has
 * several, which form of writing its values) is the wording.
 */
#ifndef BUILTIN_FAMILY_H
#define BUILTIN_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"

enum {
    MAX_KINDS = 5,
    MAX_LISTS = 6,
    MAX_RANGES = 4,
    MAX_LANGS = 2,
    MAX_SLOTS = 6,
    MAX_NUMBERS = 10,
    SLOT_BYTES = 160,
    PROMPT_BYTES = 800
};

struct texts {
    char **at;
    size_t n, cap;
};

/* The parts of wordings: phrasings by the operation's kinds. */
struct wordings {
    struct texts openers, closers;
    struct texts phrasings[MAX_KINDS];
};

struct family_lang {
    char code[3]; /* "en", "pt" */
    double share; /* of the family's problems */
    struct wordings train, held; /* held: H3, never in training */
    struct texts lists[MAX_LISTS]; /* in the order of the operation's */
    char *reason; /* a sentence for steps that ask for a rationale */
};

struct family {
    char *name, *about;
    const struct operation *op;
    double trigger; /* share of drawn problems that carry the trigger */
    int lo[MAX_RANGES], hi[MAX_RANGES]; /* in the order of the operation's */
    struct family_lang lang[MAX_LANGS];
    size_t n_langs;
};

/* A canonical problem: what is asked, without its wording. Words are places
 * in the family's lists. Two problems are the same when kind, numbers, words
 * and text are. */
struct problem {
    const struct family *family;
    size_t lang;
    int kind;
    int num[MAX_NUMBERS];
    int word[MAX_NUMBERS];
    char text[16];
};

/* Which wording a prompt has. */
struct wording {
    bool held; /* of the held-out templates (H3) */
    int opener, phrasing, closer, form;
};

/* Values by name, as they stand in a phrasing's {name}. */
struct slots {
    size_t n;
    struct slot {
        char name[12];
        char value[SLOT_BYTES];
    } at[MAX_SLOTS];
};

struct operation {
    const char *name;
    const char *mistake; /* the misconception's name */
    const char *kinds[MAX_KINDS + 1], *lists[MAX_LISTS + 1],
        *ranges[MAX_RANGES + 1]; /* NULL-ended */
    int list_min[MAX_LISTS];     /* words that a list must have at least */
    int range_max[MAX_RANGES];   /* highest number that a range may have */
    int forms;                   /* ways to write the values, from 1 */
    /* Draws kind and values; with the trigger or without it. */
    void (*draw)(struct problem *p, struct rng *r, bool trigger);
    /* Fills the slots in the problem's language. */
    void (*write)(const struct problem *p, int form, struct slots *s);
    /* Reads slots (p's family, language and kind are set) and tells the form;
     * false where the values are none that `draw` could have drawn. */
    bool (*read)(struct problem *p, const struct slots *s, int *form);
    /* Adds the answer: the truth, or the misconception's. */
    void (*solve)(const struct problem *p, bool mistaken, struct buf *out);
    /* True where the misconception makes a difference. */
    bool (*trigger)(const struct problem *p);
    /* How many canonical problems there are. */
    double (*space)(const struct family *f, size_t lang);
    /* False for the few that are too few to be held out; NULL: all can. */
    bool (*can_hold)(const struct problem *p);
};

/* The eight operations; NULL where there is none of that name. */
const struct operation *operation_find(const char *name);

/* ---- Files --------------------------------------------------------------- */

struct families {
    struct family *at;
    size_t n, cap;
};

/* Reads one family from the text of its file; errors name the key. The caller
 * frees with family_free. */
bool family_load(const char *text, size_t n, struct family *f,
                 struct err *e);
void family_free(struct family *f);
/* Reads every *.json of the folder, by name; NULL: the shipped ones. */
struct families *families_load(const char *dir, struct err *e);
void families_free(struct families **f);

/* ---- Words --------------------------------------------------------------- */

/* The i-th word of the operation's list `list` in the problem's language. */
const char *problem_word(const struct problem *p, int list, int i);
/* The place of a word in it, -1 where it is not there. */
int problem_place(const struct problem *p, int list, const char *word);
bool problem_is_pt(const struct problem *p);

/* Adds a named value, printed as by printf; a family has room for all it
 * puts. */
void slot_put(struct slots *s, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The value, "" where there is none. */
const char *slot_get(const struct slots *s, const char *name);

#endif
