/* The body of a teacher's job. */
#include "verbs/elicit.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/loop.h"
#include "base/say.h"
#include "base/sig.h"
#include "jobs/env.h"
#include "jobs/job.h"
#include "jobs/server.h"
#include "store/text.h"
#include "teacher/client.h"
#include "teacher/cost.h"
#include "verbs/arrive.h"
#include "verbs/plan.h"

struct flight; /* one call on its way */

struct elicit {
    struct store *s;
    struct arrivals v;
    struct profiles profiles;
    const struct profile *profile;
    struct server *server;
    struct client *client;
    struct loop *loop;
    struct job_self self;
    struct budget budget;
    struct call_counts n; /* as the store has them */
    ids waiting;        /* planned calls, not handed to the client */
    size_t next;        /* of them */
    size_t flying;
    VEC(struct flight *) landed; /* ended, not yet stored */
    int64_t answered, failed, asked, failures_in_row;
    int64_t started;
    bool stopping, over_budget;
    struct err e;
    char trouble[300];
};

struct flight {
    struct elicit *x;
    struct call call;
    struct chat chat;
    struct ask ask;
    char *step, **stop;
    json *params;
    double held;
    bool broke; /* its next attempt could pass the limit */
    /* how it ended */
    struct buf raw;
    char *answer, *reasoning;
    bool ended;
};

static void flight_free(struct flight *f)
{
    call_free(&f->call);
    chat_free(&f->chat);
    json_free(f->params);
    for (size_t i = 0; f->stop && f->stop[i]; i++)
        free(f->stop[i]);
    free(f->stop);
    free(f->step);
    free(f->answer);
    free(f->reasoning);
    buf_free(&f->raw);
    free(f);
}

/* ---- Status ------------------------------------------------------------- */

static void by_check(struct jw *w, const char *key, const int64_t *n)
{
    jw_key(w, key);
    jw_open(w, '{');
    for (int c = 0; c < CHECK_COUNT; c++)
        if (n[c])
            jw_kint(w, check_name((enum check)c), n[c]);
    jw_close(w);
}

/* What the replies brought; `fails` and `warns` by check. */
static void report_arrived(struct jw *w, const struct arrivals *v)
{
    jw_kint(w, "found", v->n.found);
    jw_kint(w, "passed", v->n.passed);
    jw_kint(w, "rejected", v->n.failed);
    jw_kint(w, "warned", v->n.warned);
    jw_kint(w, "repeated", v->n.repeated);
    by_check(w, "fails", v->n.fails);
    by_check(w, "warns", v->n.warns);
}

/* Calls that went from one state to another. */
static void count_moved(struct elicit *x, enum call_state from,
                        enum call_state to, size_t n)
{
    x->n.by_state[from] -= (int64_t)n;
    x->n.by_state[to] += (int64_t)n;
}

/* What an attempt took. */
static void count_spent(struct elicit *x, const struct call *c)
{
    x->n.cost += c->cost;
    x->n.tokens_in += c->tokens_in;
    x->n.tokens_out += c->tokens_out;
}

static char *figures(struct elicit *x)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    double seconds = (double)(clock_mono() - x->started) / 1000;
    jw_open(&w, '{');
    jw_kint(&w, "calls", x->n.total);
    for (int i = 0; i < CALL_STATE_COUNT; i++)
        jw_kint(&w, call_state_name((enum call_state)i),
                x->n.by_state[i]);
    report_arrived(&w, &x->v);
    jw_knum(&w, "cost", x->n.cost);
    jw_kint(&w, "tokens_in", x->n.tokens_in);
    jw_kint(&w, "tokens_out", x->n.tokens_out);
    jw_kint(&w, "in_flight",
            x->client ? (int64_t)client_in_flight(x->client) : 0);
    jw_kint(&w, "parked_ms", x->client ? client_parked(x->client) : 0);
    jw_knum(&w, "calls_per_second",
            seconds > 0 ? (double)x->answered / seconds : 0);
    jw_kstr(&w, "trouble", x->trouble);
    jw_close(&w);
    return buf_take(&b);
}

static void report(struct elicit *x, bool now)
{
    if (!now && clock_mono() - x->self.told < 250)
        return;
    char *text = figures(x);
    job_report(&x->self, text, now, NULL);
    free(text);
}

/* ---- Sending ------------------------------------------------------------ */

/* The request of a call: sampling from the recipe, what the form said over
 * it. */
