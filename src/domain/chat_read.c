/* Messages as the programs of this field write them, read into our own form. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "domain/chat.h"
#include "domain/thought.h"

/* ---- Roles -------------------------------------------------------------- */

static const struct {
    const char *name;
    enum role role;
    bool calls;
} known[] = {{"system", ROLE_SYSTEM, false},
             {"developer", ROLE_SYSTEM, false},
             {"user", ROLE_USER, false},
             {"human", ROLE_USER, false},
             {"prompter", ROLE_USER, false},
             {"assistant", ROLE_ASSISTANT, false},
             {"gpt", ROLE_ASSISTANT, false},
             {"chatgpt", ROLE_ASSISTANT, false},
             {"bing", ROLE_ASSISTANT, false},
             {"bard", ROLE_ASSISTANT, false},
             {"claude", ROLE_ASSISTANT, false},
             {"model", ROLE_ASSISTANT, false},
             {"bot", ROLE_ASSISTANT, false},
             {"chatbot", ROLE_ASSISTANT, false},
             {"ai", ROLE_ASSISTANT, false},
             {"function_call", ROLE_ASSISTANT, true},
             {"function-call", ROLE_ASSISTANT, true},
             {"tool_call", ROLE_ASSISTANT, true},
             {"tool", ROLE_TOOL, false},
             {"function", ROLE_TOOL, false},
             {"observation", ROLE_TOOL, false},
             {"ipython", ROLE_TOOL, false},
             {"tool_response", ROLE_TOOL, false},
             {"tool_result", ROLE_TOOL, false},
             {"function_response", ROLE_TOOL, false},
             {"function-response", ROLE_TOOL, false}};

bool role_parse(const char *name, const own_roles *own, enum role *out,
                bool *calls)
{
    if (calls)
        *calls = false;
    for (size_t i = 0; own && i < own->n; i++) {
        if (!strcasecmp(own->at[i].name, name)) {
            *out = own->at[i].role;
            return true;
        }
    }
    for (size_t i = 0; i < COUNT(known); i++) {
        if (strcasecmp(known[i].name, name))
            continue;
        *out = known[i].role;
        if (calls)
            *calls = known[i].calls;
        return true;
    }
    return false;
}

/* ---- Small parts -------------------------------------------------------- */

/* The first of the members that is there and is not null. */
static const json *take_one(const json *j, const char *const *keys)
{
    for (; *keys; keys++) {
        const json *v = json_get(j, *keys);
        if (v && !json_is_null(v))
            return json_take(j, *keys);
    }
    return NULL;
}

/* The first of the members that is a string, as a copy; another kind of value
 * is left unread. */
static char *take_text(const json *j, const char *const *keys)
{
    for (; *keys; keys++)
        if (json_string(json_get(j, *keys)))
            return xstrdup(json_string(json_take(j, *keys)));
    return NULL;
}

static void join(char **to, const char *text)
{
    char *both = *to ? xasprintf("%s\n\n%s", *to, text) : xstrdup(text);
    free(*to);
    *to = both;
}

/* A part of a list: a string, {"type":"text","text"|"value"}, or thinking. */
static bool read_part(const json *p, struct buf *out, char **reasoning,
                      struct err *e)
{
    static const char *const texts[] = {"text", "value", NULL};
    static const char *const thoughts[] = {"thinking", "reasoning", NULL};
    const char *type = json_get_string(p, "type", "text");
    json_taken(p, false);
    if (json_string(p))
        return buf_puts(out, json_string(p));
    json_take(p, "type");
    char *text = take_text(p, texts);
    char *thought = text ? NULL : take_text(p, thoughts);
    if (text)
        buf_puts(out, text);
    else if (thought)
        join(reasoning, thought);
    free(text);
    free(thought);
    return text || thought ||
           err_set(e, ERR_INPUT, _("a part of content that is not text: "
                                   "\"%.40s\""), type);
}

/* Content that is a string, null, or a list of parts; a tool's may be any
 * value. */
