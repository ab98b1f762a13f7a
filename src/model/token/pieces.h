/* What a tokenizer file does to a text before its model sees it: normalizers
 * and pre-tokenizers, as the `tokenizers` library has them. The text may
 * change; where each of its bytes came from is kept, so that tokens know
 * their place in the original.
 */
#ifndef MODEL_TOKEN_PIECES_H
#define MODEL_TOKEN_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/token/regex.h"

/* A stretch of text under way. */
struct pieces {
    struct buf text;
    bool mapped;         /* else byte i came from base + i */
    size_t base;
    VEC(uint32_t) from, to; /* [text.len] in the original, where mapped */
    matches at;          /* the pieces, ranges of text, in order */
};

/* Begins with n bytes that stand at `base` in the original: one piece. */
void pieces_start(struct pieces *p, const char *s, size_t n, size_t base);
void pieces_free(struct pieces *p);
/* Where bytes [from, to) of the text came from. */
void pieces_origin(const struct pieces *p, size_t from, size_t to,
                   uint32_t *begin, uint32_t *end);

/* ---- Steps -------------------------------------------------------------- */

enum step_kind {
    /* normalizers */
    STEP_FORM,      /* NFC NFD NFKC NFKD */
    STEP_REPLACE, STEP_PREPEND, STEP_STRIP, STEP_LOWER,
    /* pre-tokenizers */
    STEP_SPLIT, STEP_GPT2, STEP_PREFIX_SPACE, STEP_METASPACE, STEP_DIGITS,
    STEP_PUNCTUATION, STEP_WHITESPACE
};

enum behaviour { REMOVED, ISOLATED, MERGED_PREVIOUS, MERGED_NEXT,
                 CONTIGUOUS };

struct step {
    enum step_kind kind;
    int form;              /* of STEP_FORM: 0 to 3 as named above */
    struct regex *regex;   /* or NULL: `pattern` as it stands */
    char *pattern, *content;
    enum behaviour behaviour;
    bool invert, single;   /* single: each digit alone */
    bool left, right;      /* of STEP_STRIP */
    bool split;            /* of STEP_METASPACE */
    enum { PREPEND_ALWAYS, PREPEND_NEVER, PREPEND_FIRST } prepend;
};

typedef VEC(struct step) step_list;

/* Appends what the file's "normalizer" or "pre_tokenizer" asks for. *bytes is
 * set where a ByteLevel is among them. False where something is not
 * supported, by name. */
bool normalizer_read(const json *j, step_list *out, bool *bytes, struct err *e);
bool pretokenizer_read(const json *j, step_list *out, bool *bytes,
                       struct err *e);
void steps_free(step_list *s);

/* Applies them in order. `first` says that the piece begins the input. */
void steps_apply(const step_list *s, struct pieces *p, bool first);

#endif
