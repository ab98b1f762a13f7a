/* The HTTP server: /v1/models and /v1/chat/completions on this machine. The
 * only user of microhttpd.h is server.c. */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include "model/serve/answerer.h"

struct server;

/* Listens (see address.h for `where`) and answers in threads of its own; `a`
 * must outlive it. With a key, requests without "Authorization: Bearer KEY"
 * get 401, and `where` may be any address; NULL: neither. NULL with the
 * reason. Bodies up to 1 MiB and two minutes, 128 connections, 60 seconds
 * without a byte. */
struct server *server_start(const char *where, const char *key,
                            const struct answerer *a, struct err *e);
/* "127.0.0.1:43121" or "unix:PATH": where it can be reached. */
const char *server_address(const struct server *s);
/* Ends it and removes its socket. */
void server_stop(struct server **s);

#endif
