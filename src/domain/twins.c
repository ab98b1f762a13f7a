#include "domain/twins.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/uni.h"
#include "domain/lcs.h"

#define NONE UINT32_MAX
#define MOST_SHARED 3 /* tokens that a doc has to have met, where more would
                         not tell it apart any cheaper */
#define LONG_LIST 64  /* before a longer one some of it are compared: */
#define FIRST_FEW 16  /* as many as cost a part of reading it */
#define DONE UINT8_MAX

/* The second of a word in a text is a token of its own, so that a text is a
 * set of them. */
struct token {
    uint64_t hash;
    uint32_t docs; /* that have it */
    uint32_t seen; /* number of the text that has it, lately */
    uint32_t times;
};

struct doc {
    uint64_t from; /* of its words */
    uint32_t n;
};

struct posting {
    uint32_t doc;
    uint16_t at, size; /* its place in the doc's order; words of the doc */
};

struct twins {
    double limit;
    VEC(struct token) tokens;
    uint32_t *table; /* open addressing: tokens by hash */
    size_t size;
    uint32_t texts;      /* looked at so far */
    VEC(uint32_t) words; /* of all docs, as the tokens of the first of each */
    VEC(struct doc) docs; /* by length, once it is ready */
    /* from the first search on */
    bool ready;
    uint32_t *rank;    /* of a token, the rarest 0 */
    uint64_t *lists;   /* where the list of a rank begins; one more ends it */
    struct posting *postings;
    uint8_t *shared;   /* scratch, one a doc: tokens met; zero in between */
    uint32_t *mask_of; /* scratch, one a token: mask of a word; zero, too */
    struct near_effort effort;
};

struct twins *twins_new(double limit)
{
    must(limit > 0);
    struct twins *t = xcalloc(1, sizeof *t);
    t->limit = limit;
    t->size = 1024;
    t->table = xmalloc(t->size * sizeof *t->table);
    memset(t->table, 0xff, t->size * sizeof *t->table);
    return t;
}

void twins_free(struct twins **at)
{
    struct twins *t = *at;
    if (!t)
        return;
    VEC_FREE(&t->tokens);
    VEC_FREE(&t->words);
    VEC_FREE(&t->docs);
    free(t->table);
    free(t->rank);
    free(t->lists);
    free(t->postings);
    free(t->shared);
    free(t->mask_of);
    free(t);
    *at = NULL;
}

/* ---- Tokens ------------------------------------------------------------- */

static uint32_t *slot(const struct twins *t, uint64_t hash)
{
    size_t i = (size_t)(hash ^ hash >> 32) & (t->size - 1);
    while (t->table[i] != NONE && t->tokens.at[t->table[i]].hash != hash)
        i = (i + 1) & (t->size - 1);
    return &t->table[i];
}

static void grow(struct twins *t)
{
    t->size *= 2;
    free(t->table);
    t->table = xmalloc(t->size * sizeof *t->table);
    memset(t->table, 0xff, t->size * sizeof *t->table);
    for (size_t i = 0; i < t->tokens.n; i++)
        *slot(t, t->tokens.at[i].hash) = (uint32_t)i;
}

/* NONE where no doc has it; before the index is ready it is added. */
static uint32_t find_token(struct twins *t, uint64_t hash)
{
    uint32_t *at = slot(t, hash);
    if (*at != NONE || t->ready)
        return *at;
    struct token new = {.hash = hash};
    *at = (uint32_t)t->tokens.n;
    VEC_PUSH(&t->tokens, new);
    if (t->tokens.n * 2 > t->size)
        grow(t);
    return (uint32_t)t->tokens.n - 1;
}

/* The tokens of n words (each a token or NONE) that some doc has; how many. */
static size_t list_tokens(struct twins *t, const uint32_t *words, size_t n,
                          uint32_t *out)
{
    size_t k = 0;
    t->texts++;
    for (size_t i = 0; i < n; i++) {
        uint32_t id = words[i];
        if (id == NONE)
            continue;
        struct token *first = &t->tokens.at[id];
        first->times = first->seen == t->texts ? first->times + 1 : 1;
        first->seen = t->texts;
        if (first->times > 1)
            id = find_token(t, near_term(first->hash + first->times, 0));
        if (id != NONE)
            out[k++] = id;
    }
    return k;
}

/* The words of a text as tokens, NONE where it is in no doc; how many. */
static size_t read_words(struct twins *t, const char *text, uint32_t *out)
{
    uint64_t *hashes = xmalloc(ROUGE_WORDS * sizeof *hashes);
    size_t n = uni_words(text, hashes, ROUGE_WORDS);
    for (size_t i = 0; i < n; i++)
        out[i] = find_token(t, hashes[i]);
    free(hashes);
    return n;
}

