/* A JSON text read value by value, without a tree: for files with millions of
 * values, such as a tokenizer's. The same rules as base/json.h, but for equal
 * keys in one object, which the caller sees.
 */
#ifndef MODEL_TOKEN_STREAM_H
#define MODEL_TOKEN_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct stream {
    const char *p, *begin, *end; /* the text, which ends with a NUL */
    struct err *e;
    bool failed; /* e says at which byte */
};

/* Begins before the text's value. */
void stream_start(struct stream *s, const char *text, size_t n,
                  struct err *e);
/* Enters '{' or '['. */
bool stream_enter(struct stream *s, char bracket);
/* The next member's key, or true for the next element; false at the end of
 * the object or array, which is left then, or on failure. */
bool stream_key(struct stream *s, struct buf *key);
bool stream_more(struct stream *s);
/* The next value: a string's bytes, a whole number, or (skipped) its text. */
bool stream_string(struct stream *s, struct buf *out);
bool stream_int(struct stream *s, int64_t *out);
bool stream_skip(struct stream *s, const char **text, size_t *n);
/* The first character of the next value. */
char stream_peek(struct stream *s);

#endif
