/* A real client against the scripted teacher: many at once, keys, sockets,
 * certificates. */
#include "scene.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"

/* ---- Many at once -------------------------------------------------------- */

static void keep_most(const json *j, void *ctx)
{
    int *most = ctx, active = (int)json_get_int(j, "active", 0);
    *most = active > *most ? active : *most;
}

static int open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void test_concurrency(void **state)
{
    (void)state;
    enum { ASKS = 64 };
    struct scene s;
    static struct seen many[ASKS];
    int most = 0, before = open_files();
    open_scene(&s, "sleep=30", "one of many");
    s.p.concurrency = 5;
    for (int i = 0; i < ASKS; i++)
        client_ask(s.c, &s.ask, on_news, &many[i]);
    while (client_pending(s.c)) {
        loop_once(s.loop, 100);
        assert_in_range(client_in_flight(s.c), 0, 5);
    }
    for (int i = 0; i < ASKS; i++) {
        assert_int_equal(many[i].state, ASK_ANSWERED);
        seen_free(&many[i]);
    }
    assert_int_equal(logged("one of many", keep_most, &most), ASKS);
    assert_in_range(most, 2, 5);
    close_scene(&s);
    assert_int_equal(open_files(), before);
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
    int64_t until = clock_mono() + 20000;
    while (client_in_flight(s.c) < 40 && clock_mono() < until)
        loop_once(s.loop, 20);
    for (int i = 0; i < 10; i++)
        loop_once(s.loop, 20);
    assert_int_equal(client_in_flight(s.c), 40);
    client_cancel_all(s.c);
    for (int i = 0; i < 3; i++) /* in the next turns, not at their end */
        loop_once(s.loop, 20);
    assert_int_equal(client_pending(s.c), 0);
    assert_int_equal(client_in_flight(s.c), 0);
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
        assert_null(strstr(s.seen.raw, scene_secret));
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
    renew_client(&s, "/nowhere");
    s.ask.step = "a/b\r\nX-More: yes";
    ask(&s);
    assert_int_equal(s.seen.state, ASK_FAILED);
    assert_non_null(strstr(s.seen.error, "control character"));
    close_scene(&s);
}

/* ---- Unix sockets -------------------------------------------------------- */

/* By url, and as a server of our own: only that one is told the step. A path
 * over 107 bytes goes through a descriptor. */
static void over_socket(const char *path, const char *name, bool own)
{
    struct scene s;
    char *head = NULL, *prompt = xasprintf("by socket %s %d", name, own);
    open_scene(&s, "ok", prompt);
    free(s.p.url);
    s.p.url = xasprintf("unix:%s", own ? "/nowhere" : path);
    free(s.p.key_env);
    s.p.key_env = NULL;
    renew_client(&s, own ? path : NULL);
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
    stop_teacher(pid);
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
    free(s.p.url);
    s.p.url = xasprintf("https://%s:%d/v1", host, port);
    s.p.ca_file = copy(ca);
    renew_client(&s, NULL);
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
    stop_teacher(pid);
    assert_false(file_exists(getenv("KEYLOG")));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_concurrency),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_odd_ends),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_smuggle),
        cmocka_unit_test(test_socket),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_new_refuses),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, start_house, stop_house);
}
