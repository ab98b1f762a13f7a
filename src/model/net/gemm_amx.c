#include "model/net/gemm_amx.h"

#ifndef REAL_IS_DOUBLE

#include <float.h>
#include <math.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/net/real.h"

enum {
    SIDE = 16,              /* rows of a tile, and floats of each */
    TILE = SIDE * SIDE,     /* in floats: 1 KiB */
    STEP = AMX_STEP,
    PARTS = 3               /* of a number: all of its 24 bits */
};

/* ---- Parts -------------------------------------------------------------- */

union word {
    float f;
    uint32_t bits;
};

/* x rounded to bfloat16, to even, in the upper half of a float. What would
 * round to infinity is cut instead, and its next part has the rest; what is
 * no number stays none. */
static inline uint32_t upper(uint32_t x)
{
    uint32_t size = x & 0x7fffffff, cut = x & 0xffff0000;
    uint32_t round = (x + 0x7fff + ((x >> 16) & 1)) & 0xffff0000;
    round = (round & 0x7f800000) == 0x7f800000 ? cut : round;
    return size > 0x7f800000 ? cut | 0x400000 : round;
}

static inline float as_float(uint32_t bits)
{
    union word w = {.bits = bits};
    return w.f;
}

static inline uint32_t as_bits(float f)
{
    union word w = {.f = f};
    return w.bits;
}

/* A word of a tile, of two neighbours, in each part. */
static inline void split(float *tile, int i, float x, float y)
{
    for (int part = 0; part < PARTS; part++, tile += TILE) {
        uint32_t u = upper(as_bits(x)), v = upper(as_bits(y));
        x -= as_float(u);
        y -= as_float(v);
        tile[i] = as_float(u >> 16 | v);
    }
}

/* Neighbours in a row: from [16][32] floats. */
HOT static void split_rows(float *tile, const float *from)
{
    SIMD()
    for (int i = 0; i < TILE; i++)
        split(tile, i, from[2 * i], from[2 * i + 1]);
}

/* Neighbours in a column: from [32][16] floats. */
HOT static void split_columns(float *tile, const float *from)
{
    for (int p = 0; p < SIDE; p++, from += 2 * SIDE, tile += SIDE)
        SIMD()
        for (int j = 0; j < SIDE; j++)
            split(tile, j, from[j], from[SIDE + j]);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* A panel, tile by tile; `as_rows` says that a tile's rows run along k. */
static void pack(float *to, int width, const float *from, ptrdiff_t ld,
                 bool along, int n, int k, bool as_rows)
{
    float block[SIDE * STEP];
    for (int p = 0; p < k; p += STEP)
        for (int i = 0; i < width; i += SIDE, to += PARTS * TILE) {
            int depth = least(STEP, k - p), count = least(SIDE, n - i);
            if (depth < STEP || count < SIDE)
                memset(block, 0, sizeof block);
            if (count > 0)
                (along == as_rows ? panel_copy : panel_turn)(
                    block, as_rows ? STEP : SIDE,
                    along ? from + i * ld + p : from + p * ld + i, ld,
                    as_rows ? depth : count, as_rows ? count : depth);
            (as_rows ? split_rows : split_columns)(to, block);
        }
}

void amx_pack_rows(float *to, int width, const float *from, ptrdiff_t ld,
                   bool along, int n, int k)
{
    pack(to, width, from, ld, along, n, k, true);
}

void amx_pack_columns(float *to, int width, const float *from, ptrdiff_t ld,
                      bool along, int n, int k)
{
    pack(to, width, from, ld, along, n, k, false);
}

/* ---- The processor's tiles ---------------------------------------------- */

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>

/* The whole block goes in as an operand: what the compiler does not see being
 * read it may not store. */
static void configure(void)
{
    static _Thread_local bool done;
    struct {
        uint8_t palette, start, none[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } c = {.palette = 1};
    if (done)
        return;
    for (int t = 0; t < 8; t++) {
        c.bytes[t] = SIDE * sizeof(float);
        c.rows[t] = SIDE;
    }
    __asm__ volatile("ldtilecfg %0" : : "m"(c));
    done = true;
}

#define AMX_READY() configure()
#define AMX_ZERO(t) __asm__ volatile("tilezero %%tmm" #t : : : "memory")
#define AMX_LOAD(t, at, bytes)                                                \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #t                          \
                     : : "r"(at), "r"((long)(bytes)) : "memory")
#define AMX_STORE(t, at)                                                      \
    __asm__ volatile("tilestored %%tmm" #t ", (%0,%1,1)"                      \
                     : : "r"(at), "r"((long)(SIDE * sizeof(float)))           \
                     : "memory")
#define AMX_DOT(c, a, b)                                                      \
    __asm__ volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #c           \
                     : : : "memory")

/* cpuid 7: EDX has AMX-BF16 in bit 22 and AMX-TILE in bit 24; XCR0: bits 17
 * and 18 say that the system keeps the tiles. */
static bool has_amx(void)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 22 & 1) ||
        !(d >> 24 & 1))
        return false;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1))
        return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low >> 17 & 3) == 3;
}

