#include "store/ledger.h"

#include <string.h>

#include "base/sha256.h"
#include "store/seal.h"

static void put(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static void digest(const char *store_id, const uint8_t *p,
                   uint8_t out[SEAL_SIZE])
{
    struct sha sum;
    uint8_t whole[SHA_SIZE];
    sha_start(&sum);
    sha_field(&sum, store_id, strlen(store_id));
    sha_field(&sum, p, LEDGER_SIZE - SEAL_SIZE);
    sha_end(&sum, whole);
    memcpy(out, whole, SEAL_SIZE);
}

void ledger_print(const struct ledger *l, const char *store_id,
                  uint8_t out[LEDGER_SIZE])
{
    uint8_t *p = out;
    put(p, (uint64_t)l->n);
    p += 8;
    for (int i = 0; i < LEDGER_COUNT; i++, p += 24) {
        put(p, (uint64_t)l->at[i].rows);
        put(p + 8, l->at[i].sum[0]);
        put(p + 16, l->at[i].sum[1]);
    }
    digest(store_id, out, p);
}

bool ledger_parse(struct ledger *l, const char *store_id, const void *bytes,
                  size_t n)
{
    const uint8_t *p = bytes;
    uint8_t want[SEAL_SIZE];
    *l = (struct ledger){0};
    if (n != LEDGER_SIZE)
        return false;
    digest(store_id, p, want);
    if (memcmp(want, p + LEDGER_SIZE - SEAL_SIZE, SEAL_SIZE))
        return false;
    l->n = (int64_t)get(p);
    p += 8;
    for (int i = 0; i < LEDGER_COUNT; i++, p += 24)
        l->at[i] = (struct entry){(int64_t)get(p), {get(p + 8), get(p + 16)}};
    return true;
}

void ledger_enter(struct ledger *l, enum sealed t, const void *old,
                  const void *now)
{
    struct entry *x = &l->at[t - BROUGHT_COUNT];
    const uint8_t *out = old, *in = now;
    for (int i = 0; i < 2; i++)
        x->sum[i] += (in ? get(in + 8 * i) : 0) - (out ? get(out + 8 * i) : 0);
    x->rows += (in != NULL) - (out != NULL);
    l->changed = true;
}

void ledger_seal(const char *store_id, enum sealed t, int64_t key,
                 const void *hash, size_t n, uint8_t out[SEAL_SIZE])
{
    struct sha sum;
    uint8_t whole[SHA_SIZE];
    sha_start(&sum);
    sha_field(&sum, store_id, strlen(store_id));
    sha_field(&sum, seal_table(t), strlen(seal_table(t)));
    sha_int(&sum, key);
    sha_field(&sum, hash, n);
    sha_end(&sum, whole);
    memcpy(out, whole, SEAL_SIZE);
}
