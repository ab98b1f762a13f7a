#include "domain/chat.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/uni.h"

static const char *const role_names[] = {"system", "user", "assistant",
                                         "tool"};

const char *role_name(enum role r)
{
    return role_names[r];
}

void message_free(struct message *m)
{
    free(m->content);
    free(m->reasoning);
    free(m->tool_calls);
    free(m->tool_call_id);
    free(m->name);
    *m = (struct message){0};
}

void chat_free(struct chat *c)
{
    for (size_t i = 0; i < c->n; i++)
        message_free(&c->at[i]);
    VEC_FREE(c);
    free(c->tools);
    c->tools = NULL;
}

struct message *chat_add(struct chat *c, enum role role, const char *content)
{
    struct message m = {.role = role, .content = xstrdup(content ? content
                                                                 : "")};
    VEC_PUSH(c, m);
    return &c->at[c->n - 1];
}

static char *copy_of(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

void chat_add_copy(struct chat *c, const struct message *m)
{
    struct message *n = chat_add(c, m->role, m->content);
    n->reasoning = copy_of(m->reasoning);
    n->tool_calls = copy_of(m->tool_calls);
    n->tool_call_id = copy_of(m->tool_call_id);
    n->name = copy_of(m->name);
    n->masked = m->masked;
}

bool chat_from_json(const json *j, struct chat *c, struct err *e)
{
    return chat_read(j, NULL, c, e);
}

bool chat_parse(const char *text, struct chat *c, struct err *e)
{
    *c = (struct chat){0};
    json *j = json_parse(text, strlen(text), e);
    bool ok = j && chat_from_json(j, c, e);
    json_free(j);
    return ok;
}

static void print_fields(const struct message *m, struct jw *w)
{
    jw_kstr(w, "content", m->content);
    if (m->reasoning)
        jw_kstr(w, "reasoning_content", m->reasoning);
    if (m->tool_calls) {
        jw_key(w, "tool_calls");
        jw_raw(w, m->tool_calls);
    }
}

void message_print(const struct message *m, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    jw_kstr(&w, "role", role_name(m->role));
    print_fields(m, &w);
    if (m->tool_call_id)
        jw_kstr(&w, "tool_call_id", m->tool_call_id);
    if (m->name)
        jw_kstr(&w, "name", m->name);
    if (m->masked)
        jw_kbool(&w, "train", false);
    jw_close(&w);
}

static void print_messages(const struct chat *c, struct buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < c->n; i++) {
        if (i)
            buf_putc(out, ',');
        message_print(&c->at[i], out);
    }
    buf_putc(out, ']');
}

void chat_print(const struct chat *c, struct buf *out)
{
    if (!c->tools) {
        print_messages(c, out);
        return;
    }
    buf_puts(out, "{\"messages\":");
    print_messages(c, out);
    buf_puts(out, ",\"tools\":");
    buf_puts(out, c->tools);
    buf_putc(out, '}');
}

bool chat_check_prompt(const struct chat *c, struct err *e)
{
    if (c->n == 0)
        return err_set(e, ERR_INPUT, _("the prompt is empty"));
    for (size_t i = 1; i < c->n; i++)
        if (c->at[i].role == ROLE_SYSTEM)
            return err_set(e, ERR_INPUT,
                           _("message %zu: a system turn that is not first"),
                           i + 1);
    enum role last = c->at[c->n - 1].role;
    if (last != ROLE_USER && last != ROLE_TOOL)
        return err_set(e, ERR_INPUT, _("the prompt does not end with the "
                                       "user's turn"));
    return true;
}

const struct message *chat_last(const struct chat *c, enum role role)
{
    for (size_t i = c->n; i > 0; i--)
        if (c->at[i - 1].role == role)
            return &c->at[i - 1];
    return NULL;
}

void answer_print(const struct message *m, struct buf *out)
{
    struct jw w = jw_start(out);
    jw_open(&w, '{');
    print_fields(m, &w);
    if (m->name)
        jw_kstr(&w, "name", m->name);
    jw_close(&w);
}

bool answer_parse(const char *text, struct message *m, struct err *e)
{
    *m = (struct message){.role = ROLE_ASSISTANT};
    json *j = json_parse(text, strlen(text), e);
    if (!j)
        return false;
    m->content = xstrdup(json_get_string(j, "content", ""));
    m->reasoning = copy_of(json_get_string(j, "reasoning_content", NULL));
    m->name = copy_of(json_get_string(j, "name", NULL));
    bool ok = calls_read(json_get(j, "tool_calls"), &m->tool_calls, e);
    json_free(j);
    if (!ok)
        message_free(m);
    return ok;
}

