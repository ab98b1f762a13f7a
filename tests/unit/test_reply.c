/* The pure parts of the teacher client: bodies, streams, waits. */
#include "test.h"

#include "base/json.h"
#include "base/mem.h"
#include "teacher/reply.h"
#include "teacher/request.h"
#include "teacher/retry.h"

/* ---- Requests ------------------------------------------------------------ */

static void test_request(void **state)
{
    (void)state;
    struct chat chat = {0};
    struct err e = {0};
    assert_ok(chat_parse("[{\"role\":\"system\",\"content\":\"s\"},"
                         "{\"role\":\"user\",\"content\":\"a\\nb\"},"
                         "{\"role\":\"assistant\",\"content\":\"\","
                         "\"reasoning_content\":\"hm\",\"tool_calls\":[{\"id\":"
                         "\"1\"}],\"train\":false},"
                         "{\"role\":\"tool\",\"content\":\"r\","
                         "\"tool_call_id\":\"1\"}]", &chat, &e), e);
    const char *stop[] = {"END", NULL};
    struct ask a = {.chat = &chat, .temperature = 0.7, .max_tokens = 5,
                    .stop = stop, .stream = true,
                    .has = HAS(PARAM_TEMPERATURE) | HAS(PARAM_MAX_TOKENS) |
                           HAS(PARAM_STOP)};
    struct buf b = BUF_INIT(0);
    request_write(&b, &a, "m", 0);
    assert_string_equal(b.data,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":"
        "\"s\"},{\"role\":\"user\",\"content\":\"a\\nb\"},{\"role\":"
        "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"1\"}]},"
        "{\"role\":\"tool\",\"content\":\"r\",\"tool_call_id\":\"1\"}],"
        "\"temperature\":0.7,\"max_tokens\":5,\"stop\":[\"END\"],"
        "\"stream_options\":{\"include_usage\":true},\"stream\":true}");
    buf_clear(&b);
    request_write(&b, &a, "m", HAS(PARAM_MAX_TOKENS) | HAS(PARAM_USAGE) |
                                   HAS(PARAM_TEMPERATURE));
    assert_null(strstr(b.data, "temperature"));
    assert_null(strstr(b.data, "\"max_tokens\""));
    assert_null(strstr(b.data, "stream_options"));
    assert_non_null(strstr(b.data, "\"max_completion_tokens\":5"));
    buf_free(&b);
    chat_free(&chat);
}

