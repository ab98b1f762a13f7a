/* Rows of a file: JSON values (one a line, several, over many lines), lists of
 * them, an object that holds such a list, or CSV with a header. A bad row
 * never costs the good ones behind it.
 */
#ifndef FORMATS_ROWS_H
#define FORMATS_ROWS_H

#include "base/json.h"
#include "formats/source.h"

#define ROW_MAX_BYTES ((size_t)64 << 20)

struct row_reader;

struct row {
    json *value;        /* NULL where the row could not be read */
    uint64_t line;      /* where it begins, from 1 */
    const char *raw;    /* as it came, borrowed */
    size_t raw_size;
    struct err why;     /* where value is NULL */
    const char *split;  /* the list's own ("test"), NULL where it has none */
    const json *around; /* with the first row of a list: the object around it,
                           its lists marked as read; else NULL */
    bool borrowed;      /* value is part of another one */
};

/* Opens a file; what it is is told from its name (.csv, .tsv; .gz and .zst
 * behind them) or from `delimiter` (0: none given) and its first bytes.
 * ERR_INPUT for what is none of these. */
bool rows_open(struct row_reader **out, const char *path, char delimiter,
               struct err *e);
/* The next row that is not blank, good or bad; false at the end, or where
 * reading broke off (e is set then). row_free after each. */
bool row_next(struct row_reader *r, struct row *out, struct err *e);
void row_free(struct row *x);
void rows_close(struct row_reader **r);
/* Blank lines passed over so far. */
uint64_t rows_blank(const struct row_reader *r);
/* How the file was read, where that is worth a word ("gzip; CSV with ;");
 * the caller frees, NULL for nothing. */
char *rows_note(const struct row_reader *r);

/* ---- CSV, for rows.c ---------------------------------------------------- */

struct csv {
    char delimiter, end; /* end of a line: LF or CR */
    char **columns;
    size_t n;
    uint64_t backslash;  /* rows whose quotes had backslashes before them */
    struct buf object;
};

/* Reads the header; `delimiter` 0: found in it. */
bool csv_open(struct csv *c, struct window *w, const char *path,
              char delimiter, struct err *e);
/* The next record as an object of texts (empty cells left out), or why it is
 * none; false at the end. */
bool csv_next(struct csv *c, struct window *w, struct row *x,
              uint64_t *blank, struct err *e);
void csv_free(struct csv *c);

#endif
