/* What an attempt's end means: from curl's code, the status and the body to
 * a result and to what follows from it. */
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/say.h"
#include "base/utf8.h"
#include "teacher/retry.h"
#include "teacher/transfer.h"

#define ERROR_BYTES 4096               /* of a text that tells of an error */
#define PIECES_BYTES ((size_t)64 << 10) /* bodies searched for key pieces */

void result_free(struct result *r)
{
    buf_free(&r->raw);
    reply_free(&r->reply);
    free(r->error);
    *r = (struct result){0};
}

void result_set_error(struct result *r, const struct key *k, const char *text)
{
    struct buf raw = BUF_INIT(0), safe = BUF_INIT(0);
    buf_add(&raw, text, strnlen(text, 2 * ERROR_BYTES));
    key_redact_pieces(k, &raw);
    say_clean(&safe, buf_str(&raw), raw.len, false, true);
    size_t n = safe.len < ERROR_BYTES ? safe.len : ERROR_BYTES;
    while (n < safe.len && n && ((unsigned char)safe.data[n] & 0xC0) == 0x80)
        n--;
    free(r->error);
    r->error = xstrndup(buf_str(&safe), n);
    buf_free(&raw);
    buf_free(&safe);
}

/* ---- The key, coming back ------------------------------------------------ */

static bool redact_choice(const struct key *k, struct choice *c)
{
    bool found = key_redact_text(k, &c->answer.content);
    found |= key_redact_text(k, &c->answer.reasoning);
    found |= key_redact_text(k, &c->answer.tool_calls);
    found |= key_redact_text(k, &c->finish);
    found |= key_redact_text(k, &c->logprobs);
    return found;
}

static bool redact_reply(const struct key *k, struct reply *r)
{
    bool found = key_redact_text(k, &r->model);
    found |= key_redact_text(k, &r->error);
    found |= key_redact_text(k, &r->error_param);
    for (size_t i = 0; i < r->n; i++)
        found |= redact_choice(k, &r->at[i]);
    return found;
}

/* Takes the key out of all that is handed on. Where the pieces of a stream
 * make the key only together, its text cannot be kept: what was put together
 * stands in its place. */
static void redact(const struct key *k, struct result *r)
{
    bool raw = key_redact(k, &r->raw);
    bool read = redact_reply(k, &r->reply);
    r->key_echoed = raw || read;
    if (read && !raw) {
        explicit_bzero(r->raw.data, r->raw.cap);
        buf_clear(&r->raw);
        reply_print(&r->reply, &r->raw);
    }
    if (r->state != ASK_ANSWERED && r->raw.len <= PIECES_BYTES && r->raw.len)
        key_redact_pieces(k, &r->raw);
}

/* ---- Kinds of end -------------------------------------------------------- */

static void say_error(struct result *r, const struct key *k, const char *fmt,
                      ...) __attribute__((format(printf, 3, 4)));

static void say_error(struct result *r, const struct key *k, const char *fmt,
                      ...)
{
    struct buf b = BUF_INIT(0);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    result_set_error(r, k, buf_str(&b));
    buf_free(&b);
}

/* Curl's failures that another try may turn, and those that none can. */
static struct outcome judge_code(CURLcode code)
{
    static const CURLcode again[] = {
        CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
        CURLE_COULDNT_CONNECT,      CURLE_GOT_NOTHING,
        CURLE_SEND_ERROR,           CURLE_RECV_ERROR,
        CURLE_PARTIAL_FILE,         CURLE_HTTP2,
        CURLE_HTTP2_STREAM,         CURLE_SSL_CONNECT_ERROR};
    static const CURLcode stop[] = {
        CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_ISSUER_ERROR, CURLE_URL_MALFORMAT,
        CURLE_UNSUPPORTED_PROTOCOL};
    struct outcome o = {0};
    for (size_t i = 0; i < COUNT(again); i++)
        o.again = o.again || again[i] == code;
    for (size_t i = 0; i < COUNT(stop); i++)
        o.stop = o.stop || stop[i] == code;
    return o;
}