static bool prepare(struct flight *f, struct err *e)
{
    struct elicit *x = f->x;
    const struct recipe_step *step = &x->v.r->steps[f->call.step - 1];
    const struct recipe_decode *d = &step->decode;
    char *text = text_get(x->s, f->call.prompt_text, NULL);
    f->params = json_parse(f->call.params, strlen(f->call.params), e);
    bool ok = text && f->params && chat_parse(text, &f->chat, e);
    free(text);
    if (!ok)
        return false;
    struct ask *a = &f->ask;
    double t = json_get_number(f->params, "temperature", d->temperature);
    a->chat = &f->chat;
    a->seed = json_get_int(f->params, "seed", 0);
    a->has = HAS(PARAM_SEED);
    if (!isnan(t)) {
        a->temperature = t;
        a->has |= HAS(PARAM_TEMPERATURE);
    }
    if (!isnan(d->top_p)) {
        a->top_p = d->top_p;
        a->has |= HAS(PARAM_TOP_P);
    }
    if (!isnan(d->presence_penalty)) {
        a->presence_penalty = d->presence_penalty;
        a->has |= HAS(PARAM_PRESENCE);
    }
    if (d->max_tokens) {
        a->max_tokens = d->max_tokens;
        a->has |= HAS(PARAM_MAX_TOKENS);
    }
    f->step = xasprintf("%s/%s", x->v.r->name, step->name);
    a->step = f->step;
    a->stream = true; /* a long answer is no silence */
    a->has |= HAS(PARAM_USAGE);
    return true;
}

/* The stop strings of a step, as its template says. */
static void prepare_stop(struct flight *f)
{
    const struct recipe_step *step =
        &f->x->v.r->steps[f->call.step - 1];
    struct drawn list[RECIPE_DEMOS];
    struct recipe_bindings b = {0};
    if (!step->decode.n_stop)
        return;
    if (step->over == OVER_DRAW)
        b.n_demos = draws_of(f->x->s, f->call.id, list, RECIPE_DEMOS);
    f->stop = xcalloc(step->decode.n_stop + 1, sizeof *f->stop);
    for (size_t i = 0; i < step->decode.n_stop; i++)
        f->stop[i] = recipe_stop(step, &b, i);
    f->ask.stop = (const char *const *)f->stop;
    f->ask.has |= HAS(PARAM_STOP);
}

static bool on_news(void *ctx, const struct news *n);

/* Marks the next calls as sent, in one transaction, and hands them over. */
static bool launch(struct elicit *x, struct err *e)
{
    size_t room = (size_t)x->profile->concurrency;
    VEC(struct flight *) batch = {0};
    while (x->flying + batch.n < room && x->next < x->waiting.n &&
           !x->stopping && !x->over_budget) {
        struct flight *f = xcalloc(1, sizeof *f);
        f->x = x;
        bool got = call_get(x->s, x->waiting.at[x->next], &f->call, e);
        if (got && f->call.state == CALL_CANCELLED) { /* purged since */
            count_moved(x, CALL_PLANNED, CALL_CANCELLED, 1);
            flight_free(f);
            x->next++;
            continue;
        }
        if (!got || !prepare(f, e)) {
            VEC_PUSH(&batch, f);
            for (size_t i = 0; i < batch.n; i++)
                flight_free(batch.at[i]);
            VEC_FREE(&batch);
            return false;
        }
        prepare_stop(f);
        if (!budget_take(&x->budget, x->profile, &f->ask, &f->held)) {
            x->over_budget = budget_over(&x->budget);
            flight_free(f);
            break;
        }
        x->next++;
        VEC_PUSH(&batch, f);
    }
    bool ok = !batch.n || store_begin(x->s, e);
    for (size_t i = 0; ok && i < batch.n; i++)
        ok = call_set_state(x->s, batch.at[i]->call.id, CALL_SENT, e);
    if (batch.n)
        ok = ok ? store_commit(x->s, e) : (store_rollback(x->s), false);
    if (ok)
        count_moved(x, CALL_PLANNED, CALL_SENT, batch.n);
    for (size_t i = 0; i < batch.n; i++) {
        if (!ok) {
            flight_free(batch.at[i]);
            continue;
        }
        x->flying++;
        x->asked++;
        client_ask(x->client, &batch.at[i]->ask, on_news, batch.at[i]);
    }
    VEC_FREE(&batch);
    return ok;
}

/* ---- Landing ------------------------------------------------------------ */

