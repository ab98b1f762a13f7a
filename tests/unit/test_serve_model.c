/* A student behind the server: a tiny nano is made and trained here, and
 * asked over a Unix socket. Beside it stands the same nano untrained, whose
 * answers are noise: bytes that are no UTF-8, special tokens, NULs.
 *
 * The official Python client works unchanged with it. Tried by hand with
 * openai 3.57.0 (Python 3.11): models.list; chat.completions.create whole
 * and streamed with include_usage, n = 2, logprobs with top_logprobs = 20,
 * seed (whole and streamed gave the same text); a prompt over the context
 * raised BadRequestError with our sentence; 16 threads asking at once with
 * one seed all got one text; chat.completions.stream gave the whole. */
#include "unit/serving.h"
#include "unit/test.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/utf8.h"
#include "model/serve/address.h"
#include "model/serve/thought.h"
#include "model/token/json_prefix.h"

static char *learnt_socket, *noise_socket;
static pid_t learnt = -1, noise = -1;

static char *at_home(const char *name)
{
    return xasprintf("%s/%s", getenv("HOME"), name);
}

/* "twice 36" is answered by "6 or só né", the last digit. */
static bool write_rows(const char *path)
{
    struct buf b = BUF_INIT(0);
    struct err e = {0};
    for (int i = 0; i < 300; i++)
        buf_printf(&b, "{\"id\":%d,\"prompt\":[{\"role\":\"user\","
                       "\"content\":\"twice %d%d\"}],\"answer\":{\"content\":"
                       "\"%d or s\xc3\xb3 n\xc3\xa9\"}}\n",
                   i, i % 7, i % 10, i % 10);
    bool ok = file_replace(path, b.data, b.len, 0600, false, &e);
    buf_free(&b);
    return ok;
}

static int run_program(const char *const args[], struct buf *out)
{
    VEC(const char *) argv = {0};
    struct err e = {0};
    VEC_PUSH(&argv, program);
    for (; *args; args++)
        VEC_PUSH(&argv, *args);
    VEC_PUSH(&argv, NULL);
    int code = proc_capture(argv.at, NULL, NULL, out, &e);
    VEC_FREE(&argv);
    return code;
}

static bool make_student(const char *nano, const char *out)
{
    char *rows = at_home("rows.jsonl");
    const char *make[] = {"new", nano, "--rows", rows, "--hidden", "64",
                          "--layers", "2", "--heads", "2", "--kv-heads", "1",
                          "--ffn", "128", "--vocab", "300", NULL};
    const char *train[] = {"train", nano, "--rows", rows, "--valid", rows,
                           "--out", out, "--steps", "150", "--batch-tokens",
                           "512", "--eval-every", "150", NULL};
    struct buf said = BUF_INIT(1 << 20);
    bool ok = write_rows(rows) && run_program(make, &said) == 0 &&
              run_program(train, &said) == 0;
    if (!ok)
        fprintf(stderr, "%s\n", buf_str(&said));
    buf_free(&said);
    free(rows);
    return ok;
}

static char *serve(const char *dir, const char *name, pid_t *pid)
{
    char *path = at_home(name), *listen = xasprintf("unix:%s", path);
    const char *args[] = {dir, "--listen", listen, NULL};
    free(start(args, pid));
    free(listen);
    return path;
}

static int start_all(void **state)
{
    (void)state;
    if (!find_program())
        return -1;
    free(socket_path);
    char *nano = at_home("nano"), *out = at_home("run");
    char *model = at_home("run/model");
    bool ok = make_student(nano, out);
    if (ok) {
        learnt_socket = serve(model, "learnt", &learnt);
        noise_socket = serve(nano, "noise", &noise);
    }
    free(nano);
    free(out);
    free(model);
    return !ok;
}

static int stop_all(void **state)
{
    (void)state;
    int status = stop(learnt, SIGTERM) | stop(noise, SIGTERM);
    free(learnt_socket);
    free(noise_socket);
    free(program);
    return status;
}

