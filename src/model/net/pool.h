/* Threads of our own: a fixed number of workers that all run one function.
 * Who does what is decided by a worker's number alone, so that results do not
 * depend on who comes first.
 */
#ifndef MODEL_NET_POOL_H
#define MODEL_NET_POOL_H

struct pool;

/* `worker` counts from 0; worker 0 is the calling thread. */
typedef void pool_fn(void *ctx, int worker, int workers);

/* How many workers this machine wants: the processors that the process may
 * use, at most 64; OPENBLAS_NUM_THREADS or OMP_NUM_THREADS lower it. */
int pool_default(void);

/* So many workers, the caller being one of them; pool_free ends them. */
struct pool *pool_new(int workers);
void pool_free(struct pool **p);
int pool_workers(const struct pool *p);

/* Runs fn in every worker and returns when all are done. */
void pool_run(struct pool *p, pool_fn *fn, void *ctx);

#endif
