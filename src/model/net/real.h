/* The number type of the operations. They are compiled twice: with float for
 * work, and with double (-DREAL_IS_DOUBLE) where tests check gradients by
 * finite differences.
 */
#ifndef MODEL_NET_REAL_H
#define MODEL_NET_REAL_H

#include <math.h>
#include <stdint.h>

#include "config.h"

#ifdef REAL_IS_DOUBLE
typedef double real;
#else
typedef float real;
#endif

/* Marks a loop over elements that is worth a version for each kind of
 * processor; the loader picks. (clang 14 links such functions only within
 * one file.) */
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && \
    !defined(WITH_SANITIZERS)
#define HOT_CLONES 1
#define HOT                                                                   \
    __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HOT_CLONES 0
#define HOT
#endif

/* Stands before a loop that compilers should make vectors of:
 * SIMD() or SIMD(reduction(+ : sum)). */
#ifdef WITH_SANITIZERS
#define SIMD(...)
#else
#define SIMD_TEXT(text) _Pragma(#text)
#define SIMD(...) SIMD_TEXT(omp simd __VA_ARGS__)
#endif

/* Stands before a short loop that is to be written out. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* exp(x), within 2 units in the last place from -87 to 88 and flat outside,
 * written so that compilers make vectors of it (Cody and Waite's reduction,
 * then a polynomial of degree 6). */
#ifdef REAL_IS_DOUBLE
static inline real real_exp(real x)
{
    return exp(x);
}
#else
static inline real real_exp(real x)
{
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float n = x * 1.44269504f + 12582912.0f; /* rounds to a whole number */
    union {
        float f;
        int32_t i;
    } scale;
    n -= 12582912.0f;
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.3888889e-3f;
    p = p * r + 8.3333333e-3f;
    p = p * r + 4.1666667e-2f;
    p = p * r + 1.6666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    n = n > -127 ? n : -127; /* x may be NaN: p is then, and n has to be one
                                that an int holds */
    scale.i = ((int32_t)n + 127) * (1 << 23);
    return p * scale.f;
}
#endif

#endif
