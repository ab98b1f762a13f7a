#include "domain/diff.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/uni.h"
#include "base/utf8.h"

#define MAX_EDITS 2000

struct token {
    size_t gap, from, to;
};

typedef VEC(struct token) tokens;

static bool blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The end of the word that ends at `end`, with what hangs on it: "isn't",
 * "e-mail", "14:35". */
static size_t whole_word(const char *s, size_t n, size_t end)
{
    for (;;) {
        bool digits = isdigit((unsigned char)s[end - 1]);
        size_t len = digits                                   ? s[end] == ':'
                     : s[end] == '\'' || s[end] == '-'        ? 1
                     : !strncmp(s + end, "\u2019", 3) ? 3
                                                               : 0;
        size_t at = end + len, from = 0, to = 0;
        if (!len || !uni_next_word(s, n, &at, &from, &to) ||
            from != end + len || digits != !!isdigit((unsigned char)s[from]))
            return end;
        end = to;
    }
}

/* A number, a word, or one other character; white space belongs to what
 * follows. */
static void split(const char *s, tokens *out)
{
    size_t n = strlen(s), i = 0;
    while (i < n) {
        struct token t = {.gap = i};
        while (i < n && blank(s[i]))
            i++;
        if (i == n)
            break;
        size_t at = i, start, end;
        if (uni_next_word(s, n, &at, &start, &end) && start == i) {
            t.from = i;
            t.to = i = whole_word(s, n, end);
        } else {
            uint32_t cp;
            size_t len = utf8_get(s + i, n - i, &cp);
            t.from = i;
            t.to = i += len ? len : 1;
        }
        VEC_PUSH(out, t);
    }
}

static bool same(const char *a, struct token x, const char *b, struct token y)
{
    return x.to - x.from == y.to - y.from &&
           !memcmp(a + x.from, b + y.from, x.to - x.from);
}

struct work {
    const char *a, *b;
    tokens x, y;
    size_t head;      /* equal tokens at the start */
    size_t n, m;      /* what is left between the equal ends */
    VEC(int) trace;   /* the furthest points, one round after another */
    VEC(char) script; /* 'k', 'd', 'a' from the end to the start */
};

static bool equal_at(const struct work *w, size_t i, size_t j)
{
    return same(w->a, w->x.at[w->head + i], w->b, w->y.at[w->head + j]);
}

/* Runs the greedy rounds; the number of edits, or -1 where there are too
 * many. trace holds 2d+1 furthest x for round d. */
static int rounds(struct work *w)
{
    int n = (int)w->n, m = (int)w->m;
    int max = n + m < MAX_EDITS ? n + m : MAX_EDITS;
    int *v = xcalloc((size_t)(2 * max + 3), sizeof *v), off = max + 1;
    for (int d = 0; d <= max; d++) {
        for (int k = -d; k <= d; k += 2) {
            bool down = k == -d || (k != d && v[off + k - 1] < v[off + k + 1]);
            int x = down ? v[off + k + 1] : v[off + k - 1] + 1, y = x - k;
            while (x < n && y < m && equal_at(w, (size_t)x, (size_t)y)) {
                x++;
                y++;
            }
            v[off + k] = x;
            if (x >= n && y >= m) {
                free(v);
                return d;
            }
        }
        for (int k = -d; k <= d; k++)
            VEC_PUSH(&w->trace, v[off + k]);
    }
    free(v);
    return -1;
}

/* Walks back from the end through the rounds, writing the script. */
static void walk_back(struct work *w, int d)
{
    int x = (int)w->n, y = (int)w->m;
    for (; d > 0; d--) {
        const int *v = w->trace.at + (d - 1) * (d - 1); /* round d-1 */
        int mid = d - 1, k = x - y;
        bool down = k == -d || (k != d && v[mid + k - 1] < v[mid + k + 1]);
        int pk = down ? k + 1 : k - 1, px = v[mid + pk], py = px - pk;
        while (x > px + !down && y > py + down) {
            VEC_PUSH(&w->script, 'k');
            x--;
            y--;
        }
        VEC_PUSH(&w->script, down ? 'a' : 'd');
        x = px;
        y = py;
    }
    for (; x > 0; x--)
        VEC_PUSH(&w->script, 'k');
}

static void add_piece(struct diff *d, enum diff_op op, struct token t)
{
    struct diff_piece *last = d->pieces.n ? &d->pieces.at[d->pieces.n - 1]
                                          : NULL;
    size_t *count[] = {&d->kept, &d->removed, &d->added};
    ++*count[op];
    if (last && last->op == op) {
        last->to = t.to;
        last->words++;
        return;
    }
    struct diff_piece p = {op, t.gap, t.from, t.to, 1};
    VEC_PUSH(&d->pieces, p);
}

static void emit_middle(struct work *w, struct diff *out)
{
    size_t i = w->head, j = w->head;
    for (size_t s = w->script.n; s > 0;) {
        /* within a change the removals come first */
        size_t e = s;
        while (e > 0 && w->script.at[e - 1] != 'k')
            e--;
        for (size_t q = s; q > e; q--)
            if (w->script.at[q - 1] == 'd')
                add_piece(out, DIFF_DEL, w->x.at[i++]);
        for (size_t q = s; q > e; q--)
            if (w->script.at[q - 1] == 'a')
                add_piece(out, DIFF_ADD, w->y.at[j++]);
        s = e;
        if (s > 0) {
            add_piece(out, DIFF_KEEP, w->y.at[j++]);
            i++;
            s--;
        }
    }
}

void diff_words(const char *a, const char *b, struct diff *out)
{
    *out = (struct diff){0};
    struct work w = {.a = a, .b = b};
    split(a, &w.x);
    split(b, &w.y);
    size_t n = w.x.n, m = w.y.n, tail = 0;
    while (w.head < n && w.head < m &&
           same(a, w.x.at[w.head], b, w.y.at[w.head]))
        w.head++;
    while (tail < n - w.head && tail < m - w.head &&
           same(a, w.x.at[n - 1 - tail], b, w.y.at[m - 1 - tail]))
        tail++;
    w.n = n - w.head - tail;
    w.m = m - w.head - tail;
    for (size_t i = 0; i < w.head; i++)
        add_piece(out, DIFF_KEEP, w.y.at[i]);
    int d = rounds(&w);
    if (d >= 0)
        walk_back(&w, d);
    for (size_t i = w.m; d < 0 && i > 0; i--)
        VEC_PUSH(&w.script, 'a');
    for (size_t i = w.n; d < 0 && i > 0; i--)
        VEC_PUSH(&w.script, 'd');
    emit_middle(&w, out);
    for (size_t i = m - tail; i < m; i++)
        add_piece(out, DIFF_KEEP, w.y.at[i]);
    VEC_FREE(&w.x);
    VEC_FREE(&w.y);
    VEC_FREE(&w.trace);
    VEC_FREE(&w.script);
}

bool diff_apart(const struct diff *d)
{
    return d->kept + d->removed && d->kept + d->added &&
           4 * d->kept < d->added + d->removed;
}

void diff_free(struct diff *d)
{
    VEC_FREE(&d->pieces);
}
