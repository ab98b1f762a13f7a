/* Threads of our own: a fixed number of workers that all run one function,
 * together, on the same arrays. Who does what is decided by a worker's number
 * alone, so that results do not depend on who comes first.
 */
#ifndef MODEL_NET_POOL_H
#define MODEL_NET_POOL_H

#include <stddef.h>

enum { POOL_MOST = 64 }; /* workers */

struct pool;

/* A worker's place among those that work on one thing. Functions that take a
 * team are called by all of its workers with the same arguments; each does
 * its share, and says where it waits for the others. */
struct team {
    struct pool *pool; /* NULL: nobody to wait for */
    int me, of;        /* 0 .. of - 1 */
};

/* A team of one. */
extern const struct team alone;

/* Returns when every worker has come here; what they wrote is then seen by
 * all. */
void team_wait(const struct team *t);

/* This worker's share lo..hi-1 of n things, in whole units (the last one may
 * be cut). */
void team_share(const struct team *t, int n, int unit, int *lo, int *hi);

/* The same of T rows of tokens, the same rows wherever T is the same: a few
 * one by one, many in whole tiles of products (team_unit). */
int team_unit(int T);
void team_rows(const struct team *t, int T, int *lo, int *hi);

/* The same of a long array. */
void team_slice(const struct team *t, size_t n, size_t *lo, size_t *hi);

typedef void pool_fn(void *ctx, const struct team *t);

/* How many workers this machine wants: the processors that the process may
 * use, at most 64; OPENBLAS_NUM_THREADS or OMP_NUM_THREADS lower it. */
int pool_default(void);

/* So many workers, the caller being one of them; pool_free ends them. */
struct pool *pool_new(int workers);
void pool_free(struct pool **p);
int pool_workers(const struct pool *p);

/* Runs fn in every worker (the caller is number 0) and returns when all are
 * done. */
void pool_run(struct pool *p, pool_fn *fn, void *ctx);

#endif
