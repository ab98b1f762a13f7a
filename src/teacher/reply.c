#include "teacher/reply.h"

#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"

#define ANSWER_BYTES ((size_t)64 << 20)
#define ERROR_BYTES 4096 /* of an error's text */

/* A tool call whose arguments arrive in pieces. */
struct call {
    char *id, *name;
    struct buf arguments;
};

/* A choice that is growing. */
struct partial {
    struct buf content, reasoning, logprobs;
    struct call *at;
    size_t n, cap;
    char *finish;
};

static char *copy_of(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

static void set_copy(char **member, const char *s)
{
    free(*member);
    *member = copy_of(s);
}

void reply_free(struct reply *r)
{
    for (size_t i = 0; i < r->n; i++) {
        message_free(&r->at[i].answer);
        free(r->at[i].finish);
        free(r->at[i].logprobs);
    }
    VEC_FREE(r);
    free(r->model);
    free(r->error);
    free(r->error_param);
    *r = (struct reply){.tokens_in = -1, .tokens_out = -1};
}

static void partial_free(struct partial *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->at[i].id);
        free(p->at[i].name);
        buf_free(&p->at[i].arguments);
    }
    VEC_FREE(p);
    buf_free(&p->content);
    buf_free(&p->reasoning);
    buf_free(&p->logprobs);
    free(p->finish);
}

void assembly_free(struct assembly *a)
{
    for (size_t i = 0; i < a->n; i++)
        partial_free(&a->at[i]);
    VEC_FREE(a);
    reply_free(&a->reply);
    sse_free(&a->sse);
}

void assembly_start(struct assembly *a)
{
    *a = (struct assembly){.sse = SSE_INIT};
    a->reply.tokens_in = a->reply.tokens_out = -1;
}

/* ---- Errors -------------------------------------------------------------- */

static void read_error_object(const json *err, struct reply *r)
{
    const char *text = json_string(err);
    text = text ? text : json_get_string(err, "message", NULL);
    text = text ? text : json_get_string(err, "msg", NULL);
    struct buf b = BUF_INIT(0);
    if (!text)
        json_print(&b, err);
    set_copy(&r->error, text ? text : buf_str(&b));
    buf_free(&b);
    set_copy(&r->error_param, json_get_string(err, "param", NULL));
    int64_t status = json_get_int(err, "code", 0);
    if (status >= 400 && status <= 599)
        r->error_status = (int)status;
}

/* {"error":{"message":...}}, {"error":"..."}, {"message":...} (vLLM,
 * Mistral), {"detail":"..." or [{"msg":...}]} (FastAPI). */
static bool read_error(const json *j, struct reply *r)
{
    static const char *const keys[] = {"error", "detail", "message"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        const json *err = json_get(j, keys[i]);
        if (!err || json_is_null(err))
            continue;
        read_error_object(err, r);
        if (!r->error_param)
            set_copy(&r->error_param, json_get_string(j, "param", NULL));
        return true;
    }
    return false;
}

void reply_parse_error(const char *body, size_t n, struct reply *r)
{
    json *j = json_parse(body, n, NULL);
    bool found = j && read_error(j, r);
    json_free(j);
    if (found)
        return;
    free(r->error);
    r->error = xstrndup(body ? body : "", n < ERROR_BYTES ? n : ERROR_BYTES);
}

/* ---- Pieces that both forms share ---------------------------------------- */

static void add_part(struct partial *p, const json *part)
{
    const char *text = json_get_string(part, "text", NULL);
    if (text) {
        buf_puts(&p->content, text);
        return;
    }
    const json *thinking = json_get(part, "thinking"); /* Mistral */
    if (json_is_string(thinking))
        buf_puts(&p->reasoning, json_string(thinking));
    for (const json *t = json_first(thinking); t; t = json_next(t))
        buf_puts(&p->reasoning, json_get_string(t, "text", ""));
}

static void add_text(struct partial *p, const json *delta)
{
    const json *content = json_get(delta, "content");
    if (json_is_string(content))
        buf_puts(&p->content, json_string(content));
    else if (json_is_array(content))
        for (const json *part = json_first(content); part;
             part = json_next(part))
            add_part(p, part);
    const char *thought = json_get_string(delta, "reasoning_content", NULL);
    thought = thought ? thought : json_get_string(delta, "reasoning", NULL);
    if (thought)
        buf_puts(&p->reasoning, thought);
    const char *refusal = json_get_string(delta, "refusal", NULL);
    if (refusal)
        buf_puts(&p->content, refusal);
}

/* The call that a delta belongs to: by its index; without one by its
 * position, a new id beginning a new call. */
static struct call *call_at(struct partial *p, const json *delta,
                            size_t position)
{
    const char *id = json_get_string(delta, "id", NULL);
    int64_t index = json_get_int(delta, "index", -1);
    if (index < 0 && p->n && (!id || !*id))
        index = (int64_t)p->n - 1;
    else if (index < 0)
        index = (int64_t)(p->n > position ? p->n : position);
    if (index >= REPLY_CALLS)
        return NULL;
    while (p->n <= (size_t)index) {
        struct call fresh = {.arguments = BUF_INIT(ANSWER_BYTES)};
        VEC_PUSH(p, fresh);
    }
    return &p->at[index];
}

