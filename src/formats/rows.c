/* Rows of a file: JSON lines, one JSON array, or CSV with a header. */
#include "formats/format.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES ((size_t)64 << 20)
#define ARRAY_MAX_BYTES ((size_t)1 << 30)
#define COLUMNS 256

enum kind { LINES, ARRAY, CSV };

struct row_reader {
    enum kind kind;
    struct lines lines;
    bool lines_open;
    uint64_t blank;
    /* ARRAY */
    struct buf whole;
    size_t at;
    uint64_t line;
    bool ended;
    /* CSV */
    char comma;
    struct buf record, object;
    char *columns[COLUMNS];
    size_t n_columns;
};

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && !strcasecmp(s + n - m, end);
}

/* ---- CSV ---------------------------------------------------------------- */

/* Reads one record, quoted newlines and all, into r->record; *line is where
 * it begins. False at the end. */
static bool csv_record(struct row_reader *r, uint64_t *line, struct err *e)
{
    buf_clear(&r->record);
    bool open = false, any = false;
    while ((!any || open) && lines_next(&r->lines, e)) {
        const struct buf *l = &r->lines.line;
        if (!any)
            *line = r->lines.number;
        else
            buf_putc(&r->record, '\n');
        any = true;
        for (size_t i = 0; i < l->len; i++)
            open ^= l->data[i] == '"';
        if (!buf_add(&r->record, buf_str(l), l->len))
            break;
    }
    return any;
}

/* The next field of a record at *at, unquoted into out. False at the end. */
static bool csv_field(const struct buf *rec, size_t *at, char comma,
                      struct buf *out)
{
    if (*at > rec->len)
        return false;
    buf_clear(out);
    const char *s = buf_str(rec);
    size_t i = *at;
    bool quoted = i < rec->len && s[i] == '"';
    for (i += quoted; i < rec->len; i++) {
        if (quoted && s[i] == '"') {
            if (i + 1 < rec->len && s[i + 1] == '"')
                i++;
            else {
                quoted = false;
                continue;
            }
        } else if (!quoted && s[i] == comma) {
            break;
        }
        buf_putc(out, s[i]);
    }
    *at = i + 1;
    return true;
}

static bool csv_header(struct row_reader *r, const char *path, struct err *e)
{
    uint64_t line;
    size_t at = 0;
    struct buf field = BUF_INIT(LINE_MAX_BYTES);
    if (!csv_record(r, &line, e))
        return e->code ? false
                       : err_set(e, ERR_INPUT, _("%s is empty"), path);
    while (r->n_columns < COLUMNS &&
           csv_field(&r->record, &at, r->comma, &field))
        r->columns[r->n_columns++] = xstrdup(buf_str(&field));
    buf_free(&field);
    return true;
}

/* The record as a JSON object of strings; empty fields are left out. */
static void csv_object(struct row_reader *r, struct err *e)
{
    struct buf field = BUF_INIT(LINE_MAX_BYTES);
    struct jw w = jw_start(&r->object);
    size_t at = 0, n = 0;
    buf_clear(&r->object);
    jw_open(&w, '{');
    while (csv_field(&r->record, &at, r->comma, &field)) {
        if (n < r->n_columns && field.len) {
            jw_key(&w, r->columns[n]);
            jw_str(&w, buf_str(&field));
        }
        n++;
    }
    jw_close(&w);
    if (n != r->n_columns)
        err_set(e, ERR_INPUT, _("%zu fields, the header has %zu"), n,
                r->n_columns);
    else if (utf8_check(r->record.data, r->record.len) < r->record.len)
        err_set(e, ERR_INPUT, _("byte %zu: bytes that are not UTF-8"),
                utf8_check(r->record.data, r->record.len) + 1);
    else if (memchr(r->record.data, '\0', r->record.len))
        err_set(e, ERR_INPUT, _("a NUL character"));
    buf_free(&field);
}

/* ---- Opening ------------------------------------------------------------ */

/* The file's first character that is not white space, 0 where it has none. */
static char first_char(const char *path, struct err *e)
{
    struct lines l;
    char c = 0;
    if (!lines_open(&l, path, 4096, e))
        return 0;
    while (!c && lines_next(&l, e)) {
        const char *s = buf_str(&l.line);
        s += strspn(s, " \t\r");
        c = *s;
    }
    lines_close(&l);
    return c;
}

