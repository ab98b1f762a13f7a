/* A child of the screen: this program with a subcommand, whose output is read
 * when it has ended. The screen asks now and then and never waits. */
#ifndef APP_CHILD_H
#define APP_CHILD_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct child {
    pid_t pid; /* 0: none */
    FILE *out; /* what it prints, in a file without a name */
};

/* Starts `stillroom ARGS...` (NULL-ended), its output and errors kept. With
 * `keys` it sees the environment as it is, else without what looks like a
 * key. */
bool child_start(struct child *c, const char *const args[], bool keys,
                 struct err *e);
/* The same of `stillroom-model ARGS...`, without keys, which reads `input`. */
bool child_start_model(struct child *c, const char *const args[],
                       const char *input, struct err *e);
/* True once, when it has ended: *ok says whether well; what it printed is
 * appended to `out`, as much as its limit takes. */
bool child_ended(struct child *c, bool *ok, struct buf *out);
/* Ends it, where it lives; it is waited for when it has ended. */
void child_stop(struct child *c);

#endif
