#include "formats/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "formats/format.h"

struct row_reader {
    struct window w;
    bool is_csv;
    struct csv csv;
    uint64_t blank;
    bool on_line;   /* a value has stood on this line */
    bool in_list;   /* behind a list's opening bracket */
    bool over;      /* a broken list: what follows means nothing */
    /* an object that holds lists of rows */
    json *held;
    const json *list, *element;
    bool first;
    uint64_t held_line;
    char *keys;     /* of the lists that were read so */
    struct buf raw;
};

/* ---- The file ----------------------------------------------------------- */

static bool ends_with(const char *s, size_t n, const char *end)
{
    size_t m = strlen(end);
    return n >= m && !strncasecmp(s + n - m, end, m);
}

static bool is_csv(const char *path, char *delimiter)
{
    size_t n = strlen(path);
    if (ends_with(path, n, ".gz"))
        n -= 3;
    else if (ends_with(path, n, ".zst"))
        n -= 4;
    if (ends_with(path, n, ".tsv") && !*delimiter)
        *delimiter = '\t';
    return *delimiter || ends_with(path, n, ".csv");
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether the file holds anything but white space. */
static bool has_text(struct window *w, struct err *e)
{
    for (;;) {
        size_t n, i = 0;
        const char *s = window_text(w, &n);
        while (i < n && is_space(s[i]))
            i++;
        if (i < n || w->ended)
            return i < n;
        if (!window_fill(w, e) && !w->ended)
            return false;
    }
}

bool rows_open(struct row_reader **out, const char *path, char delimiter,
               struct err *e)
{
    struct row_reader *r = xcalloc(1, sizeof *r);
    struct err why = {0};
    bool ok = window_open(&r->w, path, e);
    r->is_csv = is_csv(path, &delimiter);
    if (ok && !has_text(&r->w, &why)) {
        ok = false;
        if (why.code)
            *e = why;
        else
            err_set(e, ERR_INPUT, _("%s is empty"), path);
    }
    if (ok && r->is_csv)
        ok = csv_open(&r->csv, &r->w, path, delimiter, e);
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
    window_close(&r->w);
    csv_free(&r->csv);
    json_free(r->held);
    free(r->keys);
    buf_free(&r->raw);
    free(r);
    *out = NULL;
}

uint64_t rows_blank(const struct row_reader *r)
{
    return r->blank;
}

static void add_note(struct buf *b, const char *text)
{
    buf_puts(b, b->len ? "; " : "");
    buf_puts(b, text);
}

char *rows_note(const struct row_reader *r)
{
    struct buf b = BUF_INIT(0), one = BUF_INIT(0);
    if (*window_note(&r->w))
        add_note(&b, window_note(&r->w));
    if (r->is_csv && r->csv.delimiter != ',') {
        buf_printf(&one, _("CSV with %s between its columns"),
                   r->csv.delimiter == '\t' ? "tab"
                                            : (char[]){r->csv.delimiter, 0});
        add_note(&b, buf_str(&one));
    }
    buf_clear(&one);
    if (r->csv.backslash) {
        buf_printf(&one, P_("%llu row with quotes after backslashes",
                            "%llu rows with quotes after backslashes",
                            r->csv.backslash),
                   (unsigned long long)r->csv.backslash);
        add_note(&b, buf_str(&one));
    }
    buf_clear(&one);
    if (r->keys) {
        buf_printf(&one, _("rows of the list in %s"), r->keys);
        add_note(&b, buf_str(&one));
    }
    buf_free(&one);
    if (b.len)
        return buf_take(&b);
    buf_free(&b);
    return NULL;
}

/* ---- Between values ----------------------------------------------------- */

/* Moves over white space and commas to the next value; its first character, 0
 * at the end or where reading failed. */
static char next_char(struct row_reader *r, struct err *e)
{
    struct window *w = &r->w;
    for (;;) {
        size_t n, i = 0;
        const char *s = window_text(w, &n);
        for (; i < n && (is_space(s[i]) || (s[i] == ',' && (r->on_line ||
                                                            r->in_list)));
             i++) {
            if (s[i] != '\n')
                continue;
            r->blank += !r->on_line && !r->in_list;
            r->on_line = false;
        }
        char c = i < n ? s[i] : 0;
        window_move(w, i, '\n');
        if (i < n)
            return c ? c : '\1'; /* a NUL byte is no end */
        if (!window_fill(w, e)) {
            r->blank += n > 0 && !r->on_line && !r->in_list && i > 0 &&
                        s[i - 1] != '\n';
            return 0;
        }
    }
}

/* The value `at` bytes into the window; NULL with the reason. *used says how
 * far it came. False where reading failed. */
static bool take_value(struct row_reader *r, size_t at, json **out,
                       size_t *used, struct err *why, struct err *e)
{
    for (;;) {
        size_t n;
        bool early;
        const char *s = window_text(&r->w, &n);
        n -= at;
        *out = json_parse_part(s + at, n < JSON_BYTES ? n : JSON_BYTES,
                               JSON_ODD_NUMBERS, used, &early, why);
        if (*out || !early || r->w.ended || n >= JSON_BYTES)
            return true;
        if (!window_fill(&r->w, e) && !r->w.ended)
            return false;
    }
}

/* The bytes of the line at the window's start without its end. */
static size_t line_length(struct row_reader *r, struct err *e)
{
    for (;;) {
        size_t n;
        const char *s = window_text(&r->w, &n), *lf = memchr(s, '\n', n);
        if (lf || n > ROW_MAX_BYTES || r->w.ended)
            return lf ? (size_t)(lf - s) : n;
        if (!window_fill(&r->w, e) && !r->w.ended)
            return n;
    }
}

/* Passes over the rest of a line that is too long to be kept. */
static void drop_line(struct row_reader *r, struct err *e)
{
    size_t n;
    do {
        const char *s = window_text(&r->w, &n), *lf = memchr(s, '\n', n);
        window_move(&r->w, lf ? (size_t)(lf - s) : n, '\n');
        if (lf)
            return;
    } while (window_fill(&r->w, e));
}

/* Behind a value over several lines that broke off `used` bytes in: goes to
 * the next line that begins as a row does. */
static void to_next_row(struct row_reader *r, size_t first, size_t used,
                        struct err *e)
{
    window_move(&r->w, first, '\n');
    if (used <= first)
        return;
    for (;;) {
        size_t n;
        const char *s = window_text(&r->w, &n);
        if (n < 2 && window_fill(&r->w, e))
            continue;
        if (n < 2 || s[0] != '\n' || s[1] == '{' || s[1] == '[')
            return;
        window_move(&r->w, 1, '\n');
        window_move(&r->w, line_length(r, e), '\n');
    }
}

/* A value at the top of the file that is none: its line is the bad row. */
static void take_broken(struct row_reader *r, size_t used, struct row *x,
                        struct err *e)
{
    size_t n, len = line_length(r, e);
    bool long_line = len > ROW_MAX_BYTES;
    if (long_line)
        err_set(&x->why, ERR_INPUT, _("a line of over %zu MiB"),
                ROW_MAX_BYTES >> 20);
    buf_clear(&r->raw);
    buf_add(&r->raw, window_text(&r->w, &n), long_line ? 1000 : len);
    x->raw = buf_str(&r->raw);
    x->raw_size = r->raw.len;
    if (long_line)
        drop_line(r, e);
    else
        to_next_row(r, len, used, e);
    r->on_line = true;
}

/* ---- Objects that hold lists -------------------------------------------- */

static bool is_rows(const json *v)
{
    const json *first = json_first(v);
    return json_is_array(v) && (json_is_object(first) || is_messages(first)) &&
           !is_messages(v);
}

static const struct holder {
    const char *key, *split;
} holders[] = {{"data", NULL},          {"rows", NULL},
               {"examples", NULL},      {"items", NULL},
               {"records", NULL},       {"samples", NULL},
               {"dataset", NULL},       {"questions", NULL},
               {"train", "train"},      {"training", "train"},
               {"valid", "valid"},      {"validation", "valid"},
               {"val", "valid"},        {"dev", "valid"},
               {"eval", "valid"},       {"test", "test"}};

static const struct holder *holder_of(const json *member)
{
    for (size_t i = 0; i < COUNT(holders); i++)
        if (!strcmp(holders[i].key, json_key(member)))
            return is_rows(member) ? &holders[i] : NULL;
    return NULL;
}

/* The next member from `v` on that is a list of rows, or NULL. */
static const json *next_list(const json *v)
{
    while (v && !holder_of(v))
        v = json_next(v);
    return v;
}

/* Whether the object is no row but holds lists of them: keeps it then. */
static bool hold(struct row_reader *r, json *value, uint64_t line)
{
    if (!json_is_object(value) || row_is_one(value))
        return false;
    const json *list = next_list(json_first(value));
    if (!list)
        return false;
    r->held = value;
    r->held_line = line;
    r->list = list;
    r->element = json_first(list);
    r->first = true;
    for (; list; list = next_list(json_next(list))) {
        json_taken(list, true);
        char *all = r->keys ? xasprintf("%s, %s", r->keys, json_key(list))
                            : xstrdup(json_key(list));
        if (!r->keys || !strstr(r->keys, json_key(list))) {
            free(r->keys);
            r->keys = all;
        } else {
            free(all);
        }
    }
    return true;
}

/* The next row of the object that is held; false where there is none. */
static bool next_held(struct row_reader *r, struct row *x)
{
    while (r->held && !r->element) {
        r->list = next_list(json_next(r->list));
        r->element = json_first(r->list);
        if (r->list)
            continue;
        json_free(r->held);
        r->held = NULL;
    }
    if (!r->held)
        return false;
    x->value = (json *)(uintptr_t)r->element;
    x->borrowed = true;
    x->line = r->held_line;
    x->split = holder_of(r->list)->split;
    x->around = r->first ? r->held : NULL;
    r->first = false;
    buf_clear(&r->raw);
    json_print(&r->raw, x->value);
    x->raw = buf_str(&r->raw);
    x->raw_size = r->raw.len;
    r->element = json_next(r->element);
    return true;
}

/* ---- Values and lists --------------------------------------------------- */

/* The value that was read is the row; the window moves behind it. */
static void pass(struct row_reader *r, size_t used, struct row *x)
{
    size_t n;
    x->raw = window_text(&r->w, &n);
    x->raw_size = used;
    window_move(&r->w, used, '\n');
    r->on_line = true;
}

static bool is_message(const json *v)
{
    return json_is_object(v) && !json_get(v, "parent_id") &&
           (json_get(v, "role") || json_get(v, "from"));
}

/* At an opening bracket: whether a list of rows begins here, not a row that is
 * a list of messages. False where reading failed. */
static bool begins_list(struct row_reader *r, bool *list, struct err *e)
{
    size_t used, n, i = 1;
    struct err why;
    json *value;
    for (;; i++) {
        const char *s = window_text(&r->w, &n);
        if (i < n && !is_space(s[i]))
            break;
        if (i >= n && !window_fill(&r->w, e))
            return r->w.ended;
    }
    if (!take_value(r, i, &value, &used, &why, e))
        return false;
    *list = !is_message(value);
    json_free(value);
    return true;
}

/* A broken element: nothing behind it can be told apart. */
static void end_list(struct row_reader *r, struct row *x, struct err *e)
{
    char why[sizeof x->why.text];
    snprintf(why, sizeof why, "%s", x->why.text);
    err_set(&x->why, ERR_INPUT, _("%s; what follows in this list was not "
                                  "read"), why);
    size_t n, len = line_length(r, e);
    buf_clear(&r->raw);
    buf_add(&r->raw, window_text(&r->w, &n), len < ROW_MAX_BYTES ? len : 0);
    x->raw = buf_str(&r->raw);
    x->raw_size = r->raw.len;
    r->over = true;
}

/* In a list: its end, or its next element. *row says whether x is a row. */
static bool next_element(struct row_reader *r, char c, struct row *x,
                         bool *row, struct err *e)
{
    size_t used = 0;
    struct err why = {0};
    x->line = r->w.line;
    *row = c != ']';
    if (!*row) {
        window_move(&r->w, 1, '\n');
        r->in_list = false;
        r->on_line = true;
        return true;
    }
    if (!c)
        err_set(&x->why, ERR_INPUT, _("the list is not closed"));
    else if (!take_value(r, 0, &x->value, &used, &x->why, &why)) {
        *e = why;
        return false;
    }
    if (!c)
        r->over = true;
    else if (!x->value)
        end_list(r, x, e);
    else
        pass(r, used, x);
    return true;
}

/* A value at the top of the file. */
static bool next_top(struct row_reader *r, char c, struct row *x, bool *row,
                     struct err *e)
{
    size_t used;
    bool list = false;
    *row = false;
    if (c == '[' && !begins_list(r, &list, e))
        return false;
    r->in_list = list;
    if (list) {
        window_move(&r->w, 1, '\n');
        return true;
    }
    x->line = r->w.line;
    if (!take_value(r, 0, &x->value, &used, &x->why, e))
        return false;
    if (!x->value) {
        take_broken(r, used, x, e);
        *row = true;
        return true;
    }
    pass(r, used, x);
    *row = !hold(r, x->value, x->line);
    if (!*row)
        x->value = NULL;
    return true;
}

static bool next_json(struct row_reader *r, struct row *x, struct err *e)
{
    struct err why = {0};
    for (bool row = false; !row;) {
        if (next_held(r, x))
            return true;
        if (r->over)
            return false;
        char c = next_char(r, &why);
        bool ok = !why.code && (c || r->in_list) &&
                  (r->in_list ? next_element(r, c, x, &row, &why)
                              : next_top(r, c, x, &row, &why));
        if (!ok) {
            if (why.code)
                *e = why;
            return false;
        }
    }
    return true;
}

bool row_next(struct row_reader *r, struct row *out, struct err *e)
{
    *out = (struct row){0};
    return r->is_csv ? csv_next(&r->csv, &r->w, out, &r->blank, e)
                     : next_json(r, out, e);
}

void row_free(struct row *x)
{
    if (!x->borrowed)
        json_free(x->value);
    x->value = NULL;
}
