/* Tokenizers in the Hugging Face layout (tokenizer.json): BPE over bytes, or
 * over characters with or without byte fallback; normalizers, pre-tokenizers,
 * added tokens, decoders and post-processors as the `tokenizers` library has
 * them. What a file asks for beyond these is refused by name, so that ids are
 * always those of the library on the same file.
 */
#ifndef MODEL_TOKEN_TOKENIZER_H
#define MODEL_TOKEN_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/token/bpe.h"
#include "model/token/pieces.h"

struct jinja;

struct token {
    char *bytes; /* what it stands for; NULL: no token has this id */
    uint32_t n;
    bool added;   /* matched whole */
    bool special; /* added, and hidden when decoding */
    bool normalized, lstrip, rstrip, single_word; /* of an added one */
    char *match; /* of a normalized one: its text behind the normalizers, which
                    is what is looked for in a text behind them */
    uint32_t match_n;
};

/* Texts that are matched whole: their lengths, longest first, and what they
 * begin with. */
struct words {
    VEC(uint32_t) lengths;
    bool begins[256];
};

/* Added tokens that are matched on raw text, those matched on normalized text,
 * and the bytes of all of them. */
enum added_kind { ADDED_RAW, ADDED_NORMAL, ADDED_ANY, ADDED_KINDS };

/* Steps of decoding, in order. */
enum undo_kind { UNDO_REPLACE, UNDO_BYTES, UNDO_FUSE, UNDO_STRIP,
                 UNDO_METASPACE };
struct undo {
    enum undo_kind kind;
    char *pattern, *content;
    size_t start, stop; /* of UNDO_STRIP: how many at most */
    bool prefixed;      /* of UNDO_METASPACE: a blank was put in front */
};

#define TOKENS_MOST ((size_t)1 << 20)
enum { TOKEN_NAMES = 7, STOPS_MOST = 16, FRAME_MOST = 8 };
/* "bos_token" ... "mask_token": what templates call the named tokens. */
extern const char *const token_names[TOKEN_NAMES];

struct tokenizer {
    bool bytes;    /* tokens are made of bytes; else of characters */
    bool fallback; /* a character without a token is its bytes' tokens */
    bool whole;    /* ignore_merges: a piece that is a token is that token */
    bool fuse_unknown;
    int32_t unknown; /* -1: none */
    struct token *at; /* [n] by id */
    size_t n;
    int32_t byte[256]; /* the tokens of single bytes; -1: it has none */
    struct merges merges;
    step_list normal, pre;
    VEC(struct undo) undo;
    int32_t before[FRAME_MOST], after[FRAME_MOST]; /* the post-processor's */
    size_t n_before, n_after;
    struct words words[ADDED_KINDS];
    size_t n_added;
    size_t *map; /* hash of bytes to id + 1 */
    size_t map_cap;
    size_t *matches; /* the same of normalized tokens' texts */
    size_t matches_cap, n_matches;
    int32_t bos, eos; /* -1: none */
    int32_t stop[STOPS_MOST]; /* what ends an answer; eos among them */
    size_t n_stop;
    struct { /* generation_config.json's, else what changes nothing */
        double temperature, top_p, min_p, repetition;
        int top_k;
    } usual;
    char *named[TOKEN_NAMES]; /* their texts, NULL where there is none */
    char *template;   /* the chat template's text, or NULL */
    struct jinja *jinja;    /* the same, read; NULL where it cannot be */
    char *template_trouble; /* why not */
};

/* Tokens of a text with the bytes that each covers. */
struct tokens {
    struct symbol *at;
    size_t n, cap;
};

/* Reads DIR/tokenizer.json; from DIR/tokenizer_config.json the named tokens
 * and the chat template (DIR/chat_template.jinja wins); and from
 * DIR/generation_config.json what ends an answer. */
struct tokenizer *tokenizer_load(const char *dir, struct err *e);
void tokenizer_free(struct tokenizer **t);

/* Parts of a tokenizer.json: one of added_tokens, and the beginning of its BPE
 * up to the vocabulary, which the caller goes on with and closes: over bytes,
 * or where `unknown` names a token over characters, with the bytes of those
 * that have none. */
void tokenizer_print_added(struct jw *w, int64_t id, const char *text,
                           bool special);
void tokenizer_open_model(struct jw *w, bool ignore_merges,
                          const char *unknown);

/* Writes a byte-level tokenizer as both files; context is the model's. */
bool tokenizer_save(const struct tokenizer *t, const char *dir, int context,
                    struct err *e);

/* Takes a chat template (NULL: none). */
void tokenizer_set_template(struct tokenizer *t, const char *text);

/* Appends the tokens of a text; with `frame` also those that the
 * post-processor puts around it. */
void tokenizer_encode(const struct tokenizer *t, const char *s, size_t n,
                      bool frame, struct tokens *out);

/* Appends the bytes of n ids (ids out of range are skipped); special tokens
 * are left out unless `special`. */
void tokenizer_decode(const struct tokenizer *t, const int32_t *ids, size_t n,
                      bool special, struct buf *out);

/* Appends the bytes of one token, added or not, as they stand inside a text
 * (decoding may take a blank away at the beginning). */
void tokenizer_piece(const struct tokenizer *t, int32_t id, struct buf *out);

/* The id of a token's bytes, or -1. */
int32_t tokenizer_find(const struct tokenizer *t, const char *s, size_t n);
/* The longest added token whose bytes begin at s, of n bytes, or -1. */
int32_t tokenizer_added_at(const struct tokenizer *t, const char *s,
                           size_t n);
/* Whether an answer ends with this token. */
bool tokenizer_stops(const struct tokenizer *t, int32_t id);
/* Adds one that does. */
void tokenizer_add_stop(struct tokenizer *t, int32_t id);

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
/* Marks a token as added (its flags and the normalizers are set by the caller
 * first); false where it is normalized and nothing is left of it. */
bool tokenizer_add(struct tokenizer *t, int32_t id);

/* GPT-2's letters for bytes: byte b is written as this code point. */
uint32_t byte_letter(unsigned b);

#endif