static void test_refused(void **state)
{
    (void)state;
    const unsigned all = (1u << PARAM_COUNT) - 1;
    static const struct {
        const char *text, *param;
        unsigned want;
    } rows[] = {
        {"Unsupported parameter: 'max_tokens' is not supported with this "
         "model. Use 'max_completion_tokens' instead.", "max_tokens",
         HAS(PARAM_MAX_TOKENS)},
        {"Unsupported value: 'temperature' does not support 0.7 with this "
         "model.", "temperature", HAS(PARAM_TEMPERATURE)},
        {"Unrecognized request argument supplied: stream_options", NULL,
         HAS(PARAM_USAGE)},
        {"[{\"type\":\"extra_forbidden\",\"loc\":[\"body\",\"seed\"]}]", NULL,
         HAS(PARAM_SEED)},
        {"property 'stop' is unsupported", NULL, HAS(PARAM_STOP)},
        {"`temperature` and `top_p` cannot be used together; not allowed",
         NULL, HAS(PARAM_TEMPERATURE) | HAS(PARAM_TOP_P)},
        {"temperature must be between 0 and 2", "temperature", 0},
        {"unknown model 'nonstop'", NULL, 0},
        {"tools are not supported", "tools", 0},
        {"", NULL, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (request_refused(rows[i].text, rows[i].param, all) != rows[i].want)
            fail_msg("%s", rows[i].text);
    assert_int_equal(request_refused(rows[0].text, "max_tokens", 0), 0);
}

/* ---- Bodies -------------------------------------------------------------- */

static bool parse(const char *body, struct reply *r, struct err *e)
{
    return reply_parse(body, strlen(body), r, e);
}

static void test_body(void **state)
{
    (void)state;
    struct reply r;
    struct err e = {0};
    assert_ok(parse("{\"model\":\"m1\",\"choices\":[{\"index\":0,"
                    "\"message\":{\"role\":\"assistant\",\"content\":\"hi\","
                    "\"reasoning\":\"think\"},\"finish_reason\":\"stop\","
                    "\"logprobs\":{\"content\":[{\"token\":\"hi\","
                    "\"logprob\":-1}]}},{\"message\":{\"content\":[{\"type\":"
                    "\"thinking\",\"thinking\":[{\"text\":\"t\"}]},{\"type\":"
                    "\"text\",\"text\":\"two\"}]},\"finish_reason\":"
                    "\"length\"}],\"usage\":{\"prompt_tokens\":3,"
                    "\"completion_tokens\":4}}", &r, &e), e);
    assert_int_equal(r.n, 2);
    assert_string_equal(r.at[0].answer.content, "hi");
    assert_string_equal(r.at[0].answer.reasoning, "think");
    assert_string_equal(r.at[0].logprobs,
                        "[{\"token\":\"hi\",\"logprob\":-1}]");
    assert_true(r.at[0].complete);
    assert_string_equal(r.at[1].answer.content, "two");
    assert_string_equal(r.at[1].answer.reasoning, "t");
    assert_false(r.at[1].complete);
    assert_string_equal(r.model, "m1");
    assert_int_equal(r.tokens_in, 3);
    assert_int_equal(r.tokens_out, 4);
    reply_free(&r);
}

static void test_bad_bodies(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[]", "{}", "{\"choices\":[]}", "{\"choices\":[]} x",
        "{\"choices\":{}}", "\"text\"",
        "{\"choices\":[{\"index\":-1,\"message\":{}}]}",
        "{\"choices\":[{\"index\":100000,\"message\":{}}]}",
        "{\"choices\":[{\"message\":{\"tool_calls\":[{\"index\":9999}]}}]}",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct reply r;
        struct err e = {0};
        if (parse(bad[i], &r, &e))
            fail_msg("accepted: %s", bad[i]);
        assert_true(*e.text);
        reply_free(&r);
    }
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *body, *want, *param;
        int status;
    } rows[] = {
        {"{\"error\":{\"message\":\"no\",\"param\":\"seed\",\"code\":503}}",
         "no", "seed", 503},
        {"{\"error\":\"plain\"}", "plain", NULL, 0},
        {"{\"object\":\"error\",\"message\":\"vllm\",\"code\":400}", "vllm",
         NULL, 0},
        {"{\"detail\":[{\"msg\":\"x\"}]}", "[{\"msg\":\"x\"}]", NULL, 0},
        {"<html>oops", "<html>oops", NULL, 0},
        {"", "", NULL, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r = {0};
        reply_parse_error(rows[i].body, strlen(rows[i].body), &r);
        assert_string_equal(r.error, rows[i].want);
        assert_int_equal(r.error_status, rows[i].status);
        if (rows[i].param)
            assert_string_equal(r.error_param, rows[i].param);
        reply_free(&r);
    }
}

/* ---- Streams ------------------------------------------------------------- */

static const char stream[] =
    "\xEF\xBB\xBF: a comment\n"
    "event: x\nid: 7\nretry: 10\n"
    "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"
    "\"assistant\",\"reasoning_content\":\"hm \"}}]}\n\n"
    "data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Ol\xC3\xA1 "
    "\xE6\xB0\xB4\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\n"
    "data: \"delta\":{\"content\":\" \xF0\x9F\x8C\x8A\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
    "\"id\":\"c1\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\"\"}}"
    "]}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
    "\"function\":{\"arguments\":\":1}\"}}]},\"finish_reason\":\"tool_calls\""
    "}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,"
    "\"completion_tokens\":6}}\n\n"
    "data: [DONE]\n\n";

static void check_stream(struct reply *r)
{
    assert_int_equal(r->n, 1);
    const struct choice *c = &r->at[0];
    assert_string_equal(c->answer.content,
                        "Ol\xC3\xA1 \xE6\xB0\xB4 \xF0\x9F\x8C\x8A");
    assert_string_equal(c->answer.reasoning, "hm ");
    assert_string_equal(c->answer.tool_calls,
                        "[{\"id\":\"c1\",\"type\":\"function\",\"function\":"
                        "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]");
    assert_string_equal(c->finish, "tool_calls");
    assert_true(c->complete);
    assert_string_equal(r->model, "m");
    assert_int_equal(r->tokens_in, 5);
    assert_int_equal(r->tokens_out, 6);
}

/* Feeds in pieces that end at the given places. */
static bool feed(const char *text, size_t n, const size_t *cuts, size_t n_cuts,
                 struct reply *r, struct err *e)
{
    struct assembly a;
    assembly_start(&a);
    size_t at = 0;
    bool ok = true;
    for (size_t i = 0; ok && i <= n_cuts; i++) {
        size_t end = i < n_cuts ? cuts[i] : n;
        ok = assembly_feed(&a, text + at, end - at, e);
        at = end;
    }
    if (ok)
        return assembly_end(&a, r, e);
    *r = (struct reply){0};
    assembly_free(&a);
    return false;
}

static char *with_ends(const char *text, const char *end)
{
    struct buf b = BUF_INIT(0);
    for (const char *p = text; *p; p++) {
        if (*p == '\n')
            buf_puts(&b, end);
        else
            buf_putc(&b, *p);
    }
    return buf_take(&b);
}

static void test_stream_splits(void **state)
{
    (void)state;
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    for (size_t k = 0; k < COUNT(ends); k++) {
        char *text = with_ends(stream, ends[k]);
        size_t n = strlen(text);
        for (size_t i = 0; i <= n; i++) {
            for (size_t step = 1; step < n; step = step * 3 + 1) {
                size_t cuts[] = {i, i + step < n ? i + step : n};
                struct reply r;
                struct err e = {0};
                assert_ok(feed(text, n, cuts, 2, &r, &e), e);
                check_stream(&r);
                reply_free(&r);
            }
        }
        free(text);
    }
}

/* Every beginning of the stream is an answer that is cut, or none. */
static void test_stream_cuts(void **state)
{
    (void)state;
    size_t whole = strlen(stream), done = whole - 2; /* behind [DONE] */
    for (size_t n = 0; n < done; n++) {
        struct reply r;
        struct err e = {0};
        bool ok = feed(stream, n, NULL, 0, &r, &e);
        for (size_t i = 0; ok && i < r.n; i++) {
            assert_false(r.at[i].complete);
            assert_string_equal(r.at[i].finish, "cut");
        }
        assert_true(ok || *e.text);
        reply_free(&r);
    }
    struct reply r;
    struct err e = {0};
    assert_ok(feed(stream, done, NULL, 0, &r, &e), e);
    check_stream(&r);
    reply_free(&r);
}

static void test_stream_shapes(void **state)
{
    (void)state;
    struct reply r;
    struct err e = {0};
    /* no blank lines between events */
    const char *tight =
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n"
        "data: {\"choices\":[{\"delta\":{\"content\":\"b\"},"
        "\"finish_reason\":\"stop\"}]}\ndata: [DONE]\n";
    assert_ok(feed(tight, strlen(tight), NULL, 0, &r, &e), e);
    assert_string_equal(r.at[0].answer.content, "ab");
    assert_true(r.at[0].complete);
    reply_free(&r);
    /* [DONE] without a finish reason */
    const char *open = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}"
                       "\n\ndata: [DONE]\n\n";
    assert_ok(feed(open, strlen(open), NULL, 0, &r, &e), e);
    assert_string_equal(r.at[0].finish, "cut");
    reply_free(&r);
    /* answers in turns; tool calls without an index */
    const char *two =
        "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"B\"}}]}\n\n"
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"A\","
        "\"tool_calls\":[{\"id\":\"x\",\"function\":{\"name\":\"f\","
        "\"arguments\":\"1\"}},{\"id\":\"y\",\"function\":{\"name\":\"g\","
        "\"arguments\":\"2\"}}]}}]}\n\n"
        "data: [DONE]\n\n";
    assert_ok(feed(two, strlen(two), NULL, 0, &r, &e), e);
    assert_int_equal(r.n, 2);
    assert_string_equal(r.at[1].answer.content, "B");
    assert_non_null(strstr(r.at[0].answer.tool_calls, "\"g\""));
    assert_non_null(strstr(r.at[0].answer.tool_calls, "\"f\""));
    reply_free(&r);
    const char *junk = "data: {nonsense}\n\n";
    assert_false(feed(junk, strlen(junk), NULL, 0, &r, &e));
    assert_non_null(strstr(e.text, "event 1"));
    reply_free(&r);
    assert_false(feed(": x\n\n", 5, NULL, 0, &r, &e));
    reply_free(&r);
}

/* Damaged streams and bodies: an answer or a sentence, never more. */
static void test_damage(void **state)
{
    (void)state;
    struct rng rng;
    size_t n = strlen(stream);
    rng_seed(&rng, 42);
    for (int round = 0; round < 20000; round++) {
        char text[sizeof stream];
        struct reply r;
        struct err e = {0};
        memcpy(text, stream, sizeof stream);
        for (uint64_t k = rng_below(&rng, 4) + 1; k > 0; k--) {
            size_t at = rng_below(&rng, n);
            size_t from = rng_below(&rng, n);
            size_t len = rng_below(&rng, 40);
            if (rng_below(&rng, 2))
                text[at] = (char)rng_below(&rng, 256);
            else if (from + len < n && at + len < n)
                memmove(text + at, text + from, len);
        }
        size_t cut = rng_below(&rng, n);
        bool ok = feed(text, n, &cut, 1, &r, &e);
        assert_true(ok || *e.text);
        reply_free(&r);
        size_t start = rng_below(&rng, n);
        struct reply plain;
        if (!reply_parse(text + start, n - start, &plain, &e))
            assert_true(*e.text);
        reply_free(&plain);
        reply_parse_error(text + start, n - start, &plain);
        assert_non_null(plain.error);
        reply_free(&plain);
    }
}

static bool count_event(void *ctx, const char *data, size_t n, struct err *e)
{
    (void)data;
    (void)n;
    (void)e;
    (*(int *)ctx)++;
    return true;
}

static void test_sse_limit(void **state)
{
    (void)state;
    struct sse s = SSE_INIT;
    struct err e = {0};
    int events = 0;
    char *block = xcalloc(1, 1 << 20);
    memset(block, 'x', 1 << 20);
    assert_ok(sse_feed(&s, "data: ", 6, count_event, &events, &e), e);
    int fed = 0;
    while (fed < 20 && sse_feed(&s, block, 1 << 20, count_event, &events, &e))
        fed++;
    assert_int_equal(fed, 7);
    assert_int_equal(events, 0);
    assert_non_null(strstr(e.text, "8 MiB"));
    sse_free(&s);
    free(block);
}

/* ---- Waits --------------------------------------------------------------- */

static void test_retry_after(void **state)
{
    (void)state;
    const int64_t now = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *value;
        int64_t want;
    } rows[] = {
        {"0", 0},       {"5", 5000},     {" 7 ", 7000},   {"1.5", 1500},
        {"-5", 0},      {"soon", 0},     {"", 0},         {"7, 9", 0},
        {"300", 300000}, {"301", 300000}, {"99999999999999999999", 300000},
        {"nan", 0},     {"inf", 0},      {"1e9", 0},      {"5s", 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT", 10000},
        {"Sunday, 06-Nov-94 08:50:37 GMT", 60000},
        {"Sun Nov  6 08:49:57 1994", 20000},
        {"Sun, 06 Nov 1994 08:49:30 GMT", 0},
        {"Mon, 07 Nov 2094 08:49:37 GMT", 300000},
        {"now: later", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (retry_after(rows[i].value, now) != rows[i].want)
            fail_msg("\"%s\" gives %lld", rows[i].value,
                     (long long)retry_after(rows[i].value, now));
}

static void test_retry_wait(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 1);
    for (int n = 1; n <= 50; n++) {
        int64_t top = n < 6 ? 1000LL << n : 60000, low = top, high = 0;
        for (int i = 0; i < 1000; i++) {
            int64_t w = retry_wait(&r, n);
            assert_in_range(w, 1000, top);
            low = w < low ? w : low;
            high = w > high ? w : high;
        }
        assert_true(high - low > (top - 1000) * 9 / 10);
    }
    assert_true(retry_status(529) && retry_status(408));
    assert_false(retry_status(400) || retry_status(401) ||
                 retry_status(404) || retry_status(413) || retry_status(501));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_bad_bodies),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_stream_splits),
        cmocka_unit_test(test_stream_cuts),
        cmocka_unit_test(test_stream_shapes),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_sse_limit),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_retry_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
