#include "model/learn/train.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/status.h"
#include "domain/verifier.h"
#include "model/learn/checkpoint.h"
#include "model/learn/eval.h"
#include "model/learn/identity.h"
#include "model/learn/nearest.h"
#include "model/learn/need.h"
#include "model/learn/plan.h"
#include "model/learn/report.h"
#include "model/learn/step.h"
#include "model/learn/student.h"
#include "model/net/adapter.h"
#include "model/net/gemm.h"
#include "model/net/lora.h"

enum {
    SAVE_MS = 60000,  /* between checkpoints, and at least */
    SAVE_PART = 50,   /* this many times what one takes to write */
    CURVE_POINTS = 2000,
    WILD_STEPS = 10,  /* of a loss that no student should have: it exploded */
    WORKER_TOKENS = 256
};

struct trainer {
    const struct train *t;
    struct settings s;
    struct identity id;
    struct llama *m;
    struct tokenizer *k;
    struct items rows, valid;
    struct pool *pool;
    struct stepper step;
    struct plan plan;
    struct report r;
    struct before *before;  /* [valid.n] */
    struct figures first, last;
    double best;            /* lowest held-out loss so far ... */
    int64_t best_step;      /* ... and where */
    int64_t worse;          /* evaluations since */
    int64_t tokens;         /* of the whole run */
    int64_t every;          /* steps from one evaluation to the next */
    int64_t judged;         /* tokens of all evaluations so far */
    bool answers;           /* each is with answers; else the first and last */
    size_t left_out;        /* held-out rows, for want of tokens */
    double seconds, gemm;   /* spent in steps before this process */
    double spent;           /* by this one */
    int64_t save_at;        /* monotonic ms when a checkpoint is due */
    int wild;               /* steps in a row with such a loss */
    double lowest;          /* loss of a step so far */
    bool same_host;         /* all of it on one kind of machine */
    int lock;               /* -1: none */
};

/* ---- Beginning ---------------------------------------------------------- */

static bool read_inputs(struct trainer *x, struct err *e)
{
    const struct train *t = x->t;
    x->m = llama_load(t->dir, e);
    x->k = x->m ? student_tokenizer(t->dir, x->m, e) : NULL;
    if (!x->k)
        return false;
    if (!x->k->n_stop)
        return err_set(e, ERR_INPUT, _("%s: no token ends an answer"), t->dir);
    int context = x->m->config.context;
    if (x->s.context > context)
        return err_set(e, ERR_USAGE, _("--context %lld is more than the "
                                       "student's %d"),
                       (long long)x->s.context, context);
    if (!x->s.context)
        x->s.context = context;
    char *valid = (char *)(uintptr_t)t->valid;
    struct reading how = {(int)x->s.context, (enum truncate)x->s.truncate,
                          x->s.mask_thinking};
    if (!items_load(&x->rows, x->k, t->rows, t->n_rows, &how, e) ||
        (valid && !items_load(&x->valid, x->k, &valid, 1, &how, e)))
        return false;
    return x->rows.n || items_none(&x->rows, e);
}

/* The share that evaluations may take of the run's tokens: what is asked for
 * step by step is done, whatever it takes. */
static void settle_share(struct trainer *x)
{
    if (x->s.eval_every && !x->t->given[SETTING_eval_share])
        x->s.eval_share = 0;
}

enum { EVALUATIONS = 10, ENDS = 2 };

/* When the held-out rows are evaluated, and with answers: at step 0 and at the
 * end always; between them as often as there is room for, by the loss alone
 * where there is not enough for answers. */
static void plan_evaluations(struct trainer *x)
{
    const struct settings *s = &x->s;
    size_t rows = x->valid.n;
    int context = x->m->config.context;
    int64_t budget = (int64_t)(s->eval_share * (double)x->tokens);
    int64_t times = s->eval_every ? (x->r.steps - 1) / s->eval_every
                                  : EVALUATIONS - 1; /* between the ends */
    eval_choose(&x->valid, 0, context);
    x->answers = true;
    if (s->eval_share > 0 && rows) {
        int64_t full = eval_cost(&x->valid, context);
        x->answers = (times + ENDS) * full <= budget;
        if (!x->answers && s->eval_every) {
            eval_choose(&x->valid, budget / (times + ENDS) + 1, context);
            x->answers = true;
        } else if (!x->answers && ENDS * full > budget)
            eval_choose(&x->valid, budget > ENDS ? budget / ENDS : 1, context);
        full = eval_cost(&x->valid, context);
        int64_t left = x->valid.n ? (budget - ENDS * full) / x->valid.tokens
                                  : 0;
        if (!x->answers && left < times)
            times = left > 0 ? left : 0;
    }
    x->every = s->eval_every ? s->eval_every
                             : (x->r.steps + times) / (times + 1);
    x->every = x->every > 0 ? x->every : 1;
    x->left_out = rows - x->valid.n;
    must(x->every > 0 && x->valid.n <= rows);
}