static bool read_content(const json *v, struct message *m, struct err *e)
{
    struct buf text = BUF_INIT(0);
    bool ok = true;
    if (json_is_string(v))
        buf_puts(&text, json_string(v));
    else if (json_is_array(v) && !(m->role == ROLE_TOOL && json_first(v) &&
                                   !json_get(json_first(v), "text")))
        for (const json *p = json_first(v); ok && p; p = json_next(p))
            ok = read_part(p, &text, &m->reasoning, e);
    else if (v && m->role == ROLE_TOOL) {
        json_print(&text, v);
        json_taken(v, true);
    } else if (v)
        ok = err_set(e, ERR_INPUT, _("content is neither text nor a list"));
    m->content = buf_take(&text);
    return ok;
}

/* ---- Tools and calls ---------------------------------------------------- */

/* A list, one object, or a string that holds such, as a canonical list. Items
 * that are strings are opened; {"name","arguments"} stands in `wrap`. */
static bool read_list(const json *v, const char *what, bool wrap, char **out,
                      struct err *e)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    *out = NULL;
    const char *s = json_string(v);
    if (!v || json_is_null(v) || (s && !s[strspn(s, " \t\r\n")]))
        return true;
    json_unfold(v);
    if (!json_is_array(v) && !json_is_object(v))
        return err_set(e, ERR_INPUT, _("\"%s\" is neither a list nor text "
                                       "that holds one"), what);
    jw_open(&w, '[');
    const json *one = json_is_array(v) ? json_first(v) : v;
    bool ok = true, some = one != NULL && (v != one || json_first(v));
    for (; some && ok && one; one = one == v ? NULL : json_next(one)) {
        struct buf x = BUF_INIT(0);
        json_unfold(one);
        ok = json_is_object(one) ||
             err_set(e, ERR_INPUT, _("\"%s\" holds what is no object"), what);
        json_print(&x, one);
        bool bare = wrap && json_get(one, "name") &&
                    !json_get(one, "function");
        if (bare) {
            jw_open(&w, '{');
            jw_kstr(&w, "type", "function");
            jw_key(&w, "function");
        }
        jw_raw(&w, buf_str(&x));
        if (bare)
            jw_close(&w);
        buf_free(&x);
    }
    jw_close(&w);
    json_taken(v, true);
    if (ok && some)
        *out = buf_take(&b);
    buf_free(&b);
    return ok;
}

bool calls_read(const json *v, char **out, struct err *e)
{
    return read_list(v, "tool_calls", true, out, e);
}

bool tools_read(const json *v, char **out, struct err *e)
{
    return read_list(v, "tools", false, out, e);
}

/* A turn whose text is the call: {"name","arguments"}, or a list of such. What
 * is something else stays text. */
static void calls_of_text(struct message *m)
{
    json *j = json_parse(m->content, strlen(m->content), NULL);
    if ((json_is_object(j) || json_is_array(j)) &&
        calls_read(j, &m->tool_calls, NULL) && m->tool_calls)
        *m->content = '\0';
    json_free(j);
}

static bool read_calls(const json *j, struct message *m, struct err *e)
{
    if (!calls_read(json_take(j, "tool_calls"), &m->tool_calls, e))
        return false;
    return m->tool_calls || read_list(json_take(j, "function_call"),
                                      "function_call", true, &m->tool_calls,
                                      e);
}

/* ---- Marks -------------------------------------------------------------- */

/* 0 or 1 of a truth value, a number, or a text that is one; else another. */
static double mark_of(const json *v)
{
    static const char *const words[][2] = {{"false", "0"}, {"true", "1"}};
    const char *s = json_string(v);
    if (json_is_bool(v))
        return json_is_true(v);
    for (int i = 0; s && i < 2; i++)
        if (!strcasecmp(s, words[i][0]) || !strcmp(s, words[i][1]))
            return i;
    return json_number(v, -1);
}

/* Whether a turn is trained on, as a truth value or a weight of 0 or 1. Other
 * weights, and training on what no assistant said, we cannot keep: unread. */
static void read_marks(const json *j, struct message *m)
{
    static const char *const keys[] = {"train", "training", "trainable",
                                       "weight", "loss", "loss_weight"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        double weight = mark_of(json_get(j, keys[i]));
        bool assistant = m->role == ROLE_ASSISTANT;
        if (weight == 0 || (weight == 1 && assistant))
            json_take(j, keys[i]);
        m->masked = m->masked || (weight == 0 && assistant);
    }
}

/* ---- Messages ----------------------------------------------------------- */

