/* Times training steps of a model of random weights and tokens, as one JSON
 * line: bench/step SHAPE full|lora ROWS TOKENS STEPS [medium]. The first step
 * is not counted; the others give the median. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench/shapes.h"
#include "model/learn/step.h"
#include "model/net/gemm.h"
#include "model/net/lora.h"

/* Rows of tokens that are all trained. */
static struct items make_rows(int rows, int tokens, int vocab)
{
    struct items d = {.n = (size_t)rows, .longest = (size_t)tokens + 1};
    struct rng r;
    rng_seed(&r, 2);
    d.at = xcalloc(d.n, sizeof *d.at);
    for (int i = 0; i < rows; i++) {
        struct item *x = &d.at[i];
        x->n = tokens + 1;
        x->targets = tokens;
        x->weight = 1;
        x->ids = xcalloc((size_t)x->n, sizeof *x->ids);
        x->trained = xcalloc((size_t)x->n, 1);
        memset(x->trained, 1, (size_t)x->n);
        for (int t = 0; t < x->n; t++)
            x->ids[t] = (int32_t)rng_below(&r, (uint64_t)vocab);
    }
    return d;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print(char *const *argv, int tokens, double *took, int steps,
                  double products, int workers, double loss)
{
    struct rusage u;
    double all = 0;
    for (int i = 0; i < steps; i++)
        all += took[i];
    qsort(took, (size_t)steps, sizeof *took, by_size);
    getrusage(RUSAGE_SELF, &u);
    printf("{\"bench\":\"step\",\"by\":\"stillroom\",\"shape\":\"%s\","
           "\"what\":\"%s\",\"rows\":%s,\"tokens\":%s,\"kernel\":\"%s\","
           "\"precision\":\"%s\",\"threads\":%d,"
           "\"tokens_per_second\":%.0f,\"step_over_products\":%.3f,"
           "\"resident_mb\":%ld,\"loss\":%.5f}\n", argv[1], argv[2], argv[3],
           argv[4], gemm_kernel(),
           strstr(gemm_backend(), "bf16")      ? "medium"
           : strncmp(gemm_backend(), "amx", 3) ? "highest"
                                               : "high",
           workers,
           tokens / took[steps / 2], all / (products / workers),
           u.ru_maxrss >> 10, loss);
}

static void run(struct llama *m, char *const *argv)
{
    struct err e = {0};
    int rows = atoi(argv[3]), tokens = atoi(argv[4]), steps = atoi(argv[5]);
    struct items d = make_rows(rows, tokens, m->config.vocab);
    struct pool *pool = pool_new(pool_default());
    struct stepper s;
    struct adamw a = {.rate = 1e-4, .decay = .01, .beta1 = .9, .beta2 = .999,
                      .eps = 1e-8};
    double *took = xcalloc((size_t)steps, sizeof *took), loss = 0, before = 0;
    uint32_t *row = xcalloc((size_t)rows, sizeof *row);
    for (int i = 0; i < rows; i++)
        row[i] = (uint32_t)i;
    if (!stepper_init(&s, m, &d, pool, tokens, (int64_t)rows * tokens,
                      false, &e)) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    s.clip = 1;
    for (int i = -1; i < steps; i++) {
        double from = now();
        if (i == 0)
            before = s.gemm_seconds;
        a.step++;
        loss = stepper_step(&s, row, (size_t)rows, &a, 0, 0, 0);
        if (i >= 0)
            took[i] = now() - from;
    }
    print(argv, rows * tokens, took, steps, s.gemm_seconds - before,
          pool_workers(pool), loss);
    exit(0); /* the system takes the memory back sooner than we */
}

int main(int argc, char **argv)
{
    struct err e = {0};
    struct lora l = {.rank = 16, .alpha = 32, .targets = (1 << MODULES) - 1};
    bool medium = argc == 7 && !strcmp(argv[6], "medium");
    struct llama *m = argc >= 6 && gemm_start(&e) &&
                              gemm_precision(medium ? GEMM_MEDIUM : GEMM_HIGH)
                          ? shape_model(argv[1], atoi(argv[4])) : NULL;
    if (!m || (!strcmp(argv[2], "lora") && !lora_add(m, &l, 1, &e))) {
        fprintf(stderr, "step nano|135M|0.5B full|lora ROWS TOKENS STEPS: "
                        "%s\n", e.text);
        return 2;
    }
    run(m, argv);
}
