/* Shapes of rows: what a row is told by, and how it is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "formats/format.h"

/* ---- Conversations ------------------------------------------------------ */

bool in_messages(const struct in *in, const struct column *c,
                 struct chat *out, struct err *e)
{
    json_unfold(c->value);
    return chat_read(c->value, &in->chat, out, e);
}

/* ---- A task: a prompt in parts ------------------------------------------ */

/* Alpaca's earlier turns: pairs of texts, or messages. */
static bool add_history(const struct in *in, struct chat *c, struct err *e)
{
    struct column h = in_take(in, IN_HISTORY);
    struct chat own = {0};
    if (!h.value)
        return true;
    if (is_messages(h.value)) {
        if (!chat_read(h.value, &in->chat, &own, e))
            return err_in(e, "%s", h.name);
        for (size_t i = 0; i < own.n; i++)
            VEC_PUSH(c, own.at[i]);
        VEC_FREE(&own);
        return true;
    }
    json_unfold(h.value);
    bool ok = json_is_array(h.value);
    for (const json *p = json_first(h.value); ok && p; p = json_next(p)) {
        const json *asked = json_first(p);
        const json *said = asked ? json_next(asked) : NULL;
        json_taken(p, false);
        json_taken(asked, false);
        json_taken(said, false);
        ok = json_is_array(p) && json_string(asked) && json_string(said) &&
             !json_next(said);
        if (!ok)
            break;
        chat_add(c, ROLE_USER, json_string(asked));
        message_part_thought(chat_add(c, ROLE_ASSISTANT, json_string(said)));
    }
    return ok || err_set(e, ERR_INPUT, _("\"%s\" is not a list of pairs of "
                                         "texts"), h.name);
}

static bool add_prompt(const struct in *in, struct chat *c, struct err *e)
{
    struct column p = in_take(in, IN_PROMPT);
    const char *text, *input;
    struct chat own;
    if (!p.value)
        return err_set(e, ERR_INPUT, _("\"%s\" is missing"),
                       p.name ? p.name : "prompt");
    if (is_messages(p.value)) {
        if (!chat_read(p.value, &in->chat, &own, e))
            return err_in(e, "%s", p.name);
    } else if (!in_text(in, IN_PROMPT, false, &text, e) ||
               !in_text(in, IN_INPUT, true, &input, e)) {
        return false;
    } else if (!hh_parse(text, &own)) {
        bool more = input && *input;
        char *both = xasprintf("%s%s%s", text, more ? "\n\n" : "",
                               more ? input : "");
        own = (struct chat){0};
        chat_add(&own, ROLE_USER, both);
        free(both);
    }
    for (size_t i = 0; i < own.n; i++)
        VEC_PUSH(c, own.at[i]);
    VEC_FREE(&own);
    return true;
}

bool in_task(const struct in *in, struct item *x, struct err *e)
{
    return add_history(in, &x->prompt, e) && add_prompt(in, &x->prompt, e);
}

/* ---- Answers ------------------------------------------------------------ */

/* Thinking in a column of its own. */
static bool add_reasoning(const struct in *in, struct item *x, struct err *e)
{
    const char *text = NULL;
    struct message m;
    struct column c = in_peek(in, IN_REASONING);
    struct item_answer *a = x->answers.n == 1 ? &x->answers.at[0] : NULL;
    if (!c.value || !a || !answer_parse(a->body, &m, NULL))
        return true;
    bool has = m.reasoning != NULL;
    bool ok = has || in_text(in, IN_REASONING, true, &text, e);
    if (ok && !has && text && *text) {
        struct buf b = BUF_INIT(0);
        m.reasoning = xstrdup(text);
        answer_print(&m, &b);
        free(a->body);
        a->body = buf_take(&b);
    }
    message_free(&m);
    return ok;
}

