#include "model/serve/reply.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "base/utf8.h"

enum { BODY_MAX = 64 << 20 };

void reply_init(struct reply *r, const struct answerer *a)
{
    uint8_t id[12];
    char hex[2 * sizeof id + 1];
    *r = (struct reply){.answerer = a, .created = clock_now() / 1000};
    rng_system(id, sizeof id);
    snprintf(r->id, sizeof r->id, "chatcmpl-%s",
             sha_hex(id, sizeof id, hex));
    r->fd = -1;
}

/* Ends an answer and counts what it took; true where it was cut. */
static bool end_run(struct reply *r, struct choice *c)
{
    struct usage u = {0};
    if (!c->run)
        return false;
    r->answerer->end(c->run, &u);
    c->run = NULL;
    if (!c->q.choice) { /* a prompt is counted once */
        r->tokens_in += u.tokens_in;
        r->cached += u.cached;
    }
    r->tokens_out += u.tokens_out;
    return u.cut;
}

static void end_all(struct reply *r)
{
    for (size_t i = 0; i < COUNT(r->choices); i++) {
        end_run(r, &r->choices[i]);
        thought_free(&r->choices[i].thought);
    }
}

void reply_done(struct reply *r)
{
    end_all(r);
    request_free(&r->request);
}

/* Begins every answer, so that they are made together. */
static bool start_all(struct reply *r, struct err *e)
{
    for (size_t i = 0; i < r->request.n; i++) {
        struct choice *c = &r->choices[i];
        c->q = request_question(&r->request, i);
        c->thought.held = (struct buf)BUF_INIT(BODY_MAX);
        c->run = r->answerer->start(r->answerer->ctx, &c->q, e);
        if (!c->run)
            return false;
    }
    return true;
}

static struct choice *told_now(struct reply *r)
{
    return &r->choices[r->choice];
}

/* ---- JSON ---------------------------------------------------------------- */

/* The model that answers, by its own name. */
static const char *model_of(const struct reply *r)
{
    const char *const *all = r->answerer->models;
    for (size_t i = 0; r->request.q.model && all[i]; i++)
        if (!strcmp(all[i], r->request.q.model))
            return all[i];
    return all[0];
}

static void open_body(const struct reply *r, const char *object, struct jw *w)
{
    jw_open(w, '{');
    jw_kstr(w, "id", r->id);
    jw_kstr(w, "object", object);
    jw_kint(w, "created", r->created);
    jw_kstr(w, "model", model_of(r));
}

static void put_usage(const struct reply *r, struct jw *w)
{
    jw_key(w, "usage");
    jw_open(w, '{');
    jw_kint(w, "prompt_tokens", (int64_t)r->tokens_in);
    jw_kint(w, "completion_tokens", (int64_t)r->tokens_out);
    jw_kint(w, "total_tokens", (int64_t)(r->tokens_in + r->tokens_out));
    jw_key(w, "prompt_tokens_details");
    jw_open(w, '{');
    jw_kint(w, "cached_tokens", (int64_t)r->cached);
    jw_close(w);
    jw_close(w);
}

/* A token's text, or "bytes:\\xe2\\x80" where it is no whole characters: so
 * the names of alternatives differ. */
static void name_token(const json *token, struct buf *out)
{
    struct buf raw = BUF_INIT(0);
    const json *bytes = json_get(token, "bytes");
    for (const json *b = json_first(bytes); b; b = json_next(b))
        buf_putc(&raw, (char)json_number(b, 0));
    const char *s = buf_str(&raw);
    if (raw.len && utf8_check(s, raw.len) == raw.len &&
        strlen(s) == raw.len) {
        buf_puts(out, s);
    } else {
        buf_puts(out, "bytes:");
        for (size_t i = 0; i < raw.len; i++)
            buf_printf(out, "\\x%02x", (unsigned char)s[i]);
    }
    buf_free(&raw);
}

/* {"a": -1.5, ...} of a token's alternatives, null where it has none; of two
 * with one text the likelier. */
