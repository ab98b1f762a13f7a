#include "model/serve/thought.h"

#include <string.h>

static const char OPEN[] = "<think>", CLOSE[] = "</think>";

static size_t blanks(const char *s, size_t n)
{
    size_t i = 0;
    while (i < n && strchr(" \t\r\n", s[i]) && s[i])
        i++;
    return i;
}

/* The first n bytes are done with. */
static void drop(struct thought *t, size_t n)
{
    if (!n)
        return;
    memmove(t->held.data, t->held.data + n, t->held.len - n);
    buf_drop(&t->held, n);
}

/* The mark, or nothing yet, or none. True where it is clear. */
static bool before(struct thought *t, bool last)
{
    const char *s = buf_str(&t->held);
    size_t skip = blanks(s, t->held.len), left = t->held.len - skip;
    size_t n = sizeof OPEN - 1;
    bool may = !strncmp(s + skip, OPEN, left < n ? left : n);
    if (may && left < n && !last)
        return false;
    t->place = may && left >= n ? THOUGHT_IN : THOUGHT_OVER;
    if (t->place == THOUGHT_IN)
        drop(t, skip + n);
    return true;
}

/* How many bytes at the end of s may begin the closing mark. */
static size_t tail(const char *s, size_t n)
{
    for (size_t k = sizeof CLOSE - 2; k; k--)
        if (k <= n && !memcmp(s + n - k, CLOSE, k))
            return k;
    return 0;
}

static bool inside(struct thought *t, bool last, struct buf *thought)
{
    if (!t->begun)
        drop(t, blanks(buf_str(&t->held), t->held.len));
    t->begun = t->begun || t->held.len;
    const char *s = buf_str(&t->held), *end = strstr(s, CLOSE);
    size_t n = end ? (size_t)(end - s)
                   : t->held.len - (last ? 0 : tail(s, t->held.len));
    buf_add(thought, s, n);
    if (end)
        t->place = THOUGHT_BEHIND;
    drop(t, n + (end ? sizeof CLOSE - 1 : 0));
    return end != NULL;
}

void thought_feed(struct thought *t, const char *s, size_t n, bool last,
                  struct buf *thought, struct buf *said)
{
    buf_add(&t->held, s, n);
    if (t->place == THOUGHT_BEFORE && !before(t, last))
        return;
    if (t->place == THOUGHT_IN && !inside(t, last, thought))
        return;
    if (t->place == THOUGHT_BEHIND) {
        drop(t, blanks(buf_str(&t->held), t->held.len));
        if (t->held.len)
            t->place = THOUGHT_OVER;
    }
    buf_add(said, buf_str(&t->held), t->held.len);
    buf_clear(&t->held);
}

void thought_free(struct thought *t)
{
    buf_free(&t->held);
}
