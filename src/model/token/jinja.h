/* Chat templates: Jinja2 as transformers sets it (trim_blocks, lstrip_blocks,
 * loop controls, generation blocks, its own tojson, raise_exception and
 * strftime_now; sandboxed: nothing can be changed but a namespace). Limits
 * hold for depth, steps, memory and output.
 */
#ifndef MODEL_TOKEN_JINJA_H
#define MODEL_TOKEN_JINJA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define JINJA_STEPS 20000000            /* nodes evaluated */
#define JINJA_OUTPUT ((size_t)32 << 20) /* bytes printed */

struct jinja;

/* Reads a template; NULL with its line in e. */
struct jinja *jinja_parse(const char *text, size_t n, struct err *e);
void jinja_free(struct jinja **j);
/* Whether it has generation blocks. */
bool jinja_marks(const struct jinja *j);

struct jinja_span {
    size_t from, to; /* bytes of the text */
};

struct jinja_out {
    struct buf text;
    VEC(struct jinja_span) spans; /* what generation blocks printed */
};

/* Renders with the members of a JSON object as variables. strftime_now shows
 * `now` (seconds since 1970, UTC). What the template raises, or cannot do, is
 * in e with its line. The caller frees with jinja_out_free, also on
 * failure. */
bool jinja_render(const struct jinja *j, const char *variables, int64_t now,
                  struct jinja_out *out, struct err *e);
void jinja_out_free(struct jinja_out *out);

#endif