/* How long it was silent for, in the words of the profile's timeouts. */
static void say_stall(const struct transfer *t, const struct endpoint *at,
                      struct result *r)
{
    if (!t->last)
        say_error(r, &at->key, _("no first byte within %g s"),
                  at->profile->first_byte);
    else
        say_error(r, &at->key, _("the reply fell silent for %g s"),
                  at->profile->silence);
}

static struct outcome end_broken(struct transfer *t,
                                 const struct endpoint *at, CURLcode code,
                                 struct result *r)
{
    if (t->form == FORM_STREAM)
        assembly_end(&t->assembly, &r->reply, NULL); /* the partial answer */
    if (t->why.code != ERR_NONE) {
        result_set_error(r, &at->key, t->why.text);
        return (struct outcome){0};
    }
    if (t->stalled) {
        say_stall(t, at, r);
        return (struct outcome){.again = true, .slow = true};
    }
    if (code == CURLE_OPERATION_TIMEDOUT)
        say_error(r, &at->key, _("the reply took longer than %g s"),
                  at->profile->whole);
    else
        say_error(r, &at->key, _("no whole answer from %s: %s"),
                  at->profile->name,
                  *t->text ? t->text : curl_easy_strerror(code));
    return judge_code(code);
}

static void say_redirect(const struct transfer *t, const struct endpoint *at,
                         struct result *r)
{
    char *target = NULL, *scheme = NULL, *host = NULL;
    CURLU *u = curl_url();
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &target);
    if (u && target && !curl_url_set(u, CURLUPART_URL, target,
                                     CURLU_NON_SUPPORT_SCHEME)) {
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
        curl_url_get(u, CURLUPART_HOST, &host, 0);
    }
    say_error(r, &at->key, _("the teacher redirects (%d) to %s://%s; a key "
              "is never sent on: where that is right, write it as the url"),
              r->http, scheme ? scheme : "?", host ? host : "?");
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
}

static int64_t asked_wait(const struct transfer *t)
{
    struct curl_header *h;
    if (curl_easy_header(t->easy, "retry-after", 0, CURLH_HEADER, -1, &h) !=
        CURLHE_OK)
        return 0;
    return retry_after(h->value, clock_now());
}

/* No money left: 402 or its kin, or OpenAI's 429 that no waiting turns. */
static bool is_broke(const struct result *r, int status)
{
    return status == 402 ||
           (status == 429 &&
            (r->reply.error_status == 402 ||
             strstr(buf_str(&r->raw), "insufficient_quota")));
}

/* What follows from a status: the reply's own, or that of an error inside a
 * good one. */
static struct outcome follow(const struct transfer *t, unsigned sent,
                             int status, const struct result *r)
{
    if (status == 401 || status == 403 || is_broke(r, status))
        return (struct outcome){.stop = true};
    struct outcome v = {.again = retry_status(status),
                        .limited = status == 429};
    if (v.again)
        v.retry_after = asked_wait(t);
    if (status == 400 || status == 422)
        v.refused = request_refused(r->reply.error, r->reply.error_param,
                                    sent);
    return v;
}

static struct outcome end_status(const struct transfer *t,
                                 const struct endpoint *at, unsigned sent,
                                 struct result *r)
{
    if (r->http >= 300 && r->http < 400) {
        say_redirect(t, at, r);
        return (struct outcome){0};
    }
    reply_parse_error(buf_str(&r->raw), r->raw.len, &r->reply);
    if (*r->reply.error)
        say_error(r, &at->key, _("status %d: %s"), r->http, r->reply.error);
    else
        say_error(r, &at->key, _("status %d without a word"), r->http);
    return follow(t, sent, r->http, r);
}

