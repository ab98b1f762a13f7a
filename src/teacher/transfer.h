/* One attempt on the wire: a curl easy handle from its making to the verdict
 * on what came back. Used by client.c alone.
 */
#ifndef TEACHER_TRANSFER_H
#define TEACHER_TRANSFER_H

#include <curl/curl.h>

#include "base/err.h"
#include "teacher/client.h"
#include "teacher/key.h"

/* Where requests go. */
struct endpoint {
    const struct profile *profile;
    const char *model; /* where an ask names none */
    char *url;         /* of the requests */
    char *socket;      /* Unix socket, or NULL */
    int dir_fd;        /* of a socket whose path is too long; else -1 */
    bool own;          /* a server that our job started */
    bool near;         /* this machine: no proxy */
    struct key key;
};

/* Checks the profile and reads the key. */
bool endpoint_open(struct endpoint *at, const struct profile *p,
                   const char *socket, struct err *e);
void endpoint_close(struct endpoint *at);

enum form { FORM_UNKNOWN, FORM_JSON, FORM_STREAM, FORM_PAGE };

struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    struct buf body; /* what is sent */
    struct buf raw;  /* what came */
    struct assembly assembly;
    enum form form;
    size_t header_bytes;
    int64_t started, last; /* clock_mono; the body's last byte, 0: none yet */
    struct err why;        /* set where we broke it off ourselves */
    bool enough;           /* an error body that is long enough */
    bool stalled;          /* broken off for silence */
    char text[CURL_ERROR_SIZE];
};

/* What follows from an attempt. */
struct outcome {
    bool again;          /* a later try may turn it */
    bool stop;           /* no request to this teacher can work */
    unsigned refused;    /* parameters to leave out from now on */
    int64_t retry_after; /* ms the teacher asked for, 0: none */
    bool limited;        /* 429: holds for the whole teacher */
    bool slow;           /* silence: worth one more try, not all of them */
};

/* Makes the handle; `refused` as in request_write. */
bool transfer_start(struct transfer *t, const struct endpoint *at,
                    const struct ask *a, unsigned refused, struct err *e);
/* True where the stream said that it is complete: waiting for the end of the
 * connection is not needed. */
bool transfer_complete(const struct transfer *t);
/* Reads the outcome into *r (owned by the caller) and says what follows.
 * `sent` are the parameters that the request held. */
struct outcome transfer_end(struct transfer *t, const struct endpoint *at,
                            CURLcode code, unsigned sent, struct result *r);
void transfer_free(struct transfer *t);
void result_free(struct result *r);

/* Sets r->error from a text that may hold anything: key taken out, made safe
 * to show, cut to 4 KiB. */
void result_set_error(struct result *r, const struct key *k,
                      const char *text);

#endif
