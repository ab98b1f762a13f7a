/* Many answers at once from one model. One thread of the engine's reads the
 * prompts, a stretch of one at a time, and between them gives every answer its
 * next token in one pass; who asks waits for tokens, never for other answers.
 * The same prompt, settings and seed give the same tokens whatever else is
 * being answered.
 */
#ifndef MODEL_LEARN_ENGINE_H
#define MODEL_LEARN_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/net/decode.h"
#include "model/net/sample.h"
#include "model/token/tokenizer.h"

enum { ENGINE_TOP = 128 }; /* alternatives that may be told of a token */

struct engine;

/* Model and tokenizer are borrowed. `workers` threads do the passes; with
 * another engine, which has to outlive this one, they are its threads, and
 * the two take turns. NULL with the reason. */
struct engine *engine_new(const struct llama *m, const struct tokenizer *t,
                          int workers, struct engine *with, struct err *e);
/* Answers that still run end; nobody may wait for one any more. */
void engine_free(struct engine **g);
/* Makes answers that still run end soon. Safe from any thread. */
void engine_stop(struct engine *g);

/* What is asked: copied, the prompt and the biases too. */
struct ask {
    const int32_t *ids; /* the prompt, [n] */
    int n, max;         /* tokens of the answer at most */
    struct sampling sampling;
    struct penalties penalties;
    uint64_t seed;
    int top; /* alternatives told of each token; -1: no probabilities */
    bool json; /* the answer is one JSON object, and ends with it */
};

/* A token of an answer. logprob and the likeliest ones are those of the model
 * itself, before temperature and penalties. */
struct drawn {
    int32_t id;
    double logprob;
    int n;
    struct alternative *top; /* [n], the caller frees */
};

enum engine_end {
    ENGINE_GOES_ON,
    ENGINE_DONE,   /* the model ended it */
    ENGINE_FULL,   /* it has as many tokens as it may */
    ENGINE_STOPPED, /* the engine is being stopped */
    ENGINE_BROKEN   /* the model's logits are no numbers */
};

struct answering;
/* Begins an answer; NULL where memory is short. Prompt and answer fit the
 * model's context. */
struct answering *engine_ask(struct engine *g, const struct ask *a,
                             struct err *e);
/* What to say of ENGINE_BROKEN. */
extern const char engine_broken[];

/* Waits for the next token: ENGINE_GOES_ON and one more, or how it ended. */
enum engine_end engine_next(struct answering *a, struct drawn *out);
/* Ends it, finished or not. */
void engine_finish(struct answering **a);

/* How many tokens of its prompt were not read anew, as another one had begun
 * with the same; known with the first token. */
int engine_cached(const struct answering *a);

#endif
