/* A GGUF file to a student's folder as transformers writes it: config.json,
 * model.safetensors in fp32, the tokenizer and the chat template from its
 * metadata.
 */
#ifndef MODEL_LEARN_CONVERT_H
#define MODEL_LEARN_CONVERT_H

#include <stddef.h>

#include "base/err.h"
#include "model/net/gguf.h"

/* Writes the folder, which must not be there yet: whole or not at all.
 * *parameters, where not NULL, gets their number. Architectures llama, qwen2,
 * qwen3, gemma3 and gpt2; anything that would not be the same afterwards is
 * refused by name. */
bool convert_gguf(const char *file, const char *dir, size_t *parameters,
                  struct err *e);

/* Its part of the tokenizer: tokenizer.json, tokenizer_config.json and
 * generation_config.json in `dir`. */
bool convert_tokens(const struct gguf *g, const char *dir, struct err *e);

#endif
