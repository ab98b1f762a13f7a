/* A real client against the scripted teacher: every fault on the wire. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"
#include "teacher/client.h"

#define PATIENCE 30000 /* ms that any scene may take */

static const char secret[] = "sk-sentinel-4711-abcdefghijklmnop";

/* One scripted teacher for all tests. */
static struct {
    pid_t pid;
    int port;
    char *log;
} house;

/* What one ask was told. */
struct seen {
    int sent, again, ended;
    int attempts, try;
    int64_t wait; /* of the last NEWS_AGAIN */
    enum ask_state state;
    int http;
    unsigned without;
    bool echoed, veto;
    char *text, *finish, *error, *raw; /* of the first choice */
    bool complete;
    size_t choices;
    int64_t tokens_in, tokens_out;
    struct client *cancel; /* cancels all at the first NEWS_SENT */
};

struct scene {
    struct loop *loop;
    struct profile p;
    struct client *c;
    struct chat chat;
    struct ask ask;
    struct seen seen;
};

static char *copy(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

static void seen_free(struct seen *s)
{
    free(s->text);
    free(s->finish);
    free(s->error);
    free(s->raw);
    *s = (struct seen){0};
}

static void note_result(struct seen *s, const struct result *r)
{
    struct client *cancel = s->cancel;
    int sent = s->sent, again = s->again, ended = s->ended;
    int attempts = s->attempts, try = s->try;
    int64_t wait = s->wait;
    unsigned without = s->without;
    seen_free(s);
    *s = (struct seen){.sent = sent, .again = again, .ended = ended,
                       .attempts = attempts, .try = try, .wait = wait,
                       .cancel = cancel,
                       .without = without, .state = r->state,
                       .http = r->http, .echoed = r->key_echoed};
    s->raw = copy(buf_str(&r->raw));
    s->error = copy(r->error);
    s->choices = r->reply.n;
    s->tokens_in = r->reply.tokens_in;
    s->tokens_out = r->reply.tokens_out;
    if (r->reply.n) {
        s->text = copy(r->reply.at[0].answer.content);
        s->finish = copy(r->reply.at[0].finish);
        s->complete = r->reply.at[0].complete;
    }
}

static bool on_news(void *ctx, const struct news *n)
{
    struct seen *s = ctx;
    s->attempts = n->attempt;
    s->try = n->try;
    s->without = n->without;
    switch (n->kind) {
    case NEWS_SENT:
        s->sent++;
        if (s->cancel)
            client_cancel_all(s->cancel);
        return !s->veto;
    case NEWS_AGAIN:
        s->again++;
        s->wait = n->wait_ms;
        note_result(s, n->result);
        break;
    case NEWS_END:
        s->ended++;
        note_result(s, n->result);
        break;
    }
    return true;
}

/* Sets a scene: a client whose waits are a hundredth long. */
static void open_scene(struct scene *s, const char *model, const char *prompt)
{
    struct err e = {0};
    *s = (struct scene){.loop = loop_new(), .p = profile_new("scripted")};
    s->p.url = xasprintf("http://127.0.0.1:%d/v1", house.port);
    s->p.model = xstrdup(model);
    s->p.key_env = xstrdup("TEACHER_KEY");
    s->p.first_byte = 20;
    s->p.silence = 20;
    s->p.whole = 30;
    setenv("TEACHER_KEY", secret, 1);
    s->c = client_new(s->loop, &s->p, NULL, &e);
    if (!s->c)
        fail_msg("%s", e.text);
    client_set_tries(s->c, 6, 0.01);
    chat_add(&s->chat, ROLE_USER, prompt);
    s->ask = (struct ask){.chat = &s->chat, .stream = true};
}

static void close_scene(struct scene *s)
{
    client_free(&s->c);
    loop_free(&s->loop);
    chat_free(&s->chat);
    profile_free(&s->p);
    seen_free(&s->seen);
}

static void run(struct scene *s)
{
    int64_t until = clock_mono() + PATIENCE;
    while (client_pending(s->c) && clock_mono() < until)
        loop_once(s->loop, 100);
    assert_int_equal(client_pending(s->c), 0);
    assert_int_equal(client_in_flight(s->c), 0);
}

static void ask(struct scene *s)
{
    client_ask(s->c, &s->ask, on_news, &s->seen);
    run(s);
    assert_int_equal(s->seen.ended, 1);
}

/* A whole scene in one call; the caller closes it. */
static void play(struct scene *s, const char *model, const char *prompt)
{
    open_scene(s, model, prompt);
    ask(s);
    assert_null(s->seen.raw ? strstr(s->seen.raw, secret) : NULL);
    assert_null(s->seen.text ? strstr(s->seen.text, secret) : NULL);
    assert_null(s->seen.error ? strstr(s->seen.error, secret + 4) : NULL);
}

/* ---- What the teacher saw ------------------------------------------------ */

/* Calls back for each logged request; returns how many had this prompt. */
static int logged(const char *prompt, void (*fn)(const json *, void *),
                  void *ctx)
{
    struct lines l;
    struct err e = {0};
    int n = 0;
    assert_ok(lines_open(&l, house.log, (size_t)1 << 20, &e), e);
    while (lines_next(&l, &e)) {
        json *j = json_parse(buf_str(&l.line), l.line.len, &e);
        if (j && !strcmp(json_get_string(j, "prompt", ""), prompt)) {
            n++;
            if (fn)
                fn(j, ctx);
        }
        json_free(j);
    }
    lines_close(&l);
    return n;
}

static int requests(const char *prompt)
{
    return logged(prompt, NULL, NULL);
}

static void keep_head(const json *j, void *ctx)
{
    char **head = ctx;
    free(*head);
    *head = xstrdup(json_get_string(j, "head", ""));
}

static void keep_body(const json *j, void *ctx)
{
    char **body = ctx;
    free(*body);
    *body = xstrdup(json_get_string(j, "body", ""));
}

static void keep_most(const json *j, void *ctx)
{
    int *most = ctx, active = (int)json_get_int(j, "active", 0);
    *most = active > *most ? active : *most;
}

/* ---- Good answers -------------------------------------------------------- */

static void test_answers(void **state)
{
    (void)state;
    static const char *const models[] = {"ok",    "json", "sse", "crlf",
                                         "cr",    "bom",  "bytes",
                                         "break-after"};
    for (size_t i = 0; i < COUNT(models); i++) {
        for (int stream = 0; stream < 2; stream++) {
            struct scene s;
            char *prompt = xasprintf("h\xC3\xA9 \xF0\x9F\x8C\x8A %s %d",
                                     models[i], stream);
            char *want = xasprintf("echo: %s", prompt);
            open_scene(&s, models[i], prompt);
            s.ask.stream = stream;
            ask(&s);
            if (s.seen.state != ASK_ANSWERED)
                fail_msg("%s %d: %s", models[i], stream, s.seen.error);
            assert_string_equal(s.seen.text, want);
            assert_string_equal(s.seen.finish, "stop");
            assert_true(s.seen.complete);
            assert_int_equal(s.seen.http, 200);
            assert_int_equal(s.seen.sent, 1);
            assert_int_equal(s.seen.tokens_in, strlen(prompt) / 4 + 1);
            assert_true(s.seen.tokens_out > 0);
            assert_int_equal(requests(prompt), 1);
            close_scene(&s);
            free(prompt);
            free(want);
        }
    }
}

static void test_head(void **state)
{
    (void)state;
    struct scene s;
    char *head = NULL, *body = NULL;
    open_scene(&s, "ok", "heads");
    s.ask.step = "recipe/step";
    ask(&s);
    logged("heads", keep_head, &head);
    logged("heads", keep_body, &body);
    assert_non_null(strstr(head, "POST /v1/chat/completions HTTP/1.1"));
    assert_non_null(strstr(head, "Authorization: Bearer sk-sentinel"));
    assert_null(strcasestr(head, "accept-encoding"));
    assert_null(strcasestr(head, "expect:"));
    assert_null(strstr(head, "Stillroom-Step"));
    assert_null(strstr(body, secret));
    free(head);
    free(body);
    close_scene(&s);
}

static void test_choices(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "ok", "three please");
    s.ask.has = HAS(PARAM_N);
    s.ask.n = 3;
    ask(&s);
    assert_int_equal(s.seen.choices, 3);
    close_scene(&s);
}