static bool read_role(const json *j, const struct chat_how *how,
                      struct message *m, bool *calls, struct err *e)
{
    static const char *const keys[] = {"role", "from", "speaker", NULL};
    char *role = take_text(j, keys);
    if (!role)
        return err_set(e, ERR_INPUT, _("no role"));
    bool ok = role_parse(role, how ? how->roles : NULL, &m->role, calls) ||
              err_set(e, ERR_INPUT, _("unknown role \"%.40s\""), role);
    free(role);
    return ok;
}

static bool read_text(const json *j, struct message *m, struct err *e)
{
    static const char *const texts[] = {"content", "value", "text", NULL};
    static const char *const thoughts[] = {"reasoning_content", "reasoning",
                                           "thinking", NULL};
    if (!read_content(take_one(j, texts), m, e))
        return false;
    char *thought = take_text(j, thoughts);
    if (thought && m->reasoning)
        join(&m->reasoning, thought);
    else if (thought)
        m->reasoning = xstrdup(thought);
    free(thought);
    return true;
}

void message_part_thought(struct message *m)
{
    char *thought;
    if (m->reasoning || m->role != ROLE_ASSISTANT)
        return;
    char *answer = thought_part(m->content, &thought);
    free(m->content);
    m->content = answer;
    m->reasoning = thought;
}

static bool read_members(const json *j, const struct chat_how *how,
                         struct message *m, struct err *e)
{
    static const char *const id[] = {"tool_call_id", NULL};
    static const char *const name[] = {"name", NULL};
    bool calls;
    if (!read_role(j, how, m, &calls, e) || !read_text(j, m, e) ||
        !read_calls(j, m, e))
        return false;
    if (calls && !m->tool_calls)
        calls_of_text(m);
    if (how)
        message_part_thought(m);
    m->tool_call_id = take_text(j, id);
    m->name = take_text(j, name);
    read_marks(j, m);
    return true;
}

bool message_read(const json *j, const struct chat_how *how,
                  struct message *m, struct err *e)
{
    *m = (struct message){0};
    json_taken(j, false);
    if (!json_is_object(j))
        return err_set(e, ERR_INPUT, _("not an object"));
    if (read_members(j, how, m, e))
        return true;
    message_free(m);
    return false;
}

/* A turn of both sides, {"input","output"} and the like: XTuner and others.
 * False where it is none. */
static bool read_both(const json *j, struct chat *c)
{
    static const char *const sides[][2] = {{"input", "output"},
                                           {"human", "assistant"},
                                           {"user", "assistant"},
                                           {"prompt", "response"}};
    for (size_t i = 0; i < COUNT(sides); i++) {
        const char *asked = json_get_string(j, sides[i][0], NULL);
        const char *said = json_get_string(j, sides[i][1], NULL);
        if (!asked || !said)
            continue;
        const char *system = json_get_string(j, "system", NULL);
        json_taken(j, false);
        json_take(j, sides[i][0]);
        json_take(j, sides[i][1]);
        if (system)
            json_take(j, "system");
        if (system && *system)
            chat_add(c, ROLE_SYSTEM, system);
        chat_add(c, ROLE_USER, asked);
        message_part_thought(chat_add(c, ROLE_ASSISTANT, said));
        return true;
    }
    return false;
}

static bool read_messages(const json *list, const struct chat_how *how,
                          struct chat *c, struct err *e)
{
    size_t n = 0;
    json_taken(list, false);
    if (!json_is_array(list))
        return err_set(e, ERR_INPUT, _("messages are not a list"));
    for (const json *j = json_first(list); j; j = json_next(j), n++) {
        struct message m;
        if (how && read_both(j, c))
            continue;
        if (!message_read(j, how, &m, e))
            return err_in(e, _("message %zu"), n + 1);
        VEC_PUSH(c, m);
    }
    return true;
}

bool chat_read(const json *j, const struct chat_how *how, struct chat *c,
               struct err *e)
{
    *c = (struct chat){0};
    bool both = json_is_object(j) && json_get(j, "messages");
    json_taken(j, false);
    if (read_messages(both ? json_take(j, "messages") : j, how, c, e) &&
        (!both || tools_read(json_take(j, "tools"), &c->tools, e)))
        return true;
    chat_free(c);
    return false;
}