/* Asks the trained or the untrained one; `more` stands before the question. */
static char *ask_about(const char *what, bool trained, const char *more)
{
    socket_path = trained ? learnt_socket : noise_socket;
    char *body = xasprintf("{%s\"messages\":[{\"role\":\"user\",\"content\":"
                           "\"%s\"}]}", more, what);
    char *reply = post("", body);
    free(body);
    assert_int_equal(status_of(reply), 200);
    return reply;
}

static char *ask(bool trained, const char *more)
{
    return ask_about("twice 36", trained, more);
}

static json *ask_json(bool trained, const char *more)
{
    char *reply = ask(trained, more);
    json *j = body_of(reply);
    free(reply);
    return j;
}

static const char *finish(const json *j)
{
    return json_get_string(json_first(json_get(j, "choices")),
                           "finish_reason", "");
}

static void it_says_what_it_learnt(void **state)
{
    (void)state;
    json *j = ask_json(true, "\"temperature\":0,\"n\":2,");
    assert_string_equal(json_get_string(j, "model", ""), "model");
    assert_string_equal(content(j, 0), "6 or s\xc3\xb3 n\xc3\xa9");
    assert_string_equal(content(j, 1), content(j, 0));
    assert_string_equal(finish(j), "stop");
    const json *u = json_get(j, "usage");
    int64_t in = json_get_int(u, "prompt_tokens", 0);
    int64_t out = json_get_int(u, "completion_tokens", 0);
    assert_true(in > 2 && out > 2 && out % 2 == 0);
    assert_int_equal(json_get_int(u, "total_tokens", 0), in + out);
    json_free(j);
}

static void limits_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *more, *text, *finish;
    } rows[] = {
        {"\"stop\":\"s\xc3\xb3\",", "6 or ", "stop"},
        {"\"stop\":[\"never\",\"\",\"r s\"],", "6 o", "stop"},
        {"\"stop\":[\"n\xc3\xa9!\",\"\xc3\xa9\"],",
         "6 or s\xc3\xb3 n", "stop"},
        {"\"stop\":\"n\xc3\xa9!\",", "6 or s\xc3\xb3 n\xc3\xa9", "stop"},
        {"\"max_tokens\":1,", "6", "length"},
        {"\"max_tokens\":500,", "6 or s\xc3\xb3 n\xc3\xa9", "stop"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *more = xasprintf("\"temperature\":0,%s", rows[i].more);
        json *j = ask_json(true, more);
        assert_string_equal(content(j, 0), rows[i].text);
        assert_string_equal(finish(j), rows[i].finish);
        json_free(j);
        free(more);
    }
}

static void the_context_is_a_limit(void **state)
{
    (void)state;
    json *j = ask_json(false, "\"seed\":4,");
    const json *u = json_get(j, "usage");
    if (!strcmp(finish(j), "length"))
        assert_int_equal(json_get_int(u, "total_tokens", 0), 512);
    else
        assert_true(json_get_int(u, "total_tokens", 0) < 512);
    json_free(j);
    for (int stream = 0; stream < 2; stream++) {
        char *body = xasprintf("{\"stream\":%s,\"messages\":[{\"role\":"
                               "\"user\",\"content\":\"%0600d\"}]}",
                               stream ? "true" : "false", 7);
        char *reply = post("", body);
        assert_int_equal(status_of(reply), 400);
        assert_non_null(strstr(reply, "the prompt has 602 tokens"));
        free(reply);
        free(body);
    }
}

/* The bytes of a list of tokens, put together. */
static char *bytes_of(const json *tokens)
{
    struct buf b = BUF_INIT(0);
    for (const json *t = json_first(tokens); t; t = json_next(t))
        for (const json *c = json_first(json_get(t, "bytes")); c;
             c = json_next(c))
            buf_putc(&b, (char)json_number(c, 0));
    return buf_take(&b);
}

