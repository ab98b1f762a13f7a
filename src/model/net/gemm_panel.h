/* Panels: pieces of matrices laid out in the order in which a kernel reads
 * them. Only for the kernels of products (gemm_packed.c, gemm_amx.c).
 */
#ifndef MODEL_NET_GEMM_PANEL_H
#define MODEL_NET_GEMM_PANEL_H

#include <stdbool.h>
#include <stddef.h>

enum {
    PANEL_ROWS = 1024,   /* of A that are packed at once */
    PANEL_DEPTH = 640,   /* of k that is packed at once */
    PANEL_WIDEST = 48    /* columns of a panel of B, at most */
};

/* The calling thread's room for panels at 64 bytes, which goes with it:
 * PANEL_ROWS + 2 PANEL_WIDEST by PANEL_DEPTH numbers of up to 6 bytes. */
float *panel_room(void);

/* to[p * ldt + i] = from[i * ldf + p]: `rows` rows of k. */
void panel_turn(float *to, ptrdiff_t ldt, const float *from, ptrdiff_t ldf,
               int rows, int k);

/* to[p * ldt + i] = from[p * ldf + i]: k rows of n. */
void panel_copy(float *to, ptrdiff_t ldt, const float *from, ptrdiff_t ldf,
               int n, int k);

/* Makes one panel of n columns, at most `width`, the others 0. `along` says
 * that a row of the matrix runs along k. */
typedef void panel_fn(float *to, int width, const float *from, ptrdiff_t ld,
                     bool along, int n, int k);

/* The plain one: [k][width]. */
panel_fn panel_plain;

/* C[m, n] (+)= alpha times a panel of A and one of B over k. */
typedef void tile_fn(int k, const float *a, const float *b, float *c,
                     ptrdiff_t ldc, int m, int n, float alpha, bool add);

#endif
