/* Rows of other people's files. A file becomes rows (rows.h), a row becomes
 * items: a prompt with its answers, and what else the row says of them. Fields
 * are known by what they mean (IN_FIELDS), whatever the column is named; what
 * nobody read of a row is named and counted (struct unread).
 */
#ifndef FORMATS_FORMAT_H
#define FORMATS_FORMAT_H

#include "base/json.h"
#include "domain/chat.h"

/* ---- Items -------------------------------------------------------------- */

struct item_answer {
    char *body;    /* canonical */
    char *whole;   /* its text with the thinking in it, as it came; or NULL */
    int place;     /* in the row's order, from 1, equal ones tie; 0: none */
    double score;  /* NAN where there is none */
    double margin; /* over the worse ones; NAN */
    const json *score_at, *margin_at; /* where the row says them; or NULL */
};

/* A prompt with what answers it. The values of the row are borrowed, so that
 * they can be marked as unread where the store has no use for them. */
struct item {
    struct chat prompt;
    VEC(struct item_answer) answers; /* best first where they are ordered */
    bool is_false;    /* marked as wrong */
    char *split;      /* as the row says, NULL where it does not */
    char *tags;       /* blank-separated, NULL where there are none */
    char *id;         /* the row's own name, where one asked for it */
    const json *row, *split_at, *id_at;
};

void item_free(struct item *x);

/* Parts of a prompt's messages that make no other prompt of it. */
enum { PART_MARK = 1, PART_CALL_ID = 2, PART_NAME = 4, PART_THOUGHT = 8 };
/* Which of them a prompt has otherwise than one with the same words. */
unsigned prompt_parts(const struct chat *mine, const struct chat *other);
/* Marks them as unread in the row's messages. */
void item_unread(const struct item *x, unsigned parts);

/* Called for each item of a row; it may take the item by moving it out and
 * zeroing *x. False stops. */
typedef bool item_fn(void *ctx, struct item *x, struct err *e);

/* ---- Fields ------------------------------------------------------------- */

/* What a column may mean: name for --map, the columns that are taken for it
 * (the first one there counts). */
#define IN_FIELDS(X)                                                          \
    X(MESSAGES, "messages",                                                   \
      "messages conversations conversation dialog dialogue")                  \
    X(PROMPT, "prompt",                                                       \
      "instruction prompt question query problem context input")              \
    X(INPUT, "input", "input context")                                        \
    X(ANSWER, "answer",                                                       \
      "completion output response answer solution target")                    \
    X(SYSTEM, "system", "system system_prompt")                               \
    X(HISTORY, "history", "history")                                          \
    X(REASONING, "reasoning", "reasoning_content reasoning thinking")         \
    X(TOOLS, "tools", "tools functions")                                      \
    X(CHOSEN, "chosen", "chosen")                                             \
    X(REJECTED, "rejected", "rejected")                                       \
    X(CHOSEN_SCORE, "score_chosen",                                           \
      "score_chosen chosen_score chosen_rating")                              \
    X(REJECTED_SCORE, "score_rejected",                                       \
      "score_rejected rejected_score rejected_rating")                        \
    X(MARGIN, "margin", "margin")                                             \
    X(ANSWERS, "answers",                                                     \
      "completions responses answers generations candidates")                 \
    X(SCORES, "scores", "scores ratings")                                     \
    X(SCORE, "score", "")                                                     \
    X(LABEL, "label", "label kto_tag")                                        \
    X(SPLIT, "split", "split")                                                \
    X(TAGS, "tags", "tags")                                                   \
    X(ID, "id", "")

#define FIELD_ENUM(id, ...) IN_##id,
enum in_field { IN_FIELDS(FIELD_ENUM) IN_COUNT };
#undef FIELD_ENUM

/* A person's own names: a column for a field, a role for a role's name. */
struct mapping {
    char *columns[IN_COUNT]; /* NULL: those of the table; may be dotted */
    own_roles roles;
};

/* Adds "FIELD=COLUMN" or "role:NAME=ROLE" or "role:ROLE=NAME"; false where the
 * field or the role is unknown. */
bool mapping_add(struct mapping *m, const char *text, struct err *e);
void mapping_free(struct mapping *m);

