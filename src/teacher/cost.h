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

#define COST_ANSWER_TOKENS 1024 /* of an answer whose length is not bounded */

/* The price of a call; counts below 0 (not said) count as none. */
double cost_of(const struct profile *p, int64_t tokens_in,
               int64_t tokens_out);

/* Tokens that so many bytes of text come to, rounded up: 3 bytes each, on
 * the safe side of the 3.5 to 4.5 that English and Portuguese take. */
int64_t cost_tokens(size_t bytes);

/* What an ask may cost: its messages, and max_tokens (COST_ANSWER_TOKENS where
 * none is said) for each of its n answers. */
double cost_expect(const struct profile *p, const struct ask *a);

/* What its attempt did cost: by the reply's usage, else by the length of what
 * came (*estimated is then set); 0 where nothing came. */
double cost_of_reply(const struct profile *p, const struct ask *a,
                     const struct reply *r, bool *estimated);

/* A spending limit. What is in flight is held at its estimate until its real
 * cost is known, so the limit is passed by no more than estimates err. */
struct budget {
    double limit; /* below 0: none */
    double spent, held;
};

/* Sets the estimate aside; false where it would pass the limit. */
bool budget_hold(struct budget *b, double estimate);
/* Gives the estimate back and books what was spent. */
void budget_settle(struct budget *b, double estimate, double spent);
/* True where nothing is in flight that could still free anything and not
 * even `estimate` fits. */
bool budget_over(const struct budget *b, double estimate);

#endif
