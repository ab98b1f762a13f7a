#include "teacher/cost.h"

#include <string.h>

#define HAIR 1e-9 /* sums of decimals are not exact */

double cost_of(const struct profile *p, int64_t tokens_in, int64_t tokens_out)
{
    double in = tokens_in > 0 ? (double)tokens_in : 0;
    double out = tokens_out > 0 ? (double)tokens_out : 0;
    return (in * p->price_in + out * p->price_out) / 1e6;
}

int64_t cost_tokens(size_t bytes)
{
    return (int64_t)((bytes + 2) / 3);
}

static size_t bytes_of(const struct message *m)
{
    return strlen(m->content) + (m->tool_calls ? strlen(m->tool_calls) : 0) +
           (m->reasoning ? strlen(m->reasoning) : 0);
}

static int64_t tokens_of_prompt(const struct ask *a)
{
    size_t bytes = a->has & HAS(PARAM_TOOLS) ? strlen(a->tools) : 0;
    for (size_t i = 0; i < a->chat->n; i++)
        bytes += bytes_of(&a->chat->at[i]) + 12; /* the role's marks */
    return cost_tokens(bytes);
}

double cost_expect(const struct profile *p, const struct ask *a)
{
    int64_t answer = a->has & HAS(PARAM_MAX_TOKENS) ? a->max_tokens
                                                    : COST_ANSWER_TOKENS;
    int64_t n = a->has & HAS(PARAM_N) ? a->n : 1;
    return cost_of(p, tokens_of_prompt(a), n * answer);
}

double cost_of_reply(const struct profile *p, const struct ask *a,
                     const struct reply *r, bool *estimated)
{
    *estimated = r->n > 0 && (r->tokens_in < 0 || r->tokens_out < 0);
    if (!*estimated)
        return cost_of(p, r->tokens_in, r->tokens_out);
    size_t bytes = 0;
    for (size_t i = 0; i < r->n; i++)
        bytes += bytes_of(&r->at[i].answer);
    return cost_of(p, tokens_of_prompt(a), cost_tokens(bytes));
}

static bool fits(const struct budget *b, double estimate)
{
    return b->limit < 0 || b->spent + b->held + estimate <= b->limit + HAIR;
}

bool budget_hold(struct budget *b, double estimate)
{
    if (!fits(b, estimate))
        return false;
    b->held += estimate;
    return true;
}

void budget_settle(struct budget *b, double estimate, double spent)
{
    b->held -= estimate;
    b->held = b->held < HAIR ? 0 : b->held;
    b->spent += spent;
}

bool budget_over(const struct budget *b, double estimate)
{
    return b->held <= HAIR && !fits(b, estimate);
}