static void test_hold(void **state)
{
    (void)state;
    struct scene s;
    int64_t start = clock_mono();
    open_scene(&s, "hold", "never closes");
    ask(&s);
    assert_int_equal(s.seen.state, ASK_ANSWERED);
    assert_true(s.seen.complete);
    assert_in_range(clock_mono() - start, 0, 10000);
    close_scene(&s);
}

static void test_scripted(void **state)
{
    (void)state;
    static const char *const want[] = {"first\nline", "second", "first\nline"};
    struct scene s;
    open_scene(&s, "ok", "scripted please: order");
    for (size_t i = 0; i < COUNT(want); i++) {
        ask(&s);
        assert_string_equal(s.seen.text, want[i]);
        seen_free(&s.seen);
    }
    close_scene(&s);
    play(&s, "ok", "this has MAGIC in it");
    assert_string_equal(s.seen.text, "matched");
    close_scene(&s);
}

/* ---- Answers that are not complete --------------------------------------- */

static void test_cut(void **state)
{
    (void)state;
    static const struct {
        const char *model, *finish;
    } rows[] = {{"no-done", "cut"}, {"finish", "cut"},
                {"finish=length", "length"},
                {"finish=content_filter", "content_filter"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scene s;
        play(&s, rows[i].model, "cut me");
        assert_int_equal(s.seen.state, ASK_ANSWERED);
        assert_string_equal(s.seen.finish, rows[i].finish);
        assert_false(s.seen.complete);
        assert_int_equal(s.seen.sent, 1);
        close_scene(&s);
    }
}

/* ---- Never retried ------------------------------------------------------- */

static void fails_once(const char *model, const char *says, int http)
{
    struct scene s;
    char *prompt = xasprintf("fails once: %s", model);
    play(&s, model, prompt);
    if (s.seen.state != ASK_FAILED)
        fail_msg("%s was answered", model);
    if (!s.seen.error || !strstr(s.seen.error, says))
        fail_msg("%s says: %s", model, s.seen.error);
    assert_int_equal(s.seen.http, http);
    assert_int_equal(s.seen.sent, 1);
    assert_int_equal(requests(prompt), 1);
    close_scene(&s);
    free(prompt);
}

static void test_no_retry(void **state)
{
    (void)state;
    fails_once("400", "status 400: scripted refusal", 400);
    fails_once("401", "status 401", 401);
    fails_once("403", "status 403", 403);
    fails_once("404", "status 404", 404);
    fails_once("413", "status 413", 413);
    fails_once("422", "status 422", 422);
    fails_once("501", "status 501", 501);
    fails_once("junk", "neither JSON nor an event stream", 200);
    fails_once("bad-json", "byte ", 200);
    fails_once("html", "web page", 200);
    fails_once("gzip", "wrong content type", 200);
    fails_once("empty", "without an answer", 200);
    fails_once("error-event=400", "broke off: overloaded", 200);
}

static void test_bounds(void **state)
{
    (void)state;
    fails_once("endless-body", "64 MiB", 200);
    fails_once("endless-line", "8 MiB", 200);
    fails_once("headers", "headers", 200);
    fails_once("endless-events", "64 MiB", 200);
}

static void test_redirect(void **state)
{
    (void)state;
    static const char *const codes[] = {"301", "302", "303", "307", "308"};
    for (size_t i = 0; i < COUNT(codes); i++) {
        struct scene s;
        char *model = xasprintf("redirect=%s", codes[i]);
        play(&s, model, "redirect me");
        assert_int_equal(s.seen.state, ASK_FAILED);
        assert_non_null(strstr(s.seen.error, "http://127.0.0.1"));
        assert_int_equal(s.seen.sent, 1);
        close_scene(&s);
        free(model);
    }
    struct buf log = BUF_INIT(0);
    struct err e = {0};
    assert_ok(file_read(house.log, (size_t)64 << 20, &log, &e), e);
    assert_null(strstr(log.data, "\"other\":true"));
    buf_free(&log);
}

static void test_stops(void **state)
{
    (void)state;
    struct scene s;
    struct seen more[5] = {{0}};
    open_scene(&s, "401", "no entry");
    client_free(&s.c);
    s.p.concurrency = 1;
    setenv("TEACHER_KEY", secret, 1);
    s.c = client_new(s.loop, &s.p, NULL, NULL);
    client_ask(s.c, &s.ask, on_news, &s.seen);
    for (size_t i = 0; i < COUNT(more); i++)
        client_ask(s.c, &s.ask, on_news, &more[i]);
    run(&s);
    assert_non_null(client_stopped(s.c));
    assert_int_equal(requests("no entry"), 1);
    for (size_t i = 0; i < COUNT(more); i++) {
        assert_int_equal(more[i].state, ASK_FAILED);
        assert_int_equal(more[i].sent, 0);
        assert_int_equal(more[i].attempts, 0);
        assert_non_null(strstr(more[i].error, "401"));
        seen_free(&more[i]);
    }
    close_scene(&s);
}

/* ---- Retried ------------------------------------------------------------- */

static void recovers(const char *model, int sent)
{
    struct scene s;
    char *prompt = xasprintf("recovers: %s", model);
    bool stalls = !strncmp(model, "s", 1);
    open_scene(&s, model, prompt);
    s.p.first_byte = s.p.silence = stalls ? 1 : 20;
    ask(&s);
    if (s.seen.state != ASK_ANSWERED)
        fail_msg("%s: %s", model, s.seen.error);
    assert_int_equal(s.seen.sent, sent);
    assert_int_equal(s.seen.again, sent - 1);
    assert_int_equal(s.seen.attempts, sent);
    assert_int_equal(requests(prompt), sent);
    assert_true(s.seen.complete);
    close_scene(&s);
    free(prompt);
}

static void test_recovers(void **state)
{
    (void)state;
    recovers("408,ok", 2);
    recovers("409,425,429,500,502,ok", 6);
    recovers("503,504,529,ok", 4);
    recovers("break-before,ok", 2);
    recovers("break-during,ok", 2);
    recovers("short,ok", 2);
    recovers("stall,ok", 2);
    recovers("silence,ok", 2);
    recovers("error-event,ok", 2);
}

static void test_gives_up(void **state)
{
    (void)state;
    struct scene s;
    play(&s, "500", "always 500");
    assert_int_equal(s.seen.state, ASK_FAILED);
    assert_int_equal(s.seen.sent, 6);
    assert_int_equal(requests("always 500"), 6);
    close_scene(&s);
}

/* What came before the break is kept, and is no answer. */
static void test_partial(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "break-during", "a prompt that is long enough to cut");
    client_set_tries(s.c, 1, 0.01);
    ask(&s);
    assert_int_equal(s.seen.state, ASK_FAILED);
    assert_non_null(strstr(s.seen.raw, "data: "));
    assert_int_equal(s.seen.choices, 1);
    assert_string_equal(s.seen.finish, "cut");
    assert_false(s.seen.complete);
    close_scene(&s);
}

