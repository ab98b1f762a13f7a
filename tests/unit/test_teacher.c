/* A real client against the scripted teacher: what comes back, and what is
 * asked again. */
#include "scene.h"

#include <signal.h>

#include "base/clock.h"
#include "base/file.h"

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
    assert_null(strstr(body, scene_secret));
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
    } rows[] = {{"finish=length", "length"},
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

static void test_no_retry(void **state)
{
    (void)state;
    fails_once("400", "status 400: scripted refusal", 400);
    fails_once("401", "status 401", 401);
    fails_once("402", "status 402", 402);
    fails_once("403", "status 403", 403);
    fails_once("quota", "insufficient_quota", 429);
    fails_once("404", "status 404", 404);
    fails_once("413", "status 413", 413);
    fails_once("422", "status 422", 422);
    fails_once("501", "status 501", 501);
    fails_once("junk", "neither JSON nor an event stream", 200);
    fails_once("bad-json", "byte ", 200);
    fails_once("html", "web page", 200);
    fails_once("gzip", "wrong content type", 200);
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
    s.p.concurrency = 1;
    renew_client(&s, NULL);
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
    recovers("error-event=rate_limit_exceeded,ok", 2);
    recovers("empty,ok", 2);
    recovers("say=,ok", 2);
    recovers("finish=abort,ok", 2);
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

/* Whole by one of the things that say so. */
static void test_whole(void **state)
{
    (void)state;
    static const char *const rows[] = {"no-done", "finish", "hold",
                                       "break-after", "break-whole"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scene s;
        play(&s, rows[i], "whole");
        assert_int_equal(s.seen.state, ASK_ANSWERED);
        assert_string_equal(s.seen.finish, "stop");
        assert_true(s.seen.complete);
        assert_int_equal(s.seen.sent, 1);
        close_scene(&s);
    }
}

/* Requests that follow one another go over one line. */
static void test_one_line(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "keep", "over one line");
    int first = 0;
    for (int i = 0; i < 5; i++) {
        ask(&s);
        assert_int_equal(s.seen.state, ASK_ANSWERED);
        seen_free(&s.seen);
    }
    struct buf log = BUF_INIT(0);
    struct err e = {0};
    assert_ok(file_read(house.log, (size_t)64 << 20, &log, &e), e);
    for (const char *at = log.data; (at = strstr(at, "\"over one line\""));
         at++) {
        const char *line = at;
        while (line > log.data && line[-1] != '\n')
            line--;
        int on = atoi(strstr(line, "\"connection\":") + 13);
        assert_true(!first || on == first);
        first = on;
    }
    assert_true(first > 0);
    buf_free(&log);
    close_scene(&s);
}

/* Silence is asked about once more, and the sentence says so. */
static void test_silent(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, "stall", "silent");
    s.p.first_byte = 1;
    ask(&s);
    assert_int_equal(s.seen.state, ASK_FAILED);
    assert_int_equal(s.seen.sent, 2);
    assert_non_null(strstr(s.seen.error, "within 1 s (asked 2 times)"));
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
    free(s.p.url);
    s.p.url = xstrdup("http://127.0.0.1:1/v1");
    renew_client(&s, NULL);
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
    int64_t start = clock_mono();
    client_ask(s.c, &s.ask, on_news, &s.seen);
    while (!s.seen.again)
        loop_once(s.loop, 100);
    assert_in_range(s.seen.wait, low, high);
    assert_true(client_parked(s.c) <= high);
    client_ask(s.c, &second, on_news, &late);
    while (!late.sent)
        loop_once(s.loop, 100);
    assert_true(clock_mono() - start >= low);
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
    parks("503=date+20,ok", 300, 420);
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
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_one_line),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_refused_connection),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_retry_after_cap),
        cmocka_unit_test(test_whole_timeout),
        cmocka_unit_test(test_stall_texts),
        cmocka_unit_test(test_learns),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_house, stop_house);
}
