#include "model/serve/server.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/mem.h"
#include "model/serve/address.h"
#include "model/serve/door.h"
#include "model/serve/guard.h"
#include "model/serve/reply.h"

enum {
    SILENCE = 60, /* seconds without a byte */
    SPARE = 8,    /* connections of the daemon beyond the door's */
    EVENT_BLOCK = 4096
};

struct server {
    struct MHD_Daemon *daemon;
    const struct answerer *answerer;
    char *key; /* NULL: nobody needs one */
    struct listener listener;
    struct limits limits;
    struct door *door;
};

const struct limits limits_usual = {
    .connections = 128, .head_ms = 30000, .body_ms = 120000};

/* ---- One exchange -------------------------------------------------------- */

/* A request while its body arrives. */
struct exchange {
    struct buf body;
    bool too_large;
};

/* Whether the connection ends with this answer: where the rest of the request
 * is not read, and where others wait for the place. */
static bool is_last(const struct server *s, unsigned status)
{
    return status == MHD_HTTP_BAD_REQUEST ||
           status == MHD_HTTP_CONTENT_TOO_LARGE ||
           status == MHD_HTTP_UNAUTHORIZED || status == MHD_HTTP_FORBIDDEN ||
           door_is_crowded(s->door);
}

static enum MHD_Result queue(const struct server *s, struct MHD_Connection *c,
                             unsigned status, struct MHD_Response *r)
{
    if (is_last(s, status))
        MHD_add_response_header(r, "Connection", "close");
    door_allow(s->door, c, s->limits.body_ms); /* to read it */
    enum MHD_Result sent = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return sent;
}

static enum MHD_Result send_json(const struct server *s,
                                 struct MHD_Connection *c, unsigned status,
                                 struct buf *body)
{
    size_t n = body->len;
    char *text = buf_take(body);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", "application/json");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow", "GET, HEAD, POST");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
    return queue(s, c, status, r);
}

static enum MHD_Result send_error(const struct server *s,
                                  struct MHD_Connection *c, unsigned status,
                                  const char *message)
{
    struct buf b = BUF_INIT(0);
    reply_error(message, (int)status, &b);
    return send_json(s, c, status, &b);
}

/* ---- Streaming ----------------------------------------------------------- */

struct stream {
    const struct server *server;
    struct MHD_Connection *connection;
    struct reply reply;
    struct buf pending;
    size_t at;
};

/* Starts the silence anew: the time that a piece took is ours, not the
 * client's, and would end the stream. (Setting the limit that is set changes
 * nothing, so it goes first.) */
static void still_here(struct MHD_Connection *c)
{
    MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    MHD_set_connection_option(c, MHD_CONNECTION_OPTION_TIMEOUT,
                              (unsigned)SILENCE);
}

