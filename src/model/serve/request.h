/* A request for chat completions, read and bounded. */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include "model/serve/answerer.h"

enum { REQUEST_BYTES = 1 << 20, REQUEST_CHOICES = 16, REQUEST_BIASES = 300 };

struct request {
    struct chat messages;
    struct question q; /* borrows from this request */
    char *stop[4];
    int32_t bias_id[REQUEST_BIASES];
    double bias[REQUEST_BIASES];
    char *step;
    size_t n; /* how many answers */
    bool stream, usage;
};

/* Reads the body; step is the header's value or NULL (copied). False with one
 * sentence that names the field. request_free frees in either case. */
bool request_read(struct request *r, const char *body, size_t n,
                  const char *step, struct err *e);
void request_free(struct request *r);

#endif
