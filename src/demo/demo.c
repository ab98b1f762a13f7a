#include "demo/demo.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/sig.h"
#include "demo/tour.h"
#include "jobs/job.h"
#include "recipe/target.h"
#include "store/query.h"
#include "store/sample.h"
#include "store/seed.h"
#include "verbs/decide.h"
#include "verbs/elicit.h"
#include "verbs/export.h"
#include "verbs/import.h"
#include "verbs/launch.h"

#define JUDGE_RIGHT .9 /* the curator's judge is right that often */
#define CURATOR_SLIPS .03
#define CURATOR "curator"
#define BY_HAND 10 /* decided one by one */
#define STOP_MS 30000 /* within which what was asked to stop stops */

const char *const demo_sets[DEMO_SETS] = {"H1", "H2", "H3"};

/* ---- Names and figures -------------------------------------------------- */

#define DEMO_ARM_NAME(id, name) name,
static const char *const arm_names[] = {DEMO_ARMS(DEMO_ARM_NAME)};
#undef DEMO_ARM_NAME

const char *demo_arm_name(enum demo_arm a)
{
    return arm_names[a];
}

static bool name_arm(const char *name, size_t n, bool arms[ARM_COUNT])
{
    bool all = n == 3 && !strncmp(name, "all", 3), known = all;
    for (int a = 0; a < ARM_COUNT; a++)
        if (all || (strlen(arm_names[a]) == n &&
                    !strncmp(arm_names[a], name, n)))
            known = arms[a] = true;
    return known;
}

bool demo_arms_parse(const char *text, bool arms[ARM_COUNT], struct err *e)
{
    memset(arms, 0, ARM_COUNT * sizeof *arms);
    for (const char *p = text;; p++) {
        size_t n = strcspn(p, ",");
        if (!name_arm(p, n, arms))
            return err_set(e, ERR_USAGE, _("\"%.*s\" is no arm: they are "
                           "everything, random, curated, edits, faultless, "
                           "truth, seeds and all"), (int)n, p);
        p += n;
        if (!*p)
            return true;
    }
}

void demo_interval(int64_t right, int64_t n, double *low, double *high)
{
    double z = 1.959963984540054, N = (double)n, p = (double)right / N;
    double mid = p + z * z / (2 * N);
    double half = z * sqrt(p * (1 - p) / N + z * z / (4 * N * N));
    *low = fmax(0, (mid - half) / (1 + z * z / N));
    *high = fmin(1, (mid + half) / (1 + z * z / N));
}

static void add(struct demo_share *s, bool right, bool trigger)
{
    s->n++;
    s->right += right;
    s->n_trigger += trigger;
    s->right_trigger += right && trigger;
}

void demo_count(struct demo_share *s, const mark_list *m)
{
    for (size_t i = 0; i < m->n; i++)
        add(s, m->at[i].right, m->at[i].trigger);
}

static void print_ratio(struct jw *w, const char *key,
                        const struct demo_share *s)
{
    jw_key(w, key);
    if (s->n)
        jw_fixed(w, (double)s->right / (double)s->n, 4);
    else
        jw_null(w);
}

static void print_share(struct jw *w, const char *key,
                        const struct demo_share *s)
{
    double low, high;
    if (!s->n)
        return;
    demo_interval(s->right, s->n, &low, &high);
    jw_key(w, key);
    jw_open(w, '{');
    print_ratio(w, "mean", s);
    jw_key(w, "low");
    jw_fixed(w, low, 4);
    jw_key(w, "high");
    jw_fixed(w, high, 4);
    jw_kint(w, "n", s->n);
    jw_close(w);
}

static void print_set(struct jw *w, const char *key, const struct demo_set *x)
{
    jw_key(w, key);
    jw_open(w, '{');
    print_share(w, "before", &x->before);
    for (int a = 0; a < ARM_COUNT; a++)
        print_share(w, arm_names[a], &x->arm[a]);
    print_share(w, "teacher", &x->teacher);
    print_share(w, "nearest_row", &x->nearest);
    jw_close(w);
}

void demo_print(const struct demo_result *r, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kint(&w, "seeds", r->seeds);
    jw_kint(&w, "generated", r->generated);
    jw_kint(&w, "accepted", r->accepted);
    jw_kint(&w, "rejected", r->rejected);
    jw_key(&w, "curator");
    jw_open(&w, '{');
    print_ratio(&w, "precision", &r->precision);
    print_ratio(&w, "recall", &r->recall);
    print_ratio(&w, "triggered", &r->triggered);
    jw_close(&w);
    print_set(&w, "exact_match", &r->set[0]);
    print_set(&w, "exact_match_new_forms", &r->set[1]);
    jw_kint(&w, "exported", r->exported);
    jw_key(&w, "seconds");
    jw_fixed(&w, r->seconds, 1);
    jw_close(&w);
}

