#include "teacher/reply.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"

#define ANSWER_BYTES ((size_t)64 << 20)
#define WORDS_BYTES 200 /* of data that is no JSON */
#define SPACE " \t\r\n"

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
    bool early; /* it ended too early; no later word turns that */
    bool seen;
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
    free(a->words);
    a->words = NULL;
}

void assembly_start(struct assembly *a)
{
    *a = (struct assembly){.sse = SSE_INIT};
    a->reply.tokens_in = a->reply.tokens_out = -1;
}

/* ---- Pieces that both forms share ---------------------------------------- */

/* Adds the first of the members that is a text and not empty. */
static bool add_first(struct buf *out, const json *j, const char *const *keys)
{
    for (; *keys; keys++) {
        const char *text = json_get_string(j, *keys, "");
        if (*text)
            return buf_puts(out, text);
    }
    return false;
}

/* What a part of a list says or thinks: OpenAI, Mistral ("thinking" with
 * parts of its own), OpenRouter's reasoning_details, LiteLLM's blocks. */
static void add_part(struct partial *p, const json *part)
{
    static const char *const thought[] = {"thinking", "reasoning", "summary",
                                          NULL};
    static const char *const said[] = {"text", "refusal", "content", NULL};
    const char *type = json_get_string(part, "type", "");
    bool thinks = strstr(type, "think") || strstr(type, "reason");
    if (json_is_string(part)) {
        buf_puts(&p->content, json_string(part));
        return;
    }
    for (const json *t = json_first(json_get(part, "thinking")); t;
         t = json_next(t))
        buf_puts(&p->reasoning, json_get_string(t, "text", ""));
    if (!add_first(&p->reasoning, part, thought))
        add_first(thinks ? &p->reasoning : &p->content, part, said);
}

static void add_parts(struct partial *p, const json *parts)
{
    if (json_is_object(parts))
        add_part(p, parts);
    else if (json_is_array(parts))
        for (const json *x = json_first(parts); x; x = json_next(x))
            add_part(p, x);
}

/* What is thought stands under one of these names, or two of them say the
 * same: the first that says anything counts. */
static void add_thought(struct partial *p, const json *delta)
{
    static const char *const texts[] = {"reasoning_content", "reasoning",
                                        "thinking", "thought", NULL};
    static const char *const lists[] = {"reasoning_details", "reasoning",
                                        "thinking", "thinking_blocks"};
    size_t before = p->reasoning.len;
    add_first(&p->reasoning, delta, texts);
    for (size_t i = 0; i < COUNT(lists) && p->reasoning.len == before; i++)
        add_parts(p, json_get(delta, lists[i]));
}

/* Content that is a value, as endpoints that answer in JSON may send it. */
static void add_value(struct partial *p, const json *v)
{
    size_t before = p->content.len + p->reasoning.len;
    add_parts(p, v);
    if (json_is_number(v) || json_is_bool(v) ||
        (json_is_object(v) && json_first(v) && !json_get(v, "type") &&
         p->content.len + p->reasoning.len == before))
        json_print(&p->content, v);
}

static void add_text(struct partial *p, const json *delta)
{
    static const char *const texts[] = {"content", "text", "refusal", NULL};
    add_first(&p->content, delta, texts);
    add_value(p, json_get(delta, "content"));
    add_thought(p, delta);
}

/* The call that a delta belongs to: by its index; without one by its
 * position, a new id beginning a new call. */
static struct call *call_at(struct partial *p, const json *delta,
                            size_t position)
{
    const char *id = json_get_string(delta, "id", NULL);
    int64_t index = json_get_int(delta, "index", -1);
    index = index < REPLY_CALLS ? index : -1;
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

static bool add_call(struct partial *p, const json *d, const json *fn,
                     size_t position, struct err *e)
{
    struct call *c = call_at(p, d, position);
    if (!c)
        return err_set(e, ERR_NET, _("more than %d tool calls in one "
                                     "answer"), REPLY_CALLS);
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
    return true;
}

/* Tool calls, and the older function_call. */
static bool add_calls(struct partial *p, const json *delta, struct err *e)
{
    const json *calls = json_get(delta, "tool_calls");
    const json *legacy = json_get(delta, "function_call");
    size_t position = 0;
    for (const json *d = json_first(calls); d; d = json_next(d), position++)
        if (!add_call(p, d, json_get(d, "function"), position, e))
            return false;
    return position || !json_is_object(legacy) ||
           add_call(p, legacy, legacy, 0, e);
}

static void add_logprobs(struct partial *p, const json *choice)
{
    const json *entries = json_get(json_get(choice, "logprobs"), "content");
    for (const json *t = json_first(entries); t; t = json_next(t)) {
        buf_putc(&p->logprobs, p->logprobs.len ? ',' : '[');
        json_print(&p->logprobs, t);
    }
}

/* Words that differ in case and in what parts their syllables. */
static bool same_word(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "_- ");
        b += strspn(b, "_- ");
        if (!*a || !*b)
            return *a == *b;
        if (strncasecmp(a, b, 1))
            return false;
    }
}