/* A text, one message, or a list of messages. */
static bool add_answer(const struct in *in, enum in_field f, struct item *x,
                       struct err *e)
{
    struct column c = in_take(in, f);
    struct chat own = {0};
    struct message m;
    const char *text;
    bool ok;
    if (is_messages(c.value)) {
        ok = chat_read(c.value, &in->chat, &own, e);
    } else if (json_is_object(c.value)) {
        ok = message_read(c.value, &in->chat, &m, e);
        if (ok)
            VEC_PUSH(&own, m);
    } else {
        if (!column_text(&c, &text, e))
            return false;
        if (text && *text)
            item_answer_text(x, text);
        return true;
    }
    ok = ok && item_take_chat(x, &own, e);
    chat_free(&own);
    return ok || err_in(e, "%s", c.name);
}

static bool add_answers(const struct in *in, struct item *x, struct err *e)
{
    if (x->is_false && in->how->one_answer)
        return true; /* nothing to show to a teacher: it stays unread */
    if (json_is_array(in_peek(in, IN_ANSWERS).value))
        return read_answers(in, x, e);
    bool chosen = in_peek(in, IN_CHOSEN).value &&
                  !in_peek(in, IN_ANSWER).value;
    return add_answer(in, chosen ? IN_CHOSEN : IN_ANSWER, x, e);
}

/* What the row says of its one answer. */
static bool add_figures(const struct in *in, struct item *x, struct err *e)
{
    if (!add_reasoning(in, x, e))
        return false;
    if (x->answers.n != 1 || in->how->one_answer)
        return true;
    struct item_answer *a = &x->answers.at[0];
    a->score_at = in_peek(in, IN_SCORE).value;
    return in_number(in, IN_SCORE, &a->score, e);
}

/* Emits the item where all went well, else frees it. */
static bool end(const struct in *in, bool ok, struct item *x, struct err *e)
{
    if (ok)
        return in_emit(in, x, e);
    item_free(x);
    return false;
}

/* ---- The shapes' readers ------------------------------------------------ */

/* Of a row with a list of messages as its completion that list is trained
 * alone: an assistant's turn in its prompt has a row of its own, or none. */
static void mask_prompt(const struct in *in, struct chat *prompt)
{
    if (!json_is_array(in_peek(in, IN_ANSWER).value))
        return;
    for (size_t i = 0; i < prompt->n; i++)
        prompt->at[i].masked = prompt->at[i].role == ROLE_ASSISTANT;
}

static bool read_task(const struct in *in, struct err *e)
{
    struct item x = in_item(in);
    bool ok = in_task(in, &x, e) && add_answers(in, &x, e) &&
              add_figures(in, &x, e);
    mask_prompt(in, &x.prompt);
    return end(in, ok, &x, e);
}

/* The last of a list. */
static const json *last_of(const json *list)
{
    const json *last = json_first(list);
    while (last && json_next(last))
        last = json_next(last);
    return last;
}

static bool take_conversation(const struct in *in, const struct column *c,
                              struct item *x, struct err *e)
{
    struct chat own;
    if (!in_messages(in, c, &own, e))
        return false;
    bool ok = own.n || err_set(e, ERR_INPUT, _("there is no prompt"));
    if (ok && own.at[own.n - 1].role == ROLE_ASSISTANT) {
        ok = item_take_chat(x, &own, e);
        if (ok && x->is_false && in->how->one_answer) {
            json_untake(last_of(c->value));
            free(x->answers.at[0].body);
            x->answers.n = 0;
        }
    } else if (ok) {
        for (size_t i = 0; i < own.n; i++)
            VEC_PUSH(&x->prompt, own.at[i]);
        own.n = 0;
        ok = add_answers(in, x, e);
    }
    chat_free(&own);
    return ok;
}

static bool read_conversation(const struct in *in, struct err *e)
{
    struct item x = in_item(in);
    struct column c = json_is_array(in->row)
                          ? (struct column){"messages", in->row}
                          : in_take(in, IN_MESSAGES);
    bool ok = take_conversation(in, &c, &x, e) && add_figures(in, &x, e);
    return end(in, ok, &x, e);
}

