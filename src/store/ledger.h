/* The ledger: of each table that no decision covers, how many rows there are
 * and the sum of their seals; with the number of the commit that wrote it and
 * a digest over itself it stands in the row of `store`. The head file repeats
 * number and digest (store/head.h). It is read at the beginning of a write
 * transaction and written once at its end.
 */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/seal.h"

struct entry {
    int64_t rows;
    uint64_t sum[2]; /* of the seals, as two numbers each */
};

struct ledger {
    int64_t n; /* commits that changed it */
    struct entry at[LEDGER_COUNT]; /* by table, from BROUGHT_COUNT on */
    bool changed;
};

#define LEDGER_SIZE (8 + 24 * LEDGER_COUNT + SEAL_SIZE)

/* As it is stored; its digest is the last SEAL_SIZE bytes. */
void ledger_print(const struct ledger *l, const char *store_id,
                  uint8_t out[LEDGER_SIZE]);
/* False where these are not the bytes of a ledger of this store. */
bool ledger_parse(struct ledger *l, const char *store_id, const void *p,
                  size_t n);

/* A row of table t has got another seal: `old` NULL where it is new, `now`
 * NULL where it is gone. */
void ledger_enter(struct ledger *l, enum sealed t, const void *old,
                  const void *now);
/* The seal of a row that has no column for one: a text, a decision. */
void ledger_seal(const char *store_id, enum sealed t, int64_t key,
                 const void *hash, size_t n, uint8_t out[SEAL_SIZE]);

#endif