/* Why an answer ended, in one word for all who say it otherwise. */
static const char *finish_word(const char *said)
{
    static const char *const words[][2] = {
        {"max_tokens", "length"},         {"max_output_tokens", "length"},
        {"max_new_tokens", "length"},     {"max_length", "length"},
        {"limit", "length"}, /* llama.cpp's stop_type */
        {"model_length", "length"},       {"token_limit", "length"},
        {"length_limit", "length"},       {"length", "length"},
        {"max_completion_tokens", "length"},
        {"max_context_length", "length"},
        {"context_length_exceeded", "length"},
        {"model_context_window_exceeded", "length"},
        {"content_filter", "content_filter"}, {"safety", "content_filter"},
        {"recitation", "content_filter"}, {"blocklist", "content_filter"},
        {"prohibited_content", "content_filter"}, {"spii", "content_filter"},
        {"sensitive", "content_filter"},  {"error", "error"},
        {"abort", "error"},               {"aborted", "error"},
        {"cancelled", "error"},           {"timeout", "error"},
        {"network_error", "error"},
        {"insufficient_system_resource", "error"}};
    const char *dot = strrchr(said, '.'); /* "FinishReason.MAX_TOKENS" */
    for (size_t i = 0; i < COUNT(words); i++)
        if (same_word(dot ? dot + 1 : said, words[i][0]))
            return words[i][1];
    return said;
}

static bool says_nothing(const char *finish)
{
    return !*finish || !strcasecmp(finish, "null") ||
           !strcasecmp(finish, "none");
}

/* What a member says of the end: a word, or an object that holds one. */
static const char *end_in(const json *j, const char *name)
{
    const json *v = json_get(j, name);
    return json_string(v) ? json_string(v) : json_get_string(v, "type", "");
}

/* Why a choice ended, as its finish_reason says. Under other names, and where
 * it stands inside the delta or beside the choices, only what ends an answer
 * too early counts, and it counts also where finish_reason is "stop": what
 * OpenRouter hands on of a provider, llama.cpp's and Ollama's own words. A
 * stop_reason does not then: vLLM's is the text that was stopped at. */
static void add_finish(struct partial *p, const json *choice,
                       const json *delta, const json *body)
{
    static const char *const names[] = {"native_finish_reason", "done_reason",
                                        "stop_type", "finish_reason",
                                        "finishReason", "finish_details",
                                        "stop_reason"};
    const json *in[] = {choice, delta, body};
    const char *said = json_get_string(choice, "finish_reason", "");
    size_t n = COUNT(names) - !says_nothing(said);
    const char *early = finish_word(said) != said ? finish_word(said) : NULL;
    for (size_t i = 0; i < COUNT(in) * n && !early; i++) {
        const char *other = end_in(in[i / n], names[i % n]);
        if (finish_word(other) != other)
            early = finish_word(other);
    }
    if (early || (!says_nothing(said) && !p->early))
        set_copy(&p->finish, early ? early : said);
    p->early = p->early || early;
}

/* Adds a choice of a body ("message"), of a chunk ("delta") or of plain
 * completions ("text"). */
static bool add_choice(struct assembly *a, struct partial *p,
                       const json *choice, const json *body, struct err *e)
{
    const json *delta = json_get(choice, "delta");
    const json *error = json_get(choice, "error"); /* OpenRouter */
    delta = json_is_object(delta) ? delta : json_get(choice, "message");
    delta = json_is_object(delta) ? delta : choice;
    add_text(p, delta);
    add_logprobs(p, choice);
    add_finish(p, choice, delta, body);
    if (json_first(error))
        reply_take_error(choice, &a->reply);
    return add_calls(p, delta, e);
}

/* The place of a choice: the index that it names where that is a place and no
 * other choice of this object took it, else the next one that is free. */
static size_t place_of(const json *choice, size_t position, bool *taken)
{
    int64_t index = json_get_int(choice, "index", (int64_t)position);
    size_t at = index < 0 || index >= REPLY_CHOICES ? position : (size_t)index;
    while (at < REPLY_CHOICES && taken[at])
        at++;
    if (at < REPLY_CHOICES)
        taken[at] = true;
    return at;
}

