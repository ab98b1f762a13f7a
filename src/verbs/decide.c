#include "verbs/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "store/job.h"
#include "store/sample.h"
#include "store/text.h"

static const char *kind_of(enum status to)
{
    static const char *const kinds[] = {"reopen", "accept", "reject",
                                        "defer"};
    return kinds[to];
}

enum decided decided_of(enum outcome o)
{
    switch (o) {
    case ACT_SAVED: return DECIDED;
    case ACT_FOUND: return DECIDED_FOUND;
    case ACT_UNKNOWN: return DECIDED_UNKNOWN;
    case ACT_NOT_SAVED: break;
    }
    return DECIDED_NOT;
}

const char *other_name(const struct other *o, const char *who)
{
    return strcmp(o->who, who) ? o->who : _("you");
}

bool decide_is_first(struct act *a, int64_t sample, struct other *other,
                     struct err *e)
{
    return !journal_changed_since(a->s, OBJECT_SAMPLE, sample, a->base_seq,
                                  other) ||
           err_set(e, ERR_REFUSED, _("%lld: %s decided since (%s, d%lld); "
                   "nothing changed"), (long long)sample,
                   other_name(other, a->who), other->kind,
                   (long long)other->seq);
}

static enum decided finish(struct act *a, bool ok, int64_t *seq,
                           struct err *e)
{
    if (!ok) {
        act_cancel(a);
        return DECIDED_NOT;
    }
    if (seq)
        *seq = a->seq;
    return decided_of(act_commit(a, e));
}

/* The answer that an acceptance stands for where nobody named one: in bulk
 * the sample's choice, else what a screen opens with. *chosen is 0 where there
 * is none. */
static bool find_chosen(struct act *a, int64_t id, bool bulk, int64_t *chosen,
                        struct err *e)
{
    struct sample x;
    if (!sample_get(a->s, id, &x, e))
        return false;
    int i = bulk ? sample_choice(&x) : sample_opens_with(&x);
    *chosen = i >= 0 ? x.candidates.at[i].id : 0;
    sample_free(&x);
    return true;
}

/* The status, and for an acceptance the chosen answer. */
static bool change_one(struct act *a, const struct decide *d, int64_t id,
                       int64_t chosen, struct err *e)
{
    if (d->to == STATUS_ACCEPTED && !chosen)
        return err_set(e, ERR_REFUSED, _("sample %lld has no answer to "
                                         "accept"), (long long)id);
    return act_change(a, OBJECT_SAMPLE, id, FIELD_STATUS, d->to, e) &&
           (d->to != STATUS_ACCEPTED ||
            act_change(a, OBJECT_SAMPLE, id, FIELD_CHOSEN, chosen, e));
}

static bool same_status(struct act *a, int64_t id, enum status to)
{
    enum status status;
    enum split split;
    return sample_state(a->s, id, &status, &split, NULL) && status == to;
}

enum decided verb_decide(struct store *s, const struct decide *d,
                         int64_t sample, struct other *other, int64_t *seq,
                         struct err *e)
{
    struct act a = {0};
    if (!act_begin(s, &a, kind_of(d->to), d->who, d->reason, d->base_seq, e))
        return DECIDED_NOT;
    if (!decide_is_first(&a, sample, other, e)) {
        act_cancel(&a);
        return DECIDED_CONFLICT;
    }
    /* a repeated decision must show in the journal: by way of pending */
    bool again = d->to != STATUS_PENDING && same_status(&a, sample, d->to);
    bool ok = !again || act_change(&a, OBJECT_SAMPLE, sample, FIELD_STATUS,
                                   STATUS_PENDING, e);
    int64_t chosen = d->candidate;
    bool look = d->to == STATUS_ACCEPTED && !chosen;
    ok = ok && (!look || find_chosen(&a, sample, false, &chosen, e)) &&
         change_one(&a, d, sample, chosen, e);
    return finish(&a, ok, seq, e);
}

