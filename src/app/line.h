/* One line that is typed: the prompt on row 23, with history and completion,
 * and the field of a form that has the cursor. */
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
    LINE_STORE,   /* o on the welcome screen */
    LINE_FIELD,   /* of a form */
    LINE_KINDS
};

#define LINE_BYTES 65536
#define FIELD_BYTES 999 /* of LINE_FIELD */

struct line {
    enum line_kind kind;
    struct buf text;
    size_t cursor; /* byte offset */
    VEC(char *) history[LINE_KINDS];
    size_t at;     /* in the history; its length: the new line */
    bool typed;    /* since it was opened or brought from the history */
    char *left;    /* the new line, while another stands there; else NULL */
    size_t prefix; /* so many bytes of it begin what Up and Down bring */
    char *completions; /* one a line, NULL: not asked for */
    size_t choice, from; /* which of them, and where it begins */
    char wrong[600]; /* why it was not taken, until it is edited; "": taken */
};

/* Opens the prompt of that kind with `text` in it and the cursor behind it. */
void line_open(struct line *l, enum line_kind kind, const char *text);
/* Closes it; with `keep`, the text goes into its kind's history. */
void line_close(struct line *l, bool keep);
void line_done(struct line *l);
/* Remembers a line that Up brings, the newest last. */
void line_remember(struct line *l, enum line_kind kind, const char *text);
/* Puts pasted text in at the cursor, its line ends and tabs as blanks: all of
 * it, or nothing and `wrong` says so (NULL: it was too long to be read). */
void line_paste(struct line *l, const char *text);
/* A character, or one of Left Right Home End Backspace Delete ^A ^E ^W ^U ^K
 * Up Down; Up brings the lines before that begin as what was typed does.
 * False for any other key. */
bool line_key(struct line *l, const char *key);

/* Takes the next of `all` (one a line) as the word that begins at `from`; the
 * only one is taken for good. */
void line_complete(struct line *l, size_t from, const char *all);

#endif
