#include "verbs/withdraw.h"

#include <stdio.h>

#include "base/lang.h"
#include "store/sample.h"
#include "store/seed.h"

/* One decision that takes all of them out of sight. */
static enum decided withdraw(struct store *s, const char *who,
                             const char *what, const ids *samples,
                             const ids *seeds, int64_t *seq, struct err *e)
{
    struct act a = {0};
    bool ok = act_begin(s, &a, "withdraw", who, what, 0, e);
    for (size_t i = 0; ok && i < samples->n; i++)
        ok = act_change(&a, OBJECT_SAMPLE, samples->at[i], FIELD_LIVE, 0, e);
    for (size_t i = 0; ok && i < seeds->n; i++)
        ok = act_change(&a, OBJECT_SEED, seeds->at[i], FIELD_LIVE, 0, e);
    *seq = a.seq;
    if (!ok) {
        act_cancel(&a);
        return DECIDED_NOT;
    }
    return decided_of(act_commit(&a, e));
}

enum decided verb_withdraw_job(struct store *s, const char *who, int64_t job,
                               int64_t *n, int64_t *seq, struct err *e)
{
    struct filter f;
    ids all = {0}, seeds = {0};
    char text[40];
    enum decided out = DECIDED_NOT;
    snprintf(text, sizeof text, "job:%lld", (long long)job);
    if (!filter_parse(text, &f, e))
        return DECIDED_NOT;
    struct query q = {0, &f, 0};
    bool ok = query_ids(s, &q, 0, SIZE_MAX >> 2, &all, e) &&
              seed_ids_of_job(s, job, &seeds, e);
    filter_free(&f);
    *n = (int64_t)(all.n + seeds.n);
    if (ok && !*n)
        err_set(e, ERR_ABSENT, _("job j%lld has no samples in sight"),
                (long long)job);
    else if (ok)
        out = withdraw(s, who, text, &all, &seeds, seq, e);
    VEC_FREE(&all);
    VEC_FREE(&seeds);
    return out;
}

enum decided verb_withdraw_arrival(struct store *s, const char *who,
                                   int64_t arrival, int64_t *n, int64_t *seq,
                                   struct err *e)
{
    ids samples = {0}, seeds = {0};
    char text[40];
    enum decided out = DECIDED_NOT;
    snprintf(text, sizeof text, "d%lld", (long long)arrival);
    bool ok = sample_ids_born(s, arrival, &samples, e) &&
              seed_ids_born(s, arrival, &seeds, e);
    *n = (int64_t)(samples.n + seeds.n);
    if (ok && !*n)
        err_set(e, ERR_ABSENT, _("nothing that d%lld brought is in sight"),
                (long long)arrival);
    else if (ok)
        out = withdraw(s, who, text, &samples, &seeds, seq, e);
    VEC_FREE(&samples);
    VEC_FREE(&seeds);
    return out;
}
