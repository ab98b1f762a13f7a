#include "teacher/transfer.h"

#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/mem.h"
#include "config.h"

#define BODY_MAX ((size_t)64 << 20)   /* decoded bytes of a reply */
#define ERROR_MAX ((size_t)1 << 20)   /* of an error's body */
#define HEADERS_MAX ((size_t)256 << 10)

/* ---- While it runs ------------------------------------------------------- */

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    (void)p;
    struct transfer *t = ctx;
    t->header_bytes += size * n;
    if (t->header_bytes <= HEADERS_MAX)
        return size * n;
    err_set(&t->why, ERR_NET, _("the reply's headers are over %zu KiB"),
            HEADERS_MAX >> 10);
    return 0;
}

static const char *header(const struct transfer *t, const char *name)
{
    struct curl_header *h;
    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return NULL;
    return h->value;
}

/* A comment of an event stream, or one of its fields. */
static bool is_field(const char *p, size_t n)
{
    static const char *const fields[] = {":", "data:", "event:", "id:",
                                         "retry:", "error:"};
    for (size_t i = 0; i < COUNT(fields); i++)
        if (n >= strlen(fields[i]) && !memcmp(p, fields[i], strlen(fields[i])))
            return true;
    return false;
}

/* What a body is, by its first sign; a byte order mark is passed over. */
static enum form sniff(const struct buf *raw)
{
    size_t i = raw->len >= 3 && !memcmp(raw->data, "\xEF\xBB\xBF", 3) ? 3 : 0;
    while (i < raw->len && strchr(" \t\r\n", raw->data[i]) && raw->data[i])
        i++;
    if (i == raw->len)
        return FORM_UNKNOWN;
    switch (raw->data[i]) {
    case '{':
    case '[': return FORM_JSON;
    case '<': return FORM_PAGE;
    default: return is_field(raw->data + i, raw->len - i) ? FORM_STREAM
                                                          : FORM_UNKNOWN;
    }
}

static bool is_encoded(struct transfer *t)
{
    const char *encoding = header(t, "content-encoding");
    if (!encoding || !strcasecmp(encoding, "identity"))
        return false;
    err_set(&t->why, ERR_NET, _("wrong content type: the teacher sent a "
            "compressed body (%.40s) that was not asked for"), encoding);
    return true;
}

/* Takes a piece of a good reply; false breaks the transfer off. */
static bool take(struct transfer *t, const char *p, size_t n)
{
    if (t->raw.len == 0 && is_encoded(t))
        return false;
    if (t->raw.len + n > BODY_MAX || !buf_add(&t->raw, p, n))
        return err_set(&t->why, ERR_NET, _("the reply is over %zu MiB"),
                       BODY_MAX >> 20);
    if (t->form == FORM_STREAM)
        return assembly_feed(&t->assembly, p, n, &t->why);
    if (t->form == FORM_UNKNOWN) {
        t->form = sniff(&t->raw);
        if (t->form == FORM_STREAM)
            return assembly_feed(&t->assembly, t->raw.data, t->raw.len,
                                 &t->why);
    }
    return t->form != FORM_PAGE || t->raw.len < ERROR_MAX;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    long http = 0;
    n *= size;
    t->last = clock_mono();
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &http);
    if (http >= 200 && http < 300)
        return take(t, p, n) ? n : 0;
    t->enough = t->raw.len + n > ERROR_MAX || !buf_add(&t->raw, p, n);
    return t->enough ? 0 : n;
}

bool transfer_complete(const struct transfer *t)
{
    return t->assembly.reply.done;
}

/* ---- Setting up ---------------------------------------------------------- */

/* curl copies the text; ours is wiped, since one of them holds the key. A
 * value with a control character would be a header more: refused. */
static bool add_header(struct transfer *t, const char *name,
                       const char *value)
{
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    struct buf line = BUF_INIT(KEY_BYTES + 256);
    buf_printf(&line, "%s: %s", name, value);
    struct curl_slist *more = NULL;
    if (buf_ok(&line))
        more = curl_slist_append(t->headers, buf_str(&line));
    if (line.data)
        explicit_bzero(line.data, line.cap);
    buf_free(&line);
    if (more)
        t->headers = more;
    return more != NULL;
}

static bool add_headers(struct transfer *t, const struct endpoint *at,
                        const struct ask *a)
{
    bool ok = add_header(t, "Content-Type", "application/json") &&
              add_header(t, "Accept", a->stream ? "text/event-stream"
                                                : "application/json");
    if (ok && at->key.form[0]) {
        char *bearer = xasprintf("Bearer %s", at->key.form[0]);
        ok = add_header(t, "Authorization", bearer);
        explicit_bzero(bearer, strlen(bearer));
        free(bearer);
    }
    if (ok && at->own && a->step)
        ok = add_header(t, "Stillroom-Step", a->step);
    struct curl_slist *more = curl_slist_append(t->headers, "Expect:");
    t->headers = more ? more : t->headers;
    return ok && more;
}

static long in_ms(double seconds)
{
    return (long)(seconds * 1000);
}

/* Where it goes and how far it is trusted. */
static bool set_route(CURL *easy, const struct endpoint *at)
{
    const struct profile *p = at->profile;
    const char *schemes = strncmp(at->url, "https:", 6) ? "http" : "https";
    bool ok = !curl_easy_setopt(easy, CURLOPT_URL, at->url) &&
              !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, schemes);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (p->ca_file)
        ok = ok && !curl_easy_setopt(easy, CURLOPT_CAINFO, p->ca_file);
    if (at->socket)
        ok = ok && !curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
                                     at->socket);
    if (at->near)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    return ok;
}

static bool set_up(struct transfer *t, const struct endpoint *at)
{
    const struct profile *p = at->profile;
    CURL *easy = t->easy;
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->text);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "stillroom/" PACKAGE_VERSION);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, in_ms(p->whole));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, in_ms(p->whole));
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)t->body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body.data);
    return !curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers) &&
           set_route(easy, at);
}

bool transfer_start(struct transfer *t, const struct endpoint *at,
                    const struct ask *a, unsigned refused, struct err *e)
{
    *t = (struct transfer){.body = BUF_INIT(BODY_MAX),
                           .raw = BUF_INIT(BODY_MAX)};
    assembly_start(&t->assembly);
    request_write(&t->body, a, a->model ? a->model : at->model, refused);
    t->easy = curl_easy_init();
    t->started = clock_mono();
    if (!buf_ok(&t->body))
        return err_set(e, ERR_INPUT, _("the request is over %zu MiB"),
                       BODY_MAX >> 20);
    if (!add_headers(t, at, a))
        return err_set(e, ERR_INPUT, _("a control character in the request's "
                                       "headers"));
    if (t->easy && set_up(t, at))
        return true;
    return err_set(e, ERR_NET, _("curl cannot make the request"));
}

void transfer_free(struct transfer *t)
{
    if (t->easy)
        curl_easy_cleanup(t->easy);
    for (struct curl_slist *h = t->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(t->headers);
    buf_free(&t->body);
    buf_free(&t->raw);
    assembly_free(&t->assembly);
    *t = (struct transfer){0};
}