/* ---- Telling and waiting ------------------------------------------------ */

void tour_say(const struct tour *t, int act, const char *fmt, ...)
{
    struct buf b = BUF_INIT(1000);
    va_list ap;
    if (!t->f->told)
        return;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    t->f->told(t->f->ctx, act, buf_str(&b));
    buf_free(&b);
}

static bool signalled(void)
{
    bool came = false;
    for (int signo; (signo = sig_next());)
        came = came || signo == SIGINT || signo == SIGTERM;
    return came;
}

/* How far it is: a job counts calls, a run steps. */
static void tell_progress(const struct tour *t, int act, const char *what,
                          const json *status)
{
    const json *n = json_get(status, "figures");
    if (n)
        tour_say(t, act, P_("%s: %lld of %lld call answered",
                            "%s: %lld of %lld calls answered",
                            (unsigned long)json_get_int(n, "calls", 0)), what,
                 (long long)json_get_int(n, "answered", 0),
                 (long long)json_get_int(n, "calls", 0));
    else if (json_get(status, "steps"))
        tour_say(t, act, _("%s: step %lld of %lld, loss %.3f, %.0f tokens a "
                           "second"), what,
                 (long long)json_get_int(status, "step", 0),
                 (long long)json_get_int(status, "steps", 0),
                 json_get_number(status, "loss", 0),
                 json_get_number(status, "tokens_per_second", 0));
}

/* Asks it to stop until it has: one that is just starting hears nothing yet.
 * One that has not ended after STOP_MS is killed, so nobody writes any more
 * into a folder that goes. */
static void stop(const char *dir)
{
    int64_t until = clock_mono() + STOP_MS;
    for (bool asked = false;; clock_sleep(100)) {
        struct job_view v = job_look(dir);
        bool lives = v.state == JOB_RUNNING || v.state == JOB_STARTING;
        if (lives && v.pid > 1 && clock_mono() > until)
            kill(v.pid, SIGKILL);
        job_view_free(&v);
        if (!lives || clock_mono() > until + STOP_MS)
            return;
        asked = asked || job_stop(dir, NULL);
    }
}

static bool ended_well(const struct job_view *v, const char *what,
                       struct err *e)
{
    const char *state = v->state == JOB_ENDED
                            ? json_get_string(v->status, "state", "failed")
                            : "interrupted";
    const char *why = json_get_string(v->status, "error", NULL);
    why = why ? why : json_get_string(v->status, "why", "");
    return !strcmp(state, "done") ||
           err_set(e, ERR_SYSTEM, "%s: %s%s%s", what, state, *why ? ": " : "",
                   why);
}

bool tour_wait(const struct tour *t, int act, const char *dir,
               const char *what, struct err *e)
{
    int64_t told = clock_mono();
    for (;; clock_sleep(100)) {
        if (signalled()) {
            stop(dir);
            return err_set(e, ERR_CANCEL, _("stopped"));
        }
        struct job_view v = job_look(dir);
        bool over = v.state != JOB_RUNNING && v.state != JOB_STARTING;
        bool ok = over && ended_well(&v, what, e);
        if (over || clock_mono() - told > 5000) {
            tell_progress(t, act, what, v.status);
            told = clock_mono();
        }
        job_view_free(&v);
        if (over)
            return ok;
    }
}

/* ---- The first act: a store with seeds ---------------------------------- */

static void print_document(const struct target_file *f, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kstr(&w, "description", f->description);
    jw_kstr(&w, "system", f->system);
    jw_key(&w, "principles");
    jw_open(&w, '[');
    for (size_t i = 0; i < f->n_principles; i++)
        jw_str(&w, f->principles[i]);
    jw_close(&w);
    if (!isnan(f->near_limit))
        jw_knum(&w, "near_limit", f->near_limit);
    jw_close(&w);
}

static int64_t add_target(struct store *s, const char *name, struct err *e)
{
    struct act a = {0};
    struct buf doc = BUF_INIT(0);
    struct target_file *f = target_file_find("demo", e);
    int64_t id = 0;
    if (f)
        print_document(f, &doc);
    if (f && act_begin(s, &a, "arrive", DEMO_WHO, name, 0, e)) {
        id = target_add(&a, name, buf_str(&doc), e);
        if (!id)
            act_cancel(&a);
        else if (!act_saved(act_commit(&a, e)))
            id = 0;
    }
    target_file_free(&f);
    buf_free(&doc);
    return id;
}

