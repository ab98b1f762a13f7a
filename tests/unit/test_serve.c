/* Starts `stillroom-model serve builtin` on a Unix socket and on a port, and
 * speaks plain HTTP to it. */
#include "unit/serving.h"
#include "unit/test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"
#include "model/serve/address.h"

static pid_t server = -1;

/* Starts the built-in teacher, which makes no mistakes here. */
static char *start_builtin(const char *listen, pid_t *pid)
{
    const char *args[] = {"builtin", "--listen", listen, "--wrong", "0",
                          "--slips", "0", "--recipes", getenv("HOME"), NULL};
    return start(args, pid);
}

/* A recipe of a user's own, where the server is told to look. */
static void write_recipe(void)
{
    static const char text[] =
        "{\"name\":\"mine\",\"version\":1,\"kind\":\"expand\",\"about\":\"a\""
        ",\"draw\":{\"seeds\":1},\"steps\":[{\"name\":\"more\",\"over\":"
        "\"draw\",\"wanted\":3,\"messages\":[{\"role\":\"user\",\"text\":"
        "\"Wie {{#demonstrations}}<{{prompt}}>{{/demonstrations}} noch "
        "{{wanted}}!\"}],\"parse\":{\"as\":\"numbered\"}},{\"name\":\"why\","
        "\"over\":\"prompt\",\"messages\":[{\"insert\":\"prompt\"}],"
        "\"parse\":{\"as\":\"answer\",\"rationale\":true,\"marker\":"
        "\"Also:\"}}]}";
    struct err e = {0};
    char *path = xasprintf("%s/mine.json", getenv("HOME"));
    if (!file_replace(path, text, strlen(text), 0600, false, &e))
        fprintf(stderr, "%s\n", e.text);
    free(path);
}

static int start_all(void **state)
{
    (void)state;
    if (!find_program())
        return -1;
    char *listen = xasprintf("unix:%s", socket_path);
    write_recipe();
    char *address = start_builtin(listen, &server);
    int ok = strcmp(address, listen);
    free(address);
    free(listen);
    return ok;
}

static int stop_all(void **state)
{
    (void)state;
    int status = stop(server, SIGTERM);
    bool gone = !socket_path || !file_exists(socket_path);
    free(program);
    free(socket_path);
    return status || !gone;
}

#define EGGS                                                                  \
    "\"messages\":[{\"role\":\"user\",\"content\":\"Ana has 3 bags of 7 "     \
    "eggs and loses 4. How many now?\"}]"

static void models_are_listed(void **state)
{
    (void)state;
    char *reply = talk("GET /v1/models HTTP/1.1\r\nHost: x\r\n"
                       "Connection: close\r\n\r\n");
    assert_int_equal(status_of(reply), 200);
    json *j = body_of(reply);
    assert_string_equal(
        json_get_string(json_first(json_get(j, "data")), "id", ""),
        "builtin");
    json_free(j);
    free(reply);
}

static void one_model_is_named(void **state)
{
    (void)state;
    char *reply = talk("GET /v1/models/builtin HTTP/1.1\r\nHost: x\r\n"
                       "Connection: close\r\n\r\n");
    assert_int_equal(status_of(reply), 200);
    json *j = body_of(reply);
    assert_string_equal(json_get_string(j, "id", ""), "builtin");
    json_free(j);
    free(reply);
    reply = talk("GET /v1/models/other HTTP/1.1\r\nHost: x\r\n"
                 "Connection: close\r\n\r\n");
    assert_int_equal(status_of(reply), 404);
    free(reply);
}

static void a_plain_question(void **state)
{
    (void)state;
    char *reply = post("", "{\"model\":\"builtin\",\"n\":2,\"seed\":4," EGGS
                           "}");
    assert_int_equal(status_of(reply), 200);
    json *j = body_of(reply);
    assert_string_equal(content(j, 0), "3*7=21\n21-4=17\n#### 17");
    assert_string_equal(content(j, 1), "3*7=21\n21-4=17\n#### 17");
    const json *usage = json_get(j, "usage");
    int64_t in = json_get_int(usage, "prompt_tokens", 0);
    int64_t out = json_get_int(usage, "completion_tokens", 0);
    assert_true(in > 0 && out > 0);
    assert_int_equal(json_get_int(usage, "total_tokens", 0), in + out);
    assert_string_equal(json_get_string(json_first(json_get(j, "choices")),
                                        "finish_reason", ""), "stop");
    json_free(j);
    free(reply);
    reply = post("", "{\"messages\":[{\"role\":\"user\",\"content\":"
                     "\"Sing!\"}]}");
    assert_non_null(strstr(reply, "can only do problems"));
    free(reply);
}

