/* The operations between the matrix products, in forward and backward pairs.
 * T is a number of token rows; every matrix is row-major and dense unless a
 * stride is named. Backward functions add to gradients of parameters, and
 * say of gradients of inputs whether they add or set. One thread each: the
 * caller splits rows, and for gradients of vectors, which sum over all rows,
 * columns lo..hi-1.
 */
#ifndef MODEL_NET_OPS_H
#define MODEL_NET_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/net/real.h"

/* Of x[T, h] = w[ids[t], :]: dw[ids[t], lo..hi-1] += dx[t, lo..hi-1]. */
void embed_backward(real *dw, const real *dx, const int32_t *ids, int T,
                    int h, int lo, int hi);

/* x *= by, n elements. */
void scale_by(real *x, double by, size_t n);

/* RMSNorm (Zhang and Sennrich 2019), eps inside the root:
 * rstd[T] = 1/sqrt(mean(x^2) + eps); y = x rstd (gain + plus). */
void rms_forward(real *y, real *rstd, const real *x, const real *gain,
                 real plus, int T, int h, double eps);
/* dx += ...; dgain[lo..hi-1] += .... */
void rms_backward(real *dx, const real *dy, const real *x, const real *gain,
                  real plus, const real *rstd, int T, int h);
void rms_gain_backward(real *dgain, const real *dy, const real *x,
                       const real *rstd, int T, int h, int lo, int hi);

/* The same over each head of d at each row of x (stride ld), in place; rstd
 * is [T, heads]. Backward: from dx of the normed heads to that of `raw`, what
 * they were (stride ldr), in place; and from the same dy, before that,
 * dgain[lo..hi-1] += .... */
void rms_heads_forward(real *x, int ld, real *rstd, const real *gain,
                       real plus, int T, int heads, int d, double eps);
void rms_heads_backward(real *dx, int ld, const real *raw, int ldr,
                        const real *gain, real plus, const real *rstd, int T,
                        int heads, int d);
void rms_heads_gain_backward(real *dgain, const real *dy, int ld,
                             const real *raw, int ldr, const real *rstd,
                             int T, int heads, int d, int lo, int hi);

/* LayerNorm (Ba and others 2016), variance over h, eps inside the root:
 * y = (x - mean) rstd gain + bias. */
void layer_norm_forward(real *y, real *mean, real *rstd, const real *x,
                        const real *gain, const real *bias, int T, int h,
                        double eps);
/* dx += ...; dgain[lo..hi-1] += ...; dbias[lo..hi-1] += .... */
void layer_norm_backward(real *dx, const real *dy, const real *x,
                         const real *gain, const real *mean, const real *rstd,
                         int T, int h);
void layer_norm_gain_backward(real *dgain, real *dbias, const real *dy,
                              const real *x, const real *mean,
                              const real *rstd, int T, int h, int lo, int hi);

/* x[T, w] += b[w]; its gradient: db[lo..hi-1] += the sum of dx's rows. */
void bias_forward(real *x, const real *b, int T, int w);
void bias_backward(real *db, const real *dx, int T, int w, int lo, int hi);

/* Tables of cos and sin of position * inverse[i], [positions, d/2] each, angles
 * in fp32 as transformers has them. */
void rope_tables(real *cosine, real *sine, int positions, int d,
                 const float *inverse);
/* Rotates `heads` heads of d at each row of x (stride ld), half-split: i goes
 * with i + d/2; position of row t is pos[t]. In place. */
void rope_forward(real *x, int ld, const int32_t *pos, int T, int heads,
                  int d, const real *cosine, const real *sine);
/* The gradient is the rotation backwards. In place. */
void rope_backward(real *dx, int ld, const int32_t *pos, int T, int heads,
                   int d, const real *cosine, const real *sine);

/* gu[T, 2f] holds gate | up; a[T, f] = silu(gate) up. */
void swiglu_forward(real *a, const real *gu, int T, int f);
/* dgu[T, 2f] is set. */
void swiglu_backward(real *dgu, const real *da, const real *gu, int T, int f);

/* The other activations: GELU (Hendrycks and Gimpel 2016) by tanh or by erf,
 * of u[T, f], or gated as above. Backward sets du. */
enum activation { ACT_SILU, ACT_GELU_TANH, ACT_GELU_ERF };
void act_forward(enum activation k, bool gated, real *a, const real *u, int T,
                 int f);
void act_backward(enum activation k, bool gated, real *du, const real *da,
                  const real *u, int T, int f);

/* x += y, n elements. */
void add_to(real *x, const real *y, size_t n);

/* Dropout, in place and the same in both directions: an element is kept with
 * probability 1-p and divided by it. Its bit comes from the key and from its
 * row's number, which is first + row[t] (first + t where row is NULL), never
 * from order. */
void drop(real *x, int T, int width, double p, uint64_t key, int64_t first,
          const int32_t *row);

/* Rows row[0] < row[1] < ... of x[., width] to its first n rows, in place. */
void keep_rows(real *x, const int32_t *row, int n, int width);
/* Backward: row i of n to row row[i] of T, zeros between, in place. */
void spread_rows(real *x, const int32_t *row, int n, int T, int width);

/* The largest of n > 0 elements. */
real row_max(const real *x, int n);

/* Softmax over logits[V] against one target, in place: leaves the gradient
 * scale (softmax - onehot) there and returns the target's natural log
 * probability. *top is set to the index of the largest logit (the first). */
double softmax_loss(real *logits, int V, int target, real scale, int *top);

#endif
