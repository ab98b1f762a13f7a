#include "app/queue.h"

#include "app/app.h"
#include "store/query.h"

/* A query being asked. */
struct asked {
    struct filter filter;
    struct query q;
    struct err e;
};

static bool ask(const struct queue *x, struct asked *k)
{
    struct app *a = x->a;
    const char *text = x->seeds ? a->seeds.filter : a->review.filter;
    *k = (struct asked){
        .q = {.target = a->target, .filter = &k->filter, .seeds = x->seeds}};
    if (filter_parse(text       ? text
                     : x->seeds ? ""
                                : "status:pending",
                     &k->filter, &k->e))
        return true;
    app_say_err(a, &k->e);
    return false;
}

static void answered(const struct queue *x, struct asked *k, bool ok)
{
    filter_free(&k->filter);
    if (!ok)
        app_say_err(x->a, &k->e);
}

/* What waits, and all seeds, are counted for the tabs already. */
static int64_t count(void *ctx)
{
    const struct queue *x = ctx;
    struct asked k;
    if (!x->seeds && !x->a->review.filter)
        return x->a->counts.pending;
    if (x->seeds && !x->a->seeds.filter)
        return x->a->counts.seeds;
    int64_t n = ask(x, &k) ? query_count(x->a->s, &k.q, &k.e) : -1;
    answered(x, &k, n >= 0);
    return n;
}

static int64_t rank(void *ctx, int64_t id)
{
    const struct queue *x = ctx;
    struct asked k;
    int64_t n = ask(x, &k) ? query_rank(x->a->s, &k.q, id, &k.e) : -1;
    answered(x, &k, n >= 0);
    return n;
}

static int64_t at(void *ctx, size_t row)
{
    const struct queue *x = ctx;
    struct asked k;
    int64_t id = ask(x, &k) ? query_at(x->a->s, &k.q, (int64_t)row, &k.e) : -1;
    answered(x, &k, id >= 0);
    return id;
}

static bool after(void *ctx, int64_t id, size_t n, ids *out)
{
    const struct queue *x = ctx;
    struct asked k;
    bool ok = ask(x, &k) && query_ids(x->a->s, &k.q, id, n, out, &k.e);
    answered(x, &k, ok);
    return ok;
}

static bool before(void *ctx, int64_t id, size_t n, ids *out)
{
    const struct queue *x = ctx;
    struct asked k;
    bool ok = ask(x, &k) && query_ids_back(x->a->s, &k.q, id, n, out, &k.e);
    answered(x, &k, ok);
    return ok;
}

const struct list_source queue_source = {count, rank, at, after, before};

bool queue_has(const struct queue *x, int64_t id)
{
    struct asked k;
    bool has = ask(x, &k) && query_has(x->a->s, &k.q, id);
    filter_free(&k.filter);
    return has;
}

bool queue_takes(const struct queue *x, const char *filter, struct err *e)
{
    struct filter f;
    struct query q = {.target = x->a->target, .filter = &f,
                      .seeds = x->seeds};
    bool ok = filter_parse(filter, &f, e) &&
              query_rank(x->a->s, &q, 0, e) >= 0;
    filter_free(&f);
    return ok;
}
