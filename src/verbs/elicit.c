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
#include "base/proc.h"
#include "base/say.h"
#include "base/sig.h"
#include "jobs/env.h"
#include "jobs/job.h"
#include "jobs/server.h"
#include "store/text.h"
#include "teacher/client.h"
#include "teacher/cost.h"
#include "verbs/arrive.h"
#include "verbs/landing.h"
#include "verbs/plan.h"
#include "verbs/step_ask.h"
#include "verbs/call_chain.h"

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
    ids dead;           /* ended without a reply, not yet told on */
    size_t flying;
    VEC(struct flight *) landed; /* ended, not yet stored */
    int64_t answered, failed, asked, failures_in_row;
    int64_t started;
    bool stopping, over_budget;
    bool unsaved; /* the store did not take an attempt */
    struct err e;
    char trouble[600];
};

struct flight {
    struct elicit *x;
    struct chat chat;
    struct ask ask;
    char *step, **stop;
    json *params;
    double held;
    bool broke; /* its next attempt could pass the limit */
    bool ended; /* with an attempt that the store did not take */
    struct landing end; /* the call, and what came of it */
};

static void flight_free(struct flight *f)
{
    landing_free(&f->end);
    chat_free(&f->chat);
    json_free(f->params);
    if (f->stop)
        proc_free_argv(f->stop);
    free(f->step);
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
    const struct recipe_step *step = &x->v.r->steps[f->end.call.step - 1];
    char *text = text_get(x->s, f->end.call.prompt_text, NULL);
    f->params = json_parse(f->end.call.params, strlen(f->end.call.params), e);
    bool ok = text && f->params && chat_parse(text, &f->chat, e);
    free(text);
    if (!ok)
        return false;
    step_ask(step, f->params, &f->chat, &f->ask);
    f->step = xasprintf("%s/%s", x->v.r->name, step->name);
    f->ask.step = f->step;
    return true;
}

