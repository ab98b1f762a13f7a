/* What the server writes: OpenAI's chat completions and completions, whole or
 * as events. */
#ifndef SERVE_REPLY_H
#define SERVE_REPLY_H

#include <stdint.h>

#include "model/serve/request.h"
#include "model/serve/thought.h"

/* One answer of a request. */
struct choice {
    struct question q; /* the request's, and which answer it is */
    void *run;         /* NULL: it has ended */
    struct thought thought; /* of a chat's answer */
};

/* One request being answered: all its choices begin together, and are told
 * one after another. */
struct reply {
    const struct answerer *answerer;
    struct request request;
    char id[40];
    int64_t created;  /* seconds */
    size_t choice;    /* that is being told */
    size_t told;      /* characters of it so far */
    struct choice choices[REQUEST_CHOICES];
    size_t tokens_in, tokens_out, cached;
    bool over;        /* the event stream has ended */
    int fd;           /* of who asked: one that has hung up (over TCP, one that
                         will send no more) wants no whole answer any more;
                         -1: nobody looks */
};

/* Begins; the request is read into it by the caller. */
void reply_init(struct reply *r, const struct answerer *a);
/* Ends an answer that still runs and frees the request. */
void reply_done(struct reply *r);

/* Answers every choice and adds the whole body; false with the reason. */
bool reply_whole(struct reply *r, struct buf *out, struct err *e);

/* Starts the first choice of a stream and adds its first event. An error at
 * this point is still one that a status can tell. */
bool reply_begin(struct reply *r, struct buf *out, struct err *e);
/* Adds the next events ("data: {...}\n\n"). False when the stream is over
 * (after "data: [DONE]"); an error in the middle becomes an event. */
bool reply_events(struct reply *r, struct buf *out);

/* {"object":"list","data":[{"id":...}]} */
void reply_models(const struct answerer *a, struct buf *out);
/* One of them; false where there is none of that name. */
bool reply_model(const struct answerer *a, const char *name, struct buf *out);

/* {"error":{"message":...,"type":...,"code":status}} */
void reply_error(const char *message, int status, struct buf *out);

#endif
