#include "domain/rouge.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uni.h"
#include "domain/lcs.h"

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

/* A text that many are held against: its words sorted once. */
struct pattern {
    size_t n, blocks;
    struct place *places;
    uint64_t *v, *mask;
};

static void pattern_open(struct pattern *p, const uint64_t *a, size_t n)
{
    *p = (struct pattern){.n = n, .blocks = LCS_BLOCKS(n)};
    p->places = xmalloc((n + 1) * sizeof *p->places);
    p->v = xmalloc((p->blocks + 1) * sizeof *p->v);
    p->mask = xcalloc(p->blocks + 1, sizeof *p->mask);
    for (size_t i = 0; i < n; i++)
        p->places[i] = (struct place){a[i], i};
    if (n)
        qsort(p->places, n, sizeof *p->places, by_word);
}

static void pattern_close(struct pattern *p)
{
    free(p->places);
    free(p->v);
    free(p->mask);
}

static size_t pattern_lcs(struct pattern *p, const uint64_t *b, size_t m)
{
    const struct place *at = p->places;
    memset(p->v, 0xff, p->blocks * sizeof *p->v);
    for (size_t j = 0; j < m; j++) {
        size_t from = first_place(at, p->n, b[j]), i = from;
        for (; i < p->n && at[i].word == b[j]; i++)
            p->mask[at[i].at / 64] |= (uint64_t)1 << (at[i].at % 64);
        if (i == from)
            continue;
        lcs_step(p->v, p->mask, p->blocks);
        for (i = from; i < p->n && at[i].word == b[j]; i++)
            p->mask[at[i].at / 64] = 0;
    }
    return lcs_length(p->v, p->n);
}

static double pattern_f(struct pattern *p, const uint64_t *b, size_t m)
{
    if (!p->n || !m)
        return 0;
    return 2.0 * (double)pattern_lcs(p, b, m) / (double)(p->n + m);
}

