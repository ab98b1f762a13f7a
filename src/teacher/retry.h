/* When to ask again: pure rules of the client. */
#ifndef TEACHER_RETRY_H
#define TEACHER_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"

#define RETRY_AFTER_MAX 300000 /* ms */

/* True for the statuses that a later try may turn. */
bool retry_status(int http);
/* A Retry-After value, seconds or an HTTP date, in ms from `now_ms` (since
 * 1970), at most RETRY_AFTER_MAX; 0 where it says nothing usable (junk,
 * negative, past, several values). */
int64_t retry_after(const char *value, int64_t now_ms);
/* The wait in ms after the n-th failed try (from 1): evenly from 1 s to the
 * smaller of 2^n s and 60 s (exponential back-off, full jitter). */
int64_t retry_wait(struct rng *r, int n);

#endif
