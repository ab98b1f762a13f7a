/* The HTTP server: /v1/models, /v1/chat/completions, /v1/completions and
 * /health, with libmicrohttpd (server.c, door.c and guard.c alone know it). */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "model/serve/answerer.h"

struct server;

/* What one connection may take of the server. Connections past the first
 * number wait outside; one that does not send its headers in the time for
 * them, or its body, or does not read its answer (of a stream: each piece) in
 * that for a body, is cut off, however many bytes it drips meanwhile. */
struct limits {
    size_t connections;
    int64_t head_ms, body_ms;
};
extern const struct limits limits_usual; /* 128, 30 seconds, two minutes */

/* Listens (see address.h for `where`) and answers in threads of its own; `a`
 * must outlive it. With a key, requests without "Authorization: Bearer KEY"
 * get 401, and `where` may be any address; NULL: neither. Bodies
 * have 1 MiB at most. NULL with the reason. */
struct server *serve_start(const char *where, const char *key,
                            const struct limits *limits,
                            const struct answerer *a, struct err *e);
/* "127.0.0.1:43121" or "unix:PATH": where it can be reached. */
const char *server_address(const struct server *s);
/* Ends it and removes its socket. */
void serve_stop(struct server **s);

#endif