static struct partial *partial_at(struct assembly *a, size_t at)
{
    while (a->n <= at) {
        struct partial fresh = {.content = BUF_INIT(ANSWER_BYTES),
                                .reasoning = BUF_INIT(ANSWER_BYTES),
                                .logprobs = BUF_INIT(ANSWER_BYTES)};
        VEC_PUSH(a, fresh);
    }
    a->at[at].seen = true;
    return &a->at[at];
}

/* The first of these members that is a count, -1 for none. */
static int64_t count_of(const json *u, const char *const *names)
{
    int64_t n = -1;
    for (; *names && n < 0; names++)
        n = json_get_int(u, *names, -1);
    return n;
}

/* Tokens by the names that are used for them. A total that is higher counts
 * thinking that is paid for beside the answer. */
static bool read_usage(const json *j, struct reply *r)
{
    static const char *const ins[] = {"prompt_tokens", "input_tokens",
                                      "promptTokenCount", "prompt_eval_count",
                                      NULL};
    static const char *const outs[] = {"completion_tokens", "output_tokens",
                                       "candidatesTokenCount", "eval_count",
                                       NULL};
    static const char *const totals[] = {"total_tokens", "totalTokenCount",
                                         NULL};
    const json *places[] = {json_get(j, "usage"),
                            json_get(json_get(j, "x_groq"), "usage"),
                            json_get(j, "usageMetadata")};
    const json *u = NULL;
    for (size_t i = 0; i < COUNT(places) && !u; i++)
        u = json_is_object(places[i]) ? places[i] : NULL;
    int64_t in = count_of(u ? u : j, ins), out = count_of(u ? u : j, outs);
    int64_t total = count_of(u ? u : j, totals);
    if (in >= 0 && out >= 0 && total - in > out)
        out = total - in;
    r->tokens_in = in >= 0 ? in : r->tokens_in;
    r->tokens_out = out >= 0 ? out : r->tokens_out;
    return u != NULL;
}

bool assembly_whole(const struct assembly *a)
{
    bool ended = false, open = false;
    for (size_t i = 0; i < a->n; i++) {
        ended = ended || a->at[i].finish;
        open = open || (a->at[i].seen && !a->at[i].finish);
    }
    return a->reply.done || (ended && !open);
}

static bool add_choices(struct assembly *a, const json *body, struct err *e)
{
    const json *choices = json_get(body, "choices");
    bool taken[REPLY_CHOICES] = {false};
    size_t position = 0;
    for (const json *c = json_first(choices); c; c = json_next(c)) {
        size_t at = place_of(c, position++, taken);
        if (at >= REPLY_CHOICES)
            return err_set(e, ERR_NET, _("more than %d answers in one reply"),
                           REPLY_CHOICES);
        if (!add_choice(a, partial_at(a, at), c, body, e))
            return false;
    }
    return true;
}

/* True where an object tells of an error: it says so, or it is no reply and
 * has words. An event that has a name of its own is none. */
static bool is_error(const struct assembly *a, const json *j)
{
    const json *error = json_get(j, "error");
    const char *event = a->sse.event;
    if (json_first(error) || (json_string(error) && *json_string(error)))
        return true;
    if (json_is_array(json_get(j, "choices")) && strcmp(event, "error"))
        return false;
    return !*event || !strcmp(event, "error") || !strcmp(event, "message");
}

/* One object: a whole body or one chunk. What is none of them is passed
 * over. */
static bool add_object(struct assembly *a, const json *j, struct err *e)
{
    const json *choices = json_get(j, "choices");
    if (is_error(a, j) && !assembly_whole(a))
        reply_take_error(j, &a->reply);
    const char *model = json_get_string(j, "model", NULL);
    if (model && *model)
        set_copy(&a->reply.model, model);
    a->summed = read_usage(j, &a->reply) && !json_first(choices);
    if (!a->foreign)
        a->foreign = reply_foreign(j);
    return !json_is_array(choices) || add_choices(a, j, e);
}

static size_t skip_space(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && strchr(SPACE, p[i]) && p[i])
        i++;
    return i;
}

static void keep_words(struct assembly *a, const char *p, size_t n)
{
    a->words = xstrndup(p, n < WORDS_BYTES ? n : WORDS_BYTES);
}

/* The values of a text, one behind the other: a body, the chunks of an
 * event. Lines that are no JSON are comments; [DONE] ends it. */