static void test_refused_connection(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "ok", "nobody there");
    client_free(&s.c);
    free(s.p.url);
    s.p.url = xstrdup("http://127.0.0.1:1/v1");
    setenv("TEACHER_KEY", secret, 1);
    s.c = client_new(s.loop, &s.p, NULL, NULL);
    client_set_tries(s.c, 3, 0.001);
    ask(&s);
    assert_int_equal(s.seen.state, ASK_FAILED);
    assert_int_equal(s.seen.sent, 3);
    assert_non_null(strstr(s.seen.error, "no whole answer from scripted"));
    close_scene(&s);
}

/* Retry-After parks the whole teacher, in both its forms; waits are a
 * fiftieth long here. */
static void parks(const char *model, int64_t low, int64_t high)
{
    struct scene s;
    struct seen late = {0};
    struct chat other = {0};
    char *prompt = xasprintf("parked by %s", model);
    open_scene(&s, model, prompt);
    client_set_tries(s.c, 6, 0.02);
    chat_add(&other, ROLE_USER, "asked while parked");
    struct ask second = {.chat = &other, .model = "ok"};
    client_ask(s.c, &s.ask, on_news, &s.seen);
    while (!s.seen.again)
        loop_once(s.loop, 100);
    int64_t left = client_parked(s.c), start = clock_mono();
    assert_in_range(s.seen.wait, low, high);
    assert_true(left <= high);
    client_ask(s.c, &second, on_news, &late);
    while (!late.sent)
        loop_once(s.loop, 100);
    assert_true(clock_mono() - start >= left - 1);
    assert_true(low < 100 || clock_mono() - start >= low / 2);
    run(&s);
    assert_int_equal(s.seen.state, ASK_ANSWERED);
    assert_int_equal(late.state, ASK_ANSWERED);
    seen_free(&late);
    chat_free(&other);
    close_scene(&s);
    free(prompt);
}