/* Self-Instruct's seed tasks: one item an instance. */
static bool read_instances(const struct in *in, struct err *e)
{
    const json *list = json_take(in->row, "instances");
    const char *instruction = json_string(json_take(in->row, "instruction"));
    if (!json_first(list))
        return err_set(e, ERR_INPUT, _("\"%s\" is empty"), "instances");
    if (!instruction)
        return err_set(e, ERR_INPUT, _("\"%s\" is not text"), "instruction");
    for (const json *one = json_first(list); one; one = json_next(one)) {
        struct in part = *in;
        struct item x = {0};
        const char *input;
        json_taken(one, false);
        part.row = one;
        bool ok = in_text(&part, IN_INPUT, true, &input, e);
        if (ok) {
            char *both = xasprintf("%s%s%s", instruction,
                                   input && *input ? "\n\n" : "",
                                   input ? input : "");
            chat_add(&x.prompt, ROLE_USER, both);
            free(both);
            ok = add_answer(&part, IN_ANSWER, &x, e);
        }
        if (!end(in, ok, &x, e))
            return false;
    }
    return true;
}

/* MT-bench: questions, perhaps a reference to each. The earlier references
 * stand between the questions, the last one is the answer. */
static bool read_turns(const struct in *in, struct err *e)
{
    struct item x = {0};
    const json *turns = json_take(in->row, "turns");
    const json *refs = json_get(in->row, "reference");
    bool all = json_is_array(refs) && json_count(refs) == json_count(turns);
    const json *ref = all ? json_first(json_take(in->row, "reference"))
                          : NULL;
    bool ok = json_is_array(turns);
    for (const json *t = ok ? json_first(turns) : NULL; t && ok;
         t = json_next(t)) {
        const char *text = json_string(t), *said = json_string(ref);
        ok = text && *text;
        if (!ok)
            break;
        json_taken(t, false);
        if (said)
            json_taken(ref, false);
        chat_add(&x.prompt, ROLE_USER, text);
        if (said && *said && json_next(t))
            chat_add(&x.prompt, ROLE_ASSISTANT, said)->masked = true;
        else if (said && *said)
            item_answer_text(&x, said);
        ref = ref ? json_next(ref) : NULL;
    }
    return end(in, ok || err_set(e, ERR_INPUT, _("\"%s\" is not a list of "
                                 "texts"), "turns"), &x, e);
}

/* A message of OASST without its tree. */
static bool refuse_flat(const struct in *in, struct err *e)
{
    (void)in;
    return err_set(e, ERR_INPUT, _("one message of a tree: import the file of "
                                   "whole trees (...trees.jsonl) instead"));
}

/* ---- Telling them apart ------------------------------------------------- */

static bool is_task(const struct in *in, const char *column)
{
    const char *name = in_peek(in, IN_PROMPT).name;
    return name && (!column || !strcmp(name, column)) &&
           in_peek(in, IN_PROMPT).value;
}

static bool is_preference(const struct in *in)
{
    return in_peek(in, IN_CHOSEN).value && in_peek(in, IN_REJECTED).value;
}

static bool is_chat(const struct in *in)
{
    const char *name = in_peek(in, IN_MESSAGES).name;
    return json_is_array(in->row) ||
           (name && strcmp(name, "conversations"));
}

static bool is_sharegpt(const struct in *in)
{
    return in_peek(in, IN_MESSAGES).value != NULL;
}

static bool is_instances(const struct in *in)
{
    return json_is_array(json_get(in->row, "instances"));
}

static bool is_turns(const struct in *in)
{
    return json_is_array(json_get(in->row, "turns"));
}

static bool is_tree(const struct in *in)
{
    return json_is_object(json_get(in->row, "prompt")) &&
           json_get(json_get(in->row, "prompt"), "replies");
}

static bool is_flat(const struct in *in)
{
    return json_get(in->row, "parent_id") && json_get(in->row, "text") &&
           json_get(in->row, "role");
}

static bool is_alpaca(const struct in *in)
{
    return is_task(in, "instruction");
}

