#include "model/learn/eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "domain/verifier.h"
#include "model/learn/generate.h"
#include "model/learn/pack.h"

struct judging {
    const struct llama *m;
    const struct tokenizer *t;
    const struct items *d;
    struct work *k;
    struct pack pack;
    struct batch batch;
    struct told told; /* of the batch */
    struct decoder **decoder; /* by worker */
    struct verdict *out;
};

static void pass(void *ctx, const struct team *t)
{
    const struct judging *j = ctx;
    llama_pass(t, j->m, j->k, &j->batch, 0, NULL, &j->told);
}

/* The loss of one row whose tokens stand in the batch from `at` on; right
 * where every token of its last answer is the likeliest. */
static void read_row(const struct judging *j, size_t i, int at)
{
    const struct item *m = &j->d->at[i];
    struct verdict *v = &j->out[i];
    int last = 0; /* the last trained id ends the answer */
    bool all = true;
    for (int t = 0; t + 1 < m->n; t++)
        if (m->trained[t + 1]) {
            v->loss -= j->told.logprob[at + t];
            if (t >= m->prompt - 1) {
                all = all && j->told.top[at + t];
                last = t + 1;
            }
        }
    v->right = all && last && tokenizer_stops(j->t, m->ids[last]);
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
static int room_of(const struct item *m)
{
    return 2 * (m->n - m->prompt) + 32;
}

static char *greedy(const struct judging *j, struct decoder *d,
                    const struct item *m)
{
    int room = room_of(m);
    struct generate g = {.t = j->t, .max = room,
                         .vocab = j->m->config.vocab};
    if ((size_t)g.vocab > j->t->n)
        g.vocab = (int)j->t->n;
    int32_t *ids = xmalloc((size_t)room * sizeof *ids);
    bool ended;
    decoder_cut(d, 0);
    int n = m->prompt <= m->n
                ? generate(d, &g, m->ids, m->prompt, ids, &ended) : 0;
    struct buf text = BUF_INIT(0);
    tokenizer_decode(j->t, ids, (size_t)n, true, &text);
    free(ids);
    return buf_take(&text);
}

static void answer_row(const struct judging *j, int worker, size_t i)
{
    const struct item *m = &j->d->at[i];
    struct verdict *v = &j->out[i];
    if (v->right) {
        v->text = xstrdup(m->answer);
        return;
    }
    v->text = greedy(j, j->decoder[worker], m);
    v->right = verifier_check(VERIFY_FINAL, m->answer, v->text, NULL);
}

static void answer(void *ctx, const struct team *t)
{
    const struct judging *j = ctx;
    for (size_t i = (size_t)t->me; i < j->d->n; i += (size_t)t->of)
        answer_row(j, t->me, i);
}

static void sum_up(const struct judging *j, struct figures *f)
{
    *f = (struct figures){.rows = j->d->n};
    for (size_t i = 0; i < j->d->n; i++) {
        f->loss += j->out[i].loss;
        f->right += j->out[i].right;
    }
    f->loss /= j->d->targets ? (double)j->d->targets : 1;
    f->exact = j->d->n ? (double)f->right / (double)j->d->n : 0;
}

/* Tokens of the longest row with its answer's room. */
static int longest(const struct items *d)
{
    int most = 1;
    for (size_t i = 0; i < d->n; i++) {
        int n = d->at[i].prompt + room_of(&d->at[i]);
        most = n > most ? n : most;
    }
    return most;
}

bool eval_run(const struct llama *m, const struct tokenizer *t,
              const struct items *d, struct pool *pool, struct work *k,
              struct verdict *out, struct figures *f, struct err *e)
{
    int workers = pool_workers(pool), room = work_tokens(k);
    struct judging j = {.m = m, .t = t, .d = d, .k = k, .out = out};
    j.decoder = xcalloc((size_t)workers, sizeof *j.decoder);
    j.told.logprob = xcalloc((size_t)room, sizeof *j.told.logprob);
    j.told.top = xcalloc((size_t)room, sizeof *j.told.top);
    pack_init(&j.pack, room);
    bool ok = true;
    for (int i = 0; ok && i < workers; i++)
        ok = (j.decoder[i] = decoder_new(m, longest(d), e));
    if (ok) {
        teacher_forced(&j, pool);
        pool_run(pool, answer, &j);
        sum_up(&j, f);
    }
    for (int i = 0; i < workers; i++)
        decoder_free(&j.decoder[i]);
    pack_done(&j.pack);
    free(j.told.logprob);
    free(j.told.top);
    free(j.decoder);
    return ok;
}

void verdicts_free(struct verdict *v, size_t n)
{
    for (size_t i = 0; v && i < n; i++)
        free(v[i].text);
    free(v);
}
