#include "app/runs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/status.h"
#include "jobs/job.h"
#include "store/sample.h"
#include "store/text.h"
#include "verbs/launch.h"
#include "verbs/train.h"
#include "verbs/work.h"

static char *dir_of(struct app *a, int64_t key)
{
    return store_work_dir(a->s, key % 2 ? "r" : "j", key / 2);
}

struct begun {
    int64_t key, at;
};

static int newest_first(const void *a, const void *b)
{
    const struct begun *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? 1 : -1;
    return x->key < y->key ? 1 : -1;
}

void runs_open(struct app *a)
{
    ids jobs = {0}, runs = {0}, keys = {0};
    VEC(struct begun) all = {0};
    verb_train_collect(a->s);
    runs_look(a);
    job_ids(a->s, a->target, &jobs, NULL);
    run_ids(a->s, a->target, &runs, NULL);
    for (size_t i = 0; i < jobs.n; i++) {
        struct job j;
        if (!job_get(a->s, jobs.at[i], &j, NULL))
            continue;
        struct begun w = {2 * j.id, j.started};
        VEC_PUSH(&all, w);
        job_free(&j);
    }
    for (size_t i = 0; i < runs.n; i++) {
        struct run r;
        if (!run_get(a->s, runs.at[i], &r, NULL))
            continue;
        struct begun w = {2 * r.id + 1, r.started};
        VEC_PUSH(&all, w);
        run_free(&r);
    }
    if (all.n)
        qsort(all.at, all.n, sizeof *all.at, newest_first);
    for (size_t i = 0; i < all.n; i++)
        VEC_PUSH(&keys, all.at[i].key);
    size_t was = a->runs.list.total;
    list_take(&a->runs.list, &keys);
    if (a->runs.list.total > was)
        a->runs.list.cursor = 0;
    VEC_FREE(&all);
    VEC_FREE(&jobs);
    VEC_FREE(&runs);
}

/* ---- Rows --------------------------------------------------------------- */