bool amx_can(void)
{
    enum { ASK = 0x1023, TILES = 18 }; /* ARCH_REQ_XCOMP_PERM, XTILEDATA */
    static int known;
    if (!known)
        known = has_amx() && !syscall(SYS_arch_prctl, ASK, TILES) ? 1 : -1;
    return known > 0;
}

#else

#define AMX_READY() (void)0
#define AMX_ZERO(t) (void)0
#define AMX_LOAD(t, at, bytes) (void)(at)
#define AMX_STORE(t, at) (void)(at)
#define AMX_DOT(c, a, b) (void)0

bool amx_can(void)
{
    return false;
}

#endif

/* ---- The same in plain C ------------------------------------------------ */

static _Thread_local float tiles[8][TILE];

/* As the processor, which takes subnormal numbers for 0. */
static inline float flush(float x)
{
    return fabsf(x) < FLT_MIN ? 0 : x;
}

static inline float half(float word, int which)
{
    uint32_t bits = as_bits(word);
    return flush(as_float(which ? bits & 0xffff0000 : bits << 16));
}

HOT static void soft_dot(float *c, const float *a, const float *b)
{
    for (int p = 0; p < SIDE; p++)
        for (int which = 0; which < 2; which++) {
            float y[SIDE];
            SIMD()
            for (int j = 0; j < SIDE; j++)
                y[j] = half(b[p * SIDE + j], which);
            for (int i = 0; i < SIDE; i++) {
                float x = half(a[i * SIDE + p], which), *sum = c + i * SIDE;
                SIMD()
                for (int j = 0; j < SIDE; j++)
                    sum[j] = flush(sum[j] + x * y[j]);
            }
        }
}

static void soft_load(float *tile, const void *at, size_t bytes)
{
    for (int i = 0; i < SIDE; i++)
        memcpy(tile + i * SIDE, (const char *)at + (size_t)i * bytes,
               SIDE * sizeof *tile);
}

#define SOFT_READY() (void)0
#define SOFT_ZERO(t) memset(tiles[t], 0, sizeof tiles[t])
#define SOFT_LOAD(t, at, bytes) soft_load(tiles[t], at, bytes)
#define SOFT_STORE(t, at) memcpy(at, tiles[t], sizeof tiles[t])
#define SOFT_DOT(c, a, b) soft_dot(tiles[c], tiles[a], tiles[b])

/* ---- Panel by panel ----------------------------------------------------- */

/* C (+)= alpha times the part of a sum of two by two tiles that there is. */
HOT static void put(float *c, ptrdiff_t ldc, float sum[4][TILE], int m, int n,
                    float alpha, bool add)
{
    for (int i = 0; i < m; i++, c += ldc)
        for (int j = 0; j < n; j += SIDE) {
            const float *s = sum[i / SIDE * 2 + j / SIDE] + i % SIDE * SIDE;
            int wide = least(SIDE, n - j);
            SIMD()
            for (int l = 0; l < wide; l++)
                c[j + l] = add ? c[j + l] + alpha * s[l] : alpha * s[l];
        }
}

/* Tiles 0 to 3 are the sums, 4 and 5 parts of A, 6 and 7 of B; `below` and
 * `beside` say whether there is a second one of each. */
#define LOAD_A(M, part)                                                       \
    do {                                                                      \
        M##_LOAD(4, a + (part) * TILE, LINE);                                 \
        if (below)                                                            \
            M##_LOAD(5, a + (PARTS + (part)) * TILE, LINE);                   \
    } while (0)
#define LOAD_B(M, part)                                                       \
    do {                                                                      \
        M##_LOAD(6, b + (part) * TILE, LINE);                                 \
        if (beside)                                                           \
            M##_LOAD(7, b + (PARTS + (part)) * TILE, LINE);                   \
    } while (0)
#define DOT_ALL(M)                                                            \
    do {                                                                      \
        M##_DOT(0, 4, 6);                                                     \
        if (beside)                                                           \
            M##_DOT(1, 4, 7);                                                 \
        if (below)                                                            \
            M##_DOT(2, 5, 6);                                                 \
        if (below && beside)                                                  \
            M##_DOT(3, 5, 7);                                                 \
    } while (0)

/* As many products of parts as are asked for, small ones first: six are as
 * exact as fp32, three have 16 bits of each number, one has 8. */
