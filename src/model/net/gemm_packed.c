#include "model/net/gemm_packed.h"

#ifndef REAL_IS_DOUBLE

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "model/net/gemm_amx.h"
#include "model/net/gemm_few.h"
#include "model/net/gemm_panel.h"
#include "model/net/real.h"

enum { WIDE = 3 }; /* vectors of a panel of B, at most */

struct kernel {
    const char *name;
    /* Rows of a panel of A, floats of a vector, what k is filled up to, and
     * the bytes of a number in a panel. */
    int height, lanes, step, bytes;
    panel_fn *rows, *columns; /* make panels of A and of B */
    tile_fn *tile[WIDE];     /* by vectors of a panel of B, less one */
};

#ifdef __x86_64__

#include <immintrin.h>

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

/* A panel [k][width] of floats becomes one of pairs of bfloat16, [(k + 1) / 2]
 * [width][2]. */
__attribute__((target(AVX512 ",avx512bf16"))) static void
pack_pairs(float *panel, int width, const float *rows, ptrdiff_t ld,
           bool along, int n, int k)
{
    panel_plain(panel, width, rows, ld, along, n, k);
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

#define TILES                                                                 \
    AMX_HEIGHT, AMX_LANES, AMX_STEP, 6, amx_pack_rows, amx_pack_columns
#define PLAIN panel_plain, panel_plain

static const struct kernel kernels[] = {
    {"avx512", 8, 16, 1, 4, PLAIN, {tile_512_1, tile_512_2, tile_512_3}},
    {"avx2", 4, 8, 1, 4, PLAIN, {tile_256_1, tile_256_2, tile_256_3}},
    {"avx512bf16", 8, 16, 1, 4, pack_pairs, pack_pairs,
     {tile_pair_1, tile_pair_2, tile_pair_3}},
    {"amx", TILES, {amx_split, amx_split}},
    {"amx-whole", TILES, {amx_whole, amx_whole}},
    {"amx-bf16", TILES, {amx_plain, amx_plain}},
    {"emulated", TILES, {soft_split, soft_split}},
    {"emulated-whole", TILES, {soft_whole, soft_whole}},
    {"emulated-bf16", TILES, {soft_plain, soft_plain}},
};

static bool can(const char *name)
{
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (!strncmp(name, "avx512", 6))
        return avx2 && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") &&
               (!name[6] || __builtin_cpu_supports("avx512bf16"));
    return avx2 && (strncmp(name, "amx", 3) || amx_can());
}

#else

static const struct kernel kernels[1] = {{"", 1, 1, 1, 4, NULL, NULL, {NULL}}};

static bool can(const char *name)
{
    (void)name;
    return false;
}

#endif

const struct kernel *packed_find(const char *name)
{
    for (size_t i = 0; i < COUNT(kernels); i++)
        if (!strcmp(name, kernels[i].name) && can(name))
            return &kernels[i];
    return NULL;
}

/* ---- The product -------------------------------------------------------- */

struct product {
    const struct kernel *kernel;
    bool ta, tb;
    int n, k;
    float alpha;
    const float *a, *b;
    ptrdiff_t lda, ldb, ldc;
    float *c;
    const uint16_t *bf16; /* b in bfloat16, where it is not NULL */
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* How many vectors wide the next panel is, of so many that are left: four are
 * better as two and two than as three and one. */
static int vectors_of(int left, int most)
{
    return left == most + 1 && most > 2 ? most - 1 : least(left, most);
}

static int widest(const struct kernel *kernel)
{
    int v = 0;
    while (v < WIDE && kernel->tile[v])
        v++;
    return v;
}

/* A panel of n columns of B from column j on, k from `at` on. */
static void pack_columns(const struct product *x, float *to, int width, int j,
                         int n, int at, int depth)
{
    ptrdiff_t from = x->tb ? j * x->ldb + at : at * x->ldb + j;
    if (!x->bf16) {
        x->kernel->columns(to, width, x->b + from, x->ldb, x->tb, n, depth);
        return;
    }
    int rows = x->tb ? n : depth, columns = x->tb ? depth : n;
    float *wide = to + PANEL_WIDEST * PANEL_DEPTH * 6 / 4;
    for (int i = 0; i < rows; i++)
        few_widen(wide + i * columns, x->bf16 + from + i * x->ldb,
                  (size_t)columns);
    x->kernel->columns(to, width, wide, columns, x->tb, n, depth);
}

/* Rows from..from+m-1, k from..from+depth-1, of all columns. */
static void block(const struct product *x, int row, int m, int at, int depth,
                  bool add)
{
    const struct kernel *kernel = x->kernel;
    int height = kernel->height, lanes = kernel->lanes;
    int most = widest(kernel), step = kernel->step;
    /* Floats of a row in a panel. */
    int filled = (depth + step - 1) / step * step * kernel->bytes / 4;
    float *pa = panel_room(), *pb = pa + PANEL_ROWS * PANEL_DEPTH * 6 / 4;
    for (int i = 0; i < m; i += height)
        kernel->rows(pa + i * filled, height,
                     x->ta ? x->a + at * x->lda + row + i
                           : x->a + (row + i) * x->lda + at,
                     x->lda, !x->ta, least(height, m - i), depth);
    for (int j = 0; j < x->n;) {
        int v = vectors_of((x->n - j + lanes - 1) / lanes, most);
        int width = v * lanes, n = least(width, x->n - j);
        pack_columns(x, pb, width, j, n, at, depth);
        for (int i = 0; i < m; i += height)
            kernel->tile[v - 1](depth, pa + i * filled, pb,
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

static void all_blocks(const struct product *x, int m, bool add)
{
    for (int row = 0; row < m; row += PANEL_ROWS)
        for (int at = 0; at < x->k; at += PANEL_DEPTH)
            block(x, row, least(PANEL_ROWS, m - row), at,
                  least(PANEL_DEPTH, x->k - at), add || at);
}

void packed_gemm(const struct kernel *kernel, bool ta, bool tb, int m, int n,
                 int k, float alpha, const float *a, int lda, const float *b,
                 int ldb, float beta, float *c, int ldc)
{
    struct product x = {kernel, ta, tb, n, k, alpha, a, b, lda, ldb, ldc, c,
                        NULL};
    bool add = beta > 0 || beta < 0;
    if (k < 1 || (add && (beta < 1 || beta > 1)))
        scale(c, ldc, m, n, beta);
    all_blocks(&x, m, add);
}

void packed_bf16(const struct kernel *kernel, bool tb, int m, int n, int k,
                 const float *a, int lda, const uint16_t *b, int ldb, float *c,
                 int ldc)
{
    struct product x = {.kernel = kernel, .tb = tb, .n = n, .k = k,
                        .alpha = 1, .a = a, .lda = lda, .bf16 = b, .ldb = ldb,
                        .c = c, .ldc = ldc};
    all_blocks(&x, m, false);
}

#endif