static bool add_calls(struct partial *p, const json *calls, struct err *e)
{
    size_t position = 0;
    for (const json *d = json_first(calls); d; d = json_next(d), position++) {
        struct call *c = call_at(p, d, position);
        if (!c)
            return err_set(e, ERR_NET, _("more than %d tool calls in one "
                                         "answer"), REPLY_CALLS);
        const json *fn = json_get(d, "function");
        const char *id = json_get_string(d, "id", NULL);
        const char *name = json_get_string(fn, "name", NULL);
        const json *arguments = json_get(fn, "arguments");
        if (id && *id)
            set_copy(&c->id, id);
        if (name && *name)
            set_copy(&c->name, name);
        if (json_is_string(arguments))
            buf_puts(&c->arguments, json_string(arguments));
        else if (json_is_object(arguments))
            json_print(&c->arguments, arguments);
    }
    return true;
}

static void add_logprobs(struct partial *p, const json *choice)
{
    const json *entries = json_get(json_get(choice, "logprobs"), "content");
    for (const json *t = json_first(entries); t; t = json_next(t)) {
        buf_putc(&p->logprobs, p->logprobs.len ? ',' : '[');
        json_print(&p->logprobs, t);
    }
}

/* Adds a choice of a body ("message") or of a chunk ("delta"). */
static bool add_choice(struct partial *p, const json *choice, struct err *e)
{
    const json *delta = json_get(choice, "delta");
    delta = delta ? delta : json_get(choice, "message");
    add_text(p, delta);
    add_logprobs(p, choice);
    const char *finish = json_get_string(choice, "finish_reason", NULL);
    if (finish && *finish)
        set_copy(&p->finish, finish);
    return add_calls(p, json_get(delta, "tool_calls"), e);
}

static struct partial *partial_at(struct assembly *a, const json *choice,
                                  size_t position)
{
    int64_t index = json_get_int(choice, "index", (int64_t)position);
    if (index < 0 || index >= REPLY_CHOICES)
        return NULL;
    while (a->n <= (size_t)index) {
        struct partial fresh = {.content = BUF_INIT(ANSWER_BYTES),
                                .reasoning = BUF_INIT(ANSWER_BYTES),
                                .logprobs = BUF_INIT(ANSWER_BYTES)};
        VEC_PUSH(a, fresh);
    }
    return &a->at[index];
}

static void read_usage(const json *j, struct reply *r)
{
    const json *u = json_get(j, "usage");
    if (!json_is_object(u))
        u = json_get(json_get(j, "x_groq"), "usage");
    int64_t in = json_get_int(u, "prompt_tokens", -1);
    int64_t out = json_get_int(u, "completion_tokens", -1);
    r->tokens_in = in >= 0 ? in : r->tokens_in;
    r->tokens_out = out >= 0 ? out : r->tokens_out;
}

/* One object: a whole body or one chunk. */
static bool add_object(struct assembly *a, const json *j, struct err *e)
{
    const json *error = json_get(j, "error");
    if (error && !json_is_null(error))
        return read_error(j, &a->reply);
    const json *choices = json_get(j, "choices");
    if (!json_is_array(choices) && !json_is_object(json_get(j, "usage")))
        return err_set(e, ERR_NET, _("JSON without choices: not a reply of "
                                     "chat completions"));
    const char *model = json_get_string(j, "model", NULL);
    if (model && *model)
        set_copy(&a->reply.model, model);
    read_usage(j, &a->reply);
    size_t position = 0;
    for (const json *c = json_first(choices); c; c = json_next(c)) {
        struct partial *p = partial_at(a, c, position++);
        if (!p)
            return err_set(e, ERR_NET, _("more than %d answers in one reply"),
                           REPLY_CHOICES);
        if (!add_choice(p, c, e))
            return false;
    }
    return true;
}

/* ---- From partial to whole ----------------------------------------------- */

static char *print_calls(const struct partial *p)
{
    struct buf b = BUF_INIT(ANSWER_BYTES);
    struct jw w = jw_start(&b);
    jw_open(&w, '[');
    for (size_t i = 0; i < p->n; i++) {
        const struct call *c = &p->at[i];
        jw_open(&w, '{');
        if (c->id)
            jw_kstr(&w, "id", c->id);
        jw_kstr(&w, "type", "function");
        jw_key(&w, "function");
        jw_open(&w, '{');
        jw_kstr(&w, "name", c->name ? c->name : "");
        jw_kstr(&w, "arguments", buf_str(&c->arguments));
        jw_close(&w);
        jw_close(&w);
    }
    jw_close(&w);
    return buf_take(&b);
}

/* "length" and a filter's stop end an answer too early, a cut ends it
 * anywhere; every other reason is the model's own end. */