/* The budget that was left open. */
static void fill_in(struct trainer *x)
{
    struct settings *s = &x->s;
    if (!s->tokens && !s->epochs && !s->steps)
        s->tokens = 1500000;
    struct budget b = {s->tokens, s->epochs, s->steps};
    plan_start(&x->plan, &x->rows, &b, s->batch_tokens, (uint64_t)s->seed);
    x->r.steps = plan_steps(&x->plan, &x->tokens);
    plan_evaluations(x);
}

/* A worker for each processor, while each has enough tokens of a step to be
 * worth the waiting. */
static int workers_for(const struct settings *s)
{
    int64_t useful = (s->batch_tokens + WORKER_TOKENS - 1) / WORKER_TOKENS;
    int n = pool_default();
    return useful < n ? (int)useful : n;
}

static bool add_adapter(struct trainer *x, struct err *e)
{
    if (x->t->adapter)
        return adapter_add(x->m, x->t->adapter, e) ||
               err_in(e, "%s", x->t->adapter);
    int64_t most = x->s.lora <= LORA_RANK ? x->s.lora : LORA_RANK + 1;
    struct lora l = {.rank = (int)most, .root = x->s.rslora,
                     .alpha = x->s.lora_alpha > 0 ? x->s.lora_alpha
                                                  : 2 * (double)x->s.lora,
                     .targets = x->s.lora_targets ? (int)x->s.lora_targets
                                                  : (1 << MODULES) - 1};
    return lora_add(x->m, &l, (uint64_t)x->s.seed, e);
}

static int64_t longest_of(const struct trainer *x)
{
    return (int64_t)(x->rows.longest > x->valid.longest ? x->rows.longest
                                                        : x->valid.longest);
}

static bool start(struct trainer *x, struct err *e)
{
    int workers = x->id.threads;
    int64_t longest = longest_of(x);
    if ((x->s.lora || x->t->adapter) && !add_adapter(x, e))
        return false;
    if (x->m->rank && gemm_has_bf16())
        llama_lean(x->m);
    if (!need_fits(x->m, &x->s, longest, workers, need_available(), e))
        return false;
    x->pool = pool_new(workers);
    if (!stepper_init(&x->step, x->m, &x->rows, x->pool, longest,
                      x->s.batch_tokens, x->s.recompute, e))
        return false;
    x->step.clip = x->s.clip;
    if (x->s.from_scratch)
        llama_init(x->m, (uint64_t)x->s.seed);
    x->before = xcalloc(x->valid.n + 1, sizeof *x->before);
    x->r.parameters = x->m->rank ? x->m->first : x->m->n;
    x->r.held_out = x->valid.n;
    x->r.threads = workers;
    return true;
}

/* ---- Checkpoints -------------------------------------------------------- */

static void print_figures(struct jw *w, const char *name,
                          const struct figures *f)
{
    jw_key(w, name);
    jw_open(w, '{');
    jw_knum(w, "held_out_loss", f->loss);
    if (f->marked)
        jw_knum(w, "exact", f->exact);
    jw_kint(w, "right", (int64_t)f->right);
    jw_kint(w, "marked", (int64_t)f->marked);
    jw_kint(w, "held_out", (int64_t)f->rows);
    jw_close(w);
}

static void read_figures(const json *note, const char *name,
                         struct figures *f)
{
    const json *j = json_get(note, name);
    int64_t rows = json_get_int(j, "held_out", 0);
    *f = (struct figures){
        .loss = json_get_number(j, "held_out_loss", NAN),
        .exact = json_get_number(j, "exact", NAN), .rows = (size_t)rows,
        .marked = (size_t)json_get_int(j, "marked", rows),
        .right = (size_t)json_get_int(j, "right", 0)};
}

