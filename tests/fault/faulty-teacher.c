/* A teacher that does as it is told: an HTTP server for tests. What it does
 * stands in the request's model name, a list of behaviours separated by
 * commas: the n-th request with the same model and last user message gets
 * the n-th one, the last one repeats. `NAME=ARG` gives a behaviour an
 * argument. Examples: `ok`, `500,500,ok`, `429=2,ok`, `refuse=temperature`.
 * The behaviours are the table at the end of behaviours.c. A model without a
 * known name is answered well.
 *
 *   faulty-teacher [--listen unix:PATH] [--log FILE] [--replies FILE]
 *
 * prints `port N OTHER` (or `ready`) when it listens. OTHER is where it
 * redirects to. The log has one JSON line a request, head included. Replies
 * are taken from a file of records that end in a line `%%`; a record whose
 * first line is `match: TEXT` answers prompts that hold TEXT, the others
 * answer what is left; where several would do they take turns in their order.
 * Words that it does not know are passed over, so that it can stand in for
 * `stillroom-model serve`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "faulty.h"

#define REQUEST_MAX ((size_t)16 << 20)

struct record {
    char *match, *text;
    int used;
};

static struct {
    pthread_mutex_t lock;
    FILE *log;
    int other_port;
    int active, number, connections;
    VEC(char *) seen; /* model and prompt of each request that came */
    VEC(struct record) replies;
} house = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- Answers ------------------------------------------------------------- */

/* The least used record that answers the prompt; those that match it by a
 * text come before those that answer anything. */
static struct record *pick(const char *prompt, bool by_match)
{
    struct record *best = NULL;
    for (size_t i = 0; i < house.replies.n; i++) {
        struct record *r = &house.replies.at[i];
        if (!r->match != !by_match || (by_match && !strstr(prompt, r->match)))
            continue;
        if (!best || r->used < best->used)
            best = r;
    }
    return best;
}

char *answer(const struct talk *t)
{
    pthread_mutex_lock(&house.lock);
    struct record *r = pick(t->prompt, true);
    r = r ? r : pick(t->prompt, false);
    if (r)
        r->used++;
    pthread_mutex_unlock(&house.lock);
    return r ? xstrdup(r->text) : xasprintf("echo: %s", t->prompt);
}

/* ---- Requests ------------------------------------------------------------ */

/* How many requests with this model and prompt came before. */
static int count_seen(const struct talk *t)
{
    char *mark = xasprintf("%s\n%s", t->model, t->prompt);
    int n = 0;
    for (size_t i = 0; i < house.seen.n; i++)
        n += !strcmp(house.seen.at[i], mark);
    VEC_PUSH(&house.seen, mark);
    return n;
}

static void log_request(const struct talk *t, int before)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "number", ++house.number);
    jw_kbool(&w, "other", t->other);
    jw_kint(&w, "connection", t->connection);
    jw_kint(&w, "active", house.active);
    jw_kint(&w, "before", before);
    jw_kint(&w, "at", clock_mono());
    jw_kstr(&w, "model", t->model);
    jw_kstr(&w, "prompt", t->prompt);
    jw_kstr(&w, "head", t->head);
    jw_kstr(&w, "body", t->body);
    jw_close(&w);
    if (house.log) {
        fprintf(house.log, "%s\n", buf_str(&b));
        fflush(house.log);
    }
    buf_free(&b);
}

/* The n-th word of the list in the model's name, or its last; the caller
 * frees. */
static char *nth_word(const char *list, int n)
{
    while (n-- > 0 && strchr(list, ','))
        list = strchr(list, ',') + 1;
    return xstrndup(list, strcspn(list, ","));
}

void leaves(struct talk *t)
{
    pthread_mutex_lock(&house.lock);
    house.active -= t->active;
    t->active = false;
    pthread_mutex_unlock(&house.lock);
}

static void handle(struct talk *t)
{
    pthread_mutex_lock(&house.lock);
    house.active++;
    t->active = true;
    int before = count_seen(t);
    log_request(t, before);
    pthread_mutex_unlock(&house.lock);
    char *word = nth_word(t->model, before);
    if (t->other || !strncmp(t->head, "GET ", 4))
        put_body(t, 200, "application/json", "", "{\"data\":[]}");
    else
        behave(t, word);
    free(word);
    leaves(t);
}