static bool ends_whole(const char *finish)
{
    static const char *const early[] = {"cut", "length", "max_tokens",
                                        "content_filter", "error"};
    for (size_t i = 0; i < COUNT(early); i++)
        if (!strcmp(finish, early[i]))
            return false;
    return true;
}

static bool finish_choice(struct partial *p, bool whole, struct choice *c)
{
    bool fits = buf_ok(&p->content) && buf_ok(&p->reasoning) &&
                buf_ok(&p->logprobs);
    c->answer.role = ROLE_ASSISTANT;
    c->answer.content = buf_take(&p->content);
    if (p->reasoning.len)
        c->answer.reasoning = buf_take(&p->reasoning);
    if (p->n)
        c->answer.tool_calls = print_calls(p);
    if (p->logprobs.len) {
        buf_putc(&p->logprobs, ']');
        c->logprobs = buf_take(&p->logprobs);
    }
    c->finish = xstrdup(whole && p->finish ? p->finish : "cut");
    c->complete = ends_whole(c->finish);
    return fits;
}

/* Moves the assembled reply out; `whole` says that its end was seen. */
static bool finish(struct assembly *a, bool whole, struct reply *r,
                   struct err *e)
{
    bool fits = true;
    *r = a->reply;
    a->reply = (struct reply){0};
    for (size_t i = 0; i < a->n; i++) {
        struct choice c = {0};
        fits = finish_choice(&a->at[i], whole, &c) && fits;
        VEC_PUSH(r, c);
    }
    assembly_free(a);
    if (!fits)
        return err_set(e, ERR_MEMORY, _("the answer is too large"));
    if (r->error || r->n)
        return true;
    return err_set(e, ERR_NET, _("a reply without an answer (no choices)"));
}

bool reply_parse(const char *body, size_t n, struct reply *r, struct err *e)
{
    struct assembly a;
    assembly_start(&a);
    json *j = json_parse(body, n, e);
    bool ok = j && add_object(&a, j, e);
    json_free(j);
    if (ok)
        return finish(&a, true, r, e);
    *r = a.reply;
    a.reply = (struct reply){0};
    assembly_free(&a);
    return false;
}

/* ---- Streams ------------------------------------------------------------- */

static size_t skip_space(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && strchr(" \t\n", p[i]) && p[i])
        i++;
    return i;
}

/* An event's data: one JSON value, or more where a server puts no blank line
 * between its events; or [DONE]. */
static bool on_event(void *ctx, const char *data, size_t n, struct err *e)
{
    struct assembly *a = ctx;
    a->events++;
    for (size_t i = skip_space(data, n); i < n;) {
        if (n - i >= 6 && !memcmp(data + i, "[DONE]", 6)) {
            a->reply.done = true;
            return true;
        }
        size_t used = 0;
        json *j = json_parse_prefix(data + i, n - i, &used, e);
        if (!j)
            return err_in(e, _("event %llu of the stream"),
                          (unsigned long long)a->events);
        bool ok = add_object(a, j, e);
        json_free(j);
        if (!ok)
            return false;
        i += used;
        i += skip_space(data + i, n - i);
    }
    return true;
}

bool assembly_feed(struct assembly *a, const char *p, size_t n,
                   struct err *e)
{
    return sse_feed(&a->sse, p, n, on_event, a, e);
}

bool assembly_end(struct assembly *a, struct reply *r, struct err *e)
{
    /* A last event without its blank line is whole or broken off: where it
     * cannot be read it is the cut that the choices show. */
    bool read = sse_end(&a->sse, on_event, a, NULL);
    bool whole = read && a->reply.done;
    if (!a->events) {
        *r = a->reply;
        a->reply = (struct reply){0};
        assembly_free(a);
        return err_set(e, ERR_NET, _("an empty stream"));
    }
    return finish(a, whole, r, e);
}

/* ---- Writing ------------------------------------------------------------- */

static void print_choice(struct jw *w, const struct choice *c, size_t index)
{
    struct buf body = BUF_INIT(ANSWER_BYTES);
    message_print(&c->answer, &body);
    jw_open(w, '{');
    jw_kint(w, "index", (int64_t)index);
    jw_key(w, "message");
    jw_raw(w, buf_str(&body));
    jw_kstr(w, "finish_reason", c->finish);
    jw_close(w);
    buf_free(&body);
}

void reply_print(const struct reply *r, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kstr(&w, "object", "chat.completion");
    jw_kstr(&w, "model", r->model);
    jw_key(&w, "choices");
    jw_open(&w, '[');
    for (size_t i = 0; i < r->n; i++)
        print_choice(&w, &r->at[i], i);
    jw_close(&w);
    if (r->tokens_in >= 0 || r->tokens_out >= 0) {
        jw_key(&w, "usage");
        jw_open(&w, '{');
        jw_kint(&w, "prompt_tokens", r->tokens_in);
        jw_kint(&w, "completion_tokens", r->tokens_out);
        jw_close(&w);
    }
    jw_close(&w);
}
