/* What the scripted teacher does: the table at the end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "faulty.h"

#define REPLY_MAX ((size_t)16 << 20) /* of a file that is sent */

/* ---- Sending ------------------------------------------------------------- */

static bool put(struct talk *t, const char *p, size_t n)
{
    while (n) {
        ssize_t w = send(t->fd, p, n, MSG_NOSIGNAL);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

static bool puts_to(struct talk *t, const char *s)
{
    return put(t, s, strlen(s));
}

static void put_head(struct talk *t, int status, const char *type,
                     const char *extra)
{
    struct buf b = BUF_INIT(0);
    buf_printf(&b, "HTTP/1.1 %d Scripted\r\nConnection: %s\r\n"
               "Content-Type: %s\r\n%s\r\n", status,
               t->keep ? "keep-alive" : "close", type, extra);
    put(t, b.data, b.len);
    buf_free(&b);
}

void put_body(struct talk *t, int status, const char *type,
              const char *extra, const char *body)
{
    struct buf b = BUF_INIT(0);
    buf_printf(&b, "%sContent-Length: %zu\r\n", extra, strlen(body));
    put_head(t, status, type, buf_str(&b));
    puts_to(t, body);
    buf_free(&b);
}

static bool put_chunk(struct talk *t, const char *p, size_t n)
{
    char size[32];
    snprintf(size, sizeof size, "%zx\r\n", n);
    return puts_to(t, size) && put(t, p, n) && puts_to(t, "\r\n");
}

static void start_stream(struct talk *t)
{
    put_head(t, 200, "text/event-stream", "Transfer-Encoding: chunked\r\n");
}

static void end_stream(struct talk *t)
{
    puts_to(t, "0\r\n\r\n");
}

/* Closes so that the other side sees a reset, not an end. */
static void reset(struct talk *t)
{
    struct linger now = {1, 0};
    setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    t->reset = true;
}

/* Says nothing until the other side has gone. */
static void wait_gone(struct talk *t)
{
    char byte;
    while (recv(t->fd, &byte, 1, 0) > 0)
        ;
}

/* ---- Answers ------------------------------------------------------------- */

struct how {
    const char *text;   /* NULL: scripted or the prompt's echo */
    const char *finish; /* NULL: none */
    bool no_done, no_choice;
    size_t piece; /* code points of a delta */
};

static const struct how good = {NULL, "stop", false, false, 4};

static void add_usage(struct jw *w, const struct talk *t, size_t out)
{
    jw_key(w, "usage");
    jw_open(w, '{');
    jw_kint(w, "prompt_tokens", (int64_t)strlen(t->prompt) / 4 + 1);
    jw_kint(w, "completion_tokens", (int64_t)out / 4 + 1);
    jw_close(w);
}

static void event(struct buf *out, const struct talk *t, int index,
                  const char *text, const char *finish)
{
    struct jw w = jw_start(out);
    buf_puts(out, "data: ");
    jw_open(&w, '{');
    jw_kstr(&w, "object", "chat.completion.chunk");
    jw_kstr(&w, "model", t->model);
    jw_key(&w, "choices");
    jw_open(&w, '[');
    jw_open(&w, '{');
    jw_kint(&w, "index", index);
    jw_key(&w, "delta");
    jw_open(&w, '{');
    if (text)
        jw_kstr(&w, "content", text);
    jw_close(&w);
    jw_kstr(&w, "finish_reason", finish);
    jw_close(&w);
    jw_close(&w);
    jw_close(&w);
    buf_puts(out, "\n\n");
}

/* The deltas of one answer, a few code points each. */
static void deltas(struct buf *out, const struct talk *t, int index,
                   const char *text, size_t piece)
{
    for (size_t n = strlen(text), i = 0; i < n;) {
        size_t start = i;
        for (size_t k = 0; k < piece && i < n; k++) {
            uint32_t cp;
            size_t len = utf8_get(text + i, n - i, &cp);
            i += len ? len : 1;
        }
        char *part = xstrndup(text + start, i - start);
        event(out, t, index, part, NULL);
        free(part);
    }
}

static void stream_text(struct buf *out, const struct talk *t,
                        const struct how *how)
{
    size_t bytes = 0;
    for (int i = 0; i < t->n && !how->no_choice; i++) {
        char *text = how->text ? xstrdup(how->text) : answer(t);
        bytes += strlen(text);
        deltas(out, t, i, text, how->piece);
        if (how->finish)
            event(out, t, i, NULL, how->finish);
        free(text);
    }
    struct jw w = jw_start(out);
    buf_puts(out, "data: ");
    jw_open(&w, '{');
    jw_key(&w, "choices");
    jw_raw(&w, "[]");
    add_usage(&w, t, bytes);
    jw_close(&w);
    buf_puts(out, how->no_done ? "\n\n" : "\n\ndata: [DONE]\n\n");
}

static void json_text(struct buf *out, const struct talk *t,
                      const struct how *how)
{
    struct jw w = jw_start(out);
    size_t bytes = 0;
    jw_open(&w, '{');
    jw_kstr(&w, "object", "chat.completion");
    jw_kstr(&w, "model", t->model);
    jw_key(&w, "choices");
    jw_open(&w, '[');
    for (int i = 0; i < t->n && !how->no_choice; i++) {
        char *text = how->text ? xstrdup(how->text) : answer(t);
        bytes += strlen(text);
        jw_open(&w, '{');
        jw_kint(&w, "index", i);
        jw_key(&w, "message");
        jw_open(&w, '{');
        jw_kstr(&w, "role", "assistant");
        jw_kstr(&w, "content", text);
        jw_close(&w);
        jw_kstr(&w, "finish_reason", how->finish);
        jw_close(&w);
        free(text);
    }
    jw_close(&w);
    add_usage(&w, t, bytes);
    jw_close(&w);
}

static void send_json(struct talk *t, const struct how *how)
{
    struct buf b = BUF_INIT(0);
    json_text(&b, t, how);
    put_body(t, 200, "application/json", "", buf_str(&b));
    buf_free(&b);
}

static void send_stream(struct talk *t, const struct how *how)
{
    struct buf b = BUF_INIT(0);
    stream_text(&b, t, how);
    start_stream(t);
    put_chunk(t, b.data, b.len);
    end_stream(t);
    buf_free(&b);
}

static void send_how(struct talk *t, const struct how *how)
{
    if (t->stream)
        send_stream(t, how);
    else
        send_json(t, how);
}

/* ---- Behaviours ---------------------------------------------------------- */

static void do_ok(struct talk *t, const char *arg)
{
    (void)arg;
    send_how(t, &good);
}

static void do_json(struct talk *t, const char *arg)
{
    (void)arg;
    send_json(t, &good);
}

static void do_keep(struct talk *t, const char *arg)
{
    (void)arg;
    t->keep = true;
    send_how(t, &good);
}

static void do_sse(struct talk *t, const char *arg)
{
    (void)arg;
    send_stream(t, &good);
}

static void do_sleep(struct talk *t, const char *arg)
{
    clock_sleep(atoi(arg));
    leaves(t);
    send_how(t, &good);
}

static void do_finish(struct talk *t, const char *arg)
{
    struct how how = good;
    how.finish = *arg ? arg : NULL;
    send_how(t, &how);
}

static void do_say(struct talk *t, const char *arg)
{
    struct how how = good;
    how.text = arg;
    send_how(t, &how);
}

static void do_no_done(struct talk *t, const char *arg)
{
    (void)arg;
    struct how how = good;
    how.no_done = true;
    send_stream(t, &how);
}

static void do_empty(struct talk *t, const char *arg)
{
    (void)arg;
    struct how how = good;
    how.no_choice = true;
    send_how(t, &how);
}

/* Sends a good stream in a changed form: line ends, a mark before it,
 * comments, single bytes. */
static void send_odd(struct talk *t, const char *end, const char *before,
                     bool single)
{
    struct buf text = BUF_INIT(0), odd = BUF_INIT(0);
    stream_text(&text, t, &good);
    buf_puts(&odd, before);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n')
            buf_puts(&odd, end);
        else
            buf_putc(&odd, text.data[i]);
    }
    start_stream(t);
    for (size_t i = 0; single && i < odd.len; i++)
        put_chunk(t, odd.data + i, 1);
    if (!single)
        put_chunk(t, odd.data, odd.len);
    end_stream(t);
    buf_free(&text);
    buf_free(&odd);
}

static void do_crlf(struct talk *t, const char *arg)
{
    send_odd(t, "\r\n", arg, false);
}

static void do_cr(struct talk *t, const char *arg)
{
    send_odd(t, "\r", arg, true);
}

static void do_bom(struct talk *t, const char *arg)
{
    (void)arg;
    send_odd(t, "\n", "\xEF\xBB\xBF: hello\nevent: x\nid: 1\n", false);
}

static void do_bytes(struct talk *t, const char *arg)
{
    send_odd(t, "\n", arg, true);
}

static void do_break_before(struct talk *t, const char *arg)
{
    (void)arg;
    reset(t);
}

/* Sends the first part of a good stream. */
static void half_stream(struct talk *t)
{
    struct buf b = BUF_INIT(0);
    stream_text(&b, t, &good);
    start_stream(t);
    put_chunk(t, b.data, b.len / 3);
    buf_free(&b);
}

static void do_break_during(struct talk *t, const char *arg)
{
    (void)arg;
    half_stream(t);
    clock_sleep(30);
    reset(t);
}

static void do_break_after(struct talk *t, const char *arg)
{
    (void)arg;
    struct buf b = BUF_INIT(0);
    stream_text(&b, t, &good);
    start_stream(t);
    put_chunk(t, b.data, b.len);
    clock_sleep(30);
    reset(t);
    buf_free(&b);
}

/* The bytes of a file as they are: a body of JSON, or a stream, whole or a
 * byte a chunk. */
static void send_file(struct talk *t, const char *path, bool single)
{
    struct buf b = BUF_INIT(0);
    struct err e = {0};
    if (!file_read(path, REPLY_MAX, &b, &e))
        die(e.text);
    const char *at = buf_str(&b);
    at += strspn(at, " \t\r\n");
    const char *type = *at == '{' || *at == '[' ? "application/json"
                       : *at == '<'             ? "text/html"
                                                : "text/event-stream";
    put_head(t, 200, type, single ? "Transfer-Encoding: chunked\r\n" : "");
    for (size_t i = 0; single && i < b.len; i++)
        put_chunk(t, b.data + i, 1);
    if (single)
        end_stream(t);
    else if (b.len)
        put(t, b.data, b.len);
    buf_free(&b);
}

static void do_file(struct talk *t, const char *arg)
{
    send_file(t, arg, false);
}

static void do_await(struct talk *t, const char *arg)
{
    while (!file_exists(arg))
        clock_sleep(10);
    send_file(t, arg, false);
}

static void do_file_bytes(struct talk *t, const char *arg)
{
    send_file(t, arg, true);
}

static void do_file_break(struct talk *t, const char *arg)
{
    send_file(t, arg, false);
    clock_sleep(30);
    reset(t);
}

static void do_break_whole(struct talk *t, const char *arg)
{
    (void)arg;
    struct buf b = BUF_INIT(0);
    json_text(&b, t, &good);
    put_head(t, 200, "application/json", "");
    put(t, b.data, b.len);
    clock_sleep(30);
    reset(t);
    buf_free(&b);
}

/* A good stream, an event each ARG ms: long in all, never silent. */
static void do_drip(struct talk *t, const char *arg)
{
    struct buf b = BUF_INIT(0);
    stream_text(&b, t, &good);
    start_stream(t);
    for (const char *at = buf_str(&b), *end; *at; at = end) {
        end = strstr(at, "\n\n");
        end = end ? end + 2 : at + strlen(at);
        put_chunk(t, at, (size_t)(end - at));
        clock_sleep(*arg ? atoi(arg) : 300);
    }
    end_stream(t);
    buf_free(&b);
}

static void do_short(struct talk *t, const char *arg)
{
    (void)arg;
    put_head(t, 200, "application/json", "Content-Length: 5000\r\n");
    puts_to(t, "{\"choices\":[");
}

static void do_stall(struct talk *t, const char *arg)
{
    (void)arg;
    wait_gone(t);
}

static void do_silence(struct talk *t, const char *arg)
{
    (void)arg;
    half_stream(t);
    wait_gone(t);
}

static void do_hold(struct talk *t, const char *arg)
{
    (void)arg;
    struct buf b = BUF_INIT(0);
    stream_text(&b, t, &good);
    start_stream(t);
    put_chunk(t, b.data, b.len);
    buf_free(&b);
    wait_gone(t);
}

static void do_comments(struct talk *t, const char *arg)
{
    (void)arg;
    start_stream(t);
    while (put_chunk(t, ": still here\n\n", 14))
        clock_sleep(20);
}

static void do_junk(struct talk *t, const char *arg)
{
    (void)arg;
    put_body(t, 200, "text/plain", "", "Certainly! Here you are.");
}

static void do_bad_json(struct talk *t, const char *arg)
{
    (void)arg;
    put_body(t, 200, "application/json", "", "{\"choices\":[}");
}

static void do_html(struct talk *t, const char *arg)
{
    (void)arg;
    put_body(t, 200, "text/html", "", "<!DOCTYPE html><title>Log in</title>");
}

static void do_gzip(struct talk *t, const char *arg)
{
    (void)arg;
    put_body(t, 200, "application/json", "Content-Encoding: gzip\r\n",
             "\x1f\x8b\x08 not really");
}

static void do_redirect(struct talk *t, const char *arg)
{
    char *to = xasprintf("Location: http://127.0.0.1:%d/elsewhere\r\n",
                         t->other_port);
    put_body(t, *arg ? atoi(arg) : 307, "text/plain", to, "over there");
    free(to);
}

static void endless(struct talk *t, const char *start, const char *more)
{
    char block[65536];
    size_t n = strlen(more);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = more[i % n];
    size_t whole = sizeof block / n * n;
    put_head(t, 200, "text/event-stream", "");
    puts_to(t, start);
    while (put(t, block, whole))
        ;
}

static void do_endless_body(struct talk *t, const char *arg)
{
    (void)arg;
    endless(t, "{\"choices\":\"", "x");
}

static void do_endless_line(struct talk *t, const char *arg)
{
    (void)arg;
    endless(t, "data: \"", "y");
}

static void do_endless_events(struct talk *t, const char *arg)
{
    (void)arg;
    endless(t, "", "data: {\"choices\":[{\"delta\":{}}]}\n\n"
            ": this comment makes the end of patience come sooner than two "
            "million events, which a busy machine takes a minute for, would "
            "let it come, and shows that comments count as bytes, too\n");
}

static void do_headers(struct talk *t, const char *arg)
{
    (void)arg;
    puts_to(t, "HTTP/1.1 200 OK\r\n");
    while (puts_to(t, "X-Flood: 0123456789012345678901234567890123456\r\n"))
        ;
}

static void do_echo(struct talk *t, const char *arg)
{
    (void)arg;
    struct how how = good;
    how.text = t->auth;
    send_how(t, &how);
}

static void do_echo_aside(struct talk *t, const char *arg)
{
    (void)arg;
    char *body = xasprintf("{\"debug\":\"%s\",\"choices\":[{\"message\":{"
                           "\"content\":\"no key here\"},\"finish_reason\":"
                           "\"stop\"}]}", t->auth);
    put_body(t, 200, "application/json", "", body);
    free(body);
}

static void error_body(struct talk *t, int status, const char *extra,
                       const char *message, const char *param)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_key(&w, "error");
    jw_open(&w, '{');
    jw_kstr(&w, "message", message);
    jw_kstr(&w, "param", param);
    jw_close(&w);
    jw_close(&w);
    put_body(t, status, "application/json", extra, buf_str(&b));
    buf_free(&b);
}

