/* How alike two prompts are: ROUGE-L's F measure (Lin 2004) over Unicode
 * words, case folded; and an index that finds the nearest of many, exactly.
 */
#ifndef DOMAIN_ROUGE_H
#define DOMAIN_ROUGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words of a prompt that are looked at; longer ones are cut there. */
#define ROUGE_WORDS 4096

/* 2·LCS/(n+m) over the word hashes of base/uni.h; 0 where either is empty.
 * Bit-parallel longest common subsequence (Hyyrö 2004). */
double rouge_l(const uint64_t *a, size_t n, const uint64_t *b, size_t m);

/* The same from two texts. */
double rouge_l_text(const char *a, const char *b);

/* An index over prompts. `key` is the caller's (a sample's or seed's id, never
 * 0). */
struct near_index;

struct near_hit {
    double f;    /* 0 where the index is empty or nothing is shared */
    int64_t key; /* of the nearest; the first added where several tie */
    bool approximate; /* there are too many to look at all that share words */
};

/* What an index is made of: prompts, and for each term (a word among the
 * texts of a group, by their length) the list of those that hold it, in their
 * order. Two terms that meet in one number only make a bound looser. */
#define NEAR_GROUPS (16 + 9 * 8)
size_t near_group(size_t words);
uint64_t near_term(uint64_t word, size_t group);

/* One of a list: the prompt's number and how often it has the word, NEAR_MANY
 * times or more being one. */
#define NEAR_MANY 15u
#define NEAR_POSTING(doc, count) ((uint32_t)((doc) << 4 | (count)))
#define NEAR_DOC(posting) ((posting) >> 4)
#define NEAR_COUNT(posting) ((posting) & 15u)

struct near_doc {
    int64_t key;   /* 0: passed over */
    uint64_t from; /* of its words; those of the next one end them */
};

struct near_list {
    uint64_t at;
    size_t n;
};

/* A part of an index that lies elsewhere: prompts that come before all that
 * are added. docs[n] ends the words of the last one. What the functions give
 * is borrowed until the next call of any; NULL or false: it cannot be read. */
struct near_below {
    const struct near_doc *docs;
    size_t n, live; /* live: not passed over */
    bool groups[NEAR_GROUPS]; /* which have prompts */
    void *ctx;
    bool (*list)(void *ctx, uint64_t term, struct near_list *out);
    const uint32_t *(*postings)(void *ctx, uint64_t at, size_t n);
    const uint64_t *(*words)(void *ctx, uint64_t from, size_t n);
};

/* An empty index, or one that stands on a part of elsewhere (borrowed, NULL:
 * none); freed with near_free. Adds a text under a key. */
struct near_index *near_new(const struct near_below *below);
void near_free(struct near_index **x);
void near_add(struct near_index *x, int64_t key, const char *text);

/* Whether something below could not be read: what was found since is void. */
bool near_failed(const struct near_index *x);
/* How many words were added. */
size_t near_added(const struct near_index *x);

/* The nearest prompt in the index. Exact up to `exact` prompts; above that
 * over the 1,000 that share most rare words (NEAR_EXACT is the design's). */
#define NEAR_EXACT 100000
struct near_hit near_find(struct near_index *x, const char *text,
                          size_t exact);
/* The same, where only an F of at least `floor` is of interest: F and key are
 * 0 where there is none. The higher the floor the less is read. */
struct near_hit near_find_from(struct near_index *x, const char *text,
                               size_t exact, double floor);

/* What all searches so far have cost: postings read, texts compared. */
struct near_effort {
    uint64_t read, compared;
};
struct near_effort near_effort(const struct near_index *x);

#endif
