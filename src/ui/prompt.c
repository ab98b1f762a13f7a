#include "ui/prompt.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"

#define BYTES_A_CELL 8 /* more than text takes that can be read */

static const char *line_label(enum line_kind kind)
{
    static const char *const labels[LINE_KINDS] = {
        [LINE_COMMAND] = ":", [LINE_FIND] = "/",
        [LINE_FILTER] = N_("filter: "), [LINE_TAG] = N_("tag: "),
        [LINE_NOTE] = N_("note: "), [LINE_RATE] = N_("rating 1 to 5: "),
        [LINE_REASON] = N_("reason: "), [LINE_IMPORT] = N_("file: "),
        [LINE_ORDER] = N_("Order, best first, = between two that tie: "),
        [LINE_ASK] = N_("ask student and teacher: "),
        [LINE_STORE] = N_("store: "), [LINE_FIELD] = ""};
    const char *text = labels[kind];
    return text[1] ? _(text) : text;
}

/* Where the character behind the one at i begins. */
static size_t next_char(const char *s, size_t i)
{
    do
        i++;
    while ((s[i] & 0xc0) == 0x80);
    return i;
}

/* The width of the character that the cursor is on, 0 at the end. */
static int under(const struct line *l)
{
    const char *text = buf_str(&l->text);
    if (l->cursor == l->text.len)
        return 0;
    char *one = xstrndup(text + l->cursor,
                         next_char(text, l->cursor) - l->cursor);
    int w = cells_width(one);
    free(one);
    return w;
}

void line_text(const struct line *l, int y, int x, int room, enum style role)
{
    int w;
    size_t from = 0, most = (size_t)(room > 0 ? room : 0) * BYTES_A_CELL;
    char *head = xstrndup(buf_str(&l->text), l->cursor);
    if (l->cursor > most)
        from = next_char(head, l->cursor - most - 1);
    room -= under(l);
    while ((w = cells_width(head + from)) > room && from < l->cursor)
        from = next_char(head, from); /* scroll with the cursor */
    cells_put(y, x, room + under(l), role, buf_str(&l->text) + from);
    free(head);
    cells_cursor(y, x + w);
}

void line_draw(const struct line *l, int y)
{
    int x = 1 + cells_put(y, 1, COLS - 1, STYLE_ASKED, line_label(l->kind));
    line_text(l, y, x, COLS - x - 1, STYLE_TEXT);
}

/* The completion at p, and the one behind it; the caller frees. */
static char *take_choice(const char **p)
{
    size_t n = strcspn(*p, "\n");
    char *word = xstrndup(*p, n && (*p)[n - 1] == ' ' ? n - 1 : n);
    *p += n + 1;
    return word;
}

/* As many as there is room for, the chosen one among them. */
static void draw_choices(const struct line *l, int y)
{
    const char *keys = _("Tab next  Enter runs");
    int beside = COLS >= 60 ? cells_width(keys) + 3 : 0;
    int end = COLS - 1 - beside, x = 1;
    size_t first = 0, i = 0;
    for (const char *p = l->completions; *p && i <= l->choice; i++) {
        char *word = take_choice(&p);
        int w = cells_width(word);
        if (x > 1 && x + w > end) {
            first = i;
            x = 1;
        }
        x += w + 3;
        free(word);
    }
    x = 1;
    i = 0;
    for (const char *p = l->completions; *p && x < end; i++) {
        char *word = take_choice(&p);
        bool fits = x == 1 || x + cells_width(word) <= end;
        if (i >= first)
            x = fits ? x + 3 + cells_put(y, x, end - x, i == l->choice
                                             ? STYLE_ROW_ON : STYLE_FACT, word)
                     : end;
        free(word);
    }
    if (beside)
        cells_right(y, end + 2, beside - 2, STYLE_FACT, keys);
}

void line_hint(const struct line *l, int y)
{
    if (*l->wrong)
        cells_put(y, 1, COLS - 1, STYLE_WARN, l->wrong);
    else if (l->completions)
        draw_choices(l, y);
    else
        cells_put(y, 1, COLS - 1, STYLE_FACT,
                  _(ROW_("Tab completes  Enter runs  Esc leaves  Up Down "
                         "history")));
}
