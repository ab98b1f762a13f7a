#include "ui/cells.h"

#include <curses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/uni.h"
#include "base/utf8.h"
#include "ui/theme.h"

static struct look looks[STYLES];

static struct {
    bool ascii, colour, marks, joined;
} how = {.marks = true};

static attr_t attrs_of(enum style r)
{
    return how.colour ? looks[r].attrs : looks[r].mono;
}

void cells_setup(bool ascii, bool colour)
{
    how.ascii = ascii;
    how.colour = colour;
    struct look plain[STYLES];
    theme_plain(plain);
    for (int i = 0; i < STYLES; i++)
        cells_look((enum style)i, &plain[i]);
}

void cells_look(enum style role, const struct look *look)
{
    looks[role] = *look;
    if (how.colour)
        init_pair((short)(role + 1), look->fg, -1);
}

/* What of a role's attributes the terminal shows. */
static attr_t shown_of(enum style r)
{
    bool coloured = how.colour && looks[r].fg >= 0;
    return terminfo_shows(attrs_of(r), coloured);
}

bool cells_tell(enum style a, enum style b)
{
    return shown_of(a) && shown_of(b) && shown_of(a) != shown_of(b);
}

void cells_ascii(bool on) { how.ascii = on; }
void cells_join_emoji(bool on) { how.joined = on; }
void cells_show_hidden(bool on) { how.marks = on; }
bool cells_colour(void) { return how.colour; }

/* ---- The pane ----------------------------------------------------------- */

static struct {
    struct area pane;
    bool whole; /* the pane is the screen, whatever its size */
    long refused;
} clip = {.whole = true};

void cells_clip(struct area where)
{
    clip.pane = where;
    clip.whole = false;
}

void cells_clip_none(void) { clip.whole = true; }
long cells_refused(void) { return clip.refused; }

/* How many of `want` cells at (y, x) are in the pane; the rest is counted. */
static int allowed(int y, int x, int want)
{
    struct area p = clip.whole ? (struct area){0, 0, LINES, COLS} : clip.pane;
    int end = p.x + p.w < COLS ? p.x + p.w : COLS;
    bool in = y >= p.y && y < p.y + p.h && y < LINES && x >= p.x;
    int n = !in ? 0 : x + want > end ? end - x : want;
    n = n < 0 ? 0 : n;
    clip.refused += want > n ? want - n : 0;
    return n;
}

static void set_role(enum style r)
{
    short pair = how.colour && looks[r].fg >= 0 ? (short)(r + 1) : 0;
    attr_set(attrs_of(r), pair, NULL);
}

/* ---- One unit of text --------------------------------------------------- */

/* What stands for a stretch of bytes on the screen: at most a few characters
 * that belong together. */
struct unit {
    size_t bytes;
    int width;
    bool hidden;  /* drawn in the role of hidden characters */
    bool newline;
    bool one_cell; /* all of text on one place of curses' */
    wchar_t text[12];
};

static void set_text(struct unit *u, const char *ascii)
{
    size_t n = 0;
    for (; ascii[n] && n < 11; n++)
        u->text[n] = (wchar_t)(unsigned char)ascii[n];
    u->text[n] = 0;
    u->width = (int)n;
}

/* ASCII for the glyphs of ours and of typographers, `?` for the rest. */
static const char *ascii_of(uint32_t cp)
{
    static const struct {
        uint32_t cp;
        const char *s;
    } map[] = {{0x25b8, ">"}, {0x2502, "|"}, {0x2500, "-"}, {0x252c, "+"},
               {0x2524, "+"}, {0x2534, "+"}, {0x253c, "+"}, {0x2713, "+"},
               {0x2717, "x"}, {0x2026, "~"}, {0x00b7, "."}, {0x2013, "-"},
               {0x2014, "-"}, {0x2018, "'"}, {0x2019, "'"}, {0x201c, "\""},
               {0x201d, "\""}, {0x25b4, "^"}, {0x25be, "v"}, {0x25c2, "<"},
               {0x2503, "|"}, {0x2039, "<"}, {0x203a, ">"}, {0x00a0, " "},
               {0x2248, "~"}};
    for (size_t i = 0; i < COUNT(map); i++)
        if (map[i].cp == cp)
            return map[i].s;
    if (cp >= 0x2580 && cp <= 0x259f)
        return "#";
    return cp >= 0x2800 && cp <= 0x28ff ? ":" : "?";
}