static void put_top(const json *token, struct jw *w)
{
    const json *top = json_get(token, "top_logprobs");
    VEC(char *) names = {0};
    if (!json_first(top)) {
        jw_null(w);
        return;
    }
    jw_open(w, '{');
    for (const json *o = json_first(top); o; o = json_next(o)) {
        struct buf name = BUF_INIT(0);
        size_t i = 0;
        name_token(o, &name);
        while (i < names.n && strcmp(names.at[i], buf_str(&name)))
            i++;
        if (i == names.n) {
            jw_key(w, buf_str(&name));
            jw_num(w, json_get_number(o, "logprob", 0));
        }
        VEC_PUSH(&names, buf_take(&name));
    }
    for (size_t i = 0; i < names.n; i++)
        free(names.at[i]);
    VEC_FREE(&names);
    jw_close(w);
}

/* The parts of completions' log probabilities, list by list. */
enum text_list { TOKENS, LOGPROBS, TOPS, OFFSETS, TEXT_LISTS };

static void put_text_list(const json *all, enum text_list part, size_t from,
                          struct jw *w)
{
    static const char *const names[TEXT_LISTS] = {
        "tokens", "token_logprobs", "top_logprobs", "text_offset"};
    jw_key(w, names[part]);
    jw_open(w, '[');
    for (const json *t = json_first(all); t; t = json_next(t)) {
        const char *token = json_get_string(t, "token", "");
        const json *p = json_get(t, "logprob");
        if (part == TOKENS)
            jw_str(w, token);
        else if (part == TOPS)
            put_top(t, w);
        else if (part == OFFSETS)
            jw_int(w, (int64_t)from);
        else if (json_is_null(p))
            jw_null(w);
        else
            jw_num(w, json_number(p, 0));
        from += utf8_length(token, strlen(token));
    }
    jw_close(w);
}

/* `elements` of a list, where log probabilities were asked for. */
static void put_logprobs(const struct reply *r, const struct buf *elements,
                         struct jw *w)
{
    jw_key(w, "logprobs");
    if (r->request.q.logprobs < 0 || !elements->len) {
        jw_null(w);
        return;
    }
    struct buf list = BUF_INIT(0);
    struct err e;
    buf_printf(&list, "[%s]", buf_str(elements));
    json *all = r->request.q.text ? json_parse(buf_str(&list), list.len, &e)
                                  : NULL;
    jw_open(w, '{');
    if (!r->request.q.text) {
        jw_key(w, "content");
        jw_raw(w, buf_str(&list));
    }
    for (int i = 0; all && i < TEXT_LISTS; i++)
        put_text_list(all, (enum text_list)i, r->told, w);
    jw_close(w);
    json_free(all);
    buf_free(&list);
}

/* What a text answer has beside its figures. */
static void put_text(const struct reply *r, const char *text,
                     const struct buf *logprobs, const char *finish,
                     struct jw *w)
{
    jw_open(w, '{');
    jw_kint(w, "index", (int64_t)r->choice);
    jw_kstr(w, "text", text ? text : "");
    put_logprobs(r, logprobs, w);
    jw_kstr(w, "finish_reason", finish);
    jw_close(w);
}

static const char *finish_of(bool cut)
{
    return cut ? "length" : "stop";
}

/* Whether who asked has closed the connection; of a Unix socket both of its
 * ways. */
static bool has_hung_up(int fd)
{
    struct pollfd p = {fd, 0, 0};
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof a;
    char c;
    if (fd < 0)
        return false;
    if (!getsockname(fd, (struct sockaddr *)&a, &n) && a.ss_family == AF_UNIX)
        return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR);
    return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Runs the choice to its end. */
static bool run_choice(struct reply *r, struct buf *text, struct buf *logprobs,
                       bool *cut, struct err *e)
{
    int more = 1;
    while (more > 0 && !has_hung_up(r->fd))
        more = r->answerer->next(told_now(r)->run, text, logprobs, e);
    if (more > 0)
        err_set(e, ERR_BUSY, _("the client has left"));
    *cut = end_run(r, told_now(r));
    if (more == 0 && !(buf_ok(text) && buf_ok(logprobs)))
        return err_set(e, ERR_MEMORY, _("the answer is too large"));
    return more == 0;
}

