/* What stands behind the server: something that answers messages piece by
 * piece. The server pulls; an answerer never waits for a reader. Several
 * threads may call `start` at once, so an answerer that can do one thing at
 * a time has a lock of its own.
 */
#ifndef SERVE_ANSWERER_H
#define SERVE_ANSWERER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "domain/chat.h"
#include "model/net/llama.h"
#include "model/net/sample.h"
#include "model/token/tokenizer.h"

/* One question; borrowed for as long as the answer runs. */
struct question {
    const char *model; /* one of the answerer's, or NULL: the first */
    const struct chat *messages;
    const char *variables; /* more of the chat template's: a JSON object, or
                              NULL */
    /* or a text to go on with, as it is: `prompt`, or where it is NULL these
     * ids; with `echo` it is told before what comes behind it */
    bool text, echo;
    const char *prompt;
    const int32_t *ids;
    size_t n_ids;
    struct sampling sampling;
    struct penalties penalties;
    bool json;        /* the answer is to be one JSON object */
    int max_tokens;   /* 0: not said; -1: none, only the echo */
    char *const *stop;
    size_t n_stop;
    int64_t seed;
    bool seeded;   /* the request has a seed; else it is 0 */
    size_t choice; /* which of `n` answers, from 0 */
    int logprobs;  /* -1: not asked for; else how many alternatives */
    const char *step; /* the header Stillroom-Step, or NULL */
};

/* What an answer took; `cut` where it ended at max_tokens. */
struct usage {
    size_t tokens_in, tokens_out;
    size_t cached; /* tokens of the prompt that were not read anew */
    bool cut;
};

struct answerer {
    const char *const *models; /* the names under which it is listed,
                                  NULL-ended */
    void *ctx;
    struct sampling sampling; /* where a request says nothing */
    double repetition;
    /* Begins an answer; NULL with a reason (ERR_INPUT and ERR_USAGE are the
     * asker's fault). */
    void *(*start)(void *ctx, const struct question *q, struct err *e);
    /* Adds the next piece of text, whole UTF-8 characters; and, where asked
     * for, its tokens' log probabilities as elements of a JSON list (that of
     * an echo's first token is null). 1: there may be more, 0: that was the
     * end, -1: it failed. */
    int (*next)(void *run, struct buf *text, struct buf *logprobs,
                struct err *e);
    /* Ends an answer, finished or not, and tells what it took. */
    void (*end)(void *run, struct usage *u);
    /* Makes answers that still run fail soon; may be NULL. */
    void (*stop)(void *ctx);
    void (*free)(void *ctx);
};

/* The built-in teacher; recipes come from `dir`, or where recipe_find looks
 * (NULL). NULL with the reason. The caller frees with answerer_free. */
struct answerer *builtin_answerer(const char *dir, uint64_t seed,
                                  double wrong, double slips, double judge,
                                  struct err *e);

/* A model under a name, for model_answerer. */
struct named_model {
    const char *name; /* copied */
    struct llama *m;
};

/* A student and n - 1 adapter_views of it, each under its name; takes models
 * and tokenizer, which it frees, on failure too. Without a chat template it
 * goes on with the plain text of the messages; NULL where the template is not
 * one that is known. */
struct answerer *model_answerer(const struct named_model *models, size_t n,
                                struct tokenizer *t, struct err *e);

void answerer_free(struct answerer **a);

#endif
