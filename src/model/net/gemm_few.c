#include "model/net/gemm_few.h"

#include <stddef.h>

/* ---- B transposed: dot products of rows --------------------------------- */

/* Rows of A and B, from which a block of sums is made. Where the matrix ends
 * inside the block its last row stands in, and the sum is not stored. */
struct dots {
    const real *a;
    const void *b; /* of real, or of bfloat16 */
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

/* How an element of B is stored, and vectors and single ones are loaded. */
#define PLAIN(p) (*(const lanes *)(p))
#define PLAIN_ONE(p) (*(p))
#define HALF(p)                                                               \
    ((lanes)(__builtin_convertvector(*(const halves *)(p), words) << 16))
#define HALF_ONE(p) half_one(*(p))

static inline real half_one(uint16_t x)
{
    union {
        uint32_t bits;
        float f;
    } v = {(uint32_t)x << 16};
    return (real)v.f;
}

/* `wide` rows of B and `high` of A at a time, in vectors of so many bytes. */
#define DOTS(name, target_isa, bytes, high, wide, stored, vector, single)     \
    target_isa static void name(const struct dots *d)                         \
    {                                                                         \
        typedef real lanes                                                    \
            __attribute__((vector_size(bytes), aligned(sizeof(real))));       \
        typedef uint32_t words __attribute__((vector_size(bytes)));           \
        typedef uint16_t halves                                               \
            __attribute__((vector_size(bytes / 2), aligned(2)));              \
        (void)sizeof(words);                                                  \
        (void)sizeof(halves);                                                 \
        enum { LANES = bytes / sizeof(real) };                                \
        ptrdiff_t ahead = wide * d->ldb; /* the rows that come next */        \
        for (int j = 0; j < d->n; j += wide)                                  \
            for (int i = 0; i < d->m; i += high) {                            \
                const real *x[high];                                          \
                const stored *y[wide];                                        \
                lanes sum[high][wide] = {{{0}}};                              \
                int p = 0;                                                    \
                UNROLL for (int q = 0; q < high; q++)                         \
                    x[q] = d->a + (i + q < d->m ? i + q : d->m - 1) * d->lda; \
                UNROLL for (int q = 0; q < wide; q++)                         \
                    y[q] = (const stored *)d->b +                             \
                           (j + q < d->n ? j + q : d->n - 1) * d->ldb;        \
                for (; p + LANES <= d->k; p += LANES) {                       \
                    lanes u[wide];                                            \
                    UNROLL for (int q = 0; q < wide; q++) {                   \
                        u[q] = vector(y[q] + p);                              \
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
                            s += x[r][t] * single(y[q] + t);                  \
                        total[r][q] = s;                                      \
                    }                                                         \
                for (int r = 0; r < high && i + r < d->m; r++)                \
                    for (int q = 0; q < wide && j + q < d->n; q++)            \
                        d->c[(i + r) * d->ldc + j + q] +=                     \
                            d->alpha * total[r][q];                           \
            }                                                                 \
    }

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,fma")))

DOTS(dots_plain, , 16, 2, 4, real, PLAIN, PLAIN_ONE)
#ifdef __x86_64__
DOTS(dots_avx2, AVX2, 32, 2, 4, real, PLAIN, PLAIN_ONE)
DOTS(dots_avx512, AVX512, 64, 4, 4, real, PLAIN, PLAIN_ONE)
#endif

#ifndef REAL_IS_DOUBLE
DOTS(half_plain, , 16, 2, 4, uint16_t, HALF, HALF_ONE)
#ifdef __x86_64__
DOTS(half_avx2, AVX2, 32, 2, 4, uint16_t, HALF, HALF_ONE)
DOTS(half_avx512, AVX512, 64, 4, 4, uint16_t, HALF, HALF_ONE)
#endif
#endif

/* 2: AVX-512, 1: AVX2, 0: neither. */
static int width_here(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return 1;
#endif
    return 0;
}

#ifdef __x86_64__
static dots_fn *const dots[] = {dots_plain, dots_avx2, dots_avx512};
#else
static dots_fn *const dots[] = {dots_plain};
#endif

/* ---- B as it stands: sums of rows --------------------------------------- */

HOT static void sums(const struct dots *d)
{
    const real *b = (const real *)d->b;
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
        dots[width_here()](&d);
    else
        sums(&d);
}

void few_half(int m, int n, int k, const real *a, int lda, const uint16_t *b,
              int ldb, real *c, int ldc)
{
    struct dots d = {a, b, lda, ldb, ldc, m, n, k, 1, c};
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
            c[i * d.ldc + j] = 0;
#ifdef REAL_IS_DOUBLE
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
            for (int p = 0; p < k; p++)
                c[i * d.ldc + j] += a[i * d.lda + p] *
                                    half_one(b[j * d.ldb + p]);
#elif defined(__x86_64__)
    static dots_fn *const half[] = {half_plain, half_avx2, half_avx512};
    half[width_here()](&d);
#else
    half_plain(&d);
#endif
}