static void log_probabilities(void **state)
{
    (void)state;
    json *j = ask_json(true, "\"temperature\":0,\"logprobs\":true,"
                             "\"top_logprobs\":20,");
    const json *tokens = json_get(json_get(json_first(json_get(j, "choices")),
                                           "logprobs"), "content");
    assert_int_equal(json_count(tokens),
                     json_get_int(json_get(j, "usage"), "completion_tokens",
                                  0));
    char *bytes = bytes_of(tokens);
    assert_string_equal(bytes, content(j, 0));
    free(bytes);
    for (const json *t = json_first(tokens); t; t = json_next(t)) {
        const json *top = json_get(t, "top_logprobs");
        double last = json_get_number(t, "logprob", 1);
        assert_int_equal(json_count(top), 20);
        assert_string_equal(json_get_string(t, "token", ""),
                            json_get_string(json_first(top), "token", "?"));
        assert_true(last > -1 && last <= 0);
        for (const json *o = json_first(top); o; o = json_next(o)) {
            double p = json_get_number(o, "logprob", 1);
            assert_true(p <= last);
            last = p;
        }
    }
    json_free(j);
}

static void seeds_decide(void **state)
{
    (void)state;
    json *a = ask_json(false, "\"max_tokens\":30,\"seed\":0,\"n\":2,");
    json *b = ask_json(false, "\"max_tokens\":30,\"seed\":0,\"n\":2,");
    json *c = ask_json(false, "\"max_tokens\":30,");
    json *d = ask_json(false, "\"max_tokens\":30,");
    json *greedy = ask_json(false, "\"max_tokens\":9,\"temperature\":0,");
    json *narrow = ask_json(false, "\"max_tokens\":9,\"top_p\":0,");
    assert_string_equal(content(a, 0), content(b, 0));
    assert_string_equal(content(a, 1), content(b, 1));
    assert_string_not_equal(content(a, 0), content(a, 1));
    assert_string_not_equal(content(c, 0), content(d, 0));
    assert_string_equal(content(greedy, 0), content(narrow, 0));
    json *const all[] = {a, b, c, d, greedy, narrow};
    for (size_t i = 0; i < COUNT(all); i++)
        json_free(all[i]);
}

static void streams_are_whole_characters(void **state)
{
    (void)state;
    int events, all = 0; /* a stop may come soon, but not each time */
    for (int seed = 1; seed <= 12; seed++) {
        char *more = xasprintf("\"seed\":%d,\"max_tokens\":80,\"logprobs\":"
                               "true,\"stop\":[\"qq\",\"z\"],", seed);
        json *j = ask_json(false, more);
        char *with = xasprintf("\"stream\":true,%s", more);
        char *reply = ask(false, with);
        char *text = streamed(reply, &events);
        assert_string_equal(text, content(j, 0));
        assert_int_equal(utf8_check(text, strlen(text)), strlen(text));
        assert_non_null(strstr(reply, "data: [DONE]"));
        all += events;
        json_free(j);
        free(more);
        free(with);
        free(reply);
        free(text);
    }
    assert_true(all > 12 * 4);
}

static int send_long(void)
{
    static const char body[] =
        "{\"n\":16,\"seed\":1,\"messages\":[{\"role\":\"user\",\"content\":"
        "\"twice 36\"}]}";
    char *request = xasprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: x"
                              "\r\nContent-Length: %zu\r\n\r\n%s",
                              strlen(body), body);
    int fd = unix_connect(noise_socket);
    assert_true(fd >= 0);
    assert_true(fd_write_all(fd, request, strlen(request)));
    free(request);
    return fd;
}

/* A short question is answered while long ones are still being answered. */
static void they_take_turns(void **state)
{
    (void)state;
    int fd[4];
    char c;
    for (size_t i = 0; i < COUNT(fd); i++)
        fd[i] = send_long();
    json_free(ask_json(false, "\"max_tokens\":3,"));
    for (size_t i = 0; i < COUNT(fd); i++) {
        assert_int_equal(recv(fd[i], &c, 1, MSG_PEEK | MSG_DONTWAIT), -1);
        assert_int_equal(errno, EAGAIN);
        close(fd[i]);
    }
}

/* The same seed gives the same tokens, whatever else is being answered, and
 * whether the prompt's beginning stands in a cache or not. */