static bool add_values(struct assembly *a, const char *p, size_t n,
                       struct err *e)
{
    for (size_t i = skip_space(p, n); i < n && !a->reply.done;
         i += skip_space(p + i, n - i)) {
        const char *end = memchr(p + i, '\n', n - i);
        size_t used = end ? (size_t)(end - p) - i : n - i;
        if (used >= 5 && !memcmp(p + i, "data:", 5)) {
            used = 5; /* the field's name once more, inside its value */
        } else if (used >= 6 && !strncasecmp(p + i, "[DONE]", 6)) {
            a->reply.done = true;
        } else if (p[i] == '{' || p[i] == '[') {
            json *j = json_parse_odd(p + i, n - i, JSON_ODD, &used, e);
            bool ok = j != NULL;
            const json *x = json_is_array(j) ? json_first(j) : j;
            for (; ok && x; x = j == x ? NULL : json_next(x))
                ok = add_object(a, x, e);
            json_free(j);
            if (!ok)
                return false;
        } else if (p[i] != ':' && !a->words) {
            keep_words(a, p + i, used);
        }
        i += used;
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
    static const char *const early[] = {"cut", "length", "content_filter",
                                        "error"};
    for (size_t i = 0; i < COUNT(early); i++)
        if (!strcmp(finish, early[i]))
            return false;
    return true;
}

/* Hands a text out whose characters may have come in halves. */
static char *heal(struct buf *b)
{
    if (utf8_check(buf_str(b), b->len) == b->len)
        return buf_take(b);
    char *text = utf8_heal(buf_str(b), b->len);
    buf_free(b);
    return text;
}

static bool finish_choice(struct partial *p, bool whole, struct choice *c)
{
    bool fits = buf_ok(&p->content) && buf_ok(&p->reasoning) &&
                buf_ok(&p->logprobs);
    c->answer.role = ROLE_ASSISTANT;
    c->answer.content = heal(&p->content);
    if (p->reasoning.len)
        c->answer.reasoning = heal(&p->reasoning);
    if (p->n)
        c->answer.tool_calls = print_calls(p);
    if (p->logprobs.len) {
        buf_putc(&p->logprobs, ']');
        c->logprobs = buf_take(&p->logprobs);
    }
    const char *end = p->finish ? p->finish : whole ? "stop" : "cut";
    bool blank = !c->answer.content[strspn(c->answer.content, SPACE)];
    c->finish = xstrdup(p->n && blank && ends_whole(end) ? "tool_calls" : end);
    c->complete = ends_whole(c->finish);
    return fits;
}

static void heal_text(char **text)
{
    if (!*text)
        return;
    char *healed = utf8_heal(*text, strlen(*text));
    free(*text);
    *text = healed;
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
        if (!a->at[i].seen)
            continue;
        fits = finish_choice(&a->at[i], whole, &c) && fits;
        VEC_PUSH(r, c);
    }
    heal_text(&r->model);
    heal_text(&r->error);
    if (!r->error && !r->n && a->foreign)
        reply_say_foreign(a->foreign, e);
    else if (!r->error && !r->n)
        err_set(e, ERR_NET, a->words ? _("a reply without an answer: %s")
                                     : _("a reply without an answer"),
                a->words);
    assembly_free(a);
    if (!fits)
        return err_set(e, ERR_MEMORY, _("the answer is too large"));
    return r->error || r->n;
}

static bool is_blank(const struct message *m)
{
    return !m->content[strspn(m->content, SPACE)] && !m->reasoning &&
           !m->tool_calls;
}

const struct choice *reply_answer(const struct reply *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (!is_blank(&r->at[i].answer))
            return &r->at[i];
    return NULL;
}

bool reply_parse(const char *body, size_t n, struct reply *r, struct err *e)
{
    struct assembly a;
    assembly_start(&a);
    bool ok = add_values(&a, body, n, e);
    if (ok && !a.words)
        keep_words(&a, body, n);
    if (ok || a.n)
        return finish(&a, ok || assembly_whole(&a), r, e);
    *r = a.reply;
    a.reply = (struct reply){0};
    assembly_free(&a);
    return false;
}

/* ---- Streams ------------------------------------------------------------- */

static bool on_event(void *ctx, const char *data, size_t n, struct err *e)
{
    struct assembly *a = ctx;
    a->events++;
    bool named = !strcmp(a->sse.event, "error");
    if (named && data[skip_space(data, n)] != '{' && !assembly_whole(a))
        set_copy(&a->reply.error, data);
    return add_values(a, data, n, e) ||
           err_in(e, _("event %llu of the stream"),
                  (unsigned long long)a->events);
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
    sse_end(&a->sse, on_event, a, NULL);
    bool whole = assembly_whole(a) || (a->n && a->summed);
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
