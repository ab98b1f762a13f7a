/* What a run's bits depend on: the files that it reads, by hash, and the
 * machine's arithmetic.
 */
#ifndef MODEL_LEARN_IDENTITY_H
#define MODEL_LEARN_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/sha256.h"

struct identity {
    char student[2 * SHA_SIZE + 1]; /* config, tokenizer and weights */
    char adapter[2 * SHA_SIZE + 1]; /* that it goes on with, or "" */
    char rows[2 * SHA_SIZE + 1];
    char valid[2 * SHA_SIZE + 1];   /* "" where there are none */
    char kernel[80], library[60];
    int threads;
};

/* Hashes the files; adapter and valid may be NULL. */
bool identity_of(struct identity *id, const char *dir, const char *adapter,
                 char *const *rows, size_t n, const char *valid, int threads,
                 struct err *e);
/* The kernel and library as they are now, behind gemm_precision. */
void identity_kernel(struct identity *id);
void identity_print(const struct identity *id, struct jw *w);

/* False, with what differs in e. */
bool identity_same_inputs(const struct identity *id, const json *was,
                          struct err *e);
bool identity_same_host(const struct identity *id, const json *was,
                        struct err *e);

#endif
