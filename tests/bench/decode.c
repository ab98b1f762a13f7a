/* Tokens a second of answers from a model of random weights, sampling
 * included, as one JSON line: bench/decode SHAPE STREAMS TOKENS [bf16]. The
 * bound is what reading every weight and the caches once a round would take
 * at the speed with which this machine reads memory: that of reading the
 * weights over and over, in the seconds before and behind each answer; its
 * share is the median of theirs.
 * STILLROOM_GEMM=openblas-alone leaves all products to that library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "bench/shapes.h"
#include "model/learn/engine.h"
#include "model/net/gemm.h"
#include "unit/bf16.h"

enum { PROMPT = 100 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- How fast the machine reads ----------------------------------------- */

struct reading {
    const struct llama *m;
    double sum[POOL_MOST];
};

HOT static double add_up(const char *from, size_t bytes)
{
    typedef real block[64];
    const block *x = (const void *)from;
    real sum[64] = {0};
    for (size_t i = 0; i < bytes / sizeof *x; i++)
        for (int j = 0; j < 64; j++)
            sum[j] += x[i][j];
    return (double)sum[0] + (double)sum[63];
}

/* Where the matrices stand. */
static const char *weights_of(const struct llama *m, size_t *bytes)
{
    *bytes = m->n * (m->w16 ? sizeof *m->w16 : sizeof *m->w);
    return m->w16 ? (const char *)m->w16 : (const char *)m->w;
}

static void read_all(void *ctx, const struct team *t)
{
    struct reading *r = ctx;
    size_t bytes, lo, hi;
    const char *at = weights_of(r->m, &bytes);
    team_slice(t, bytes / 64, &lo, &hi);
    r->sum[t->me] = add_up(at + 64 * lo, 64 * (hi - lo));
}

/* Bytes a second, of some times over all weights. */
static double read_speed(const struct llama *m, struct pool *pool)
{
    enum { READS = 24 };
    struct reading r = {.m = m};
    size_t bytes;
    weights_of(m, &bytes);
    double from = now();
    for (int i = 0; i < READS; i++)
        pool_run(pool, read_all, &r);
    return READS * (double)bytes / (now() - from);
}

/* ---- Answers ------------------------------------------------------------ */

static double answer(struct engine *g, int vocab, int streams, int tokens)
{
    struct answering *a[64];
    int32_t ids[PROMPT];
    struct rng r;
    struct err e;
    struct drawn x;
    rng_seed(&r, 3);
    for (int i = 0; i < streams; i++) {
        for (int t = 0; t < PROMPT; t++)
            ids[t] = (int32_t)rng_below(&r, (uint64_t)vocab);
        struct ask ask = {.ids = ids, .n = PROMPT, .max = tokens, .top = -1,
                          .sampling = {.temperature = 1, .top_p = .95},
                          .seed = (uint64_t)i};
        a[i] = engine_ask(g, &ask, &e);
        if (!a[i])
            exit(1);
    }
    for (int i = 0; i < streams; i++) /* all prompts are read */
        engine_next(a[i], &x);
    double from = now();
    for (int i = 0; i < streams; i++)
        while (engine_next(a[i], &x) == ENGINE_GOES_ON)
            ;
    double took = now() - from;
    for (int i = 0; i < streams; i++)
        engine_finish(&a[i]);
    return streams * (tokens - 1) / took;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    int streams = argc >= 4 ? atoi(argv[2]) : 0;
    int tokens = argc >= 4 ? atoi(argv[3]) : 0;
    struct llama *m = streams > 0 && streams <= 64 && gemm_start(&e)
                          ? shape_model(argv[1], PROMPT + tokens) : NULL;
    if (!m) {
        fprintf(stderr, "decode nano|135M|0.5B STREAMS TOKENS "
                        "[bf16]: %s\n", e.text);
        return 2;
    }
    bool half = argc == 5 && !strcmp(argv[4], "bf16");
    struct pool *pool = pool_new(pool_default());
    if (half) { /* as if published so */
        round_to_bf16(m->w, m->n);
        llama_lean(m);
    }
    struct tokenizer none = {.n = (size_t)m->config.vocab};
    struct engine *g = engine_new(m, &none, pool_default(), NULL, &e);
    enum { TIMES = 5 };
    double rate[TIMES], share[TIMES];
    double cache = 8. * m->config.layers * config_kv(&m->config) *
                   (PROMPT + tokens / 2) * streams;
    double bytes = (double)m->n * (half ? 2 : sizeof(real)) + cache;
    double before = read_speed(m, pool);
    for (size_t i = 0; i < TIMES; i++) {
        rate[i] = answer(g, m->config.vocab, streams, tokens);
        double behind = read_speed(m, pool);
        share[i] = rate[i] * bytes / (streams * (before + behind) / 2);
        before = behind;
    }
    qsort(rate, TIMES, sizeof *rate, by_size);
    qsort(share, TIMES, sizeof *share, by_size);
    printf("{\"bench\":\"decode\",\"by\":\"stillroom\",\"products\":\"%s\","
           "\"shape\":\"%s\",\"streams\":%d,\"kernel\":\"%s\","
           "\"weights\":\"%s\",\"threads\":%d,\"tokens_per_second\":%.1f,"
           "\"share_of_bound\":%.3f}\n",
           gemm_backend(), argv[1], streams, gemm_kernel(),
           half ? "bf16" : "fp32", pool_default(), rate[TIMES / 2],
           share[TIMES / 2]);
    return 0;
}
