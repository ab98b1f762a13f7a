/* The server's door, with little room and little patience: who drips bytes is
 * shown out, as is who does not read what they asked for; who comes while all
 * is taken waits, and nobody is lost. The answerer says one word, or to "on!"
 * no end of them. */
#include "unit/test.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/serve/address.h"
#include "model/serve/server.h"

enum { ROOM = 3, HEAD_MS = 300, BODY_MS = 600, PATIENCE_MS = 20000 };

static char *path;
static struct server *server;

/* ---- An answerer --------------------------------------------------------- */

static bool endless;

static void *begin(void *ctx, const struct question *q, struct err *e)
{
    (void)e;
    bool on = !strcmp(q->messages->at[0].content, "on!");
    return on ? &endless : ctx;
}

static int next(void *run, struct buf *text, struct buf *logprobs,
                struct err *e)
{
    (void)logprobs;
    (void)e;
    for (int i = 0; run == &endless && i < 1000; i++)
        buf_puts(text, "on and ");
    buf_puts(text, "yes");
    return run == &endless;
}

static void end(void *run, struct usage *u)
{
    (void)run;
    *u = (struct usage){.tokens_in = 1, .tokens_out = 1};
}

static const char *const names[] = {"one", NULL};
static int something;
static const struct answerer one_word = {.models = names, .ctx = &something,
                                         .start = begin, .next = next,
                                         .end = end};

static int open_with(const struct limits *limits)
{
    struct err e = {0};
    path = xasprintf("%s/door", getenv("HOME"));
    char *where = xasprintf("unix:%s", path);
    server = serve_start(where, NULL, limits, &one_word, &e);
    free(where);
    return !server;
}

static int open_server(void **state)
{
    static const struct limits limits = {ROOM, HEAD_MS, BODY_MS};
    (void)state;
    return open_with(&limits);
}

/* One that shows nobody out while the test is busy elsewhere. */
static int open_patient(void **state)
{
    static const struct limits limits = {ROOM, PATIENCE_MS, PATIENCE_MS};
    (void)state;
    return open_with(&limits);
}

static int close_server(void **state)
{
    (void)state;
    serve_stop(&server);
    int left = file_exists(path);
    free(path);
    return left;
}

/* ---- Clients ------------------------------------------------------------- */

static int client(const char *first)
{
    int fd = unix_connect(path);
    assert_true(fd >= 0);
    assert_true(fd_write_all(fd, first, strlen(first)));
    return fd;
}

/* Reads to the end of what comes; the caller frees. */
static char *rest(int fd)
{
    struct buf b = BUF_INIT(1 << 20);
    char part[512];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) > 0)
        buf_add(&b, part, (size_t)n);
    close(fd);
    return buf_take(&b);
}

/* Sends a byte again and again until the other end has gone; false where that
 * does not come. */
static bool drips_in_vain(int fd, const char *byte)
{
    int64_t until = clock_mono() + PATIENCE_MS;
    while (clock_mono() < until) {
        struct pollfd p = {fd, POLLIN, 0};
        char part[512];
        if (send(fd, byte, 1, MSG_NOSIGNAL) < 0 ||
            (poll(&p, 1, 20) > 0 && read(fd, part, sizeof part) <= 0)) {
            close(fd);
            return true;
        }
    }
    close(fd);
    return false;
}

#define HEALTH "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define ASK                                                                   \
    "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"  \
    "Content-Length: 48\r\n\r\n"
#define QUESTION "{\"messages\":[{\"role\":\"user\",\"content\":\"well?\"}]}"

static void health_of(int fd)
{
    char *reply = rest(fd);
    if (strncmp(reply, "HTTP/1.1 200", 12))
        fail_msg("%s", reply);
    free(reply);
}

static void headers_that_drip_are_cut_off(void **state)
{
    (void)state;
    assert_true(drips_in_vain(client("GET /health HTTP/1.1\r\nX: "), "a"));
    assert_true(drips_in_vain(client(""), "\n"));
}