/* A header's value into out, "" where it is missing. */
static void header_value(const char *head, const char *name, char *out,
                         size_t cap)
{
    const char *at = strcasestr(head, name);
    at = at ? at + strlen(name) : "";
    snprintf(out, cap, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* Reads head and body; false where the other side went away. */
static bool receive(struct talk *t)
{
    char chunk[16384], length[32];
    size_t want = 0;
    for (;;) {
        char *end = t->in.len ? strstr(t->in.data, "\r\n\r\n") : NULL;
        if (end) {
            header_value(t->in.data, "\r\ncontent-length:", length,
                         sizeof length);
            want = (size_t)(end - t->in.data) + 4 +
                   (size_t)strtoul(length, NULL, 10);
        }
        if (end && t->in.len >= want) {
            *end = '\0';
            t->head = t->in.data;
            t->body = end + 4;
            return true;
        }
        ssize_t n = recv(t->fd, chunk, sizeof chunk, 0);
        if (n <= 0 || !buf_add(&t->in, chunk, (size_t)n))
            return false;
    }
}

static void understand(struct talk *t)
{
    t->json = json_parse(t->body, strlen(t->body), NULL);
    t->model = json_get_string(t->json, "model", "");
    t->stream = json_get_bool(t->json, "stream", false);
    t->n = (int)json_get_int(t->json, "n", 1);
    t->prompt = "";
    const json *m = json_first(json_get(t->json, "messages"));
    for (; m; m = json_next(m))
        if (!strcmp(json_get_string(m, "role", ""), "user"))
            t->prompt = json_get_string(m, "content", "");
    header_value(t->head, "\r\nauthorization: ", t->auth, sizeof t->auth);
}

static void *serve(void *ctx)
{
    struct talk *t = ctx;
    do {
        t->keep = false;
        if (receive(t)) {
            understand(t);
            handle(t);
        }
        if (t->keep) {
            json_free(t->json);
            t->json = NULL;
            buf_clear(&t->in);
        }
    } while (t->keep);
    if (!t->reset)
        shutdown(t->fd, SHUT_WR);
    close(t->fd);
    json_free(t->json);
    buf_free(&t->in);
    free(t);
    return NULL;
}

static void accept_one(int listener, bool other)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct talk *t = xcalloc(1, sizeof *t);
    t->fd = fd;
    t->other = other;
    t->connection = ++house.connections;
    t->other_port = house.other_port;
    t->in.max = REQUEST_MAX;
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, t) == 0)
        pthread_detach(thread);
}

/* ---- Starting ------------------------------------------------------------ */

static int listen_tcp(int *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, n) < 0 ||
        listen(fd, 128) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) < 0)
        return -1;
    *port = ntohs(at.sin_port);
    return fd;
}

static int listen_unix(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path)
        return -1;
    memcpy(at.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(fd, 128) < 0)
        return -1;
    return fd;
}

static void add_record(struct buf *text)
{
    struct record r = {0};
    const char *at = buf_str(text);
    if (!strncmp(at, "match: ", 7)) {
        r.match = xstrndup(at + 7, strcspn(at + 7, "\n"));
        at += 7 + strlen(r.match);
        at += *at == '\n';
    }
    r.text = xstrdup(at);
    VEC_PUSH(&house.replies, r);
    buf_clear(text);
}

static void read_replies(const char *path)
{
    struct err e = {0};
    struct lines l;
    struct buf text = BUF_INIT(0);
    if (!lines_open(&l, path, REQUEST_MAX, &e))
        die(e.text);
    while (lines_next(&l, &e)) {
        if (!strcmp(buf_str(&l.line), "%%")) {
            add_record(&text);
            continue;
        }
        if (text.len)
            buf_putc(&text, '\n');
        buf_puts(&text, buf_str(&l.line));
    }
    lines_close(&l);
    buf_free(&text);
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    int port = 0;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i + 1 < argc; i++) {
        if (!strcmp(argv[i], "--log"))
            house.log = fopen(argv[i + 1], "a");
        else if (!strcmp(argv[i], "--replies"))
            read_replies(argv[i + 1]);
        else if (!strcmp(argv[i], "--listen") &&
                 !strncmp(argv[i + 1], "unix:", 5))
            path = argv[i + 1] + 5;
    }
    int first = path ? listen_unix(path) : listen_tcp(&port);
    int other = listen_tcp(&house.other_port);
    if (first < 0 || other < 0)
        die("faulty-teacher: cannot listen");
    if (path)
        printf("ready\n");
    else
        printf("port %d %d\n", port, house.other_port);
    fflush(stdout);
    for (;;) {
        struct pollfd fds[] = {{first, POLLIN, 0}, {other, POLLIN, 0}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return 1;
        if (fds[0].revents)
            accept_one(first, false);
        if (fds[1].revents)
            accept_one(other, true);
    }
}
