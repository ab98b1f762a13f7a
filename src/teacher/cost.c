#include "teacher/cost.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define HAIR 1e-9 /* sums of decimals are not exact */

double cost_of(const struct profile *p, int64_t tokens_in, int64_t tokens_out)
{
    double in = tokens_in > 0 ? (double)tokens_in : 0;
    double out = tokens_out > 0 ? (double)tokens_out : 0;
    return (in * p->price_in + out * p->price_out) / 1e6;
}

/* How many bytes of one kind stand at s. */
static size_t run_of(const char *s, int (*kind)(int))
{
    size_t n = 0;
    while (kind((unsigned char)s[n]))
        n++;
    return n;
}

/* The tokens of the run at *s, which moves behind it, in sixths: a word is a
 * token for each six letters, numbers two digits, a sign one, signs that
 * repeat four, a blank belongs to its word; letters of other alphabets count
 * twice, CJK and what else takes three bytes is a token, an emoji two. */
static int64_t sixths_of_run(const char **s)
{
    unsigned char c = (unsigned char)**s;
    size_t n = 1;
    if (isalpha(c)) {
        n = run_of(*s, isalpha);
        *s += n;
        return (int64_t)(n + 5) / 6 * 6;
    }
    if (isdigit(c)) {
        n = run_of(*s, isdigit);
        *s += n;
        return (int64_t)(n + 1) / 2 * 6;
    }
    if (c < 0x80) {
        while ((unsigned char)(*s)[n] == c)
            n++;
        *s += n;
        return c == ' ' && n == 1 ? 0 : (int64_t)(n + 3) / 4 * 6;
    }
    *s += 1;
    return c >= 0xf0 ? 12 : c >= 0xe0 ? 6 : c >= 0xc0 ? 2 : 0;
}

int64_t cost_tokens(const char *text)
{
    int64_t sixths = 0;
    while (*text)
        sixths += sixths_of_run(&text);
    return (sixths + 5) / 6;
}

static int64_t tokens_of(const struct message *m)
{
    return cost_tokens(m->content) +
           (m->tool_calls ? cost_tokens(m->tool_calls) : 0) +
           (m->reasoning ? cost_tokens(m->reasoning) : 0);
}

static size_t bytes_of(const struct message *m)
{
    return strlen(m->content) + (m->tool_calls ? strlen(m->tool_calls) : 0) +
           (m->reasoning ? strlen(m->reasoning) : 0);
}

#define TURN_TOKENS 4  /* the marks of a turn */
#define MOST_MARKS 32  /* the same at most, by which a bound is safe */

int64_t cost_prompt(const struct ask *a)
{
    int64_t n = a->has & HAS(PARAM_TOOLS) ? cost_tokens(a->tools) : 0;
    for (size_t i = 0; i < a->chat->n; i++)
        n += tokens_of(&a->chat->at[i]) + TURN_TOKENS;
    return n;
}

/* The most tokens that a prompt can be: by what this teacher told of others,
 * before that one a byte. */
static int64_t most_tokens(const struct budget *b, const struct ask *a)
{
    size_t bytes = a->has & HAS(PARAM_TOOLS) ? strlen(a->tools) : 0;
    for (size_t i = 0; i < a->chat->n; i++)
        bytes += bytes_of(&a->chat->at[i]) + MOST_MARKS;
    double told = b->ratio * 1.02 * (double)cost_prompt(a);
    return b->ratio > 0 && told < (double)bytes ? (int64_t)told
                                                : (int64_t)bytes;
}

double cost_of_reply(const struct profile *p, const struct ask *a,
                     const struct reply *r, bool *estimated)
{
    *estimated = r->n > 0 && (r->tokens_in < 0 || r->tokens_out < 0);
    if (!*estimated)
        return cost_of(p, r->tokens_in, r->tokens_out);
    int64_t out = 0;
    for (size_t i = 0; i < r->n; i++)
        out += tokens_of(&r->at[i].answer);
    return cost_of(p, r->tokens_in >= 0 ? r->tokens_in : cost_prompt(a),
                   r->tokens_out >= 0 ? r->tokens_out : out);
}

/* ---- The limit ----------------------------------------------------------- */

#define LEAST_TOKENS 32 /* of a first answer, without which none is asked */

static bool hold(struct budget *b, struct ask *a, int64_t tokens, double most,
                 double *held)
{
    a->max_tokens = tokens;
    a->has |= HAS(PARAM_MAX_TOKENS);
    b->held += most;
    *held = most;
    return true;
}

bool budget_take(struct budget *b, const struct profile *p, struct ask *a,
                 double *held)
{
    *held = 0;
    if (b->limit < 0)
        return true;
    int64_t n = a->has & HAS(PARAM_N) ? a->n : 1;
    int64_t full = a->has & HAS(PARAM_MAX_TOKENS) ? a->max_tokens
                                                  : COST_ANSWER_TOKENS;
    int64_t in = most_tokens(b, a);
    double room = b->limit - b->spent - b->held;
    double most = cost_of(p, in, n * full), base = cost_of(p, in, 0);
    if (most <= room + HAIR)
        return hold(b, a, full, most, held);
    if (b->held > HAIR || p->price_out <= 0)
        return false;
    double tokens = floor((room - base) * 1e6 / (p->price_out * (double)n));
    int64_t least = b->dearest > 0 ? 1 : full < LEAST_TOKENS ? full
                                                             : LEAST_TOKENS;
    if (room < b->dearest || tokens < (double)least)
        return false;
    return hold(b, a, (int64_t)tokens, room, held);
}

void budget_settle(struct budget *b, double held, double spent)
{
    b->held -= held;
    b->held = b->held < HAIR ? 0 : b->held;
    b->spent += spent;
    b->dearest = spent > b->dearest ? spent : b->dearest;
}

bool budget_book(struct budget *b, double spent)
{
    b->spent += spent;
    return b->limit < 0 || b->spent + b->held <= b->limit + HAIR;
}

void budget_learn(struct budget *b, const struct ask *a, int64_t tokens_in)
{
    int64_t guess = cost_prompt(a);
    double ratio = guess > 0 ? (double)tokens_in / (double)guess : 0;
    b->ratio = ratio > b->ratio ? ratio : b->ratio;
}

bool budget_over(const struct budget *b)
{
    return b->held <= HAIR;
}
