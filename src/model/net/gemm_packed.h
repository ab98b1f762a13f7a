/* Our own products for processors with AVX2 or AVX-512, in fp32: blocks of
 * both matrices are packed into panels, which a small kernel holds in
 * registers (Goto and van de Geijn 2008, "Anatomy of high-performance matrix
 * multiplication"). Every element of the result is summed over k in one
 * order, however large the product is and whoever has which part of it. Only
 * for gemm.c.
 */
#ifndef MODEL_NET_GEMM_PACKED_H
#define MODEL_NET_GEMM_PACKED_H

#include <stdbool.h>
#include <stdint.h>

/* The kernel of that name, NULL where this processor cannot run it: "avx512",
 * "avx2"; "avx512bf16", which rounds both matrices to bfloat16 and sums in
 * fp32 (PyTorch's precision "medium"); and those of gemm_amx.h: "amx-whole",
 * "amx", "amx-bf16", "emulated-whole", "emulated", "emulated-bf16". */
struct kernel;
const struct kernel *packed_find(const char *name);

/* As gemm of gemm.h. */
void packed_gemm(const struct kernel *kernel, bool ta, bool tb, int m, int n,
                 int k, float alpha, const float *a, int lda, const float *b,
                 int ldb, float beta, float *c, int ldc);

/* C = A op(B) with B in bfloat16. */
void packed_bf16(const struct kernel *kernel, bool tb, int m, int n, int k,
                 const float *a, int lda, const uint16_t *b, int ldb, float *c,
                 int ldc);

#endif