void runs_time(char *out, size_t cap, double seconds)
{
    if (seconds < 0 || !isfinite(seconds))
        out[0] = '\0';
    else if (seconds < 60)
        snprintf(out, cap, "%.0fs", seconds);
    else if (seconds < 3600)
        snprintf(out, cap, "%dm%02ds", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(out, cap, "%dh%02dm", (int)seconds / 3600,
                 (int)seconds / 60 % 60);
}

static const char *seen_state(const struct job_view *v, const char *stored)
{
    switch (v->state) {
    case JOB_RUNNING: return N_("running");
    case JOB_STARTING: return N_("starting");
    case JOB_INTERRUPTED: return N_("interrupted");
    case JOB_ENDED: return json_get_string(v->status, "state", stored);
    case JOB_JUNK: return strcmp(stored, "running") ? stored : JUNK_WORD;
    case JOB_NONE: break;
    }
    return !strcmp(stored, "running") ? "interrupted" : stored;
}

static void run_figures(struct run_row *x, const json *n)
{
    double steps = json_get_number(n, "steps", 0);
    double rate = json_get_number(n, "tokens_per_second", 0);
    char text[24];
    x->done = steps > 0 ? json_get_number(n, "step", 0) / steps : 0;
    if (rate >= 10000)
        snprintf(x->rate, sizeof x->rate, "%sk tok/s",
                 lang_number(text, sizeof text, rate / 1000, 1));
    else if (rate > 0)
        snprintf(x->rate, sizeof x->rate, "%s tok/s",
                 lang_number(text, sizeof text, rate, 0));
    if (!strcmp(x->state, "running"))
        runs_time(x->left, sizeof x->left,
                   json_get_number(n, "eta_seconds", -1));
    if (isnan(train_exact(n)))
        return;
    snprintf(x->figure, sizeof x->figure, _("exact %.0f%%"),
             100 * train_exact(n));
    snprintf(x->good, sizeof x->good, "%.0f%%", 100 * train_exact(n));
}

static void job_figures(struct run_row *x, const json *n,
                        const struct call_counts *c)
{
    int64_t done = c->total - c->by_state[CALL_PLANNED] -
                   c->by_state[CALL_SENT];
    double rate = json_get_number(n, "calls_per_second", 0);
    char text[24];
    x->done = c->total ? (double)done / (double)c->total : 0;
    if (rate > 0 && !strcmp(x->state, "running")) {
        snprintf(x->rate, sizeof x->rate, "%s call/s",
                 lang_number(text, sizeof text, rate, 1));
        runs_time(x->left, sizeof x->left,
                   (double)(c->total - done) / rate);
    }
    snprintf(x->good, sizeof x->good, "%lld",
             (long long)json_get_int(n, "passed", 0));
    snprintf(x->figure, sizeof x->figure, "%lld ✓ %lld ✗",
             (long long)json_get_int(n, "passed", 0),
             (long long)(c->by_state[CALL_FAILED] +
                         c->by_state[CALL_UNPARSED]));
}

/* The jobs that ask no teacher: what each is called, and its count. */
static const struct work_kind {
    const char *kind, *name, *again, *count, *good;
} work_kinds[] = {
    {"import", N_("import"), NULL, "rows", "items"},
    {"bulk", N_("many at once"), NULL, "changed", "changed"},
    {"undo", N_("undo"), N_("redo"), "objects", "objects"}};

static const struct work_kind *work_kind(const struct job *j)
{
    size_t i = 0;
    while (i + 1 < COUNT(work_kinds) && strcmp(work_kinds[i].kind, j->kind))
        i++;
    return &work_kinds[i];
}

static const char *work_name(const struct job *j)
{
    const struct work_kind *k = work_kind(j);
    if (strcmp(k->kind, j->kind))
        return j->kind;
    json *args = json_parse(j->args, strlen(j->args), NULL);
    bool again = json_get_bool(args, "redo", false);
    json_free(args);
    return _(again && k->again ? k->again : k->name);
}

static void work_figures(struct run_row *x, const struct job *j,
                         const json *n)
{
    const struct work_kind *k = work_kind(j);
    int64_t count = json_get_int(n, k->count, 0);
    unsigned long many = (unsigned long)count;
    char text[32];
    x->done = !strcmp(x->state, "done");
    if (!n)
        return;
    snprintf(x->good, sizeof x->good, "%lld",
             (long long)json_get_int(n, k->good, 0));
    snprintf(x->figure, sizeof x->figure,
             !strcmp(k->kind, "import")
                 ? P_("%s row", "%s rows", many)
             : !strcmp(k->kind, "bulk")
                 ? P_("%s decided", "%s decided", many)
                 : P_("%s sample", "%s samples", many),
             lang_number(text, sizeof text, (double)count, 0));
}

static bool read_row(struct app *a, int64_t key, struct run_row *out)
{
    *out = (struct run_row){.is_run = key % 2, .id = key / 2};
    char *dir = dir_of(a, key);
    struct job_view v = job_look(dir);
    bool ok;
    snprintf(out->name, sizeof out->name, "%c%lld", key % 2 ? 'r' : 'j',
             (long long)(key / 2));
    if (key % 2) {
        struct run r;
        ok = run_get(a->s, key / 2, &r, NULL);
        if (ok) {
            snprintf(out->what, sizeof out->what, _("train %s"),
                     path_base(r.student));
            snprintf(out->state, sizeof out->state, "%s",
                     seen_state(&v, r.state));
            run_figures(out, v.status);
            run_free(&r);
        }
    } else {
        struct job j;
        struct call_counts c;
        ok = job_get(a->s, key / 2, &j, NULL);
        if (ok) {
            call_counts(a->s, key / 2, &c);
            snprintf(out->what, sizeof out->what, "%s",
                     j.recipe_name ? j.recipe_name : work_name(&j));
            snprintf(out->state, sizeof out->state, "%s",
                     seen_state(&v, j.state));
            if (job_is_work(&j))
                work_figures(out, &j, json_get(v.status, "figures"));
            else
                job_figures(out, json_get(v.status, "figures"), &c);
            job_free(&j);
        }
    }
    job_view_free(&v);
    free(dir);
    return ok;
}

/* ---- The item ----------------------------------------------------------- */

static void answers_free(held_answers *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->at[i].before);
        free(all->at[i].now);
    }
    VEC_FREE(all);
}

void runs_show(struct app *a, size_t from, size_t n)
{
    struct runs_state *x = &a->runs;
    x->shown.n = 0;
    for (size_t i = from; i < from + n; i++) {
        struct run_row r = {0};
        read_row(a, list_at(&x->list, i), &r);
        VEC_PUSH(&x->shown, r);
    }
}

