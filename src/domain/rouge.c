#include "domain/rouge.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uni.h"

struct place {
    uint64_t word;
    size_t at;
};

static int by_word(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->word != y->word)
        return x->word < y->word ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* The first place of `word` in a sorted table, or n. */
static size_t first_place(const struct place *t, size_t n, uint64_t word)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (t[mid].word < word)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* One step of the bit-parallel LCS: `v` has a zero bit for every word of a
 * that ends a longer subsequence; `mask` says where the next word stands. */
static void lcs_step(uint64_t *v, const uint64_t *mask, size_t blocks)
{
    uint64_t carry = 0;
    for (size_t k = 0; k < blocks; k++) {
        uint64_t u = v[k] & mask[k];
        uint64_t sum = v[k] + u;
        uint64_t over = sum < u;
        sum += carry;
        over |= sum < carry;
        v[k] = sum | (v[k] & ~mask[k]);
        carry = over;
    }
}

static size_t lcs(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    size_t blocks = (n + 63) / 64, len = 0;
    struct place *places = xmalloc(n * sizeof *places);
    uint64_t *v = xmalloc(blocks * sizeof *v);
    uint64_t *mask = xcalloc(blocks, sizeof *mask);
    for (size_t i = 0; i < n; i++)
        places[i] = (struct place){a[i], i};
    qsort(places, n, sizeof *places, by_word);
    memset(v, 0xff, blocks * sizeof *v);
    for (size_t j = 0; j < m; j++) {
        size_t from = first_place(places, n, b[j]), i = from;
        for (; i < n && places[i].word == b[j]; i++)
            mask[places[i].at / 64] |= (uint64_t)1 << (places[i].at % 64);
        if (i == from)
            continue;
        lcs_step(v, mask, blocks);
        for (i = from; i < n && places[i].word == b[j]; i++)
            mask[places[i].at / 64] = 0;
    }
    for (size_t i = 0; i < n; i++)
        len += !(v[i / 64] >> (i % 64) & 1);
    free(places);
    free(v);
    free(mask);
    return len;
}

double rouge_l(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    if (!n || !m)
        return 0;
    return 2.0 * (double)lcs(a, n, b, m) / (double)(n + m);
}

double rouge_l_text(const char *a, const char *b)
{
    uint64_t *x = xmalloc(2 * ROUGE_WORDS * sizeof *x);
    size_t n = uni_words(a, x, ROUGE_WORDS);
    size_t m = uni_words(b, x + ROUGE_WORDS, ROUGE_WORDS);
    double f = rouge_l(x, n, x + ROUGE_WORDS, m);
    free(x);
    return f;
}

/* ---- The index ---------------------------------------------------------- */

struct doc {
    int64_t key;
    size_t from; /* its words in `words` */
    uint32_t n;
};

struct posting {
    uint32_t doc, count;
};

struct term {
    uint64_t word;
    VEC(struct posting) docs;
};

struct near_index {
    VEC(struct doc) docs;
    VEC(uint64_t) words;
    struct term *terms; /* open addressing; a word of 0 is stored as 1 */
    size_t size, used;
    uint32_t *overlap; /* scratch, one a doc */
    size_t overlap_cap;
};

struct near_index *near_new(void)
{
    struct near_index *x = xcalloc(1, sizeof *x);
    x->size = 1024;
    x->terms = xcalloc(x->size, sizeof *x->terms);
    return x;
}

void near_free(struct near_index **x)
{
    if (!*x)
        return;
    for (size_t i = 0; i < (*x)->size; i++)
        VEC_FREE(&(*x)->terms[i].docs);
    free((*x)->terms);
    free((*x)->overlap);
    VEC_FREE(&(*x)->docs);
    VEC_FREE(&(*x)->words);
    free(*x);
    *x = NULL;
}

static struct term *slot(struct term *terms, size_t size, uint64_t word)
{
    size_t i = (size_t)(word * 0x9e3779b97f4a7c15u >> 20) & (size - 1);
    while (terms[i].word && terms[i].word != word)
        i = (i + 1) & (size - 1);
    return &terms[i];
}

static void grow(struct near_index *x)
{
    size_t size = x->size * 2;
    struct term *terms = xcalloc(size, sizeof *terms);
    for (size_t i = 0; i < x->size; i++)
        if (x->terms[i].word)
            *slot(terms, size, x->terms[i].word) = x->terms[i];
    free(x->terms);
    x->terms = terms;
    x->size = size;
}