/* What an attempt cost and told of itself, into the call's row. */
static double keep_cost(struct flight *f, const struct result *r,
                        struct call *c)
{
    struct elicit *x = f->x;
    const struct reply *y = &r->reply;
    bool estimated;
    c->http = r->http;
    c->ms = r->ms;
    c->tokens_in = y->tokens_in > 0 ? y->tokens_in : 0;
    c->tokens_out = y->tokens_out > 0 ? y->tokens_out : 0;
    c->cost = cost_of_reply(x->profile, &f->ask, y, &estimated);
    if (y->n)
        budget_learn(&x->budget, &f->ask, y->tokens_in >= 0
                                              ? y->tokens_in
                                              : cost_prompt(&f->ask));
    return c->cost;
}

/* An attempt that failed and is tried again becomes a row of its own; the
 * next one is planned and sent. */
static void keep_attempt(struct flight *f, const struct news *n)
{
    struct elicit *x = f->x;
    struct err e = {0};
    struct call next = {.job = f->call.job, .step = f->call.step,
                        .n = f->call.n, .attempt = f->call.attempt + 1,
                        .from_call = f->call.from_call,
                        .from_item = f->call.from_item,
                        .sample = f->call.sample,
                        .prompt_text = f->call.prompt_text,
                        .params = f->call.params};
    struct call done = f->call;
    done.state = CALL_FAILED;
    done.trouble = n->result->error;
    f->broke = !budget_book(&x->budget, keep_cost(f, n->result, &done));
    x->over_budget = x->over_budget || f->broke;
    if (!store_begin(x->s, &e))
        return;
    if (n->result->raw.len)
        done.reply_text = text_put(x->s, n->result->raw.data,
                                   n->result->raw.len, &e);
    next.params = xstrdup(f->call.params);
    bool ok = call_finish(x->s, &done, &e) &&
              (next.id = call_add(x->s, &next, &e)) != 0 &&
              call_set_state(x->s, next.id, CALL_SENT, &e);
    if (ok && store_commit(x->s, &e)) {
        snprintf(x->trouble, sizeof x->trouble, "%s",
                 n->result->error ? n->result->error : "");
        f->call.id = next.id;
        f->call.attempt = next.attempt;
        count_spent(x, &done);
    } else {
        store_rollback(x->s);
    }
    free(next.params);
}

static void land(struct flight *f, const struct news *n)
{
    struct elicit *x = f->x;
    const struct result *r = n->result;
    f->call.state = r->state == ASK_ANSWERED    ? CALL_SENT
                    : r->state == ASK_CANCELLED ? CALL_CANCELLED
                                                : CALL_FAILED;
    budget_settle(&x->budget, f->held, keep_cost(f, r, &f->call));
    free(f->call.trouble);
    f->call.trouble = r->error ? xstrdup(r->error) : NULL;
    free(f->call.finish);
    f->call.finish = NULL;
    const struct choice *c = reply_answer(&r->reply);
    if (c) {
        f->call.finish = c->finish ? xstrdup(c->finish) : NULL;
        f->answer = xstrdup(c->answer.content ? c->answer.content : "");
        if (c->answer.reasoning)
            f->reasoning = xstrdup(c->answer.reasoning);
    }
    if (r->raw.len)
        buf_add(&f->raw, r->raw.data, r->raw.len);
    if (r->state == ASK_FAILED) {
        x->failed++;
        x->failures_in_row++;
        snprintf(x->trouble, sizeof x->trouble, "%s",
                 r->error ? r->error : "");
    } else if (r->state == ASK_ANSWERED) {
        x->answered++;
        x->failures_in_row = 0;
    }
    x->flying--;
    VEC_PUSH(&x->landed, f);
}

static bool on_news(void *ctx, const struct news *n)
{
    struct flight *f = ctx;
    if (n->kind == NEWS_AGAIN)
        keep_attempt(f, n);
    else if (n->kind == NEWS_END)
        land(f, n);
    return !f->x->stopping && !f->broke;
}

/* A reply whose very bytes were purged is not kept, and its call says so. */
static bool keep_reply(struct flight *f, struct err *e)
{
    struct store *s = f->x->s;
    struct err why = {0};
    if (f->raw.len)
        f->call.reply_text = text_put(s, f->raw.data, f->raw.len, &why);
    if (!why.code && f->answer)
        f->call.answer_text = text_puts(s, f->answer, &why);
    if (!why.code && f->reasoning)
        f->call.thinking_text = text_puts(s, f->reasoning, &why);
    if (why.code && why.code != ERR_REFUSED) {
        *e = why;
        return false;
    }
    if (why.code) {
        f->call.state = CALL_FAILED;
        free(f->call.trouble);
        f->call.trouble = xstrdup(why.text);
    }
    return call_finish(s, &f->call, e);
}

