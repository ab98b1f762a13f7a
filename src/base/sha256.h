/* SHA-256 (by nettle), in one call or in parts. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA_SIZE 32

struct sha {
    uint64_t opaque[16]; /* holds nettle's context */
};

/* Begins a digest; adds n bytes to it. */
void sha_start(struct sha *s);
void sha_add(struct sha *s, const void *p, size_t n);
/* Adds an 8-byte little-endian length and then the bytes: fields that are
 * added so cannot run into one another. */
void sha_field(struct sha *s, const void *p, size_t n);
/* Adds an integer as 8 little-endian bytes. */
void sha_int(struct sha *s, int64_t v);
void sha_end(struct sha *s, uint8_t out[SHA_SIZE]);

/* The digest of n bytes. */
void sha_of(const void *p, size_t n, uint8_t out[SHA_SIZE]);

/* The first `n` bytes of a digest as 2n hex digits and a NUL. */
char *sha_hex(const uint8_t *digest, size_t n, char *out);

#endif
