/* What is asked of a teacher, and the body of its request: OpenAI's chat
 * completions, the one form that every endpoint takes.
 */
#ifndef TEACHER_REQUEST_H
#define TEACHER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/chat.h"

/* What may be left unsaid, and what an endpoint may refuse. */
enum param {
    PARAM_TEMPERATURE,
    PARAM_TOP_P,
    PARAM_PRESENCE,
    PARAM_MAX_TOKENS,
    PARAM_STOP,
    PARAM_SEED,
    PARAM_N,
    PARAM_LOGPROBS,
    PARAM_TOOLS,
    PARAM_USAGE, /* stream_options: usage at a stream's end */
    PARAM_COUNT
};

#define HAS(param) (1u << (param))

/* One question. Everything that it points at is borrowed. */
struct ask {
    const struct chat *chat;
    const char *model; /* NULL: the profile's */
    unsigned has;      /* HAS(PARAM_...) of what is said below */
    double temperature, top_p, presence_penalty;
    int64_t max_tokens, seed, n;
    int top_logprobs;         /* 0 to 20, with PARAM_LOGPROBS */
    const char *const *stop;  /* NULL-ended */
    const char *tools;        /* a JSON array */
    bool stream;
    const char *step; /* "RECIPE/STEP", told only to servers of our own */
};

/* Appends the body. Parameters in `refused` are left out, except max_tokens,
 * which is then called max_completion_tokens. Reasoning and marks of ours are
 * not sent. */
void request_write(struct buf *out, const struct ask *a, const char *model,
                   unsigned refused);

/* Which of the parameters that `sent` holds an endpoint's error refuses as
 * such: HAS bits, 0 where it is about something else. `param` is the error's
 * own naming of it, may be NULL. n, logprobs and tools are never learned
 * away: without them the answer is another one. */
unsigned request_refused(const char *error, const char *param,
                         unsigned sent);

#endif
