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

/* Tool calls as a hash has them; the caller frees. */
static char *calls_as(const char *calls, enum calls_form form)
{
    struct buf b = BUF_INIT(0);
    json *list = json_parse(calls, strlen(calls), NULL);
    if (!list || form == CALLS_WRITTEN) {
        json_free(list);
        return xstrdup(calls);
    }
    for (const json *c = json_first(list); c && form == CALLS_OPEN;
         c = json_next(c)) {
        const json *f = json_get(c, "function");
        json_unfold(json_get(f ? f : c, "arguments"));
    }
    if (form == CALLS_OPEN)
        json_print(&b, list);
    else
        json_print_rounded(&b, list);
    json_free(list);
    return buf_take(&b);
}

static bool same_calls(const char *a, const char *b)
{
    if (is_same(a, b))
        return true;
    char *x = a && b ? calls_as(a, CALLS_OPEN) : NULL;
    char *y = x ? calls_as(b, CALLS_OPEN) : NULL;
    bool same = x && !strcmp(x, y);
    free(x);
    free(y);
    return same;
}

static bool same_text(const char *a, const char *b)
{
    if (is_same(a, b))
        return true;
    char *x = uni_fold_lines(a), *y = uni_fold_lines(b);
    bool same = !strcmp(x, y);
    free(x);
    free(y);
    return same;
}

bool answers_same(const struct message *a, const struct message *b)
{
    return same_text(a->content, b->content) &&
           same_calls(a->tool_calls, b->tool_calls);
}

bool answer_holds(const struct message *mine, const struct message *other)
{
    return answers_same(mine, other) &&
           (!mine->reasoning || is_same(mine->reasoning, other->reasoning)) &&
           (!mine->name || is_same(mine->name, other->name));
}

const char *answer_words(const struct message *m)
{
    return *m->content || !m->tool_calls ? m->content : m->tool_calls;
}

char *answer_text(const char *body)
{
    struct message m;
    if (!answer_parse(body, &m, NULL))
        return xstrdup("");
    char *text = xstrdup(answer_words(&m));
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

void chat_to_people(const char *messages, struct buf *out)
{
    struct chat c;
    if (!messages || !chat_parse(messages, &c, NULL))
        return;
    for (size_t i = 0; i < c.n; i++) {
        const struct message *m = &c.at[i];
        if (c.n > 1)
            buf_printf(out, "%s%s: ", i ? "\n" : "", role_name(m->role));
        buf_puts(out, *m->content || !m->tool_calls ? m->content
                                                    : m->tool_calls);
    }
    chat_free(&c);
}

static void hash_folded(struct sha *s, const char *text)
{
    char *folded = uni_fold_space(text);
    sha_field(s, folded, strlen(folded));
    free(folded);
}

static void hash_calls(struct sha *s, const char *calls, enum calls_form form)
{
    char *text = calls ? calls_as(calls, form) : NULL;
    hash_folded(s, text ? text : "");
    free(text);
}

/* The answer NULL: the prompt alone. */
static void hash_as(const struct chat *c, const struct message *answer,
                    enum calls_form form, uint8_t out[SHA_SIZE])
{
    struct sha s;
    sha_start(&s);
    sha_int(&s, (int64_t)c->n);
    for (size_t i = 0; i < c->n; i++) {
        sha_int(&s, c->at[i].role);
        hash_folded(&s, c->at[i].content);
        hash_calls(&s, c->at[i].tool_calls, form);
    }
    if (c->tools)
        hash_folded(&s, c->tools);
    if (answer && answer_words(answer) == answer->tool_calls)
        hash_calls(&s, answer->tool_calls, form);
    else if (answer)
        hash_folded(&s, answer->content);
    sha_end(&s, out);
}

void chat_hash(const struct chat *prompt, const struct message *answer,
               uint8_t out[SHA_SIZE])
{
    hash_as(prompt, answer, CALLS_OPEN, out);
}

void chat_prompt_hash(const struct chat *prompt, uint8_t out[SHA_SIZE])
{
    hash_as(prompt, NULL, CALLS_OPEN, out);
}

bool chat_hash_before(const struct chat *prompt, const struct message *answer,
                      enum calls_form form, uint8_t out[SHA_SIZE])
{
    uint8_t now[SHA_SIZE];
    bool calls = answer && answer->tool_calls;
    for (size_t i = 0; i < prompt->n && !calls; i++)
        calls = prompt->at[i].tool_calls != NULL;
    if (!calls)
        return false;
    hash_as(prompt, answer, CALLS_OPEN, now);
    hash_as(prompt, answer, form, out);
    return memcmp(now, out, SHA_SIZE) != 0;
}