static void a_body_that_drips_is_cut_off(void **state)
{
    (void)state;
    assert_true(drips_in_vain(client(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
        "Content-Length: 1000000\r\n\r\n"), " "));
    assert_true(drips_in_vain(client(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
        "Transfer-Encoding: chunked\r\n\r\nfffff\r\n"), " "));
}

static void a_next_request_that_drips_is_cut_off(void **state)
{
    (void)state;
    assert_true(drips_in_vain(client(
        "GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /hea"), "l"));
}

/* A stream that nobody reads: its place is free again. */
static void an_answer_that_is_not_read_is_cut_off(void **state)
{
    (void)state;
    static const char body[] =
        "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
        "\"on!\"}]}";
    char *request = xasprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: x"
                              "\r\nContent-Length: %zu\r\n\r\n%s",
                              sizeof body - 1, body);
    int fd = client(request);
    struct pollfd p = {fd, POLLRDHUP, 0};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
    char *said = rest(fd);
    assert_non_null(strstr(said, "on and on and"));
    free(said);
    free(request);
}

/* All places are held by clients that drip; who comes then is answered when
 * they have been shown out, and none is refused. */
static void who_comes_late_waits(void **state)
{
    (void)state;
    int slow[2 * ROOM], later[20];
    for (size_t i = 0; i < COUNT(slow); i++)
        slow[i] = client("GET /health HTTP/1.1\r\nX: a");
    for (size_t i = 0; i < COUNT(later); i++)
        later[i] = client(HEALTH);
    for (size_t i = 0; i < COUNT(later); i++)
        health_of(later[i]);
    for (size_t i = 0; i < COUNT(slow); i++)
        assert_true(drips_in_vain(slow[i], "a"));
}

static void a_burst_loses_none(void **state)
{
    (void)state;
    enum { MANY = 200 };
    int fds[MANY];
    for (size_t i = 0; i < MANY; i++)
        fds[i] = client(i % 2 ? HEALTH : ASK QUESTION);
    for (size_t i = MANY; i-- > 0;) {
        char *reply = rest(fds[i]);
        if (strncmp(reply, "HTTP/1.1 200", 12) ||
            (i % 2 == 0 && !strstr(reply, "yes")))
            fail_msg("client %zu: %s", i, reply);
        free(reply);
    }
}

/* Where others wait nobody is asked to stay; else a connection is kept. */
static void places_are_given_up_when_others_wait(void **state)
{
    (void)state;
    static const char kept[] = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    char part[512];
    int fd = client(kept);
    assert_true(read(fd, part, sizeof part) > 0);
    assert_true(fd_write_all(fd, kept, sizeof kept - 1));
    assert_true(read(fd, part, sizeof part) > 0);
    close(fd);
    int slow[ROOM - 1];
    for (size_t i = 0; i < COUNT(slow); i++)
        slow[i] = client("GET");
    int64_t until = clock_mono() + PATIENCE_MS;
    bool closes = false;
    while (!closes && clock_mono() < until) { /* once they are in */
        fd = client(kept);
        ssize_t n = read(fd, part, sizeof part - 1);
        part[n > 0 ? n : 0] = '\0';
        closes = strstr(part, "Connection: close");
        close(fd);
    }
    assert_true(closes);
    for (size_t i = 0; i < COUNT(slow); i++)
        close(slow[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_that_drip_are_cut_off),
        cmocka_unit_test(a_body_that_drips_is_cut_off),
        cmocka_unit_test(a_next_request_that_drips_is_cut_off),
        cmocka_unit_test(an_answer_that_is_not_read_is_cut_off),
        cmocka_unit_test(who_comes_late_waits),
    };
    const struct CMUnitTest patient[] = {
        cmocka_unit_test(places_are_given_up_when_others_wait),
        cmocka_unit_test(a_burst_loses_none),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, open_server, close_server) |
           cmocka_run_group_tests(patient, open_patient, close_server);
}