static void limits_are_kept(void **state)
{
    (void)state;
    char *reply = post("", "{\"max_tokens\":2," EGGS "}");
    json *j = body_of(reply);
    assert_string_equal(content(j, 0), "3*7=21\n2");
    assert_string_equal(json_get_string(json_first(json_get(j, "choices")),
                                        "finish_reason", ""), "length");
    json_free(j);
    free(reply);
    reply = post("", "{\"stop\":[\"\\n####\"]," EGGS "}");
    j = body_of(reply);
    assert_string_equal(content(j, 0), "3*7=21\n21-4=17");
    json_free(j);
    free(reply);
}

static void answers_are_streamed(void **state)
{
    (void)state;
    char *reply = post("", "{\"stream\":true,\"stream_options\":{"
                           "\"include_usage\":true},\"n\":2,\"messages\":[{"
                           "\"role\":\"user\",\"content\":\"Sing!\"}]}");
    assert_int_equal(status_of(reply), 200);
    assert_non_null(strstr(reply, "Content-Type: text/event-stream"));
    assert_non_null(strstr(reply, "data: [DONE]\n\n"));
    struct buf text[2] = {BUF_INIT(0), BUF_INIT(0)};
    size_t events = 0, finished = 0, usage = 0;
    for (char *at = reply; (at = strstr(at, "data: {")); at++) {
        json *j = json_parse(at + 6, strcspn(at + 6, "\n"), NULL);
        assert_non_null(j);
        const json *c = json_first(json_get(j, "choices"));
        events++;
        usage += json_is_object(json_get(j, "usage"));
        if (c) {
            int64_t i = json_get_int(c, "index", 9);
            assert_true(i == 0 || i == 1);
            buf_puts(&text[i], json_get_string(json_get(c, "delta"),
                                               "content", ""));
            finished += json_is_string(json_get(c, "finish_reason"));
        }
        json_free(j);
    }
    assert_true(events > 10);
    assert_int_equal(finished, 2);
    assert_int_equal(usage, 1);
    assert_string_equal(buf_str(&text[0]), buf_str(&text[1]));
    assert_int_equal(strncmp(buf_str(&text[0]), "I'm sorry, I am", 15), 0);
    buf_free(&text[0]);
    buf_free(&text[1]);
    free(reply);
}

static void steps_are_told_by_a_header(void **state)
{
    (void)state;
    char *reply = post("Stillroom-Step: mine/why\r\n",
                       "{\"messages\":[{\"role\":\"user\",\"content\":"
                       "\"7 km is how many m?\"}]}");
    json *j = body_of(reply);
    assert_non_null(strstr(content(j, 0), "\nAlso: 7000"));
    json_free(j);
    free(reply);
    reply = post("Stillroom-Step: mine/more\r\n",
                 "{\"messages\":[{\"role\":\"user\",\"content\":\"Wie <7 km "
                 "is how many m?> noch 2!\"}]}");
    j = body_of(reply);
    assert_int_equal(strncmp(content(j, 0), "2. ", 3), 0);
    assert_non_null(strstr(content(j, 0), "\n3. "));
    assert_null(strstr(content(j, 0), "\n4. "));
    json_free(j);
    free(reply);
    static const char *const wrong[][2] = {
        {"Stillroom-Step: nosuch/x\r\n", "nosuch.json"},
        {"Stillroom-Step: ../x/y\r\n", "is not a recipe's name"},
        {"Stillroom-Step: mine/nosuch\r\n", "has no step"},
        {"Stillroom-Step: mine\r\n", "expected RECIPE/STEP"}};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        reply = post(wrong[i][0], "{" EGGS "}");
        assert_int_equal(status_of(reply), 400);
        if (!strstr(reply, wrong[i][1]))
            fail_msg("%s", reply);
        free(reply);
    }
}