/* Reads a good status's body into r->reply. */
static bool read_body(struct transfer *t, struct result *r, struct err *e)
{
    const char *body = buf_str(&t->raw);
    size_t n = t->raw.len;
    if (n >= 3 && !memcmp(body, "\xEF\xBB\xBF", 3)) {
        body += 3;
        n -= 3;
    }
    switch (t->form) {
    case FORM_STREAM: return assembly_end(&t->assembly, &r->reply, e);
    case FORM_JSON: return reply_parse(body, n, &r->reply, e);
    case FORM_PAGE:
        reply_parse_error(body, n, &r->reply);
        err_set(e, ERR_NET, _("a web page came back (HTML), not JSON: is the "
                              "url right? \"%.100s\""), r->reply.error);
        return false;
    case FORM_UNKNOWN: break;
    }
    if (!n)
        return err_set(e, ERR_NET, _("an empty reply"));
    return err_set(e, ERR_NET, _("the reply is neither JSON nor an event "
                                 "stream: %.200s"), body);
}

/* A body whose last sign closes it: what is no JSON then is junk, not the
 * beginning of more. */
static bool is_closed(const struct buf *raw)
{
    size_t n = raw->len;
    while (n && strchr(" \t\r\n", raw->data[n - 1]))
        n--;
    return n && strchr("}]", raw->data[n - 1]);
}

/* A body that could not be read: what broke off and what holds no answer is
 * asked for again, what is something else is not, and where another protocol
 * is spoken no other request will fare better. */
static struct outcome end_unread(const struct transfer *t,
                                 const struct endpoint *at,
                                 const struct err *e, struct result *r)
{
    result_set_error(r, &at->key, e->text);
    bool junk = t->form == FORM_PAGE ||
                (t->form == FORM_UNKNOWN && t->raw.len) ||
                (t->form == FORM_JSON && e->code == ERR_INPUT &&
                 is_closed(&t->raw));
    bool foreign = e->code == ERR_USAGE;
    return (struct outcome){.again = !junk && !foreign, .stop = foreign};
}

static struct outcome end_good(struct transfer *t, const struct endpoint *at,
                               unsigned sent, struct result *r)
{
    struct err e = {0};
    if (!read_body(t, r, &e))
        return end_unread(t, at, &e, r);
    if (r->reply.error) {
        say_error(r, &at->key, _("the teacher broke off: %s"),
                  r->reply.error);
        return follow(t, sent, r->reply.error_status, r);
    }
    const struct choice *c = reply_answer(&r->reply);
    const char *why = (c ? c : &r->reply.at[0])->finish;
    if (c && strcmp(why, "error")) {
        r->state = ASK_ANSWERED;
        return (struct outcome){0};
    }
    if (c)
        say_error(r, &at->key, _("the teacher broke off in mid-answer"));
    else
        say_error(r, &at->key, _("the answer is empty (it ended with "
                                 "\"%s\")"), why);
    return (struct outcome){.again = strcmp(why, "content_filter") != 0};
}

/* The line ended well, or what came says itself that it is whole. */
static bool is_whole(const struct transfer *t, CURLcode code)
{
    return !code || t->form == FORM_PAGE || assembly_whole(&t->assembly) ||
           (t->form == FORM_JSON && is_closed(&t->raw));
}

struct outcome transfer_end(struct transfer *t, const struct endpoint *at,
                            CURLcode code, unsigned sent, struct result *r)
{
    struct outcome v;
    long http = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &http);
    *r = (struct result){.state = ASK_FAILED, .http = (int)http,
                         .ms = clock_mono() - t->started, .raw = t->raw,
                         .reply = {.tokens_in = -1, .tokens_out = -1}};
    bool bad = http != 0 && (http < 200 || http >= 300);
    if (bad)
        v = end_status(t, at, sent, r);
    else if (is_whole(t, code) && t->why.code == ERR_NONE)
        v = end_good(t, at, sent, r);
    else
        v = end_broken(t, at, code, r);
    t->raw = (struct buf)BUF_INIT(0); /* it is the result's now */
    redact(&at->key, r);
    return v;
}
