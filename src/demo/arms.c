/* The arms of the demonstration. A control arm is what it says it is through
 * the journal: decisions of `demo`, a run on what is then accepted, and the
 * decisions taken back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/file.h"
#include "base/lang.h"
#include "demo/tour.h"
#include "store/query.h"
#include "store/sample.h"
#include "verbs/edit.h"
#include "verbs/train.h"
#include "verbs/undo.h"

static bool saved(enum decided d)
{
    return d == DECIDED || d == DECIDED_FOUND;
}

static bool accept_all(struct tour *t, const ids *which, struct err *e)
{
    struct decide d = {.who = DEMO_WHO, .to = STATUS_ACCEPTED, .reason = ""};
    struct bulk_report r;
    return !which->n || saved(verb_decide_all(t->s, &d, which, &r, e));
}

/* Everything that the curator did not accept. */
static bool accept_rest(struct tour *t, struct err *e)
{
    ids rest = {0};
    for (size_t i = 0; i < t->all.n; i++)
        if (!t->kept[i])
            VEC_PUSH(&rest, t->all.at[i]);
    bool ok = accept_all(t, &rest, e);
    VEC_FREE(&rest);
    return ok;
}

/* So many of all, tagged. */
static bool tag_random(struct tour *t, int64_t wanted, struct err *e)
{
    ids some = {0};
    int64_t left = (int64_t)t->all.n;
    for (size_t i = 0; i < t->all.n; i++, left--)
        if ((int64_t)rng_below(&t->rng, (uint64_t)left) < wanted) {
            VEC_PUSH(&some, t->all.at[i]);
            wanted--;
        }
    const struct tagging random = {"random", true};
    bool ok = saved(verb_tag(t->s, DEMO_WHO, OBJECT_SAMPLE, &some, &random, 1,
                             NULL, e));
    VEC_FREE(&some);
    return ok;
}

/* Writes the truth over a wrong first answer. */
static bool write_truth(struct tour *t, size_t i, struct err *e)
{
    struct sample x;
    int64_t id = t->all.at[i], candidate;
    if (t->marks.at[i].right || !t->marks.at[i].truth)
        return true;
    if (!sample_get(t->s, id, &x, e))
        return false;
    int64_t first = x.candidates.at[0].id;
    sample_free(&x);
    return saved(verb_edit_answer(t->s, DEMO_WHO, id, first,
                                  t->marks.at[i].truth, 0, &candidate, e));
}

/* One in twenty of the rejected is put right and accepted. */
static bool edit_some(struct tour *t, struct err *e)
{
    ids some = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < t->all.n; i++) {
        if (t->kept[i] || rng_below(&t->rng, 20))
            continue;
        ok = write_truth(t, i, e);
        VEC_PUSH(&some, t->all.at[i]);
    }
    ok = ok && accept_all(t, &some, e);
    VEC_FREE(&some);
    return ok;
}

static bool edit_all(struct tour *t, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < t->all.n; i++)
        ok = write_truth(t, i, e);
    return ok && accept_rest(t, e);
}

/* The seeds as samples of a target of their own, which uses the tour's
 * student. */
static int64_t seeds_target(struct tour *t, struct err *e)
{
    struct filter f;
    ids all = {0};
    char *name = xasprintf("%s-seeds", t->name);
    int64_t id = demo_fill(t->s, name, true, e);
    free(name);
    if (!id || !filter_parse("status:pending", &f, e))
        return 0;
    struct query q = {.target = id, .filter = &f};
    bool ok = query_ids(t->s, &q, 0, SIZE_MAX >> 2, &all, e) &&
              accept_all(t, &all, e);
    filter_free(&f);
    VEC_FREE(&all);
    char *ours = train_nano_dir(t->s, t->target);
    char *theirs = train_nano_dir(t->s, id);
    if (ok && symlink(path_base(ours), theirs) < 0 && errno != EEXIST)
        ok = err_sys(e, "%s", theirs);
    free(ours);
    free(theirs);
    return ok ? id : 0;
}

/* How many the curator would have kept, had all been right. */
static int64_t kept_of_right(const struct tour *t)
{
    int64_t right = 0, kept = 0;
    for (size_t i = 0; i < t->all.n; i++) {
        right += t->marks.at[i].right;
        kept += t->marks.at[i].right && t->kept[i];
    }
    return right ? kept * (int64_t)t->all.n / right : 0;
}

