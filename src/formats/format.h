/* Row shapes: one file a shape, both directions, and detection. A row of a
 * file becomes items (a prompt, perhaps an answer); an item becomes a row of
 * another trainer's file.
 */
#ifndef FORMATS_FORMAT_H
#define FORMATS_FORMAT_H

#include "base/json.h"
#include "domain/chat.h"

/* A prompt with, perhaps, its answer. */
struct item {
    struct chat prompt;
    char *answer; /* canonical body, NULL where there is none */
    char *split;  /* as the row says, NULL where it does not */
    char *tags;   /* blank-separated, NULL where there are none */
};

void item_free(struct item *x);

/* Called for each item of a row; it may take the item by moving it out and
 * zeroing *x. False stops. */
typedef bool item_fn(void *ctx, struct item *x, struct err *e);

struct format {
    const char *name;
    const char *help; /* untranslated: its keys */
    /* True where a row looks like this shape. */
    bool (*detect)(const json *row);
    /* Reads one row, calling fn for each of its items. False with a reason. */
    bool (*read)(const json *row, item_fn *fn, void *ctx, struct err *e);
    /* Appends one row as compact JSON without a newline; NULL where the shape
     * is only read. */
    void (*write)(const struct item *x, struct buf *out);
};

/* All shapes, in the order of detection, NULL-ended. */
extern const struct format *const formats[];

/* The shape with that name, or NULL. */
const struct format *format_find(const char *name);
/* The first shape that the row looks like, or NULL. */
const struct format *format_detect(const json *row);

extern const struct format format_messages, format_sharegpt,
    format_selfinstruct, format_turns, format_alpaca, format_completion,
    format_question;

/* ---- For the shapes' files ---------------------------------------------- */

/* Starts an item with the row's `system`, `split` and `tags`. */
void item_start(struct item *x, const json *row);
/* Reads a row whose member `key` is a whole conversation: a last assistant
 * turn becomes the answer. */
bool item_read_chat(const json *row, const char *key, item_fn *fn, void *ctx,
                    struct err *e);
/* Reads a task: the instruction, `input` below it where there is one, and
 * `output` as the answer; both are members of `from`. */
bool item_read_task(const json *row, const char *instruction,
                    const json *from, item_fn *fn, void *ctx, struct err *e);
/* The string member; false with "KEY is missing" or "KEY is not text". An
 * empty text is refused unless `may_be_empty`. */
bool row_string(const json *row, const char *key, bool may_be_empty,
                const char **out, struct err *e);
/* Checks the prompt and hands the item on; frees it. */
bool item_emit(struct item *x, item_fn *fn, void *ctx, struct err *e);

/* ---- A person's own mapping --------------------------------------------- */

/* Columns by name for --map: prompt, answer, system, input, split, tags. */
struct mapping {
    char *prompt, *answer, *system, *input, *split, *tags;
};

/* Adds "field=column"; false where the field is unknown. */
bool mapping_add(struct mapping *m, const char *text, struct err *e);
void mapping_free(struct mapping *m);
bool mapping_read(const struct mapping *m, const json *row, item_fn *fn,
                  void *ctx, struct err *e);

/* ---- Files -------------------------------------------------------------- */

/* Rows of a file: JSON lines, a JSON array, or CSV with a header. */
struct row_reader;

struct row {
    json *value;        /* NULL where the row could not be read */
    uint64_t line;      /* where it begins, from 1 */
    const char *raw;    /* as it came, borrowed */
    size_t raw_size;
    struct err why;     /* where value is NULL */
};

/* Opens a file; what it is is told from its name (.csv, .tsv) and its first
 * character. ERR_INPUT for what is none of these. */
bool rows_open(struct row_reader **out, const char *path, struct err *e);
/* The next row that is not blank, good or bad; false at the end, or where
 * reading broke off (e is set then). row_free after each. */
bool row_next(struct row_reader *r, struct row *out, struct err *e);
void row_free(struct row *x);
void rows_close(struct row_reader **r);
/* Blank lines passed over so far. */
uint64_t rows_blank(const struct row_reader *r);

#endif