/* ---- Shapes ------------------------------------------------------------- */

/* How the rows of a file are read. */
struct reading {
    const struct mapping *map; /* may be NULL */
    bool one_answer;           /* only the best answer is of use */
    bool seen[IN_COUNT];       /* fields that some row had */
};

/* Whether --format may name it. */
bool shape_known(const char *name);
/* The names of all, blank-separated. */
const char *shape_names(void);

/* Reads one row as the shape that is named, or (NULL) as the one that it looks
 * like, calling fn for each of its items; what it read of the row is marked
 * (json_take). *shape gets the name. False with a reason. */
bool row_read(const json *row, struct reading *how, const char *name,
              item_fn *fn, void *ctx, const char **shape, struct err *e);

/* Whether an object has a column that a prompt or a conversation may stand
 * in. */
bool row_is_one(const json *row);

/* ---- What nobody read --------------------------------------------------- */

#define UNREAD_NAMES 100 /* further ones are counted as one */

struct unread_key {
    char *path; /* dotted below members that were read */
    uint64_t rows, last;
};
struct unread {
    VEC(struct unread_key) keys;
    uint64_t rows; /* looked at so far */
};

/* Counts the members of a row that are neither read nor null, each once a
 * row. Returns how many there were. */
size_t unread_add(struct unread *u, const json *row);
/* Most first: "history 40, label 12"; at most `max` of them, then how many
 * more. The caller frees; NULL where there are none. */
char *unread_list(const struct unread *u, size_t max);
void unread_print(const struct unread *u, struct jw *w); /* {"history":40} */
void unread_free(struct unread *u);

/* ---- For the files of this room ----------------------------------------- */

struct in {
    const json *row;
    struct reading *how;
    const char *lead; /* the one column of the prompt; NULL: any */
    struct chat_how chat;
    item_fn *fn;
    void *ctx;
};

/* A field's column as this row has it; name borrowed. */
struct column {
    const char *name;
    const json *value; /* NULL where it is missing or null */
};
struct column in_peek(const struct in *in, enum in_field f);
/* The same, and marks it as read. */
struct column in_take(const struct in *in, enum in_field f);
/* Takes a text; NULL in *out where there is none. False, naming the column,
 * where it is something else, or where it is blank and may not be. */
bool in_text(const struct in *in, enum in_field f, bool may_be_blank,
             const char **out, struct err *e);
/* A column's value as text, or the reason. */
bool column_text(const struct column *c, const char **out, struct err *e);
/* A number; NAN where there is none. */
bool in_number(const struct in *in, enum in_field f, double *out,
               struct err *e);
/* Whether the value is a list of messages, or text that holds one (which is
 * opened). */
bool is_messages(const json *v);

/* Starts an item with what the row marks it as. */
struct item in_item(const struct in *in);
/* Checks the item's prompt and answers, gives it the row's system text, tools,
 * split, tags and id, hands it on and frees it. */
bool in_emit(const struct in *in, struct item *x, struct err *e);
/* The row's prompt without an answer, into x->prompt. */
bool in_task(const struct in *in, struct item *x, struct err *e);
/* A conversation's turns, from a list of messages or text that holds one. */
bool in_messages(const struct in *in, const struct column *c,
                 struct chat *out, struct err *e);
/* Adds an answer to the item: takes the message's strings. */
struct item_answer *item_answer_add(struct item *x, struct message *m);
/* The same of a text, with thinking apart. */
struct item_answer *item_answer_text(struct item *x, const char *text);
/* The last assistant's turn of a conversation as an answer; the turns before
 * it go to the prompt. */
bool item_take_chat(struct item *x, struct chat *c, struct err *e);
/* Orders the answers by place, equal ones as they came. */
void item_sort(struct item *x);

/* A row with chosen and rejected. */
bool read_preference(const struct in *in, struct err *e);
/* A list of answers to one prompt. */
bool read_answers(const struct in *in, struct item *x, struct err *e);
/* An OASST tree: one item a prompt that was answered. */
bool read_tree(const struct in *in, struct err *e);
/* "\n\nHuman: ...\n\nAssistant: ...": false where the text is none. */
bool hh_parse(const char *text, struct chat *c);

#endif