static void company_changes_nothing(void **state)
{
    (void)state;
    static const char more[] = "\"seed\":5,\"max_tokens\":60,\"top_p\":0.9,"
                               "\"frequency_penalty\":0.5,";
    char prompt[150] = {0}, *reply[3];
    int fd[3];
    for (int i = 0; i < 149; i++)
        prompt[i] = (char)('a' + i * i % 23);
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            for (int k = 0; k < 3; k++)
                fd[k] = send_long();
        char *whole = ask_about(prompt, false, more);
        json *j = body_of(whole);
        reply[i] = xstrdup(content(j, 0));
        int64_t cached = json_get_int(
            json_get(json_get(j, "usage"), "prompt_tokens_details"),
            "cached_tokens", -1);
        assert_true(i ? cached >= 64 && cached % 64 == 0 : cached == 0);
        json_free(j);
        free(whole);
    }
    assert_true(*reply[0]);
    assert_string_equal(reply[0], reply[1]);
    assert_string_equal(reply[0], reply[2]);
    for (int i = 0; i < 3; i++) {
        close(fd[i]);
        free(reply[i]);
    }
}

/* What is not honoured is refused by its name. */
static void unknown_fields_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"\"best_of\":3", "best_of"},
        {"\"min_p\":2", "min_p"},
        {"\"logit_bias\":{\"x\":1}", "logit_bias"},
        {"\"top_logprobs\":21,\"logprobs\":true", "top_logprobs"},
        {"\"response_format\":{\"type\":\"xml\"}", "response_format"},
        {"\"response_format\":\"json_object\"", "response_format"},
        {"\"top_logprobs\":3", "top_logprobs"},
        {"\"echo\":true", "echo"},
        {"\"model\":5", "model"},
        {"\"tools\":\"x\"", "tools"},
        {"\"response_format\":{}", "response_format"},
        {"\"stream_options\":{\"include_usage\":true}", "needs stream"},
        {"\"stream\":true,\"stream_options\":{\"foo\":1}", "foo"},
        {"\"chat_template_kwargs\":[]", "chat_template_kwargs"},
    };
    socket_path = noise_socket;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char *body = xasprintf("{%s,\"messages\":[{\"role\":\"user\","
                               "\"content\":\"x\"}]}", wrong[i][0]);
        char *reply = post("", body);
        assert_int_equal(status_of(reply), 400);
        assert_non_null(strstr(reply, wrong[i][1]));
        free(body);
        free(reply);
    }
}

static json *complete(const char *fields)
{
    char *body = xasprintf("{%s}", fields);
    socket_path = noise_socket;
    char *reply = post_to("/v1/completions", body);
    json *j = body_of(reply);
    assert_int_equal(status_of(reply), 200);
    free(body);
    free(reply);
    return j;
}

/* Given text is scored, as `score` scores it; more than one at a time. */
static void given_text_is_scored(void **state)
{
    (void)state;
    json *j = complete("\"prompt\":[\"twice 36\",[40,41,42,43]],"
                       "\"max_tokens\":0,\"echo\":true,\"logprobs\":2");
    const json *choices = json_get(j, "choices");
    assert_int_equal(json_count(choices), 2);
    assert_string_equal(json_get_string(json_first(choices), "text", ""),
                        "twice 36");
    const json *ids = json_get(json_next(json_first(choices)), "logprobs");
    const json *p = json_get(ids, "token_logprobs");
    assert_int_equal(json_count(p), 4);
    assert_int_equal(json_count(json_get(ids, "text_offset")), 4);
    assert_true(json_is_null(json_first(p)));
    assert_int_equal(json_count(json_next(json_first(
                         json_get(ids, "top_logprobs")))), 2);
    char *nano = at_home("nano"), *asked = at_home("ids");
    char *command = xasprintf("echo '{\"ids\":[40,41,42,43]}' | '%s' score '%s'"
                              " > '%s'", program, nano, asked);
    assert_int_equal(system(command), 0);
    struct buf b = BUF_INIT(4096);
    struct err e;
    assert_ok(file_read(asked, 4096, &b, &e), e);
    json *scores = json_parse(buf_str(&b), b.len, &e);
    const json *want = json_first(json_get(scores, "logprobs"));
    for (const json *x = json_next(json_first(p)); x;
         x = json_next(x), want = json_next(want))
        assert_true(fabs(json_number(x, 0) - json_number(want, 1)) < 1e-4);
    json_free(scores);
    json_free(j);
    buf_free(&b);
    free(nano);
    free(asked);
    free(command);
}

