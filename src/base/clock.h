/* Time. The wall clock is for people only; order comes from the journal and
 * durations from the monotonic clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970. STILLROOM_NOW (seconds) freezes it, for tests. */
int64_t clock_now(void);

/* Milliseconds from an arbitrary start; never goes back. */
int64_t clock_mono(void);

/* Sleeps for so many milliseconds, less where a signal comes. */
void clock_sleep(int ms);

/* "24 Nov 14:02", or "24 Nov" where `day_only`, in local time and the
 * program's language. */
char *clock_format(char *out, size_t cap, int64_t ms, int day_only);

#endif