static void print_note(const struct trainer *x, struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_kint(&w, "format", 1);
    jw_kint(&w, "step", x->plan.step);
    jw_kint(&w, "epoch", x->plan.epoch);
    jw_kint(&w, "row", (int64_t)x->plan.at);
    jw_kint(&w, "tokens", x->plan.tokens);
    jw_key(&w, "settings");
    settings_print(&x->s, &w);
    jw_key(&w, "identity");
    identity_print(&x->id, &w);
    jw_kbool(&w, "same_host", x->same_host);
    jw_knum(&w, "loss", x->r.loss);
    jw_knum(&w, "best", x->best);
    jw_kint(&w, "best_step", x->best_step);
    jw_kint(&w, "worse", x->worse);
    jw_kint(&w, "evaluation_tokens", x->judged);
    if (isfinite(x->lowest))
        jw_knum(&w, "lowest", x->lowest);
    print_figures(&w, "first", &x->first);
    print_figures(&w, "last", &x->last);
    jw_knum(&w, "seconds", x->seconds + x->spent);
    jw_knum(&w, "gemm_seconds", x->gemm + x->step.gemm_seconds);
    jw_close(&w);
}

static bool save(struct trainer *x, struct err *e)
{
    struct buf note = BUF_INIT(0);
    struct checkpoint c = {llama_trained(x->m), llama_at(x->m, x->m->first),
                           x->step.m, x->step.v, x->plan.step};
    int64_t from = clock_mono();
    must(c.n == llama_trained(x->m) && x->plan.step <= x->r.steps);
    print_note(x, &note);
    bool ok = checkpoint_save(x->t->run, &c, buf_str(&note), e);
    buf_free(&note);
    if (ok)
        x->r.checkpoint = x->plan.step;
    int64_t now = clock_mono(), pause = SAVE_PART * (now - from);
    x->save_at = now + (pause > SAVE_MS ? pause : SAVE_MS);
    return ok;
}

static bool save_best(struct trainer *x, struct err *e)
{
    x->worse++;
    if (!x->valid.n || !(x->last.loss < x->best))
        return true;
    x->worse = 0;
    x->best_step = x->plan.step;
    struct buf note = BUF_INIT(0);
    struct checkpoint c = {.n = llama_trained(x->m),
                           .w = llama_at(x->m, x->m->first)};
    x->best = x->last.loss;
    print_note(x, &note);
    bool ok = checkpoint_best(x->t->run, &c, buf_str(&note), e);
    buf_free(&note);
    return ok;
}

/* Settings and identity of the checkpoint that a resume begins from. */
static bool agree(struct trainer *x, const json *note, struct err *e)
{
    if (!settings_resume(&x->s, x->t->given, json_get(note, "settings"), e) ||
        !settings_check(&x->s, e) ||
        !identity_same_inputs(&x->id, json_get(note, "identity"), e))
        return false;
    if (!gemm_precision((enum gemm_precision)x->s.precision))
        return err_set(e, ERR_REFUSED, _("this processor has no products for "
                                         "--precision medium"));
    identity_kernel(&x->id);
    x->id.threads = workers_for(&x->s);
    if (identity_same_host(&x->id, json_get(note, "identity"), e)) {
        x->same_host = json_get_bool(note, "same_host", true);
        return true;
    }
    x->same_host = false;
    return x->t->other_host;
}

static bool go_back_to(struct trainer *x, const json *note, int64_t step,
                       struct err *e)
{
    struct checkpoint c = {llama_trained(x->m), llama_at(x->m, x->m->first),
                           x->step.m, x->step.v, step};
    if (!checkpoint_load(x->t->run, &c, e))
        return false;
    plan_skip(&x->plan, step);
    if (x->plan.epoch != json_get_int(note, "epoch", -1) ||
        (int64_t)x->plan.at != json_get_int(note, "row", -1))
        return err_set(e, ERR_INPUT, _("the rows do not lead to the "
                                       "checkpoint's place in them"));
    x->r.checkpoint = step;
    x->save_at = clock_mono() + SAVE_MS;
    x->r.loss = json_get_number(note, "loss", NAN);
    x->best = json_get_number(note, "best", INFINITY);
    x->lowest = json_get_number(note, "lowest", INFINITY);
    x->best_step = json_get_int(note, "best_step", 0);
    x->worse = json_get_int(note, "worse", 0);
    x->judged = json_get_int(note, "evaluation_tokens", 0);
    x->seconds = json_get_number(note, "seconds", 0);
    x->gemm = json_get_number(note, "gemm_seconds", 0);
    read_figures(note, "first", &x->first);
    read_figures(note, "last", &x->last);
    report_read_before(&x->r, &x->valid, x->before);
    return report_cut(&x->r, step, e);
}

