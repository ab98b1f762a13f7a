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
        "{\"choices\":{}}", "\"text\"", "{\"choices\":[{\"message\":{\"con",
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

/* What a body of one answer comes to: its text, what was thought, how it
 * ended; "!" for a body that is none. */
struct shape {
    const char *body, *said, *thought, *finish;
};

static void check_shape(const struct shape *s)
{
    struct reply r;
    struct err e = {0};
    if (!parse(s->body, &r, &e))
        fail_msg("%s: %s", s->body, e.text);
    const struct choice *c = &r.at[0];
    assert_int_equal(r.n, 1);
    assert_string_equal(c->answer.content, s->said);
    assert_string_equal(c->answer.reasoning ? c->answer.reasoning : "",
                        s->thought);
    assert_string_equal(c->finish, s->finish);
    reply_free(&r);
}

static void test_shapes(void **state)
{
    (void)state;
#define CHOICE(inside) "{\"choices\":[{" inside "}]}"
    static const struct shape rows[] = {
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":null"),
         "a", "", "stop"},
        {CHOICE("\"message\":{\"content\":\"a\"}"), "a", "", "stop"},
        {CHOICE("\"text\":\"a\",\"finish_reason\":\"MAX_TOKENS\""), "a", "",
         "length"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"model_length\""), "a", "", "length"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"FinishReason.SAFETY\""), "a", "", "content_filter"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"eos_token\""), "a", "", "eos_token"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"insufficient_system_resource\""), "a", "", "error"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"MaxTokens\""), "a", "", "length"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"model_context_window_exceeded\""), "a", "", "length"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":null,"
                "\"stop_reason\":\"max_tokens\""), "a", "", "length"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "{\"type\":\"length\"}"), "a", "", "length"},
        {CHOICE("\"delta\":{\"content\":\"a\",\"finish_reason\":"
                "\"length\"}"), "a", "", "length"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"stop\",\"stop_reason\":\"length\""), "a", "", "stop"},
        {CHOICE("\"message\":{\"content\":42}"), "42", "", "stop"},
        {CHOICE("\"message\":{\"content\":{\"city\":\"b\"}}"),
         "{\"city\":\"b\"}", "", "stop"},
        {CHOICE("\"message\":{\"content\":null,\"reasoning_content\":"
                "\"hm\"}"), "", "hm", "stop"},
        {CHOICE("\"message\":{\"content\":\"a\",\"reasoning\":\"hm\","
                "\"reasoning_details\":[{\"type\":\"reasoning.text\","
                "\"text\":\"hm\"}]}"), "a", "hm", "stop"},
        {CHOICE("\"message\":{\"content\":\"a\",\"reasoning\":null,"
                "\"reasoning_details\":[{\"type\":\"reasoning.summary\","
                "\"summary\":\"s\"},{\"type\":\"reasoning.encrypted\","
                "\"data\":\"x\"}]}"), "a", "s", "stop"},
        {CHOICE("\"message\":{\"content\":\"a\",\"thinking\":\"hm\"}"),
         "a", "hm", "stop"},
        {CHOICE("\"message\":{\"content\":\"a\",\"thinking_blocks\":[{"
                "\"type\":\"thinking\",\"thinking\":\"hm\"}]}"), "a", "hm",
         "stop"},
        {CHOICE("\"message\":{\"content\":[{\"type\":\"text\",\"text\":"
                "\"a\"},\"b\",{\"type\":\"reasoning\",\"text\":\"hm\"}]}"),
         "ab", "hm", "stop"},
        {CHOICE("\"message\":{\"content\":{\"type\":\"text\",\"text\":"
                "\"a\"}}"), "a", "", "stop"},
        {CHOICE("\"message\":{\"content\":null,\"refusal\":\"no\"}"), "no",
         "", "stop"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"logprobs\":{\"content\":"
                "[{\"logprob\":-Infinity}]},\"x\":1e999,\"x\":NaN"), "a", "",
         "stop"},
        {CHOICE("\"index\":-1,\"message\":{\"content\":\"a\"}"), "a", "",
         "stop"},
        {CHOICE("\"index\":100000,\"message\":{\"content\":\"a\"}"), "a", "",
         "stop"},
        {CHOICE("\"index\":1,\"message\":{\"content\":\"a\"}"), "a", "",
         "stop"},
        {CHOICE("\"message\":{\"content\":\"a\\ud83d\"}"),
         "a\xef\xbf\xbd", "", "stop"},
        {CHOICE("\"message\":{\"content\":\"a\xff\\u0000b\nc\"}"),
         "a\xef\xbf\xbd\xef\xbf\xbd" "b\nc", "", "stop"},
        {"[" CHOICE("\"message\":{\"content\":\"a\"}") "]", "a", "", "stop"},
        {CHOICE("\"message\":{\"content\":\"a\"}") "\n\ndata: [DONE]", "a",
         "", "stop"},
        {CHOICE("\"delta\":{\"content\":\"a\"}") "\n"
         CHOICE("\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\""),
         "ab", "", "stop"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_shape(&rows[i]);
}

