#include "scene.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/proc.h"

#define PATIENCE 30000 /* ms that any scene may take */

const char scene_secret[] = "sk-sentinel-4711-abcdefghijklmnop";
struct house house;

char *copy(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

void seen_free(struct seen *s)
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

bool on_news(void *ctx, const struct news *n)
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

void renew_client(struct scene *s, const char *socket)
{
    struct err e = {0};
    client_free(&s->c);
    setenv("TEACHER_KEY", scene_secret, 1);
    s->c = client_new(s->loop, &s->p, socket, &e);
    if (!s->c)
        fail_msg("%s", e.text);
    client_set_tries(s->c, 6, 0.01);
}

void open_scene(struct scene *s, const char *model, const char *prompt)
{
    *s = (struct scene){.loop = loop_new(), .p = profile_new("scripted")};
    s->p.url = xasprintf("http://127.0.0.1:%d/v1", house.port);
    s->p.model = xstrdup(model);
    s->p.key_env = xstrdup("TEACHER_KEY");
    s->p.first_byte = 20;
    s->p.silence = 20;
    s->p.whole = 30;
    renew_client(s, NULL);
    chat_add(&s->chat, ROLE_USER, prompt);
    s->ask = (struct ask){.chat = &s->chat, .stream = true};
}

void close_scene(struct scene *s)
{
    client_free(&s->c);
    loop_free(&s->loop);
    chat_free(&s->chat);
    profile_free(&s->p);
    seen_free(&s->seen);
}

void run(struct scene *s)
{
    int64_t until = clock_mono() + PATIENCE;
    while (client_pending(s->c) && clock_mono() < until)
        loop_once(s->loop, 100);
    assert_int_equal(client_pending(s->c), 0);
    assert_int_equal(client_in_flight(s->c), 0);
}

void ask(struct scene *s)
{
    client_ask(s->c, &s->ask, on_news, &s->seen);
    run(s);
    assert_int_equal(s->seen.ended, 1);
}

void play(struct scene *s, const char *model, const char *prompt)
{
    open_scene(s, model, prompt);
    ask(s);
    assert_null(s->seen.raw ? strstr(s->seen.raw, scene_secret) : NULL);
    assert_null(s->seen.text ? strstr(s->seen.text, scene_secret) : NULL);
    assert_null(s->seen.error ? strstr(s->seen.error, scene_secret + 4) : NULL);
}

/* ---- What the teacher saw ------------------------------------------------ */

int logged(const char *prompt, void (*fn)(const json *, void *), void *ctx)
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

int requests(const char *prompt)
{
    return logged(prompt, NULL, NULL);
}

void keep_head(const json *j, void *ctx)
{
    char **head = ctx;
    free(*head);
    *head = xstrdup(json_get_string(j, "head", ""));
}

void keep_body(const json *j, void *ctx)
{
    char **body = ctx;
    free(*body);
    *body = xstrdup(json_get_string(j, "body", ""));
}

void fails_once(const char *model, const char *says, int http)
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

/* ---- The house ----------------------------------------------------------- */

pid_t start_teacher(const char *listen, const char *log, int *port)
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

void stop_teacher(pid_t pid)
{
    if (pid <= 1)
        return;
    kill(pid, SIGTERM);
    proc_wait(pid);
}

int start_house(void **state)
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
    /* What the environment says must neither lead a loopback request away
     * nor write a session's secrets. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    path = path_join(getenv("HOME"), "keylog");
    setenv("SSLKEYLOGFILE", path, 1);
    setenv("KEYLOG", path, 1);
    free(path);
    house.log = path_join(getenv("HOME"), "teacher.log");
    house.pid = start_teacher(NULL, house.log, &house.port);
    return 0;
}

int stop_house(void **state)
{
    (void)state;
    stop_teacher(house.pid);
    free(house.log);
    return 0;
}