static ssize_t read_stream(void *ctx, uint64_t pos, char *out, size_t max)
{
    struct stream *s = ctx;
    (void)pos;
    while (s->at == s->pending.len) {
        buf_clear(&s->pending);
        s->at = 0;
        door_allow(s->server->door, s->connection, 0);
        if (!reply_events(&s->reply, &s->pending))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (!buf_ok(&s->pending))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        still_here(s->connection);
        door_allow(s->server->door, s->connection, s->server->limits.body_ms);
    }
    size_t n = s->pending.len - s->at;
    n = n < max ? n : max;
    memcpy(out, s->pending.data + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static void free_stream(void *ctx)
{
    struct stream *s = ctx;
    reply_done(&s->reply);
    buf_free(&s->pending);
    free(s);
}

static enum MHD_Result send_stream(struct MHD_Connection *c, struct stream *s)
{
    struct MHD_Response *r = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, EVENT_BLOCK, read_stream, s, free_stream);
    if (!r) {
        free_stream(s);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", "text/event-stream");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    return queue(s->server, c, MHD_HTTP_OK, r);
}

/* ---- Routes -------------------------------------------------------------- */

static unsigned status_of(const struct err *e)
{
    if (e->code == ERR_INPUT || e->code == ERR_USAGE)
        return MHD_HTTP_BAD_REQUEST;
    if (e->code == ERR_ABSENT)
        return MHD_HTTP_NOT_FOUND;
    return e->code == ERR_BUSY ? MHD_HTTP_SERVICE_UNAVAILABLE
                               : MHD_HTTP_INTERNAL_SERVER_ERROR;
}

static enum MHD_Result send_whole(const struct server *s,
                                  struct MHD_Connection *c, struct reply *r)
{
    struct buf out = BUF_INIT(0);
    struct err e = {0};
    if (reply_whole(r, &out, &e) && buf_ok(&out))
        return send_json(s, c, MHD_HTTP_OK, &out);
    buf_free(&out);
    return send_error(s, c, status_of(&e), e.text);
}

static enum MHD_Result complete(const struct server *server,
                                struct MHD_Connection *c, bool text,
                                struct buf *body)
{
    struct stream *s = xcalloc(1, sizeof *s);
    struct err e = {0};
    const char *step = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
                                                   "Stillroom-Step");
    s->server = server;
    s->connection = c;
    door_allow(server->door, c, 0);
    reply_init(&s->reply, server->answerer);
    s->reply.fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
                      ->connect_fd;
    bool ok = request_read(&s->reply.request, server->answerer, text,
                           buf_str(body), body->len, step, &e);
    if (ok && s->reply.request.stream &&
        reply_begin(&s->reply, &s->pending, &e))
        return send_stream(c, s);
    enum MHD_Result sent = ok && !s->reply.request.stream
                               ? send_whole(server, c, &s->reply)
                               : send_error(server, c, status_of(&e), e.text);
    free_stream(s);
    return sent;
}

/* Where what is asked for stands. */
enum route { ROUTE_NONE, ROUTE_HEALTH, ROUTE_MODELS, ROUTE_CHAT, ROUTE_TEXT };

static enum route route_of(const char *url)
{
    static const char *const paths[] = {
        [ROUTE_HEALTH] = "/health", [ROUTE_MODELS] = "/v1/models",
        [ROUTE_CHAT] = "/v1/chat/completions", [ROUTE_TEXT] =
        "/v1/completions"};
    for (size_t i = ROUTE_HEALTH; i < COUNT(paths); i++)
        if (!strcmp(url, paths[i]))
            return (enum route)i;
    return strncmp(url, "/v1/models/", 11) ? ROUTE_NONE : ROUTE_MODELS;
}

static bool is_read(enum route r)
{
    return r == ROUTE_HEALTH || r == ROUTE_MODELS;
}

/* The list of models, or the one that the path names. */
static enum MHD_Result send_models(const struct server *s,
                                   struct MHD_Connection *c, const char *url)
{
    struct buf b = BUF_INIT(0);
    const char *name = strlen(url) > 11 ? url + 11 : NULL;
    if (!name)
        reply_models(s->answerer, &b);
    else if (!reply_model(s->answerer, name, &b))
        return send_error(s, c, MHD_HTTP_NOT_FOUND,
                          _("no model of that name is served here"));
    return send_json(s, c, MHD_HTTP_OK, &b);
}

static enum MHD_Result send_health(const struct server *s,
                                   struct MHD_Connection *c)
{
    struct buf b = BUF_INIT(0);
    buf_puts(&b, "{\"status\":\"ok\"}");
    return send_json(s, c, MHD_HTTP_OK, &b);
}

static enum MHD_Result answer(const struct server *s, struct MHD_Connection *c,
                              const char *url, const char *method,
                              struct exchange *x)
{
    enum route r = route_of(url);
    if (x->too_large)
        return send_error(s, c, MHD_HTTP_CONTENT_TOO_LARGE,
                          _("the body is larger than 1 MiB"));
    if (r == ROUTE_NONE)
        return send_error(s, c, MHD_HTTP_NOT_FOUND,
                          _("there are only /v1/models, /v1/completions, "
                            "/v1/chat/completions and /health here"));
    if (strcmp(method, is_read(r) ? "GET" : "POST") &&
        !(is_read(r) && !strcmp(method, "HEAD")))
        return send_error(s, c, MHD_HTTP_METHOD_NOT_ALLOWED,
                          is_read(r) ? _("this is read with GET")
                                     : _("completions are asked for with "
                                         "POST"));
    return r == ROUTE_HEALTH   ? send_health(s, c)
           : r == ROUTE_MODELS ? send_models(s, c, url)
                               : complete(s, c, r == ROUTE_TEXT, &x->body);
}

static bool says_too_large(struct MHD_Connection *c)
{
    const char *n = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
                                                "Content-Length");
    return n && strtoull(n, NULL, 10) > REQUEST_BYTES;
}