static void set_mark(struct unit *u, uint32_t value)
{
    char text[16];
    u->hidden = true;
    if (!how.marks) {
        set_text(u, ".");
        return;
    }
    snprintf(text, sizeof text, "<%02X>", (unsigned)value);
    set_text(u, text);
    if (!how.ascii) {
        u->text[0] = 0x2039;
        u->text[u->width - 1] = 0x203a;
    }
}

/* Adds up to four combining marks behind the base at s[at]. */
static void take_marks(const char *s, size_t n, struct unit *u)
{
    size_t len, o = wcslen(u->text), marks = 0;
    uint32_t cp;
    while (u->bytes < n && (len = utf8_get(s + u->bytes, n - u->bytes, &cp)) &&
           cp_class(cp) == CP_MARK && !how.ascii) {
        if (marks++ < 4 && o < 10)
            u->text[o++] = (wchar_t)cp;
        u->bytes += len;
    }
    u->text[o] = 0;
}

static void plain_unit(const char *s, size_t n, uint32_t cp, struct unit *u)
{
    if (how.ascii && cp >= 0x80) {
        set_text(u, ascii_of(cp));
        return;
    }
    u->text[0] = (wchar_t)cp;
    u->text[1] = 0;
    u->width = cp_width(cp);
    take_marks(s, n, u);
}

/* Joined pictures as one where the terminal shows them so and curses holds
 * them in one cell; else the pictures alone, side by side. What asks for a
 * coloured form is not shown: terminals do not agree on the width of that. */
static void emoji_unit(const char *s, size_t n, struct unit *u)
{
    bool one = how.joined && !how.ascii && utf8_length(s, n) <= CCHARW_MAX &&
               memmem(s, n, "\xe2\x80\x8d", 3);
    size_t o = 0, len;
    u->bytes = n;
    u->one_cell = one;
    for (size_t i = 0; i < n && o + 1 < COUNT(u->text); i += len) {
        uint32_t cp;
        len = utf8_get(s + i, n - i, &cp);
        if (!one && cp_class(cp) == CP_ZERO)
            continue;
        u->text[o++] = how.ascii ? L'?' : (wchar_t)cp;
        u->width += one ? 0 : how.ascii ? 1 : cp_width(cp);
    }
    u->text[o] = 0;
    u->width += one ? 2 : 0;
}

/* Reads the unit at the start of s (n > 0 bytes); `column` is for tabs. */
static void next_unit(const char *s, size_t n, int column, struct unit *u)
{
    uint32_t cp = 0;
    size_t emoji = (unsigned char)*s < 0x80 ? 0 : utf8_emoji(s, n);
    *u = (struct unit){.bytes = utf8_get(s, n, &cp)};
    if (emoji) {
        emoji_unit(s, emoji, u);
        return;
    }
    if (!u->bytes) {
        u->bytes = 1;
        set_mark(u, (unsigned char)*s);
        return;
    }
    switch (cp_class(cp)) {
    case CP_PLAIN: plain_unit(s, n, cp, u); break;
    case CP_NEWLINE: u->newline = true; break;
    case CP_TAB:
        set_text(u, "        ");
        u->width = 8 - column % 8;
        u->text[u->width] = 0;
        break;
    case CP_MARK: /* without a base */
        if (how.ascii)
            set_text(u, "?");
        else
            plain_unit(" ", 1, 0x25cc, u);
        break;
    case CP_CONTROL:
    case CP_BIDI:
    case CP_ZERO:
    case CP_ODD: set_mark(u, cp); break;
    }
}

/* ---- Lines -------------------------------------------------------------- */

/* setcchar() takes one picture a cell, so the cell is filled by hand. */
static void put_joined(const wchar_t *text, enum style role)
{
    cchar_t c = {.attr = attrs_of(role)};
    wcsncpy(c.chars, text, CCHARW_MAX);
    add_wch(&c);
}

static void put_unit(const struct unit *u, enum style role)
{
    if (u->hidden)
        set_role(STYLE_HIDDEN);
    if (u->one_cell)
        put_joined(u->text, role);
    else
        addwstr(u->text);
    if (u->hidden)
        set_role(role);
}

