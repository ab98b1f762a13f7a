/* Rows of a bundle: what verbs hand in, the four shapes, and the checks that
 * a row must pass before a trainer may see it. No I/O.
 *
 * Shapes, as `trl` 1.x and the Hugging Face loader read them; nothing is ever
 * null:
 *   sft     {"messages":[...,{"role":"assistant",...}]}
 *   sft_pc  {"prompt":[...],"completion":[{"role":"assistant",...}]}
 *   dpo     {"prompt":[...],"chosen":[...],"rejected":[...]}
 *   kto     {"prompt":[...],"completion":[...],"label":true}
 * A message has role and content; where there is more, reasoning_content,
 * tool_calls (arguments as objects), tool_call_id, name, and in sft
 * "train":false on a turn that is not to be trained on. A row with tools ends
 * with "tools":"[...]", their definitions as JSON text, which a loader that
 * wants one type a column reads; or, as asked, with the list itself.
 *
 * Each shape once more as LLaMA-Factory reads it, ShareGPT's turns with every
 * value a text:
 *   {"conversations":[{"from":"human","value":"..."},...],"system":"",
 *    "tools":""} and, of pairs, chosen and rejected; of marks, kto_tag
 */
#ifndef EXPORT_ROW_H
#define EXPORT_ROW_H

#include <stdint.h>

#include "base/mem.h"
#include "domain/chat.h"
#include "domain/status.h"

/* id, name, made from, for whom */
#define SHAPES(X)                                                             \
    X(SFT, "sft", N_("accepted answers"), "TRL LF Axolotl MLX")               \
    X(SFT_PC, "sft_pc", N_("same, answer trained"), "TRL LF")                 \
    X(DPO, "dpo", N_("orders and edits"), "TRL LF Axolotl")                   \
    X(KTO, "kto", N_("accepted, wrong ones"), "TRL LF")

#define SHAPE_ID(id, ...) SHAPE_##id,
enum shape { SHAPES(SHAPE_ID) SHAPE_COUNT };
#undef SHAPE_ID

/* The folder's name and what is typed for it. */
const char *shape_name(enum shape s);
const char *shape_made_from(enum shape s); /* translated */
const char *shape_for(enum shape s);       /* names of trainers */
bool shape_parse(const char *name, enum shape *out);

/* What becomes of the thinking; id, name. Kept, it stands in the text as the
 * field's models write it: <think>, a new line, the thought, a new line,
 * </think>, an empty line, the answer. As a field it is reasoning_content. */
#define THINKINGS(X)                                                          \
    X(KEEP, "keep")                                                           \
    X(DROP, "drop")                                                           \
    X(FIELD, "field")

#define THINKING_ID(id, name) THINKING_##id,
enum thinking { THINKINGS(THINKING_ID) THINKING_COUNT };
#undef THINKING_ID

/* As typed and in the lock. */
const char *thinking_name(enum thinking t);
bool thinking_parse(const char *name, enum thinking *out);

typedef VEC(int64_t) id_list;

/* Where an answer came from and who decided; strings NULL, ids 0 where there
 * is none. Borrowed by the row. */
struct provenance {
    int64_t seed, call, line, recipe_version;
    const char *recipe, *teacher, *origin;
    const char *params;  /* the call's sampling, JSON */
    const char *source;  /* "teacher", "human", ... of the answer itself */
    const char *editor;  /* who wrote it, where a person did */
    const id_list *edits; /* the answers it was edited from, newest first */
    const char *who, *reason; /* of the decision on the sample */
    int64_t decision;
    const char *why;     /* of a pair: "order" or "edit" */
};

/* One row. Everything is borrowed for the length of the call. */
struct export_row {
    enum shape shape;
    enum split split;
    int64_t sample, candidate; /* candidate 0: there is no answer */
    int64_t rejected;          /* dpo: the worse candidate */
    const struct message *prompt;
    size_t n_prompt;
    const char *tools;          /* definitions, a JSON array; NULL: none */
    bool list_tools;            /* written as it is, not as a text */
    const struct message *answer, *worse; /* NULL: none; worse: dpo */
    enum thinking thinking;
    bool label;                 /* kto */
    bool approximate;           /* near was, when the prompt came */
    double weight;              /* of a pair within its prompt; else 1 */
    struct provenance from;
};

/* Appends the row as one JSON line without its newline. */
void row_write(const struct export_row *r, struct buf *out);
/* The same row for LLaMA-Factory. */
void row_write_turns(const struct export_row *r, struct buf *out);

/* Appends one line of prov/rows.jsonl; `n` is the row's line number. */
void row_provenance(const struct export_row *r, int64_t n, struct buf *out);

/* id, name, verdict, what is wrong. A fail refuses the export. */
#define ROW_CHECKS(X)                                                         \
    X(EMPTY, "empty", FAIL, N_("the answer is empty"))                        \
    X(SAME, "same", FAIL, N_("both answers are the same"))                    \
    X(PROMPT, "prompt", FAIL, N_("the prompt does not end with the user"))    \
    X(TEXT, "text", FAIL, N_("bytes that are not UTF-8"))                     \
    X(TURNS, "turns", WARN,                                                   \
      N_("turns do not alternate: some trainers leave the row out"))          \
    X(MASKED, "masked", WARN,                                                 \
      N_("a turn is marked \"train\": false, which few trainers read"))       \
    X(REASONING, "reasoning", WARN, N_("the thinking is left out"))           \
    X(HIDDEN, "hidden", WARN, N_("characters that a reader does not see"))    \
    X(LONG, "long", WARN, N_("too long: may be cut when trained"))            \
    X(NEAR, "near", WARN, N_("near across train and held out"))               \
    X(APPROXIMATE, "approximate", WARN,                                       \
      N_("near was looked for among a part of the prompts only"))

#define ROW_CHECK_ID(id, ...) ROW_##id,
enum row_check { ROW_CHECKS(ROW_CHECK_ID) ROW_CHECK_COUNT };
#undef ROW_CHECK_ID

/* As in the lock; as shown; as in the card; how grave it is. */
const char *row_check_name(enum row_check c);
const char *row_check_text(enum row_check c); /* translated */
const char *row_check_english(enum row_check c);
enum verdict row_check_verdict(enum row_check c);

/* Whether an answer has neither text nor calls. */
bool row_says_nothing(const struct message *m);

/* The checks that the row does not pass, as bits 1 << enum row_check (NEAR is
 * the bundle's). `max_words` counts prompt and answer; 0: any length. */
unsigned row_check_all(const struct export_row *r, int64_t max_words);
/* True where one of the bits is a fail. */
bool row_is_wrong(unsigned bits);

/* The prompt's last user message, "" where there is none. Borrowed. */
const char *row_asked(const struct export_row *r);

#endif
