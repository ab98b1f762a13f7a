/* LoRA adapters as PEFT writes them: DIR/adapter_config.json and
 * DIR/adapter_model.safetensors, a pair A [rank, in], B [out, rank] for each
 * matrix that it changes: W + (alpha / rank) B A (Hu et al. 2021, section 4.1;
 * with rsLoRA alpha / sqrt(rank), Kalajdzievski 2023).
 */
#ifndef MODEL_NET_ADAPTER_H
#define MODEL_NET_ADAPTER_H

#include "model/net/llama.h"

/* Writes beside the adapter in a folder which weights it was made for: those of
 * m without its adapter. The functions below then refuse it for others. */
bool adapter_sign(const struct llama *m, const char *dir, struct err *e);
/* Whether it says so; of other people's adapters only shapes are checked. */
bool adapter_is_signed(const char *dir);

/* Adds the adapter of a folder to the model's weights. What would not be
 * honoured (DoRA, trained biases, whole modules beside the pairs, other kinds
 * of adapters) is refused by its key; pairs that fit no matrix, miss their
 * half or have another shape are listed. The model is as it was where it is
 * refused before the first pair is added. */
bool adapter_merge(struct llama *m, const char *dir, struct err *e);

/* Adds the adapter to a model that has none, unmerged: it is what is then
 * trained. Pairs of smaller ranks than the largest are filled up with
 * zeros; what is no linear layer (an embedding, the head) is refused. */
bool adapter_add(struct llama *m, const char *dir, struct err *e);

/* The model with an adapter, unmerged, beside it: own weights are borrowed
 * from base, which has to stay. Freed with llama_free. */
struct llama *adapter_view(const struct llama *base, const char *dir,
                           struct err *e);

#endif
