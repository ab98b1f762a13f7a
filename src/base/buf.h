/* A byte buffer with a ceiling. Failure (no memory, or the ceiling reached)
 * is sticky: later additions do nothing, and `buf_ok` tells at the end, so a
 * writer needs one check. `data` is always NUL-terminated (never NULL after
 * the first addition); use buf_str for a borrowed string.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len, cap, max; /* bytes; max 0 means BUF_MAX */
    bool failed;
};

#define BUF_MAX ((size_t)256 << 20)

/* An empty buffer that refuses to grow past `max` bytes. */
#define BUF_INIT(ceiling) {NULL, 0, 0, (ceiling), false}

void buf_free(struct buf *b);
/* Empties it and forgets a failure; keeps the memory. */
void buf_clear(struct buf *b);
bool buf_add(struct buf *b, const void *p, size_t n);
bool buf_puts(struct buf *b, const char *s);
bool buf_putc(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/* Drops the last n bytes (all of them where there are fewer). */
void buf_drop(struct buf *b, size_t n);
static inline bool buf_ok(const struct buf *b) { return !b->failed; }
/* The content as a borrowed string, "" where it is empty. */
const char *buf_str(const struct buf *b);
/* Hands the content over (never NULL); the buffer is empty afterwards. */
char *buf_take(struct buf *b);

#endif
