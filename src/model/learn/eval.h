/* How well a student does on rows that it was not trained on: the loss of
 * the answers' tokens, and how many of its greedy answers are right by the
 * verifier `final` (domain/verifier.h).
 */
#ifndef MODEL_LEARN_EVAL_H
#define MODEL_LEARN_EVAL_H

#include <stdbool.h>

#include "model/learn/rows.h"
#include "model/net/llama.h"
#include "model/net/pool.h"

struct verdict {
    char *text; /* the greedy answer */
    bool right;
    double loss; /* the sum over the row's targets */
};

struct figures {
    double loss;  /* mean over all targets */
    double exact; /* share of right answers */
    size_t rows, right; /* rows that have an answer */
};

/* Judges every row into out[d->n] (the caller frees with verdicts_free).
 * Where every token of the answer is the likeliest one behind the true
 * prefix, the greedy answer is the answer and is not generated again. All
 * workers of the pool take packs of rows together, in k's room; then as many
 * threads answer many rows at once. */
bool eval_run(const struct llama *m, const struct tokenizer *t,
              const struct items *d, struct pool *pool, struct work *k,
              struct verdict *out, struct figures *f, struct err *e);
void verdicts_free(struct verdict *v, size_t n);

#endif
