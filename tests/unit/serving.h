/* Starts `stillroom-model serve` on a Unix socket and speaks plain HTTP to
 * it: shared by the tests of the server. */
#ifndef UNIT_SERVING_H
#define UNIT_SERVING_H

#include <sys/types.h>

#include "base/json.h"

extern char *program;     /* stillroom-model */
extern char *socket_path; /* where `talk` asks */

/* Sets both; false where it is not run by make check. */
bool find_program(void);

/* Starts `serve ARGS...` (NULL-ended) and gives what stands behind
 * "listening on "; the caller frees. */
char *start(const char *const args[], pid_t *pid);
/* Ends a server that was started; its exit code, or -1. */
int stop(pid_t pid, int signo);

/* Sends raw bytes and reads to the end; the caller frees. */
char *talk_on(int fd, const char *bytes, size_t n);
char *talk(const char *request);
/* POSTs a body to the completions; headers end with \r\n each. */
char *post(const char *headers, const char *body);
char *post_to(const char *path, const char *body);

/* What is in a reply; a body is freed with json_free. */
int status_of(const char *reply);
json *body_of(const char *reply);
const char *content(const json *body, int choice);
/* The events of a streamed reply put together, its content; the caller
 * frees. Each must be JSON. */
char *streamed(const char *reply, int *events);

#endif
