#include "teacher/sse.h"

#include <string.h>

#include "base/lang.h"

void sse_free(struct sse *s)
{
    buf_free(&s->line);
    buf_free(&s->data);
}

static bool too_long(struct err *e)
{
    return err_set(e, ERR_NET, _("a line of the stream is over %zu MiB"),
                   SSE_LINE_MAX >> 20);
}

static bool dispatch(struct sse *s, sse_fn *fn, void *ctx, struct err *e)
{
    if (!s->has_data)
        return true;
    bool ok = fn(ctx, buf_str(&s->data), s->data.len, e);
    buf_clear(&s->data);
    s->has_data = false;
    s->event[0] = '\0';
    return ok;
}

/* The value of the field `name` in a line; false where that is not it. */
static bool field(const char *name, const char **p, size_t *n)
{
    size_t len = strlen(name);
    if (*n < len || memcmp(*p, name, len) || (*n > len && (*p)[len] != ':'))
        return false;
    len += *n > len;
    len += *n > len && (*p)[len] == ' ';
    *p += len;
    *n -= len;
    return true;
}

static void set_event(struct sse *s, const char *p, size_t n)
{
    if (n >= sizeof s->event)
        n = sizeof s->event - 1;
    memcpy(s->event, p, n);
    s->event[n] = '\0';
}

/* One whole line, without its end. */
static bool take_line(struct sse *s, const char *p, size_t n, sse_fn *fn,
                      void *ctx, struct err *e)
{
    if (!s->started && n >= 3 && !memcmp(p, "\xEF\xBB\xBF", 3)) {
        p += 3;
        n -= 3;
    }
    s->started = true;
    if (n == 0)
        return dispatch(s, fn, ctx, e);
    bool names = field("event", &p, &n);
    bool error = !names && field("error", &p, &n);
    if ((names || error) && !dispatch(s, fn, ctx, e))
        return false;
    if (names || error)
        set_event(s, error ? "error" : p, error ? 5 : n);
    if (names || (!error && !field("data", &p, &n)))
        return true;
    if (s->has_data)
        buf_putc(&s->data, '\n');
    s->has_data = true;
    return buf_add(&s->data, p, n) || too_long(e);
}

static bool end_line(struct sse *s, sse_fn *fn, void *ctx, struct err *e)
{
    bool ok = take_line(s, buf_str(&s->line), s->line.len, fn, ctx, e);
    buf_clear(&s->line);
    return ok;
}

/* How many of n bytes stand before the line's end. */
static size_t line_length(const char *p, size_t n)
{
    const char *lf = memchr(p, '\n', n);
    size_t m = lf ? (size_t)(lf - p) : n;
    const char *cr = memchr(p, '\r', m);
    return cr ? (size_t)(cr - p) : m;
}

bool sse_feed(struct sse *s, const char *p, size_t n, sse_fn *fn, void *ctx,
              struct err *e)
{
    for (size_t i = 0; i < n;) {
        if (s->after_cr && p[i] == '\n')
            i++;
        s->after_cr = false;
        if (i == n)
            break;
        size_t m = line_length(p + i, n - i);
        if (!buf_add(&s->line, p + i, m))
            return too_long(e);
        i += m;
        if (i == n)
            break;
        s->after_cr = p[i++] == '\r';
        if (!end_line(s, fn, ctx, e))
            return false;
    }
    return true;
}

bool sse_end(struct sse *s, sse_fn *fn, void *ctx, struct err *e)
{
    if (s->line.len && !end_line(s, fn, ctx, e))
        return false;
    return dispatch(s, fn, ctx, e);
}