/* The headers are there: refuses, or waits for the body. */
static enum MHD_Result begin(const struct server *s, struct MHD_Connection *c,
                             const char *url, const char *method,
                             const char *version, struct exchange *x)
{
    const struct guard g = {s->key, s->listener.text};
    const char *why;
    unsigned status = guard_check(&g, c, version,
                                  route_of(url) == ROUTE_HEALTH, &why);
    x->body = (struct buf)BUF_INIT(REQUEST_BYTES);
    if (status)
        return send_error(s, c, status, why);
    door_allow(s->door, c, s->limits.body_ms);
    x->too_large = says_too_large(c);
    return x->too_large ? answer(s, c, url, method, x) : MHD_YES;
}

/* libmicrohttpd calls it once when the headers are there, then with each part
 * of the body, then without one. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *c,
                              const char *url, const char *method,
                              const char *version, const char *data,
                              size_t *size, void **state)
{
    struct exchange *x = *state;
    if (!x) {
        *state = x = xcalloc(1, sizeof *x);
        return begin(ctx, c, url, method, version, x);
    }
    if (*size) {
        x->too_large = !buf_add(&x->body, data, *size) || x->too_large;
        *size = 0;
        return MHD_YES;
    }
    return answer(ctx, c, url, method, x);
}

static void forget(void *ctx, struct MHD_Connection *c, void **state,
                   enum MHD_RequestTerminationCode why)
{
    const struct server *s = ctx;
    struct exchange *x = *state;
    (void)why;
    door_allow(s->door, c, s->limits.head_ms); /* for the next one */
    if (x)
        buf_free(&x->body);
    free(x);
    *state = NULL;
}

/* ---- Start and stop ------------------------------------------------------ */

static bool open_daemon(struct server *s)
{
    size_t room = s->limits.connections;
    s->door = door_new(room, s->limits.head_ms);
    s->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
            MHD_USE_POLL | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET,
        0, NULL, NULL, handle, s, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)room + SPARE, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SILENCE, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_COMPLETED, forget, s, MHD_OPTION_NOTIFY_CONNECTION,
        door_notify, s->door, MHD_OPTION_END);
    return s->daemon && door_open(s->door, s->daemon, s->listener.fd);
}

struct server *serve_start(const char *where, const char *key,
                            const struct limits *limits,
                            const struct answerer *a, struct err *e)
{
    struct server *s = xcalloc(1, sizeof *s);
    s->answerer = a;
    s->limits = *limits;
    if (!listener_open(where, key != NULL, &s->listener, e)) {
        free(s);
        return NULL;
    }
    s->key = key ? xstrdup(key) : NULL;
    if (!open_daemon(s)) {
        err_sys(e, _("the server does not start on %s"), where);
        serve_stop(&s);
    }
    return s;
}

const char *server_address(const struct server *s)
{
    return s->listener.text;
}

void serve_stop(struct server **s)
{
    if (!*s)
        return;
    if ((*s)->answerer->stop)
        (*s)->answerer->stop((*s)->answerer->ctx);
    door_close((*s)->door);
    if ((*s)->daemon)
        MHD_stop_daemon((*s)->daemon);
    door_free(&(*s)->door);
    close((*s)->listener.fd);
    listener_close(&(*s)->listener);
    if ((*s)->key)
        explicit_bzero((*s)->key, strlen((*s)->key));
    free((*s)->key);
    free(*s);
    *s = NULL;
}
