#include "app/line.h"

#include <stdlib.h>
#include <string.h>

void line_open(struct line *l, enum line_kind kind, const char *text)
{
    l->kind = kind;
    buf_free(&l->text);
    l->text = (struct buf)BUF_INIT(16384);
    buf_puts(&l->text, text);
    l->cursor = l->text.len;
    l->at = l->history[kind].n;
}

static void forget_completions(struct line *l)
{
    free(l->completions);
    l->completions = NULL;
}

void line_close(struct line *l, bool keep)
{
    if (keep && l->text.len)
        VEC_PUSH(&l->history[l->kind], xstrdup(buf_str(&l->text)));
    forget_completions(l);
    buf_free(&l->text);
    l->kind = LINE_NONE;
}

void line_done(struct line *l)
{
    line_close(l, false);
    for (int k = 0; k < LINE_KINDS; k++) {
        for (size_t i = 0; i < l->history[k].n; i++)
            free(l->history[k].at[i]);
        VEC_FREE(&l->history[k]);
    }
}

/* Replaces bytes [from, to) by text, cursor behind it. */
static void splice(struct line *l, size_t from, size_t to, const char *text)
{
    struct buf b = BUF_INIT(16384);
    buf_add(&b, buf_str(&l->text), from);
    bool fits = buf_puts(&b, text);
    size_t cursor = b.len;
    fits = buf_add(&b, buf_str(&l->text) + to, l->text.len - to) && fits;
    if (!fits) {
        buf_free(&b);
        return;
    }
    buf_free(&l->text);
    l->text = b;
    l->cursor = cursor;
}

void line_insert(struct line *l, const char *text)
{
    forget_completions(l);
    splice(l, l->cursor, l->cursor, text);
}

static size_t before(const struct line *l)
{
    size_t i = l->cursor;
    while (i > 0 && ((unsigned char)l->text.data[--i] & 0xc0) == 0x80)
        ;
    return i;
}

static size_t after(const struct line *l)
{
    size_t i = l->cursor;
    if (i < l->text.len)
        i++;
    while (i < l->text.len && ((unsigned char)l->text.data[i] & 0xc0) == 0x80)
        i++;
    return i;
}

static size_t word_start(const struct line *l)
{
    size_t i = l->cursor;
    while (i > 0 && l->text.data[i - 1] == ' ')
        i--;
    while (i > 0 && l->text.data[i - 1] != ' ')
        i--;
    return i;
}

static void recall(struct line *l, int by)
{
    size_t n = l->history[l->kind].n, at = l->at + (size_t)by;
    if (at > n)
        return;
    l->at = at;
    splice(l, 0, l->text.len, at < n ? l->history[l->kind].at[at] : "");
}

bool line_key(struct line *l, const char *key)
{
    if (strcmp(key, "Tab"))
        forget_completions(l);
    if (!strcmp(key, "Left"))
        l->cursor = before(l);
    else if (!strcmp(key, "Right"))
        l->cursor = after(l);
    else if (!strcmp(key, "Home") || !strcmp(key, "^A"))
        l->cursor = 0;
    else if (!strcmp(key, "End") || !strcmp(key, "^E"))
        l->cursor = l->text.len;
    else if (!strcmp(key, "Backspace"))
        splice(l, before(l), l->cursor, "");
    else if (!strcmp(key, "Delete"))
        splice(l, l->cursor, after(l), "");
    else if (!strcmp(key, "^W"))
        splice(l, word_start(l), l->cursor, "");
    else if (!strcmp(key, "^U"))
        splice(l, 0, l->cursor, "");
    else if (!strcmp(key, "^K"))
        splice(l, l->cursor, l->text.len, "");
    else if (!strcmp(key, "Up"))
        recall(l, -1);
    else if (!strcmp(key, "Down"))
        recall(l, 1);
    else
        return false;
    return true;
}

void line_complete(struct line *l, size_t from, const char *all)
{
    if (!l->completions) {
        l->completions = xstrdup(all);
        l->choice = 0;
        l->from = from;
    } else {
        l->choice++;
    }
    size_t n = 0;
    for (const char *p = l->completions; *p; p++)
        n += *p == '\n';
    if (!n)
        return;
    const char *p = l->completions;
    for (size_t i = 0; i < l->choice % n; i++)
        p = strchr(p, '\n') + 1;
    char *one = xstrndup(p, strcspn(p, "\n"));
    splice(l, l->from, l->cursor, one);
    free(one);
}
