/* How alike two prompts are: ROUGE-L's F measure (Lin 2004) over Unicode
 * words, case folded; and an index that finds the nearest of many, exactly.
 */
#ifndef DOMAIN_ROUGE_H
#define DOMAIN_ROUGE_H

#include <stddef.h>
#include <stdint.h>

/* Words of a prompt that are looked at; longer ones are cut there. */
#define ROUGE_WORDS 4096

/* 2·LCS/(n+m) over the word hashes of base/uni.h; 0 where either is empty.
 * Bit-parallel longest common subsequence (Hyyrö 2004). */
double rouge_l(const uint64_t *a, size_t n, const uint64_t *b, size_t m);

/* The same from two texts. */
double rouge_l_text(const char *a, const char *b);

/* An index over prompts. `key` is the caller's (a sample's or seed's id). */
struct near_index;

struct near_hit {
    double f;    /* 0 where the index is empty or nothing is shared */
    int64_t key; /* of the nearest; the first added where several tie */
};

/* An empty index, freed with near_free; adds a text under a key. */
struct near_index *near_new(void);
void near_free(struct near_index **x);
void near_add(struct near_index *x, int64_t key, const char *text);

/* The nearest prompt in the index. Exact up to `exact` prompts; above that
 * over the 1,000 that share most rare words (NEAR_EXACT is the design's). */
#define NEAR_EXACT 100000
struct near_hit near_find(struct near_index *x, const char *text,
                          size_t exact);
/* The same, where only an F of at least `floor` is of interest: {0, 0} where
 * there is none. The higher the floor the less is read. */
struct near_hit near_find_from(struct near_index *x, const char *text,
                               size_t exact, double floor);

/* What all searches so far have cost: postings read, texts compared. */
struct near_effort {
    uint64_t read, compared;
};
struct near_effort near_effort(const struct near_index *x);

#endif
