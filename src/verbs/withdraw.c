#include "verbs/withdraw.h"

#include <stdio.h>

#include "base/lang.h"

enum decided verb_withdraw_job(struct store *s, const char *who, int64_t job,
                               int64_t *n, int64_t *seq, struct err *e)
{
    struct act a = {0};
    struct filter f;
    ids all = {0};
    char text[40];
    snprintf(text, sizeof text, "job:%lld", (long long)job);
    if (!filter_parse(text, &f, e))
        return DECIDED_NOT;
    struct query q = {0, &f, 0};
    bool ok = query_ids(s, &q, 0, SIZE_MAX >> 2, &all, e);
    filter_free(&f);
    *n = (int64_t)all.n;
    if (ok && !all.n)
        ok = err_set(e, ERR_ABSENT, _("job j%lld has no samples in sight"),
                     (long long)job);
    ok = ok && act_begin(s, &a, "withdraw", who, text, 0, e);
    for (size_t i = 0; ok && i < all.n; i++)
        ok = act_change(&a, OBJECT_SAMPLE, all.at[i], FIELD_LIVE, 0, e);
    VEC_FREE(&all);
    *seq = a.seq;
    if (!ok) {
        act_cancel(&a);
        return DECIDED_NOT;
    }
    enum outcome o = act_commit(&a, e);
    return o == ACT_SAVED   ? DECIDED
           : o == ACT_FOUND ? DECIDED_FOUND
                            : DECIDED_NOT;
}
