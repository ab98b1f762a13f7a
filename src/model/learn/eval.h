/* How well a student does on rows that it was not trained on: the loss of
 * the answers' tokens, and where a verifier can tell (domain/verifier.h), how
 * many of its greedy answers are right. Free text has the loss alone.
 */
#ifndef MODEL_LEARN_EVAL_H
#define MODEL_LEARN_EVAL_H

#include <stdbool.h>

#include "model/learn/rows.h"
#include "model/net/llama.h"
#include "model/net/pool.h"

struct verdict {
    char *text;  /* the greedy answer; NULL: it was not asked */
    bool likely; /* every token of the expected answer is the likeliest */
    bool marked; /* `right` says something */
    bool right;
    double loss; /* the sum over the row's targets */
};

struct figures {
    double loss;  /* mean over all targets */
    double exact; /* share of right answers; NAN: none was marked */
    size_t rows, marked, right;
    int64_t tokens; /* read and generated */
};

/* Chooses what an evaluation of the rows may cost in tokens, `most` (0: any):
 * drops rows from the end where already reading takes more, then picks, from
 * the first on, which are answered: those that can be marked, or where there
 * are none a few for the eye. `context` is the model's. */
void eval_choose(struct items *d, int64_t most, int context);

/* What an evaluation of them takes at most, with the chosen answers. */
int64_t eval_cost(const struct items *d, int context);

/* Judges every row into out[d->n] (the caller frees with verdicts_free), by
 * the loss alone, or with the answers too.
 * Where every token of the answer is the likeliest one behind the true
 * prefix, the greedy answer is the answer and is not generated again. All
 * workers of the pool take packs of rows together, in k's room; then as many
 * threads answer many rows at once. */
bool eval_run(const struct llama *m, const struct tokenizer *t,
              const struct items *d, bool answered, struct pool *pool,
              struct work *k, struct verdict *out, struct figures *f,
              struct err *e);
void verdicts_free(struct verdict *v, size_t n);

#endif
