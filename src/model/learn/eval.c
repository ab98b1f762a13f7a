#include "model/learn/eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/lang.h"
#include "base/mem.h"
#include "domain/verifier.h"
#include "model/learn/engine.h"
#include "model/learn/pack.h"

struct judging {
    const struct llama *m;
    const struct tokenizer *t;
    const struct items *d;
    struct work *k;
    struct pack pack;
    struct batch batch;
    struct told told; /* of the batch */
    struct engine *engine;
    struct verdict *out;
    int64_t tokens; /* of answers and what they were asked with */
};

static void pass(void *ctx, const struct team *t)
{
    const struct judging *j = ctx;
    llama_pass(t, j->m, j->k, &j->batch, 0, NULL, &j->told);
}

/* The loss of one row whose tokens stand in the batch from `at` on; likely
 * where every token of its last answer is the likeliest (of one that is not
 * trained, as thinking may be, nobody knows). */
static void read_row(const struct judging *j, size_t i, int at)
{
    const struct item *m = &j->d->at[i];
    struct verdict *v = &j->out[i];
    must(at >= 0 && at + m->n - 1 <= j->pack.T);
    int last = 0; /* the last trained id ends the answer */
    bool all = true;
    for (int t = 0; t + 1 < m->n; t++)
        if (m->trained[t + 1]) {
            v->loss -= j->told.logprob[at + t];
            last = t >= m->prompt - 1 ? t + 1 : last;
        }
    for (int t = m->prompt - 1; t < last; t++)
        all = all && t >= 0 && m->trained[t + 1] && j->told.top[at + t];
    v->likely = !m->plain && all && last && tokenizer_stops(j->t, m->ids[last]);
}

/* Every row behind its own true prefix. */
static void teacher_forced(struct judging *j, struct pool *pool)
{
    struct items rest = *j->d;
    for (size_t i = 0; i < j->d->n;) {
        rest.at = j->d->at + i;
        size_t n = pack_fill(&j->pack, &rest, NULL, j->d->n - i);
        j->batch = pack_batch(&j->pack, 0);
        pool_run(pool, pass, j);
        for (size_t r = 0; r < n; r++)
            read_row(j, i + r, j->pack.start[r]);
        i += n;
    }
}

/* Tokens that a row's answer may have. */
static int room_of(const struct item *m, int context)
{
    int left = context - m->prompt, room = 2 * (m->n - m->prompt) + 32;
    return room < left ? room : left;
}

static void drop_behind(struct items *d, size_t n)
{
    while (d->n > n) {
        struct item *m = &d->at[--d->n];
        d->tokens -= m->n;
        d->targets -= m->targets;
        item_done(m);
    }
}

static int64_t cost_of(const struct item *m, int context)
{
    return m->prompt + room_of(m, context);
}

int64_t eval_cost(const struct items *d, int context)
{
    int64_t cost = d->tokens;
    for (size_t i = 0; i < d->n; i++)
        cost += d->at[i].asked ? cost_of(&d->at[i], context) : 0;
    return cost;
}

void eval_choose(struct items *d, int64_t most, int context)
{
    enum { SHOWN = 8 };
    size_t checkable = 0, asked = 0;
    while (most && d->tokens > most)
        drop_behind(d, d->n - 1);
    for (size_t i = 0; i < d->n; i++)
        checkable += d->at[i].verifier >= 0;
    int64_t left = most ? most - d->tokens : INT64_MAX;
    for (size_t i = 0; i < d->n; i++) {
        struct item *m = &d->at[i];
        int64_t cost = cost_of(m, context);
        bool wanted = checkable ? m->verifier >= 0
                                : !m->plain && asked < SHOWN;
        m->asked = wanted && cost <= left;
        if (wanted) /* the first that does not fit is the last that is asked */
            left = m->asked ? left - cost : 0;
        asked += m->asked;
    }
}

/* Begins the greedy answer to a row, NULL where it needs none or has no room.
 */