static void test_retry_after(void **state)
{
    (void)state;
    parks("429=20,ok", 400, 420);
    parks("503=date+20,ok", 360, 420);
    parks("429,ok", 20, 40);
    parks("429=soon,ok", 20, 40);
    parks("429=-5,ok", 20, 40);
}

static void test_retry_after_cap(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "429=99999999999", "for ever");
    client_set_tries(s.c, 2, 0.001);
    ask(&s);
    assert_int_equal(s.seen.sent, 2);
    assert_in_range(s.seen.wait, 300, 301);
    close_scene(&s);
}

/* ---- Silence, and the end of patience ------------------------------------ */

static void test_whole_timeout(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "comments", "comments for ever");
    s.p.whole = 0.6;
    ask(&s);
    assert_int_equal(s.seen.state, ASK_FAILED);
    assert_non_null(strstr(s.seen.error, "longer than 0.6 s"));
    assert_int_equal(s.seen.sent, 1);
    close_scene(&s);
}

static void test_stall_texts(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "stall", "no byte");
    client_set_tries(s.c, 1, 0.01);
    s.p.first_byte = 0.2;
    ask(&s);
    assert_string_equal(s.seen.error, "no first byte within 0.2 s");
    close_scene(&s);
    open_scene(&s, "silence", "some bytes");
    client_set_tries(s.c, 1, 0.01);
    s.p.silence = 0.3;
    ask(&s);
    assert_string_equal(s.seen.error, "the reply fell silent for 0.3 s");
    assert_int_equal(s.seen.choices, 1);
    close_scene(&s);
}