void twins_add(struct twins *t, const char *text)
{
    must(!t->ready);
    uint32_t *words = xmalloc(2 * ROUGE_WORDS * sizeof *words);
    uint32_t *tokens = words + ROUGE_WORDS;
    size_t n = read_words(t, text, words);
    struct doc d = {t->words.n, (uint32_t)n};
    size_t k = list_tokens(t, words, n, tokens);
    for (size_t i = 0; i < k; i++)
        t->tokens.at[tokens[i]].docs++;
    for (size_t i = 0; i < n; i++)
        VEC_PUSH(&t->words, words[i]);
    if (n)
        VEC_PUSH(&t->docs, d);
    free(words);
}

/* ---- The index ---------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int by_docs(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static int by_length(const void *a, const void *b)
{
    const struct doc *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

static void rank_tokens(struct twins *t)
{
    size_t n = t->tokens.n;
    uint64_t *order = xmalloc((n + 1) * sizeof *order);
    t->rank = xmalloc((n + 1) * sizeof *t->rank);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint64_t)t->tokens.at[i].docs << 32 | i;
    if (n)
        qsort(order, n, sizeof *order, by_docs);
    for (size_t i = 0; i < n; i++)
        t->rank[(uint32_t)order[i]] = (uint32_t)i;
    free(order);
}

/* Ranks of the known tokens, in their order; how many. */
static size_t list_ranks(struct twins *t, const uint32_t *words, size_t n,
                         uint32_t *out)
{
    size_t k = list_tokens(t, words, n, out);
    for (size_t i = 0; i < k; i++)
        out[i] = t->rank[out[i]];
    if (k)
        qsort(out, k, sizeof *out, by_number);
    return k;
}

/* How many tokens of a doc of m words have to be posted: those that may be
 * among the first few that it shares with whatever reaches the limit. */
static size_t depth(const struct twins *t, size_t m)
{
    size_t n = 1;
    while (n < m && lcs_to_reach(t->limit, n, m) > n)
        n++;
    size_t need = lcs_to_reach(t->limit, n, m);
    return need > m ? 0 : need < MOST_SHARED ? m : m - need + MOST_SHARED;
}

/* Counts the postings of each list, or puts them there. */
static void walk_docs(struct twins *t, bool put)
{
    uint32_t *ranks = xmalloc(ROUGE_WORDS * sizeof *ranks);
    size_t deep = 0;
    for (size_t i = 0; i < t->docs.n; i++) {
        const struct doc *d = &t->docs.at[i];
        if (!i || d->n != d[-1].n)
            deep = depth(t, d->n);
        list_ranks(t, t->words.at + d->from, d->n, ranks);
        for (size_t k = 0; k < deep; k++) {
            uint64_t *end = &t->lists[ranks[k] + 1];
            if (put)
                t->postings[*end] = (struct posting){
                    (uint32_t)i, (uint16_t)k, (uint16_t)d->n};
            ++*end;
        }
    }
    free(ranks);
}

static void make_ready(struct twins *t)
{
    t->ready = true;
    rank_tokens(t);
    if (t->docs.n)
        qsort(t->docs.at, t->docs.n, sizeof *t->docs.at, by_length);
    size_t n = t->tokens.n;
    uint64_t at = 0;
    t->lists = xcalloc(n + 1, sizeof *t->lists);
    walk_docs(t, false);
    for (size_t i = 0; i < n; i++) { /* of each: where it begins */
        uint64_t size = t->lists[i + 1];
        t->lists[i + 1] = at;
        at += size;
    }
    t->postings = xmalloc((at + 1) * sizeof *t->postings);
    walk_docs(t, true); /* and that is where the next one begins */
    t->shared = xcalloc(t->docs.n + 1, sizeof *t->shared);
    t->mask_of = xcalloc(n + 1, sizeof *t->mask_of);
}

/* ---- A search ----------------------------------------------------------- */

struct met {
    uint32_t doc, size; /* words of it, so that few docs are looked up */
};

struct search {
    struct twins *t;
    size_t n, blocks;
    uint32_t *words, *ranks; /* of the text; ROUGE_WORDS each */
    uint64_t *masks, *v;
    size_t unknown; /* tokens that no doc has: the first ones */
    double best;    /* 0: none yet */
    /* as the best one has it: lengths that can pass it, and for each how many
     * words have to be shared */
    size_t low, high;
    uint16_t need[ROUGE_WORDS + 1];
    /* longer docs than `open` are read no more: how many tokens were looked
     * up when this was so */
    size_t open;
    uint16_t read[ROUGE_WORDS + 1];
    VEC(struct met) met;
    size_t tally[MOST_SHARED + 1]; /* of docs by tokens met; most: or more */
    uint32_t top;                  /* has met most so far */
};

