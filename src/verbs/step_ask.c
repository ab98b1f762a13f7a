#include "verbs/step_ask.h"

#include <math.h>

#include "base/mem.h"

void step_ask(const struct recipe_step *s, const json *params,
              const struct chat *chat, struct ask *a)
{
    const struct recipe_decode *d = &s->decode;
    double t = json_get_number(params, "temperature", d->temperature);
    a->chat = chat;
    a->seed = json_get_int(params, "seed", 0);
    a->has = HAS(PARAM_SEED);
    if (!isnan(t)) {
        a->temperature = t;
        a->has |= HAS(PARAM_TEMPERATURE);
    }
    if (!isnan(d->top_p)) {
        a->top_p = d->top_p;
        a->has |= HAS(PARAM_TOP_P);
    }
    if (!isnan(d->presence_penalty)) {
        a->presence_penalty = d->presence_penalty;
        a->has |= HAS(PARAM_PRESENCE);
    }
    if (d->max_tokens) {
        a->max_tokens = d->max_tokens;
        a->has |= HAS(PARAM_MAX_TOKENS);
    }
    a->stream = true; /* a long answer is no silence */
    a->has |= HAS(PARAM_USAGE);
}

char **step_stops(const struct recipe_step *s,
                  const struct recipe_bindings *b)
{
    char **stop = xcalloc(s->decode.n_stop + 1, sizeof *stop);
    for (size_t i = 0; i < s->decode.n_stop; i++)
        stop[i] = recipe_stop(s, b, i);
    return stop;
}
