#include "model/net/gemm_packed.h"

#ifndef REAL_IS_DOUBLE

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    ROWS = 1024, /* of A that are packed at once */
    DEPTH = 640, /* of k that is packed at once */
    WIDE = 3,    /* vectors of a panel of B */
    WIDEST = 48  /* columns of a panel of B, at most */
};

/* C[m, n] (+)= alpha times a panel of A [k][height] and one of B [k][width]. */
typedef void tile_fn(int k, const float *a, const float *b, float *c,
                     ptrdiff_t ldc, int m, int n, float alpha, bool add);

/* A panel [k][width] of floats to one of pairs of bfloat16, [(k + 1) / 2]
 * [width][2], in place. */
typedef void halve_fn(float *panel, int width, int k);

struct kernel {
    const char *name;
    int height, lanes; /* rows of a panel of A, floats of a vector */
    tile_fn *tile[WIDE]; /* by vectors of a panel of B, less one */
    halve_fn *halve;     /* of both panels; NULL: they stay as they are */
};

#ifdef __x86_64__

#include <immintrin.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

typedef float lanes16 __attribute__((vector_size(64), aligned(4)));
typedef float lanes8 __attribute__((vector_size(32), aligned(4)));

/* The sums of a tile stay in registers over all of k; where the tile is cut
 * by the matrix's edge it goes through memory. */
#define TILE(name, isa, type, height, vectors)                                \
    __attribute__((target(isa))) static void name(                            \
        int k, const float *a, const float *b, float *c, ptrdiff_t ldc,       \
        int m, int n, float alpha, bool add)                                  \
    {                                                                         \
        enum { LANES = sizeof(type) / sizeof(float), N = vectors * LANES };   \
        type sum[height][vectors] = {{{0}}};                                  \
        for (int p = 0; p < k; p++, a += height, b += N) {                    \
            type y[vectors];                                                  \
            UNROLL for (int j = 0; j < vectors; j++)                          \
                y[j] = *(const type *)(b + j * LANES);                        \
            UNROLL for (int i = 0; i < height; i++) {                         \
                type x = a[i] - (type){0};                                    \
                UNROLL for (int j = 0; j < vectors; j++)                      \
                    sum[i][j] += x * y[j];                                    \
            }                                                                 \
        }                                                                     \
        if (m == height && n == N) {                                          \
            UNROLL for (int i = 0; i < height; i++)                           \
                UNROLL for (int j = 0; j < vectors; j++) {                    \
                    type *to = (type *)(c + i * ldc + j * LANES);             \
                    *to = add ? *to + alpha * sum[i][j] : alpha * sum[i][j];  \
                }                                                             \
            return;                                                           \
        }                                                                     \
        float edge[height][N];                                                \
        UNROLL for (int i = 0; i < height; i++)                               \
            UNROLL for (int j = 0; j < vectors; j++)                          \
                *(type *)&edge[i][j * LANES] = sum[i][j];                     \
        for (int i = 0; i < m; i++)                                           \
            for (int j = 0; j < n; j++) {                                     \
                float *to = c + i * ldc + j;                                  \
                *to = add ? __builtin_fmaf(alpha, edge[i][j], *to)            \
                          : alpha * edge[i][j];                               \
            }                                                                 \
    }

#define AVX512 "avx512f,avx512bw,avx512dq,avx512vl,fma"
TILE(tile_512_1, AVX512, lanes16, 8, 1)
TILE(tile_512_2, AVX512, lanes16, 8, 2)
TILE(tile_512_3, AVX512, lanes16, 8, 3)
TILE(tile_256_1, "avx2,fma", lanes8, 4, 1)
TILE(tile_256_2, "avx2,fma", lanes8, 4, 2)
TILE(tile_256_3, "avx2,fma", lanes8, 4, 3)