static void put_message(struct reply *r, const struct buf *text,
                        const struct buf *logprobs, bool cut, struct jw *w)
{
    struct buf thought = BUF_INIT(BODY_MAX), said = BUF_INIT(BODY_MAX);
    thought_feed(&told_now(r)->thought, buf_str(text), text->len, true,
                 &thought, &said);
    jw_open(w, '{');
    jw_kint(w, "index", (int64_t)r->choice);
    jw_key(w, "message");
    jw_open(w, '{');
    jw_kstr(w, "role", "assistant");
    if (thought.len)
        jw_kstr(w, "reasoning_content", buf_str(&thought));
    jw_kstr(w, "content", buf_str(&said));
    jw_close(w);
    put_logprobs(r, logprobs, w);
    jw_kstr(w, "finish_reason", finish_of(cut));
    jw_close(w);
    buf_free(&thought);
    buf_free(&said);
}

static bool put_choice(struct reply *r, struct jw *w, struct err *e)
{
    struct buf text = BUF_INIT(BODY_MAX), logprobs = BUF_INIT(BODY_MAX);
    bool cut = false, ok = run_choice(r, &text, &logprobs, &cut, e);
    if (r->request.q.text)
        put_text(r, buf_str(&text), &logprobs, finish_of(cut), w);
    else
        put_message(r, &text, &logprobs, cut, w);
    buf_free(&text);
    buf_free(&logprobs);
    return ok;
}

bool reply_whole(struct reply *r, struct buf *out, struct err *e)
{
    struct jw w = jw_start(out);
    bool ok = start_all(r, e);
    open_body(r, r->request.q.text ? "text_completion" : "chat.completion",
              &w);
    jw_key(&w, "choices");
    jw_open(&w, '[');
    for (; ok && r->choice < r->request.n; r->choice++)
        ok = put_choice(r, &w, e);
    jw_close(&w);
    put_usage(r, &w);
    jw_close(&w);
    return ok;
}

/* ---- Events -------------------------------------------------------------- */

static void open_event(const struct reply *r, struct jw *w)
{
    open_body(r, r->request.q.text ? "text_completion"
                                   : "chat.completion.chunk", w);
}

static void put_delta(const struct reply *r, bool role, const char *thought,
                      const char *text, const struct buf *logprobs,
                      const char *finish, struct jw *w)
{
    jw_open(w, '{');
    jw_kint(w, "index", (int64_t)r->choice);
    jw_key(w, "delta");
    jw_open(w, '{');
    if (role)
        jw_kstr(w, "role", "assistant");
    if (thought)
        jw_kstr(w, "reasoning_content", thought);
    if (text)
        jw_kstr(w, "content", text);
    jw_close(w);
    put_logprobs(r, logprobs, w);
    jw_kstr(w, "finish_reason", finish);
    jw_close(w);
}

/* One event of the running choice: what is NULL is left out; finish NULL means
 * that it goes on. */
static void put_event(const struct reply *r, bool role, const char *thought,
                      const char *text, const struct buf *logprobs,
                      const char *finish, struct buf *out)
{
    struct jw w = jw_start(out);
    buf_puts(out, "data: ");
    open_event(r, &w);
    jw_key(&w, "choices");
    jw_open(&w, '[');
    if (r->request.q.text)
        put_text(r, text, logprobs, finish, &w);
    else
        put_delta(r, role, thought, text, logprobs, finish, &w);
    jw_close(&w);
    jw_close(&w);
    buf_puts(out, "\n\n");
}

static void put_last_events(struct reply *r, struct buf *out)
{
    if (r->request.usage) {
        struct jw w = jw_start(out);
        buf_puts(out, "data: ");
        open_event(r, &w);
        jw_key(&w, "choices");
        jw_raw(&w, "[]");
        put_usage(r, &w);
        jw_close(&w);
        buf_puts(out, "\n\n");
    }
    buf_puts(out, "data: [DONE]\n\n");
    r->over = true;
}