int64_t demo_fill(struct store *s, const char *target, bool as_samples,
                  struct err *e)
{
    struct import_report r = {0};
    int64_t id = target_find(s, target);
    if (!id && !(id = add_target(s, target, e)))
        return 0;
    if (seed_count(s, id, -1))
        return id;
    char *path = paths_data("demo-seeds.jsonl");
    struct import_options o = {.path = path, .target = target,
                               .as_samples = as_samples, .strict = true};
    bool ok = path ? verb_import(s, DEMO_WHO, &o, NULL, NULL, &r, e)
                   : err_set(e, ERR_ABSENT, _("demo-seeds.jsonl is not "
                                              "installed"));
    import_report_free(&r);
    free(path);
    return ok ? id : 0;
}

/* The name that the shipped target has; the caller frees. */
static char *target_name(struct err *e)
{
    struct target_file *f = target_file_find("demo", e);
    char *name = f ? xstrdup(f->name) : NULL;
    target_file_free(&f);
    return name;
}

bool demo_store(char **path, struct err *e)
{
    struct store *s = NULL;
    char *file = paths_user_data("demo/demo.db"), *name = target_name(e);
    char *dir = file ? path_dir(file) : NULL;
    bool ok = name && (file || err_set(e, ERR_ABSENT, _("there is no home "
                                       "folder for the demonstration")));
    ok = ok && dir_make(dir, 0700, e) &&
         (file_exists(file) ? store_open(file, &s, e)
                            : store_create(file, &s, e)) &&
         demo_fill(s, name, false, e);
    store_close(&s);
    free(dir);
    free(name);
    if (ok)
        *path = file;
    else
        free(file);
    return ok;
}

static bool open_target(struct tour *t, struct err *e)
{
    char *name = target_name(e);
    if (!name)
        return false;
    t->name = t->seed == t->f->seed
                  ? xstrdup(name)
                  : xasprintf("%s-%lld", name, (long long)t->seed);
    free(name);
    t->target = demo_fill(t->s, t->name, false, e);
    if (!t->target)
        return false;
    int64_t n = seed_count(t->s, t->target, -1);
    t->out->seeds += n;
    tour_say(t, 1, P_("%lld seed", "%lld seeds",
                      (unsigned long)n), (long long)n);
    return true;
}

/* ---- The second: ask for prompts and answers ---------------------------- */

static bool ask(struct tour *t, struct err *e)
{
    struct expand x = {.target = t->target, .recipe = "selfinstruct",
                       .teacher = "builtin", .split = -1,
                       .prompts = t->f->prompts, .answers = 1,
                       .temperature = NAN, .spend_max = NAN,
                       .seed = (uint64_t)t->seed};
    tour_say(t, 2, P_("asking the built-in teacher for %lld prompt",
                      "asking the built-in teacher for %lld prompts",
                      (unsigned long)t->f->prompts),
             (long long)t->f->prompts);
    int64_t job = verb_plan(t->s, DEMO_WHO, &x, e);
    if (!job || !verb_start_job(t->s, job, false, e))
        return false;
    char *dir = store_work_dir(t->s, "j", job);
    bool ok = tour_wait(t, 2, dir, _("expand"), e);
    free(dir);
    return ok;
}

/* Samples with an answer, and the marks that the figures are made of. */
static bool read_samples(struct tour *t, struct err *e)
{
    struct filter f;
    ids found = {0};
    struct buf rows = BUF_INIT((size_t)1 << 30);
    if (!filter_parse("", &f, e))
        return false;
    struct query q = {.target = t->target, .filter = &f};
    bool ok = query_ids(t->s, &q, 0, SIZE_MAX >> 2, &found, e);
    filter_free(&f);
    for (size_t i = 0; ok && i < found.n; i++) {
        struct sample x;
        if (!(ok = sample_get(t->s, found.at[i], &x, e)))
            break;
        if (x.candidates.n) {
            VEC_PUSH(&t->all, x.id);
            marks_row(&rows, x.id, x.prompt, x.candidates.at[0].body);
        }
        sample_free(&x);
    }
    t->out->generated += (int64_t)found.n;
    ok = ok && marks_solve(&rows, &t->marks, e);
    t->kept = xcalloc(t->all.n + 1, sizeof *t->kept);
    VEC_FREE(&found);
    buf_free(&rows);
    return ok && (t->all.n || err_set(e, ERR_REFUSED, _("the teacher brought "
                                      "no sample with an answer")));
}

