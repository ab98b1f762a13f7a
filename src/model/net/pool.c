#include "model/net/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

struct pool {
    int workers;
    pthread_t *thread;
    pthread_mutex_t lock;
    pthread_cond_t start, end;
    unsigned long turn; /* counts the calls of pool_run */
    int busy;           /* workers that have not finished this turn */
    bool quit;
    pool_fn *fn;
    void *ctx;
};

struct seat {
    struct pool *pool;
    int worker;
};

int pool_default(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const char *names[] = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"};
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *s = getenv(names[i]);
        long v = s ? strtol(s, NULL, 10) : 0;
        if (v > 0 && v < n)
            n = (int)v;
    }
    return n < 1 ? 1 : n > 64 ? 64 : n;
}

static void *work(void *arg)
{
    struct seat seat = *(struct seat *)arg;
    struct pool *p = seat.pool;
    free(arg);
    unsigned long seen = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->turn == seen && !p->quit)
            pthread_cond_wait(&p->start, &p->lock);
        if (p->quit)
            break;
        seen = p->turn;
        pthread_mutex_unlock(&p->lock);
        p->fn(p->ctx, seat.worker, p->workers);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->end);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct pool *pool_new(int workers)
{
    struct pool *p = xcalloc(1, sizeof *p);
    p->workers = workers;
    p->thread = xcalloc((size_t)workers, sizeof *p->thread);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->start, NULL);
    pthread_cond_init(&p->end, NULL);
    for (int i = 1; i < workers; i++) {
        struct seat *seat = xmalloc(sizeof *seat);
        *seat = (struct seat){p, i};
        if (pthread_create(&p->thread[i], NULL, work, seat))
            die("cannot start a thread");
    }
    return p;
}

void pool_free(struct pool **pp)
{
    struct pool *p = *pp;
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->quit = true;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->workers; i++)
        pthread_join(p->thread[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->start);
    pthread_cond_destroy(&p->end);
    free(p->thread);
    free(p);
    *pp = NULL;
}

int pool_workers(const struct pool *p)
{
    return p->workers;
}

void pool_run(struct pool *p, pool_fn *fn, void *ctx)
{
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->busy = p->workers - 1;
    p->turn++;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    fn(ctx, 0, p->workers);
    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->end, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