static bool is_question(const struct in *in)
{
    return is_task(in, "question");
}

static bool is_completion(const struct in *in)
{
    return is_task(in, NULL);
}

static const struct shape {
    const char *name, *help; /* help: untranslated, its keys */
    const char *lead; /* where it is named by --format */
    bool (*is)(const struct in *in);
    bool (*read)(const struct in *in, struct err *e);
} shapes[] = {
    {"preference", N_("chosen, rejected"), NULL, is_preference,
     read_preference},
    {"messages", N_("messages, conversation, dialog, or a bare list"), NULL,
     is_chat, read_conversation},
    {"sharegpt", N_("conversations"), NULL, is_sharegpt, read_conversation},
    {"selfinstruct", N_("instruction, instances"), NULL, is_instances,
     read_instances},
    {"turns", N_("turns, reference"), NULL, is_turns, read_turns},
    {"oasst", N_("a prompt with its replies"), NULL, is_tree, read_tree},
    {"oasst-flat", N_("a message with its parent's id"), NULL, is_flat,
     refuse_flat},
    {"alpaca", N_("instruction, input, output, history"), "instruction",
     is_alpaca, read_task},
    {"question", N_("question, answer"), "question", is_question,
     read_task},
    {"completion", N_("prompt, completion or response"), "prompt",
     is_completion, read_task},
};

bool shape_known(const char *name)
{
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (!strcmp(shapes[i].name, name))
            return true;
    return false;
}

const char *shape_names(void)
{
    static char names[200];
    if (!*names)
        for (size_t i = 0, n = 0; i < COUNT(shapes); i++)
            n += (size_t)snprintf(names + n, sizeof names - n, "%s%s",
                                  i ? " " : "", shapes[i].name);
    return names;
}

bool row_is_one(const json *row)
{
    struct reading how = {0};
    struct in in = {.row = row, .how = &how};
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (shapes[i].is(&in))
            return true;
    return false;
}

/* ---- One row ------------------------------------------------------------ */

static bool unknown(const json *row, struct err *e)
{
    struct buf keys = BUF_INIT(400);
    for (const json *c = json_first(row); c; c = json_next(c))
        buf_printf(&keys, "%s%s", keys.len ? ", " : "", json_key(c));
    err_set(e, ERR_INPUT, _("its keys (%s) are of no known shape; name one "
            "with --format, or the columns with --map"), buf_str(&keys));
    buf_free(&keys);
    return false;
}

static bool read_as(struct in *in, const char *name, const char **shape,
                    struct err *e)
{
    const struct mapping *m = in->how->map;
    bool own = m && (m->columns[IN_PROMPT] || m->columns[IN_MESSAGES]);
    for (size_t i = 0; i < COUNT(shapes); i++) {
        const struct shape *s = &shapes[i];
        bool task = s->read == read_task || s->read == read_preference;
        if ((name && strcmp(name, s->name)) ||
            (m && m->columns[IN_PROMPT] && !task))
            continue;
        in->lead = name && !own ? s->lead : NULL;
        if (s->is(in)) {
            *shape = own ? "map" : s->name;
            return s->read(in, e);
        }
        if (name)
            return err_set(e, ERR_INPUT, _("not of shape %s (%s)"), name,
                           _(s->help));
    }
    if (m && m->columns[IN_PROMPT])
        return err_set(e, ERR_INPUT, _("\"%s\" is missing"),
                       m->columns[IN_PROMPT]);
    return unknown(in->row, e);
}

bool row_read(const json *row, struct reading *how, const char *name,
              item_fn *fn, void *ctx, const char **shape, struct err *e)
{
    struct in in = {.row = row, .how = how, .fn = fn, .ctx = ctx,
                    .chat = {how->map ? &how->map->roles : NULL}};
    if (!json_is_object(row) && !is_messages(row))
        return err_set(e, ERR_INPUT, _("not a JSON object"));
    return read_as(&in, name, shape, e);
}
