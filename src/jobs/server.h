/* Private servers: a teacher or student of our own that a job starts on a
 * Unix socket, and that never outlives it. The socket stands in
 * $XDG_RUNTIME_DIR/stillroom-PID (0700), without that variable in the job's
 * folder. The command is run with `--listen unix:PATH` behind it.
 */
#ifndef JOBS_SERVER_H
#define JOBS_SERVER_H

#include <stdbool.h>

#include "base/err.h"

struct server;

struct server_plan {
    const char *line;    /* a profile's `serve`; "stillroom-model" is ours */
    const char *job_dir; /* its output goes to server.log there */
    const char *recipes; /* told to stillroom-model; may be NULL */
    int patience_ms;     /* for its first answer; 0: two minutes */
};

/* Starts it, with no key in its environment, and waits until it answers.
 * NULL with the reason (its last line, where it died); ERR_CANCEL where a
 * signal came while it was being waited for. */
struct server *server_start(const struct server_plan *plan, struct err *e);
/* The path of its socket, borrowed; what client_new takes. */
const char *server_socket(const struct server *s);
/* False once it has ended by itself. */
bool server_alive(struct server *s);
/* Stops it and removes socket and folder. */
void server_stop(struct server **s);

#endif
