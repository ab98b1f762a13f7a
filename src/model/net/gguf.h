/* GGUF files (llama.cpp's format, versions 2 and 3), read only: named values,
 * and tensors of the types that gguf.c's table has a block of. Every length is
 * checked against the file before it is used; tensors may not overlap. A model
 * that is split over several files is read through its first.
 */
#ifndef MODEL_NET_GGUF_H
#define MODEL_NET_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { GGUF_RANK = 4 };

struct gguf_value {
    char *key;
    int type, of;      /* as the format numbers them; of: of an array */
    uint64_t n;        /* elements of an array, bytes of a text */
    const uint8_t *at; /* within the header */
};

struct gguf_tensor {
    char *name;
    int fd; /* of the file that it stands in */
    int type, rank;
    uint64_t shape[GGUF_RANK]; /* the fastest first */
    uint64_t count, from, bytes; /* from: in the file */
};

struct gguf {
    int fd;
    char *path;
    struct buf header;
    struct gguf_value *value;
    size_t n_values;
    struct gguf_tensor *tensor;
    size_t n_tensors;
    struct gguf *parts; /* the other files of a split model */
    size_t n_parts;
};

/* Opens a file and checks its header; of NAME-00001-of-0000N.gguf the other
 * parts too. Nothing to close where it fails. */
bool gguf_open(struct gguf *g, const char *path, struct err *e);
void gguf_close(struct gguf *g);

/* The value under a key, or NULL. */
const struct gguf_value *gguf_find(const struct gguf *g, const char *key);
/* A number or a truth value as a number; `otherwise` where it is neither. */
double gguf_number(const struct gguf *g, const char *key, double otherwise);
/* A text, which the caller frees; NULL where it is none. */
char *gguf_text(const struct gguf *g, const char *key);
/* Element i of an array of numbers; `otherwise` behind its end. */
double gguf_number_at(const struct gguf_value *v, uint64_t i,
                      double otherwise);
/* The same of whole numbers. */
int64_t gguf_int_at(const struct gguf_value *v, uint64_t i,
                    int64_t otherwise);
/* The next text of an array: *at begins at 0 and is kept by the caller. NULL
 * at its end; the bytes stand in the header, *n of them. */
const char *gguf_next(const struct gguf_value *v, uint64_t *at, size_t *n);

/* The tensor of that name, or NULL. */
const struct gguf_tensor *gguf_tensor(const struct gguf *g,
                                      const char *name);
/* Reads all of t into out[t->count]; a type that is not read is refused by
 * its name, an infinity or NaN by the tensor's. The file is not named. */
bool gguf_read(const struct gguf_tensor *t, float *out, struct err *e);

#endif
