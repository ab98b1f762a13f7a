/* A person's or a judge's order of an answer set, with ties, and the pairs
 * that follow from it.
 *
 * Written form: letters A.. best first, `=` between two that tie: "B A C=D".
 */
#ifndef DOMAIN_ORDER_H
#define DOMAIN_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ORDER_MAX 26

struct order {
    size_t n;
    int place[ORDER_MAX]; /* of the i-th answer, from 1; equal places tie */
};

/* Everyone in the order given: 1, 2, 3 ... */
struct order order_plain(size_t n);

/* Reads the written form over n answers; the last one may be implied where
 * nothing ties and exactly one is missing. Case does not count. */
bool order_parse(const char *text, size_t n, struct order *out,
                 struct err *e);

/* Writes it; out has room for 3 * n + 1 bytes. */
char *order_print(const struct order *o, char *out);

/* From scores, higher is better; equal scores tie. */
struct order order_of_scores(const double *scores, size_t n);

/* Puts what `more` says of n answers into `place` (places of both as in struct
 * order, 0 for an answer of which nothing is said): an answer that is new there
 * goes beside its neighbour in `more` that is known. False, and nothing is
 * changed, where the two contradict each other or share no answer. */
bool order_merge(int *place, const int *more, size_t n);

/* Moves answer i one place up (by = -1) or down (+1), past whoever stands
 * there; a tie is left first. False where it cannot move. */
bool order_move(struct order *o, size_t i, int by);

/* Ties answer i with the one just above it, or parts them where they tie. */
bool order_tie(struct order *o, size_t i);

/* The answers sorted by place (then by index) into out[n]. */
void order_list(const struct order *o, size_t *out);

/* Pairs: the best against each worse one. Calls fn(better, worse, weight)
 * with weights that add up to 1; none where all tie. Where several tie for
 * the first place the first shown stands for them. */
typedef void order_pair_fn(void *ctx, size_t better, size_t worse,
                           double weight);
void order_pairs(const struct order *o, order_pair_fn *fn, void *ctx);

#endif