enum decided verb_decide_all(struct store *s, const struct decide *d,
                             const ids *samples, struct bulk_report *out,
                             struct err *e)
{
    struct act a = {0};
    struct other o;
    *out = (struct bulk_report){0};
    if (!act_begin(s, &a, kind_of(d->to), d->who, d->reason, d->base_seq, e))
        return DECIDED_NOT;
    bool ok = true, look = a.base_seq < a.seq - 1;
    for (size_t i = 0; ok && i < samples->n; i++) {
        int64_t id = samples->at[i];
        if (look && !decide_is_first(&a, id, &o, NULL)) {
            out->left_out++;
            continue;
        }
        int64_t chosen = 0;
        bool accept = d->to == STATUS_ACCEPTED;
        ok = !accept || find_chosen(&a, id, true, &chosen, e);
        if (ok && accept && !chosen) {
            out->no_answer++;
            continue;
        }
        ok = ok && change_one(&a, d, id, chosen, e);
        out->changed += ok;
    }
    ok = ok && (!d->job || job_set_state(s, d->job, "done", e));
    if (ok && !out->changed && !d->job) { /* an act that changes nothing */
        act_cancel(&a);
        return DECIDED;
    }
    return finish(&a, ok, &out->seq, e);
}

bool verb_dry_run(struct store *s, const ids *samples, struct dry_run *out,
                  struct err *e)
{
    *out = (struct dry_run){.total = (int64_t)samples->n};
    for (size_t i = 0; i < samples->n; i++) {
        enum status status;
        enum split split;
        if (!sample_state(s, samples->at[i], &status, &split, e))
            return false;
        out->by_status[status]++;
        out->by_split[split]++;
    }
    return true;
}

/* The tags as one line: "alarm -short". */
static char *tags_line(const struct tagging *tags, size_t n)
{
    struct buf b = BUF_INIT(0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%s%s", i ? " " : "",
                   n > 1 && !tags[i].on ? "-" : "", tags[i].name);
    return buf_take(&b);
}

enum decided verb_tag(struct store *s, const char *who, enum object kind,
                      const ids *objects, const struct tagging *tags, size_t n,
                      int64_t *changed, struct err *e)
{
    struct act a = {0};
    bool adds = false;
    for (size_t k = 0; k < n; k++)
        adds = adds || tags[k].on;
    char *line = tags_line(tags, n);
    bool ok = act_begin(s, &a, adds ? "tag" : "untag", who, line, 0, e);
    free(line);
    if (!ok)
        return DECIDED_NOT;
    for (size_t i = 0; i < objects->n; i++)
        for (size_t k = 0; ok && k < n; k++)
            ok = act_tag(&a, kind, objects->at[i], tags[k].name, tags[k].on,
                         e);
    int64_t done = a.n_changes;
    if (changed)
        *changed = done;
    if (ok && !done) {
        act_cancel(&a);
        return DECIDED;
    }
    return finish(&a, ok, NULL, e);
}

enum decided verb_note(struct store *s, const char *who, enum object kind,
                       int64_t object, const char *text, struct err *e)
{
    struct act a = {0};
    if (!act_begin(s, &a, "note", who, "", 0, e))
        return DECIDED_NOT;
    int64_t id = *text ? text_puts(s, text, e) : 0;
    bool ok = (id || !*text) && act_change(&a, kind, object, FIELD_NOTE, id,
                                           e);
    return finish(&a, ok, NULL, e);
}

enum decided verb_rate(struct store *s, const char *who, enum object kind,
                       int64_t object, int value, struct err *e)
{
    struct act a = {0};
    if (!act_begin(s, &a, "rate", who, "", 0, e))
        return DECIDED_NOT;
    return finish(&a, act_change(&a, kind, object, FIELD_RATING, value, e),
                  NULL, e);
}

/* What was made from the seed follows it. */
static bool move_made(struct act *a, int64_t seed, enum split to,
                      struct err *e)
{
    char text[40];
    struct filter f;
    ids made = {0};
    snprintf(text, sizeof text, "seed:%lld", (long long)seed);
    if (!filter_parse(text, &f, e))
        return false;
    struct query q = {.target = 0, .filter = &f};
    bool ok = query_ids(a->s, &q, 0, SIZE_MAX >> 2, &made, e);
    filter_free(&f);
    for (size_t i = 0; ok && i < made.n; i++)
        ok = act_change(a, OBJECT_SAMPLE, made.at[i], FIELD_SPLIT, to, e);
    VEC_FREE(&made);
    return ok;
}

enum decided verb_split(struct store *s, const char *who, enum object kind,
                        int64_t object, enum split to, struct err *e)
{
    struct act a = {0};
    if (!act_begin(s, &a, "split", who, split_name(to), 0, e))
        return DECIDED_NOT;
    bool ok = act_change(&a, kind, object, FIELD_SPLIT, to, e) &&
              (kind != OBJECT_SEED || move_made(&a, object, to, e));
    return finish(&a, ok, NULL, e);
}