static int cursor_y = -1, cursor_x;

void cells_cursor(int y, int x)
{
    cursor_y = y;
    cursor_x = x;
}

void cells_refresh(void)
{
    curs_set(cursor_y >= 0);
    if (cursor_y >= 0)
        move(cursor_y, cursor_x);
    cursor_y = -1;
    refresh();
}

int cells_width(const char *text)
{
    size_t n = strlen(text);
    int w = 0;
    for (size_t i = 0; i < n;) {
        struct unit u;
        next_unit(text + i, n - i, w, &u);
        w += u.newline ? 1 : u.width;
        i += u.bytes;
    }
    return w;
}

int cells_put(int y, int x, int width, enum style role, const char *text)
{
    size_t n = strlen(text);
    int used = 0, all = cells_width(text);
    if (width <= 0)
        return 0;
    width = allowed(y, x, all < width ? all : width);
    if (width <= 0)
        return 0;
    bool fits = all <= width;
    move(y, x);
    set_role(role);
    for (size_t i = 0; i < n;) {
        struct unit u;
        next_unit(text + i, n - i, used, &u);
        if (u.newline)
            set_text(&u, " ");
        if (used + u.width > width - (fits ? 0 : 1))
            break;
        put_unit(&u, role);
        used += u.width;
        i += u.bytes;
    }
    if (!fits) {
        addwstr(how.ascii ? L"~" : L"\u2026");
        used++;
    }
    set_role(STYLE_TEXT);
    return used;
}

int cells_printf(int y, int x, int width, enum style role, const char *fmt,
                 ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return cells_put(y, x, width, role, text);
}

void cells_right(int y, int x, int width, enum style role, const char *text)
{
    int w = cells_width(text);
    if (w > width)
        w = width;
    cells_put(y, x + width - w, w, role, text);
}

void cells_blank(int y, int x, int width, enum style role)
{
    width = allowed(y, x, width);
    if (width <= 0)
        return;
    move(y, x);
    set_role(role);
    for (int i = 0; i < width; i++)
        addch(' ');
    set_role(STYLE_TEXT);
}

void cells_rule(int y, int x, int width)
{
    width = allowed(y, x, width);
    if (width <= 0)
        return;
    move(y, x);
    set_role(STYLE_RULE);
    for (int i = 0; i < width; i++)
        addwstr(how.ascii ? L"-" : L"\u2500");
    set_role(STYLE_TEXT);
}

/* ---- Rich text ---------------------------------------------------------- */

void rich_add_n(struct rich *r, enum style role, const char *text, size_t n)
{
    if (!n || !buf_add(&r->text, text, n))
        return;
    if (r->spans.n && r->spans.at[r->spans.n - 1].role == role) {
        r->spans.at[r->spans.n - 1].end = r->text.len;
        return;
    }
    struct span s = {r->text.len, role};
    VEC_PUSH(&r->spans, s);
}

void rich_add(struct rich *r, enum style role, const char *text)
{
    rich_add_n(r, role, text, strlen(text));
}

void rich_free(struct rich *r)
{
    buf_free(&r->text);
    VEC_FREE(&r->spans);
}

/* Spans anew, with [from, to) in another role. */
static void repaint_span(struct rich *r, size_t from, size_t to,
                         enum style role)
{
    struct rich out = {.text = r->text};
    size_t at = 0;
    for (size_t i = 0; i < r->spans.n; i++) {
        struct span s = r->spans.at[i];
        struct span parts[3] = {{from, s.role}, {to, role}, {s.end, s.role}};
        for (int k = 0; k < 3; k++) {
            size_t end = parts[k].end < s.end ? parts[k].end : s.end;
            if (end <= at)
                continue;
            struct span new = {end, parts[k].role};
            VEC_PUSH(&out.spans, new);
            at = end;
        }
    }
    VEC_FREE(&r->spans);
    *r = out;
}

void rich_mark(struct rich *r, const char *text)
{
    size_t from = 0, to = 0;
    while (r->text.len && uni_find(buf_str(&r->text), r->text.len, to, text,
                                   &from, &to))
        repaint_span(r, from, to, STYLE_MATCH);
}