char *answer_of(const char *content)
{
    struct buf b = BUF_INIT(0);
    struct message m = {.content = (char *)(uintptr_t)content};
    answer_print(&m, &b);
    return buf_take(&b);
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* Calls with arguments as values, as an export writes those that came as text;
 * the caller frees. */
static char *opened(const char *calls)
{
    struct buf b = BUF_INIT(0);
    json *list = calls ? json_parse(calls, strlen(calls), NULL) : NULL;
    for (const json *c = json_first(list); c; c = json_next(c)) {
        const json *f = json_get(c, "function");
        json_unfold(json_get(f ? f : c, "arguments"));
        json_print(&b, c);
        buf_putc(&b, '\n');
    }
    json_free(list);
    return buf_take(&b);
}

bool answer_holds(const char *mine, const char *other)
{
    struct message a = {0}, b = {0};
    bool ok = answer_parse(mine, &a, NULL) && answer_parse(other, &b, NULL) &&
              (!a.reasoning || is_same(a.reasoning, b.reasoning));
    char *x = opened(a.tool_calls), *y = opened(b.tool_calls);
    ok = ok && is_same(x, y);
    free(x);
    free(y);
    message_free(&a);
    message_free(&b);
    return ok;
}

char *answer_text(const char *body)
{
    struct message m;
    if (!answer_parse(body, &m, NULL))
        return xstrdup("");
    char *text = xstrdup(*m.content || !m.tool_calls ? m.content
                                                     : m.tool_calls);
    message_free(&m);
    return text;
}

char *prompt_text(const char *messages)
{
    struct chat c;
    if (!chat_parse(messages, &c, NULL))
        return xstrdup("");
    const struct message *m = chat_last(&c, ROLE_USER);
    char *text = xstrdup(m ? m->content : "");
    chat_free(&c);
    return text;
}

static void hash_folded(struct sha *s, const char *text)
{
    char *folded = uni_fold_space(text);
    sha_field(s, folded, strlen(folded));
    free(folded);
}

/* Tool calls with their numbers as doubles print; the caller frees. */
static char *rounded(const char *calls)
{
    struct buf b = BUF_INIT(0);
    json *j = json_parse(calls, strlen(calls), NULL);
    if (j)
        json_print_rounded(&b, j);
    json_free(j);
    return buf_take(&b);
}

static void hash_calls(struct sha *s, const char *calls, bool before)
{
    char *old = before && calls ? rounded(calls) : NULL;
    hash_folded(s, old ? old : calls ? calls : "");
    free(old);
}

static void hash_prompt(struct sha *s, const struct chat *c, bool before)
{
    sha_int(s, (int64_t)c->n);
    for (size_t i = 0; i < c->n; i++) {
        sha_int(s, c->at[i].role);
        hash_folded(s, c->at[i].content);
        hash_calls(s, c->at[i].tool_calls, before);
    }
    if (c->tools)
        hash_folded(s, c->tools);
}

void chat_hash(const struct chat *prompt, const char *answer,
               uint8_t out[SHA_SIZE])
{
    struct sha s;
    sha_start(&s);
    hash_prompt(&s, prompt, false);
    hash_folded(&s, answer);
    sha_end(&s, out);
}

void chat_prompt_hash(const struct chat *prompt, uint8_t out[SHA_SIZE])
{
    struct sha s;
    sha_start(&s);
    hash_prompt(&s, prompt, false);
    sha_end(&s, out);
}

/* Whether rounding the numbers of a message's calls would change them. */
static bool changes(const struct message *m)
{
    char *old = m->tool_calls ? rounded(m->tool_calls) : NULL;
    bool other = old && strcmp(old, m->tool_calls);
    free(old);
    return other;
}

bool chat_hash_before(const struct chat *prompt, const char *body,
                      uint8_t out[SHA_SIZE])
{
    struct message m = {0};
    bool other = false;
    for (size_t i = 0; i < prompt->n && !other; i++)
        other = changes(&prompt->at[i]);
    if (body && strstr(body, "\"tool_calls\"") &&
        answer_parse(body, &m, NULL))
        other = other || changes(&m);
    if (other) {
        struct sha s;
        sha_start(&s);
        hash_prompt(&s, prompt, true);
        if (body && m.tool_calls && !*m.content) {
            hash_calls(&s, m.tool_calls, true);
        } else if (body) {
            char *answer = answer_text(body);
            hash_folded(&s, answer);
            free(answer);
        }
        sha_end(&s, out);
    }
    message_free(&m);
    return other;
}
