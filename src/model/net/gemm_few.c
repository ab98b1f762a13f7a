#include "model/net/gemm_few.h"

#include <stddef.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

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

typedef real four __attribute__((vector_size(4 * sizeof(real)),
                                 aligned(sizeof(real))));

/* The four sums over the lanes of four vectors, each of n fours. */
static inline void add_lanes(four *sum, const four *const v[4], int n)
{
    four s[4];
    UNROLL for (int q = 0; q < 4; q++) {
        s[q] = v[q][0];
        UNROLL for (int i = 1; i < n; i++)
            s[q] += v[q][i];
    }
    *sum = (four){s[0][0], s[1][0], s[2][0], s[3][0]};
    UNROLL for (int l = 1; l < 4; l++)
        *sum += (four){s[0][l], s[1][l], s[2][l], s[3][l]};
}

/* How an element of B is stored, and vectors and single ones are loaded. */
#define PLAIN(p) (*(const lanes *)(p))
#define PLAIN_ONE(p) (*(p))
#define BF16(p)                                                               \
    ((lanes)(__builtin_convertvector(*(const bf16s *)(p), words) << 16))
#define BF16_256(p)                                                           \
    ((lanes)_mm256_slli_epi32(                                                \
        _mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)(p))), 16))
#define BF16_512(p)                                                           \
    ((lanes)_mm512_slli_epi32(                                                \
        _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(p))), 16))
#define BF16_ONE(p) bf16_one(*(p))

static inline real bf16_one(uint16_t x)
{
    union {
        uint32_t bits;
        float f;
    } v = {(uint32_t)x << 16};
    return (real)v.f;
}

/* `high` rows of A and `wide` of B at a time, in vectors of n lanes. With one
 * row of A those of B are read one behind the other, as they stand in memory:
 * nothing comes faster from there, the more so as what is some rows ahead is
 * asked for (8 in bfloat16, 2 else: measured). A sum is made in the same order
 * by each. */
#define DOTS(name, target_isa, lanes_n, high, wide, stored, vector, single)   \
    target_isa static void name(const struct dots *d)                         \
    {                                                                         \
        enum { LANES = lanes_n, FOURS = lanes_n / 4 };                        \
        typedef real lanes __attribute__((                                    \
            vector_size(LANES * sizeof(real)), aligned(sizeof(real))));       \
        typedef uint32_t words __attribute__((vector_size(LANES * 4)));       \
        typedef uint16_t bf16s                                               \
            __attribute__((vector_size(LANES * 2), aligned(2)));              \
        (void)sizeof(words);                                                  \
        (void)sizeof(bf16s);                                                 \
        ptrdiff_t ahead =                                                     \
            (wide > 1 ? wide : sizeof(stored) == 2 ? 8 : 2) * d->ldb;         \
        for (int j = 0; j < d->n; j += 4)                                     \
            for (int i = 0; i < d->m; i += high) {                            \
                const real *x[high];                                          \
                union {                                                       \
                    lanes whole;                                              \
                    four parts[FOURS];                                        \
                } sum[high][4];                                               \
                const stored *y[4];                                           \
                int p = 0;                                                    \
                UNROLL for (int q = 0; q < high * 4; q++)                     \
                    sum[q / 4][q % 4].whole = (lanes){0};                     \
                UNROLL for (int q = 0; q < high; q++)                         \
                    x[q] = d->a + (i + q < d->m ? i + q : d->m - 1) * d->lda; \
                UNROLL for (int q = 0; q < 4; q++)                            \
                    y[q] = (const stored *)d->b +                             \
                           (j + q < d->n ? j + q : d->n - 1) * d->ldb;        \
                UNROLL for (int s = 0; s < 4; s += wide)                      \
                    for (p = 0; p + LANES <= d->k; p += LANES) {              \
                        lanes u[wide];                                        \
                        UNROLL for (int q = 0; q < wide; q++) {               \
                            u[q] = vector(y[s + q] + p);                      \
                            __builtin_prefetch(y[s + q] + p + ahead);         \
                        }                                                     \
                        UNROLL for (int r = 0; r < high; r++) {               \
                            lanes v = *(const lanes *)(x[r] + p);             \
                            UNROLL for (int q = 0; q < wide; q++)             \
                                sum[r][s + q].whole += v * u[q];              \
                        }                                                     \
                    }                                                         \
                for (int r = 0; r < high && i + r < d->m; r++) {              \
                    const four *const v[4] = {                                \
                        sum[r][0].parts, sum[r][1].parts, sum[r][2].parts,    \
                        sum[r][3].parts};                                     \
                    four total;                                               \
                    add_lanes(&total, v, FOURS);                              \
                    for (int t = p; t < d->k; t++)                            \
                        for (int q = 0; q < 4; q++)                           \
                            total[q] += x[r][t] * single(y[q] + t);           \
                    real *to = d->c + (i + r) * d->ldc + j;                   \
                    if (j + 4 <= d->n)                                        \
                        *(four *)to += d->alpha * total;                      \
                    else                                                      \
                        for (int q = 0; j + q < d->n; q++)                    \
                            to[q] += d->alpha * total[q];                     \
                }                                                             \
            }                                                                 \
    }

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,fma")))

