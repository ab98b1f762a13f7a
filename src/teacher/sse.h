/* Server-sent events, as chat completions use them: a pure reader that takes
 * bytes in pieces of any size and hands out each event's data (WHATWG HTML,
 * section 9.2.6). Lines end in CR, LF or CRLF; a byte order mark, comments
 * and fields other than `data` and `event` are passed over, but a field
 * `error` (llama.cpp) is the data of an event of that name. An event that the
 * stream breaks off is handed out too by sse_end: what it is worth, its
 * reader says.
 */
#ifndef TEACHER_SSE_H
#define TEACHER_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define SSE_LINE_MAX ((size_t)8 << 20) /* bytes of a line, and of an event */

struct sse {
    struct buf line, data;
    char event[24]; /* its name, "" where none was given; cut if longer */
    bool started;  /* the first line's byte order mark is behind us */
    bool after_cr; /* an LF that comes now belongs to the line before */
    bool has_data;
};

#define SSE_INIT                                                              \
    {.line = BUF_INIT(SSE_LINE_MAX), .data = BUF_INIT(SSE_LINE_MAX)}

/* Called with an event's data, lines joined by LF; its name stands in
 * `event`. False with e set ends the
 * reading. */
typedef bool sse_fn(void *ctx, const char *data, size_t n, struct err *e);

/* Reads n bytes. False where fn said so or a line is over SSE_LINE_MAX. */
bool sse_feed(struct sse *s, const char *p, size_t n, sse_fn *fn, void *ctx,
              struct err *e);
/* The stream is over: hands out what was left open. */
bool sse_end(struct sse *s, sse_fn *fn, void *ctx, struct err *e);
void sse_free(struct sse *s);

#endif
