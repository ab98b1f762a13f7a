#include "base/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct watch {
    int fd, events;
    loop_fn *fn;
    void *ctx;
};

struct timer {
    int64_t due;
    loop_fn *fn;
    void *ctx;
};

struct loop {
    VEC(struct watch) watches;
    VEC(struct timer) timers;
};

struct loop *loop_new(void)
{
    return xcalloc(1, sizeof(struct loop));
}

void loop_free(struct loop **l)
{
    if (!*l)
        return;
    VEC_FREE(&(*l)->watches);
    VEC_FREE(&(*l)->timers);
    free(*l);
    *l = NULL;
}

void loop_watch(struct loop *l, int fd, int events, loop_fn *fn, void *ctx)
{
    loop_unwatch(l, fd);
    struct watch w = {fd, events, fn, ctx};
    VEC_PUSH(&l->watches, w);
}

void loop_unwatch(struct loop *l, int fd)
{
    for (size_t i = 0; i < l->watches.n; i++) {
        if (l->watches.at[i].fd == fd) {
            l->watches.at[i] = l->watches.at[--l->watches.n];
            return;
        }
    }
}

void loop_timer(struct loop *l, int64_t ms, loop_fn *fn, void *ctx)
{
    for (size_t i = 0; i < l->timers.n; i++) {
        struct timer *t = &l->timers.at[i];
        if (t->fn == fn && t->ctx == ctx) {
            *t = l->timers.at[--l->timers.n];
            break;
        }
    }
    if (ms < 0)
        return;
    struct timer t = {clock_mono() + ms, fn, ctx};
    VEC_PUSH(&l->timers, t);
}

static int64_t next_due(const struct loop *l, int64_t max_ms)
{
    int64_t now = clock_mono();
    for (size_t i = 0; i < l->timers.n; i++) {
        int64_t left = l->timers.at[i].due - now;
        left = left < 0 ? 0 : left;
        if (max_ms < 0 || left < max_ms)
            max_ms = left;
    }
    return max_ms;
}

static int run_timers(struct loop *l)
{
    int called = 0;
    int64_t now = clock_mono();
    for (size_t i = 0; i < l->timers.n;) {
        struct timer t = l->timers.at[i];
        if (t.due > now) {
            i++;
            continue;
        }
        l->timers.at[i] = l->timers.at[--l->timers.n];
        t.fn(t.ctx, 0);
        called++;
        i = 0;
    }
    return called;
}

int loop_once(struct loop *l, int64_t max_ms)
{
    size_t n = l->watches.n;
    struct pollfd *fds = xcalloc(n, sizeof *fds);
    for (size_t i = 0; i < n; i++) {
        fds[i].fd = l->watches.at[i].fd;
        fds[i].events = (short)l->watches.at[i].events;
    }
    int64_t wait = next_due(l, max_ms);
    int got = poll(fds, (nfds_t)n, wait > 60000 ? 60000 : (int)wait);
    int called = 0;
    for (size_t i = 0; got > 0 && i < n; i++) {
        if (!fds[i].revents)
            continue;
        for (size_t k = 0; k < l->watches.n; k++) {
            struct watch w = l->watches.at[k];
            if (w.fd != fds[i].fd)
                continue;
            w.fn(w.ctx, fds[i].revents);
            called++;
            break;
        }
    }
    free(fds);
    return called + run_timers(l);
}
