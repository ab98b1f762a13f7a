#include "teacher/client.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "teacher/retry.h"
#include "teacher/transfer.h"

#define DONE_GRACE 250    /* ms that a server may take to close after [DONE] */
#define FINISH_GRACE 5000 /* the same after the finish reason: usage follows */
#define SLOW_TRIES 2      /* a teacher that was silent is asked once more */

/* One ask, from client_ask to its NEWS_END. */
struct request {
    struct client *client;
    const struct ask *ask;
    ask_fn *fn;
    void *ctx;
    struct transfer transfer;
    bool on_wire, cancelled;
    int attempt, try; /* attempts count rows, tries count against the limit */
    unsigned refused; /* what this attempt leaves out */
    int64_t not_before;
};

struct client {
    struct loop *loop;
    CURLM *multi;
    struct endpoint at;
    struct request **requests; /* in the order of asking */
    size_t n, cap;
    size_t on_wire;
    unsigned refused; /* learned: parameters that the endpoint refuses */
    int64_t parked_until;
    bool draining;
    char *stopped;
    int tries;
    double pace;
    struct rng rng;
};

static void pump(void *ctx, int revents);
static void on_stall(void *ctx, int revents);

/* ---- The end of attempts ------------------------------------------------- */

static void forget(struct client *c, const struct request *r)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->requests[i] == r) {
            memmove(c->requests + i, c->requests + i + 1,
                    (c->n - i - 1) * sizeof *c->requests);
            c->n--;
            return;
        }
    }
}

static bool tell(struct request *r, enum news_kind kind, int64_t wait,
                 const struct result *result)
{
    struct news n = {.kind = kind, .attempt = r->attempt, .try = r->try,
                     .tries = r->client->tries, .wait_ms = wait,
                     .without = r->refused, .result = result};
    return r->fn(r->ctx, &n);
}

/* Takes it off the wire; the transfer can still be read. */
static void detach(struct request *r)
{
    struct client *c = r->client;
    loop_timer(c->loop, -1, on_stall, r);
    if (!r->on_wire)
        return;
    curl_multi_remove_handle(c->multi, r->transfer.easy);
    r->on_wire = false;
    c->on_wire--;
}

static void drop(struct request *r)
{
    detach(r);
    transfer_free(&r->transfer);
    free(r);
}

static void end(struct request *r, struct result *result)
{
    struct client *c = r->client;
    forget(c, r);
    tell(r, NEWS_END, 0, result);
    result_free(result);
    drop(r);
    loop_timer(c->loop, 0, pump, c);
}

static void end_with(struct request *r, enum ask_state state,
                     const char *text)
{
    struct result result = {.state = state,
                            .reply = {.tokens_in = -1, .tokens_out = -1}};
    if (text)
        result_set_error(&result, &r->client->at.key, text);
    end(r, &result);
}

static void again(struct request *r, int64_t wait, struct result *result)
{
    struct client *c = r->client;
    r->not_before = clock_mono() + wait;
    transfer_free(&r->transfer);
    tell(r, NEWS_AGAIN, wait, result);
    result_free(result);
    loop_timer(c->loop, 0, pump, c);
}

/* The wait before the next try; a limit holds for the whole teacher. */
static int64_t plan_wait(struct request *r, const struct outcome *v)
{
    struct client *c = r->client;
    int64_t wait = v->retry_after
                       ? v->retry_after + (int64_t)rng_below(&c->rng, 1000)
                       : retry_wait(&c->rng, r->try);
    wait = (int64_t)((double)wait * c->pace);
    int64_t until = clock_mono() + wait;
    if ((v->retry_after || v->limited) && until > c->parked_until)
        c->parked_until = until;
    return wait;
}

static void stop_teacher(struct client *c, const char *why)
{
    if (!c->stopped)
        c->stopped = xstrdup(why);
}

/* A failure that several tries did not turn says how many they were. */
static void say_tries(const struct request *r, struct result *result)
{
    if (!result->error || r->try < 2)
        return;
    char *once = result->error;
    result->error = xasprintf(_("%s (asked %d times)"), once, r->try);
    free(once);
}