/* An echo stands before what is answered; pieces have the whole's text. */
static void texts_go_on(void **state)
{
    (void)state;
    static const char fields[] = "\"prompt\":\"twice 36\",\"max_tokens\":8,"
                                 "\"temperature\":0,\"echo\":true,"
                                 "\"logprobs\":1";
    json *j = complete(fields);
    const json *c = json_first(json_get(j, "choices"));
    const char *text = json_get_string(c, "text", "");
    assert_true(!strncmp(text, "twice 36", 8) && strlen(text) > 8);
    const json *tokens = json_get(json_get(c, "logprobs"), "tokens");
    assert_int_equal(json_get_int(json_get(j, "usage"), "completion_tokens",
                                  0) +
                         json_get_int(json_get(j, "usage"), "prompt_tokens",
                                      0),
                     json_count(tokens));
    char *body = xasprintf("{%s,\"stream\":true}", fields);
    char *reply = post_to("/v1/completions", body);
    assert_int_equal(status_of(reply), 200);
    assert_non_null(strstr(reply, "\"text\":\"twice 36\""));
    assert_non_null(strstr(reply, "data: [DONE]"));
    json_free(j);
    free(body);
    free(reply);
}

/* Where a request does not say how to draw, the folder does; here: never. */
static void the_folder_says_how_to_draw(void **state)
{
    (void)state;
    static const char text[] = "{\"temperature\":0,\"top_k\":7}";
    struct err e = {0};
    char *nano = at_home("nano");
    char *path = path_join(nano, "generation_config.json");
    assert_ok(file_replace(path, text, strlen(text), 0600, false, &e), e);
    pid_t pid = -1;
    char *own = socket_path = serve(nano, "drawn", &pid), *said[3];
    for (int i = 0; i < 3; i++) {
        char *body = xasprintf("{\"prompt\":\"twice 3\",\"seed\":%d,"
                               "\"max_tokens\":20%s}", i,
                               i == 2 ? ",\"temperature\":1,\"top_k\":0" : "");
        char *reply = post_to("/v1/completions", body);
        json *j = body_of(reply);
        said[i] = xstrdup(json_get_string(json_first(json_get(j, "choices")),
                                          "text", ""));
        json_free(j);
        free(reply);
        free(body);
    }
    assert_string_equal(said[0], said[1]);
    assert_string_not_equal(said[0], said[2]);
    assert_int_equal(stop(pid, SIGTERM), 0);
    unlink(path);
    for (int i = 0; i < 3; i++)
        free(said[i]);
    free(own);
    free(path);
    free(nano);
}

/* What `generate` may draw from: where that is the likeliest token alone it
 * says what it says without drawing, and with penalties something else. */
static void generate_draws(void **state)
{
    (void)state;
    char *nano = at_home("nano");
    struct buf greedy = BUF_INIT(4096), drawn = BUF_INIT(4096);
    struct buf other = BUF_INIT(4096);
    const char *plain[] = {"generate", nano, "--prompt", "twice 36", NULL};
    const char *one[] = {"generate", nano, "--prompt", "twice 36",
                         "--temperature", "1", "--min-p", "1", NULL};
    const char *less[] = {"generate", nano, "--prompt", "twice 36",
                          "--repetition-penalty", "3", "--presence-penalty",
                          "2", "--frequency-penalty", "2", NULL};
    const char *wrong[] = {"generate", nano, "--prompt", "twice 36",
                           "--repetition-penalty", "0", NULL};
    assert_int_equal(run_program(plain, &greedy), 0);
    assert_int_equal(run_program(one, &drawn), 0);
    assert_int_equal(run_program(less, &other), 0);
    assert_string_equal(buf_str(&greedy), buf_str(&drawn));
    assert_string_not_equal(buf_str(&greedy), buf_str(&other));
    assert_int_equal(run_program(wrong, &other), 2);
    buf_free(&greedy);
    buf_free(&drawn);
    buf_free(&other);
    free(nano);
}

/* An adapter is a model of its own beside the student, unmerged, and what it
 * says is what `generate --adapter` says; a training goes on with it. */