static void put_error_event(struct reply *r, const struct err *e,
                            struct buf *out)
{
    end_all(r);
    buf_puts(out, "data: ");
    reply_error(e->text, 500, out);
    buf_puts(out, "\n\n");
    r->over = true;
}

/* An event of a piece, if there is anything to tell: of a chat what is thought
 * apart from what is said. */
static void put_told(struct reply *r, const struct buf *text,
                     const struct buf *logprobs, bool last, struct buf *out)
{
    struct buf thought = BUF_INIT(BODY_MAX), said = BUF_INIT(BODY_MAX);
    if (r->request.q.text)
        buf_add(&said, buf_str(text), text->len);
    else
        thought_feed(&told_now(r)->thought, buf_str(text), text->len, last,
                     &thought, &said);
    if (thought.len || said.len || logprobs->len)
        put_event(r, false, thought.len ? buf_str(&thought) : NULL,
                  said.len || !thought.len ? buf_str(&said) : NULL, logprobs,
                  NULL, out);
    r->told += utf8_length(buf_str(text), text->len);
    buf_free(&thought);
    buf_free(&said);
}

/* The next piece of the running choice. */
static void put_piece(struct reply *r, struct buf *out)
{
    struct buf text = BUF_INIT(BODY_MAX), logprobs = BUF_INIT(BODY_MAX);
    struct err e = {0};
    int more = r->answerer->next(told_now(r)->run, &text, &logprobs, &e);
    if (more < 0) {
        put_error_event(r, &e, out);
    } else {
        put_told(r, &text, &logprobs, !more, out);
        buf_clear(&logprobs);
        if (!more) {
            bool cut = end_run(r, told_now(r));
            put_event(r, false, NULL, NULL, &logprobs, finish_of(cut), out);
            r->choice++;
            r->told = 0;
        }
    }
    buf_free(&text);
    buf_free(&logprobs);
}

static void begin_choice(const struct reply *r, struct buf *out)
{
    struct buf none = BUF_INIT(1);
    if (!r->request.q.text)
        put_event(r, true, NULL, "", &none, NULL, out);
}

bool reply_begin(struct reply *r, struct buf *out, struct err *e)
{
    if (!start_all(r, e))
        return false;
    begin_choice(r, out);
    return true;
}

bool reply_events(struct reply *r, struct buf *out)
{
    size_t was = r->choice;
    if (r->over)
        return false;
    if (r->choice == r->request.n) {
        put_last_events(r, out);
        return true;
    }
    put_piece(r, out);
    if (r->choice > was && r->choice < r->request.n)
        begin_choice(r, out);
    return true;
}

/* ---- The rest ------------------------------------------------------------ */

static void put_model(const char *name, struct jw *w)
{
    jw_open(w, '{');
    jw_kstr(w, "id", name);
    jw_kstr(w, "object", "model");
    jw_kint(w, "created", 0);
    jw_kstr(w, "owned_by", "stillroom");
    jw_close(w);
}

bool reply_model(const struct answerer *a, const char *name, struct buf *out)
{
    struct jw w = jw_start(out);
    size_t i = 0;
    while (a->models[i] && strcmp(a->models[i], name))
        i++;
    if (a->models[i])
        put_model(name, &w);
    return a->models[i] != NULL;
}

void reply_models(const struct answerer *a, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_open(&w, '[');
    for (size_t i = 0; a->models[i]; i++)
        put_model(a->models[i], &w);
    jw_close(&w);
    jw_close(&w);
}

void reply_error(const char *message, int status, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_key(&w, "error");
    jw_open(&w, '{');
    jw_kstr(&w, "message", message);
    jw_kstr(&w, "type",
            status < 500 ? "invalid_request_error" : "server_error");
    jw_kint(&w, "code", status);
    jw_close(&w);
    jw_close(&w);
}
