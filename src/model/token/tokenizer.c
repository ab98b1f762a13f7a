#include "model/token/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "model/token/split.h"

#define BLANK "\xe2\x96\x81" /* U+2581, Llama's sign for a blank */

/* ---- Ids by bytes ------------------------------------------------------- */

static size_t slot(const struct tokenizer *t, const char *s, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
    size_t i = (size_t)(h ^ h >> 32) & (t->map_cap - 1);
    while (t->map[i] && (t->at[t->map[i] - 1].n != n ||
                         memcmp(t->at[t->map[i] - 1].bytes, s, n)))
        i = (i + 1) & (t->map_cap - 1);
    return i;
}

int32_t tokenizer_find(const struct tokenizer *t, const char *s, size_t n)
{
    if (!t->map_cap)
        return -1;
    return (int32_t)t->map[slot(t, s, n)] - 1;
}

static void rehash(struct tokenizer *t)
{
    free(t->map);
    t->map_cap = 1024;
    while (t->map_cap < 2 * t->n)
        t->map_cap *= 2;
    t->map = xcalloc(t->map_cap, sizeof *t->map);
    for (size_t i = 0; i < t->n; i++)
        if (t->at[i].bytes)
            t->map[slot(t, t->at[i].bytes, t->at[i].n)] = i + 1;
}

bool tokenizer_set(struct tokenizer *t, int64_t id, const char *bytes,
                   size_t n)
{
    if (id < 0 || id >= 1 << 20)
        return false;
    if ((size_t)id >= t->n) {
        size_t to = (size_t)id + 1 < 2 * t->n ? 2 * t->n : (size_t)id + 1;
        t->at = xrealloc(t->at, to * sizeof *t->at);
        memset(t->at + t->n, 0, (to - t->n) * sizeof *t->at);
        t->n = to;
        rehash(t);
    }
    if (t->at[id].bytes || tokenizer_find(t, bytes, n) >= 0)
        return false;
    t->at[id].bytes = xstrndup(bytes, n);
    memcpy(t->at[id].bytes, bytes, n); /* NULs inside */
    t->at[id].n = (uint32_t)n;
    t->map[slot(t, bytes, n)] = (size_t)id + 1;
    return true;
}

void tokenizer_add(struct tokenizer *t, int32_t id)
{
    if (t->at[id].special)
        return;
    t->at[id].special = true;
    t->added = xrealloc(t->added, (t->n_added + 1) * sizeof *t->added);
    size_t i = t->n_added++;
    for (; i > 0 && t->at[t->added[i - 1]].n < t->at[id].n; i--)
        t->added[i] = t->added[i - 1];
    t->added[i] = id;
}

void tokenizer_free(struct tokenizer **tp)
{
    struct tokenizer *t = *tp;
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        free(t->at[i].bytes);
    free(t->at);
    free(t->added);
    free(t->map);
    free(t->template);
    merges_free(&t->merges);
    free(t);
    *tp = NULL;
}

/* ---- Making one --------------------------------------------------------- */

struct tokenizer *tokenizer_new(const char *const added[])
{
    struct tokenizer *t = xcalloc(1, sizeof *t);
    t->digits = true;
    t->bos = -1;
    int32_t id = 0;
    for (; added[id]; id++) {
        tokenizer_set(t, id, added[id], strlen(added[id]));
        tokenizer_add(t, id);
    }
    for (int b = 0; b < 256; b++) {
        char c = (char)b;
        t->byte[b] = id + b;
        tokenizer_set(t, id + b, &c, 1);
    }
    t->n = (size_t)id + 256;
    return t;
}

int32_t tokenizer_join(struct tokenizer *t, int32_t left, int32_t right)
{
    struct buf b = BUF_INIT(0);
    buf_add(&b, t->at[left].bytes, t->at[left].n);
    buf_add(&b, t->at[right].bytes, t->at[right].n);
    int32_t id = (int32_t)t->n;
    bool ok = tokenizer_set(t, id, b.data, b.len);
    t->n = (size_t)id + ok;
    if (ok)
        merges_add(&t->merges, left, right, id);
    buf_free(&b);
    return ok ? id : -1;
}

uint32_t byte_letter(unsigned b)
{
    if ((b > 0x20 && b < 0x7f) || (b >= 0xa1 && b <= 0xac) || b >= 0xae)
        return b;
    unsigned i = b <= 0x20 ? b : b <= 0xa0 ? b - 0x7f + 0x21 : 0x43;
    return 0x100 + i;
}

/* ---- Encoding ----------------------------------------------------------- */

static void put(struct tokens *out, int32_t id, size_t from, size_t to)
{
    struct symbol s = {id, (uint32_t)from, (uint32_t)to};
    VEC_PUSH(out, s);
}