/* The range of lengths and their needs, after the best has changed. */
static void set_needs(struct search *q)
{
    size_t low = 0, high = 0;
    for (size_t m = q->low; m <= q->high; m++) {
        size_t need = q->best > 0 ? lcs_to_pass(q->best, q->n, m)
                                  : lcs_to_reach(q->t->limit, q->n, m);
        bool can = need <= q->n && need <= m;
        q->need[m] = (uint16_t)need;
        low = can && !low ? m : low;
        high = can ? m : high;
        if (!can && m > q->n)
            break;
    }
    q->low = low ? low : 1;
    q->high = high;
}

static void put_masks(struct search *q)
{
    size_t k = 0;
    q->blocks = LCS_BLOCKS(q->n);
    q->masks = xcalloc((q->n + 1) * q->blocks, sizeof *q->masks);
    q->v = xmalloc((q->blocks + 1) * sizeof *q->v);
    for (size_t i = 0; i < q->n; i++) {
        if (q->words[i] == NONE)
            continue;
        uint32_t *of = &q->t->mask_of[q->words[i]];
        if (!*of)
            *of = (uint32_t)++k;
        q->masks[*of * q->blocks + i / 64] |= (uint64_t)1 << (i % 64);
    }
}

/* Shared words in order; 0 where more than `spare` words of the doc stand
 * nowhere in the text. */
static size_t common(struct search *q, const struct doc *d, size_t spare)
{
    const uint32_t *words = q->t->words.at + d->from;
    memset(q->v, 0xff, q->blocks * sizeof *q->v);
    for (size_t j = 0; j < d->n; j++) {
        uint32_t of = q->t->mask_of[words[j]];
        if (of)
            lcs_step(q->v, q->masks + of * q->blocks, q->blocks);
        else if (!spare--)
            return 0;
    }
    return lcs_length(q->v, q->n);
}

/* Looks at a doc, once in a search. */
static void compare(struct search *q, uint32_t doc)
{
    const struct doc *d = &q->t->docs.at[doc];
    uint8_t *shared = &q->t->shared[doc];
    if (*shared == DONE || d->n < q->low || d->n > q->high)
        return;
    if (*shared)
        q->tally[*shared < MOST_SHARED ? *shared : MOST_SHARED]--;
    else
        VEC_PUSH(&q->met, ((struct met){doc, d->n}));
    *shared = DONE;
    q->t->effort.compared++;
    size_t need = q->need[d->n], len = common(q, d, d->n - need);
    if (len < need)
        return;
    q->best = 2.0 * (double)len / (double)(q->n + d->n);
    set_needs(q);
}

struct list {
    const struct posting *at;
    size_t n;
};

/* The first of the list from a length on. */
static size_t from_length(const struct posting *at, size_t n, size_t length)
{
    size_t low = 0;
    while (low < n) {
        size_t mid = low + (n - low) / 2;
        if (at[mid].size < length)
            low = mid + 1;
        else
            n = mid;
    }
    return low;
}

/* Of the list of the token at a place of the text the docs of some lengths. */
static struct list find_list(const struct search *q, size_t at, size_t low,
                             size_t high)
{
    const struct twins *t = q->t;
    uint32_t rank = q->ranks[at - q->unknown];
    struct list l = {t->postings + t->lists[rank],
                     (size_t)(t->lists[rank + 1] - t->lists[rank])};
    size_t from = from_length(l.at, l.n, low);
    size_t end = from_length(l.at, l.n, high + 1);
    return (struct list){l.at + from, end > from ? end - from : 0};
}

/* Meets the docs of a list; `at` is the token's place in the text. The j-th
 * token that two texts share has to leave room for the others in both. */
static void read_list(struct search *q, struct list l, size_t at)
{
    q->t->effort.read += l.n;
    for (size_t i = 0; i < l.n; i++) {
        struct posting p = l.at[i];
        uint8_t *shared = &q->t->shared[p.doc], was = *shared;
        size_t need = q->need[p.size];
        if (at + need > q->n + was || p.at + need > (size_t)p.size + was ||
            was >= DONE - 1)
            continue;
        if (!was)
            VEC_PUSH(&q->met, ((struct met){p.doc, p.size}));
        else
            q->tally[was < MOST_SHARED ? was : MOST_SHARED]--;
        *shared = was + 1;
        q->tally[was + 1 < MOST_SHARED ? was + 1 : MOST_SHARED]++;
        if (q->top == NONE || *shared > q->t->shared[q->top] ||
            q->t->shared[q->top] == DONE)
            q->top = p.doc;
    }
}

