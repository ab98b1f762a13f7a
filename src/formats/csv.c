/* CSV as RFC 4180 has it; quotes with backslashes before them are read where
 * the row is none otherwise. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "formats/rows.h"

enum result {
    READ,
    MORE,  /* the text ends inside the record */
    STRAY, /* something follows a closing quote */
    OPEN   /* a quote is never closed */
};

struct record {
    struct buf text; /* its fields, a NUL behind each */
    size_t n, used;  /* fields; bytes of the file, its end included */
    size_t quote;    /* the field that begins with the quote in question */
};

/* Behind an opening quote at s[*at]: the field's text. */
static enum result quoted(const char *s, size_t n, size_t *at, bool backslash,
                          struct buf *out)
{
    size_t i = *at;
    for (; i < n; i++) {
        if (backslash && s[i] == '\\' && i + 1 < n &&
            (s[i + 1] == '"' || s[i + 1] == '\\')) {
            buf_putc(out, s[++i]);
        } else if (s[i] != '"') {
            buf_putc(out, s[i]);
        } else if (i + 1 < n && s[i + 1] == '"') {
            buf_putc(out, s[i++]);
        } else {
            break;
        }
    }
    *at = i + 1;
    return i < n ? READ : OPEN;
}

/* One record at the start of s; `last` says that nothing comes behind it. */
static enum result read_record(const struct csv *c, const char *s, size_t n,
                               bool last, bool backslash, struct record *r)
{
    size_t i = 0;
    buf_clear(&r->text);
    r->n = 0;
    for (;;) {
        r->quote = r->n;
        if (i < n && s[i] == '"') {
            i++;
            enum result got = quoted(s, n, &i, backslash, &r->text);
            if (got == OPEN || (i >= n && !last))
                return last ? OPEN : MORE;
            bool over = i >= n || s[i] == c->delimiter || s[i] == c->end ||
                        (s[i] == '\r' && (i + 1 >= n || s[i + 1] == '\n'));
            if (!over)
                return STRAY;
        } else {
            size_t from = i;
            while (i < n && s[i] != c->delimiter && s[i] != c->end)
                i++;
            if (i >= n && !last)
                return MORE;
            size_t len = i - from;
            bool cr = len && s[i - 1] == '\r' && c->end == '\n' &&
                      (i >= n || s[i] == '\n');
            buf_add(&r->text, s + from, len - cr);
        }
        buf_putc(&r->text, '\0');
        r->n++;
        if (i < n && s[i] == '\r' && c->end == '\n')
            i++;
        if (i >= n || s[i] != c->delimiter)
            break;
        i++;
    }
    r->used = i < n ? i + 1 : i;
    return READ;
}

/* The record in the window, as far as it has to be filled for it. */
static enum result next_record(const struct csv *c, struct window *w,
                               bool backslash, struct record *r,
                               struct err *e)
{
    for (;;) {
        size_t n;
        const char *s = window_text(w, &n);
        enum result got = read_record(c, s, n, w->ended, backslash, r);
        if (got != MORE)
            return got;
        if (n > ROW_MAX_BYTES)
            return OPEN;
        if (!window_fill(w, e) && !w->ended)
            return OPEN;
    }
}

/* ---- The header --------------------------------------------------------- */

/* CR where the first line ends with one alone, else LF. */
static char line_end(const char *s, size_t n)
{
    const char *cr = memchr(s, '\r', n), *lf = memchr(s, '\n', n);
    return cr && (!lf || lf > cr + 1) ? '\r' : '\n';
}

/* The sign that stands most often outside quotes in the first line. */
static char find_delimiter(const char *s, size_t n, char end)
{
    static const char signs[] = ",;|\t";
    size_t counts[sizeof signs] = {0}, best = 0;
    bool open = false;
    for (size_t i = 0; i < n && (open || s[i] != end); i++) {
        const char *sign = open || !s[i] ? NULL : strchr(signs, s[i]);
        open ^= s[i] == '"';
        if (sign)
            counts[sign - signs]++;
    }
    for (size_t i = 1; i < sizeof signs - 1; i++)
        best = counts[i] > counts[best] ? i : best;
    return signs[best];
}

bool csv_open(struct csv *c, struct window *w, const char *path,
              char delimiter, struct err *e)
{
    size_t n;
    struct record r = {.text = BUF_INIT(ROW_MAX_BYTES)};
    const char *s = window_text(w, &n);
    *c = (struct csv){.object = BUF_INIT(8 * ROW_MAX_BYTES)};
    c->end = line_end(s, n);
    if (n > 5 && !strncmp(s, "sep=", 4) && strchr("\r\n", s[5])) {
        delimiter = delimiter ? delimiter : s[4]; /* a spreadsheet's line */
        const char *end = memchr(s, c->end, n);
        window_move(w, end ? (size_t)(end - s) + 1 : n, c->end);
        s = window_text(w, &n);
    }
    c->delimiter = delimiter ? delimiter : find_delimiter(s, n, c->end);
    enum result got = next_record(c, w, false, &r, e);
    if (got != READ) {
        buf_free(&r.text);
        if (!e || !e->code)
            err_set(e, ERR_INPUT, _("%s: a quote in its header is not "
                                    "closed"), path);
        return false;
    }
    const char *p = buf_str(&r.text);
    c->columns = xcalloc(r.n, sizeof *c->columns);
    for (; c->n < r.n; p += strlen(p) + 1)
        c->columns[c->n++] = xstrdup(p);
    window_move(w, r.used, c->end);
    buf_free(&r.text);
    return true;
}

