#include "model/token/bpe_train.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/token/split.h"

struct word {
    char *bytes;
    size_t n;
    long count;
};

struct bpe_words {
    struct word *at; /* open addressing; cap is a power of two */
    size_t n, cap;
};

struct bpe_words *bpe_words_new(void)
{
    return xcalloc(1, sizeof(struct bpe_words));
}

void bpe_words_free(struct bpe_words **wp)
{
    struct bpe_words *w = *wp;
    if (!w)
        return;
    for (size_t i = 0; i < w->cap; i++)
        free(w->at[i].bytes);
    free(w->at);
    free(w);
    *wp = NULL;
}

static size_t slot(const struct bpe_words *w, const char *s, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
    size_t i = (size_t)(h ^ h >> 32) & (w->cap - 1);
    while (w->at[i].bytes &&
           (w->at[i].n != n || memcmp(w->at[i].bytes, s, n)))
        i = (i + 1) & (w->cap - 1);
    return i;
}

static void grow(struct bpe_words *w)
{
    struct bpe_words old = *w;
    w->cap = old.cap ? 2 * old.cap : 4096;
    w->at = xcalloc(w->cap, sizeof *w->at);
    for (size_t i = 0; i < old.cap; i++)
        if (old.at[i].bytes)
            w->at[slot(w, old.at[i].bytes, old.at[i].n)] = old.at[i];
    free(old.at);
}

static void count(struct bpe_words *w, const char *s, size_t n)
{
    if (2 * w->n >= w->cap)
        grow(w);
    struct word *at = &w->at[slot(w, s, n)];
    if (!at->bytes) {
        at->bytes = xmalloc(n);
        memcpy(at->bytes, s, n);
        at->n = n;
        w->n++;
    }
    at->count++;
}

void bpe_words_add(struct bpe_words *w, const char *s, size_t n)
{
    for (size_t at = 0; at < n;) {
        size_t piece = at + split_number(s + at, n - at);
        while (at < piece) {
            size_t len = split_word(s + at, piece - at);
            count(w, s + at, len);
            at += len;
        }
    }
}

/* ---- Joining ------------------------------------------------------------ */

/* The state of one training: each word as ids, and counts by pair. */
struct trainer {
    struct text {
        int32_t *id;
        size_t n;
        long count;
    } *word;
    size_t n;
    struct pair {
        int32_t left, right;
        long count;
        bool used;
    } *pair;
    size_t pairs, cap;
};

static size_t pair_slot(const struct trainer *t, int32_t left, int32_t right)
{
    uint64_t h = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) *
                 0x9e3779b97f4a7c15u;
    size_t i = (size_t)(h >> 32) & (t->cap - 1);
    while (t->pair[i].used &&
           (t->pair[i].left != left || t->pair[i].right != right))
        i = (i + 1) & (t->cap - 1);
    return i;
}

static void grow_pairs(struct trainer *t)
{
    struct trainer old = *t;
    t->cap = old.cap ? 2 * old.cap : 4096;
    t->pair = xcalloc(t->cap, sizeof *t->pair);
    for (size_t i = 0; i < old.cap; i++)
        if (old.pair[i].used)
            t->pair[pair_slot(t, old.pair[i].left, old.pair[i].right)] =
                old.pair[i];
    free(old.pair);
}

/* Adds the pairs of one word, `sign` times its count. */
static void tally(struct trainer *t, const struct text *w, long sign)
{
    for (size_t i = 0; i + 1 < w->n; i++) {
        if (2 * t->pairs >= t->cap)
            grow_pairs(t);
        struct pair *p = &t->pair[pair_slot(t, w->id[i], w->id[i + 1])];
        t->pairs += !p->used;
        p->used = true;
        p->left = w->id[i];
        p->right = w->id[i + 1];
        p->count += sign * w->count;
    }
}

static const struct pair *best(const struct trainer *t)
{
    const struct pair *b = NULL;
    for (size_t i = 0; i < t->cap; i++) {
        const struct pair *p = &t->pair[i];
        if (!p->used || p->count < 2)
            continue;
        if (!b || p->count > b->count ||
            (p->count == b->count &&
             (p->left < b->left ||
              (p->left == b->left && p->right < b->right))))
            b = p;
    }
    return b;
}

static bool has_pair(const struct text *w, int32_t left, int32_t right)
{
    for (size_t i = 0; i + 1 < w->n; i++)
        if (w->id[i] == left && w->id[i + 1] == right)
            return true;
    return false;
}

static void join_word(struct text *w, int32_t left, int32_t right, int32_t to)
{
    size_t out = 0;
    for (size_t i = 0; i < w->n; i++) {
        bool joined = i + 1 < w->n && w->id[i] == left &&
                      w->id[i + 1] == right;
        w->id[out++] = joined ? to : w->id[i];
        i += joined;
    }
    w->n = out;
}

static void join_all(struct trainer *t, int32_t left, int32_t right,
                     int32_t to)
{
    for (size_t i = 0; i < t->n; i++) {
        struct text *w = &t->word[i];
        if (!has_pair(w, left, right))
            continue;
        tally(t, w, -1);
        join_word(w, left, right, to);
        tally(t, w, 1);
    }
}

/* A pair whose join is a token already (made from other halves) is never
 * taken again. */
static void forget(struct trainer *t, int32_t left, int32_t right)
{
    t->pair[pair_slot(t, left, right)].count = -(1L << 60);
}

static void start(struct trainer *t, const struct tokenizer *k,
                  const struct bpe_words *w)
{
    t->word = xcalloc(w->n + 1, sizeof *t->word);
    for (size_t i = 0; i < w->cap; i++) {
        const struct word *from = &w->at[i];
        if (!from->bytes)
            continue;
        struct text *to = &t->word[t->n++];
        *to = (struct text){xmalloc(from->n * sizeof *to->id), from->n,
                            from->count};
        for (size_t j = 0; j < from->n; j++)
            to->id[j] = k->byte[(unsigned char)from->bytes[j]];
        tally(t, to, 1);
    }
}

void bpe_train(struct tokenizer *k, const struct bpe_words *w, size_t vocab)
{
    struct trainer t = {0};
    start(&t, k, w);
    const struct pair *p;
    while (k->n < vocab && (p = best(&t))) {
        int32_t left = p->left, right = p->right;
        int32_t to = tokenizer_join(k, left, right);
        if (to < 0)
            forget(&t, left, right);
        else
            join_all(&t, left, right, to);
    }
    for (size_t i = 0; i < t.n; i++)
        free(t.word[i].id);
    free(t.word);
    free(t.pair);
}