static struct answering *begin(const struct judging *j, size_t i,
                               struct err *e)
{
    const struct item *m = &j->d->at[i];
    struct ask a = {.ids = m->ids, .n = m->prompt, .top = -1,
                    .max = room_of(m, j->m->config.context)};
    bool asks = m->asked && !j->out[i].likely && m->prompt <= m->n && a.max > 0;
    return asks ? engine_ask(j->engine, &a, e) : NULL;
}

/* Reads it to its end, and counts its tokens. */
static char *end(const struct judging *j, struct answering **a,
                 int64_t *tokens)
{
    VEC(int32_t) ids = {0};
    struct drawn x;
    struct buf text = BUF_INIT(0);
    while (*a && engine_next(*a, &x) == ENGINE_GOES_ON)
        VEC_PUSH(&ids, x.id);
    engine_finish(a);
    tokenizer_decode(j->t, ids.at, ids.n, true, &text);
    *tokens += (int64_t)ids.n;
    VEC_FREE(&ids);
    return buf_take(&text);
}

static void answer_row(struct judging *j, size_t i, struct answering **a)
{
    const struct item *m = &j->d->at[i];
    struct verdict *v = &j->out[i];
    if (!m->asked)
        return;
    j->tokens += *a ? m->prompt : 0;
    v->text = v->likely ? xstrdup(m->answer) : end(j, a, &j->tokens);
    v->marked = m->verifier >= 0;
    v->right = v->marked &&
               (v->likely || verifier_check((enum verifier)m->verifier,
                                            m->answer, v->text, NULL));
}

/* Some rows ahead of the one that is read, so that a pass is always full. */
enum { AHEAD = 2 * DECODE_STREAMS };

static bool answers(struct judging *j, int workers, struct err *e)
{
    struct answering *a[AHEAD] = {0};
    struct err none = {0};
    size_t begun = 0;
    j->engine = engine_new(j->m, j->t, workers, NULL, e);
    for (size_t i = 0; j->engine && i < j->d->n; i++) {
        for (; begun < j->d->n && begun < i + AHEAD; begun++)
            a[begun % AHEAD] = begin(j, begun, &none);
        answer_row(j, i, &a[i % AHEAD]);
    }
    bool ok = j->engine && !none.code;
    if (none.code)
        *e = none;
    engine_free(&j->engine);
    return ok;
}

static void sum_up(const struct judging *j, struct figures *f)
{
    *f = (struct figures){.rows = j->d->n,
                          .tokens = j->d->tokens + j->tokens};
    for (size_t i = 0; i < j->d->n; i++) {
        f->loss += j->out[i].loss;
        f->marked += j->out[i].marked;
        f->right += j->out[i].right;
    }
    f->loss /= j->d->targets ? (double)j->d->targets : 1;
    f->exact = f->marked ? (double)f->right / (double)f->marked : NAN;
}

bool eval_run(const struct llama *m, const struct tokenizer *t,
              const struct items *d, bool answered, struct pool *pool,
              struct work *k, struct verdict *out, struct figures *f,
              struct err *e)
{
    int workers = pool_workers(pool), room = work_tokens(k);
    struct judging j = {.m = m, .t = t, .d = d, .k = k, .out = out};
    j.told.logprob = xcalloc((size_t)room, sizeof *j.told.logprob);
    j.told.top = xcalloc((size_t)room, sizeof *j.told.top);
    pack_init(&j.pack, room);
    teacher_forced(&j, pool);
    bool ok = !answered || answers(&j, workers, e);
    if (ok)
        sum_up(&j, f);
    if (ok && !isfinite(f->loss))
        ok = err_set(e, ERR_INPUT, "%s", _(engine_broken));
    pack_done(&j.pack);
    free(j.told.logprob);
    free(j.told.top);
    return ok;
}

void verdicts_free(struct verdict *v, size_t n)
{
    for (size_t i = 0; v && i < n; i++)
        free(v[i].text);
    free(v);
}
