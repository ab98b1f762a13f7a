/* One request to a teacher, outside of any job. */
#ifndef VERBS_SEND_H
#define VERBS_SEND_H

#include "teacher/client.h"

/* Sends it, tried once, and hands its end over. A server of the teacher's is
 * started for it. SIGTERM and SIGINT end it as cancelled. False where it could
 * not even be sent. */
typedef void answered_fn(void *ctx, const struct result *r);
bool verb_send(const struct profile *p, const struct ask *ask,
               answered_fn *fn, void *ctx, struct err *e);

#endif