/* ---- The loop ----------------------------------------------------------- */

static void keep_first(struct trainer *x, struct verdict *v)
{
    x->first = x->last;
    for (size_t i = 0; i < x->valid.n; i++) {
        free(x->before[i].text);
        x->before[i] = (struct before){v[i].text ? xstrdup(v[i].text) : NULL,
                                       v[i].marked, v[i].right};
    }
}

/* What is said of an evaluation: nothing of a handful of rows. */
static void show_figures(struct trainer *x)
{
    const struct figures *f = &x->last;
    x->r.held_out_loss = f->rows < FIGURE_LEAST ? NAN : f->loss;
    if (f->marked) {
        x->r.exact = f->marked < FIGURE_LEAST ? NAN : f->exact;
        x->r.marked = f->marked;
    }
    x->r.evaluation_tokens = x->judged;
}

/* The held-out rows into v and x->last, without dropout. */
static bool judge(struct trainer *x, bool answered, struct verdict *v,
                  struct err *e)
{
    work_drop(x->step.k, 0, 0, 0);
    if (!eval_run(x->m, x->k, &x->valid, answered, x->pool, x->step.k, v,
                  &x->last, e))
        return false;
    x->judged += x->last.tokens;
    show_figures(x);
    return true;
}

static bool evaluate(struct trainer *x, struct err *e)
{
    if (!x->valid.n)
        return true;
    struct verdict *v = xcalloc(x->valid.n, sizeof *v);
    bool answered = x->answers || !x->plan.step || x->plan.step == x->r.steps;
    bool ok = judge(x, answered, v, e);
    if (ok && x->plan.step == 0)
        keep_first(x, v);
    ok = ok && report_held_out(&x->r, x->plan.step, x->last.marked > 0, e) &&
         (!answered || report_answers(&x->r, &x->valid, x->before, v, e)) &&
         save_best(x, e);
    verdicts_free(v, x->valid.n);
    return ok;
}

