/* Tokenizers in the Hugging Face layout: byte-level BPE (GPT-2's splitting,
 * digits single or not), and BPE with byte fallback as Llama 2 has it. What
 * a file asks for beyond these is refused by name, so that ids are always
 * those of the `tokenizers` library on the same file.
 */
#ifndef MODEL_TOKEN_TOKENIZER_H
#define MODEL_TOKEN_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/token/bpe.h"

struct token {
    char *bytes; /* what it stands for; NULL: no token has this id */
    uint32_t n;
    bool special; /* an added token: matched whole, hidden when decoding */
};

struct tokenizer {
    bool fallback; /* byte fallback with the sign for a blank; else bytes */
    bool digits;   /* every digit a word of its own */
    bool prefix_bos;
    struct token *at; /* [n] by id */
    size_t n;
    int32_t byte[256]; /* the tokens of single bytes */
    struct merges merges;
    int32_t *added; /* ids of the added tokens, longest first */
    size_t n_added;
    size_t *map; /* hash of bytes to id + 1 */
    size_t map_cap;
    int32_t bos, eos; /* -1: none */
    char *template;   /* the chat template's text, or NULL */
};

/* Tokens of a text with the bytes that each covers. */
struct tokens {
    struct symbol *at;
    size_t n, cap;
};

/* Reads DIR/tokenizer.json, and from DIR/tokenizer_config.json the names of
 * bos and eos and the chat template. */
struct tokenizer *tokenizer_load(const char *dir, struct err *e);
void tokenizer_free(struct tokenizer **t);

/* Writes a byte-level tokenizer as both files; context is the model's. */
bool tokenizer_save(const struct tokenizer *t, const char *dir, int context,
                    struct err *e);

/* Appends the tokens of a text; `bos` where the file asks for one first. */
void tokenizer_encode(const struct tokenizer *t, const char *s, size_t n,
                      bool bos, struct tokens *out);

/* Appends the bytes of n ids (ids out of range are skipped); added tokens
 * are left out unless `special`. */
void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n,
                      bool special, struct buf *out);

/* Appends the bytes of one token, added or not, as they stand inside a text
 * (decoding takes a blank away at the beginning, where there is fallback). */
void tokenizer_piece(const struct tokenizer *t, int32_t id, struct buf *out);

/* The id of a token's bytes, or -1. */
int32_t tokenizer_find(const struct tokenizer *t, const char *s, size_t n);

/* ---- For those who make one --------------------------------------------- */

/* An empty byte-level tokenizer with digits single: the added tokens first
 * (NULL-ended; the first is eos), then the 256 bytes. */
struct tokenizer *tokenizer_new(const char *const added[]);
/* Adds the join of two tokens; its id, or -1 where it is there already. */
int32_t tokenizer_join(struct tokenizer *t, int32_t left, int32_t right);

/* ---- Shared with the files' reader -------------------------------------- */

/* Sets token id to n bytes (copied); false where it is taken or the bytes
 * have an id already. */
bool tokenizer_set(struct tokenizer *t, int64_t id, const char *bytes,
                   size_t n);
/* Marks a token as added. */
void tokenizer_add(struct tokenizer *t, int32_t id);

/* GPT-2's letters for bytes: byte b is written as this code point. */
uint32_t byte_letter(unsigned b);

#endif
