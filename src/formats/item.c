/* Items: what every row comes to. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "formats/format.h"

void item_free(struct item *x)
{
    chat_free(&x->prompt);
    for (size_t i = 0; i < x->answers.n; i++) {
        free(x->answers.at[i].body);
        free(x->answers.at[i].whole);
    }
    VEC_FREE(&x->answers);
    free(x->split);
    free(x->tags);
    free(x->id);
    *x = (struct item){0};
}

static bool is_blank(const char *s)
{
    return !s[strspn(s, " \t\r\n")];
}

/* ---- Answers ------------------------------------------------------------ */

struct item_answer *item_answer_add(struct item *x, struct message *m)
{
    struct buf b = BUF_INIT(0);
    struct item_answer a = {.score = NAN, .margin = NAN};
    answer_print(m, &b);
    a.body = buf_take(&b);
    VEC_PUSH(&x->answers, a);
    message_free(m);
    return &x->answers.at[x->answers.n - 1];
}

struct item_answer *item_answer_text(struct item *x, const char *text)
{
    struct message m = {.role = ROLE_ASSISTANT, .content = xstrdup(text)};
    message_part_thought(&m);
    bool parted = m.reasoning != NULL;
    struct item_answer *a = item_answer_add(x, &m);
    if (parted)
        a->whole = xstrdup(text);
    return a;
}

bool item_take_chat(struct item *x, struct chat *c, struct err *e)
{
    struct message *last = c->n ? &c->at[c->n - 1] : NULL;
    if (!last || last->role != ROLE_ASSISTANT)
        return err_set(e, ERR_INPUT, _("the answer does not end with an "
                                       "assistant's turn"));
    if (last->masked)
        return err_set(e, ERR_INPUT, _("the last answer is marked as not to "
                                       "be trained on"));
    for (size_t i = 0; i + 1 < c->n; i++)
        VEC_PUSH(&x->prompt, c->at[i]);
    struct message m = *last;
    c->n = 0;
    if (is_blank(m.content) && !m.tool_calls && !m.reasoning)
        message_free(&m); /* a place for an answer, and none in it */
    else
        item_answer_add(x, &m);
    return true;
}

void item_sort(struct item *x)
{
    for (size_t i = 1; i < x->answers.n; i++) {
        struct item_answer a = x->answers.at[i];
        size_t k = i;
        for (; k && x->answers.at[k - 1].place > a.place; k--)
            x->answers.at[k] = x->answers.at[k - 1];
        x->answers.at[k] = a;
    }
}

/* ---- What a row says of it ---------------------------------------------- */

/* Tags of a list of texts, or of one text: parted by commas where it has any,
 * else by white space. The caller frees; NULL where there are none. */
static void add_tag(struct buf *b, const char *s, size_t n)
{
    while (n && strchr(" \t\r\n", s[0]))
        s++, n--;
    while (n && strchr(" \t\r\n", s[n - 1]))
        n--;
    if (n && b->len)
        buf_putc(b, ' ');
    for (size_t i = 0; i < n; i++)
        buf_putc(b, strchr(" \t\r\n", s[i]) ? '-' : s[i]);
}

static char *read_tags(const struct in *in)
{
    struct buf b = BUF_INIT(0);
    const json *v = in_peek(in, IN_TAGS).value;
    const char *s = json_string(v), *by = s && strchr(s, ',') ? "," : " \t\n";
    for (size_t n; s && *s; s += n + (s[n] != '\0'))
        add_tag(&b, s, n = strcspn(s, by));
    for (const json *t = json_is_array(v) ? json_first(v) : NULL; t;
         t = json_next(t)) {
        if (!json_string(t))
            continue;
        json_taken(t, false);
        add_tag(&b, json_string(t), strlen(json_string(t)));
    }
    if (json_string(v) || json_is_array(v))
        in_take(in, IN_TAGS);
    if (b.len)
        return buf_take(&b);
    buf_free(&b);
    return NULL;
}

/* A text or number as a copy; another kind of value is left unread. */
static char *read_name(const struct in *in, enum in_field f)
{
    const json *v = in_peek(in, f).value;
    if (json_string(v))
        return xstrdup(json_string(in_take(in, f).value));
    if (!json_is_number(v))
        return NULL;
    struct buf b = BUF_INIT(0);
    json_print(&b, in_take(in, f).value);
    return buf_take(&b);
}

/* Whether a label is a verdict by where it stands: a person said so, the
 * column is LLaMA-Factory's own, or the row is TRL's (prompt, completion,
 * label). Anywhere else a number may be a class. */
