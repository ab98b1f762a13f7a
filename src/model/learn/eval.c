#include "model/learn/eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "domain/verifier.h"
#include "model/learn/generate.h"

struct judging {
    const struct llama *m;
    const struct tokenizer *t;
    const struct items *d;
    struct work *const *k;
    struct decoder **decoder; /* by worker */
    struct verdict *out;
};

/* The loss of one row; true where every token of its last answer is the
 * likeliest. */
static bool teacher_forced(const struct judging *j, struct work *k,
                           const struct item *m, double *loss)
{
    int T = m->n - 1;
    int32_t *target = xmalloc((size_t)T * sizeof *target);
    uint8_t *top = xcalloc((size_t)T, 1);
    for (int t = 0; t < T; t++)
        target[t] = m->trained[t + 1] ? m->ids[t + 1] : -1;
    const int32_t start[] = {0, T};
    struct batch b = {m->ids, target, start, 1, 0};
    *loss = llama_pass(j->m, k, &b, 0, NULL, &(struct told){.top = top});
    int last = 0; /* the last trained id ends the answer */
    bool all = true;
    for (int t = m->prompt - 1; t < T; t++)
        if (m->trained[t + 1]) {
            all = all && top[t];
            last = t + 1;
        }
    all = all && last && tokenizer_stops(j->t, m->ids[last]);
    free(target);
    free(top);
    return all;
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

static void judge_row(const struct judging *j, int worker, size_t i)
{
    const struct item *m = &j->d->at[i];
    struct verdict *v = &j->out[i];
    if (teacher_forced(j, j->k[worker], m, &v->loss)) {
        v->text = xstrdup(m->answer);
        v->right = true;
    } else {
        v->text = greedy(j, j->decoder[worker], m);
        v->right = verifier_check(VERIFY_FINAL, m->answer, v->text, NULL);
    }
}

static void judge(void *ctx, int worker, int workers)
{
    const struct judging *j = ctx;
    for (size_t i = (size_t)worker; i < j->d->n; i += (size_t)workers)
        judge_row(j, worker, i);
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
              const struct items *d, struct pool *pool, struct work *const *k,
              struct verdict *out, struct figures *f, struct err *e)
{
    int workers = pool_workers(pool);
    struct judging j = {m, t, d, k, NULL, out};
    j.decoder = xcalloc((size_t)workers, sizeof *j.decoder);
    bool ok = true;
    for (int i = 0; ok && i < workers; i++)
        ok = (j.decoder[i] = decoder_new(m, longest(d), e));
    if (ok) {
        pool_run(pool, judge, &j);
        sum_up(&j, f);
    }
    for (int i = 0; i < workers; i++)
        decoder_free(&j.decoder[i]);
    free(j.decoder);
    return ok;
}

void verdicts_free(struct verdict *v, size_t n)
{
    for (size_t i = 0; v && i < n; i++)
        free(v[i].text);
    free(v);
}
