/* A request for chat completions, or for completions of a text, read and
 * bounded. */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include "model/serve/answerer.h"

enum { REQUEST_BYTES = 1 << 20, REQUEST_CHOICES = 16, REQUEST_BIASES = 300 };

struct request {
    struct chat messages;
    struct question q; /* borrows from this request */
    struct prompt {    /* of a text request */
        char *text;    /* NULL: ids */
        int32_t *ids;
        size_t n;
    } prompts[REQUEST_CHOICES];
    size_t n_prompts;
    char *stop[4];
    int32_t bias_id[REQUEST_BIASES];
    double bias[REQUEST_BIASES];
    char *step, *model, *variables;
    size_t n; /* how many answers in all; of each prompt the same number */
    bool stream, usage;
};

/* Reads the body, of a chat or of a text request to a; step is the header's
 * value or NULL (copied). False with one sentence that names the field.
 * request_free frees in either case. */
bool request_read(struct request *r, const struct answerer *a, bool text,
                  const char *body, size_t n, const char *step,
                  struct err *e);
void request_free(struct request *r);

/* The question that stands behind answer number i. */
struct question request_question(const struct request *r, size_t i);

#endif
