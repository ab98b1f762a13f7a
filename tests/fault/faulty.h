/* The scripted teacher's two halves: faulty-teacher.c takes requests in and
 * knows the scripted replies, behaviours.c sends what comes back.
 */
#ifndef FAULT_FAULTY_H
#define FAULT_FAULTY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"

/* One request of a connection. */
struct talk {
    int fd;
    int connection; /* which one it came over */
    bool keep;      /* another request may follow on it */
    bool other; /* came in where we redirect to */
    bool active; /* counted among those that are being answered */
    bool reset; /* closes without an end */
    struct buf in;
    const char *head, *body;
    json *json;
    const char *model, *prompt;
    char auth[512];
    bool stream;
    int n;          /* choices asked for */
    int other_port; /* where we redirect to */
};

/* Does what the word (NAME or NAME=ARG) says. */
void behave(struct talk *t, const char *word);
/* A plain good body of JSON. */
void put_body(struct talk *t, int status, const char *type,
              const char *extra, const char *body);
/* Counts the request no longer: before its last byte, or the client may ask
 * again sooner. */
void leaves(struct talk *t);
/* The next scripted answer to the prompt, or its echo; the caller frees. */
char *answer(const struct talk *t);

#endif