static void bad_requests_get_one_sentence(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "the body is not JSON"},
        {"{", "the body is not JSON"},
        {"[]", "the body is not an object"},
        {"{}", "messages is missing"},
        {"{\"messages\":[]}", "the prompt is empty"},
        {"{\"messages\":[{\"role\":\"wizard\"}]}", "unknown role"},
        {"{\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}",
         "user's turn"},
        {"{\"n\":99," EGGS "}", "n: expected a number from 1 to 16"},
        {"{\"n\":1.5," EGGS "}", "n: expected a whole number"},
        {"{\"temperature\":\"hot\"," EGGS "}", "temperature: expected"},
        {"{\"max_tokens\":0," EGGS "}", "max_tokens: expected"},
        {"{\"stream\":1," EGGS "}", "stream: expected true or false"},
        {"{\"stop\":5," EGGS "}", "stop: expected"},
        {"{\"tools\":[{}]," EGGS "}", "tools are not served here"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *reply = post("", rows[i][0]);
        assert_int_equal(status_of(reply), 400);
        json *j = body_of(reply);
        const char *why = json_get_string(json_get(j, "error"), "message",
                                          "");
        if (!strstr(why, rows[i][1]))
            fail_msg("%s: %s", rows[i][0], why);
        json_free(j);
        free(reply);
    }
}

static void wrong_paths_and_methods(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int status;
    } rows[] = {{"GET / HTTP/1.1", 404},
                {"GET /v1/chat/completions HTTP/1.1", 405},
                {"POST /v1/models HTTP/1.1", 405},
                {"GET /v1/models/../.. HTTP/1.1", 404}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *request = xasprintf("%s\r\nHost: x\r\nConnection: close\r\n"
                                  "Content-Length: 0\r\n\r\n", rows[i].line);
        char *reply = talk(request);
        assert_int_equal(status_of(reply), rows[i].status);
        free(request);
        free(reply);
    }
    char *junk = talk("\x16\x03\x01 hello\r\n\r\n");
    assert_int_not_equal(status_of(junk), 200);
    free(junk);
}

/* A request that a proxy in front could read otherwise than we do. */
static void unclear_requests_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *headers;
    } rows[] = {
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nContent-Length: 2\r\nContent-Length: 4\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nTransfer-Encoding: gzip, chunked\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nTransfer-Encoding: identity\r\n"},
        {"POST /v1/completions HTTP/1.0",
         "Transfer-Encoding: chunked\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nContent-Length: +2\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nContent-Length: 2, 2\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nContent-Length : 2\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nContent-Length: -2\r\n"},
        {"POST /v1/completions HTTP/1.1", "Content-Length: 2\r\n"},
        {"POST /v1/completions HTTP/1.1",
         "Host: x\r\nHost: y\r\nContent-Length: 2\r\n"},
        {"GET /v1/models HTTP/1.1", ""},
        {"GET /health HTTP/1.1", ""}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *request = xasprintf("%s\r\n%s\r\n{}", rows[i].line,
                                  rows[i].headers);
        char *reply = talk(request);
        if (status_of(reply) != 400)
            fail_msg("%s: %s", request, reply);
        free(request);
        free(reply);
    }
    char *reply = talk("GET /v1/models HTTP/1.0\r\n\r\n");
    assert_non_null(strstr(reply, " 200 "));
    free(reply);
}