static void forget(struct runs_state *x)
{
    json_free(x->status);
    x->status = NULL;
    job_free(&x->job);
    run_free(&x->run);
    VEC_FREE(&x->curve);
    answers_free(&x->answers);
    for (size_t i = 0; i < x->trouble.n; i++)
        call_free(&x->trouble.at[i]);
    VEC_FREE(&x->trouble);
    free(x->teacher);
    free(x->question);
    free(x->file);
    free(x->reply);
    x->teacher = x->question = x->file = x->reply = NULL;
    x->work = false;
}

static void forget_other(struct runs_state *x)
{
    VEC_FREE(&x->other_curve);
    answers_free(&x->other_answers);
    x->other = 0;
}

/* Calls fn for each JSON line of DIR/name. */
static void each_line(const char *dir, const char *name,
                      void (*fn)(void *, const json *), void *x)
{
    struct lines l;
    char *path = path_join(dir, name);
    if (lines_open(&l, path, (size_t)1 << 20, NULL)) {
        while (lines_next(&l, NULL)) {
            json *j = json_parse(buf_str(&l.line), l.line.len, NULL);
            if (j)
                fn(x, j);
            json_free(j);
        }
        lines_close(&l);
    }
    free(path);
}

static void add_point(void *ctx, const json *j)
{
    curve_points *all = ctx;
    struct curve_point p = {json_get_int(j, "step", 0),
                            json_get_number(j, "loss", NAN),
                            json_get_number(j, "held_out_loss", NAN),
                            json_get_number(j, "exact", NAN)};
    VEC_PUSH(all, p);
}

static int told_right(const json *j, const char *key)
{
    return json_get(j, key) ? json_get_bool(j, key, false) : -1;
}

static void add_answer(void *ctx, const json *j)
{
    held_answers *all = ctx;
    struct held_answer h = {
        json_get_int(j, "id", 0), told_right(j, "right"),
        told_right(j, "right_before"),
        xstrdup(json_get_string(j, "before", "")),
        xstrdup(json_get_string(j, "now", ""))};
    VEC_PUSH(all, h);
}

/* The next older training on the list. */
static int64_t run_before(const struct runs_state *x)
{
    for (size_t i = x->list.cursor + 1; i < x->list.total; i++)
        if (list_at(&x->list, i) % 2)
            return list_at(&x->list, i) / 2;
    return 0;
}

/* Its lowest held-out loss, and what the training before it came to. */
static void load_best(struct app *a)
{
    struct runs_state *x = &a->runs;
    x->best = x->last_loss = NAN;
    x->last = run_before(x);
    for (size_t i = 0; i < x->curve.n; i++) {
        double loss = x->curve.at[i].held_out;
        if (isnan(loss) || loss >= x->best)
            continue;
        x->best = loss;
        x->best_at = x->curve.at[i].step;
    }
    if (!x->last)
        return;
    char *dir = store_work_dir(a->s, "r", x->last);
    json *status = status_read(dir, NULL);
    x->last_loss = train_held_out(status);
    json_free(status);
    free(dir);
}

/* How many answers were right before the training. */
static void count_before(struct runs_state *x)
{
    x->before_right = x->before_marked = 0;
    for (size_t i = 0; i < x->answers.n; i++) {
        x->before_marked += x->answers.at[i].right_before >= 0;
        x->before_right += x->answers.at[i].right_before > 0;
    }
}

/* The question and the teacher's answer of the shown held-out row. */
static void load_question(struct app *a)
{
    struct runs_state *x = &a->runs;
    struct sample s;
    free(x->question);
    free(x->teacher);
    x->question = x->teacher = NULL;
    if (!x->answers.n)
        return;
    x->answer %= x->answers.n;
    if (!sample_get(a->s, x->answers.at[x->answer].id, &s, NULL))
        return;
    x->question = prompt_text(s.prompt);
    for (size_t i = 0; i < s.candidates.n && !x->teacher; i++)
        if (s.candidates.at[i].source == SOURCE_TEACHER)
            x->teacher = answer_text(s.candidates.at[i].body);
    sample_free(&s);
}

static void load_trouble(struct app *a, int64_t job)
{
    static const enum call_state wanted[] = {CALL_FAILED, CALL_UNPARSED,
                                             CALL_LOST};
    for (size_t i = 0; i < COUNT(wanted); i++) {
        ids list;
        if (!call_ids(a->s, job, wanted[i], 20, &list, NULL))
            continue;
        for (size_t k = 0; k < list.n; k++) {
            struct call c;
            if (call_get(a->s, list.at[k], &c, NULL))
                VEC_PUSH(&a->runs.trouble, c);
        }
        VEC_FREE(&list);
    }
}

