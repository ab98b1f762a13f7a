#include "verbs/withdraw.h"

#include <stdio.h>

#include "base/lang.h"
#include "store/sample.h"
#include "store/seed.h"

/* What is to go. */
struct going {
    ids samples, seeds, answers;
};

static void going_free(struct going *g)
{
    VEC_FREE(&g->samples);
    VEC_FREE(&g->seeds);
    VEC_FREE(&g->answers);
}

static bool hide(struct act *a, enum object kind, const ids *v, struct err *e)
{
    for (size_t i = 0; i < v->n; i++)
        if (!act_change(a, kind, v->at[i], FIELD_LIVE, 0, e))
            return false;
    return true;
}

/* One decision that takes all of them out of sight. */
static enum decided withdraw(struct store *s, const char *who,
                             const char *what, const struct going *g,
                             struct withdrawn *out, struct err *e)
{
    struct act a = {0};
    bool ok = act_begin(s, &a, "withdraw", who, what, 0, e) &&
              hide(&a, OBJECT_CANDIDATE, &g->answers, e) &&
              hide(&a, OBJECT_SAMPLE, &g->samples, e) &&
              hide(&a, OBJECT_SEED, &g->seeds, e);
    *out = (struct withdrawn){(int64_t)(g->samples.n + g->seeds.n),
                              (int64_t)g->answers.n, a.seq};
    if (!ok) {
        act_cancel(&a);
        return DECIDED_NOT;
    }
    return decided_of(act_commit(&a, e));
}

static bool is_empty(const struct going *g)
{
    return !g->samples.n && !g->seeds.n && !g->answers.n;
}

/* An answer that somebody has accepted meanwhile does not go from under it. */
static bool may_go(struct store *s, const ids *answers, struct err *e)
{
    for (size_t i = 0; i < answers->n; i++) {
        int64_t sample = candidate_stands_for(s, answers->at[i]);
        if (sample)
            return err_set(e, ERR_REFUSED, _("not taken back: sample %lld was "
                           "accepted with an answer that came then"),
                           (long long)sample);
    }
    return true;
}

enum decided verb_withdraw_job(struct store *s, const char *who, int64_t job,
                               struct withdrawn *out, struct err *e)
{
    struct filter f;
    struct going g = {0};
    char text[40];
    enum decided did = DECIDED_NOT;
    snprintf(text, sizeof text, "job:%lld", (long long)job);
    if (!filter_parse(text, &f, e))
        return DECIDED_NOT;
    struct query q = {.target = 0, .filter = &f};
    bool ok = query_ids(s, &q, 0, SIZE_MAX >> 2, &g.samples, e) &&
              seed_ids_of_job(s, job, &g.seeds, e) &&
              candidate_ids_of_job(s, job, &g.answers, e) &&
              may_go(s, &g.answers, e);
    filter_free(&f);
    if (ok && is_empty(&g))
        err_set(e, ERR_ABSENT, _("job j%lld has no samples in sight"),
                (long long)job);
    else if (ok)
        did = withdraw(s, who, text, &g, out, e);
    going_free(&g);
    return did;
}

enum decided verb_withdraw_arrival(struct store *s, const char *who,
                                   int64_t arrival, struct withdrawn *out,
                                   struct err *e)
{
    struct going g = {0};
    char text[40];
    enum decided did = DECIDED_NOT;
    snprintf(text, sizeof text, "d%lld", (long long)arrival);
    bool ok = sample_ids_born(s, arrival, &g.samples, e) &&
              seed_ids_born(s, arrival, &g.seeds, e) &&
              candidate_ids_added(s, arrival, &g.answers, e) &&
              may_go(s, &g.answers, e);
    if (ok && is_empty(&g))
        err_set(e, ERR_ABSENT, _("nothing that d%lld brought is in sight"),
                (long long)arrival);
    else if (ok)
        did = withdraw(s, who, text, &g, out, e);
    going_free(&g);
    return did;
}