/* Ends that are told twice, and answers of calls alone. */
static void test_ends(void **state)
{
    (void)state;
    static const struct shape rows[] = {
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"stop\",\"native_finish_reason\":\"MAX_TOKENS\""), "a",
         "", "length"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"stop\",\"native_finish_reason\":\"end_turn\""), "a", "",
         "stop"},
        {CHOICE("\"message\":{\"content\":\"a\"},\"finish_reason\":"
                "\"stop\",\"stop_type\":\"limit\""), "a", "", "length"},
        {CHOICE("\"message\":{\"content\":\"a\",\"done_reason\":"
                "\"length\"},\"finish_reason\":\"stop\""), "a", "",
         "length"},
        {"{\"choices\":[{\"message\":{\"content\":\"a\"},"
         "\"finish_reason\":\"stop\"}],\"done_reason\":\"length\"}", "a",
         "", "length"},
        /* llama.cpp: the context was shifted, the answer is whole */
        {"{\"choices\":[{\"message\":{\"content\":\"a\"},"
         "\"finish_reason\":\"stop\"}],\"truncated\":true}", "a", "",
         "stop"},
        {CHOICE("\"message\":{\"content\":\"a\",\"tool_calls\":[{}]},"
                "\"finish_reason\":\"stop\""), "a", "", "stop"},
        {CHOICE("\"message\":{\"content\":null,\"tool_calls\":[{}]},"
                "\"finish_reason\":\"stop\""), "", "", "tool_calls"},
        {CHOICE("\"message\":{\"content\":null,\"function_call\":{"
                "\"name\":\"f\"}}"), "", "", "tool_calls"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check_shape(&rows[i]);
}

/* Answers that stand in one body are as many as they are, in the order of
 * their numbers where these are numbers. */