static void it_says_that_it_is_well(void **state)
{
    (void)state;
    char *reply = talk("GET /health HTTP/1.1\r\nHost: x\r\n"
                       "Connection: close\r\n\r\n");
    assert_int_equal(status_of(reply), 200);
    assert_non_null(strstr(reply, "\r\n\r\n{\"status\":\"ok\"}"));
    free(reply);
    reply = talk("HEAD /health HTTP/1.1\r\nHost: x\r\n"
                 "Connection: close\r\n\r\n");
    assert_int_equal(status_of(reply), 200);
    free(reply);
    reply = talk("POST /health HTTP/1.1\r\nHost: x\r\n"
                 "Connection: close\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(status_of(reply), 405);
    free(reply);
}

/* What changes nothing is taken; another value is refused by name. */
static void neutral_fields_are_taken(void **state)
{
    (void)state;
    static const char *const neutral[] = {
        "\"store\":false", "\"parallel_tool_calls\":true",
        "\"parallel_tool_calls\":false", "\"metadata\":{\"a\":\"b\"}",
        "\"service_tier\":\"auto\"", "\"service_tier\":\"default\"",
        "\"reasoning_effort\":\"high\"", "\"user\":\"me\"", "\"n\":1",
        "\"logit_bias\":{}", "\"logit_bias\":null",
        "\"response_format\":{\"type\":\"text\"}", "\"prediction\":null",
        "\"seed\":4", "\"tools\":[]", "\"tools\":null",
        "\"tool_choice\":\"none\"", "\"tool_choice\":\"auto\"",
        "\"functions\":[]", "\"modalities\":[\"text\"]", "\"audio\":null",
        "\"stop\":null", "\"stop\":[]", "\"stream_options\":null",
        "\"logprobs\":false", "\"top_logprobs\":0", "\"max_tokens\":null",
        "\"stream\":true,\"stream_options\":{\"include_usage\":false}",
        "\"min_tokens\":0", "\"length_penalty\":1.0",
        "\"skip_special_tokens\":true", "\"prompt_cache_key\":\"k\"",
        "\"safety_identifier\":\"u\""};
    for (size_t i = 0; i < COUNT(neutral); i++) {
        char *body = xasprintf("{%s," EGGS "}", neutral[i]);
        char *reply = post("", body);
        if (status_of(reply) != 200)
            fail_msg("%s: %s", neutral[i], reply);
        free(reply);
        free(body);
    }
    static const char *const others[][2] = {
        {"\"store\":true", "store: nothing is served here but false"},
        {"\"best_of\":1", "best_of is not served here"}, /* of a chat */
        {"\"service_tier\":\"flex\"", "service_tier: "},
        {"\"tool_choice\":\"required\"", "tool_choice: "},
        {"\"metadata\":5", "metadata: nothing is served here but an object"},
        {"\"modalities\":[\"audio\"]", "modalities: "},
        {"\"prediction\":{\"type\":\"content\"}", "prediction is not"},
        {"\"min_tokens\":3", "min_tokens: "},
        {"\"min_tokens\":false", "min_tokens: "},
        {"\"wizard\":1", "wizard is not served here"}};
    for (size_t i = 0; i < COUNT(others); i++) {
        char *body = xasprintf("{%s," EGGS "}", others[i][0]);
        char *reply = post("", body);
        if (status_of(reply) != 400 || !strstr(reply, others[i][1]))
            fail_msg("%s: %s", others[i][0], reply);
        free(reply);
        free(body);
    }
    /* of a text: taken, and it is the answerer that declines */
    char *reply = post_to("/v1/completions", "{\"best_of\":1,\"suffix\":\"\","
                                             "\"prompt\":\"x\"}");
    assert_null(strstr(reply, "best_of"));
    assert_null(strstr(reply, "suffix"));
    free(reply);
}

static void large_bodies_are_refused(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(0);
    buf_puts(&b, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                 "Connection: close\r\nContent-Length: 1200000\r\n\r\n");
    for (int i = 0; i < 12000; i++)
        buf_puts(&b, "                                                  "
                     "                                                  ");
    char *reply = talk_on(unix_connect(socket_path), b.data, b.len);
    assert_true(status_of(reply) == 413 || !*reply); /* reset while sending */
    free(reply);
    buf_free(&b);
    models_are_listed(state);
}

static void many_ask_at_once(void **state)
{
    (void)state;
    int fds[40];
    static const char request[] = "GET /v1/models HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n";
    for (size_t i = 0; i < COUNT(fds); i++)
        assert_true((fds[i] = unix_connect(socket_path)) >= 0);
    for (size_t i = COUNT(fds); i > 0; i--) {
        char *reply = talk_on(fds[i - 1], request, strlen(request));
        assert_int_equal(status_of(reply), 200);
        free(reply);
    }
}

/* Asks the server at "HOST:PORT" of this machine for its models. */
static char *ask_port(const char *address, const char *headers)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)atoi(strchr(address, ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    const char *host = strstr(headers, "Host:") ? "" : "Host: 127.0.0.1\r\n";
    char *request = xasprintf("GET /v1/models HTTP/1.1\r\n%s%s"
                              "Connection: close\r\n\r\n", host, headers);
    char *reply = talk_on(fd, request, strlen(request));
    free(request);
    return reply;
}

static void a_free_port(void **state)
{
    (void)state;
    pid_t pid;
    char *address = start_builtin("127.0.0.1:0", &pid);
    char *reply = ask_port(address, "Origin: http://localhost:3000\r\n");
    assert_int_equal(status_of(reply), 200);
    free(reply);
    reply = ask_port(address, "Origin: http://localhost.example.org\r\n");
    assert_int_equal(status_of(reply), 403);
    free(reply);
    static const struct {
        const char *host;
        int status;
    } hosts[] = {{"Host: localhost:80\r\n", 200}, {"Host: [::1]\r\n", 200},
                 {"Host: 127.0.0.1:1\r\n", 200},
                 {"Host: 127.0.0.1.example.org\r\n", 403},
                 {"Host: rebound.example.org:80\r\n", 403},
                 {"Host: [::2]\r\n", 403}, {"Host: \r\n", 403}};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        reply = ask_port(address, hosts[i].host);
        if (status_of(reply) != hosts[i].status)
            fail_msg("%s: %s", hosts[i].host, reply);
        free(reply);
    }
    assert_int_equal(stop(pid, SIGTERM), 0);
    free(address);
}