static void adapters_are_models(void **state)
{
    (void)state;
    char *nano = at_home("nano"), *out = at_home("lora"), *on = at_home("on");
    char *rows = at_home("rows.jsonl"), *adapter = at_home("lora/adapter");
    const char *train[] = {"train", nano, "--rows", rows, "--out", out,
                           "--lora", "4", "--steps", "30", "--rate", "0.02",
                           NULL};
    const char *go_on[] = {"train", nano, "--rows", rows, "--out", on,
                           "--adapter", adapter, "--steps", "2", NULL};
    const char *say[] = {"generate", nano, "--adapter", adapter, "--prompt",
                         "twice 36", "--max-tokens", "12", NULL};
    struct buf said = BUF_INIT(1 << 20), text = BUF_INIT(4096);
    pid_t pid = -1;
    assert_int_equal(run_program(train, &said), 0);
    assert_int_equal(run_program(go_on, &said), 0);
    assert_int_equal(run_program(say, &text), 0);
    char *path = at_home("adapters"), *listen = xasprintf("unix:%s", path);
    const char *args[] = {nano, "--adapter", adapter, "--listen", listen,
                          NULL};
    free(start(args, &pid));
    socket_path = path;
    char *models = talk("GET /v1/models HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(models, "\"id\":\"nano\""));
    assert_non_null(strstr(models, "\"id\":\"lora\""));
    static const char *const ask_for[] = {"lora", "nano", "neither"};
    char *got[3];
    for (int i = 0; i < 3; i++) {
        char *body = xasprintf("{\"model\":\"%s\",\"prompt\":\"twice 36\","
                               "\"max_tokens\":12,\"temperature\":0}",
                               ask_for[i]);
        char *reply = post_to("/v1/completions", body);
        assert_int_equal(status_of(reply), i < 2 ? 200 : 404);
        json *j = body_of(reply);
        got[i] = xstrdup(json_get_string(
            json_first(json_get(j, "choices")), "text", ""));
        if (i < 2)
            assert_string_equal(json_get_string(j, "model", ""), ask_for[i]);
        json_free(j);
        free(body);
        free(reply);
    }
    size_t n = strlen(got[0]);
    assert_int_equal(strncmp(buf_str(&text), got[0], n), 0);
    assert_string_not_equal(got[0], got[1]);
    stop(pid, SIGTERM);
    char *const all[] = {nano, out, on, rows, adapter, path, listen, models,
                         got[0], got[1], got[2]};
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]);
    buf_free(&said);
    buf_free(&text);
}

/* Thoughts are told apart, however the text is cut. */
static void thoughts_are_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *thought, *said;
    } cases[] = {
        {"<think>\nwhy\n</think>\n\nso < it", "why\n", "so < it"},
        {"no <think>x</think>", "", "no <think>x</think>"},
        {" \n<think>a </thin b</think>c", "a </thin b", "c"},
        {"<think>never ends", "never ends", ""},
        {"<thin", "", "<thin"},
        {"", "", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t step = 1; step < 9; step++) {
            struct thought t = {.held = BUF_INIT(1000)};
            struct buf thought = BUF_INIT(1000), said = BUF_INIT(1000);
            size_t n = strlen(cases[i].text);
            for (size_t at = 0; at < n; at += step)
                thought_feed(&t, cases[i].text + at,
                             step < n - at ? step : n - at, false, &thought,
                             &said);
            thought_feed(&t, "", 0, true, &thought, &said);
            assert_string_equal(buf_str(&thought), cases[i].thought);
            assert_string_equal(buf_str(&said), cases[i].said);
            buf_free(&thought);
            buf_free(&said);
            thought_free(&t);
        }
}