/* An attempt is over: `code` is curl's word on it. */
static void conclude(struct request *r, CURLcode code)
{
    struct client *c = r->client;
    struct result result;
    detach(r);
    unsigned sent = r->ask->has | (r->ask->stream ? HAS(PARAM_USAGE) : 0);
    struct outcome v = transfer_end(&r->transfer, &c->at, code,
                                    sent & ~r->refused, &result);
    int tries = v.slow && c->tries > SLOW_TRIES ? SLOW_TRIES : c->tries;
    if (v.stop)
        stop_teacher(c, result.error);
    c->refused |= v.refused;
    if (v.refused) {
        r->try--;
        again(r, 0, &result);
    } else if (v.again && r->try < tries) {
        again(r, plan_wait(r, &v), &result);
    } else {
        say_tries(r, &result);
        end(r, &result);
    }
}

/* ---- Curl's side --------------------------------------------------------- */

static void read_messages(struct client *c)
{
    int left;
    CURLMsg *m;
    while ((m = curl_multi_info_read(c->multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct request *r = NULL;
        CURLcode code = m->data.result; /* m is gone once it is removed */
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
        conclude(r, code);
    }
}

static void on_socket_ready(void *ctx, int revents)
{
    struct client *c = ((struct client **)ctx)[0];
    int fd = (int)(intptr_t)((void **)ctx)[1], running;
    int action = (revents & POLLIN ? CURL_CSELECT_IN : 0) |
                 (revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
                 (revents & (POLLERR | POLLHUP) ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(c->multi, fd, action, &running);
    read_messages(c);
}

static void on_timer(void *ctx, int revents)
{
    (void)revents;
    struct client *c = ctx;
    int running;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    read_messages(c);
}

/* The loop's callback gets no descriptor: a pair of client and descriptor is
 * kept with curl's socket. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx,
                     void *pair)
{
    (void)easy;
    struct client *c = ctx;
    if (what == CURL_POLL_REMOVE) {
        loop_unwatch(c->loop, fd);
        curl_multi_assign(c->multi, fd, NULL);
        free(pair);
        return 0;
    }
    void **p = pair;
    if (!p) {
        p = xcalloc(2, sizeof *p);
        p[0] = c;
        p[1] = (void *)(intptr_t)fd;
        curl_multi_assign(c->multi, fd, p);
    }
    int events = (what & CURL_POLL_IN ? POLLIN : 0) |
                 (what & CURL_POLL_OUT ? POLLOUT : 0);
    loop_watch(c->loop, fd, events, on_socket_ready, p);
    return 0;
}

static int on_timeout(CURLM *multi, long ms, void *ctx)
{
    (void)multi;
    struct client *c = ctx;
    loop_timer(c->loop, ms, on_timer, c);
    return 0;
}

/* ---- Silence ------------------------------------------------------------- */

/* Milliseconds until this attempt has been silent for too long. */
static int64_t patience(const struct request *r)
{
    const struct transfer *t = &r->transfer;
    const struct profile *p = r->client->at.profile;
    if (!t->last)
        return t->started + (int64_t)(p->first_byte * 1000) - clock_mono();
    int64_t silence = (int64_t)(p->silence * 1000);
    int64_t grace = transfer_complete(t)          ? DONE_GRACE
                    : assembly_whole(&t->assembly) ? FINISH_GRACE
                                                   : silence;
    silence = grace < silence ? grace : silence;
    return t->last + silence - clock_mono();
}

/* A timer that looks every so often, so that bytes cost nothing. */
static void watch_silence(struct request *r, int64_t left)
{
    loop_timer(r->client->loop, left < 1000 ? left : 1000, on_stall, r);
}

static void on_stall(void *ctx, int revents)
{
    (void)revents;
    struct request *r = ctx;
    int64_t left = patience(r);
    if (left > 0) {
        watch_silence(r, left);
        return;
    }
    r->transfer.stalled = true;
    conclude(r, CURLE_OPERATION_TIMEDOUT);
}

/* ---- Sending ------------------------------------------------------------- */

static void send_now(struct request *r)
{
    struct client *c = r->client;
    struct err e = {0};
    r->attempt++;
    r->try++;
    r->refused = c->refused;
    if (!tell(r, NEWS_SENT, 0, NULL) || r->cancelled) {
        end_with(r, ASK_CANCELLED, NULL);
        return;
    }
    bool ok = transfer_start(&r->transfer, &c->at, r->ask, r->refused, &e);
    if (ok) {
        curl_easy_setopt(r->transfer.easy, CURLOPT_PRIVATE, r);
        ok = !curl_multi_add_handle(c->multi, r->transfer.easy) ||
             err_set(&e, ERR_NET, _("curl takes no more requests"));
    }
    if (!ok) {
        end_with(r, ASK_FAILED, e.text);
        return;
    }
    r->on_wire = true;
    c->on_wire++;
    watch_silence(r, patience(r));
}

/* When the request may leave; 0 where it is on its way already. */
static int64_t due(const struct client *c, const struct request *r)
{
    if (r->on_wire)
        return 0;
    return r->not_before > c->parked_until ? r->not_before : c->parked_until;
}

/* Does one thing that is due to the i-th request; false where nothing is. */
static bool step(struct client *c, struct request *r)
{
    if (r->cancelled || (c->draining && !r->on_wire))
        end_with(r, ASK_CANCELLED, NULL);
    else if (r->on_wire)
        return false;
    else if (c->stopped)
        end_with(r, ASK_FAILED, c->stopped);
    else if (c->on_wire < (size_t)c->at.profile->concurrency &&
             due(c, r) <= clock_mono())
        send_now(r);
    else
        return false;
    return true;
}

/* Sets the timer for the next request that waits only for its time. */
static void schedule(struct client *c)
{
    int64_t next = INT64_MAX;
    bool room = c->on_wire < (size_t)c->at.profile->concurrency;
    for (size_t i = 0; room && i < c->n; i++)
        if (!c->requests[i]->on_wire && due(c, c->requests[i]) < next)
            next = due(c, c->requests[i]);
    if (next == INT64_MAX)
        return;
    int64_t left = next - clock_mono();
    loop_timer(c->loop, left > 0 ? left : 0, pump, c);
}

/* Callbacks may add asks, never take any away: those only get marked. What
 * step ends leaves the array, so the index stays. */
static void pump(void *ctx, int revents)
{
    (void)revents;
    struct client *c = ctx;
    for (size_t i = 0; i < c->n;) {
        struct request *r = c->requests[i];
        step(c, r);
        if (i < c->n && c->requests[i] == r)
            i++;
    }
    schedule(c);
}

/* ---- The face ------------------------------------------------------------ */

static bool open_multi(struct client *c, struct err *e)
{
    static bool started;
    if (!started) {
        unsetenv("SSLKEYLOGFILE");
        started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    }
    c->multi = started ? curl_multi_init() : NULL;
    if (!c->multi)
        return err_set(e, ERR_NET, _("curl cannot be started"));
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    return true;
}

struct client *client_new(struct loop *l, const struct profile *p,
                          const char *socket, struct err *e)
{
    struct client *c = xcalloc(1, sizeof *c);
    uint64_t seed;
    c->loop = l;
    c->tries = CLIENT_TRIES;
    c->pace = 1;
    rng_system(&seed, sizeof seed);
    rng_seed(&c->rng, seed);
    if (!endpoint_open(&c->at, p, socket, e) || !open_multi(c, e))
        client_free(&c);
    return c;
}

void client_free(struct client **cp)
{
    struct client *c = *cp;
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        drop(c->requests[i]);
    free(c->requests);
    if (c->multi)
        curl_multi_cleanup(c->multi);
    loop_timer(c->loop, -1, pump, c);
    loop_timer(c->loop, -1, on_timer, c);
    endpoint_close(&c->at);
    free(c->stopped);
    free(c);
    *cp = NULL;
}

void client_ask(struct client *c, const struct ask *a, ask_fn *fn, void *ctx)
{
    struct request *r = xcalloc(1, sizeof *r);
    r->client = c;
    r->ask = a;
    r->fn = fn;
    r->ctx = ctx;
    if (c->n == c->cap)
        c->requests = vec_grow(c->requests, &c->cap, sizeof *c->requests);
    c->requests[c->n++] = r;
    loop_timer(c->loop, 0, pump, c);
}

void client_cancel_all(struct client *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->requests[i]->cancelled = true;
    loop_timer(c->loop, 0, pump, c);
}

void client_drain(struct client *c)
{
    c->draining = true;
    loop_timer(c->loop, 0, pump, c);
}

size_t client_pending(const struct client *c)
{
    return c->n;
}

size_t client_in_flight(const struct client *c)
{
    return c->on_wire;
}

int64_t client_parked(const struct client *c)
{
    int64_t left = c->parked_until - clock_mono();
    return left > 0 ? left : 0;
}

const char *client_stopped(const struct client *c)
{
    return c->stopped;
}

void client_set_tries(struct client *c, int tries, double pace)
{
    c->tries = tries;
    c->pace = pace;
}