/* ---- Many at once -------------------------------------------------------- */

static void test_concurrency(void **state)
{
    (void)state;
    enum { ASKS = 64 };
    struct scene s;
    static struct seen many[ASKS];
    int most = 0;
    open_scene(&s, "sleep=30", "one of many");
    s.p.concurrency = 5;
    for (int i = 0; i < ASKS; i++)
        client_ask(s.c, &s.ask, on_news, &many[i]);
    run(&s);
    for (int i = 0; i < ASKS; i++) {
        assert_int_equal(many[i].state, ASK_ANSWERED);
        seen_free(&many[i]);
    }
    assert_int_equal(logged("one of many", keep_most, &most), ASKS);
    assert_in_range(most, 2, 6);
    close_scene(&s);
}

static void test_cancel(void **state)
{
    (void)state;
    enum { ASKS = 64 };
    struct scene s;
    static struct seen many[ASKS];
    open_scene(&s, "stall", "cancel me");
    s.p.concurrency = 40;
    s.p.first_byte = 60;
    for (int i = 0; i < ASKS; i++)
        client_ask(s.c, &s.ask, on_news, &many[i]);
    int64_t until = clock_mono() + 200;
    while (clock_mono() < until)
        loop_once(s.loop, 20);
    assert_int_equal(client_in_flight(s.c), 40);
    int64_t start = clock_mono();
    client_cancel_all(s.c);
    run(&s);
    assert_in_range(clock_mono() - start, 0, 200);
    for (int i = 0; i < ASKS; i++) {
        assert_int_equal(many[i].state, ASK_CANCELLED);
        assert_int_equal(many[i].ended, 1);
        assert_int_equal(many[i].sent, i < 40);
        seen_free(&many[i]);
    }
    close_scene(&s);
}

