/* Money: what a call cost, and a limit that requests in flight cannot run
 * over. Amounts are in the user's currency, prices per million tokens.
 */
#ifndef TEACHER_COST_H
#define TEACHER_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "teacher/profile.h"
#include "teacher/reply.h"
#include "teacher/request.h"

#define COST_ANSWER_TOKENS 4096 /* of an answer that nothing else bounds */

/* The price of a call; counts below 0 (not said) count as none. */
double cost_of(const struct profile *p, int64_t tokens_in,
               int64_t tokens_out);

/* Tokens that a text comes to, by its script: within a factor of two of what
 * tokenizers in use make of prose in any language, of code and of numbers.
 * No byte-level tokenizer makes more of it than it has bytes. */
int64_t cost_tokens(const char *text);

/* The same for all that an ask sends. */
int64_t cost_prompt(const struct ask *a);

/* What its attempt did cost: by the reply's usage, else by the length of what
 * came (*estimated is then set); 0 where nothing came. */
double cost_of_reply(const struct profile *p, const struct ask *a,
                     const struct reply *r, bool *estimated);

/* A spending limit that is never passed: what is in flight is held at the
 * most that it can cost, which the limit on its answer's tokens bounds. Where
 * that no longer fits, calls go one at a time, with as many tokens as are
 * left to pay for, until less is left than the dearest call has cost. */
struct budget {
    double limit; /* below 0: none */
    double spent, held;
    double dearest; /* call so far */
    double ratio;   /* tokens of a prompt, as told, to cost_prompt: the
                       highest so far; 0: none was told */
};

/* Sets aside the most that `a` can cost (*held) and bounds its max_tokens so.
 * False where that would pass the limit: then budget_over says whether
 * waiting for those in flight is any use. */
bool budget_take(struct budget *b, const struct profile *p, struct ask *a,
                 double *held);
/* Gives back what was held and books what was spent. */
void budget_settle(struct budget *b, double held, double spent);
/* Books an attempt that failed while its call goes on; false where the next
 * attempt could pass the limit. */
bool budget_book(struct budget *b, double spent);
/* Learns how many tokens a prompt was. */
void budget_learn(struct budget *b, const struct ask *a, int64_t tokens_in);
/* True where nothing is in flight: what did not fit never will. */
bool budget_over(const struct budget *b);

#endif