#define PANELS(name, M, products)                                             \
    void name(int k, const float *a, const float *b, float *c, ptrdiff_t ldc, \
              int m, int n, float alpha, bool add)                            \
    {                                                                         \
        enum { LINE = SIDE * sizeof(float) };                                 \
        bool below = m > SIDE, beside = n > SIDE;                             \
        float sum[4][TILE] __attribute__((aligned(64)));                      \
        M##_READY();                                                          \
        M##_ZERO(0);                                                          \
        M##_ZERO(1);                                                          \
        M##_ZERO(2);                                                          \
        M##_ZERO(3);                                                          \
        for (int p = 0; p < k; p += STEP) {                                   \
            if (products == 6) {                                              \
                LOAD_A(M, 2);                                                 \
                LOAD_B(M, 0);                                                 \
                DOT_ALL(M);                                                   \
                LOAD_A(M, 1);                                                 \
                LOAD_B(M, 1);                                                 \
                DOT_ALL(M);                                                   \
                LOAD_A(M, 0);                                                 \
                LOAD_B(M, 2);                                                 \
                DOT_ALL(M);                                                   \
            }                                                                 \
            LOAD_A(M, 0);                                                     \
            if (products > 1) {                                               \
                LOAD_B(M, 1);                                                 \
                DOT_ALL(M);                                                   \
            }                                                                 \
            LOAD_B(M, 0);                                                     \
            if (products > 1) {                                               \
                LOAD_A(M, 1);                                                 \
                DOT_ALL(M);                                                   \
                LOAD_A(M, 0);                                                 \
            }                                                                 \
            DOT_ALL(M);                                                       \
            a += 2 * PARTS * TILE;                                            \
            b += (beside ? 2 : 1) * PARTS * TILE;                             \
        }                                                                     \
        M##_STORE(0, sum[0]);                                                 \
        M##_STORE(1, sum[1]);                                                 \
        M##_STORE(2, sum[2]);                                                 \
        M##_STORE(3, sum[3]);                                                 \
        put(c, ldc, sum, m, n, alpha, add);                                   \
    }

PANELS(amx_whole, AMX, 6)
PANELS(amx_split, AMX, 3)
PANELS(amx_plain, AMX, 1)
PANELS(soft_whole, SOFT, 6)
PANELS(soft_split, SOFT, 3)
PANELS(soft_plain, SOFT, 1)

/* ---- Few rows by bfloat16 ----------------------------------------------- */

/* A's rows as columns of tiles, part by part: [k / 32][3][16 pairs][16]. */
static void pack_few(float *to, const float *a, int lda, int m, int k)
{
    memset(to, 0, (size_t)((k + STEP - 1) / STEP * PARTS * TILE) * sizeof *to);
    for (int i = 0; i < m; i++)
        for (int p = 0; p < k; p++) {
            float x = a[(ptrdiff_t)i * lda + p];
            float *at = to + p / STEP * PARTS * TILE +
                        p % STEP / 2 * SIDE + i;
            for (int part = 0; part < PARTS; part++, at += TILE) {
                uint32_t bits = upper(as_bits(x));
                *at = as_float(as_bits(*at) | (p % 2 ? bits : bits >> 16));
                x -= as_float(bits);
            }
        }
}

/* A tile of B where it ends inside: the rest is 0. */
static const uint16_t *cut(uint16_t *to, const uint16_t *b, int ldb, int n,
                           int k)
{
    memset(to, 0, SIDE * STEP * sizeof *to);
    for (int j = 0; j < n; j++)
        memcpy(to + j * STEP, b + (ptrdiff_t)j * ldb, (size_t)k * sizeof *to);
    return to;
}

/* Rows of B are rows of tiles as they stand, so the sums come out turned:
 * [n][m]. Tile 0 is the sums, 1 to 3 are A's parts, 4 is B. */
#define BF16_BY_TILES(name, M)                                                \
    bool name(int m, int n, int k, const float *a, int lda,                   \
              const uint16_t *b, int ldb, float *c, int ldc)                  \
    {                                                                         \
        enum { LINE = SIDE * sizeof(float) };                                 \
        float *x = panel_room(), sum[TILE] __attribute__((aligned(64)));       \
        uint16_t edge[SIDE * STEP] __attribute__((aligned(64)));              \
        if (k > AMX_DEEPEST)                                                  \
            return false;                                                     \
        pack_few(x, a, lda, m, k);                                            \
        M##_READY();                                                          \
        for (int j = 0; j < n; j += SIDE) {                                   \
            const uint16_t *row = b + (ptrdiff_t)j * ldb;                     \
            const float *part = x;                                            \
            int rows = least(SIDE, n - j);                                    \
            M##_ZERO(0);                                                      \
            for (int p = 0; p < k; p += STEP, part += PARTS * TILE) {         \
                if (rows == SIDE && k - p >= STEP)                            \
                    M##_LOAD(4, row + p, (size_t)ldb * sizeof *row);          \
                else                                                          \
                    M##_LOAD(4, cut(edge, row + p, ldb, rows,                 \
                                    least(STEP, k - p)), LINE);               \
                M##_LOAD(3, part + 2 * TILE, LINE);                           \
                M##_LOAD(2, part + TILE, LINE);                               \
                M##_LOAD(1, part, LINE);                                      \
                M##_DOT(0, 4, 3);                                             \
                M##_DOT(0, 4, 2);                                             \
                M##_DOT(0, 4, 1);                                             \
            }                                                                 \
            M##_STORE(0, sum);                                                \
            for (int i = 0; i < m; i++)                                       \
                for (int l = 0; l < rows; l++)                                \
                    c[(ptrdiff_t)i * ldc + j + l] = sum[l * SIDE + i];        \
        }                                                                     \
        return true;                                                          \
    }

BF16_BY_TILES(amx_few_bf16, AMX)
BF16_BY_TILES(soft_few_bf16, SOFT)

#endif
