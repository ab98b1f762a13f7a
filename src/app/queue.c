#include "app/queue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "base/uni.h"
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

typedef int64_t number_fn(struct store *s, const struct query *q, int64_t of,
                          struct err *e);
typedef bool rows_fn(struct store *s, const struct query *q, int64_t from,
                     size_t n, ids *out, struct err *e);

static int64_t number(const struct queue *x, number_fn *fn, int64_t of)
{
    struct asked k;
    int64_t n = ask(x, &k) ? fn(x->a->s, &k.q, of, &k.e) : -1;
    answered(x, &k, n >= 0);
    return n;
}

static bool rows(const struct queue *x, rows_fn *fn, int64_t from, size_t n,
                 ids *out)
{
    struct asked k;
    bool ok = ask(x, &k) && fn(x->a->s, &k.q, from, n, out, &k.e);
    answered(x, &k, ok);
    return ok;
}

static int64_t rank(void *ctx, int64_t id)
{
    return number(ctx, query_rank, id);
}

static int64_t at(void *ctx, size_t row)
{
    return number(ctx, query_at, (int64_t)row);
}

/* What waits, and all seeds, are counted for the tabs already. */
static int64_t count(void *ctx)
{
    const struct queue *x = ctx;
    const struct target_counts *n = &x->a->counts;
    if (x->a->late)
        return -1;
    if (x->seeds ? !x->a->seeds.filter : !x->a->review.filter)
        return x->seeds ? n->seeds : n->pending;
    return rank(ctx, INT64_MAX);
}

static bool after(void *ctx, int64_t id, size_t n, ids *out)
{
    return rows(ctx, query_ids, id, n, out);
}

static bool before(void *ctx, int64_t id, size_t n, ids *out)
{
    return rows(ctx, query_ids_back, id, n, out);
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

void queue_refresh(const struct queue *x, struct list *l, int64_t shown)
{
    ids look = {0};
    for (size_t i = 0; i < l->kept.n; i++)
        VEC_PUSH(&look, l->kept.at[i]);
    if (shown)
        VEC_PUSH(&look, shown);
    for (size_t i = 0; i < look.n; i++)
        list_keep(l, look.at[i], !queue_has(x, look.at[i]));
    VEC_FREE(&look);
    list_refresh(l);
}

/* ---- Finding ------------------------------------------------------------ */

#define LOOK 256 /* rows that are read between two looks at the keys */

static int64_t by_words(const struct queue *x, const char *text, int64_t from,
                        bool back)
{
    struct asked k;
    int64_t id = ask(x, &k)
                     ? query_find(x->a->s, &k.q, text, from, back, &k.e)
                     : -1;
    answered(x, &k, id >= 0);
    return id;
}

/* The first of these rows that holds the text, 0: none. */
static int64_t read_rows(const struct queue *x, const ids *rows,
                         const char *text)
{
    const struct query q = {.seeds = x->seeds};
    size_t from, to;
    for (size_t i = 0; i < rows->n; i++) {
        char *all = query_text(x->a->s, &q, rows->at[i]);
        bool hit = uni_find(all, strlen(all), 0, text, &from, &to);
        free(all);
        if (hit)
            return rows->at[i];
    }
    return 0;
}

static bool is_past(int64_t id, int64_t until, bool back)
{
    return back ? id < until : id > until;
}

static int64_t by_reading(const struct queue *x, const char *text,
                          int64_t from, int64_t until, bool back)
{
    ids part = {0};
    int64_t hit = 0, n = 0;
    bool more = true;
    while (more && !hit) {
        part.n = 0;
        if (!rows(x, back ? query_ids_back : query_ids, from, LOOK, &part))
            hit = -1;
        else
            hit = read_rows(x, &part, text);
        from = part.n ? part.at[part.n - 1] : from;
        more = part.n == LOOK && !is_past(from, until, back);
        n += (int64_t)part.n;
        if (!hit && more &&
            !app_goes_on(x->a, _("searching: %lld read ... Esc leaves it"),
                         (long long)n))
            hit = -1;
    }
    VEC_FREE(&part);
    return hit;
}

int64_t queue_find(const struct queue *x, const char *text, int64_t from,
                   int64_t until, bool back)
{
    int64_t id = uni_is_words(text) ? by_words(x, text, from, back) : 0;
    if (!id)
        id = by_reading(x, text, from, until, back);
    return id > 0 && is_past(id, until, back) ? 0 : id;
}