/* The same tiles over pairs of bfloat16. */
#define PAIR_TILE(name, height, vectors)                                      \
    __attribute__((target(AVX512 ",avx512bf16"))) static void name(           \
        int k, const float *a, const float *b, float *c, ptrdiff_t ldc,       \
        int m, int n, float alpha, bool add)                                  \
    {                                                                         \
        enum { N = vectors * 16 };                                            \
        __m512 sum[height][vectors];                                          \
        UNROLL for (int i = 0; i < height; i++)                               \
            UNROLL for (int j = 0; j < vectors; j++)                          \
                sum[i][j] = _mm512_setzero_ps();                              \
        for (int p = 0; p < k; p += 2, a += height, b += N) {                 \
            __m512i y[vectors];                                               \
            UNROLL for (int j = 0; j < vectors; j++)                          \
                y[j] = _mm512_loadu_si512(b + j * 16);                        \
            UNROLL for (int i = 0; i < height; i++) {                         \
                __m512i x = _mm512_castps_si512(_mm512_set1_ps(a[i]));        \
                UNROLL for (int j = 0; j < vectors; j++)                      \
                    sum[i][j] = _mm512_dpbf16_ps(sum[i][j], (__m512bh)x,      \
                                                 (__m512bh)y[j]);             \
            }                                                                 \
        }                                                                     \
        float edge[height][N];                                                \
        UNROLL for (int i = 0; i < height; i++)                               \
            UNROLL for (int j = 0; j < vectors; j++)                          \
                _mm512_storeu_ps(&edge[i][j * 16], sum[i][j]);                \
        for (int i = 0; i < m; i++)                                           \
            for (int j = 0; j < n; j++) {                                     \
                float *to = c + i * ldc + j;                                  \
                *to = add ? *to + alpha * edge[i][j] : alpha * edge[i][j];    \
            }                                                                 \
    }

PAIR_TILE(tile_pair_1, 8, 1)
PAIR_TILE(tile_pair_2, 8, 2)
PAIR_TILE(tile_pair_3, 8, 3)

__attribute__((target(AVX512 ",avx512bf16"))) static void
halve_avx512(float *panel, int width, int k)
{
    const __m256 none = _mm256_setzero_ps();
    float *to = panel;
    for (int p = 0; p < k; p += 2, to += width)
        for (int i = 0; i < width; i += 8) {
            const float *from = panel + p * width + i;
            __m256 x = _mm256_loadu_ps(from);
            __m256 y = p + 1 < k ? _mm256_loadu_ps(from + width) : none;
            __m256i low = _mm256_cvtepu16_epi32((__m128i)_mm256_cvtneps_pbh(x));
            __m256i high =
                _mm256_cvtepu16_epi32((__m128i)_mm256_cvtneps_pbh(y));
            _mm256_storeu_si256((__m256i *)(void *)(to + i),
                                _mm256_or_si256(low,
                                                _mm256_slli_epi32(high, 16)));
        }
}

static const struct kernel kernels[] = {
    {"avx512", 8, 16, {tile_512_1, tile_512_2, tile_512_3}, NULL},
    {"avx2", 4, 8, {tile_256_1, tile_256_2, tile_256_3}, NULL},
    {"avx512bf16", 8, 16, {tile_pair_1, tile_pair_2, tile_pair_3},
     halve_avx512},
};

bool packed_can(const char *name)
{
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!strcmp(name, "avx2"))
        return avx2;
    bool pairs = !strcmp(name, "avx512bf16");
    if (pairs && !__builtin_cpu_supports("avx512bf16"))
        return false;
    return (pairs || !strcmp(name, "avx512")) && avx2 &&
           __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

/* For the functions that pack: they run where some kernel runs. */
#define PACKS __attribute__((target("avx")))

/* to[j][i] = from[i][j] of 8 x 8. */
PACKS static void
transpose8(float *to, ptrdiff_t ldt, const float *from, ptrdiff_t ldf)
{
    __m256 r[8], t[8];
    UNROLL for (int i = 0; i < 4; i++) { /* row i beside row i + 4 */
        const float *p = from + i * ldf, *q = from + (i + 4) * ldf;
        r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)),
                                    _mm_loadu_ps(q), 1);
        r[i + 4] = _mm256_insertf128_ps(
            _mm256_castps128_ps256(_mm_loadu_ps(p + 4)), _mm_loadu_ps(q + 4),
            1);
    }
    UNROLL for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL for (int i = 0; i < 8; i += 4) {
        UNROLL for (int j = 0; j < 2; j++) {
            float *at = to + (i + 2 * j) * ldt;
            __m256 x = t[i + j], y = t[i + j + 2];
            _mm256_storeu_ps(at, _mm256_shuffle_ps(x, y, 0x44));
            _mm256_storeu_ps(at + ldt, _mm256_shuffle_ps(x, y, 0xee));
        }
    }
}

#else

#define PACKS

static const struct kernel kernels[1];

bool packed_can(const char *name)
{
    (void)name;
    return false;
}

static void transpose8(float *to, ptrdiff_t ldt, const float *from,
                       ptrdiff_t ldf)
{
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            to[j * ldt + i] = from[i * ldf + j];
}

#endif

static const struct kernel *kernel = &kernels[0];

void packed_use(const char *name)
{
    for (size_t i = 0; i < COUNT(kernels); i++)
        if (!strcmp(name, kernels[i].name))
            kernel = &kernels[i];
}

/* ---- A thread's panels -------------------------------------------------- */

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    if (pthread_key_create(&key, free))
        die("cannot make a key for threads");
}

