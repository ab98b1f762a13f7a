#include "teacher/cost.h"

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
