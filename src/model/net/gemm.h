/* The one seam for matrix products, with several back ends: OpenBLAS, held to
 * one thread a call, and our own kernels (gemm_packed.h); the threads are our
 * own (pool.h). All matrices are row-major.
 */
#ifndef MODEL_NET_GEMM_H
#define MODEL_NET_GEMM_H

#include <stdbool.h>

#include "base/err.h"
#include "model/net/pool.h"
#include "model/net/real.h"

/* Prepares the library; call once, before any product and any thread. Takes
 * the back end that STILLROOM_GEMM names, or the first of "avx512" and
 * "openblas" that the processor can run whose products come out right: small
 * ones are held against plain loops. False where none do. Where it is
 * OpenBLAS, and that took a kernel below what the processor can do, the
 * program starts itself anew with OPENBLAS_CORETYPE set, once, and never over
 * a value that the user gave. */
bool gemm_start(struct err *e);

/* Takes a back end by name, at the highest precision: "openblas", and where
 * the processor can "amx", "avx512", "avx2"; "emulated" has the products of
 * "amx" in plain C, added in another order than the processor adds them,
 * slowly, for tests, and "openblas-alone" does a few rows of
 * fp32 by the library too, as a peer for benchmarks. False, and nothing
 * changed, for any other. Without a call it is OpenBLAS. */
bool gemm_use(const char *name);

/* PyTorch's names: products in fp32; in what is about as exact ("amx": sums
 * of bfloat16 numbers; else the same); in bfloat16 with sums in fp32. False
 * where the back end has no such products: nothing has changed. */
enum gemm_precision { GEMM_HIGHEST, GEMM_HIGH, GEMM_MEDIUM };
bool gemm_precision(enum gemm_precision p);
extern const char *const gemm_precisions[GEMM_MEDIUM + 1]; /* their names */
enum gemm_precision gemm_precision_now(void);

/* What runs products now: "openblas", "avx2", "avx512", "avx512bf16", "amx",
 * "amx-bf16" or an emulated one. */
const char *gemm_backend(void);

/* With so many rows of A at most, not transposed, no row's result depends on
 * how many others there are. */
enum { GEMM_FEW = 16 };

/* C = alpha op(A) op(B) + beta C. op(A) is m x k, op(B) k x n, C m x n; `ta`
 * and `tb` say that the matrix stands transposed; lda, ldb, ldc are the
 * elements from one stored row to the next. Safe from several threads. */
void gemm(bool ta, bool tb, int m, int n, int k, real alpha, const real *a,
          int lda, const real *b, int ldb, real beta, real *c, int ldc);

/* The same for sums whose small differences matter: the pass forward, scores
 * of attention and what follows from them. At precision high these are as
 * exact as fp32, where others have 16 bits of each number. */
void gemm_exact(bool ta, bool tb, int m, int n, int k, real alpha,
                const real *a, int lda, const real *b, int ldb, real beta,
                real *c, int ldc);

/* The same by all workers of a team, each its share of C: some of its rows, or
 * where that costs less some of its columns.
 * Rows, and A not transposed: nobody waits. They are the rows that team_rows
 * deals out; a worker's rows of A have to be its own work, or waited for, and
 * nobody else may read its rows of C before the team has waited.
 * Else the team waits before and behind: A and B may be the work of any
 * worker, and C is there for all. */
void gemm_share(const struct team *t, bool ta, bool tb, int m, int n, int k,
                real alpha, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc);

/* The same of gemm_exact. */
void gemm_share_exact(const struct team *t, bool ta, bool tb, int m, int n,
                      int k, real alpha, const real *a, int lda, const real *b,
                      int ldb, real beta, real *c, int ldc);

/* C[m, n] = A op(B) with B in bfloat16, its rows one behind the other like
 * those of A and C; the numbers are those of the same B in fp32, as the one or
 * the other of the above has them. Where B stands transposed and A has at most
 * GEMM_FEW rows B is read as it stands, at the speed of memory. */
void gemm_share_bf16(const struct team *t, bool is_exact, bool tb, int m,
                     int n, int k, const real *a, const uint16_t *b, real *c);

/* Whether those have the bits of the same products in fp32: not with
 * OpenBLAS, which is given B in parts. */
bool gemm_has_bf16(void);

/* The seconds that the calling thread has spent in gemm so far. */
double gemm_seconds(void);

/* What decides the bits of a product: "Zen+avx2" or "avx512+avx512f"
 * (OpenBLAS's kernel or our own, and the version of our own loops), and the
 * library's name and version. */
const char *gemm_kernel(void);
const char *gemm_library(void);

/* A back end that this processor has and that is taken only by name, as it is
 * slower than the one that runs: "amx", or NULL. */
const char *gemm_left_out(void);

#endif
