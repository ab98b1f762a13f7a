/* Where the server listens: loopback, a Unix socket, or where one asks for it
 * another of the machine's addresses. */
#ifndef SERVE_ADDRESS_H
#define SERVE_ADDRESS_H

#include <stdbool.h>

#include "base/err.h"

struct listener {
    int fd;
    char text[160];     /* "127.0.0.1:43121", "unix:/run/..." */
    char *socket_path;  /* removed by listener_close; NULL for TCP */
};

/* Opens "127.0.0.1:PORT", "localhost:PORT", "[::1]:PORT" (port 0: a free one)
 * or "unix:PATH" (mode 0600; a socket that nobody listens on any more is
 * replaced; a path over 107 bytes is reached through /proc/self/fd); and
 * `anywhere` any numeric address of the machine. */
bool listener_open(const char *where, bool anywhere, struct listener *l,
                   struct err *e);

/* Removes the socket's file; the descriptor belongs to the server by then. */
void listener_close(struct listener *l);

/* Connects to a Unix socket of any length of path; -1 where it cannot. */
int unix_connect(const char *path);

#endif
