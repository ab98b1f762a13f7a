/* The forward pieces of a layer that training and decoding share: norms, the
 * q|k|v rows and what a sublayer adds to the residual, with all that sets the
 * families apart. A team does them together: each worker has its share of the
 * T rows, and only products wait. for_adapter is what an adapter reads: the
 * same as the matrix, or what is left of it by its dropout. Not for other
 * rooms.
 */
#ifndef MODEL_NET_BLOCK_H
#define MODEL_NET_BLOCK_H

#include "model/net/attention.h"
#include "model/net/llama.h"
#include "model/net/pool.h"

/* y[T, out] = x[T, in] w[out, in]^T with the weights from an offset on. */
void linear(const struct team *t, const struct llama *m, real *y,
            const real *x, size_t w, int T, int in, int out);

/* The norm whose gain (and bias) stand at these offsets; mean is only written
 * by LayerNorm. */
void block_norm(const struct team *t, const struct llama *m, size_t gain,
                size_t bias, real *y, real *mean, real *rstd, const real *x,
                int T);

/* x[T, hidden]: the tokens' embeddings, scaled, with their positions'. */
void block_embed(const struct team *t, const struct llama *m, real *x,
                 const int32_t *ids, const int32_t *pos, int T);

/* q|k|v of T rows from what the first norm gave: biases, the norms of heads
 * (raw[T, q + kv] and rstd[T, heads + kv_heads] keep what they were, where raw
 * is not NULL) and the turn by position. */
void block_qkv(const struct team *t, const struct llama *m, int l, real *qkv,
               const real *normed, const real *for_adapter, const int32_t *pos,
               int T, real *raw, real *rstd);

/* The shape of attention in layer l: n and the strides are the caller's. */
struct attention block_attention(const struct config *c, int l);

/* What a sublayer (0: attention, 1: the MLP) adds: y = x w^T + bias, then its
 * own norm where the family has one (kept[T, hidden] keeps what it was, where
 * it is not NULL). */
void block_out(const struct team *t, const struct llama *m, int l, int sub,
               real *y, const real *x, const real *for_adapter, int T,
               real *kept, real *rstd);

/* gate|up and its activation. */
void block_up(const struct team *t, const struct llama *m, int l, real *gu,
              real *act, const real *normed, const real *for_adapter, int T);

#endif
