/* Asking a teacher: many requests in flight over one curl multi handle that
 * base/loop.h drives; retries, limits and time-outs in one place. Everything
 * is told through one callback, always from within the loop, never from
 * within the functions below.
 *
 * Retried, at most 6 tries, waits of 1 to 60 s with full jitter: 408, 409,
 * 425, 429, 500, 502, 503, 504, 529, an error inside a good reply that is kin
 * to one of these, broken connections, and replies without an answer. Silence
 * is asked about once more. A Retry-After (0 to 300 s) parks the whole
 * teacher. 401, 402 and 403 stop it, as do an empty account and certificates
 * that do not hold: what waits then fails at once. A 400 that refuses a
 * parameter is learned from, and the request goes again without it
 * (max_tokens under its newer name), which is an attempt but no try.
 */
#ifndef TEACHER_CLIENT_H
#define TEACHER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "teacher/profile.h"
#include "teacher/reply.h"
#include "teacher/request.h"

#define CLIENT_TRIES 6

enum ask_state { ASK_ANSWERED, ASK_FAILED, ASK_CANCELLED };

/* How one attempt ended. */
struct result {
    enum ask_state state;
    int http;           /* status, 0 where none came */
    struct buf raw;     /* the body as it came (of a stream, its text); a key
                           in it is replaced */
    struct reply reply; /* what could be read of it, also of a partial one */
    char *error;        /* why it failed, safe to show, at most 4 KiB; or
                           NULL */
    int64_t ms;         /* from sending to the last byte */
    bool key_echoed;    /* the key was in it and was taken out */
};

enum news_kind {
    NEWS_SENT,  /* the next attempt is about to leave: commit it first */
    NEWS_AGAIN, /* an attempt failed; another one follows in wait_ms */
    NEWS_END    /* the last attempt ended; the ask is forgotten */
};

struct news {
    enum news_kind kind;
    int attempt;     /* from 1; 0 where an ask ends without having been sent */
    int try, tries;  /* "try 2 of 6" */
    int64_t wait_ms; /* NEWS_AGAIN */
    unsigned without; /* parameters (HAS bits) that this attempt leaves out or
                         renames, because the endpoint refuses them */
    const struct result *result; /* NULL for NEWS_SENT; borrowed */
};

/* False at NEWS_SENT: do not send; the ask ends as cancelled. Elsewhere the
 * value means nothing. It may call client_ask and client_cancel_all, not
 * client_free. */
typedef bool ask_fn(void *ctx, const struct news *n);

struct client;

/* A client for the teacher (the profile is borrowed). Reads its key. `socket`
 * names the Unix socket of a server that the caller started for it, and is
 * NULL for all others; such a server alone is told `ask.step`. NULL with the
 * reason in e where the profile, the key or curl will not do. */
struct client *client_new(struct loop *l, const struct profile *p,
                          const char *socket, struct err *e);
/* Drops what is under way without a word and wipes the key. */
void client_free(struct client **c);

/* Queues a question. The ask and all it points at are borrowed until its
 * NEWS_END. */
void client_ask(struct client *c, const struct ask *a, ask_fn *fn, void *ctx);
/* Ends all asks as cancelled, at the loop's next turn. */
void client_cancel_all(struct client *c);
/* Sends nothing more: what is on the wire comes to its end, all else ends as
 * cancelled. */
void client_drain(struct client *c);

/* Asks that have not ended, and those of them on the wire. */
size_t client_pending(const struct client *c);
size_t client_in_flight(const struct client *c);
/* Milliseconds until the teacher's limit lets the next request out, 0: now. */
int64_t client_parked(const struct client *c);
/* Why the teacher was stopped, NULL where it was not. */
const char *client_stopped(const struct client *c);

/* For one-off checks and tests: fewer tries; waits scaled by `pace`. */
void client_set_tries(struct client *c, int tries, double pace);

#endif
