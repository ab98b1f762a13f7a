/* The bytes of a file as UTF-8 text: unpacked where it is gzip or zstd, turned
 * where it is UTF-16, without a byte order mark. All of it streams.
 */
#ifndef FORMATS_SOURCE_H
#define FORMATS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* What unpacks may be so large; beyond that so many times the packed file. */
#define UNPACK_FREE ((uint64_t)1 << 30)
#define UNPACK_RATIO 100

/* A window onto the text: what is in it begins at `at`. */
struct window {
    struct byte_source *src;
    struct buf b;
    size_t at;
    bool ended;    /* nothing comes behind what is in it */
    uint64_t line; /* that `at` stands in, from 1 */
};

/* Opens a regular file. ERR_INPUT, with the line that converts it, for one of
 * the kinds that are not read (Parquet, Arrow, zip, xz ...). */
bool window_open(struct window *w, const char *path, struct err *e);
void window_close(struct window *w);
/* What was done to the bytes ("gzip", "UTF-16"), "" for nothing. Borrowed. */
const char *window_note(const struct window *w);

/* Brings more text behind what is there, at least as much again. False at the
 * end, or where reading failed (e is set). */
bool window_fill(struct window *w, struct err *e);
/* What is in the window, borrowed until it is filled. */
const char *window_text(const struct window *w, size_t *n);
/* Moves over n bytes, counting lines that end with `end`. */
void window_move(struct window *w, size_t n, char end);

#endif