/* Cancelling from within, a veto, and leaving with requests on the wire. */
static void test_odd_ends(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "ok", "cancelled from within");
    s.seen.cancel = s.c;
    ask(&s);
    assert_int_equal(s.seen.state, ASK_CANCELLED);
    assert_int_equal(requests("cancelled from within"), 0);
    close_scene(&s);
    open_scene(&s, "ok", "vetoed");
    s.seen.veto = true;
    ask(&s);
    assert_int_equal(s.seen.state, ASK_CANCELLED);
    assert_int_equal(requests("vetoed"), 0);
    close_scene(&s);
    open_scene(&s, "stall", "left alone");
    client_ask(s.c, &s.ask, on_news, &s.seen);
    for (int i = 0; i < 20; i++)
        loop_once(s.loop, 10);
    assert_int_equal(client_in_flight(s.c), 1);
    close_scene(&s);
}

/* ---- Refused parameters -------------------------------------------------- */

static void test_learns(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        enum param param;
    } rows[] = {{"refuse=temperature", PARAM_TEMPERATURE},
                {"refuse=top_p", PARAM_TOP_P},
                {"refuse=max_tokens", PARAM_MAX_TOKENS},
                {"refuse=seed", PARAM_SEED},
                {"refuse=stop", PARAM_STOP},
                {"refuse=stream_options", PARAM_USAGE}};
    const char *stop[] = {"X", NULL};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scene s;
        char *body = NULL, *prompt = xasprintf("learn %s", rows[i].model);
        open_scene(&s, rows[i].model, prompt);
        s.ask.has = HAS(PARAM_TEMPERATURE) | HAS(PARAM_TOP_P) |
                    HAS(PARAM_MAX_TOKENS) | HAS(PARAM_SEED) | HAS(PARAM_STOP);
        s.ask.max_tokens = 77;
        s.ask.stop = stop;
        client_set_tries(s.c, 1, 0.01); /* learning costs no try */
        ask(&s);
        assert_int_equal(s.seen.state, ASK_ANSWERED);
        assert_int_equal(s.seen.sent, 2);
        assert_int_equal(s.seen.try, 1);
        assert_int_equal(s.seen.without, HAS(rows[i].param));
        seen_free(&s.seen);
        ask(&s); /* learned for good */
        assert_int_equal(s.seen.sent, 1);
        assert_int_equal(logged(prompt, keep_body, &body), 3);
        if (rows[i].param == PARAM_MAX_TOKENS)
            assert_non_null(strstr(body, "\"max_completion_tokens\":77"));
        free(body);
        free(prompt);
        close_scene(&s);
    }
    fails_once("refuse=messages", "Unsupported parameter", 400);
}

/* ---- The key ------------------------------------------------------------- */

static void test_echo(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct scene s;
        open_scene(&s, "echo", "say my key");
        s.ask.stream = stream;
        ask(&s);
        assert_int_equal(s.seen.state, ASK_ANSWERED);
        assert_true(s.seen.echoed);
        assert_string_equal(s.seen.text, "Bearer [key]");
        assert_null(strstr(s.seen.raw, secret));
        assert_null(strstr(s.seen.raw, "sentinel")); /* nor its pieces */
        assert_non_null(strstr(s.seen.raw, "[key]"));
        close_scene(&s);
    }
    struct scene s;
    play(&s, "echo-aside", "say my key beside the answer");
    assert_int_equal(s.seen.state, ASK_ANSWERED);
    assert_true(s.seen.echoed);
    assert_string_equal(s.seen.text, "no key here");
    assert_non_null(strstr(s.seen.raw, "\"debug\":\"Bearer [key]\""));
    close_scene(&s);
    play(&s, "echo-error", "say my key wrongly");
    assert_int_equal(s.seen.state, ASK_FAILED);
    assert_non_null(strstr(s.seen.error, "[key]"));
    assert_null(strstr(s.seen.error, "sk-sentinel"));
    assert_null(strstr(s.seen.raw, "sk-sentinel"));
    assert_null(strchr(s.seen.error, '\033'));
    close_scene(&s);
}