void csv_free(struct csv *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->columns[i]);
    free(c->columns);
    buf_free(&c->object);
}

/* ---- Records ------------------------------------------------------------ */

/* The record as a JSON object of texts; empty cells are left out. */
static void make_object(struct csv *c, const struct record *r, struct row *x)
{
    struct jw w = jw_start(&c->object);
    const char *p = buf_str(&r->text);
    buf_clear(&c->object);
    jw_open(&w, '{');
    for (size_t i = 0; i < r->n; i++, p += strlen(p) + 1) {
        if (!*p)
            continue;
        jw_key(&w, c->columns[i]);
        jw_str(&w, p);
    }
    jw_close(&w);
    x->value = json_parse(buf_str(&c->object), c->object.len, &x->why);
}

static bool check_bytes(const struct row *x, struct err *e)
{
    size_t good = utf8_check(x->raw, x->raw_size);
    if (good < x->raw_size)
        return err_set(e, ERR_INPUT, _("byte %zu: bytes that are not UTF-8"),
                       good + 1);
    return !memchr(x->raw, '\0', x->raw_size) ||
           err_set(e, ERR_INPUT, _("a NUL character"));
}

/* Bytes of the first line at the window's start, its end included; fills the
 * window for it. */
static size_t first_line(const struct csv *c, struct window *w,
                         struct err *e)
{
    for (;;) {
        size_t n;
        const char *s = window_text(w, &n), *end = memchr(s, c->end, n);
        if (end)
            return (size_t)(end - s) + 1;
        if (w->ended || n > ROW_MAX_BYTES || !window_fill(w, e))
            return n;
    }
}

static void say_why(const struct csv *c, const struct record *r,
                    enum result got, struct row *x)
{
    const char *column = r->quote < c->n ? c->columns[r->quote] : "";
    if (got == OPEN)
        err_set(&x->why, ERR_INPUT, _("the quote that opens the column \"%s\" "
                                      "is never closed"), column);
    else if (got == STRAY)
        err_set(&x->why, ERR_INPUT, _("a quote inside the quoted column "
                                      "\"%s\""), column);
    else
        err_set(&x->why, ERR_INPUT, P_("%zu field, the header has %zu",
                                       "%zu fields, the header has %zu",
                                       r->n), r->n,
                c->n);
}

/* Reads the record with quotes doubled, else with backslashes; where it is
 * neither, its first line alone is the bad row. */
static void take_record(struct csv *c, struct window *w, struct row *x,
                        struct err *e)
{
    struct record r = {.text = BUF_INIT(ROW_MAX_BYTES)};
    struct record other = {.text = BUF_INIT(ROW_MAX_BYTES)};
    enum result got = next_record(c, w, false, &r, e);
    bool good = got == READ && r.n == c->n;
    if (!good && next_record(c, w, true, &other, e) == READ &&
        other.n == c->n) {
        struct record first = r;
        r = other;
        other = first;
        good = true;
        c->backslash++;
    }
    x->raw_size = good ? r.used : first_line(c, w, e);
    size_t n;
    x->raw = window_text(w, &n);
    if (!good)
        say_why(c, &r, got, x);
    else if (check_bytes(x, &x->why))
        make_object(c, &r, x);
    buf_free(&r.text);
    buf_free(&other.text);
}

static bool is_blank_line(const char *s, size_t n)
{
    while (n && strchr("\r\n", s[n - 1]) && s[n - 1])
        n--;
    return n == 0;
}

bool csv_next(struct csv *c, struct window *w, struct row *x,
              uint64_t *blank, struct err *e)
{
    struct err why = {0};
    for (size_t n;;) {
        size_t line = first_line(c, w, &why);
        const char *s = window_text(w, &n);
        if (why.code) {
            *e = why;
            return false;
        }
        if (!n)
            return false;
        if (!is_blank_line(s, line))
            break;
        ++*blank;
        window_move(w, line, c->end);
    }
    x->line = w->line;
    take_record(c, w, x, &why);
    if (why.code && why.code != ERR_INPUT) {
        *e = why;
        return false;
    }
    window_move(w, x->raw_size, c->end);
    while (x->raw_size && strchr("\r\n", x->raw[x->raw_size - 1]))
        x->raw_size--;
    return true;
}