static double monotonic(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Rate, time left and share of products for the status. */
static void tell(struct trainer *x, double loss)
{
    double all = x->seconds + x->spent;
    x->r.step = x->plan.step;
    x->r.tokens = x->plan.tokens;
    x->r.loss = loss;
    x->r.rate = all > 0 ? (double)x->plan.tokens / all : NAN;
    x->r.eta = all / (double)x->plan.step *
               (double)(x->r.steps - x->plan.step);
    x->r.gemm_share = (x->gemm + x->step.gemm_seconds) /
                      (all * pool_workers(x->pool));
}

/* One and a half times what is lost by knowing nothing, or at best so far. */
static double wildest(const struct trainer *x)
{
    double nothing = log((double)x->m->config.vocab);
    return 1.5 * (x->lowest > nothing ? x->lowest : nothing);
}

static bool one_step(struct trainer *x, struct err *e)
{
    int64_t n = x->plan.step - 1;
    int64_t warm = (int64_t)llround(x->s.warmup * (double)x->r.steps);
    struct adamw a = {.decay = x->s.decay, .beta1 = .9, .beta2 = .98,
                      .eps = 1e-8, .step = n + 1};
    a.rate = rate_at((enum schedule)x->s.schedule, x->s.rate, .05, warm,
                     x->r.steps, n);
    uint64_t key = ((uint64_t)x->s.seed << 40) +
                   (uint64_t)n * 0x632be59bd9b4e019u;
    double from = monotonic();
    double loss = stepper_step(&x->step, x->plan.row, x->plan.n, &a,
                               x->s.dropout, x->s.lora_dropout, key);
    x->spent += monotonic() - from;
    x->lowest = loss < x->lowest ? loss : x->lowest;
    x->wild = loss > wildest(x) ? x->wild + 1 : 0;
    if (x->wild == WILD_STEPS)
        return err_set(e, ERR_INPUT,
                       _("the loss has exploded: above %.1f from step %lld to "
                         "%lld; the checkpoint of step %lld is the last good "
                         "one; try a lower --rate"), wildest(x),
                       (long long)(n + 2 - WILD_STEPS), (long long)n + 1,
                       (long long)x->r.checkpoint);
    if (!isfinite(loss))
        return err_set(e, ERR_INPUT,
                       _("the loss is not a number at step %lld; the "
                         "checkpoint of step %lld is the last good one; try a "
                         "lower --rate"), (long long)n + 1,
                       (long long)x->r.checkpoint);
    tell(x, loss);
    return true;
}

/* What is due behind a step. */
static bool behind_step(struct trainer *x, struct err *e)
{
    int64_t n = x->plan.step, every = 1 + x->r.steps / CURVE_POINTS;
    bool last = n == x->r.steps;
    if ((n % every == 0 || last) && !report_loss(&x->r, n, x->r.loss, e))
        return false;
    bool due = n % x->every == 0 || last;
    if (due && !evaluate(x, e))
        return false;
    if (x->wild && !last)
        return report_status(&x->r, false, e); /* nothing worth keeping */
    if ((due || clock_mono() >= x->save_at) && !save(x, e))
        return false;
    return report_status(&x->r, false, e);
}

static bool asked_to_stop(void)
{
    int sig;
    while ((sig = sig_next()))
        if (sig == SIGTERM || sig == SIGINT)
            return true;
    return false;
}

/* Its patience has ended (Prechelt 1998, "Early stopping - but when?", the
 * criterion UP). */
static bool is_early(const struct trainer *x)
{
    return x->s.patience && x->worse >= x->s.patience;
}

static bool loop(struct trainer *x, bool *stopped, struct err *e)
{
    while (!*stopped && !is_early(x) && plan_next(&x->plan)) {
        if (!one_step(x, e) || !behind_step(x, e))
            return false;
        *stopped = asked_to_stop() && x->plan.step < x->r.steps;
    }
    must(x->plan.step <= x->r.steps);
    return !*stopped || x->wild || x->r.checkpoint == x->plan.step ||
           save(x, e);
}

/* ---- The end ------------------------------------------------------------ */

/* Takes the weights of the lowest held-out loss, and their answers. */
static bool take_best(struct trainer *x, struct err *e)
{
    struct checkpoint c = {.n = llama_trained(x->m),
                           .w = llama_at(x->m, x->m->first)};
    struct verdict *v = xcalloc(x->valid.n, sizeof *v);
    bool ok = checkpoint_load_best(x->t->run, &c, e) &&
              judge(x, true, v, e) &&
              report_answers(&x->r, &x->valid, x->before, v, e);
    x->best_step = c.step;
    verdicts_free(v, x->valid.n);
    return ok;
}

/* RUN/adapter. */
static bool write_adapter(struct trainer *x, struct err *e)
{
    char *dir = path_join(x->t->run, "adapter");
    bool ok = lora_save(x->m, dir, x->t->dir, x->s.lora_dropout, e) &&
              adapter_sign(x->m, dir, e);
    free(dir);
    return ok;
}

static bool write_model(struct trainer *x, struct err *e)
{
    if (x->m->rank && !write_adapter(x, e))
        return false;
    char *dir = path_join(x->t->run, "model");
    x->m->bf16 = settings_bf16(x->s.dtype, x->m->bf16);
    bool ok = student_write(x->m, x->t->dir, dir, e);
    free(dir);
    return ok;
}

static bool write_figures(const struct trainer *x, struct err *e)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "parameters", (int64_t)(x->m->rank ? x->m->first : x->m->n));
    jw_kint(&w, "trained", (int64_t)llama_trained(x->m));
    jw_kint(&w, "steps", x->plan.step);
    jw_kint(&w, "tokens", x->plan.tokens);
    jw_kint(&w, "answer_tokens", x->plan.targets);
    jw_kint(&w, "rows", (int64_t)x->rows.n);
    jw_kint(&w, "rows_cut", (int64_t)x->rows.cut);
    jw_kint(&w, "rows_left_out", (int64_t)x->rows.left);
    jw_knum(&w, "loss", x->r.loss);
    jw_kint(&w, "held_out", (int64_t)x->valid.n);
    jw_kint(&w, "held_out_left_out", (int64_t)x->left_out);
    jw_kint(&w, "evaluation_tokens", x->judged);
    if (x->valid.n >= FIGURE_LEAST) {
        jw_kint(&w, "best_step", x->best_step);
        jw_kbool(&w, "early", is_early(x));
        print_figures(&w, "before", &x->first);
        print_figures(&w, "after", &x->last);
    }
    jw_key(&w, "seconds");
    jw_fixed(&w, x->seconds + x->spent, 2);
    jw_key(&w, "tokens_per_second");
    jw_fixed(&w, x->r.rate, 1);
    jw_key(&w, "gemm_share");
    jw_fixed(&w, x->r.gemm_share, 3);
    jw_kint(&w, "memory_bytes", report_memory());
    jw_kbool(&w, "bit_identical", x->same_host);
    jw_kstr(&w, "precision", gemm_precisions[gemm_precision_now()]);
    jw_key(&w, "settings");
    settings_print(&x->s, &w);
    jw_key(&w, "identity");
    identity_print(&x->id, &w);
    jw_close(&w);
    buf_putc(&b, '\n');
    char *path = path_join(x->t->run, "figures.json");
    bool ok = file_replace(path, buf_str(&b), b.len, 0600, true, e);
    free(path);
    buf_free(&b);
    return ok;
}