/* Even noise becomes one JSON object where that is asked for. */
static void answers_are_json(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fits, done;
    } cases[] = {
        {"{\"a\": [1, -2.5e+3, true, null, {}], \"b\":\"\\u00e9\"}", true,
         true},
        {"{\"a\":0.1 ,", true, false}, {"{\"a\":01", false, false},
        {"{\"a\":1 ", true, false},    {"[1]", false, false},
        {"{\"a\":.5", false, false},   {"{\"a\" 1", false, false},
        {"{,", false, false},          {"{\"a\":[1}", false, false},
        {"{\"a\":tru}", false, false}, {"{}x", false, false},
        {"{\"a\":1,}", false, false},  {"{\"a\":\"\n", false, false},
        {"{\"a\":-}", false, false},   {"{\"a\":[[]]}", true, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_prefix j = {0};
        bool fits = json_prefix_feed(&j, cases[i].text,
                                     strlen(cases[i].text));
        if (fits != cases[i].fits ||
            (fits && json_prefix_done(&j) != cases[i].done))
            fail_msg("%s", cases[i].text);
    }
    for (int seed = 1; seed < 6; seed++) {
        char *more = xasprintf("\"seed\":%d,\"max_tokens\":200,\"response_"
                               "format\":{\"type\":\"json_object\"},", seed);
        json *j = ask_json(false, more);
        struct json_prefix p = {0};
        const char *text = content(j, 0);
        assert_true(json_prefix_feed(&p, text, strlen(text)));
        assert_true(*text == '{');
        json_free(j);
        free(more);
    }
}

/* An answer that a stop text ends early leaves nothing behind that the engine
 * still reads (under ASan it would tell). */
static void biases_outlive_the_request(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char *more = xasprintf("\"seed\":%d,\"max_tokens\":90,\"logit_bias\":"
                               "{\"65\":9,\"66\":9,\"299\":1},\"stop\":[\"d\","
                               "\"e\",\"b\"],", i);
        json_free(ask_json(false, more));
        free(more);
    }
}

/* A token that is forbidden never comes; one that is pushed always does. */
static void biases_decide(void **state)
{
    (void)state;
    json *j = ask_json(false, "\"max_tokens\":5,\"temperature\":0,"
                              "\"logit_bias\":{\"70\":100},\"logprobs\":true,"
                              "\"stillroom_top_logprobs\":90,");
    const json *all = json_get(json_get(json_first(json_get(j, "choices")),
                                        "logprobs"), "content");
    const char *token = json_get_string(json_first(all), "token", "");
    assert_int_equal(json_count(all), 5);
    for (const json *t = json_first(all); t; t = json_next(t)) {
        assert_string_equal(json_get_string(t, "token", ""), token);
        assert_int_equal(json_count(json_get(t, "top_logprobs")), 90);
    }
    json_free(j);
}

static void folders_that_are_none(void **state)
{
    (void)state;
    struct buf out = BUF_INIT(1000);
    char *model = at_home("run/model"), *odd = at_home("odd");
    char *path = at_home("odd/tokenizer_config.json");
    const char *copy[] = {"/bin/cp", "-r", model, odd, NULL};
    struct err e = {0};
    assert_int_equal(proc_capture(copy, NULL, NULL, &out, &e), 0);
    static const char template[] = "{\"eos_token\":\"<|end|>\","
                                   "\"chat_template\":\"{{ messages\"}";
    assert_ok(file_replace(path, template, sizeof template - 1, 0600, false,
                           &e), e);
    const char *args[] = {"serve", odd, NULL};
    assert_int_equal(run_program(args, &out), 1);
    args[1] = getenv("HOME");
    assert_int_equal(run_program(args, &out), 1);
    buf_free(&out);
    free(model);
    free(odd);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_it_learnt),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(the_context_is_a_limit),
        cmocka_unit_test(log_probabilities),
        cmocka_unit_test(seeds_decide),
        cmocka_unit_test(streams_are_whole_characters),
        cmocka_unit_test(they_take_turns),
        cmocka_unit_test(company_changes_nothing),
        cmocka_unit_test(unknown_fields_are_refused),
        cmocka_unit_test(biases_decide),
        cmocka_unit_test(biases_outlive_the_request),
        cmocka_unit_test(the_folder_says_how_to_draw),
        cmocka_unit_test(generate_draws),
        cmocka_unit_test(adapters_are_models),
        cmocka_unit_test(answers_are_json),
        cmocka_unit_test(thoughts_are_apart),
        cmocka_unit_test(given_text_is_scored),
        cmocka_unit_test(texts_go_on),
        cmocka_unit_test(folders_that_are_none),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
