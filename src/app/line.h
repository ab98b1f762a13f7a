/* The one-line prompt on row 23: text with a cursor, history, completion. */
#ifndef APP_LINE_H
#define APP_LINE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/mem.h"

enum line_kind {
    LINE_NONE,
    LINE_COMMAND, /* : */
    LINE_FIND,    /* / */
    LINE_FILTER,  /* f */
    LINE_TAG,
    LINE_NOTE,
    LINE_RATE,
    LINE_REASON,  /* a new reason */
    LINE_IMPORT,
    LINE_ORDER,   /* o in Rank */
    LINE_ASK,     /* i in Runs */
    LINE_KINDS
};

struct line {
    enum line_kind kind;
    struct buf text;
    size_t cursor; /* byte offset */
    VEC(char *) history[LINE_KINDS];
    size_t at;     /* in the history; its length: the new line */
    char *completions; /* one a line, NULL: not asked for */
    size_t choice, from; /* which of them, and where it begins */
};

/* Opens the prompt of that kind with `text` in it and the cursor behind it. */
void line_open(struct line *l, enum line_kind kind, const char *text);
/* Closes it; with `keep`, the text goes into its kind's history. */
void line_close(struct line *l, bool keep);
void line_done(struct line *l);
void line_insert(struct line *l, const char *text);
/* Editing keys: Left Right Home End Backspace Delete ^W ^U ^K Up Down. False
 * for any other. */
bool line_key(struct line *l, const char *key);

/* Takes the next of `all` (one a line) as the word that begins at `from`. */
void line_complete(struct line *l, size_t from, const char *all);

#endif