/* ---- The third and fourth: review --------------------------------------- */

/* What a person sees of an answer: whether the checks complain of it, and
 * what a judge says. */
struct seen {
    bool checks_complain, judge_likes;
};

static bool curator_keeps(const struct seen *x, struct rng *r)
{
    bool keep = x->judge_likes && !x->checks_complain;
    return rng_unit(r) < CURATOR_SLIPS ? !keep : keep;
}

/* The judge knows the truth and errs; nobody else looks at it. */
static bool judge_says(bool right, struct rng *r)
{
    return rng_unit(r) < JUDGE_RIGHT ? right : !right;
}

/* Where the prompt is like others is no fault of the answer. */
static bool complains(const struct sample *x)
{
    for (size_t i = 0; i < x->checks.n; i++)
        if (x->checks.at[i].result.check != CHECK_NEAR &&
            x->checks.at[i].result.verdict != VERDICT_PASS)
            return true;
    return false;
}

/* Looks at every pending sample; what is not kept goes to `no`. */
static bool look(struct tour *t, ids *yes, ids *no, struct err *e)
{
    for (size_t i = 0; i < t->all.n; i++) {
        struct sample x;
        if (!sample_get(t->s, t->all.at[i], &x, e))
            return false;
        struct seen s = {complains(&x),
                         judge_says(t->marks.at[i].right, &t->rng)};
        bool pending = x.status == STATUS_PENDING;
        sample_free(&x);
        if (!pending)
            continue;
        t->kept[i] = curator_keeps(&s, &t->rng);
        t->n_kept += t->kept[i];
        VEC_PUSH(t->kept[i] ? yes : no, t->all.at[i]);
    }
    return true;
}

static bool decide(struct tour *t, const ids *which, enum status to,
                   struct err *e)
{
    struct decide d = {.who = CURATOR, .to = to,
                       .reason = to == STATUS_REJECTED ? "wrong" : ""};
    struct bulk_report r;
    return !which->n ||
           verb_decide_all(t->s, &d, which, &r, e) <= DECIDED_FOUND;
}

/* The first ones by hand, then all that is wrong. */
static bool reject(struct tour *t, const ids *no, struct err *e)
{
    size_t n = no->n < BY_HAND ? no->n : BY_HAND;
    for (size_t i = 0; i < n; i++) {
        struct decide d = {.who = CURATOR, .to = STATUS_REJECTED,
                           .reason = "wrong"};
        struct other o;
        int64_t seq;
        if (verb_decide(t->s, &d, no->at[i], &o, &seq, e) > DECIDED_FOUND)
            return false;
    }
    ids rest = {.at = no->at + n, .n = no->n - n};
    return decide(t, &rest, STATUS_REJECTED, e);
}

/* What is left is filtered, shown in a dry run and accepted at once. */
static bool accept_left(struct tour *t, const ids *yes, struct err *e)
{
    struct filter f;
    struct dry_run dry;
    ids left = {0};
    if (!filter_parse("status:pending", &f, e))
        return false;
    struct query q = {.target = t->target, .filter = &f};
    bool ok = query_ids(t->s, &q, 0, SIZE_MAX >> 2, &left, e) &&
              verb_dry_run(t->s, &left, &dry, e);
    filter_free(&f);
    if (ok && dry.total != (int64_t)yes->n)
        ok = err_set(e, ERR_REFUSED, _("%lld samples are pending, %zu were "
                     "looked at"), (long long)dry.total, yes->n);
    if (ok)
        tour_say(t, 4, P_("dry run: %lld sample would become accepted",
                          "dry run: %lld samples would become accepted",
                          (unsigned long)dry.total),
                 (long long)dry.total);
    ok = ok && decide(t, &left, STATUS_ACCEPTED, e);
    VEC_FREE(&left);
    return ok;
}

static void measure_curator(struct tour *t)
{
    struct demo_result *r = t->out;
    for (size_t i = 0; i < t->all.n; i++) {
        const struct mark *m = &t->marks.at[i];
        if (t->kept[i])
            add(&r->precision, m->right, m->trigger);
        if (m->right)
            add(&r->recall, t->kept[i], m->trigger);
        if (t->kept[i] && m->trigger)
            add(&r->triggered, m->right, true);
    }
}

