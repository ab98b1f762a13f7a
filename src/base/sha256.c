#include "base/sha256.h"

#include <assert.h>
#include <nettle/sha2.h>
#include <string.h>

static_assert(sizeof(struct sha256_ctx) <= sizeof(struct sha),
              "struct sha is too small for nettle's context");

static struct sha256_ctx *ctx(struct sha *s)
{
    return (struct sha256_ctx *)(void *)s;
}

void sha_start(struct sha *s)
{
    sha256_init(ctx(s));
}

void sha_add(struct sha *s, const void *p, size_t n)
{
    sha256_update(ctx(s), n, p);
}

void sha_int(struct sha *s, int64_t v)
{
    uint8_t b[8];
    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)((uint64_t)v >> (8 * i));
    sha_add(s, b, 8);
}

void sha_field(struct sha *s, const void *p, size_t n)
{
    sha_int(s, (int64_t)n);
    if (n)
        sha_add(s, p, n);
}

void sha_end(struct sha *s, uint8_t out[SHA_SIZE])
{
    sha256_digest(ctx(s), SHA_SIZE, out);
}

void sha_of(const void *p, size_t n, uint8_t out[SHA_SIZE])
{
    struct sha s;
    sha_start(&s);
    if (n)
        sha_add(&s, p, n);
    sha_end(&s, out);
}

char *sha_hex(const uint8_t *digest, size_t n, char *out)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 15];
    }
    out[2 * n] = '\0';
    return out;
}
