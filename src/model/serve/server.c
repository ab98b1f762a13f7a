#include "model/serve/server.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/serve/address.h"
#include "model/serve/reply.h"

enum {
    CONNECTIONS = 128,
    SILENCE = 60,    /* seconds without a byte */
    BODY_MS = 120000, /* for all of a body */
    EVENT_BLOCK = 4096
};

struct server {
    struct MHD_Daemon *daemon;
    const struct answerer *answerer;
    char *key; /* NULL: nobody needs one */
    struct listener listener;
};

/* ---- One exchange -------------------------------------------------------- */

/* A request while its body arrives. */
struct exchange {
    struct buf body;
    bool too_large;
    int64_t until; /* monotonic ms: a body that has not come by then is late */
};

static enum MHD_Result send_json(struct MHD_Connection *c, unsigned status,
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
        MHD_add_response_header(r, "Allow", "GET, POST");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
    if (status == MHD_HTTP_CONTENT_TOO_LARGE ||
        status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(r, "Connection", "close");
    enum MHD_Result sent = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return sent;
}

static enum MHD_Result send_error(struct MHD_Connection *c, unsigned status,
                                  const char *message)
{
    struct buf b = BUF_INIT(0);
    reply_error(message, (int)status, &b);
    return send_json(c, status, &b);
}

/* ---- Streaming ----------------------------------------------------------- */

struct stream {
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
        if (!reply_events(&s->reply, &s->pending))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (!buf_ok(&s->pending))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        still_here(s->connection);
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
    reply_free(&s->reply);
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
    enum MHD_Result sent = MHD_queue_response(c, MHD_HTTP_OK, r);
    MHD_destroy_response(r);
    return sent;
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

static enum MHD_Result send_whole(struct MHD_Connection *c, struct reply *r)
{
    struct buf out = BUF_INIT(0);
    struct err e = {0};
    if (reply_whole(r, &out, &e) && buf_ok(&out))
        return send_json(c, MHD_HTTP_OK, &out);
    buf_free(&out);
    return send_error(c, status_of(&e), e.text);
}

static enum MHD_Result complete(const struct server *server,
                                struct MHD_Connection *c, bool text,
                                struct buf *body)
{
    struct stream *s = xcalloc(1, sizeof *s);
    struct err e = {0};
    const char *step = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
                                                   "Stillroom-Step");
    s->connection = c;
    reply_init(&s->reply, server->answerer);
    s->reply.fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
                      ->connect_fd;
    bool ok = request_read(&s->reply.request, server->answerer, text,
                           buf_str(body), body->len, step, &e);
    if (ok && s->reply.request.stream &&
        reply_begin(&s->reply, &s->pending, &e))
        return send_stream(c, s);
    enum MHD_Result sent = ok && !s->reply.request.stream
                               ? send_whole(c, &s->reply)
                               : send_error(c, status_of(&e), e.text);
    free_stream(s);
    return sent;
}

/* Whether the request has the key; how long it takes tells nothing of where
 * they differ. */
static bool is_known(const struct server *s, struct MHD_Connection *c)
{
    static const char scheme[] = "Bearer ";
    const char *given = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
                                                    "Authorization");
    size_t skip = sizeof scheme - 1, n = s->key ? strlen(s->key) : 0;
    if (!s->key)
        return true;
    if (!given || strncasecmp(given, scheme, skip) ||
        strlen(given + skip) != n)
        return false;
    unsigned differs = 0;
    for (size_t i = 0; i < n; i++)
        differs |= (unsigned)(given[skip + i] ^ s->key[i]);
    return !differs;
}

/* A page in a browser that is not this machine's own: what a person visits must
 * not use the student. */
static bool is_foreign(const struct server *s, struct MHD_Connection *c)
{
    static const char *const own[] = {
        "http://localhost", "http://127.0.0.1", "http://[::1]",
        "https://localhost", "https://127.0.0.1", "https://[::1]"};
    if (s->key) /* which no page of others has */
        return false;
    const char *origin = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
                                                     "Origin");
    for (size_t i = 0; origin && i < COUNT(own); i++) {
        size_t n = strlen(own[i]);
        if (!strncmp(origin, own[i], n) && (!origin[n] || origin[n] == ':'))
            return false;
    }
    return origin != NULL;
}

