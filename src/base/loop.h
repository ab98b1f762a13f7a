/* The one waiting point: poll() over registered descriptors and timers. */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdint.h>

struct loop;

/* Called with the descriptor's revents, or with 0 for a timer. */
typedef void loop_fn(void *ctx, int revents);

/* An empty loop; loop_free closes no descriptor. */
struct loop *loop_new(void);
void loop_free(struct loop **l);

/* Watches fd for `events` (POLLIN, POLLOUT); again with the same fd replaces
 * what was said before. */
void loop_watch(struct loop *l, int fd, int events, loop_fn *fn, void *ctx);
void loop_unwatch(struct loop *l, int fd);

/* Calls fn once after `ms` milliseconds; the same (fn, ctx) again moves it;
 * ms < 0 takes it back. */
void loop_timer(struct loop *l, int64_t ms, loop_fn *fn, void *ctx);

/* Waits for the next event or timer, at most max_ms (-1: for ever), and calls
 * what is due. Returns how many were called. */
int loop_once(struct loop *l, int64_t max_ms);

#endif