/* ---- All of it ---------------------------------------------------------- */

static bool open_run(struct trainer *x, struct err *e)
{
    if (!dir_make(x->t->run, 0700, e))
        return false;
    x->lock = status_take(x->t->run, e);
    return x->lock >= 0;
}

/* Everything up to the first step: inputs, and the checkpoint or step 0. */
static bool prepare(struct trainer *x, struct err *e)
{
    int64_t step = 0;
    struct err none = {0};
    json *note = checkpoint_find(x->t->run, &step, &none);
    if (note && !x->t->resume) {
        json_free(note);
        return err_set(e, ERR_REFUSED, _("%s holds a run already; --resume "
                                         "goes on with it"), x->t->run);
    }
    if (!note && none.code != ERR_ABSENT) {
        *e = none;
        return false;
    }
    if (!note)
        settle_share(x);
    bool ok = settings_check(&x->s, e) &&
              identity_of(&x->id, x->t->dir, x->t->adapter, x->t->rows,
                          x->t->n_rows, x->t->valid, workers_for(&x->s), e) &&
              (!note || agree(x, note, e)) && read_inputs(x, e);
    if (ok) {
        fill_in(x);
        ok = start(x, e);
    }
    if (ok && note) {
        ok = go_back_to(x, note, step, e);
        tell(x, x->r.loss);
    }
    json_free(note);
    return ok;
}

static bool first_figures(struct trainer *x, struct err *e)
{
    if (x->r.checkpoint >= 0) {
        show_figures(x);
        return report_status(&x->r, true, e);
    }
    return report_cut(&x->r, -1, e) && report_status(&x->r, true, e) &&
           evaluate(x, e) && save(x, e);
}

static void finish(struct trainer *x)
{
    for (size_t i = 0; x->before && i < x->valid.n; i++)
        free(x->before[i].text);
    free(x->before);
    stepper_done(&x->step);
    plan_free(&x->plan);
    items_free(&x->rows);
    items_free(&x->valid);
    pool_free(&x->pool);
    tokenizer_free(&x->k);
    llama_free(&x->m);
    if (x->lock >= 0)
        close(x->lock);
}

/* Whether nobody has said anything of the run yet but that it is starting. */
static bool is_new(const char *run)
{
    json *j = status_read(run, NULL);
    bool is = !strcmp(json_get_string(j, "state", "starting"), "starting");
    json_free(j);
    return is;
}

/* Says in status.json how it ended. A run that is refused at its beginning
 * leaves what an earlier one has said there. */
static void say_end(struct trainer *x, bool ok, bool begun, bool stopped,
                    const struct err *e)
{
    if (!begun && (x->lock < 0 || !is_new(x->t->run)))
        return;
    x->r.state = !ok ? "failed" : stopped ? "stopped" : "done";
    x->r.why = ok ? NULL : e->text;
    report_status(&x->r, true, NULL);
}