/* The stop strings of a step, as its template says. */
static bool prepare_stop(struct flight *f, struct err *e)
{
    const struct recipe_step *step =
        &f->x->v.r->steps[f->end.call.step - 1];
    struct call_chain from;
    if (!step->decode.n_stop)
        return true;
    if (!call_chain_load(f->x->s, f->x->v.r, &f->end.call, &from, e)) {
        call_chain_free(&from);
        return false;
    }
    f->stop = step_stops(step, &from.b);
    call_chain_free(&from);
    f->ask.stop = (const char *const *)f->stop;
    f->ask.has |= HAS(PARAM_STOP);
    return true;
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
        bool got = call_get(x->s, x->waiting.at[x->next], &f->end.call, e);
        if (got && f->end.call.state == CALL_CANCELLED) { /* purged since */
            count_moved(x, CALL_PLANNED, CALL_CANCELLED, 1);
            VEC_PUSH(&x->dead, f->end.call.id);
            flight_free(f);
            x->next++;
            continue;
        }
        if (!got || !prepare(f, e) || !prepare_stop(f, e)) {
            VEC_PUSH(&batch, f);
            for (size_t i = 0; i < batch.n; i++)
                flight_free(batch.at[i]);
            VEC_FREE(&batch);
            return false;
        }
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
        ok = call_set_state(x->s, batch.at[i]->end.call.id, CALL_SENT, e);
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

/* What came, with why it failed. */
static void note(struct flight *f, const struct result *r)
{
    struct call *c = &f->end.call;
    free(c->trouble);
    c->trouble = r->error ? xstrdup(r->error) : NULL;
    if (r->raw.len)
        buf_add(&f->end.raw, r->raw.data, r->raw.len);
}

/* Writes the row of an attempt that failed, and plans the next one as sent:
 * its id, 0 on failure. */
static int64_t add_attempt(struct flight *f, struct err *e)
{
    struct store *s = f->x->s;
    struct call next = f->end.call;
    next.attempt++;
    if (!store_begin(s, e))
        return 0;
    bool ok = landing_keep(s, &f->end, e) &&
              (next.id = call_add(s, &next, e)) != 0 &&
              call_set_state(s, next.id, CALL_SENT, e);
    ok = ok ? store_commit(s, e) : (store_rollback(s), false);
    return ok ? next.id : 0;
}

/* An attempt that failed and is tried again becomes a row of its own; the
 * next one is planned and sent. Where the store does not take it, it is the
 * call's last one, which stays with us. */
static void keep_attempt(struct flight *f, const struct news *n)
{
    struct elicit *x = f->x;
    struct err e = {0};
    struct call *c = &f->end.call;
    c->state = CALL_FAILED;
    f->broke = !budget_book(&x->budget, keep_cost(f, n->result, c));
    x->over_budget = x->over_budget || f->broke;
    note(f, n->result);
    int64_t next = add_attempt(f, &e);
    f->ended = next == 0;
    x->unsaved = x->unsaved || f->ended;
    snprintf(x->trouble, sizeof x->trouble, "%s",
             f->ended ? e.text : c->trouble ? c->trouble : "");
    if (f->ended)
        return;
    count_spent(x, c);
    buf_clear(&f->end.raw);
    c->id = next;
    c->attempt++;
    c->reply_text = 0;
}

/* How a call ended, of which the last attempt tells. */
static void take_end(struct flight *f, const struct result *r)
{
    struct elicit *x = f->x;
    struct call *call = &f->end.call;
    const struct choice *c = reply_answer(&r->reply);
    call->state = r->state == ASK_ANSWERED    ? CALL_SENT
                  : r->state == ASK_CANCELLED ? CALL_CANCELLED
                                              : CALL_FAILED;
    note(f, r);
    free(call->finish);
    call->finish = c && c->finish ? xstrdup(c->finish) : NULL;
    if (c) {
        f->end.answer = xstrdup(c->answer.content ? c->answer.content : "");
        if (c->answer.reasoning)
            f->end.reasoning = xstrdup(c->answer.reasoning);
    }
    if (r->state == ASK_FAILED) {
        x->failed++;
        x->failures_in_row++;
        snprintf(x->trouble, sizeof x->trouble, "%s",
                 r->error ? r->error : "");
    } else if (r->state == ASK_ANSWERED) {
        x->answered++;
        x->failures_in_row = 0;
    }
}

static void land(struct flight *f, const struct news *n)
{
    struct elicit *x = f->x;
    double cost = f->ended ? 0 : keep_cost(f, n->result, &f->end.call);
    budget_settle(&x->budget, f->held, cost);
    if (!f->ended)
        take_end(f, n->result);
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
    return !f->x->stopping && !f->x->unsaved && !f->broke;
}

/* The raw replies of all that landed, in one transaction, before any of them
 * is read. */
static bool keep_replies(struct elicit *x, struct err *e)
{
    if (!store_begin(x->s, e))
        return false;
    for (size_t i = 0; i < x->landed.n; i++) {
        if (!landing_keep(x->s, &x->landed.at[i]->end, e)) {
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
    if (!arrive(&x->v, readable, &x->dead, &x->waiting, e))
        return false;
    x->dead.n = 0;
    unparsed = x->v.unparsed - unparsed;
    count_moved(x, CALL_SENT, CALL_ANSWERED, readable->n);
    count_moved(x, CALL_ANSWERED, CALL_UNPARSED, (size_t)unparsed);
    x->n.by_state[CALL_PLANNED] += (int64_t)(x->waiting.n - planned);
    x->n.total += (int64_t)(x->waiting.n - planned);
    return true;
}

/* Lets go of what landed, and counts it; the ids of replies that are to be
 * read are appended. What a stop ended may be asked again. */
static void let_go(struct elicit *x, ids *readable)
{
    for (size_t i = 0; i < x->landed.n; i++) {
        const struct call *c = &x->landed.at[i]->end.call;
        count_spent(x, c);
        if (c->state == CALL_SENT)
            VEC_PUSH(readable, c->id);
        else if (!x->stopping)
            VEC_PUSH(&x->dead, c->id);
        if (c->state != CALL_SENT)
            count_moved(x, CALL_SENT, c->state, 1);
        flight_free(x->landed.at[i]);
    }
    x->landed.n = 0;
}

/* What landed stays where the store does not take it. */
static bool take_in(struct elicit *x, struct err *e)
{
    ids readable = {0};
    if (!x->landed.n && !x->dead.n)
        return true;
    if (!keep_replies(x, e))
        return false;
    let_go(x, &readable);
    bool ok = read_replies(x, &readable, e);
    VEC_FREE(&readable);
    return ok;
}

/* ---- Where the store cannot be written ---------------------------------- */

/* Writes what landed beside the store. */
static bool spill(struct elicit *x, const char *path, struct err *e)
{
    struct buf b = BUF_INIT(0);
    for (size_t i = 0; i < x->landed.n; i++)
        landing_print(&x->landed.at[i]->end, &b);
    bool ok = buf_ok(&b) && file_replace(path, b.data, b.len, 0600, true, e);
    buf_free(&b);
    return ok;
}

enum place { NOWHERE, IN_STORE, BESIDE_IT };

/* Into the store after all, or beside it; as long as neither takes it (a disk
 * that is full) it waits, until it is told to stop. */
static enum place find_place(struct elicit *x, const char *path)
{
    struct err why = {0};
    for (;;) {
        if (keep_replies(x, &why))
            return IN_STORE;
        if (spill(x, path, &why))
            return BESIDE_IT;
        if (x->stopping)
            return NOWHERE;
        snprintf(x->trouble, sizeof x->trouble,
                 _("replies that were paid wait for room: %s"), why.text);
        report(x, true);
        loop_once(x->loop, 1000);
    }
}

/* The store failed. What is on its way was paid: it is waited for, and all
 * that the store has not taken is kept for the job's next life. */
static void rescue(struct elicit *x, struct err *e)
{
    char *path = landings_path(x->self.dir), *why = xstrndup(e->text, 300);
    ids unread = {0};
    client_drain(x->client);
    while (x->flying)
        loop_once(x->loop, 250);
    size_t n = x->landed.n;
    enum place place = n ? find_place(x, path) : IN_STORE;
    if (place == NOWHERE)
        err_set(e, e->code, P_("%s. %zu reply could be kept nowhere",
                               "%s. %zu replies could be kept nowhere", n),
                why, n);
    if (place == BESIDE_IT)
        err_set(e, e->code, P_("%s. %zu reply stands in %s: `stillroom runs "
                               "resume j%lld` takes it in",
                               "%s. %zu replies stand in %s: `stillroom runs "
                               "resume j%lld` takes them in", n),
                why, n, path, (long long)x->v.job.id);
    if (place != NOWHERE)
        let_go(x, &unread);
    VEC_FREE(&unread);
    free(path);
    free(why);
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
    ids sent, none = {0};
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
            ok = arrive(&x->v, &one, &none, &x->waiting, e);
        } else {
            ok = ask_anew(x, &c, e);
        }
        call_free(&c);
    }
    VEC_FREE(&sent);
    ok = ok && arrive(&x->v, &none, &none, &x->waiting, e);
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
    if (x->flying || x->landed.n || x->dead.n)
        return true;
    return !x->stopping && !x->over_budget && x->next < x->waiting.n;
}

/* Asks what there is room for, and takes in what came. */
static bool ask_on(struct elicit *x, struct err *e)
{
    if (x->failures_in_row >= 20 && !x->stopping) {
        x->stopping = true;
        client_cancel_all(x->client);
    }
    if (!launch(x, e))
        return false;
    loop_once(x->loop, x->flying && !x->landed.n ? 250 : 0);
    if (x->unsaved)
        return err_set(e, ERR_STORE, "%s", x->trouble);
    bool ok = take_in(x, e);
    report(x, false);
    return ok;
}

static bool ask_all(struct elicit *x, struct err *e)
{
    bool ok = true;
    while (ok && go_on(x))
        ok = ask_on(x, e);
    if (!ok)
        rescue(x, e);
    return ok;
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
    VEC_FREE(&x->dead);
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
    size_t late;
    bool ok = plan_job(s, job, &e) && landings_take(s, dir, job, &late, &e) &&
              arrivals_open(&x.v, s, job, &e);
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
