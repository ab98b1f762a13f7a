/* What came back: a body of chat completions, plain JSON or a stream's
 * chunks, put together to answers. Pure: bytes in, values out.
 */
#ifndef TEACHER_REPLY_H
#define TEACHER_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "domain/chat.h"
#include "teacher/sse.h"

#define REPLY_CHOICES 128 /* most answers in one reply */
#define REPLY_CALLS 128   /* most tool calls in one answer */

/* One answer; the strings are owned, and UTF-8. */
struct choice {
    struct message answer; /* content, reasoning, tool_calls */
    char *finish;          /* "stop" ...; "tool_calls" where an answer is
                              calls alone; "length" at a limit of tokens,
                              "content_filter", "error" where the endpoint gave
                              up, whatever it calls them; "cut" where the line
                              broke */
    char *logprobs;        /* JSON array of token entries, or NULL */
    bool complete;         /* it ended by itself: neither cut nor length */
};

struct reply {
    struct choice *at; /* by index */
    size_t n, cap;
    char *model;                   /* as the endpoint names it, or NULL */
    int64_t tokens_in, tokens_out; /* -1: not said */
    bool done;                     /* the stream's [DONE] came */
    char *error;                   /* the endpoint's own words */
    char *error_param;             /* the parameter that it names */
    int error_status;              /* the HTTP status that the error names or
                                      is the kin of, 0: none */
};

void reply_free(struct reply *r);

/* The first answer that says, thinks or calls something; NULL for none. */
const struct choice *reply_answer(const struct reply *r);

/* Reads a plain body: one value or several, one behind the other. It is read
 * loosely: what nobody needs never costs an answer. False where it is not a
 * reply; an error object is a reply (r->error). *r is to be freed in any
 * case. */
bool reply_parse(const char *body, size_t n, struct reply *r, struct err *e);

/* The text and parameter of an error body: any of the known shapes, a page's
 * title, or the body's beginning. */
void reply_parse_error(const char *body, size_t n, struct reply *r);
/* Takes what a parsed value tells of an error into error, error_param and
 * error_status; false where that is nothing. */
bool reply_take_error(const struct cJSON *j, struct reply *r);

/* A reply in the form of another protocol, which is not read: whose it is, and
 * the url at which chat completions are spoken instead. */
struct foreign {
    const char *name, *url;
};
/* NULL where a value is in none of the known ones (a static row). */
const struct foreign *reply_foreign(const struct cJSON *j);
/* Sets the sentence (ERR_USAGE: the url is wrong). Returns false. */
bool reply_say_foreign(const struct foreign *f, struct err *e);

/* A stream that is being put together. */
struct assembly {
    struct sse sse;
    struct reply reply;
    struct partial *at; /* growing choices, by index */
    size_t n, cap;
    uint64_t events;
    bool summed; /* the last chunk held usage and no choice */
    const struct foreign *foreign; /* the first that came, or NULL */
    char *words; /* the first data that is no JSON, cut, or NULL */
};

/* Begins a streamed reply; assembly_free frees what came. */
void assembly_start(struct assembly *a);
/* Takes bytes of the stream; false where they are not a stream of chunks.
 * Events of other names, data that is no JSON and objects that are neither
 * chunk nor error are passed over. */
bool assembly_feed(struct assembly *a, const char *p, size_t n,
                   struct err *e);
/* True where anything said that the answers are whole: [DONE], or a finish
 * reason for each of them. The usage at a stream's end says it only where the
 * line ended well (assembly_end): some endpoints send usage as they go, and
 * behind such a chunk a broken line may have cut the answer. */
bool assembly_whole(const struct assembly *a);
/* Ends it and moves what came into *r. Answers without a finish reason are
 * "stop" where the stream is whole or ends with usage, else "cut". False where
 * no answer and no error came. */
bool assembly_end(struct assembly *a, struct reply *r, struct err *e);
void assembly_free(struct assembly *a);

/* Writes the reply as a plain body of chat completions (used in place of raw
 * bytes that must not be kept). */
void reply_print(const struct reply *r, struct buf *out);

#endif