/* A header cannot be smuggled in through a recipe's name. */
static void test_smuggle(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "ok", "smuggle");
    client_free(&s.c);
    setenv("TEACHER_KEY", secret, 1);
    s.c = client_new(s.loop, &s.p, "/nowhere", NULL);
    s.ask.step = "a/b\r\nX-More: yes";
    ask(&s);
    assert_int_equal(s.seen.state, ASK_FAILED);
    assert_non_null(strstr(s.seen.error, "control character"));
    close_scene(&s);
}

/* ---- Unix sockets -------------------------------------------------------- */

static pid_t start_teacher(const char *listen, const char *log, int *port)
{
    struct err e = {0};
    int out[2];
    char *program = xasprintf("%s/tests/fault/faulty-teacher",
                              getenv("top_builddir"));
    char *replies = path_join(getenv("HOME"), "replies");
    const char *argv[] = {program, "--log", log, "--replies", replies,
                          listen ? "--listen" : NULL, listen, NULL};
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct proc p = {.argv = argv, .in = -1, .out = out[1], .err = -2,
                     .die_with_us = true};
    pid_t pid = proc_start(&p, &e);
    if (pid < 0)
        fail_msg("%s", e.text);
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    char line[64] = "";
    assert_non_null(fgets(line, sizeof line, f));
    if (port)
        assert_int_equal(sscanf(line, "port %d", port), 1);
    fclose(f);
    free(program);
    free(replies);
    return pid;
}

/* By url, and as a server of our own: only that one is told the step. A path
 * over 107 bytes goes through a descriptor. */
static void over_socket(const char *path, const char *name, bool own)
{
    struct scene s;
    char *head = NULL, *prompt = xasprintf("by socket %s %d", name, own);
    open_scene(&s, "ok", prompt);
    client_free(&s.c);
    free(s.p.url);
    s.p.url = xasprintf("unix:%s", own ? "/nowhere" : path);
    free(s.p.key_env);
    s.p.key_env = NULL;
    s.c = client_new(s.loop, &s.p, own ? path : NULL, NULL);
    s.ask.step = "expand/ask";
    ask(&s);
    assert_int_equal(s.seen.state, ASK_ANSWERED);
    logged(prompt, keep_head, &head);
    assert_int_equal(strstr(head, "Stillroom-Step: expand/ask") != NULL, own);
    assert_null(strstr(head, "Authorization"));
    close_scene(&s);
    free(head);
    free(prompt);
}

static void test_socket(void **state)
{
    (void)state;
    struct err e = {0};
    char *dir = path_join(getenv("HOME"), "a-folder-with-a-long-name-that-"
                          "does-not-fit-in-a-socket-address-of-107-bytes-"
                          "by-any-means");
    assert_ok(dir_make(dir, 0700, &e), e);
    assert_int_equal(chdir(dir), 0);
    char *path = path_join(dir, "s");
    assert_true(strlen(path) > 107);
    pid_t pid = start_teacher("unix:s", house.log, NULL);
    assert_int_equal(chdir("/"), 0);
    over_socket(path, "long", false);
    over_socket(path, "long", true);
    kill(pid, SIGTERM);
    proc_wait(pid);
    free(path);
    free(dir);
}

/* ---- TLS ----------------------------------------------------------------- */

static char *home_file(const char *name)
{
    return path_join(getenv("HOME"), name);
}

/* A certificate for `localhost` that nobody signed; false without openssl. */
static bool make_certificate(const char *key, const char *cert)
{
    const char *argv[] = {"openssl", "req", "-x509", "-newkey", "ec",
                          "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                          "-keyout", key, "-out", cert, "-days", "1",
                          "-subj", "/CN=localhost", "-addext",
                          "subjectAltName=DNS:localhost", NULL};
    struct buf out = BUF_INIT(4096);
    struct err e = {0};
    int status = proc_capture(argv, NULL, NULL, &out, &e);
    buf_free(&out);
    return status == 0;
}

