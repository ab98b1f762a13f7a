#include "unit/serving.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/proc.h"
#include "model/serve/address.h"
#include "unit/test.h"

char *program;
char *socket_path;

bool find_program(void)
{
    if (!getenv("top_builddir") || !getenv("HOME"))
        return false;
    program = xasprintf("%s/src/stillroom-model", getenv("top_builddir"));
    socket_path = xasprintf("%s/s", getenv("HOME"));
    return file_exists(program);
}

/* Ends a server that was started, and nothing else: a pid that is not one
 * would make kill() reach every process there is. */
int stop(pid_t pid, int signo)
{
    if (pid <= 1)
        return -1;
    kill(pid, signo);
    return proc_wait(pid);
}

char *start(const char *const args[], pid_t *pid)
{
    struct err e = {0};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    VEC(const char *) argv = {0};
    VEC_PUSH(&argv, program);
    VEC_PUSH(&argv, "serve");
    for (; *args; args++)
        VEC_PUSH(&argv, *args);
    VEC_PUSH(&argv, NULL);
    struct proc p = {.argv = argv.at, .in = -1, .out = ends[1], .err = -2,
                     .die_with_us = true};
    *pid = proc_start(&p, &e);
    close(ends[1]);
    VEC_FREE(&argv);
    if (*pid < 0)
        fail_msg("%s", e.text);
    char line[400];
    size_t n = 0;
    while (n < sizeof line - 1 && read(ends[0], line + n, 1) == 1 &&
           line[n] != '\n')
        n++;
    line[n] = '\0';
    close(ends[0]);
    assert_int_equal(strncmp(line, "listening on ", 13), 0);
    return xstrdup(line + 13);
}

char *talk_on(int fd, const char *bytes, size_t n)
{
    struct buf b = BUF_INIT(16 << 20);
    char chunk[4096];
    ssize_t got;
    assert_true(fd >= 0);
    fd_write_all(fd, bytes, n); /* it may refuse before it has all */
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        buf_add(&b, chunk, (size_t)got);
    close(fd);
    return buf_take(&b);
}

char *talk(const char *request)
{
    return talk_on(unix_connect(socket_path), request, strlen(request));
}

static char *send_body(const char *path, const char *headers,
                       const char *body)
{
    char *request = xasprintf("POST %s HTTP/1.1\r\n"
                              "Host: x\r\nConnection: close\r\n%s"
                              "Content-Length: %zu\r\n\r\n%s",
                              path, headers, strlen(body), body);
    char *reply = talk(request);
    free(request);
    return reply;
}

char *post(const char *headers, const char *body)
{
    return send_body("/v1/chat/completions", headers, body);
}

char *post_to(const char *path, const char *body)
{
    return send_body(path, "", body);
}

json *body_of(const char *reply)
{
    struct err e = {0};
    const char *body = strstr(reply, "\r\n\r\n");
    assert_non_null(body);
    json *j = json_parse(body + 4, strlen(body + 4), &e);
    if (!j)
        fail_msg("%s: %s", e.text, reply);
    return j;
}

int status_of(const char *reply)
{
    int status = 0;
    sscanf(reply, "HTTP/1.1 %d", &status);
    return status;
}

const char *content(const json *body, int choice)
{
    const json *c = json_first(json_get(body, "choices"));
    for (; c && choice > 0; choice--)
        c = json_next(c);
    return json_get_string(json_get(c, "message"), "content", "");
}

char *streamed(const char *reply, int *events)
{
    struct buf text = BUF_INIT(0);
    *events = 0;
    for (const char *at = reply; (at = strstr(at, "data: {")); at++) {
        struct err e = {0};
        json *j = json_parse(at + 6, strcspn(at + 6, "\n"), &e);
        if (!j)
            fail_msg("%s: %s", e.text, at);
        const json *c = json_first(json_get(j, "choices"));
        buf_puts(&text, json_get_string(json_get(c, "delta"), "content", ""));
        ++*events;
        json_free(j);
    }
    return buf_take(&text);
}