static bool is_verdict(const struct in *in, const struct column *c)
{
    const struct mapping *m = in->how->map;
    return (m && m->columns[IN_LABEL]) || !strcmp(c->name, "kto_tag") ||
           (json_get(in->row, "prompt") && json_get(in->row, "completion"));
}

/* True or false as KTO's rows have it, pandas and CSV write it; -1 where the
 * row says neither. */
static int read_label(const struct in *in)
{
    static const struct {
        const char *no, *yes;
        bool anywhere;
    } words[] = {{"false", "true", true}, {"0", "1", false},
                 {"0.0", "1.0", false},   {"no", "yes", false},
                 {"bad", "good", false}};
    struct column c = in_peek(in, IN_LABEL);
    const char *text = json_string(c.value);
    bool verdict = c.value && is_verdict(in, &c);
    if (json_is_bool(c.value))
        return json_is_true(c.value);
    for (size_t i = 0; text && i < COUNT(words); i++) {
        if (!verdict && !words[i].anywhere)
            continue;
        if (!strcasecmp(text, words[i].no))
            return 0;
        if (!strcasecmp(text, words[i].yes))
            return 1;
    }
    double n = verdict ? json_number(c.value, -1) : -1;
    return n == 0 ? 0 : n == 1 ? 1 : -1;
}

struct item in_item(const struct in *in)
{
    struct item x = {.is_false = read_label(in) == 0};
    return x;
}

/* ---- The prompt --------------------------------------------------------- */

static bool has_text(const struct message *m)
{
    return m->tool_calls || m->role == ROLE_TOOL || m->role == ROLE_SYSTEM ||
           !is_blank(m->content);
}

static bool check_turns(const struct chat *c, struct err *e)
{
    static const char *const whose[] = {
        N_("message %zu: the system's turn has no text"),
        N_("message %zu: the user's turn has no text"),
        N_("message %zu: the assistant's turn has no text"),
        N_("message %zu: the tool's turn has no text")};
    char text[120];
    for (size_t i = 0; i < c->n; i++) {
        if (has_text(&c->at[i]))
            continue;
        const char *fmt = _(whose[c->at[i].role]);
        const char *at = strstr(fmt, "%zu");
        snprintf(text, sizeof text, "%.*s%zu%s", (int)(at - fmt), fmt, i + 1,
                 at + 3);
        return err_set(e, ERR_INPUT, "%s", text);
    }
    return chat_check_prompt(c, e);
}

static void put_first(struct chat *c, const char *system)
{
    chat_add(c, ROLE_SYSTEM, system);
    struct message m = c->at[c->n - 1];
    memmove(c->at + 1, c->at, (c->n - 1) * sizeof m);
    c->at[0] = m;
}

/* The row's own system text before the prompt; a system turn that says
 * nothing goes. */
static bool add_system(const struct in *in, struct chat *c, struct err *e)
{
    const char *system;
    struct column from = in_peek(in, IN_SYSTEM);
    if (!in_text(in, IN_SYSTEM, true, &system, e))
        return false;
    if (c->n && c->at[0].role == ROLE_SYSTEM && is_blank(c->at[0].content)) {
        message_free(&c->at[0]);
        memmove(c->at, c->at + 1, --c->n * sizeof *c->at);
    }
    if (!system || is_blank(system))
        return true;
    if (c->at[0].role != ROLE_SYSTEM)
        put_first(c, system);
    else if (strcmp(c->at[0].content, system))
        return err_set(e, ERR_INPUT, _("the row has two system texts: \"%s\" "
                                       "and message 1"), from.name);
    return true;
}

static bool finish(const struct in *in, struct item *x, struct err *e)
{
    struct column tools = in_take(in, IN_TOOLS);
    if (!check_turns(&x->prompt, e) || !add_system(in, &x->prompt, e))
        return false;
    free(x->prompt.tools);
    if (!tools_read(tools.value, &x->prompt.tools, e))
        return false;
    if (x->answers.n && read_label(in) == !x->is_false)
        in_take(in, IN_LABEL);
    x->row = in->row;
    x->split_at = in_peek(in, IN_SPLIT).value;
    x->split = read_name(in, IN_SPLIT);
    x->tags = read_tags(in);
    x->id_at = in_peek(in, IN_ID).value;
    x->id = read_name(in, IN_ID);
    return true;
}

bool in_emit(const struct in *in, struct item *x, struct err *e)
{
    bool ok = finish(in, x, e) && in->fn(in->ctx, x, e);
    item_free(x);
    return ok;
}