/* A server that speaks TLS and then no HTTP. */
static pid_t start_tls(const char *key, const char *cert, int *port)
{
    struct err e = {0};
    int out[2];
    const char *argv[] = {"openssl", "s_server", "-accept", "127.0.0.1:0",
                          "-cert", cert, "-key", key, "-rev", NULL};
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    struct proc p = {.argv = argv, .search = true, .in = -1, .out = out[1],
                     .err = -1, .die_with_us = true};
    pid_t pid = proc_start(&p, &e);
    assert_true(pid > 0);
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    char line[256];
    *port = 0;
    while (!*port && fgets(line, sizeof line, f))
        sscanf(line, "ACCEPT 127.0.0.1:%d", port);
    fclose(f);
    return pid;
}

/* What a client that trusts `ca` (may be NULL) says of https://HOST. */
static void says_of(const char *host, int port, const char *ca,
                    const char *says)
{
    struct scene s;
    open_scene(&s, "ok", "over TLS");
    client_free(&s.c);
    free(s.p.url);
    s.p.url = xasprintf("https://%s:%d/v1", host, port);
    s.p.ca_file = copy(ca);
    setenv("TEACHER_KEY", secret, 1);
    s.c = client_new(s.loop, &s.p, NULL, NULL);
    client_set_tries(s.c, 2, 0.01);
    ask(&s);
    assert_int_equal(s.seen.state, ASK_FAILED);
    if (!strstr(s.seen.error, says))
        fail_msg("%s says: %s", host, s.seen.error);
    if (strstr(says, "ertificate") || strstr(says, "subject"))
        assert_int_equal(s.seen.sent, 1); /* and the teacher is stopped */
    close_scene(&s);
}

static void test_tls(void **state)
{
    (void)state;
    char *key = home_file("key.pem"), *cert = home_file("cert.pem");
    if (!make_certificate(key, cert)) {
        free(key);
        free(cert);
        skip();
    }
    int port;
    pid_t pid = start_tls(key, cert, &port);
    says_of("localhost", port, NULL, "ertificate");
    says_of("127.0.0.1", port, cert, "subject");
    says_of("localhost", port, cert, "HTTP/0.9"); /* trusted: got through */
    says_of("localhost", port, "/no/such/file", "ertificate");
    kill(pid, SIGTERM);
    proc_wait(pid);
    free(key);
    free(cert);
}

/* ---- Refused before anything is sent ------------------------------------- */

static void test_new_refuses(void **state)
{
    (void)state;
    struct err e = {0};
    struct loop *l = loop_new();
    struct profile p = profile_new("t");
    p.model = xstrdup("m");
    p.url = xstrdup("http://far.example/v1");
    assert_null(client_new(l, &p, NULL, &e));
    assert_non_null(strstr(e.text, "plain_http"));
    free(p.url);
    p.url = xstrdup("https://far.example/v1");
    p.key_env = xstrdup("NOT_SET");
    assert_null(client_new(l, &p, NULL, &e));
    assert_non_null(strstr(e.text, "NOT_SET"));
    free(p.url);
    free(p.key_env);
    p.url = p.key_env = NULL;
    p.serve = xstrdup("x");
    assert_null(client_new(l, &p, NULL, &e));
    assert_non_null(strstr(e.text, "has not been started"));
    profile_free(&p);
    loop_free(&l);
}

static int start_house(void **state)
{
    (void)state;
    struct err e = {0};
    static const char text[] = "match: MAGIC\nmatched\n%%\n"
                               "match: scripted please\nfirst\nline\n%%\n"
                               "match: scripted please\nsecond\n%%\n";
    char *path = path_join(getenv("HOME"), "replies");
    if (!file_replace(path, text, strlen(text), 0600, false, &e))
        return -1;
    free(path);
    house.log = path_join(getenv("HOME"), "teacher.log");
    house.pid = start_teacher(NULL, house.log, &house.port);
    return 0;
}

static int stop_house(void **state)
{
    (void)state;
    kill(house.pid, SIGTERM);
    proc_wait(house.pid);
    free(house.log);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_scripted),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_no_retry),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_redirect),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_recovers),
        cmocka_unit_test(test_gives_up),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_refused_connection),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_retry_after_cap),
        cmocka_unit_test(test_whole_timeout),
        cmocka_unit_test(test_stall_texts),
        cmocka_unit_test(test_concurrency),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_odd_ends),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_smuggle),
        cmocka_unit_test(test_socket),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_new_refuses),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_house, stop_house);
}