/* The raw reply of the call that the cursor within the item stands on. */
static void load_reply(struct app *a)
{
    struct runs_state *x = &a->runs;
    int n = (int)x->trouble.n;
    free(x->reply);
    x->reply = NULL;
    if (!n)
        return;
    x->trouble_at = (x->trouble_at % n + n) % n;
    x->reply = text_get(a->s, x->trouble.at[x->trouble_at].reply_text, NULL);
}

const char *runs_trouble_state(const struct call *c)
{
    return call_state_name(c->state);
}

static void load_work(struct runs_state *x)
{
    json *args = json_parse(x->job.args, strlen(x->job.args), NULL);
    const char *path = json_get_string(args, "path", NULL);
    x->work = job_is_work(&x->job);
    x->file = path ? xstrdup(path) : NULL;
    x->taken_back = json_get_int(args, "decision", 0);
    x->done_again = json_get_bool(args, "redo", false);
    json_free(args);
}

void runs_load(struct app *a)
{
    struct runs_state *x = &a->runs;
    int64_t key = list_id(&x->list);
    forget(x);
    if (key != x->loaded) {
        forget_other(x);
        x->trouble_at = x->scroll = 0;
    }
    x->loaded = key;
    x->at = clock_now();
    if (!key)
        return;
    char *dir = dir_of(a, key);
    x->status = status_read(dir, NULL);
    x->exact = train_exact(x->status);
    x->held_out = train_held_out(x->status);
    if (key % 2 && run_get(a->s, key / 2, &x->run, NULL)) {
        each_line(dir, "curve.jsonl", add_point, &x->curve);
        each_line(dir, "answers.jsonl", add_answer, &x->answers);
        count_before(x);
        load_best(a);
        x->rows = run_rows(a->s, key / 2);
        load_question(a);
    } else if (job_get(a->s, key / 2, &x->job, NULL)) {
        call_counts(a->s, key / 2, &x->counts);
        x->decided = job_decided(a->s, key / 2);
        load_trouble(a, key / 2);
        load_reply(a);
        load_work(x);
    }
    free(dir);
}

/* A held-out row with its answers; of a job the reply that is shown, or why
 * it failed. */
char *runs_text(struct app *a)
{
    const struct runs_state *x = &a->runs;
    const char *why = json_get_string(x->status, "why", NULL);
    const char *error = json_get_string(x->status, "error", why);
    if (x->run.id && x->answers.n) {
        const struct held_answer *h = &x->answers.at[x->answer];
        return xasprintf("%s\n\n%s: %s\n\n%s: %s\n\n%s: %s\n",
                         x->question ? x->question : "", _("before"),
                         h->before, _("now"), h->now, _("teacher"),
                         x->teacher ? x->teacher : "");
    }
    return x->reply ? xstrdup(x->reply) : error ? xstrdup(error) : NULL;
}

void runs_done(struct app *a)
{
    forget(&a->runs);
    forget_other(&a->runs);
    json_free(a->runs.asked);
    child_stop(&a->runs.asking);
    VEC_FREE(&a->runs.shown);
    list_free(&a->runs.list);
}

bool runs_tick(struct app *a)
{
    struct runs_state *x = &a->runs;
    bool was = x->alive, moved = runs_look(a);
    x->alive = x->living.running > 0;
    if (!x->alive && !was)
        return moved;
    verb_train_collect(a->s);
    if (a->view == VIEW_RUNS)
        runs_load(a);
    return moved || a->view == VIEW_RUNS;
}

int64_t runs_count(const struct app *a)
{
    return a->runs.living.percent;
}

/* ---- Acts --------------------------------------------------------------- */

static void stop(struct app *a, const char *args)
{
    (void)args;
    int64_t key = list_id(&a->runs.list);
    struct err e = {0};
    char *dir = dir_of(a, key);
    if (!key)
        return;
    if (job_stop(dir, &e))
        app_say(a, _("asked to stop; what it did is kept"));
    else
        app_say_err(a, &e);
    free(dir);
}

static void resume(struct app *a, const char *args)
{
    (void)args;
    int64_t key = list_id(&a->runs.list);
    struct err e = {0};
    if (!key)
        return;
    bool ok = key % 2 ? verb_train_resume(a->s, key / 2, &e)
                      : verb_start_job(a->s, key / 2, true, &e);
    if (ok)
        app_say(a, _("it goes on"));
    else
        app_say_err(a, &e);
    a->runs.alive = true;
}

