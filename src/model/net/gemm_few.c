#include "model/net/gemm_few.h"

#include <stddef.h>

/* ---- B transposed: dot products of rows --------------------------------- */

/* Rows of A and B, from which a block of sums is made. Where the matrix ends
 * inside the block its last row stands in, and the sum is not stored. */
struct dots {
    const real *a, *b;
    ptrdiff_t lda, ldb, ldc;
    int m, n, k;
    real alpha, *c;
};

typedef void dots_fn(const struct dots *d);

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

typedef real part __attribute__((vector_size(16)));

/* The sum of a vector's n parts, lane by lane. */
static inline real add_parts(const part *p, int n)
{
    part sum = p[0];
    real total = 0;
    for (int i = 1; i < n; i++)
        sum += p[i];
    for (size_t l = 0; l < sizeof sum / sizeof(real); l++)
        total += sum[l];
    return total;
}

/* `wide` rows of B and `high` of A at a time, in vectors of so many bytes. */
#define DOTS(name, target_isa, bytes, high, wide)                             \
    target_isa static void name(const struct dots *d)                         \
    {                                                                         \
        typedef real lanes                                                    \
            __attribute__((vector_size(bytes), aligned(sizeof(real))));       \
        enum { LANES = bytes / sizeof(real) };                                \
        ptrdiff_t ahead = wide * d->ldb; /* the rows that come next */        \
        for (int j = 0; j < d->n; j += wide)                                  \
            for (int i = 0; i < d->m; i += high) {                            \
                const real *x[high], *y[wide];                                \
                lanes sum[high][wide] = {{{0}}};                              \
                int p = 0;                                                    \
                UNROLL for (int q = 0; q < high; q++)                         \
                    x[q] = d->a + (i + q < d->m ? i + q : d->m - 1) * d->lda; \
                UNROLL for (int q = 0; q < wide; q++)                         \
                    y[q] = d->b + (j + q < d->n ? j + q : d->n - 1) * d->ldb; \
                for (; p + LANES <= d->k; p += LANES) {                       \
                    lanes u[wide];                                            \
                    UNROLL for (int q = 0; q < wide; q++) {                   \
                        u[q] = *(const lanes *)(y[q] + p);                    \
                        __builtin_prefetch(y[q] + p + ahead);                 \
                    }                                                         \
                    UNROLL for (int r = 0; r < high; r++) {                   \
                        lanes v = *(const lanes *)(x[r] + p);                 \
                        UNROLL for (int q = 0; q < wide; q++)                 \
                            sum[r][q] += v * u[q];                            \
                    }                                                         \
                }                                                             \
                real total[high][wide];                                       \
                UNROLL for (int r = 0; r < high; r++)                         \
                    UNROLL for (int q = 0; q < wide; q++) {                   \
                        union {                                               \
                            lanes whole;                                      \
                            part parts[bytes / 16];                           \
                        } v = {sum[r][q]};                                    \
                        real s = add_parts(v.parts, bytes / 16);              \
                        for (int t = p; t < d->k; t++)                        \
                            s += x[r][t] * y[q][t];                           \
                        total[r][q] = s;                                      \
                    }                                                         \
                for (int r = 0; r < high && i + r < d->m; r++)                \
                    for (int q = 0; q < wide && j + q < d->n; q++)            \
                        d->c[(i + r) * d->ldc + j + q] +=                     \
                            d->alpha * total[r][q];                           \
            }                                                                 \
    }

DOTS(dots_plain, , 16, 2, 4)
#ifdef __x86_64__
DOTS(dots_avx2, __attribute__((target("avx2,fma"))), 32, 2, 4)
DOTS(dots_avx512, __attribute__((target("avx512f,avx512vl,fma"))), 64, 4, 4)
#endif

static dots_fn *dots_here(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return dots_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return dots_avx2;
#endif
    return dots_plain;
}

/* ---- B as it stands: sums of rows --------------------------------------- */

HOT static void sums(const struct dots *d)
{
    const real *b = d->b;
    for (int p = 0; p < d->k; p++, b += d->ldb)
        for (int i = 0; i < d->m; i++) {
            real x = d->alpha * d->a[i * d->lda + p], *y = d->c + i * d->ldc;
            SIMD()
            for (int j = 0; j < d->n; j++)
                y[j] += x * b[j];
        }
}

void few_gemm(bool tb, int m, int n, int k, real alpha, const real *a, int lda,
              const real *b, int ldb, real beta, real *c, int ldc)
{
    struct dots d = {a, b, lda, ldb, ldc, m, n, k, alpha, c};
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            real *at = &c[i * d.ldc + j];
            *at = beta > 0 || beta < 0 ? beta * *at : 0;
        }
    if (tb)
        dots_here()(&d);
    else
        sums(&d);
}
