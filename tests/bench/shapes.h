/* The shapes that the benches measure, with random weights. */
#ifndef BENCH_SHAPES_H
#define BENCH_SHAPES_H

#include <string.h>

#include "base/mem.h"
#include "model/net/llama.h"

static const struct shape {
    const char *name;
    int hidden, ffn, layers, heads, kv_heads, vocab;
} shapes[] = {
    {"nano", 192, 512, 5, 3, 1, 320},
    {"135M", 576, 1536, 30, 9, 3, 49152},
    {"0.5B", 896, 4864, 24, 14, 2, 151936},
};

/* A model of that name; NULL where there is none, or no memory. */
static struct llama *shape_model(const char *name, int context)
{
    struct err e = {0};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const struct shape *s = &shapes[i];
        if (strcmp(name, s->name))
            continue;
        struct config c = {.hidden = s->hidden, .ffn = s->ffn,
                           .layers = s->layers, .heads = s->heads,
                           .kv_heads = s->kv_heads, .head_dim = 64,
                           .vocab = s->vocab, .context = context,
                           .eps = 1e-5, .tied = true, .bos = -1, .eos = -1};
        config_plain(&c, 10000);
        struct llama *m = llama_new(&c, &e);
        if (m)
            llama_init(m, 1);
        return m;
    }
    return NULL;
}

#endif