bool rich_has_mark(const struct rich *r, struct wrapped line)
{
    size_t start = 0;
    for (size_t i = 0; i < r->spans.n; i++) {
        struct span s = r->spans.at[i];
        if (s.role == STYLE_MATCH && s.end > line.from && start < line.to)
            return true;
        start = s.end;
    }
    return false;
}

/* The column of s[at] where s[from..to) begins in `column`. */
static int column_at(const char *s, size_t from, size_t to, int column,
                     size_t at)
{
    for (size_t i = from; i < at && i < to;) {
        struct unit u;
        next_unit(s + i, to - i, column, &u);
        column += u.width;
        i += u.bytes;
    }
    return column;
}

/* The bytes of what numbers or marks the item of a list, with the blank
 * behind it; 0 for none. */
static size_t item_mark(const char *s, size_t n)
{
    size_t i = strspn(s, "0123456789");
    if (i > 0 && i < 4)
        i = s[i] == '.' || s[i] == ')' ? i + 1 : 0;
    else if (i == 0)
        i = *s == '-' || *s == '*' || *s == '+'       ? 1
            : n > 3 && !strncmp(s, "\u2022", 3) ? 3 : 0;
    else
        i = 0;
    return i && s[i] == ' ' ? i + 1 : 0;
}

/* Where the text of the line at `from` begins, in cells; 0 where that would
 * leave less than half of the width. */
static int hang_of(const char *s, size_t n, size_t from, int width)
{
    size_t i = from + strspn(s + from, " \t");
    i += item_mark(s + i, n - i);
    i += strspn(s + i, " \t");
    int hang = column_at(s, from, n, 0, i);
    return hang <= width / 2 ? hang : 0;
}

/* The end of the line that begins at `from`, in column `w`; *next is where
 * the following one begins. */
static size_t line_end(const char *s, size_t n, size_t from, int w, int width,
                       size_t *next)
{
    size_t i = from, blank = 0, behind = 0;
    while (i < n) {
        struct unit u;
        next_unit(s + i, n - i, w, &u);
        if (u.newline) {
            *next = i + u.bytes;
            return i;
        }
        if (w + u.width > width && i > from) {
            if (s[i] == ' ') { /* the blank itself may hang over */
                *next = i + 1;
                return i;
            }
            *next = blank ? behind : i;
            return blank ? blank : i;
        }
        if (s[i] == ' ') {
            blank = i;
            behind = i + 1;
        }
        w += u.width;
        i += u.bytes;
    }
    *next = n;
    return n;
}

void rich_wrap(const struct rich *r, int width, wrapped_lines *out)
{
    const char *s = buf_str(&r->text);
    size_t n = r->text.len, from = 0, next = 0;
    int indent = 0, hang = 0;
    out->n = 0;
    if (width < 1)
        return;
    do {
        if (!from || s[from - 1] == '\n') {
            hang = hang_of(s, n, from, width);
            indent = 0;
        }
        size_t to = line_end(s, n, from, indent, width, &next);
        struct wrapped line = {from, to, indent};
        VEC_PUSH(out, line);
        from = next;
        indent = hang;
    } while (from < n);
    if (n && s[n - 1] == '\n') {
        struct wrapped line = {n, n, 0};
        VEC_PUSH(out, line);
    }
}

int rich_column(const struct rich *r, struct wrapped line, size_t at)
{
    return column_at(buf_str(&r->text), line.from, line.to, line.indent, at);
}

void rich_draw(const struct rich *r, struct wrapped line, int y, int x,
               int width)
{
    const char *s = buf_str(&r->text);
    size_t span = 0;
    int used = line.indent;
    width = allowed(y, x, width);
    if (width <= 0)
        return;
    move(y, x + used);
    for (size_t i = line.from; i < line.to;) {
        struct unit u;
        while (span < r->spans.n && r->spans.at[span].end <= i)
            span++;
        enum style role = span < r->spans.n ? r->spans.at[span].role
                                           : STYLE_TEXT;
        next_unit(s + i, line.to - i, used, &u);
        if (used + u.width > width)
            break;
        set_role(role);
        put_unit(&u, role);
        used += u.width;
        i += u.bytes;
    }
    set_role(STYLE_TEXT);
}
