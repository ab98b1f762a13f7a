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

bool role_parse(const char *name, enum role *out)
{
    static const struct {
        const char *name;
        enum role role;
    } known[] = {{"system", ROLE_SYSTEM},       {"developer", ROLE_SYSTEM},
                 {"user", ROLE_USER},           {"human", ROLE_USER},
                 {"assistant", ROLE_ASSISTANT}, {"gpt", ROLE_ASSISTANT},
                 {"model", ROLE_ASSISTANT},     {"bot", ROLE_ASSISTANT},
                 {"tool", ROLE_TOOL},           {"function", ROLE_TOOL},
                 {"observation", ROLE_TOOL}};
    for (size_t i = 0; i < COUNT(known); i++) {
        if (!strcmp(known[i].name, name)) {
            *out = known[i].role;
            return true;
        }
    }
    return false;
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

/* Content that is a string, null, or a list of text parts. */
static bool read_content(const json *v, struct buf *out, struct err *e)
{
    if (!v || json_is_null(v))
        return true;
    if (json_is_string(v))
        return buf_puts(out, json_string(v));
    if (!json_is_array(v))
        return err_set(e, ERR_INPUT, _("content is neither text nor a list"));
    for (const json *p = json_first(v); p; p = json_next(p)) {
        const char *text = json_get_string(p, "text", NULL);
        if (!text)
            return err_set(e, ERR_INPUT,
                           _("a part of content that is not text"));
        buf_puts(out, text);
    }
    return true;
}

static char *get_copy(const json *j, const char *key)
{
    return copy_of(json_get_string(j, key, NULL));
}

/* Canonical text of a member that is an array, or a string holding one. */
static char *get_calls(const json *j)
{
    const json *v = json_get(j, "tool_calls");
    if (!json_is_array(v) || !json_first(v))
        return NULL;
    struct buf b = BUF_INIT(0);
    json_print(&b, v);
    return buf_take(&b);
}

static bool read_message(const json *j, struct message *m, struct err *e)
{
    *m = (struct message){0};
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("not an object"));
    const char *role = json_get_string(j, "role", NULL);
    role = role ? role : json_get_string(j, "from", NULL);
    if (!role)
        return err_set(e, ERR_INPUT, _("no role"));
    if (!role_parse(role, &m->role))
        return err_set(e, ERR_INPUT, _("unknown role \"%.40s\""), role);
    const json *content = json_get(j, "content");
    struct buf text = BUF_INIT(0);
    if (!read_content(content ? content : json_get(j, "value"), &text, e)) {
        buf_free(&text);
        return false;
    }
    m->content = buf_take(&text);
    m->reasoning = get_copy(j, "reasoning_content");
    m->tool_calls = get_calls(j);
    m->tool_call_id = get_copy(j, "tool_call_id");
    m->name = get_copy(j, "name");
    m->masked = m->role == ROLE_ASSISTANT && !json_get_bool(j, "train", true);
    return true;
}

bool chat_from_json(const json *array, struct chat *c, struct err *e)
{
    *c = (struct chat){0};
    if (!json_is_array(array))
        return err_set(e, ERR_INPUT, _("messages are not a list"));
    for (const json *j = json_first(array); j; j = json_next(j)) {
        struct message m;
        if (!read_message(j, &m, e)) {
            err_in(e, _("message %zu"), c->n + 1);
            chat_free(c);
            return false;
        }
        VEC_PUSH(c, m);
    }
    return true;
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

void chat_print(const struct chat *c, struct buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < c->n; i++) {
        if (i)
            buf_putc(out, ',');
        message_print(&c->at[i], out);
    }
    buf_putc(out, ']');
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
    jw_close(&w);
}

bool answer_parse(const char *text, struct message *m, struct err *e)
{
    *m = (struct message){.role = ROLE_ASSISTANT};
    json *j = json_parse(text, strlen(text), e);
    if (!j)
        return false;
    m->content = xstrdup(json_get_string(j, "content", ""));
    m->reasoning = get_copy(j, "reasoning_content");
    m->tool_calls = get_calls(j);
    json_free(j);
    return true;
}

char *answer_of(const char *content)
{
    struct buf b = BUF_INIT(0);
    struct message m = {.content = (char *)(uintptr_t)content};
    answer_print(&m, &b);
    return buf_take(&b);
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

static void hash_prompt(struct sha *s, const struct chat *c)
{
    sha_int(s, (int64_t)c->n);
    for (size_t i = 0; i < c->n; i++) {
        sha_int(s, c->at[i].role);
        hash_folded(s, c->at[i].content);
        hash_folded(s, c->at[i].tool_calls ? c->at[i].tool_calls : "");
    }
}

void chat_hash(const struct chat *prompt, const char *answer,
               uint8_t out[SHA_SIZE])
{
    struct sha s;
    sha_start(&s);
    hash_prompt(&s, prompt);
    hash_folded(&s, answer);
    sha_end(&s, out);
}

void chat_prompt_hash(const struct chat *prompt, uint8_t out[SHA_SIZE])
{
    struct sha s;
    sha_start(&s);
    hash_prompt(&s, prompt);
    sha_end(&s, out);
}