static enum MHD_Result route(const struct server *s, struct MHD_Connection *c,
                             const char *url, const char *method,
                             struct exchange *x)
{
    static const char one[] = "/v1/models/";
    bool named = !strncmp(url, one, sizeof one - 1);
    bool models = named || !strcmp(url, "/v1/models");
    bool chat = !strcmp(url, "/v1/chat/completions");
    bool text = !strcmp(url, "/v1/completions");
    if (x->too_large)
        return send_error(c, MHD_HTTP_CONTENT_TOO_LARGE,
                          _("the body is larger than 1 MiB"));
    if (!models && !chat && !text)
        return send_error(c, MHD_HTTP_NOT_FOUND,
                          _("there are only /v1/models, /v1/completions and "
                            "/v1/chat/completions here"));
    if (strcmp(method, models ? "GET" : "POST"))
        return send_error(c, MHD_HTTP_METHOD_NOT_ALLOWED,
                          models ? _("/v1/models is read with GET")
                                 : _("completions are asked for with POST"));
    if (!models)
        return complete(s, c, text, &x->body);
    struct buf b = BUF_INIT(0);
    if (named && !reply_model(s->answerer, url + sizeof one - 1, &b)) {
        buf_free(&b);
        return send_error(c, MHD_HTTP_NOT_FOUND,
                          _("no model of that name is served here"));
    }
    if (!named)
        reply_models(s->answerer, &b);
    return send_json(c, MHD_HTTP_OK, &b);
}

static bool says_too_large(struct MHD_Connection *c)
{
    const char *n = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
                                                "Content-Length");
    return n && strtoull(n, NULL, 10) > REQUEST_BYTES;
}

/* libmicrohttpd calls it once when the headers are there, then with each part
 * of the body, then without one. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *c,
                              const char *url, const char *method,
                              const char *version, const char *data,
                              size_t *size, void **state)
{
    struct exchange *x = *state;
    (void)version;
    if (!x) {
        *state = x = xcalloc(1, sizeof *x);
        x->body = (struct buf)BUF_INIT(REQUEST_BYTES);
        if (!is_known(ctx, c))
            return send_error(c, MHD_HTTP_UNAUTHORIZED,
                              _("this server answers who has its key: "
                                "Authorization: Bearer KEY"));
        if (is_foreign(ctx, c))
            return send_error(c, MHD_HTTP_FORBIDDEN,
                              _("pages of other sites are not answered"));
        x->until = clock_mono() + BODY_MS;
        x->too_large = says_too_large(c);
        return x->too_large ? route(ctx, c, url, method, x) : MHD_YES;
    }
    if (*size && clock_mono() > x->until)
        return MHD_NO; /* which closes the connection */
    if (*size) {
        x->too_large = !buf_add(&x->body, data, *size) || x->too_large;
        *size = 0;
        return MHD_YES;
    }
    return route(ctx, c, url, method, x);
}

static void forget(void *ctx, struct MHD_Connection *c, void **state,
                   enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *state;
    (void)ctx;
    (void)c;
    (void)why;
    if (x)
        buf_free(&x->body);
    free(x);
    *state = NULL;
}

/* ---- Start and stop ------------------------------------------------------ */

struct server *server_start(const char *where, const char *key,
                            const struct answerer *a, struct err *e)
{
    struct server *s = xcalloc(1, sizeof *s);
    s->answerer = a;
    if (!listener_open(where, key != NULL, &s->listener, e)) {
        free(s);
        return NULL;
    }
    s->key = key ? xstrdup(key) : NULL;
    s->daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
            MHD_USE_POLL | MHD_USE_ITC,
        0, NULL, NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, s->listener.fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE,
        MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_END);
    if (!s->daemon) {
        err_sys(e, _("the server does not start on %s"), where);
        close(s->listener.fd);
        server_stop(&s);
    }
    return s;
}

const char *server_address(const struct server *s)
{
    return s->listener.text;
}

void server_stop(struct server **s)
{
    if (!*s)
        return;
    if ((*s)->answerer->stop)
        (*s)->answerer->stop((*s)->answerer->ctx);
    if ((*s)->daemon)
        MHD_stop_daemon((*s)->daemon); /* closes the listening socket */
    listener_close(&(*s)->listener);
    if ((*s)->key)
        explicit_bzero((*s)->key, strlen((*s)->key));
    free((*s)->key);
    free(*s);
    *s = NULL;
}