/* Docs of no more words than this have room for `at` tokens of the text that
 * they do not share, where they may share `some` of these. */
static size_t longest(const struct search *q, size_t at, size_t some)
{
    size_t m = q->open < q->high ? q->open : q->high;
    while (m >= q->low && at + q->need[m] > q->n + some)
        m--;
    return m;
}

/* Lengths that are read on at a token: those that may bring somebody new, and
 * others while that costs less than to compare whom they brought. */
static size_t choose_longest(const struct search *q, size_t at)
{
    size_t some = MOST_SHARED - 1, alive = 0;
    for (size_t k = 1; k <= MOST_SHARED; k++)
        alive += q->tally[k];
    if (!alive)
        return longest(q, at, 0);
    while (some && !q->tally[some] && !q->tally[some + 1])
        some--;
    size_t must = longest(q, at, 0), may = longest(q, at, some);
    struct list more = find_list(q, at, must + 1, may);
    return more.n < alive * q->n ? may : must;
}

/* Compares who leads and some of the list of a token, so that it may not have
 * to be read. */
static void compare_some(struct search *q, size_t at, struct list l)
{
    size_t most = 1 + l.n / (q->n * FIRST_FEW);
    double best = q->best;
    if (q->top != NONE)
        compare(q, q->top);
    for (size_t k = 1; k <= most; k++) {
        if (q->best > best)
            l = find_list(q, at, q->low, choose_longest(q, at));
        if (l.n <= LONG_LIST)
            break;
        best = q->best;
        compare(q, l.at[(k * 2654435761u >> 7) % l.n].doc);
    }
}

/* Reads lists, the rarest token first. */
static void read_lists(struct search *q, size_t known)
{
    for (size_t i = 0; i < known && q->open >= q->low; i++) {
        size_t at = q->unknown + i, open = choose_longest(q, at);
        struct list l = find_list(q, at, q->low, open);
        if (l.n > LONG_LIST) {
            compare_some(q, at, l);
            open = choose_longest(q, at);
            l = find_list(q, at, q->low, open);
        }
        for (; q->open > open; q->open--)
            q->read[q->open] = (uint16_t)at;
        read_list(q, l, at);
    }
    for (; q->open >= q->low; q->open--)
        q->read[q->open] = (uint16_t)q->n;
}

/* How many tokens a doc of m words has to have met. */
static size_t to_be_met(const struct search *q, size_t m)
{
    size_t left = q->n - q->read[m], need = q->need[m];
    size_t most = need < MOST_SHARED ? need : MOST_SHARED;
    size_t want = need > left ? need - left : 1;
    return want < most ? want : most;
}

static void compare_met(struct search *q)
{
    if (q->top != NONE)
        compare(q, q->top);
    for (size_t i = 0; i < q->met.n && q->low <= q->high; i++) {
        struct met m = q->met.at[i];
        uint8_t shared = q->t->shared[m.doc];
        if (shared != DONE && m.size >= q->low && m.size <= q->high &&
            shared >= to_be_met(q, m.size))
            compare(q, m.doc);
    }
}

static void forget(struct search *q)
{
    for (size_t i = 0; i < q->met.n; i++)
        q->t->shared[q->met.at[i].doc] = 0;
    for (size_t i = 0; i < q->n; i++)
        if (q->words[i] != NONE)
            q->t->mask_of[q->words[i]] = 0;
    VEC_FREE(&q->met);
    free(q->masks);
    free(q->v);
}

double twins_find(struct twins *t, const char *text)
{
    if (!t->ready)
        make_ready(t);
    struct search *q = xcalloc(1, sizeof *q);
    uint32_t *words = xmalloc(2 * ROUGE_WORDS * sizeof *words);
    *q = (struct search){.t = t, .words = words, .top = NONE,
                         .ranks = words + ROUGE_WORDS,
                         .low = 1, .high = ROUGE_WORDS};
    q->n = read_words(t, text, words);
    set_needs(q);
    put_masks(q);
    size_t known = list_ranks(t, words, q->n, q->ranks);
    q->unknown = q->n - known;
    q->open = q->high;
    read_lists(q, known);
    compare_met(q);
    double best = q->best;
    forget(q);
    free(words);
    free(q);
    return best;
}

struct near_effort twins_effort(const struct twins *t)
{
    return t->effort;
}