static void post(struct near_index *x, uint64_t word, uint32_t doc)
{
    if (x->used * 2 > x->size)
        grow(x);
    struct term *t = slot(x->terms, x->size, word ? word : 1);
    if (!t->word) {
        t->word = word ? word : 1;
        x->used++;
    }
    if (t->docs.n && t->docs.at[t->docs.n - 1].doc == doc) {
        t->docs.at[t->docs.n - 1].count++;
        return;
    }
    struct posting p = {doc, 1};
    VEC_PUSH(&t->docs, p);
}

void near_add(struct near_index *x, int64_t key, const char *text)
{
    uint64_t *words = xmalloc(ROUGE_WORDS * sizeof *words);
    size_t n = uni_words(text, words, ROUGE_WORDS);
    struct doc d = {key, x->words.n, (uint32_t)n};
    for (size_t i = 0; i < n; i++) {
        VEC_PUSH(&x->words, words[i]);
        post(x, words[i], (uint32_t)x->docs.n);
    }
    VEC_PUSH(&x->docs, d);
    free(words);
}

size_t near_count(const struct near_index *x)
{
    return x->docs.n;
}

struct bound {
    double f; /* no F can be above it */
    uint32_t doc;
};

static int by_bound(const void *a, const void *b)
{
    const struct bound *x = a, *y = b;
    if (x->f != y->f)
        return x->f > y->f ? -1 : 1;
    return x->doc < y->doc ? -1 : x->doc > y->doc;
}

/* Adds to overlap[] how many words (as a multiset) each doc shares. Terms in
 * more than `common` docs are left out. */
static void count_overlap(struct near_index *x, const uint64_t *words,
                          size_t n, size_t common)
{
    uint64_t *sorted = xmalloc((n ? n : 1) * sizeof *sorted);
    memcpy(sorted, words, n * sizeof *sorted);
    struct place *p = xmalloc((n ? n : 1) * sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = (struct place){words[i], i};
    qsort(p, n, sizeof *p, by_word);
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i; j < n && p[j].word == p[i].word; j++)
            ;
        struct term *t = slot(x->terms, x->size, p[i].word ? p[i].word : 1);
        uint32_t mine = (uint32_t)(j - i);
        for (size_t k = 0; k < t->docs.n && t->docs.n <= common; k++) {
            uint32_t c = t->docs.at[k].count;
            x->overlap[t->docs.at[k].doc] += c < mine ? c : mine;
        }
    }
    free(p);
    free(sorted);
}

/* The docs that share a word, the most promising first. */
static size_t candidates(struct near_index *x, size_t n, struct bound *out)
{
    size_t found = 0;
    for (size_t d = 0; d < x->docs.n; d++) {
        if (!x->overlap[d])
            continue;
        double f = 2.0 * x->overlap[d] / (double)(n + x->docs.at[d].n);
        out[found++] = (struct bound){f, (uint32_t)d};
    }
    qsort(out, found, sizeof *out, by_bound);
    return found;
}

static void clear_overlap(struct near_index *x)
{
    if (x->overlap_cap < x->docs.n) {
        x->overlap_cap = x->docs.cap;
        free(x->overlap);
        x->overlap = xmalloc(x->overlap_cap * sizeof *x->overlap);
    }
    if (x->docs.n)
        memset(x->overlap, 0, x->docs.n * sizeof *x->overlap);
}

struct near_hit near_find(struct near_index *x, const char *text,
                          size_t exact)
{
    struct near_hit best = {0, 0};
    uint64_t *words = xmalloc(ROUGE_WORDS * sizeof *words);
    size_t n = uni_words(text, words, ROUGE_WORDS);
    clear_overlap(x);
    bool all = x->docs.n <= exact;
    count_overlap(x, words, n, all ? SIZE_MAX : x->docs.n / 50);
    struct bound *order = xmalloc((x->docs.n ? x->docs.n : 1) * sizeof *order);
    size_t found = candidates(x, n, order);
    if (!all && found > 1000)
        found = 1000;
    uint32_t best_doc = UINT32_MAX;
    for (size_t i = 0; i < found && (!all || order[i].f >= best.f); i++) {
        const struct doc *d = &x->docs.at[order[i].doc];
        double f = rouge_l(words, n, x->words.at + d->from, d->n);
        if (f < best.f || (f == best.f && order[i].doc > best_doc))
            continue;
        best = (struct near_hit){f, d->key};
        best_doc = order[i].doc;
    }
    free(order);
    free(words);
    return best;
}
