/* Which requests are answered at all: those whose length is said once and
 * plainly, that come from this machine's own pages or from programs, and that
 * have the key where there is one.
 */
#ifndef SERVE_GUARD_H
#define SERVE_GUARD_H

#include <microhttpd.h>
#include <stdbool.h>

struct guard {
    const char *key;     /* NULL: nobody needs one */
    const char *address; /* where the server listens, as listener.text */
};

/* 0 where the request may go on; else the status that refuses it, and one
 * sentence (translated, static) that says why. `open` are routes that need no
 * key. */
unsigned guard_check(const struct guard *g, struct MHD_Connection *c,
                     const char *version, bool open, const char **why);

#endif