static bool prepare(struct tour *t, enum demo_arm a, struct train *run,
                    struct err *e)
{
    switch (a) {
    case ARM_EVERYTHING: return accept_rest(t, e);
    case ARM_RANDOM:
        run->filter = "tag:random";
        return accept_rest(t, e) && tag_random(t, t->n_kept, e);
    case ARM_SEEDS: return (run->target = seeds_target(t, e)) != 0;
    case ARM_EDITS: return edit_some(t, e);
    case ARM_FAULTLESS:
        run->filter = "tag:random";
        return edit_all(t, e) && tag_random(t, kept_of_right(t), e);
    case ARM_TRUTH: return edit_all(t, e);
    case ARM_CURATED: return true;
    case ARM_COUNT: break;
    }
    must(a < ARM_COUNT);
    return false;
}

static bool take_back(struct tour *t, int64_t seq, struct err *e)
{
    struct undone u;
    int64_t last;
    while ((last = journal_undoable(t->s, DEMO_WHO)) > seq)
        if (!saved(verb_undo(t->s, DEMO_WHO, last, &u, e)))
            return false;
    return true;
}

/* ---- Judging ------------------------------------------------------------ */

static bool judge(struct tour *t, const char *student, int set,
                  struct demo_share *to, struct err *e)
{
    mark_list m = {0};
    char *file = xasprintf("%s/%s.jsonl", t->dir, demo_sets[set]);
    bool ok = marks_student(student, &t->held[set], file, &m, e);
    if (ok)
        demo_count(to, &m);
    free(file);
    marks_free(&m);
    return ok;
}

/* What needs the first run's files: the untrained student, and the nearest
 * rows. */
static bool judge_controls(struct tour *t, const char *dir, struct err *e)
{
    char *nano = train_nano_dir(t->s, t->target);
    char *rows = path_join(dir, "rows.jsonl");
    bool ok = true;
    for (int i = 0; ok && i < DEMO_SETS; i++) {
        mark_list m = {0};
        struct demo_set *out = &t->out->set[i];
        tour_say(t, 5, _("%s: the untrained student and the nearest rows"),
                 demo_sets[i]);
        ok = judge(t, nano, i, &out->before, e) &&
             marks_nearest(rows, &t->held[i], &m, e);
        if (ok)
            demo_count(&out->nearest, &m);
        marks_free(&m);
    }
    free(nano);
    free(rows);
    return ok;
}

static double percent(int64_t a, int64_t n)
{
    return n ? 100.0 * (double)a / (double)n : 0;
}

static void tell(const struct tour *t, const char *arm, const char *set,
                 const struct demo_share *x)
{
    tour_say(t, 5, _("%s: %lld of %lld right on %s; %.1f%% without a trigger, "
                     "%.1f%% with one"), arm, (long long)x->right,
             (long long)x->n, set,
             percent(x->right - x->right_trigger, x->n - x->n_trigger),
             percent(x->right_trigger, x->n_trigger));
}

static bool judge_arm(struct tour *t, enum demo_arm a, const char *dir,
                      struct err *e)
{
    char *model = path_join(dir, "model");
    bool ok = true;
    for (int i = 0; ok && i < DEMO_SETS; i++) {
        struct demo_share *to = &t->out->set[i].arm[a];
        ok = judge(t, model, i, to, e);
        if (ok)
            tell(t, demo_arm_name(a), demo_sets[i], to);
    }
    free(model);
    return ok;
}

bool tour_arm(struct tour *t, enum demo_arm a, struct err *e)
{
    int64_t seq = store_seq(t->s);
    struct train run = {.target = t->target, .filter = "", .student = "nano",
                        .tokens = t->f->tokens, .seed = t->seed};
    tour_say(t, 5, _("%s: the rows"), demo_arm_name(a));
    bool ok = train_make_nano(t->s, t->target, t->seed, e) &&
              prepare(t, a, &run, e);
    int64_t id = ok ? verb_train(t->s, &run, e) : 0;
    char *dir = store_work_dir(t->s, "r", id);
    ok = id && tour_wait(t, 5, dir, demo_arm_name(a), e);
    verb_train_collect(t->s);
    ok = ok && take_back(t, seq, e) && judge_arm(t, a, dir, e);
    if (ok && !t->out->set[0].nearest.n)
        ok = judge_controls(t, dir, e);
    free(dir);
    return ok;
}