DOTS(dots_plain, , 4, 2, 4, real, PLAIN, PLAIN_ONE)
DOTS(dot_plain, , 4, 1, 1, real, PLAIN, PLAIN_ONE)
#ifdef __x86_64__
DOTS(dots_avx2, AVX2, 8, 2, 4, real, PLAIN, PLAIN_ONE)
DOTS(dot_avx2, AVX2, 8, 1, 1, real, PLAIN, PLAIN_ONE)
DOTS(dots_avx512, AVX512, 16, 4, 4, real, PLAIN, PLAIN_ONE)
DOTS(dot_avx512, AVX512, 16, 1, 1, real, PLAIN, PLAIN_ONE)
#endif

#ifndef REAL_IS_DOUBLE
DOTS(bf16_plain, , 4, 2, 4, uint16_t, BF16, BF16_ONE)
DOTS(bf16_dot_plain, , 4, 1, 1, uint16_t, BF16, BF16_ONE)
#ifdef __x86_64__
DOTS(bf16_avx2, AVX2, 8, 2, 4, uint16_t, BF16_256, BF16_ONE)
DOTS(bf16_dot_avx2, AVX2, 8, 1, 1, uint16_t, BF16_256, BF16_ONE)
DOTS(bf16_avx512, AVX512, 16, 4, 4, uint16_t, BF16_512, BF16_ONE)
DOTS(bf16_dot_avx512, AVX512, 16, 1, 1, uint16_t, BF16_512, BF16_ONE)
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

/* By width_here, for several rows and for one. */
#ifdef __x86_64__
#define BY_WIDTH(dots, dot)                                                   \
    {                                                                         \
        {dots##_plain, dot##_plain}, {dots##_avx2, dot##_avx2},               \
            {dots##_avx512, dot##_avx512},                                    \
    }
#else
#define BY_WIDTH(dots, dot) {{dots##_plain, dot##_plain}}
#endif

static dots_fn *const by_width[][2] = BY_WIDTH(dots, dot);

/* ---- B as it stands: sums of rows --------------------------------------- */

/* Of `high` rows at a time, in columns of `wide` vectors; from column j on. */
#define SUMS(name, target_isa, lanes_n, high, wide)                           \
    target_isa static int name(const struct dots *d, int j)                   \
    {                                                                         \
        enum { LANES = lanes_n };                                             \
        typedef real lanes __attribute__((                                    \
            vector_size(LANES * sizeof(real)), aligned(sizeof(real))));       \
        for (; j + wide * LANES <= d->n; j += wide * LANES)                   \
            for (int i = 0; i < d->m; i += high) {                            \
                const real *x[high], *b = (const real *)d->b + j;             \
                real *y[high];                                                \
                lanes sum[high][wide];                                        \
                UNROLL for (int r = 0; r < high; r++) {                       \
                    int row = i + r < d->m ? i + r : d->m - 1;                \
                    x[r] = d->a + row * d->lda;                               \
                    y[r] = d->c + row * d->ldc + j;                           \
                    UNROLL for (int q = 0; q < wide; q++)                     \
                        sum[r][q] = *(const lanes *)(y[r] + q * LANES);       \
                }                                                             \
                for (int p = 0; p < d->k; p++, b += d->ldb) {                 \
                    lanes u[wide];                                            \
                    UNROLL for (int q = 0; q < wide; q++)                     \
                        u[q] = *(const lanes *)(b + q * LANES);               \
                    UNROLL for (int r = 0; r < high; r++) {                   \
                        lanes v = d->alpha * x[r][p] - (lanes){0};            \
                        UNROLL for (int q = 0; q < wide; q++)                 \
                            sum[r][q] += v * u[q];                            \
                    }                                                         \
                }                                                             \
                UNROLL for (int r = 0; r < high; r++)                         \
                    UNROLL for (int q = 0; q < wide; q++)                     \
                        *(lanes *)(y[r] + q * LANES) = sum[r][q];             \
            }                                                                 \
        return j;                                                             \
    }

SUMS(sums_plain, , 4, 2, 2)
SUMS(sums_plain_1, , 4, 2, 1)
#ifdef __x86_64__
SUMS(sums_avx2, AVX2, 8, 3, 4)
SUMS(sums_avx2_1, AVX2, 8, 3, 1)
SUMS(sums_avx512, AVX512, 16, 4, 4)
SUMS(sums_avx512_1, AVX512, 16, 4, 1)
#endif

typedef int sums_fn(const struct dots *d, int j);

static void sums(const struct dots *d)
{
#ifdef __x86_64__
    static sums_fn *const kernel[][2] = {{sums_plain, sums_plain_1},
                                         {sums_avx2, sums_avx2_1},
                                         {sums_avx512, sums_avx512_1}};
#else
    static sums_fn *const kernel[][2] = {{sums_plain, sums_plain_1}};
#endif
    int w = width_here(), j = kernel[w][1](d, kernel[w][0](d, 0));
    for (; j < d->n; j++)
        for (int i = 0; i < d->m; i++) {
            const real *a = d->a + i * d->lda, *b = (const real *)d->b + j;
            real *y = d->c + i * d->ldc + j;
            for (int p = 0; p < d->k; p++)
                *y += d->alpha * a[p] * b[p * d->ldb];
        }
}

HOT void few_widen(real *to, const uint16_t *from, size_t n)
{
    SIMD()
    for (size_t i = 0; i < n; i++)
        to[i] = bf16_one(from[i]);
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
        by_width[width_here()][m == 1](&d);
    else
        sums(&d);
}

void few_bf16(int m, int n, int k, const real *a, int lda, const uint16_t *b,
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
                                    bf16_one(b[j * d.ldb + p]);
#else
    static dots_fn *const bf16[][2] = BY_WIDTH(bf16, bf16_dot);
    bf16[width_here()][m == 1](&d);
#endif
}
