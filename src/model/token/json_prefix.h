/* Whether bytes, as they come, can still become one JSON object (RFC 8259):
 * what keeps an answer to that form while it is drawn. */
#ifndef MODEL_TOKEN_JSON_PREFIX_H
#define MODEL_TOKEN_JSON_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_PREFIX_DEPTH = 64, JSON_PREFIX_BLANKS = 64 };

/* Begins as {0}; may be copied. */
struct json_prefix {
    uint8_t place;             /* see json_prefix.c */
    uint8_t depth, blanks, hex;
    bool key;                  /* the text being read is one */
    const char *rest;          /* of true, false or null */
    bool object[JSON_PREFIX_DEPTH]; /* what is open: an object, or a list */
};

/* Reads n bytes more; false where they cannot stand there (then the state is
 * of no use). Blanks between parts are at most 64 in a row, and what is open
 * at most 64 deep. */
bool json_prefix_feed(struct json_prefix *j, const char *s, size_t n);

/* The object is whole. */
bool json_prefix_done(const struct json_prefix *j);

#endif