/* Room for one block of A and one panel of B; goes with the thread. */
static float *panels(void)
{
    pthread_once(&once, make_key);
    float *p = pthread_getspecific(key);
    if (p)
        return p;
    void *block = NULL;
    size_t n = (size_t)(ROWS + WIDEST) * DEPTH;
    if (posix_memalign(&block, 64, n * sizeof *p) ||
        pthread_setspecific(key, block))
        die("out of memory");
    return block;
}

/* ---- Packing ------------------------------------------------------------ */

/* to[p * ldt + i] = from[i * ldf + p]: `rows` rows of k. */
static void turn(float *to, ptrdiff_t ldt, const float *from, ptrdiff_t ldf,
                 int rows, int k)
{
    int i = 0;
    for (; i + 8 <= rows; i += 8) {
        int p = 0;
        for (; p + 8 <= k; p += 8)
            transpose8(to + p * ldt + i, ldt, from + i * ldf + p, ldf);
        for (; p < k; p++)
            for (int q = i; q < i + 8; q++)
                to[p * ldt + q] = from[q * ldf + p];
    }
    for (; i < rows; i++)
        for (int p = 0; p < k; p++)
            to[p * ldt + i] = from[i * ldf + p];
}

/* to[p * ldt + i] = from[p * ldf + i]: k rows of n. */
PACKS static void copy(float *to, ptrdiff_t ldt, const float *from,
                       ptrdiff_t ldf, int n, int k)
{
    for (int p = 0; p < k; p++, to += ldt, from += ldf) {
        int i = 0;
        for (; i + 8 <= n; i += 8)
            memcpy(to + i, from + i, 8 * sizeof *to);
        for (; i < n; i++)
            to[i] = from[i];
    }
}

/* One panel [k][width] of n columns, the others 0. `along` says that a row of
 * the matrix runs along k. */
static void pack(float *to, int width, const float *from, ptrdiff_t ld,
                 bool along, int n, int k)
{
    if (n < width)
        memset(to, 0, (size_t)width * (size_t)k * sizeof *to);
    (along ? turn : copy)(to, width, from, ld, n, k);
    if (kernel->halve)
        kernel->halve(to, width, k);
}

/* ---- The product -------------------------------------------------------- */

struct product {
    bool ta, tb;
    int n, k;
    float alpha;
    const float *a, *b;
    ptrdiff_t lda, ldb, ldc;
    float *c;
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* How many vectors wide the next panel is, of so many that are left: four are
 * better as two and two than as three and one. */
static int vectors_of(int left)
{
    return left == WIDE + 1 ? WIDE - 1 : least(left, WIDE);
}

/* Rows from..from+m-1, k from..from+depth-1, of all columns. */
static void block(const struct product *x, int row, int m, int at, int depth,
                  bool add)
{
    int height = kernel->height, lanes = kernel->lanes;
    float *pa = panels(), *pb = pa + ROWS * DEPTH;
    for (int i = 0; i < m; i += height)
        pack(pa + i * depth, height,
             x->ta ? x->a + at * x->lda + row + i
                   : x->a + (row + i) * x->lda + at,
             x->lda, !x->ta, least(height, m - i), depth);
    for (int j = 0; j < x->n;) {
        int v = vectors_of((x->n - j + lanes - 1) / lanes);
        int width = v * lanes, n = least(width, x->n - j);
        pack(pb, width, x->tb ? x->b + j * x->ldb + at : x->b + at * x->ldb + j,
             x->ldb, x->tb, n, depth);
        for (int i = 0; i < m; i += height)
            kernel->tile[v - 1](depth, pa + i * depth, pb,
                                x->c + (row + i) * x->ldc + j, x->ldc,
                                least(height, m - i), n, x->alpha, add);
        j += n;
    }
}

static void scale(float *c, ptrdiff_t ldc, int m, int n, float beta)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
            c[i * ldc + j] = beta > 0 || beta < 0 ? beta * c[i * ldc + j] : 0;
}

void packed_gemm(bool ta, bool tb, int m, int n, int k, float alpha,
                 const float *a, int lda, const float *b, int ldb, float beta,
                 float *c, int ldc)
{
    struct product x = {ta, tb, n, k, alpha, a, b, lda, ldb, ldc, c};
    bool add = beta > 0 || beta < 0;
    if (k < 1 || (add && (beta < 1 || beta > 1)))
        scale(c, ldc, m, n, beta);
    for (int row = 0; row < m; row += ROWS)
        for (int at = 0; at < k; at += DEPTH)
            block(&x, row, least(ROWS, m - row), at, least(DEPTH, k - at),
                  add || at);
}

#endif
