/* LoRA adapters as PEFT writes them: DIR/adapter_config.json and
 * DIR/adapter_model.safetensors, a pair A [rank, in], B [out, rank] for each
 * matrix that it changes: W + (alpha / rank) B A (Hu et al. 2021, section 4.1;
 * with rsLoRA alpha / sqrt(rank), Kalajdzievski 2023).
 */
#ifndef MODEL_NET_ADAPTER_H
#define MODEL_NET_ADAPTER_H

#include "model/net/llama.h"

/* Adds the adapter of a folder to the model's weights. What would not be
 * honoured (DoRA, trained biases, whole modules beside the pairs, other kinds
 * of adapters) is refused by its key; pairs that fit no matrix, miss their
 * half or have another shape are listed. The model is as it was where it is
 * refused before the first pair is added. */
bool adapter_merge(struct llama *m, const char *dir, struct err *e);

#endif