static void test_places(void **state)
{
    (void)state;
#define AT(index, text) "{\"index\":" index ",\"message\":{\"content\":\"" \
                        text "\"}}"
    static const char *const rows[][2] = {
        {AT("0", "a") "," AT("0", "b"), "a|b|"},
        {AT("1", "b") "," AT("0", "a"), "a|b|"},
        {AT("0", "a") "," AT("0", "b") "," AT("1", "c"), "a|b|c|"},
        {AT("\"x\"", "a") "," AT("null", "b"), "a|b|"},
        {AT("5", "f") "," AT("3", "d"), "d|f|"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r;
        struct err e = {0};
        struct buf got = BUF_INIT(0);
        char *body = xasprintf("{\"choices\":[%s]}", rows[i][0]);
        assert_ok(parse(body, &r, &e), e);
        for (size_t k = 0; k < r.n; k++)
            buf_printf(&got, "%s|", r.at[k].answer.content);
        assert_string_equal(buf_str(&got), rows[i][1]);
        buf_free(&got);
        reply_free(&r);
        free(body);
    }
}

static void test_usage(void **state)
{
    (void)state;
    static const struct {
        const char *usage;
        int64_t in, out;
    } rows[] = {
        {"{\"prompt_tokens\":9,\"completion_tokens\":2}", 9, 2},
        {"{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11}",
         9, 2},
        {"{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":61}",
         9, 52}, /* thinking is counted in the total alone */
        {"{\"input_tokens\":9,\"output_tokens\":2}", 9, 2},
        {"{\"prompt_tokens\":-3,\"completion_tokens\":null}", -1, -1},
        {"null", -1, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r;
        struct err e = {0};
        char *body = xasprintf("{\"choices\":[{\"text\":\"a\"}],\"usage\":%s}",
                               rows[i].usage);
        assert_ok(parse(body, &r, &e), e);
        assert_int_equal(r.tokens_in, rows[i].in);
        assert_int_equal(r.tokens_out, rows[i].out);
        reply_free(&r);
        free(body);
    }
}

/* Other protocols: named, with the tokens that they tell. */
static void test_foreign(void **state)
{
    (void)state;
    static const struct {
        const char *body, *whose;
        int64_t in, out;
    } rows[] = {
        {"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}],"
         "\"role\":\"model\"},\"finishReason\":\"STOP\"}],"
         "\"usageMetadata\":{\"promptTokenCount\":9,"
         "\"candidatesTokenCount\":2,\"totalTokenCount\":61}}", "Gemini", 9,
         52},
        {"[{\"candidates\":[]},\n{\"candidates\":[]}]", "Gemini", -1, -1},
        {"{\"model\":\"m\",\"message\":{\"role\":\"assistant\","
         "\"content\":\"a\"},\"done_reason\":\"stop\",\"done\":true,"
         "\"prompt_eval_count\":9,\"eval_count\":2}", "Ollama", 9, 2},
        {"{\"response\":\"a\",\"done\":true}", "/api/generate", -1, -1},
        {"{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{"
         "\"type\":\"text\",\"text\":\"a\"}],\"usage\":{"
         "\"input_tokens\":9,\"output_tokens\":2}}", "Anthropic", 9, 2},
        {"{\"object\":\"response\",\"error\":null,\"output\":[{\"type\":"
         "\"message\",\"content\":[{\"type\":\"output_text\",\"text\":"
         "\"a\"}]}],\"usage\":{\"input_tokens\":9,\"output_tokens\":2}}",
         "Responses", 9, 2},
        {"{\"message\":{\"role\":\"assistant\",\"content\":[]},"
         "\"finish_reason\":\"COMPLETE\"}", "Cohere", -1, -1},
        {"{\"content\":\"a\",\"stop\":true}", "llama.cpp", -1, -1},
        {"[{\"generated_text\":\"a\"}]", "Text Generation", -1, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r;
        struct err e = {0};
        assert_false(parse(rows[i].body, &r, &e));
        assert_int_equal(e.code, ERR_USAGE);
        if (!strstr(e.text, rows[i].whose) || !strstr(e.text, "/v1"))
            fail_msg("%s", e.text);
        assert_int_equal(r.tokens_in, rows[i].in);
        assert_int_equal(r.tokens_out, rows[i].out);
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
         NULL, 400},
        {"{\"detail\":[{\"msg\":\"x\"}]}", "x", NULL, 0},
        {"{\"detail\":[{\"loc\":[\"body\",\"seed\"],\"msg\":\"no\"},"
         "{\"loc\":[\"body\",\"stop\",0],\"msg\":\"too long\"}]}",
         "body.seed: no; body.stop.0: too long", NULL, 0},
        {"{\"detail\":\"Not Found\"}", "Not Found", NULL, 0},
        {"[{\"error\":{\"code\":429,\"message\":\"quota\",\"status\":"
         "\"RESOURCE_EXHAUSTED\"}}]", "quota", NULL, 429},
        {"{\"error\":{\"message\":\"Provider returned error\",\"code\":400,"
         "\"metadata\":{\"raw\":\"{\\\"error\\\":{\\\"message\\\":"
         "\\\"one image\\\"}}\",\"provider_name\":\"P\"}}}",
         "Provider returned error: one image (P)", NULL, 400},
        {"{\"error\":{\"message\":\"Provider returned error\",\"metadata\":"
         "{\"raw\":\"upstream is down\"}}}",
         "Provider returned error: upstream is down", NULL, 0},
        {"{\"error\":{\"message\":\"\",\"type\":\"overloaded_error\"}}",
         "{\"message\":\"\",\"type\":\"overloaded_error\"}", NULL, 503},
        {"{\"error\":{\"message\":\"slow down\",\"code\":"
         "\"rate_limit_exceeded\"}}", "slow down", NULL, 429},
        {"{\"message\":\"boom\",\"type\":\"server_error\"}", "boom", NULL, 500},
        {"{\"error\":{\"message\":\"pay\",\"code\":\"insufficient_quota\","
         "\"type\":\"insufficient_quota\"}}", "pay", NULL, 402},
        {"{\"error\":\"Rate limit reached for m\"}",
         "Rate limit reached for m", NULL, 429},
        {"{\"error\":{\"message\":\"bad\",\"code\":\"400\"}}", "bad", NULL,
         400},
        {"{\"success\":false,\"errors\":[{\"code\":7,\"message\":\"cf\"}]}",
         "cf", NULL, 0},
        {"{\"base_resp\":{\"status_code\":1004,\"status_msg\":\"mm\"}}",
         "mm", NULL, 0},
        {"{\"error\":{\"message\":\"invalid\",\"type\":"
         "\"invalid_request_error\",\"param\":\"stop\"}}", "invalid",
         "stop", 0},
        {"<html>oops", "oops", NULL, 0},
        {"<html><head><title>502 Bad Gateway</title></head><body><center>"
         "<h1>x</h1></center></body>", "502 Bad Gateway", NULL, 0},
        {"upstream  connect error", "upstream  connect error", NULL, 0},
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

/* Every beginning of the stream is an answer that is cut, or none, until its
 * finish reason was seen. */
static void test_stream_cuts(void **state)
{
    (void)state;
    size_t whole = strlen(stream), done = whole - 2; /* behind [DONE] */
    static const char last[] = "\"tool_calls\"}]}";
    size_t end = (size_t)(strstr(stream, last) - stream) + sizeof last - 1;
    for (size_t n = 0; n < done; n++) {
        struct reply r;
        struct err e = {0};
        bool ok = feed(stream, n, NULL, 0, &r, &e);
        bool ended = n >= end; /* the finish reason was seen */
        for (size_t i = 0; ok && i < r.n; i++) {
            assert_int_equal(r.at[i].complete, ended);
            assert_string_equal(r.at[i].finish, ended ? "tool_calls" : "cut");
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
    assert_string_equal(r.at[0].finish, "stop");
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

/* What streams come to: the text and how it ended, the error, or "!" and why
 * it is no answer. */
static void test_stream_kinds(void **state)
{
    (void)state;
#define SAY(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text \
                  "\"}}]}\n\n"
#define STOP "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}" \
             "\n\n"
    static const char *const rows[][2] = {
        {"data: : keepalive\n\n" SAY("a") STOP "data: [DONE]\n\n", "a|stop"},
        {": ping\n\n" SAY("a") "event: ping\ndata: {\"type\":\"ping\"}\n\n"
         SAY("b") STOP, "ab|stop"},
        {"event: queue\ndata: {\"message\":\"you are 3rd\"}\n\n" SAY("a")
         "data: ping\n\ndata: \n\ndata: {}\n\ndata: [done]\n\n", "a|stop"},
        {"data: " SAY("a") "data: " STOP "data: data: [DONE]\n\n", "a|stop"},
        {SAY("a") STOP "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,"
         "\"completion_tokens\":1}}\n\n", "a|stop"},
        {SAY("a") "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n",
         "a|stop"},
        {"data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n" SAY("a"),
         "a|cut"},
        {SAY("a") SAY("b"), "ab|cut"},
        {SAY("a \\ud83d") SAY("\\ude00 b") STOP, "a \xf0\x9f\x98\x80 b|stop"},
        {SAY("a \xf0\x9f") SAY("\x98\x80 b") STOP,
         "a \xf0\x9f\x98\x80 b|stop"},
        {SAY("a \\ud83d") SAY("b") STOP, "a \xef\xbf\xbd" "b|stop"},
        {"data: {\"choices\":[{\"text\":\"a\",\"finish_reason\":\"length\"}]}"
         "\n\n", "a|length"},
        {SAY("a") "data: {\"choices\":[{\"delta\":null,\"message\":{"
         "\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\n", "ab|stop"},
        {SAY("a") "event: error\ndata: {\"message\":\"boom\",\"type\":"
         "\"server_error\"}\n\n", "500 boom"},
        {SAY("a") "event: error\ndata: boom\n\n", "0 boom"},
        {SAY("a") "error: {\"code\":503,\"message\":\"loading\"}\n\n",
         "503 loading"},
        {SAY("a") "data: {\"error\":\"boom\"}\n\n", "0 boom"},
        {SAY("a") "data: {\"object\":\"error\",\"message\":\"boom\","
         "\"code\":400}\n\n", "400 boom"},
        {SAY("a") "data: {\"error\":{\"code\":\"server_error\",\"message\":"
         "\"gone\"},\"choices\":[{\"delta\":{\"content\":\"\"},"
         "\"finish_reason\":\"error\"}]}\n\n", "500 gone"},
        {SAY("a") STOP "data: {\"error\":\"usage is not counted\"}\n\n",
         "a|stop"},
        {SAY("a") "data: {\"error\":null,\"choices\":[{\"delta\":{},"
         "\"finish_reason\":\"stop\"}]}\n\n", "a|stop"},
        {SAY("a") "data: {\"choices\":[{\"delta\":{},\"finish_reason\":"
         "\"stop\",\"native_finish_reason\":\"max_tokens\"}]}\n\n",
         "a|length"},
        {SAY("a") STOP "data: {\"choices\":[{\"delta\":{},"
         "\"native_finish_reason\":\"length\"}]}\n\n" STOP, "a|length"},
        {"event: message_start\ndata: {\"type\":\"message_start\","
         "\"message\":{\"content\":[]}}\n\nevent: ping\ndata: {\"type\":"
         "\"ping\"}\n\n", "! the reply is in the form of Anthropic "
         "(Messages), not of chat completions: is the url right? It should "
         "be like https://api.anthropic.com/v1"},
        {"event: response.created\ndata: {\"type\":\"response.created\","
         "\"response\":{\"output\":[]}}\n\n", "! the reply is in the form "
         "of OpenAI's Responses, not of chat completions: is the url right? "
         "It should be like https://api.openai.com/v1"},
        {"data: [DONE]\n\n", "! a reply without an answer"},
        {"data: Internal Server Error\n\n",
         "! a reply without an answer: Internal Server Error"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r;
        struct err e = {0};
        bool ok = feed(rows[i][0], strlen(rows[i][0]), NULL, 0, &r, &e);
        char *got = !ok       ? xasprintf("! %s", e.text)
                    : r.error ? xasprintf("%d %s", r.error_status, r.error)
                              : xasprintf("%s|%s", r.at[0].answer.content,
                                          r.at[0].finish);
        assert_string_equal(got, rows[i][1]);
        free(got);
        reply_free(&r);
    }
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
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_stream_splits),
        cmocka_unit_test(test_stream_cuts),
        cmocka_unit_test(test_stream_shapes),
        cmocka_unit_test(test_stream_kinds),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_sse_limit),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_retry_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