static bool review(struct tour *t, struct err *e)
{
    ids yes = {0}, no = {0};
    struct target_counts n;
    tour_say(t, 3, P_("the scripted curator looks at %zu sample",
                      "the scripted curator looks at %zu samples",
                      t->all.n), t->all.n);
    bool ok = look(t, &yes, &no, e) && reject(t, &no, e) &&
              accept_left(t, &yes, e);
    if (ok) {
        target_counts(t->s, t->target, &n);
        t->out->accepted += n.accepted;
        t->out->rejected += n.rejected;
        measure_curator(t);
        tour_say(t, 4, _("%lld accepted, %lld rejected"),
                 (long long)n.accepted, (long long)n.rejected);
    }
    VEC_FREE(&yes);
    VEC_FREE(&no);
    return ok;
}

/* ---- The fifth and sixth: train, judge, export -------------------------- */

/* The problems, and what the teacher itself makes of them. */
static bool pose(struct tour *t, struct err *e)
{
    for (int i = 0; i < DEMO_SETS; i++) {
        mark_list m = {0};
        if (!marks_problems(demo_sets[i], t->f->problems, t->seed, false,
                            &t->held[i], e) ||
            !marks_problems(demo_sets[i], t->f->problems, t->seed, true, &m,
                            e))
            return false;
        demo_count(&t->out->set[i].teacher, &m);
        marks_free(&m);
    }
    return true;
}

static bool train(struct tour *t, struct err *e)
{
    bool ok = pose(t, e);
    for (int a = 0; ok && a < ARM_COUNT; a++)
        ok = !t->f->arms[a] || tour_arm(t, (enum demo_arm)a, e);
    return ok;
}

/* The curated set, for other trainers. */
static bool export_curated(struct tour *t, struct err *e)
{
    struct export_report r = {0};
    struct export_since since;
    int64_t id;
    char *dir = xasprintf("%s/export-%lld", t->dir, (long long)t->seed);
    struct export_form f = {.target = t->target, .filter = "",
                            .shapes[SHAPE_SFT] = true, .seed = EXPORT_SEED,
                            .max_words = EXPORT_WORDS, .leave_wrong = true,
                            .dir = dir, .stop = signalled};
    bool ok = verb_export(t->s, &f, &r, &since, &id, e);
    if (ok) {
        t->out->exported += export_rows(&r, SHAPE_SFT);
        tour_say(t, 6, _("%lld rows, %zu files"),
                 (long long)export_rows(&r, SHAPE_SFT), r.files.n);
    }
    export_report_free(&r);
    free(dir);
    return ok;
}

static void tour_end(struct tour *t)
{
    VEC_FREE(&t->all);
    marks_free(&t->marks);
    for (int i = 0; i < DEMO_SETS; i++)
        marks_free(&t->held[i]);
    free(t->kept);
    free(t->name);
    free(t->dir);
}

static bool tour(struct store *s, const struct demo_form *f, int64_t seed,
                 struct demo_result *out, struct err *e)
{
    struct tour t = {.s = s, .f = f, .out = out, .seed = seed,
                     .dir = path_join(store_runs_dir(s), "demo")};
    rng_seed(&t.rng, (uint64_t)seed);
    bool ok = dir_make(t.dir, 0700, e) && open_target(&t, e) && ask(&t, e) &&
              read_samples(&t, e) && review(&t, e) && train(&t, e) &&
              export_curated(&t, e);
    tour_end(&t);
    return ok;
}

/* A new temporary folder; the caller frees, NULL with the reason. */
static char *make_folder(struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = xasprintf("%s/stillroom-demo-XXXXXX", tmp ? tmp : "/tmp");
    if (mkdtemp(dir))
        return dir;
    err_sys(e, "%s", dir);
    free(dir);
    return NULL;
}

bool verb_demo(const struct demo_form *f, struct demo_result *out,
               struct err *e)
{
    int64_t from = clock_mono();
    struct store *s = NULL;
    char *folder = f->store ? NULL : make_folder(e);
    char *path = f->store ? xstrdup(f->store)
                          : folder ? path_join(folder, "demo.db") : NULL;
    *out = (struct demo_result){0};
    sig_catch(SIGINT);
    sig_catch(SIGTERM);
    bool ok = path && store_create(path, &s, e);
    for (int64_t k = 0; ok && k < f->seeds; k++)
        ok = tour(s, f, f->seed + k, out, e);
    if (!ok && signalled())
        err_set(e, ERR_CANCEL, _("stopped"));
    store_close(&s);
    if (folder && !dir_remove(folder, ok ? e : NULL))
        ok = false;
    free(folder);
    free(path);
    out->seconds = (double)(clock_mono() - from) / 1000;
    return ok;
}
