#include "model/learn/generate.h"

#include <stddef.h>

int generate(struct decoder *d, const struct generate *g, const int32_t *ids,
             int n, int32_t *out, bool *ended)
{
    int made = 0;
    *ended = false;
    if (!decoder_feed(d, ids, n))
        return 0;
    for (;;) {
        real *logits = decoder_logits(d);
        int32_t id = sample_token(logits, g->vocab, &g->sampling, g->rng);
        *ended = g->t && tokenizer_stops(g->t, id);
        if (!*ended && made >= g->max)
            return made;
        if (g->each && !g->each(g->ctx, id, logits))
            return made;
        if (*ended)
            return made;
        out[made++] = id;
        if (!decoder_feed(d, &id, 1))
            return made;
    }
}
