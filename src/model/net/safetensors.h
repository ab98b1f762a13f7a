/* The safetensors format, read and written under its strict rules: a header
 * of at most 16 MiB that is one JSON object, no name twice, shapes of rank 8
 * at most with checked products, data without overlap or gap from 0 to the
 * end of the file. Files are read with pread, never mapped, and written to a
 * temporary that is synced and renamed.
 */
#ifndef MODEL_NET_SAFETENSORS_H
#define MODEL_NET_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { ST_RANK = 8 };
enum st_type { ST_F32, ST_F16, ST_BF16, ST_OTHER };

struct st_tensor {
    char *name;
    enum st_type type;
    int rank;
    uint64_t shape[ST_RANK];
    uint64_t count;      /* elements */
    uint64_t from, to;   /* bytes behind the header */
};

struct st_file {
    int fd;
    char *path;
    uint64_t data; /* where the bytes begin in the file */
    struct st_tensor *at;
    size_t n, cap;
    char *note; /* the text of __metadata__'s "stillroom", or NULL */
};

/* Opens and checks a file; nothing is allocated by what its header claims
 * beyond the header's own size. */
bool st_open(struct st_file *f, const char *path, struct err *e);
void st_close(struct st_file *f);

/* The tensor of that name, or NULL. */
const struct st_tensor *st_find(const struct st_file *f, const char *name);

/* Reads all of t as floats (F32, F16, BF16) into out[t->count]. Infinities
 * and NaNs are refused, by name. */
bool st_read(const struct st_file *f, const struct st_tensor *t, float *out,
             struct err *e);

/* IEEE half precision, subnormals too. */
float st_from_half(uint16_t h);

/* What is written: as F32, or rounded to the nearest BF16. rank 1: cols is
 * 0. Where data is NULL it is made when its turn comes, by fill, into
 * out[rows * cols]. */
struct st_piece {
    const char *name;
    const float *data;
    size_t rows, cols;
    bool bf16;
    bool (*fill)(const struct st_piece *p, float *out);
    const void *ctx; /* of fill's */
};

/* Replaces `path`. `note` (may be NULL) goes into __metadata__. */
bool st_write(const char *path, const struct st_piece *piece, size_t n,
              const char *note, struct err *e);

#endif