static void compare(struct app *a, const char *args)
{
    (void)args;
    struct runs_state *x = &a->runs;
    int64_t other = x->other ? 0 : run_before(x);
    bool was = x->other != 0;
    forget_other(x);
    if (!x->run.id || (!other && !was))
        app_say(a, _("there is no training before this one to compare with"));
    if (!x->run.id || !other)
        return;
    char *dir = store_work_dir(a->s, "r", other);
    json *status = status_read(dir, NULL);
    each_line(dir, "curve.jsonl", add_point, &x->other_curve);
    each_line(dir, "answers.jsonl", add_answer, &x->other_answers);
    x->other_exact = train_exact(status);
    x->other = other;
    json_free(status);
    free(dir);
}

static void ask(struct app *a, const char *question)
{
    struct runs_state *x = &a->runs;
    struct err e = {0};
    char name[24], *store = realpath(store_path(a->s), NULL);
    const char *args[] = {"runs", "ask", name, question, "--json", "--store",
                          store, NULL};
    snprintf(name, sizeof name, "r%lld", (long long)x->run.id);
    if (!x->run.id)
        app_say(a, _("put the cursor on a training first"));
    else if (x->asking.pid)
        app_say(a, _("the question before is not answered yet"));
    else if (child_start(&x->asking, args, true, &e))
        app_say(a, _("asking the student before, the student now and the "
                     "teacher ..."));
    else
        app_say_err(a, &e);
    free(store);
}

bool runs_ask_tick(struct app *a)
{
    struct runs_state *x = &a->runs;
    struct buf out = BUF_INIT((size_t)4 << 20);
    bool ok;
    if (!child_ended(&x->asking, &ok, &out))
        return false;
    json *j = ok ? json_parse(buf_str(&out), out.len, NULL) : NULL;
    if (j) {
        json_free(x->asked);
        x->asked = j;
        app_say(a, _("answered; [ ] goes back to the held-out rows"));
    } else {
        const char *text = buf_str(&out);
        app_say(a, "%.*s", (int)strcspn(text, "\n"), text);
    }
    buf_free(&out);
    return true;
}

/* Another held-out row, or another call that failed. */
static void other_part(struct app *a, int by)
{
    struct runs_state *x = &a->runs;
    if (x->asked) {
        json_free(x->asked);
        x->asked = NULL;
        return;
    }
    if (!x->run.id) {
        x->trouble_at += by;
        x->scroll = 0;
        load_reply(a);
        return;
    }
    if (x->answers.n)
        x->answer = (x->answer + x->answers.n + (size_t)by) % x->answers.n;
    load_question(a);
}

static void part_before(struct app *a, const char *args)
{
    (void)args;
    other_part(a, -1);
}

static void part_behind(struct app *a, const char *args)
{
    (void)args;
    other_part(a, 1);
}

static const char *no_row(const struct app *a)
{
    return a->runs.loaded ? NULL : _("nothing has run yet");
}

static const char *no_run(const struct app *a)
{
    return a->runs.run.id ? NULL : _("put the cursor on a training first");
}

static const char *not_alive(const struct app *a)
{
    const char *state = json_get_string(a->runs.status, "state", "");
    return !strcmp(state, "running") ? NULL : _("it does not run");
}

/* What is done goes on only where calls of it failed. */
static const char *is_over(const struct app *a)
{
    const struct runs_state *x = &a->runs;
    const char *state = x->run.id ? x->run.state : x->job.state;
    if (no_row(a) || !state || strcmp(state, "done") || x->trouble.n)
        return no_row(a);
    return _("it is done: there is nothing to go on with");
}

static const char *no_part(const struct app *a)
{
    const struct runs_state *x = &a->runs;
    if (no_row(a) || x->asked || x->answers.n > 1 || x->trouble.n > 1)
        return no_row(a);
    return _("there is no other row here");
}

const struct deed runs_deeds[] = {
    {.act = ACT_STOP,
     .fn = stop,
     .why_not = not_alive},
    {.act = ACT_RESUME,
     .fn = resume,
     .why_not = is_over},
    {.act = ACT_ASK,
     .fn = ask,
     .why_not = no_run,
     .prompt = LINE_ASK},
    {.act = ACT_COMPARE,
     .fn = compare,
     .why_not = no_run},
    {.act = ACT_PREV_PART,
     .fn = part_before,
     .why_not = no_part},
    {.act = ACT_NEXT_PART,
     .fn = part_behind,
     .why_not = no_part},
    {0}};