/* The raw replies of all that landed, in one transaction, before any of them
 * is read. */
static bool keep_replies(struct elicit *x, struct err *e)
{
    if (!store_begin(x->s, e))
        return false;
    for (size_t i = 0; i < x->landed.n; i++) {
        if (!keep_reply(x->landed.at[i], e)) {
            store_rollback(x->s);
            return false;
        }
    }
    return store_commit(x->s, e);
}

/* Reads replies that are kept, and counts what becomes of their calls. */
static bool read_replies(struct elicit *x, const ids *readable, struct err *e)
{
    size_t planned = x->waiting.n;
    int64_t unparsed = x->v.unparsed;
    if (!arrive(&x->v, readable, &x->waiting, e))
        return false;
    unparsed = x->v.unparsed - unparsed;
    count_moved(x, CALL_SENT, CALL_ANSWERED, readable->n);
    count_moved(x, CALL_ANSWERED, CALL_UNPARSED, (size_t)unparsed);
    x->n.by_state[CALL_PLANNED] += (int64_t)(x->waiting.n - planned);
    x->n.total += (int64_t)(x->waiting.n - planned);
    return true;
}

static bool take_in(struct elicit *x, struct err *e)
{
    if (!x->landed.n)
        return true;
    ids readable = {0};
    bool ok = keep_replies(x, e);
    for (size_t i = 0; ok && i < x->landed.n; i++) {
        const struct call *c = &x->landed.at[i]->call;
        count_spent(x, c);
        if (c->state == CALL_SENT)
            VEC_PUSH(&readable, c->id);
        else
            count_moved(x, CALL_SENT, c->state, 1);
    }
    ok = ok && read_replies(x, &readable, e);
    VEC_FREE(&readable);
    for (size_t i = 0; i < x->landed.n; i++)
        flight_free(x->landed.at[i]);
    x->landed.n = 0;
    return ok;
}

/* ---- From start to end -------------------------------------------------- */

static void on_signal(void *ctx, int revents)
{
    struct elicit *x = ctx;
    int signo;
    (void)revents;
    while ((signo = sig_next())) {
        if (signo != SIGTERM && signo != SIGINT)
            continue;
        x->stopping = true;
        if (x->client)
            client_cancel_all(x->client);
    }
}

/* A call whose reply never came: it may have been paid, so it stands as lost,
 * and it is asked again. */
static bool ask_anew(struct elicit *x, struct call *c, struct err *e)
{
    free(c->trouble);
    c->trouble = xstrdup(_("the job died while it was on its way"));
    c->state = CALL_LOST;
    bool ok = store_begin(x->s, e) && call_finish(x->s, c, e);
    c->attempt++;
    ok = ok && call_add(x->s, c, e);
    return ok ? store_commit(x->s, e) : (store_rollback(x->s), false);
}

/* Calls that were on their way when the job died: those whose reply was kept
 * are read now, the others are asked again. */
static bool recover(struct elicit *x, struct err *e)
{
    ids sent;
    if (!call_ids(x->s, x->v.job.id, CALL_SENT, SIZE_MAX >> 2, &sent, e))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < sent.n; i++) {
        struct call c;
        ok = call_get(x->s, sent.at[i], &c, e);
        if (!ok)
            break;
        if (c.reply_text) {
            ids one = {.at = &c.id, .n = 1};
            ok = arrive(&x->v, &one, &x->waiting, e);
        } else {
            ok = ask_anew(x, &c, e);
        }
        call_free(&c);
    }
    VEC_FREE(&sent);
    x->waiting.n = 0; /* what arrive planned is read with the rest */
    return ok && call_ids(x->s, x->v.job.id, CALL_PLANNED, SIZE_MAX >> 2,
                          &x->waiting, e);
}

/* The recipe as it was used, for a server of ours. */
static char *write_recipes(struct elicit *x, const char *dir, struct err *e)
{
    char *folder = path_join(dir, "recipes");
    char *path = xasprintf("%s/%s.json", folder, x->v.r->name);
    bool ok = dir_make(folder, 0700, e) &&
              file_replace(path, x->v.r->text, strlen(x->v.r->text), 0600,
                           false, e);
    free(path);
    if (ok)
        return folder;
    free(folder);
    return NULL;
}