static void long_socket_paths(void **state)
{
    (void)state;
    struct err e = {0};
    pid_t pid;
    char *dir = xasprintf("%s/%0100d", getenv("HOME"), 7);
    char *listen = xasprintf("unix:%s/socket", dir);
    assert_ok(dir_make(dir, 0700, &e), e);
    char *address = start_builtin(listen, &pid);
    int fd = unix_connect(listen + 5);
    static const char request[] = "GET /v1/models HTTP/1.1\r\nHost: x\r\n"
                                  "Connection: close\r\n\r\n";
    char *reply = talk_on(fd, request, strlen(request));
    assert_int_equal(status_of(reply), 200);
    struct stat st;
    assert_int_equal(stat(listen + 5, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    stop(pid, SIGKILL); /* leaves its socket behind */
    free(address);
    address = start_builtin(listen, &pid); /* which does no harm */
    assert_int_equal(stop(pid, SIGTERM), 0);
    assert_false(file_exists(listen + 5));
    free(address);
    free(reply);
    free(listen);
    free(dir);
}

static void other_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"0.0.0.0:0", "192.168.1.1:80", "[::]:1",
                                       "127.0.0.1:99999", "127.0.0.1", "",
                                       "example.org:80", "unix:"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *argv[] = {program, "serve", "builtin", "--listen",
                              rows[i], NULL};
        struct buf out = BUF_INIT(1000);
        struct err e = {0};
        assert_int_equal(proc_capture(argv, NULL, NULL, &out, &e), 2);
        buf_free(&out);
    }
}

/* With a key any address may be asked for, and only who has it is answered. */
static void a_key_is_asked_for(void **state)
{
    (void)state;
    struct err e = {0};
    char *path = xasprintf("%s/serve.key", getenv("HOME"));
    const char *args[] = {"builtin", "--listen", "0.0.0.0:0", "--key-file",
                          path, "--wrong", "0", "--slips", "0", NULL};
    const char *argv[] = {program, "serve", "builtin", "--listen", "0.0.0.0:0",
                          "--key-file", path, NULL};
    struct buf out = BUF_INIT(1000);
    assert_ok(file_replace(path, "open-sesame\n", 12, 0644, false, &e), e);
    assert_int_not_equal(proc_capture(argv, NULL, NULL, &out, &e), 0);
    assert_ok(file_replace(path, "short\n", 6, 0600, false, &e), e);
    assert_int_not_equal(proc_capture(argv, NULL, NULL, &out, &e), 0);
    buf_free(&out);
    assert_ok(file_replace(path, "open-sesame\n", 12, 0600, false, &e), e);
    pid_t pid;
    char *address = start(args, &pid);
    assert_true(!strncmp(address, "0.0.0.0:", 8));
    static const struct {
        const char *header;
        int status;
    } rows[] = {{"", 401},
                {"Authorization: Bearer open-sesamf\r\n", 401},
                {"Authorization: Bearer open-sesame2\r\n", 401},
                {"Authorization: Basic open-sesame\r\n", 401},
                {"Authorization: Bearer open-sesame\r\n", 200}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *reply = ask_port(address, rows[i].header);
        assert_int_equal(status_of(reply), rows[i].status);
        free(reply);
    }
    assert_int_equal(stop(pid, SIGTERM), 0);
    free(address);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_listed),
        cmocka_unit_test(one_model_is_named),
        cmocka_unit_test(a_plain_question),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(answers_are_streamed),
        cmocka_unit_test(steps_are_told_by_a_header),
        cmocka_unit_test(bad_requests_get_one_sentence),
        cmocka_unit_test(wrong_paths_and_methods),
        cmocka_unit_test(unclear_requests_are_refused),
        cmocka_unit_test(it_says_that_it_is_well),
        cmocka_unit_test(neutral_fields_are_taken),
        cmocka_unit_test(large_bodies_are_refused),
        cmocka_unit_test(many_ask_at_once),
        cmocka_unit_test(a_free_port),
        cmocka_unit_test(long_socket_paths),
        cmocka_unit_test(other_addresses_are_refused),
        cmocka_unit_test(a_key_is_asked_for),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