static void do_echo_error(struct talk *t, const char *arg)
{
    (void)arg;
    char *text = xasprintf("bad \033[31m key %s, that is %.20s****", t->auth,
                           t->auth);
    error_body(t, 400, "", text, NULL);
    free(text);
}

static void do_refuse(struct talk *t, const char *arg)
{
    if (!json_get(t->json, arg)) {
        send_how(t, &good);
        return;
    }
    char *text = xasprintf("Unsupported parameter: '%s' is not supported "
                           "with this model.", arg);
    error_body(t, 400, "", text, arg);
    free(text);
}

static void do_quota(struct talk *t, const char *arg)
{
    (void)arg;
    error_body(t, 429, "", "insufficient_quota: check your plan", NULL);
}

static void do_error_event(struct talk *t, const char *arg)
{
    static const char text[] =
        "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n"
        "data: {\"error\":{\"message\":\"overloaded\",\"code\":\"%s\"}}\n\n";
    char *body = xasprintf(text, *arg ? arg : "503");
    start_stream(t);
    put_chunk(t, body, strlen(body));
    end_stream(t);
    free(body);
}

/* `date+N` is the HTTP date N seconds from now. */
static void retry_header(struct buf *out, const char *arg)
{
    if (strncmp(arg, "date", 4)) {
        buf_printf(out, "Retry-After: %s\r\n", arg);
        return;
    }
    time_t when = time(NULL) + atoi(arg + 4);
    struct tm tm;
    char text[64];
    gmtime_r(&when, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    buf_printf(out, "Retry-After: %s\r\n", text);
}

static void do_status(struct talk *t, int status, const char *arg)
{
    struct buf extra = BUF_INIT(0);
    if (*arg)
        retry_header(&extra, arg);
    error_body(t, status, buf_str(&extra), "scripted refusal", NULL);
    buf_free(&extra);
}

static const struct {
    const char *name;
    void (*fn)(struct talk *t, const char *arg);
} behaviours[] = {
    {"ok", do_ok},                       /* well */
    {"json", do_json},                   /* plain, whatever was asked */
    {"keep", do_keep},                   /* well, and the line stays open */
    {"sse", do_sse},                     /* a stream, whatever was asked */
    {"sleep", do_sleep},                 /* well, after ARG ms */
    {"finish", do_finish},               /* finish reason ARG, or none */
    {"say", do_say},                     /* ARG, whatever was asked */
    {"no-done", do_no_done},             /* a stream without [DONE] */
    {"empty", do_empty},                 /* no choices */
    {"crlf", do_crlf},                   /* lines end in CRLF */
    {"cr", do_cr},                       /* lines end in CR, single bytes */
    {"bom", do_bom},                     /* byte order mark, comment, fields */
    {"bytes", do_bytes},                 /* one byte a chunk */
    {"break-before", do_break_before},   /* reset before anything */
    {"break-during", do_break_during},   /* reset in the middle */
    {"break-after", do_break_after},     /* reset behind [DONE] */
    {"break-whole", do_break_whole},     /* reset behind a body of JSON */
    {"drip", do_drip},                   /* slowly, an event each ARG ms */
    {"file", do_file},                   /* the bytes of file ARG */
    {"await", do_await},                 /* the same, once it is there */
    {"file-bytes", do_file_bytes},       /* the same, one byte a chunk */
    {"file-break", do_file_break},       /* the same, and a reset */
    {"short", do_short},                 /* closes before the length said */
    {"stall", do_stall},                 /* never a byte */
    {"silence", do_silence},             /* a third, then nothing */
    {"hold", do_hold},                   /* all, but never closes */
    {"comments", do_comments},           /* comments for ever */
    {"junk", do_junk},                   /* text, not JSON */
    {"bad-json", do_bad_json},           /* nearly JSON */
    {"html", do_html},                   /* a web page with 200 */
    {"gzip", do_gzip},                   /* says it is compressed */
    {"redirect", do_redirect},           /* ARG (307) to the other port */
    {"endless-body", do_endless_body},   /* JSON without end */
    {"endless-line", do_endless_line},   /* one line without end */
    {"endless-events", do_endless_events}, /* small events without end */
    {"headers", do_headers},             /* headers without end */
    {"echo", do_echo},                   /* the Authorization header */
    {"echo-aside", do_echo_aside},       /* the same in an unknown field */
    {"echo-error", do_echo_error},       /* the same in a 400 */
    {"refuse", do_refuse},               /* 400 where ARG is in the body */
    {"quota", do_quota},                 /* 429, but no money is left */
    {"error-event", do_error_event},     /* an error in mid-stream */
};

void behave(struct talk *t, const char *word)
{
    char *name = xstrdup(word), *arg = strchr(name, '=');
    if (arg)
        *arg++ = '\0';
    int status = atoi(name);
    void (*fn)(struct talk *, const char *) = do_ok;
    for (size_t i = 0; i < COUNT(behaviours); i++)
        if (!strcmp(behaviours[i].name, name))
            fn = behaviours[i].fn;
    if (status >= 300 && status <= 599)
        do_status(t, status, arg ? arg : "");
    else
        fn(t, arg ? arg : "");
    free(name);
}
