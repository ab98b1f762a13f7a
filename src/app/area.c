#include "app/area.h"

#include <string.h>

#define AREA_BYTES ((size_t)16 << 20) /* as an editor's text */

void area_open(struct area_text *t, const char *text)
{
    buf_free(&t->text);
    t->text = (struct buf)BUF_INIT(AREA_BYTES);
    buf_puts(&t->text, text);
    t->cursor = t->text.len;
    t->open = true;
    t->changed = false;
}

void area_close(struct area_text *t)
{
    buf_free(&t->text);
    t->open = false;
}

/* Replaces bytes [from, to) by n bytes; the cursor stands behind them. */
static bool splice(struct area_text *t, size_t from, size_t to,
                   const char *text, size_t n)
{
    struct buf b = BUF_INIT(AREA_BYTES);
    buf_add(&b, buf_str(&t->text), from);
    buf_add(&b, text, n);
    buf_add(&b, buf_str(&t->text) + to, t->text.len - to);
    if (!buf_ok(&b)) {
        buf_free(&b);
        return false;
    }
    buf_free(&t->text);
    t->text = b;
    t->cursor = from + n;
    t->changed = true;
    return true;
}

bool area_insert(struct area_text *t, const char *text)
{
    return splice(t, t->cursor, t->cursor, text, strlen(text));
}

static bool inside(const struct area_text *t, size_t i)
{
    return ((unsigned char)t->text.data[i] & 0xc0) == 0x80;
}

static size_t before(const struct area_text *t)
{
    size_t i = t->cursor;
    while (i > 0 && inside(t, --i))
        ;
    return i;
}

static size_t after(const struct area_text *t)
{
    size_t i = t->cursor;
    i += i < t->text.len;
    while (i < t->text.len && inside(t, i))
        i++;
    return i;
}

static size_t line_start(const struct area_text *t, size_t i)
{
    while (i > 0 && t->text.data[i - 1] != '\n')
        i--;
    return i;
}

static size_t line_end(const struct area_text *t, size_t i)
{
    while (i < t->text.len && t->text.data[i] != '\n')
        i++;
    return i;
}

/* The same column, in bytes, of the line above or below. */
static void vertical(struct area_text *t, int by)
{
    size_t start = line_start(t, t->cursor), column = t->cursor - start;
    size_t other;
    if (by < 0) {
        if (!start)
            return;
        other = line_start(t, start - 1);
    } else {
        other = line_end(t, t->cursor) + 1;
        if (other > t->text.len)
            return;
    }
    size_t end = line_end(t, other);
    t->cursor = other + column < end ? other + column : end;
    while (t->cursor > other && t->cursor < t->text.len &&
           inside(t, t->cursor))
        t->cursor--;
}

static size_t word_start(const struct area_text *t)
{
    size_t i = t->cursor;
    while (i > 0 && strchr(" \n", t->text.data[i - 1]))
        i--;
    while (i > 0 && !strchr(" \n", t->text.data[i - 1]))
        i--;
    return i;
}

static bool move_key(struct area_text *t, const char *key)
{
    if (!strcmp(key, "Left"))
        t->cursor = before(t);
    else if (!strcmp(key, "Right"))
        t->cursor = after(t);
    else if (!strcmp(key, "Home"))
        t->cursor = line_start(t, t->cursor);
    else if (!strcmp(key, "End"))
        t->cursor = line_end(t, t->cursor);
    else if (!strcmp(key, "Up"))
        vertical(t, -1);
    else if (!strcmp(key, "Down"))
        vertical(t, 1);
    else
        return false;
    return true;
}

bool area_key(struct area_text *t, const char *key)
{
    if (move_key(t, key))
        return true;
    if (!strcmp(key, "Backspace"))
        splice(t, before(t), t->cursor, "", 0);
    else if (!strcmp(key, "Delete"))
        splice(t, t->cursor, after(t), "", 0);
    else if (!strcmp(key, "^W"))
        splice(t, word_start(t), t->cursor, "", 0);
    else if (!strcmp(key, "^U"))
        splice(t, line_start(t, t->cursor), t->cursor, "", 0);
    else if (!strcmp(key, "^K"))
        splice(t, t->cursor, line_end(t, t->cursor), "", 0);
    else if (!strcmp(key, "Enter"))
        area_insert(t, "\n");
    else if (!strcmp(key, "Space"))
        area_insert(t, " ");
    else if (!strcmp(key, "Tab"))
        area_insert(t, "\t");
    else if (!key[1] || (unsigned char)key[0] >= 0x80)
        area_insert(t, key);
    else
        return false;
    return true;
}
