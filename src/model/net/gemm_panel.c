#include "model/net/gemm_panel.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/net/real.h"

/* ---- A thread's room ----------------------------------------------------  */

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    if (pthread_key_create(&key, free))
        die("cannot make a key for threads");
}

float *panel_room(void)
{
    pthread_once(&once, make_key);
    float *p = pthread_getspecific(key);
    if (p)
        return p;
    void *block = NULL;
    size_t n = (size_t)(PANEL_ROWS + 2 * PANEL_WIDEST) * PANEL_DEPTH * 6;
    if (posix_memalign(&block, 64, n) ||
        pthread_setspecific(key, block))
        die("out of memory");
    return block;
}

/* ---- Turning ------------------------------------------------------------ */

#ifdef __x86_64__

#include <immintrin.h>

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

static void transpose8(float *to, ptrdiff_t ldt, const float *from,
                       ptrdiff_t ldf)
{
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j++)
            to[j * ldt + i] = from[i * ldf + j];
}

#endif

void panel_turn(float *to, ptrdiff_t ldt, const float *from, ptrdiff_t ldf,
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

PACKS void panel_copy(float *to, ptrdiff_t ldt, const float *from,
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

void panel_plain(float *to, int width, const float *from, ptrdiff_t ld,
                bool along, int n, int k)
{
    if (n < width)
        memset(to, 0, (size_t)width * (size_t)k * sizeof *to);
    (along ? panel_turn : panel_copy)(to, width, from, ld, n, k);
}
