/* Products with few rows of A (GEMM_FEW), as in decoding, where B is read once
 * from memory and packing it would cost more than the sums. A row's result does
 * not depend on the other rows. Only for gemm.c.
 */
#ifndef MODEL_NET_GEMM_FEW_H
#define MODEL_NET_GEMM_FEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/net/real.h"

/* C[m, n] = A[m, k] B^T with B[n, k] in bfloat16: half the bytes to read, and
 * where B was exact the same numbers. */
void few_bf16(int m, int n, int k, const real *a, int lda, const uint16_t *b,
              int ldb, real *c, int ldc);

/* to[i] = from[i], which is bfloat16. */
void few_widen(real *to, const uint16_t *from, size_t n);

/* As gemm of gemm.h, A standing as [m, k]. */
void few_gemm(bool tb, int m, int n, int k, real alpha, const real *a, int lda,
              const real *b, int ldb, real beta, real *c, int ldc);

#endif
