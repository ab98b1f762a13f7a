/* Learning a byte-level BPE from texts (Sennrich 2016): words with counts,
 * the most frequent pair joined until the vocabulary is full.
 */
#ifndef MODEL_TOKEN_BPE_TRAIN_H
#define MODEL_TOKEN_BPE_TRAIN_H

#include <stddef.h>

#include "model/token/tokenizer.h"

struct bpe_words; /* the words of all texts, counted */

/* No words yet; counts those of n bytes of text. */
struct bpe_words *bpe_words_new(void);
void bpe_words_free(struct bpe_words **w);
void bpe_words_add(struct bpe_words *w, const char *s, size_t n);

/* Joins pairs in t until it has `vocab` tokens or no pair stands twice. Of
 * equally frequent pairs the one with the lower ids is taken. */
void bpe_train(struct tokenizer *t, const struct bpe_words *w, size_t vocab);

#endif
