#include "model/token/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "model/token/jinja.h"

const char *const token_names[TOKEN_NAMES] = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
    "cls_token", "mask_token"};

/* ---- Ids by bytes ------------------------------------------------------- */

static size_t hash(const char *s, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

static size_t slot(const struct tokenizer *t, const char *s, size_t n)
{
    size_t i = hash(s, n) & (t->map_cap - 1);
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

/* The same for normalized tokens' texts. */
static size_t match_slot(const struct tokenizer *t, const char *s, size_t n)
{
    size_t i = hash(s, n) & (t->matches_cap - 1);
    while (t->matches[i] && (t->at[t->matches[i] - 1].match_n != n ||
                             memcmp(t->at[t->matches[i] - 1].match, s, n)))
        i = (i + 1) & (t->matches_cap - 1);
    return i;
}

/* Of two tokens with one text the first one is found. */
static void add_match(struct tokenizer *t, size_t id)
{
    size_t i = match_slot(t, t->at[id].match, t->at[id].match_n);
    if (!t->matches[i])
        t->matches[i] = id + 1;
}

static void grow_matches(struct tokenizer *t)
{
    if (t->matches_cap >= 2 * (t->n_matches + 1))
        return;
    free(t->matches);
    t->matches_cap = t->matches_cap ? 2 * t->matches_cap : 64;
    t->matches = xcalloc(t->matches_cap, sizeof *t->matches);
    for (size_t i = 0; i < t->n; i++)
        if (t->at[i].match)
            add_match(t, i);
}

bool tokenizer_set(struct tokenizer *t, int64_t id, const char *bytes,
                   size_t n)
{
    if (id < 0 || (size_t)id >= TOKENS_MOST)
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

/* Lengths stand once, longest first. */
static void add_word(struct words *w, const char *s, uint32_t n)
{
    size_t i = 0, len = w->lengths.n;
    w->begins[(unsigned char)*s] = true;
    while (i < len && w->lengths.at[i] > n)
        i++;
    if (i < len && w->lengths.at[i] == n)
        return;
    VEC_PUSH(&w->lengths, n);
    uint32_t *at = w->lengths.at;
    memmove(at + i + 1, at + i, (len - i) * sizeof *at);
    at[i] = n;
}

/* What a normalized token is looked for as. */
static bool normalize(struct tokenizer *t, int32_t id)
{
    struct token *k = &t->at[id];
    struct pieces p;
    pieces_start(&p, k->bytes, k->n, 0);
    steps_apply(&t->normal, &p, true);
    if (p.text.len) {
        grow_matches(t);
        t->n_matches++;
        k->match_n = (uint32_t)p.text.len;
        k->match = xmalloc(p.text.len);
        memcpy(k->match, buf_str(&p.text), p.text.len);
        add_match(t, (size_t)id);
        add_word(&t->words[ADDED_NORMAL], k->match, k->match_n);
    }
    pieces_free(&p);
    return k->match != NULL;
}

bool tokenizer_add(struct tokenizer *t, int32_t id)
{
    struct token *k = &t->at[id];
    if (k->added)
        return true;
    k->added = true;
    t->n_added++;
    add_word(&t->words[ADDED_ANY], k->bytes, k->n);
    if (k->normalized)
        return normalize(t, id);
    add_word(&t->words[ADDED_RAW], k->bytes, k->n);
    return true;
}

bool tokenizer_stops(const struct tokenizer *t, int32_t id)
{
    for (size_t i = 0; i < t->n_stop; i++)
        if (t->stop[i] == id)
            return true;
    return false;
}

void tokenizer_add_stop(struct tokenizer *t, int32_t id)
{
    if (id >= 0 && !tokenizer_stops(t, id) && t->n_stop < STOPS_MOST)
        t->stop[t->n_stop++] = id;
}

void tokenizer_set_template(struct tokenizer *t, const char *text)
{
    struct err e = {0};
    jinja_free(&t->jinja);
    free(t->template);
    free(t->template_trouble);
    t->template = text ? xstrdup(text) : NULL;
    t->jinja = text ? jinja_parse(text, strlen(text), &e) : NULL;
    t->template_trouble = e.code ? xstrdup(e.text) : NULL;
}

void tokenizer_free(struct tokenizer **tp)
{
    struct tokenizer *t = *tp;
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++) {
        free(t->at[i].bytes);
        free(t->at[i].match);
    }
    for (size_t i = 0; i < t->undo.n; i++) {
        free(t->undo.at[i].pattern);
        free(t->undo.at[i].content);
    }
    for (size_t i = 0; i < TOKEN_NAMES; i++)
        free(t->named[i]);
    tokenizer_set_template(t, NULL);
    VEC_FREE(&t->undo);
    for (size_t i = 0; i < ADDED_KINDS; i++)
        VEC_FREE(&t->words[i].lengths);
    steps_free(&t->normal);
    steps_free(&t->pre);
    free(t->at);
    free(t->map);
    free(t->matches);
    merges_free(&t->merges);
    free(t);
    *tp = NULL;
}

/* ---- Making one --------------------------------------------------------- */

struct tokenizer *tokenizer_new(const char *const added[])
{
    struct tokenizer *t = xcalloc(1, sizeof *t);
    struct step digits = {.kind = STEP_DIGITS, .behaviour = ISOLATED,
                          .single = true};
    VEC_PUSH(&t->pre, digits);
    VEC_PUSH(&t->pre, (struct step){.kind = STEP_GPT2});
    t->bytes = true;
    t->bos = t->unknown = -1;
    int32_t id = 0;
    for (; added[id]; id++) {
        tokenizer_set(t, id, added[id], strlen(added[id]));
        t->at[id].special = true;
        tokenizer_add(t, id);
    }
    for (int b = 0; b < 256; b++) {
        char c = (char)b;
        t->byte[b] = id + b;
        tokenizer_set(t, id + b, &c, 1);
    }
    t->n = (size_t)id + 256;
    tokenizer_add_stop(t, 0);
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

/* What has no token: the unknown one, or nothing where there is none. It may
 * become one with another of its piece, which begins at `first`. */
static void put_unknown(const struct tokenizer *t, size_t first,
                        uint32_t from, uint32_t to, struct tokens *out)
{
    struct symbol *last = out->n > first ? &out->at[out->n - 1] : NULL;
    if (t->fuse_unknown && last && last->id == t->unknown)
        last->to = to;
    else if (t->unknown >= 0)
        put(out, t->unknown, from, to);
}

/* Whether each byte of a character has a token. */
static bool has_bytes(const struct tokenizer *t, const char *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (t->byte[(unsigned char)c[i]] < 0)
            return false;
    return true;
}

/* One character: its token, the tokens of its bytes, or the unknown one. */
static void put_char(const struct tokenizer *t, const char *c, size_t n,
                     size_t first, uint32_t from, uint32_t to,
                     struct tokens *out)
{
    int32_t id = tokenizer_find(t, c, n);
    if (id >= 0) {
        put(out, id, from, to);
        return;
    }
    if (!t->fallback || !has_bytes(t, c, n)) {
        put_unknown(t, first, from, to, out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        put(out, t->byte[(unsigned char)c[i]], from, to);
}

/* The symbols that a piece begins as. */
static void put_symbols(const struct tokenizer *t, const struct pieces *p,
                        struct match m, struct tokens *out)
{
    const char *s = buf_str(&p->text);
    size_t first = out->n;
    for (size_t at = m.from; at < m.to;) {
        uint32_t cp, from, to;
        size_t n = t->bytes ? 1 : utf8_get(s + at, m.to - at, &cp);
        n = n ? n : 1;
        pieces_origin(p, at, at + n, &from, &to);
        if (t->bytes && has_bytes(t, s + at, 1))
            put(out, t->byte[(unsigned char)s[at]], from, to);
        else if (t->bytes)
            put_unknown(t, first, from, to, out);
        else
            put_char(t, s + at, n, first, from, to, out);
        at += n;
    }
}

static void encode_piece(const struct tokenizer *t, const struct pieces *p,
                         struct match m, struct tokens *out)
{
    size_t first = out->n;
    if (t->whole) {
        int32_t id = tokenizer_find(t, buf_str(&p->text) + m.from,
                                    m.to - m.from);
        uint32_t from, to;
        pieces_origin(p, m.from, m.to, &from, &to);
        if (id >= 0 && !t->at[id].added) {
            put(out, id, from, to);
            return;
        }
    }
    put_symbols(t, p, m, out);
    out->n = first + bpe_merge(&t->merges, out->at + first, out->n - first);
}

/* The added token of a kind whose text is these n bytes, or -1. */
static int32_t find_added(const struct tokenizer *t, enum added_kind kind,
                          const char *s, size_t n)
{
    if (kind == ADDED_NORMAL)
        return (int32_t)t->matches[match_slot(t, s, n)] - 1;
    int32_t id = tokenizer_find(t, s, n);
    return id >= 0 && t->at[id].added &&
                   (kind == ADDED_ANY || !t->at[id].normalized)
               ? id
               : -1;
}

/* The longest one that begins at s, or -1; *len is how long it is there. */
static int32_t added_at(const struct tokenizer *t, enum added_kind kind,
                        const char *s, size_t n, size_t *len)
{
    const struct words *w = &t->words[kind];
    if (!n || !w->begins[(unsigned char)*s])
        return -1;
    for (size_t i = 0; i < w->lengths.n; i++) {
        *len = w->lengths.at[i];
        int32_t id = *len <= n ? find_added(t, kind, s, *len) : -1;
        if (id >= 0)
            return id;
    }
    return -1;
}

int32_t tokenizer_added_at(const struct tokenizer *t, const char *s, size_t n)
{
    size_t len;
    return added_at(t, ADDED_ANY, s, n, &len);
}

static bool is_word(const char *s, size_t n)
{
    uint32_t cp;
    return n && utf8_get(s, n, &cp) && uni_in_word(cp);
}

/* Whether a word goes on over the token's edges. */
static bool inside_word(const char *s, size_t n, size_t at, size_t end)
{
    size_t before = at;
    while (before > 0 && ((unsigned char)s[--before] & 0xc0) == 0x80)
        ;
    return (at > 0 && is_word(s + before, at - before)) ||
           is_word(s + end, n - end);
}

static size_t space_at(const char *s, size_t n)
{
    uint32_t cp;
    size_t len = utf8_get(s, n, &cp);
    return len && uni_kind(cp) == UNI_SPACE ? len : 0;
}

/* Widens a hit over the white space that it strips; not back over `low`. */
static void widen(const struct token *k, const char *s, size_t n, size_t low,
                  size_t *from, size_t *to)
{
    size_t len;
    while (k->rstrip && *to < n && (len = space_at(s + *to, n - *to)))
        *to += len;
    while (k->lstrip && *from > low) {
        size_t before = *from;
        while (before > low &&
               ((unsigned char)s[--before] & 0xc0) == 0x80)
            ;
        if (!space_at(s + before, *from - before))
            break;
        *from = before;
    }
    if (k->lstrip && *from < low)
        *from = low;
}

typedef void between_fn(const struct tokenizer *t, void *ctx, size_t from,
                        size_t to, struct tokens *out);

/* Calls fn for what stands between added tokens of a kind, and puts these. As
 * in the library the next one is looked for behind the bytes that matched: one
 * that is no word of its own hides what begins inside it, and one that begins
 * in the white space which the one before has stripped stands too, unless it
 * strips the same and nothing is left of it. */
static void each_between(const struct tokenizer *t, enum added_kind kind,
                         const struct pieces *p, between_fn *fn, void *ctx,
                         struct tokens *out)
{
    const char *s = buf_str(&p->text);
    size_t n = p->text.len, from = 0, len = 1;
    bool any = t->words[kind].lengths.n > 0;
    for (size_t at = 0; any && at < n; at += len) {
        int32_t id = added_at(t, kind, s + at, n - at, &len);
        size_t begin = at, end = at + len;
        uint32_t a, b;
        if (id < 0)
            len = 1;
        if (id < 0 ||
            (t->at[id].single_word && inside_word(s, n, at, end)))
            continue;
        widen(&t->at[id], s, n, from, &begin, &end);
        if (begin >= end)
            continue;
        fn(t, ctx, from, begin, out);
        pieces_origin(p, begin, end, &a, &b);
        put(out, id, a, b);
        from = end;
    }
    fn(t, ctx, from, n, out);
}

/* Text without added tokens: pre-tokenizers and the model. */
static void encode_plain(const struct tokenizer *t, void *ctx, size_t from,
                         size_t to, struct tokens *out)
{
    const struct pieces *whole = ctx;
    struct pieces p;
    if (from >= to)
        return;
    pieces_start(&p, buf_str(&whole->text) + from, to - from,
                 whole->base + from);
    if (whole->mapped) {
        p.mapped = true;
        for (size_t i = from; i < to; i++) {
            VEC_PUSH(&p.from, whole->from.at[i]);
            VEC_PUSH(&p.to, whole->to.at[i]);
        }
    }
    steps_apply(&t->pre, &p, whole->base == 0 && from == 0);
    for (size_t i = 0; i < p.at.n; i++)
        encode_piece(t, &p, p.at.at[i], out);
    pieces_free(&p);
}

/* Raw text between added tokens: normalized, then cut at those that are
 * matched on normalized text, whose own texts went the same way. */
static void encode_raw(const struct tokenizer *t, void *ctx, size_t from,
                       size_t to, struct tokens *out)
{
    const struct pieces *raw = ctx;
    struct pieces p;
    if (from >= to)
        return;
    pieces_start(&p, buf_str(&raw->text) + from, to - from, from);
    steps_apply(&t->normal, &p, from == 0);
    each_between(t, ADDED_NORMAL, &p, encode_plain, &p, out);
    pieces_free(&p);
}

void tokenizer_encode(const struct tokenizer *t, const char *s, size_t n,
                      bool frame, struct tokens *out)
{
    struct pieces raw;
    for (size_t i = 0; frame && i < t->n_before; i++)
        put(out, t->before[i], 0, 0);
    pieces_start(&raw, s, n, 0);
    each_between(t, ADDED_RAW, &raw, encode_raw, &raw, out);
    pieces_free(&raw);
    for (size_t i = 0; frame && i < t->n_after; i++)
        put(out, t->after[i], n, n);
}

/* ---- Decoding ----------------------------------------------------------- */

/* "<0x0A>" to its byte; -1 where it is not of that form. */
static int byte_of(const char *s, size_t n)
{
    unsigned b;
    char end, copy[7] = "";
    if (n != 6)
        return -1;
    memcpy(copy, s, 6);
    return sscanf(copy, "<0x%02X%c", &b, &end) == 2 && end == '>' ? (int)b
                                                                  : -1;
}

typedef VEC(struct buf) parts;

static void undo_replace(struct buf *b, const char *what, const char *with)
{
    struct buf out = BUF_INIT(SIZE_MAX >> 1);
    size_t len = strlen(what), at = 0;
    for (const char *p; len && (p = memmem(buf_str(b) + at, b->len - at, what,
                                           len));) {
        size_t hit = (size_t)(p - buf_str(b));
        buf_add(&out, buf_str(b) + at, hit - at);
        buf_puts(&out, with);
        at = hit + len;
    }
    buf_add(&out, buf_str(b) + at, b->len - at);
    buf_free(b);
    *b = out;
}

static void undo_strip(const struct undo *u, struct buf *b)
{
    size_t len = strlen(u->content), from = 0, to = b->len;
    const char *s = buf_str(b);
    for (size_t i = 0; len && i < u->start && to - from >= len &&
                       !memcmp(s + from, u->content, len); i++)
        from += len;
    for (size_t i = 0; len && i < u->stop && to - from >= len &&
                       !memcmp(s + to - len, u->content, len); i++)
        to -= len;
    struct buf out = BUF_INIT(SIZE_MAX >> 1);
    buf_add(&out, s + from, to - from);
    buf_free(b);
    *b = out;
}

/* Runs of byte tokens become their bytes; where these are no UTF-8, each
 * becomes U+FFFD. */
static void undo_bytes(parts *all)
{
    parts out = {0};
    for (size_t i = 0; i < all->n;) {
        struct buf run = BUF_INIT(SIZE_MAX >> 1);
        size_t k = i;
        for (int b; k < all->n && (b = byte_of(buf_str(&all->at[k]),
                                               all->at[k].len)) >= 0; k++)
            buf_putc(&run, (char)b);
        if (k == i) {
            VEC_PUSH(&out, all->at[i]);
            i++;
            continue;
        }
        bool good = utf8_check(run.data, run.len) == run.len;
        for (; i < k; i++)
            buf_free(&all->at[i]);
        size_t n = run.len;
        if (!good) {
            buf_clear(&run);
            for (size_t j = 0; j < n; j++)
                buf_puts(&run, "\xef\xbf\xbd");
        }
        VEC_PUSH(&out, run);
    }
    VEC_FREE(all);
    *all = out;
}

static void undo_fuse(parts *all)
{
    struct buf one = BUF_INIT(SIZE_MAX >> 1);
    for (size_t i = 0; i < all->n; i++) {
        buf_add(&one, buf_str(&all->at[i]), all->at[i].len);
        buf_free(&all->at[i]);
    }
    all->n = 0;
    VEC_PUSH(all, one);
}

static void undo(const struct undo *u, parts *all)
{
    if (u->kind == UNDO_BYTES) {
        undo_bytes(all);
        return;
    }
    if (u->kind == UNDO_FUSE) {
        undo_fuse(all);
        return;
    }
    for (size_t i = 0; i < all->n; i++) {
        struct buf *b = &all->at[i];
        if (u->kind == UNDO_STRIP) {
            undo_strip(u, b);
            continue;
        }
        bool drop = u->kind == UNDO_METASPACE && i == 0 && u->prefixed;
        undo_replace(b, u->pattern, drop ? "" : u->content);
    }
}

void tokenizer_piece(const struct tokenizer *t, int32_t id, struct buf *out)
{
    if (id < 0 || (size_t)id >= t->n || !t->at[id].bytes)
        return;
    const struct token *k = &t->at[id];
    int b = k->added || t->bytes ? -1 : byte_of(k->bytes, k->n);
    struct buf text = BUF_INIT(SIZE_MAX >> 1);
    if (b >= 0)
        buf_putc(&text, (char)b);
    else
        buf_add(&text, k->bytes, k->n);
    for (size_t i = 0; !k->added && b < 0 && i < t->undo.n; i++) {
        const struct undo *u = &t->undo.at[i];
        if (u->kind == UNDO_REPLACE || u->kind == UNDO_METASPACE)
            undo_replace(&text, u->pattern, u->content);
    }
    buf_add(out, buf_str(&text), text.len);
    buf_free(&text);
}

void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n,
                      bool special, struct buf *out)
{
    parts all = {0};
    for (size_t i = 0; i < n; i++) {
        bool known = ids[i] >= 0 && (size_t)ids[i] < t->n &&
                     t->at[ids[i]].bytes;
        if (!known || (!special && t->at[ids[i]].special))
            continue;
        const struct token *k = &t->at[ids[i]];
        if (!t->undo.n) { /* bytes: they only stand one behind another */
            buf_add(out, k->bytes, k->n);
            continue;
        }
        struct buf b = BUF_INIT(SIZE_MAX >> 1);
        buf_add(&b, k->bytes, k->n);
        VEC_PUSH(&all, b);
    }
    for (size_t i = 0; i < t->undo.n; i++)
        undo(&t->undo.at[i], &all);
    for (size_t i = 0; i < all.n; i++) {
        buf_add(out, buf_str(&all.at[i]), all.at[i].len);
        buf_free(&all.at[i]);
    }
    VEC_FREE(&all);
}
