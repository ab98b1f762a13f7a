#include "app/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"

void line_open(struct line *l, enum line_kind kind, const char *text)
{
    l->kind = kind;
    buf_free(&l->text);
    l->text = (struct buf)BUF_INIT(kind == LINE_FIELD ? FIELD_BYTES
                                                      : LINE_BYTES);
    buf_puts(&l->text, text);
    l->cursor = l->text.len;
    l->at = l->history[kind].n;
    l->typed = false;
    l->wrong[0] = '\0';
}

static void forget_completions(struct line *l)
{
    free(l->completions);
    l->completions = NULL;
}

static void forget_left(struct line *l)
{
    free(l->left);
    l->left = NULL;
}

void line_remember(struct line *l, enum line_kind kind, const char *text)
{
    size_t n = l->history[kind].n;
    if (*text && (!n || strcmp(l->history[kind].at[n - 1], text)))
        VEC_PUSH(&l->history[kind], xstrdup(text));
}

void line_close(struct line *l, bool keep)
{
    if (keep)
        line_remember(l, l->kind, buf_str(&l->text));
    forget_completions(l);
    forget_left(l);
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

static void say_full(struct line *l)
{
    snprintf(l->wrong, sizeof l->wrong,
             _("a line takes %d bytes; nothing was put in"),
             (int)l->text.max);
}

/* Replaces bytes [from, to) by text, cursor behind it. */
static void splice(struct line *l, size_t from, size_t to, const char *text)
{
    struct buf b = BUF_INIT(l->text.max);
    buf_add(&b, buf_str(&l->text), from);
    bool fits = buf_puts(&b, text);
    size_t cursor = b.len;
    fits = buf_add(&b, buf_str(&l->text) + to, l->text.len - to) && fits;
    if (!fits) {
        buf_free(&b);
        say_full(l);
        return;
    }
    buf_free(&l->text);
    l->text = b;
    l->cursor = cursor;
}

/* As splice, by the person: what was found for the line before goes. */
static void edit(struct line *l, size_t from, size_t to, const char *text)
{
    l->typed = true;
    l->at = l->history[l->kind].n;
    forget_left(l);
    splice(l, from, to, text);
}

void line_paste(struct line *l, const char *text)
{
    if (!text) {
        say_full(l);
        return;
    }
    char *blank = xstrdup(text);
    for (char *p = blank; *p; p++)
        *p = *p == '\n' || *p == '\t' ? ' ' : *p;
    forget_completions(l);
    l->wrong[0] = '\0';
    edit(l, l->cursor, l->cursor, blank);
    free(blank);
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

/* Goes up (-1) or down to the next line that begins as what was typed. */
static void recall(struct line *l, int by)
{
    size_t n = l->history[l->kind].n, at = l->at;
    if (!l->left) {
        l->left = xstrdup(buf_str(&l->text));
        l->prefix = l->typed ? l->text.len : 0;
    }
    do {
        if (at + (size_t)by > n)
            return;
        at += (size_t)by;
    } while (at < n && strncmp(l->history[l->kind].at[at], l->left,
                               l->prefix));
    l->at = at;
    splice(l, 0, l->text.len, at < n ? l->history[l->kind].at[at] : l->left);
}

static bool move_key(struct line *l, const char *key)
{
    if (!strcmp(key, "Left"))
        l->cursor = before(l);
    else if (!strcmp(key, "Right"))
        l->cursor = after(l);
    else if (!strcmp(key, "Home") || !strcmp(key, "^A"))
        l->cursor = 0;
    else if (!strcmp(key, "End") || !strcmp(key, "^E"))
        l->cursor = l->text.len;
    else if (!strcmp(key, "Up"))
        recall(l, -1);
    else if (!strcmp(key, "Down"))
        recall(l, 1);
    else
        return false;
    return true;
}

bool line_key(struct line *l, const char *key)
{
    forget_completions(l);
    l->wrong[0] = '\0';
    if (move_key(l, key))
        return true;
    if (!strcmp(key, "Backspace"))
        edit(l, before(l), l->cursor, "");
    else if (!strcmp(key, "Delete"))
        edit(l, l->cursor, after(l), "");
    else if (!strcmp(key, "^W"))
        edit(l, word_start(l), l->cursor, "");
    else if (!strcmp(key, "^U"))
        edit(l, 0, l->cursor, "");
    else if (!strcmp(key, "^K"))
        edit(l, l->cursor, l->text.len, "");
    else if (!strcmp(key, "Space"))
        edit(l, l->cursor, l->cursor, " ");
    else if (!key[1] || (unsigned char)key[0] >= 0x80)
        edit(l, l->cursor, l->cursor, key);
    else
        return false;
    return true;
}

void line_complete(struct line *l, size_t from, const char *all)
{
    size_t n = 0;
    l->wrong[0] = '\0';
    if (!l->completions) {
        l->completions = xstrdup(all);
        l->choice = 0;
        l->from = from;
    } else {
        l->choice++;
    }
    for (const char *p = l->completions; *p; p++)
        n += *p == '\n';
    if (!n) {
        forget_completions(l);
        snprintf(l->wrong, sizeof l->wrong, "%s", _("nothing begins so"));
        return;
    }
    l->choice %= n;
    const char *p = l->completions;
    for (size_t i = 0; i < l->choice; i++)
        p = strchr(p, '\n') + 1;
    char *one = xstrndup(p, strcspn(p, "\n"));
    edit(l, l->from, l->cursor, one);
    free(one);
    if (n == 1)
        forget_completions(l);
}
