#include "model/token/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/utf8.h"

static bool fail(struct stream *s, const char *what)
{
    if (!s->failed)
        err_set(s->e, ERR_INPUT, _("byte %zu: %s"),
                (size_t)(s->p - s->begin), what);
    s->failed = true;
    return false;
}

void stream_start(struct stream *s, const char *text, size_t n,
                  struct err *e)
{
    *s = (struct stream){text, text, text + n, e, false};
}

char stream_peek(struct stream *s)
{
    s->p += strspn(s->p, " \t\r\n");
    return *s->p;
}

bool stream_enter(struct stream *s, char bracket)
{
    if (s->failed || stream_peek(s) != bracket)
        return fail(s, bracket == '{' ? _("an object is wanted")
                                      : _("a list is wanted"));
    s->p++;
    return true;
}

/* Behind a comma or an opening bracket: false at the closing one. */
static bool step(struct stream *s, char close)
{
    if (s->failed)
        return false;
    char c = stream_peek(s), before = s->p[-1];
    const char *back = s->p;
    while (back > s->begin && strchr(" \t\r\n", back[-1]) && back[-1])
        back--;
    before = back > s->begin ? back[-1] : 0;
    bool opened = before == '{' || before == '[';
    if (c == close) {
        s->p++;
        return false;
    }
    if (opened)
        return true;
    if (c != ',')
        return fail(s, _("a comma is missing"));
    s->p++;
    return true;
}

bool stream_more(struct stream *s)
{
    return step(s, ']');
}

bool stream_key(struct stream *s, struct buf *key)
{
    if (!step(s, '}') || !stream_string(s, key))
        return false;
    if (stream_peek(s) != ':')
        return fail(s, _("a colon is missing"));
    s->p++;
    return true;
}

static bool hex4(const char *p, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : 16;
        if (d > 15)
            return false;
        *out = *out << 4 | d;
    }
    return true;
}

/* An escape; s->p is behind the backslash. */
static bool escape(struct stream *s, struct buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = *s->p ? strchr(from, *s->p) : NULL;
    uint32_t cp, low;
    char utf8[4];
    if (at) {
        buf_putc(out, to[at - from]);
        s->p++;
        return true;
    }
    if (*s->p != 'u' || !hex4(s->p + 1, &cp))
        return fail(s, _("an escape that is none"));
    s->p += 5;
    if (cp >= 0xd800 && cp < 0xdc00 && s->p[0] == '\\' && s->p[1] == 'u' &&
        hex4(s->p + 2, &low) && low >= 0xdc00 && low < 0xe000) {
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
        s->p += 6;
    }
    if (cp >= 0xd800 && cp < 0xe000)
        return fail(s, _("a lone surrogate"));
    return buf_add(out, utf8, utf8_put(utf8, cp));
}

bool stream_string(struct stream *s, struct buf *out)
{
    buf_clear(out);
    if (s->failed || stream_peek(s) != '"')
        return fail(s, _("a string is wanted"));
    s->p++;
    for (;;) {
        size_t n = strcspn(s->p, "\"\\");
        buf_add(out, s->p, n);
        s->p += n;
        if (s->p >= s->end)
            return fail(s, _("a string without an end"));
        if (*s->p++ == '"')
            break;
        if (!escape(s, out))
            return false;
    }
    for (size_t i = 0; i < out->len; i++)
        if ((unsigned char)out->data[i] >= 0x80)
            return utf8_check(out->data, out->len) == out->len ||
                   fail(s, _("invalid UTF-8"));
    return true;
}

bool stream_int(struct stream *s, int64_t *out)
{
    char *end;
    if (s->failed)
        return false;
    stream_peek(s);
    *out = strtoll(s->p, &end, 10);
    if (end == s->p || end - s->p > 18 || strchr(".eE", *end))
        return fail(s, _("a whole number is wanted"));
    s->p = end;
    return true;
}

bool stream_skip(struct stream *s, const char **text, size_t *n)
{
    struct err why = {0};
    if (s->failed)
        return false;
    stream_peek(s);
    *n = json_scan(s->p, (size_t)(s->end - s->p), &why);
    if (!*n)
        return fail(s, why.text);
    *text = s->p;
    s->p += *n;
    return true;
}