static bool connect_teacher(struct elicit *x, const char *dir, struct err *e)
{
    if (!profiles_load(NULL, &x->profiles, e))
        return false;
    x->profile = profile_find(&x->profiles, x->v.job.teacher);
    if (!x->profile)
        return err_set(e, ERR_ABSENT, _("there is no teacher %s in the "
                       "config"), x->v.job.teacher);
    if (x->profile->serve) {
        char *recipes = write_recipes(x, dir, e);
        struct server_plan plan = {x->profile->serve, dir, recipes, 0};
        x->server = recipes ? server_start(&plan, e) : NULL;
        free(recipes);
        if (!x->server)
            return false;
    }
    x->client = client_new(x->loop, x->profile,
                           x->server ? server_socket(x->server) : NULL, e);
    return x->client != NULL;
}

static bool go_on(const struct elicit *x)
{
    if (x->flying || x->landed.n)
        return true;
    return !x->stopping && !x->over_budget && x->next < x->waiting.n;
}

static bool ask_all(struct elicit *x, struct err *e)
{
    while (go_on(x)) {
        if (x->failures_in_row >= 20 && !x->stopping) {
            x->stopping = true;
            client_cancel_all(x->client);
        }
        if (!launch(x, e))
            return false;
        loop_once(x->loop, x->flying && !x->landed.n ? 250 : 0);
        if (!take_in(x, e))
            return false;
        report(x, false);
    }
    return true;
}

/* That the spending limit ended it: what is left is less than a call. */
static void say_limit(const struct elicit *x, struct err *e)
{
    char spent[32], limit[32];
    lang_money(spent, sizeof spent, x->budget.spent, 6);
    lang_money(limit, sizeof limit, x->budget.limit, 6);
    err_set(e, ERR_NONE, _("the spending limit was reached: %s of %s are "
                           "spent, and the next call could cost more than is "
                           "left"), spent, limit);
}

/* What the job ended as, and why. */
static const char *end_state(struct elicit *x, bool ok, struct err *e)
{
    if (!ok)
        return "failed";
    if (client_stopped(x->client)) {
        err_set(e, ERR_NET, "%s", client_stopped(x->client));
        return "failed";
    }
    if (x->failures_in_row >= 20) {
        err_set(e, ERR_NET, _("20 calls failed one after another: %s"),
                x->trouble);
        return "failed";
    }
    if (!x->answered && x->failed && !x->stopping) {
        err_set(e, ERR_NET, _("no call was answered: %s"), x->trouble);
        return "failed";
    }
    if (x->over_budget)
        say_limit(x, e);
    return x->stopping ? N_("stopped") : N_("done");
}

static void close_all(struct elicit *x)
{
    client_free(&x->client);
    server_stop(&x->server);
    loop_free(&x->loop);
    profiles_free(&x->profiles);
    arrivals_close(&x->v);
    VEC_FREE(&x->waiting);
    VEC_FREE(&x->landed);
}

/* The job's limit, less what it has spent in earlier lives. */
static void open_budget(struct elicit *x)
{
    struct call_counts n;
    call_counts(x->s, x->v.job.id, &n);
    x->budget = (struct budget){
        .limit = isnan(x->v.job.spend_max) ? -1 : x->v.job.spend_max,
        .spent = n.cost, .dearest = n.dearest};
}

int verb_run_job(struct store *s, int64_t job)
{
    struct elicit x = {.s = s, .started = clock_mono()};
    struct err e = {0};
    char *dir = store_work_dir(s, "j", job);
    if (!dir_make(dir, 0700, &e) || !job_begin(&x.self, dir, &e)) {
        say(stderr, "%s\n", e.text);
        free(dir);
        return 1;
    }
    sig_catch(SIGTERM);
    sig_catch(SIGINT);
    x.loop = loop_new();
    loop_watch(x.loop, sig_fd(), POLLIN, on_signal, &x);
    bool ok = plan_job(s, job, &e) && arrivals_open(&x.v, s, job, &e);
    open_budget(&x);
    ok = ok && recover(&x, &e);
    call_counts(s, job, &x.n); /* from here on they are kept */
    ok = ok && connect_teacher(&x, dir, &e) && ask_all(&x, &e);
    bool asked = sig_next() == SIGTERM; /* to stop, before it began */
    const char *state = x.client ? end_state(&x, ok, &e)
                        : asked  ? "stopped"
                                 : "failed";
    char *last = x.v.r ? figures(&x) : NULL;
    if (e.text[0])
        say(stderr, "%s\n", e.text);
    struct err ignored;
    if (store_begin(s, &ignored) &&
        job_set_state(s, job, state, &ignored))
        store_commit(s, &ignored);
    else
        store_rollback(s);
    close_all(&x);
    job_end(&x.self, state, e.text[0] ? e.text : NULL, last, NULL);
    free(last);
    free(dir);
    return !strcmp(state, "failed");
}