/* Merges what stands in out from `from` on. */
static void merge_tail(const struct tokenizer *t, struct tokens *out,
                       size_t from)
{
    out->n = from + bpe_merge(&t->merges, out->at + from, out->n - from);
}

static void encode_bytes(const struct tokenizer *t, const char *s, size_t at,
                         size_t end, struct tokens *out)
{
    for (size_t piece; at < end; ) {
        piece = at + (t->digits ? split_number(s + at, end - at) : end - at);
        while (at < piece) {
            size_t to = at + split_word(s + at, piece - at), first = out->n;
            for (; at < to; at++)
                put(out, t->byte[(unsigned char)s[at]], at, at + 1);
            merge_tail(t, out, first);
        }
    }
}

/* One character: its token, or the tokens of its bytes. */
static void put_char(const struct tokenizer *t, const char *c, size_t n,
                     size_t from, size_t to, struct tokens *out)
{
    int32_t id = tokenizer_find(t, c, n);
    if (id >= 0) {
        put(out, id, from, to);
        return;
    }
    for (size_t i = 0; i < n; i++)
        put(out, t->byte[(unsigned char)c[i]], from, to);
}

static void encode_fallback(const struct tokenizer *t, const char *s,
                            size_t at, size_t end, struct tokens *out)
{
    size_t first = out->n;
    put_char(t, BLANK, 3, at, at, out);
    while (at < end) {
        uint32_t cp;
        size_t n = utf8_get(s + at, end - at, &cp);
        n = n ? n : 1;
        if (s[at] == ' ')
            put_char(t, BLANK, 3, at, at + 1, out);
        else
            put_char(t, s + at, n, at, at + n, out);
        at += n;
    }
    merge_tail(t, out, first);
}

static void encode_piece(const struct tokenizer *t, const char *s, size_t at,
                         size_t end, struct tokens *out)
{
    if (at == end)
        return;
    if (t->fallback)
        encode_fallback(t, s, at, end, out);
    else
        encode_bytes(t, s, at, end, out);
}

/* The added token that begins at s, or -1. */
static int32_t added_at(const struct tokenizer *t, const char *s, size_t n)
{
    for (size_t i = 0; i < t->n_added; i++) {
        const struct token *a = &t->at[t->added[i]];
        if (a->n <= n && *a->bytes == *s && !memcmp(a->bytes, s, a->n))
            return t->added[i];
    }
    return -1;
}

void tokenizer_encode(const struct tokenizer *t, const char *s, size_t n,
                      bool bos, struct tokens *out)
{
    size_t from = 0;
    if (bos && t->prefix_bos && t->bos >= 0)
        put(out, t->bos, 0, 0);
    for (size_t at = 0; at < n;) {
        int32_t id = added_at(t, s + at, n - at);
        if (id < 0) {
            at++;
            continue;
        }
        encode_piece(t, s, from, at, out);
        put(out, id, at, at + t->at[id].n);
        from = at += t->at[id].n;
    }
    encode_piece(t, s, from, n, out);
}

/* ---- Decoding ----------------------------------------------------------- */

/* "<0x0A>" to its byte; -1 where it is not of that form. */
static int byte_of(const struct token *k)
{
    unsigned b;
    char end;
    if (k->n == 6 && sscanf(k->bytes, "<0x%02X%c", &b, &end) == 2 &&
        end == '>')
        return (int)b;
    return -1;
}

static void put_fallback(const struct token *k, struct buf *out)
{
    int b = byte_of(k);
    if (b >= 0) {
        buf_putc(out, (char)b);
        return;
    }
    for (size_t i = 0; i < k->n;) {
        bool blank = k->n - i >= 3 && !memcmp(k->bytes + i, BLANK, 3);
        buf_putc(out, blank ? ' ' : k->bytes[i]);
        i += blank ? 3 : 1;
    }
}

void tokenizer_piece(const struct tokenizer *t, int32_t id, struct buf *out)
{
    if (id < 0 || (size_t)id >= t->n || !t->at[id].bytes)
        return;
    const struct token *k = &t->at[id];
    if (t->fallback && !k->special)
        put_fallback(k, out);
    else
        buf_add(out, k->bytes, k->n);
}

void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n,
                      bool special, struct buf *out)
{
    struct buf b = BUF_INIT(0);
    for (size_t i = 0; i < n; i++) {
        bool known = ids[i] >= 0 && (size_t)ids[i] < t->n;
        if (known && (special || !t->at[ids[i]].special))
            tokenizer_piece(t, ids[i], &b);
    }
    size_t skip = t->fallback && b.len && b.data[0] == ' ';
    if (b.len)
        buf_add(out, b.data + skip, b.len - skip);
    buf_free(&b);
}