/* It ends in the middle of its work. */
static void say_failed(void *ctx, const char *why)
{
    struct trainer *x = ctx;
    x->r.state = "failed";
    x->r.why = why;
    report_status(&x->r, true, NULL);
}

/* ---- Before it begins --------------------------------------------------- */

/* Tokens a second of the second of two steps, or of the only one. */
static double speed(struct trainer *x, struct err *e)
{
    double rate = NAN;
    for (int i = 0; i < 2 && plan_next(&x->plan); i++) {
        double spent = x->spent;
        int64_t tokens = x->r.tokens;
        if (!one_step(x, e))
            return NAN;
        rate = (double)(x->r.tokens - tokens) / (x->spent - spent);
    }
    return rate;
}

static void fill_estimate(const struct trainer *x, int64_t available,
                          struct train_estimate *o)
{
    struct need n = need_of(x->m, &x->s, longest_of(x), x->id.threads);
    *o = (struct train_estimate){
        .parameters = (int64_t)(x->m->rank ? x->m->first : x->m->n),
        .trained = (int64_t)llama_trained(x->m),
        .rows = (int64_t)x->rows.n, .held_out = (int64_t)x->valid.n,
        .longest = longest_of(x), .context = x->s.context,
        .cut = (int64_t)x->rows.cut, .left_out = (int64_t)x->rows.left,
        .tokens = x->tokens, .steps = x->r.steps, .memory = need_all(&n),
        .available = available, .tokens_per_second = NAN, .seconds = NAN};
}

bool train_estimate(const struct train *t, struct train_estimate *out,
                    struct err *e)
{
    struct trainer x = {.t = t, .s = t->settings, .lowest = INFINITY,
                        .lock = -1};
    int64_t available = need_available(); /* the weights not yet in memory */
    bool ok = settings_check(&x.s, e) && read_inputs(&x, e);
    x.r.rate = x.r.loss = NAN;
    if (ok) {
        fill_in(&x);
        x.id.threads = workers_for(&x.s);
        out->fits = start(&x, e);
        ok = out->fits || e->code == ERR_MEMORY;
    }
    if (ok) {
        bool fits = out->fits;
        fill_estimate(&x, available, out);
        out->fits = fits;
    }
    if (ok && out->fits) {
        out->tokens_per_second = speed(&x, e);
        out->seconds = (double)out->tokens / out->tokens_per_second;
        ok = out->seconds > 0;
    }
    finish(&x);
    return ok;
}

static struct trainer trainer_of(const struct train *t)
{
    struct trainer x = {.t = t, .s = t->settings, .best = INFINITY,
                        .lowest = INFINITY, .same_host = true, .lock = -1};
    x.r = (struct report){.run = t->run, .state = "running",
                          .checkpoint = -1, .loss = NAN, .held_out_loss = NAN,
                          .exact = NAN, .nearest_exact = NAN, .rate = NAN,
                          .eta = NAN, .gemm_share = NAN};
    return x;
}

void train_refuse(const struct train *t, const struct err *why)
{
    struct trainer x = trainer_of(t);
    if (open_run(&x, NULL))
        say_end(&x, false, false, false, why);
    finish(&x);
}

bool train_run(const struct train *t, struct outcome *o, struct err *e)
{
    struct trainer x = trainer_of(t);
    *o = (struct outcome){0};
    signal(SIGHUP, SIG_IGN);
    sig_catch(SIGTERM);
    sig_catch(SIGINT);
    last_act_add(say_failed, &x);
    bool ok = open_run(&x, e) && prepare(&x, e), begun = ok;
    if (ok)
        x.r.nearest_exact = nearest_exact(t->rows, t->n_rows, t->valid,
                                          &x.valid);
    ok = ok && first_figures(&x, e) && loop(&x, &o->stopped, e);
    o->early = ok && !o->stopped && is_early(&x);
    if (o->early)
        ok = take_best(&x, e);
    o->best_step = x.best_step;
    if (ok && !o->stopped)
        ok = write_model(&x, e) && write_figures(&x, e);
    last_act_remove(&x);
    say_end(&x, ok, begun, o->stopped, e);
    o->steps = x.plan.step;
    o->loss = x.r.loss;
    o->held_out = x.last;
    o->left_out = x.left_out;
    finish(&x);
    return ok;
}
