/* Kernels for processors with AMX: products of 16 x 32 by 32 x 16 bfloat16
 * with sums in fp32, in one instruction. A number of fp32 goes in as the sum
 * of three bfloat16 ones. Of the nine products of their parts six are as exact
 * as fp32, three have about 16 bits of each number (PyTorch's precision
 * "high"), one has 8 ("medium"). Only for gemm.c and gemm_packed.c.
 *
 * Each stands here twice: with the processor's instructions, and with the same
 * tiles in plain C ("emulated"), which any machine can run, slowly: so
 * that all but the instructions is tested everywhere.
 */
#ifndef MODEL_NET_GEMM_AMX_H
#define MODEL_NET_GEMM_AMX_H

#include <stdbool.h>
#include <stdint.h>

#include "model/net/gemm_panel.h"

/* Whether this processor has AMX and the system lets this process use it,
 * which the first call asks for. */
bool amx_can(void);

enum {
    AMX_HEIGHT = 32, /* rows of a panel of A */
    AMX_LANES = 16,  /* columns of a tile of B, at most two tiles a panel */
    AMX_STEP = 32    /* k of a tile: panels are filled up to it with 0 */
};

/* Panels in three parts, tile by tile. */
panel_fn amx_pack_rows;    /* of A */
panel_fn amx_pack_columns; /* of B */

/* Six, three and one products. */
tile_fn amx_whole, amx_split, amx_plain;
tile_fn soft_whole, soft_split, soft_plain;

/* As few_bf16 of gemm_few.h. A goes in as the sum of three parts, which is all
 * of its bits, so that the result is as exact as fp32; and a row's does not
 * depend on the others. False, and nothing done, for k over AMX_DEEPEST. */
enum { AMX_DEEPEST = 28000 };
bool amx_few_bf16(int m, int n, int k, const float *a, int lda,
                  const uint16_t *b, int ldb, float *c, int ldc);
bool soft_few_bf16(int m, int n, int k, const float *a, int lda,
                   const uint16_t *b, int ldb, float *c, int ldc);

#endif