double rouge_l(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    struct pattern p;
    pattern_open(&p, a, n);
    double f = pattern_f(&p, b, m);
    pattern_close(&p);
    return f;
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

/* ---- The index ----------------------------------------------------------
 *
 * Words are posted by word and length of the text, for the length says how
 * many words two texts have to share: F of at least f over n and m words
 * wants f(n+m)/2 of them. So a search reads the lists of its rarest words
 * only: who stands in none of these shares too few of the rest.
 *
 * A doc is known by its number: those of the part below come first, those that
 * were added after them.
 */

typedef VEC(uint32_t) postings; /* as NEAR_POSTING has them */

struct term {
    uint64_t id; /* 0: free */
    postings docs;
};

struct near_index {
    const struct near_below *below; /* NULL where there is none */
    uint32_t first;                 /* number of the first doc that is ours */
    VEC(struct near_doc) docs;
    VEC(uint64_t) words;
    bool groups[NEAR_GROUPS]; /* which have docs */
    bool failed;              /* something below could not be read */
    struct term *terms;  /* open addressing */
    size_t size, used;
    uint32_t *overlap; /* scratch, one a doc, zero between searches */
    size_t overlap_cap;
    struct near_effort effort;
};

/* Exact lengths up to 15, then eight to the octave. */
size_t near_group(size_t n)
{
    size_t octave = 4;
    if (n < 16)
        return n;
    while (n >> (octave + 1))
        octave++;
    return 16 + (octave - 4) * 8 + (n >> (octave - 3) & 7);
}

static size_t group_low(size_t g)
{
    return g < 16 ? g : (8 + (g - 16) % 8) << ((g - 16) / 8 + 1);
}

struct near_index *near_new(const struct near_below *below)
{
    struct near_index *x = xcalloc(1, sizeof *x);
    x->below = below;
    x->first = below ? (uint32_t)below->n : 0;
    if (below)
        memcpy(x->groups, below->groups, sizeof x->groups);
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
    VEC_FREE(&(*x)->docs);
    VEC_FREE(&(*x)->words);
    free((*x)->terms);
    free((*x)->overlap);
    free(*x);
    *x = NULL;
}

uint64_t near_term(uint64_t word, size_t group)
{
    word *= 0xff51afd7ed558ccdu;
    word ^= word >> 32;
    word *= 0xc4ceb9fe1a85ec53u;
    return (word & ~(uint64_t)127) | group;
}

static struct term *slot(struct term *terms, size_t size, uint64_t id)
{
    size_t i = (size_t)((id >> 7) ^ (id & 127) * 0x9e3779b9u) & (size - 1);
    while (terms[i].id && terms[i].id != id)
        i = (i + 1) & (size - 1);
    return &terms[i];
}

static void grow(struct near_index *x)
{
    size_t size = x->size * 2;
    struct term *terms = xcalloc(size, sizeof *terms);
    for (size_t i = 0; i < x->size; i++)
        if (x->terms[i].id)
            *slot(terms, size, x->terms[i].id) = x->terms[i];
    free(x->terms);
    x->terms = terms;
    x->size = size;
}

static void post(struct near_index *x, uint64_t id, uint32_t doc)
{
    if (x->used * 2 > x->size)
        grow(x);
    struct term *t = slot(x->terms, x->size, id);
    if (!t->id) {
        t->id = id;
        x->used++;
    }
    uint32_t *last = t->docs.n ? &t->docs.at[t->docs.n - 1] : NULL;
    if (last && NEAR_DOC(*last) == doc)
        *last += NEAR_COUNT(*last) < NEAR_MANY;
    else
        VEC_PUSH(&t->docs, NEAR_POSTING(doc, 1));
}

void near_add(struct near_index *x, int64_t key, const char *text)
{
    uint64_t *words = xmalloc(ROUGE_WORDS * sizeof *words);
    size_t n = uni_words(text, words, ROUGE_WORDS), g = near_group(n);
    struct near_doc d = {key, x->words.n};
    for (size_t i = 0; i < n; i++) {
        VEC_PUSH(&x->words, words[i]);
        post(x, near_term(words[i], g), x->first + (uint32_t)x->docs.n);
    }
    x->groups[g] = true;
    VEC_PUSH(&x->docs, d);
    free(words);
}

bool near_failed(const struct near_index *x)
{
    return x->failed;
}

size_t near_added(const struct near_index *x)
{
    return x->words.n;
}

struct near_effort near_effort(const struct near_index *x)
{
    return x->effort;
}

/* ---- Docs by their number ----------------------------------------------- */

static size_t n_docs(const struct near_index *x)
{
    return x->first + x->docs.n;
}

static const struct near_doc *doc_at(const struct near_index *x, uint32_t d)
{
    return d < x->first ? &x->below->docs[d] : &x->docs.at[d - x->first];
}

/* How many words it has. */
static size_t doc_size(const struct near_index *x, uint32_t d)
{
    const struct near_doc *doc = doc_at(x, d);
    uint64_t end = d < x->first || d + 1 < n_docs(x) ? doc[1].from
                                                     : x->words.n;
    return (size_t)(end - doc->from);
}

/* Its words, NULL where they cannot be read. */
static const uint64_t *doc_words(struct near_index *x, uint32_t d, size_t n)
{
    const struct near_doc *doc = doc_at(x, d);
    if (d >= x->first)
        return x->words.at + doc->from;
    const uint64_t *words = x->below->words(x->below->ctx, doc->from, n);
    x->failed = x->failed || !words;
    return words;
}

/* ---- A search ----------------------------------------------------------- */

#define NOBODY UINT32_MAX
#define LONG_LIST 64     /* before a longer one a look is taken at who leads */
#define STEPS_A_WORD 4   /* of a comparison, in postings read */
#define MOST_ROUGHLY 1000 /* comparisons where the search is not exact */

/* One of the words asked for, and how often it is. */
struct asked {
    uint64_t word;
    uint32_t count;
    struct near_list below; /* of the group at hand */
    const postings *docs;
    size_t n; /* of both */
};

struct bound {
    double f; /* no F can be above it */
    uint32_t doc;
};

struct search {
    struct near_index *x;
    struct pattern p;
    struct asked *asked;
    size_t n_asked;
    size_t longest;      /* list that is read; SIZE_MAX: all are */
    size_t budget;       /* comparisons that are left */
    double best;         /* nothing under it is looked for */
    uint32_t best_doc;   /* the first added with it; NOBODY yet */
    uint32_t top, looked; /* shares most so far; was compared last */
    VEC(uint32_t) met;   /* docs with an overlap */
    size_t *tally;       /* of docs by overlap, 0..n */
};

static void compare(struct search *q, uint32_t doc)
{
    size_t n = doc_size(q->x, doc);
    q->looked = doc;
    if (!q->budget)
        return;
    const uint64_t *words = doc_words(q->x, doc, n);
    if (!words)
        return;
    q->budget--;
    q->x->effort.compared++;
    double f = pattern_f(&q->p, words, n);
    if (f > q->best || (f == q->best && doc < q->best_doc)) {
        q->best = f;
        q->best_doc = doc;
    }
}

/* The distinct words of the text. */
static void list_asked(struct search *q)
{
    const struct place *at = q->p.places;
    q->asked = xmalloc((q->p.n + 1) * sizeof *q->asked);
    for (size_t i = 0, j; i < q->p.n; i = j) {
        for (j = i; j < q->p.n && at[j].word == at[i].word; j++)
            ;
        q->asked[q->n_asked++] =
            (struct asked){.word = at[i].word, .count = (uint32_t)(j - i)};
    }
}

static int rarest_first(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->word < y->word ? -1 : x->word > y->word;
}

/* Postings of a list below, NULL where they cannot be read. */
static const uint32_t *list_below(struct near_index *x,
                                  const struct near_list *l, size_t n)
{
    const uint32_t *at = x->below->postings(x->below->ctx, l->at, n);
    x->failed = x->failed || !at;
    return at;
}

static void read_some(struct search *q, const uint32_t *at, size_t n,
                      uint32_t count, uint32_t until)
{
    uint32_t *overlap = q->x->overlap;
    for (size_t i = 0; i < n; i++) {
        uint32_t doc = NEAR_DOC(at[i]), has = NEAR_COUNT(at[i]);
        uint32_t was = overlap[doc];
        if (!was && (doc >= until || !doc_at(q->x, doc)->key))
            continue;
        if (!was)
            VEC_PUSH(&q->met, doc);
        uint32_t now = was + (has < count && has < NEAR_MANY ? has : count);
        now = now < q->p.n ? now : (uint32_t)q->p.n;
        overlap[doc] = now;
        q->tally[was]--; /* of 0 it means nothing */
        q->tally[now]++;
        if (q->top == NOBODY || now > overlap[q->top])
            q->top = doc;
    }
}

/* Adds the word to the overlaps; docs from `until` on only where they have
 * one already. */
static void read_list(struct search *q, const struct asked *a,
                      uint32_t until)
{
    const uint32_t *below =
        a->below.n ? list_below(q->x, &a->below, a->below.n) : NULL;
    if (below)
        read_some(q, below, a->below.n, a->count, until);
    read_some(q, a->docs->at, a->docs->n, a->count, until);
    q->x->effort.read += a->n;
}

/* The first doc of a list. */
static uint32_t first_of(struct search *q, const struct asked *a)
{
    const uint32_t *at = a->below.n ? list_below(q->x, &a->below, 1)
                                    : a->docs->at;
    uint32_t doc = at ? NEAR_DOC(*at) : NOBODY;
    return at && doc_at(q->x, doc)->key ? doc : NOBODY;
}

/* Docs that may still pass the best one, where `left` words were not read. */
static size_t count_alive(const struct search *q, size_t left, size_t low)
{
    size_t need = lcs_to_pass(q->best, q->p.n, low), n = 0;
    for (size_t i = need > left ? need - left : 1; i <= q->p.n; i++)
        n += q->tally[i];
    return n;
}

/* The docs that are new to the search and still of use end before this one:
 * all, where one can pass the best; those added before it, where one can only
 * tie; none. */
static uint32_t useful_until(const struct search *q, size_t left, size_t low)
{
    return left >= lcs_to_pass(q->best, q->p.n, low)    ? NOBODY
           : left >= lcs_to_reach(q->best, q->p.n, low) ? q->best_doc
                                                    : 0;
}

/* Reads lists while they may bring somebody or tell those apart that they
 * brought; how many words were left unread. */
static size_t read_lists(struct search *q, size_t low)
{
    size_t left = q->p.n;
    for (size_t i = 0; i < q->n_asked; i++) {
        const struct asked *a = &q->asked[i];
        if (a->n > q->longest)
            break;
        if (a->n > LONG_LIST) {
            uint32_t first = first_of(q, a);
            if (q->top != NOBODY && q->top != q->looked)
                compare(q, q->top);
            if (first != NOBODY && first != q->looked)
                compare(q, first);
        }
        uint32_t until = useful_until(q, left, low);
        if (!until && count_alive(q, left, low) * low * STEPS_A_WORD <=
                          a->n)
            break;
        read_list(q, a, until);
        left -= a->count;
    }
    return left;
}

static bool before(const struct bound *a, const struct bound *b)
{
    return a->f != b->f ? a->f > b->f : a->doc < b->doc;
}

/* Restores the heap below i. */
static void sift(struct bound *heap, size_t n, size_t i)
{
    for (size_t k; (k = 2 * i + 1) < n; i = k) {
        k += k + 1 < n && before(&heap[k + 1], &heap[k]);
        if (!before(&heap[k], &heap[i]))
            return;
        struct bound was = heap[i];
        heap[i] = heap[k];
        heap[k] = was;
    }
}

static bool is_worth(const struct search *q, const struct bound *b)
{
    return b->f > q->best || (b->f == q->best && b->doc < q->best_doc);
}

/* Compares those that were met, the most promising first, down to the first
 * that cannot be better. */
static void compare_met(struct search *q, size_t left, size_t low)
{
    struct bound *heap = xmalloc((q->met.n + 1) * sizeof *heap);
    size_t n = 0, need = lcs_to_reach(q->best, q->p.n, low);
    for (size_t i = 0; i < q->met.n; i++) {
        uint32_t d = q->met.at[i];
        size_t most = q->x->overlap[d] + left;
        if (most < need)
            continue;
        size_t m = doc_size(q->x, d);
        most = most < m ? most : m;
        most = most < q->p.n ? most : q->p.n;
        heap[n] = (struct bound){2.0 * (double)most / (double)(q->p.n + m),
                                 d};
        n += is_worth(q, &heap[n]);
    }
    for (size_t i = n / 2; i > 0; i--)
        sift(heap, n, i - 1);
    while (n && q->budget && is_worth(q, &heap[0])) {
        compare(q, heap[0].doc);
        heap[0] = heap[--n];
        sift(heap, n, 0);
    }
    free(heap);
}

static void forget_met(struct search *q)
{
    for (size_t i = 0; i < q->met.n; i++)
        q->x->overlap[q->met.at[i]] = 0;
    memset(q->tally, 0, (q->p.n + 1) * sizeof *q->tally);
    q->met.n = 0;
    q->top = NOBODY;
}

/* What no text of the group can pass. */
static double group_most(size_t g, size_t n)
{
    size_t low = group_low(g), high = group_low(g + 1) - 1;
    size_t m = high < n ? high : low > n ? low : n;
    return 2.0 * (double)(m < n ? m : n) / (double)(m + n);
}

/* The lists of a word among the texts of a group. */
static void look_up(struct near_index *x, struct asked *a, size_t g)
{
    uint64_t id = near_term(a->word, g);
    a->below = (struct near_list){.n = 0};
    if (x->below && !x->below->list(x->below->ctx, id, &a->below))
        x->failed = true;
    a->docs = &slot(x->terms, x->size, id)->docs;
    a->n = a->below.n + a->docs->n;
}

static void search_group(struct search *q, size_t g)
{
    struct near_index *x = q->x;
    if (!x->groups[g] || group_most(g, q->p.n) < q->best)
        return;
    for (size_t i = 0; i < q->n_asked; i++)
        look_up(x, &q->asked[i], g);
    qsort(q->asked, q->n_asked, sizeof *q->asked, rarest_first);
    size_t left = read_lists(q, group_low(g));
    compare_met(q, left, group_low(g));
    forget_met(q);
}

static void make_room(struct near_index *x)
{
    if (x->overlap_cap >= n_docs(x))
        return;
    free(x->overlap);
    x->overlap_cap = x->first + x->docs.cap;
    x->overlap = xcalloc(x->overlap_cap, sizeof *x->overlap);
}

struct near_hit near_find_from(struct near_index *x, const char *text,
                               size_t exact, double floor)
{
    uint64_t *words = xmalloc(ROUGE_WORDS * sizeof *words);
    size_t n = uni_words(text, words, ROUGE_WORDS), g = near_group(n);
    size_t live = (x->below ? x->below->live : 0) + x->docs.n;
    bool all = live <= exact;
    struct search q = {.x = x, .longest = all ? SIZE_MAX : live / 50,
                       .budget = all ? SIZE_MAX : MOST_ROUGHLY,
                       .best = floor, .best_doc = NOBODY, .top = NOBODY,
                       .looked = NOBODY};
    make_room(x);
    pattern_open(&q.p, words, n);
    list_asked(&q);
    q.tally = xcalloc(n + 1, sizeof *q.tally);
    /* the likest lengths first */
    for (size_t by = 0; n && by < NEAR_GROUPS; by++) {
        if (by <= g)
            search_group(&q, g - by);
        if (by && g + by < NEAR_GROUPS)
            search_group(&q, g + by);
    }
    pattern_close(&q.p);
    VEC_FREE(&q.met);
    free(q.asked);
    free(q.tally);
    free(words);
    struct near_hit hit = {.approximate = !all};
    if (q.best_doc != NOBODY) {
        hit.f = q.best;
        hit.key = doc_at(x, q.best_doc)->key;
    }
    return hit;
}

struct near_hit near_find(struct near_index *x, const char *text,
                          size_t exact)
{
    return near_find_from(x, text, exact, 0);
}