static bool open_array(struct row_reader *r, const char *path, struct err *e)
{
    r->whole = (struct buf)BUF_INIT(ARRAY_MAX_BYTES);
    r->line = 1;
    if (!file_read(path, ARRAY_MAX_BYTES, &r->whole, e))
        return false;
    r->at = strcspn(buf_str(&r->whole), "[");
    for (size_t i = 0; i < r->at; i++)
        r->line += r->whole.data[i] == '\n';
    r->at++;
    return true;
}

bool rows_open(struct row_reader **out, const char *path, struct err *e)
{
    struct row_reader *r = xcalloc(1, sizeof *r);
    bool tsv = ends_with(path, ".tsv"), csv = tsv || ends_with(path, ".csv");
    struct err why = {0};
    char c = first_char(path, &why);
    r->record = r->object = (struct buf)BUF_INIT(LINE_MAX_BYTES);
    r->kind = csv ? CSV : c == '[' ? ARRAY : LINES;
    r->comma = tsv ? '\t' : ',';
    bool ok = !why.code;
    if (!ok)
        *e = why;
    else if (!c)
        ok = err_set(e, ERR_INPUT, _("%s is empty"), path);
    else if (r->kind == ARRAY)
        ok = open_array(r, path, e);
    else
        ok = r->lines_open = lines_open(&r->lines, path, LINE_MAX_BYTES, e);
    if (ok && r->kind == CSV)
        ok = csv_header(r, path, e);
    if (ok)
        *out = r;
    else
        rows_close(&r);
    return ok;
}

void rows_close(struct row_reader **out)
{
    struct row_reader *r = *out;
    if (!r)
        return;
    if (r->lines_open)
        lines_close(&r->lines);
    for (size_t i = 0; i < r->n_columns; i++)
        free(r->columns[i]);
    buf_free(&r->whole);
    buf_free(&r->record);
    buf_free(&r->object);
    free(r);
    *out = NULL;
}

uint64_t rows_blank(const struct row_reader *r)
{
    return r->blank;
}

/* ---- Walking ------------------------------------------------------------ */

static bool next_line(struct row_reader *r, struct row *x, struct err *e)
{
    const struct buf *l = &r->lines.line;
    for (;; r->blank++) {
        if (!lines_next(&r->lines, e))
            return false;
        if (r->lines.too_long ||
            strspn(buf_str(l), " \t\r") < l->len)
            break;
    }
    x->line = r->lines.number;
    x->raw = buf_str(l);
    x->raw_size = l->len;
    if (r->lines.too_long)
        err_set(&x->why, ERR_INPUT, _("a line of over %zu MiB"),
                LINE_MAX_BYTES >> 20);
    else
        x->value = json_parse(x->raw, x->raw_size, &x->why);
    return true;
}

static bool next_record(struct row_reader *r, struct row *x, struct err *e)
{
    do {
        if (!csv_record(r, &x->line, e))
            return false;
        r->blank += !r->record.len;
    } while (!r->record.len);
    x->raw = buf_str(&r->record);
    x->raw_size = r->record.len;
    csv_object(r, &x->why);
    if (!x->why.code)
        x->value = json_parse(buf_str(&r->object), r->object.len, &x->why);
    return true;
}

/* Moves over white space and one comma, counting lines. */
static void to_element(struct row_reader *r)
{
    const char *s = buf_str(&r->whole);
    while (r->at < r->whole.len && strchr(" \t\r\n,", s[r->at]) && s[r->at])
        r->line += s[r->at++] == '\n';
}

static bool next_element(struct row_reader *r, struct row *x)
{
    const char *s = buf_str(&r->whole);
    size_t used = 0;
    to_element(r);
    if (r->ended || (r->at < r->whole.len && s[r->at] == ']'))
        return false;
    x->line = r->line;
    x->raw = s + r->at;
    if (r->at >= r->whole.len)
        err_set(&x->why, ERR_INPUT, _("the list is not closed"));
    else
        x->value = json_parse_prefix(x->raw, r->whole.len - r->at, &used,
                                     &x->why);
    x->raw_size = used;
    for (size_t i = 0; i < used; i++)
        r->line += x->raw[i] == '\n';
    r->at += used;
    r->ended = !x->value; /* what follows a broken element means nothing */
    return true;
}

bool row_next(struct row_reader *r, struct row *out, struct err *e)
{
    *out = (struct row){0};
    switch (r->kind) {
    case ARRAY: return next_element(r, out);
    case CSV: return next_record(r, out, e);
    default: return next_line(r, out, e);
    }
}

void row_free(struct row *x)
{
    json_free(x->value);
    x->value = NULL;
}
