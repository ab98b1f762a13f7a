#include "model/net/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/mem.h"

const struct team alone = {NULL, 0, 1};

/* How often a worker looks before it sleeps: some ten microseconds, less than
 * the kernel takes to wake it. Nobody looks where there are more workers than
 * processors. */
enum { LOOKS = 4000 };

struct pool {
    int workers, looks;
    pthread_t *thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    atomic_uint round; /* counts the meetings */
    atomic_int here;   /* workers that have come to this one */
    bool quit;
    pool_fn *fn;
    void *ctx;
};

struct seat {
    struct pool *pool;
    int worker;
};

/* ---- Meeting ------------------------------------------------------------ */

static void look_away(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void open_round(struct pool *p)
{
    atomic_store(&p->here, 0);
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->round, 1);
    pthread_cond_broadcast(&p->woken);
    pthread_mutex_unlock(&p->lock);
}

static void meet(struct pool *p)
{
    unsigned round = atomic_load(&p->round);
    if (atomic_fetch_add(&p->here, 1) + 1 == p->workers) {
        open_round(p);
        return;
    }
    for (int i = 0; i < p->looks; i++, look_away())
        if (atomic_load(&p->round) != round)
            return;
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->round) == round)
        pthread_cond_wait(&p->woken, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void team_wait(const struct team *t)
{
    if (t->of > 1)
        meet(t->pool);
}

void team_slice(const struct team *t, size_t n, size_t *lo, size_t *hi)
{
    *lo = n * (size_t)t->me / (size_t)t->of;
    *hi = n * (size_t)(t->me + 1) / (size_t)t->of;
}

void team_share(const struct team *t, int n, int unit, int *lo, int *hi)
{
    size_t from, to, units = (size_t)((n + unit - 1) / unit);
    team_slice(t, units, &from, &to);
    *lo = (int)from * unit;
    *hi = (int)to * unit < n ? (int)to * unit : n;
}

int team_unit(int T)
{
    return T <= 16 ? 1 : 8;
}

void team_rows(const struct team *t, int T, int *lo, int *hi)
{
    team_share(t, T, team_unit(T), lo, hi);
}

/* ---- Workers ------------------------------------------------------------ */

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
    return n < 1 ? 1 : n > POOL_MOST ? POOL_MOST : n;
}

static void *work(void *arg)
{
    struct seat seat = *(struct seat *)arg;
    struct pool *p = seat.pool;
    struct team team = {p, seat.worker, p->workers};
    free(arg);
    for (;;) {
        meet(p);
        if (p->quit)
            return NULL;
        p->fn(p->ctx, &team);
        meet(p);
    }
}

struct pool *pool_new(int workers)
{
    must(workers >= 1 && workers <= POOL_MOST);
    struct pool *p = xcalloc(1, sizeof *p);
    p->workers = workers;
    p->thread = xcalloc((size_t)workers, sizeof *p->thread);
    p->looks = workers <= pool_default() ? LOOKS : 0;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->woken, NULL);
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
    p->quit = true;
    if (p->workers > 1)
        meet(p);
    for (int i = 1; i < p->workers; i++)
        pthread_join(p->thread[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->woken);
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
    struct team team = {p, 0, p->workers};
    must(!p->quit);
    p->fn = fn;
    p->ctx = ctx;
    team_wait(&team);
    fn(ctx, &team);
    team_wait(&team);
}
