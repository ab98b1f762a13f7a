/* What the checks leave: a sample falls when its prompt fails or no answer of
 * it is left that passes, and stands up again when one comes. */
#include <string.h>

#include "store/export.h"
#include "store/sample.h"
#include "verbs/arrival.h"

void unsettle(struct arrival *x, int64_t sample)
{
    if (!x->unsettled.n || x->unsettled.at[x->unsettled.n - 1] != sample)
        VEC_PUSH(&x->unsettled, sample);
}

/* What becomes of a sample by its checks, all of its answers counted. What a
 * person decided stands. */
static bool settle(struct arrival *x, int64_t id, struct err *e)
{
    struct sample s;
    struct decision d;
    struct fate f = {id, CHECK_COUNT};
    bool decided = status_decision(x->v->s, id, &d);
    if (decided && strcmp(d.who, "check"))
        return true;
    if (!sample_get(x->v->s, id, &s, e))
        return false;
    bool falls = sample_falls(&s, &f.by);
    bool fell = s.status == STATUS_REJECTED;
    if (falls != fell && (fell || s.status == STATUS_PENDING))
        VEC_PUSH(&x->fates, f);
    sample_free(&s);
    return true;
}

/* One decision of `check` for all whose fate is `by`. */
static bool decide_fates(struct arrival *x, enum check by, struct err *e)
{
    bool rises = by == CHECK_COUNT, begun = false;
    for (size_t i = 0; i < x->fates.n; i++) {
        if (x->fates.at[i].by != by)
            continue;
        if (!begun && !act_next(x->a, rises ? "reopen" : "reject", "check",
                                rises ? "" : check_name(by), e))
            return false;
        begun = true;
        if (!act_change(x->a, OBJECT_SAMPLE, x->fates.at[i].sample,
                        FIELD_STATUS,
                        rises ? STATUS_PENDING : STATUS_REJECTED, e))
            return false;
    }
    return true;
}

bool settle_all(struct arrival *x, struct err *e)
{
    for (size_t i = 0; i < x->unsettled.n; i++)
        if (!settle(x, x->unsettled.at[i], e))
            return false;
    for (int c = 0; c <= CHECK_COUNT; c++)
        if (!decide_fates(x, (enum check)c, e))
            return false;
    return true;
}

