/* Rows with several answers to one prompt: chosen and rejected in the forms of
 * TRL, LLaMA-Factory, Axolotl and HH, lists of answers with scores or ranks,
 * OASST's trees.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "formats/format.h"

/* ---- HH's text ---------------------------------------------------------- */

static void add_turn(struct chat *c, enum role role, const char *s, size_t n)
{
    while (n && strchr(" \t\r\n", s[0]))
        s++, n--;
    while (n && strchr(" \t\r\n", s[n - 1]))
        n--;
    char *text = xstrndup(s, n);
    chat_add(c, role, text);
    free(text);
}

bool hh_parse(const char *text, struct chat *c)
{
    static const char *const marks[] = {"\n\nHuman:", "\n\nAssistant:"};
    const char *p = text + strspn(text, " \t\r\n");
    *c = (struct chat){0};
    if (strncmp(p, "Human:", 6) || !strstr(p, marks[1]))
        return false;
    enum role role = ROLE_USER;
    for (p += 6; p;) {
        const char *human = strstr(p, marks[0]), *said = strstr(p, marks[1]);
        const char *next = !human || (said && said < human) ? said : human;
        add_turn(c, role, p, next ? (size_t)(next - p) : strlen(p));
        role = next == said ? ROLE_ASSISTANT : ROLE_USER;
        p = next ? next + strlen(marks[next == said]) : NULL;
    }
    struct message *last = &c->at[c->n - 1];
    if (last->role == ROLE_ASSISTANT && !*last->content) {
        message_free(last); /* where the answer is to stand */
        c->n--;
    }
    return true;
}

/* ---- One side ----------------------------------------------------------- */

/* chosen or rejected: one answer, or a whole conversation. */
struct side {
    struct column from;
    struct chat chat;
    bool whole;
    char *text; /* where it was one text */
};

static void side_free(struct side *s)
{
    chat_free(&s->chat);
    free(s->text);
}

static bool read_side(const struct in *in, enum in_field f, struct side *s,
                      struct err *e)
{
    struct message m;
    const char *text;
    *s = (struct side){.from = in_take(in, f)};
    const json *v = s->from.value;
    bool ok = true;
    if (is_messages(v) || json_is_array(v)) {
        ok = chat_read(v, &in->chat, &s->chat, e);
    } else if (json_is_object(v)) {
        ok = message_read(v, &in->chat, &m, e);
        if (ok)
            VEC_PUSH(&s->chat, m);
    } else if (!column_text(&s->from, &text, e)) {
        return false;
    } else if (!hh_parse(text, &s->chat)) {
        s->text = xstrdup(text);
        message_part_thought(chat_add(&s->chat, ROLE_ASSISTANT, text));
    }
    if (ok && !s->chat.n)
        ok = err_set(e, ERR_INPUT, _("\"%s\" is empty"), s->from.name);
    else if (!ok)
        err_in(e, "%s", s->from.name);
    s->whole = ok && (s->chat.n > 1 || s->chat.at[0].role != ROLE_ASSISTANT);
    return ok;
}

static bool same_message(const struct message *a, const struct message *b)
{
    struct buf x = BUF_INIT(0), y = BUF_INIT(0);
    message_print(a, &x);
    message_print(b, &y);
    bool same = !strcmp(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

/* ---- The prompt of the two ---------------------------------------------- */

/* Both are whole conversations: what they share is the prompt. */
static bool shared_turns(struct side *good, struct side *bad, struct item *x,
                         struct err *e)
{
    struct chat *a = &good->chat, *b = &bad->chat;
    size_t n = 0;
    while (n + 1 < a->n && n + 1 < b->n && same_message(&a->at[n], &b->at[n]))
        n++;
    if (a->n != n + 1 || b->n != n + 1)
        return err_set(e, ERR_INPUT, _("chosen and rejected part before "
                                       "their last turn"));
    for (size_t i = 0; i < n; i++) {
        chat_add_copy(&x->prompt, &a->at[i]);
        message_free(&b->at[i]);
        message_free(&a->at[i]);
    }
    a->at[0] = a->at[n];
    b->at[0] = b->at[n];
    a->n = b->n = 1;
    return true;
}

/* Two texts without a prompt: what they share up to a blank is the prompt. */
static bool shared_text(struct side *good, struct side *bad, struct item *x,
                        struct err *e)
{
    size_t n = 0;
    const char *a = good->text, *b = bad->text;
    while (a[n] && a[n] == b[n])
        n++;
    while (n && !strchr(" \t\n", a[n - 1]))
        n--;
    char *prompt = xstrndup(a, n);
    bool blank = !prompt[strspn(prompt, " \t\r\n")];
    if (!blank) {
        chat_add(&x->prompt, ROLE_USER, prompt);
        chat_free(&good->chat);
        chat_free(&bad->chat);
        message_part_thought(chat_add(&good->chat, ROLE_ASSISTANT, a + n));
        message_part_thought(chat_add(&bad->chat, ROLE_ASSISTANT, b + n));
    }
    free(prompt);
    return !blank || err_set(e, ERR_INPUT, _("chosen and rejected share no "
                                             "beginning, and there is no "
                                             "prompt"));
}

/* Marks a column that only repeats what is read already: a text that is a turn
 * of the prompt, a conversation that is the prompt with the chosen answer. */
static void take_repeated(const struct in *in, const struct item *x,
                          const struct side *good)
{
    struct column p = in_peek(in, IN_PROMPT), m = in_peek(in, IN_MESSAGES);
    const char *text = json_string(p.value);
    struct chat c;
    for (size_t i = 0; text && i < x->prompt.n; i++)
        if (!strcmp(x->prompt.at[i].content, text))
            in_take(in, IN_PROMPT);
    const json *lists[] = {m.value, is_messages(p.value) ? p.value : NULL};
    for (size_t k = 0; k < COUNT(lists); k++) {
        if (!lists[k] || !chat_read(lists[k], &in->chat, &c, NULL))
            continue;
        bool same = c.n >= x->prompt.n && c.n <= x->prompt.n + 1;
        for (size_t i = 0; same && i < c.n; i++)
            same = same_message(&c.at[i], i < x->prompt.n
                                              ? &x->prompt.at[i]
                                              : &good->chat.at[0]);
        if (!same)
            json_untake(lists[k]);
        chat_free(&c);
    }
}

/* A conversation beside the two answers: it may end with the chosen one. */
static bool beside(const struct in *in, const struct side *good,
                   struct item *x, struct err *e)
{
    struct column c = in_take(in, IN_MESSAGES);
    struct chat own;
    if (!in_messages(in, &c, &own, e))
        return false;
    size_t n = own.n;
    bool answered = n && own.at[n - 1].role == ROLE_ASSISTANT;
    if (answered && same_message(&own.at[n - 1], &good->chat.at[0])) {
        message_free(&own.at[n - 1]);
        own.n--;
    } else if (answered) {
        chat_free(&own);
        return err_set(e, ERR_INPUT, _("\"%s\" end with an answer beside the "
                                       "chosen one"), c.name);
    }
    for (size_t i = 0; i < own.n; i++)
        VEC_PUSH(&x->prompt, own.at[i]);
    VEC_FREE(&own);
    return true;
}

static bool find_prompt(const struct in *in, struct side *good,
                        struct side *bad, struct item *x, struct err *e)
{
    if (good->whole != bad->whole)
        return err_set(e, ERR_INPUT, _("one of chosen and rejected is an "
                       "answer, the other a whole conversation"));
    if (good->whole) {
        bool ok = shared_turns(good, bad, x, e);
        if (ok)
            take_repeated(in, x, good);
        return ok;
    }
    if (in_peek(in, IN_PROMPT).value)
        return in_task(in, x, e);
    if (in_peek(in, IN_MESSAGES).value)
        return beside(in, good, x, e);
    return good->text && bad->text
               ? shared_text(good, bad, x, e)
               : err_set(e, ERR_INPUT, _("there is no prompt"));
}

/* ---- The row ------------------------------------------------------------ */

static bool add_side(struct side *s, struct item *x, int place,
                     struct err *e)
{
    size_t n = x->answers.n;
    if (!item_take_chat(x, &s->chat, e))
        return err_in(e, "%s", s->from.name);
    if (x->answers.n == n)
        return err_set(e, ERR_INPUT, _("\"%s\" is empty"), s->from.name);
    x->answers.at[n].place = place;
    return true;
}

static bool add_both(const struct in *in, struct side *good, struct side *bad,
                     struct item *x, struct err *e)
{
    if (in->how->one_answer) { /* a seed has no figures, and no other answer */
        json_untake(bad->from.value);
        return add_side(good, x, 0, e);
    }
    if (!add_side(good, x, 1, e) || !add_side(bad, x, 2, e))
        return false;
    struct item_answer *best = &x->answers.at[0], *other = &best[1];
    best->score_at = in_peek(in, IN_CHOSEN_SCORE).value;
    best->margin_at = in_peek(in, IN_MARGIN).value;
    other->score_at = in_peek(in, IN_REJECTED_SCORE).value;
    if (!in_number(in, IN_CHOSEN_SCORE, &best->score, e) ||
        !in_number(in, IN_REJECTED_SCORE, &other->score, e) ||
        !in_number(in, IN_MARGIN, &best->margin, e))
        return false;
    other->place -= best->score == other->score;
    return true;
}

bool read_preference(const struct in *in, struct err *e)
{
    struct side good = {0}, bad = {0};
    struct item x = {0};
    bool ok = read_side(in, IN_CHOSEN, &good, e) &&
              read_side(in, IN_REJECTED, &bad, e) &&
              find_prompt(in, &good, &bad, &x, e) &&
              add_both(in, &good, &bad, &x, e);
    side_free(&good);
    side_free(&bad);
    if (ok)
        return in_emit(in, &x, e);
    item_free(&x);
    return false;
}

/* ---- Lists of answers --------------------------------------------------- */

/* One of a list: where its text stands, its score or rank. */
struct listed {
    const json *of, *text, *figure;
    double score; /* higher is better; NAN */
};

static const json *first_there(const json *j, const char *const *keys)
{
    for (; *keys; keys++) {
        const json *v = json_get(j, *keys);
        if (v && !json_is_null(v))
            return v;
    }
    return NULL;
}

/* A number, or a text that is one; NAN for anything else. */
static double figure(const json *v)
{
    const char *text = json_string(v);
    char *end;
    double d = text ? strtod(text, &end) : json_number(v, NAN);
    return !text || (*text && !*end) ? d : NAN;
}

/* The first member that is a figure, or none of JSON's. */
static const json *first_figure(const json *j, const char *const *keys)
{
    for (; *keys; keys++) {
        const json *v = json_get(j, *keys);
        if (v && (isfinite(figure(v)) || json_is_no_number(v)))
            return v;
    }
    return NULL;
}

static struct listed look_at(const json *one, const json *score)
{
    static const char *const texts[] = {"response", "completion", "answer",
                                        "output", "content", "text", NULL};
    static const char *const scores[] = {"overall_score", "score", "rating",
                                         "reward", NULL};
    struct listed l = {one, one, score, figure(score)};
    if (!isfinite(l.score) && !json_is_no_number(score))
        l.figure = NULL;
    if (!json_is_object(one))
        return l;
    l.text = first_there(one, texts);
    l.figure = first_figure(one, scores);
    const json *rank = json_get(one, "rank");
    l.score = figure(l.figure);
    if (!l.figure && json_is_number(rank)) {
        l.figure = rank;
        l.score = -json_number(rank, NAN);
    }
    return l;
}

/* A message, whose role, calls, thinking and marks are read too. */
static bool is_message(const struct in *in, const json *one)
{
    const char *name = json_get_string(one, "role",
                                       json_get_string(one, "from", NULL));
    enum role role;
    return name && role_parse(name, in->chat.roles, &role, NULL);
}

static bool take_message(const struct in *in, const json *v, struct item *x,
                         struct err *e)
{
    struct chat c = {0};
    struct message m;
    bool ok = is_messages(v) ? chat_read(v, &in->chat, &c, e)
                             : message_read(v, &in->chat, &m, e);
    if (ok && !c.n)
        VEC_PUSH(&c, m);
    ok = ok && item_take_chat(x, &c, e);
    chat_free(&c);
    return ok;
}

static bool add_listed(const struct in *in, const struct listed *l, bool rank,
                       int place, struct item *x, struct err *e)
{
    size_t n = x->answers.n;
    json_taken(l->of, false);
    if (!in->how->one_answer)
        json_taken(l->figure, false);
    if (json_is_no_number(l->figure))
        return err_set(e, ERR_INPUT, _("a score that is NaN or infinite"));
    bool message = is_message(in, l->of);
    if (message || is_messages(l->text)) {
        if (!take_message(in, message ? l->of : l->text, x, e))
            return false;
    } else if (json_string(l->text)) {
        json_taken(l->text, false);
        item_answer_text(x, json_string(l->text));
    } else {
        return err_set(e, ERR_INPUT, _("an answer without a text"));
    }
    if (x->answers.n > n) {
        x->answers.at[n].place = place;
        x->answers.at[n].score = rank ? NAN : l->score;
        x->answers.at[n].score_at = l->figure;
    }
    return true;
}

/* Places by score, equal ones tie; all 0 where one has none. */
static void place_all(const struct listed *all, size_t n, int *places)
{
    bool known = n > 1;
    for (size_t i = 0; i < n; i++)
        known = known && isfinite(all[i].score);
    for (size_t i = 0; i < n; i++) {
        places[i] = known;
        for (size_t k = 0; known && k < n; k++)
            places[i] += all[k].score > all[i].score;
    }
}

enum { LISTED_MAX = 26 };

static bool add_all(const struct in *in, const struct column *c,
                    const struct listed *all, size_t n, struct item *x,
                    struct err *e)
{
    int places[LISTED_MAX];
    size_t best = 0;
    bool ok = true;
    place_all(all, n, places);
    for (size_t i = 1; i < n; i++)
        best = places[i] < places[best] ? i : best;
    for (size_t i = 0; ok && i < n; i++) {
        if (in->how->one_answer && i != best)
            continue;
        bool rank = all[i].figure == json_get(all[i].of, "rank");
        ok = add_listed(in, &all[i], rank, places[i], x, e) ||
             err_in(e, "%s", c->name);
    }
    item_sort(x);
    return ok;
}

bool read_answers(const struct in *in, struct item *x, struct err *e)
{
    struct column c = in_take(in, IN_ANSWERS);
    struct column scores = in_peek(in, IN_SCORES);
    bool beside = json_is_array(scores.value) &&
                  json_count(scores.value) == json_count(c.value);
    struct listed all[LISTED_MAX];
    size_t n = 0;
    if (json_count(c.value) > LISTED_MAX)
        return err_set(e, ERR_INPUT, _("\"%s\": over %d answers"), c.name,
                       LISTED_MAX);
    const json *s = beside ? json_first(scores.value) : NULL;
    if (beside && !in->how->one_answer)
        in_take(in, IN_SCORES);
    for (const json *one = json_first(c.value); one; one = json_next(one)) {
        all[n++] = look_at(one, s);
        s = s ? json_next(s) : NULL;
    }
    return !n || add_all(in, &c, all, n, x, e);
}

/* ---- Trees -------------------------------------------------------------- */

struct tree {
    const struct in *in;
    struct chat path;
    size_t items;
};

/* Role and text of a node; false where it has none. */
static bool read_node(struct tree *t, const json *node, struct err *e)
{
    const char *text = json_string(json_take(node, "text"));
    const char *name = json_string(json_take(node, "role"));
    enum role role;
    json_taken(node, false);
    if (!text || !name || !role_parse(name, t->in->chat.roles, &role, NULL))
        return err_set(e, ERR_INPUT, _("a message without text or role"));
    chat_add(&t->path, role, text);
    return true;
}

static bool is_users(const struct tree *t, const json *node)
{
    const char *name = json_get_string(node, "role", "");
    enum role role;
    return role_parse(name, t->in->chat.roles, &role, NULL) &&
           role == ROLE_USER;
}

static bool emit_node(struct tree *t, const json *replies, struct err *e)
{
    struct item x = {0};
    struct listed all[LISTED_MAX];
    struct column c = {"replies", replies};
    size_t n = 0;
    for (const json *r = json_first(replies); r; r = json_next(r)) {
        if (n == LISTED_MAX || !json_string(json_get(r, "text")) ||
            is_users(t, r))
            continue;
        json_take(r, "role");
        json_take(r, "replies");
        all[n++] = look_at(r, NULL);
    }
    if (!n)
        return true;
    for (size_t i = 0; i < t->path.n; i++)
        chat_add_copy(&x.prompt, &t->path.at[i]);
    t->items++;
    if (add_all(t->in, &c, all, n, &x, e))
        return in_emit(t->in, &x, e);
    item_free(&x);
    return false;
}

static bool walk(struct tree *t, const json *node, struct err *e)
{
    if (!read_node(t, node, e))
        return false;
    const json *replies = json_take(node, "replies");
    bool asked = t->path.at[t->path.n - 1].role == ROLE_USER;
    bool ok = !asked || !json_first(replies) || emit_node(t, replies, e);
    for (const json *r = json_first(replies); ok && r; r = json_next(r))
        if (json_first(json_get(r, "replies")))
            ok = walk(t, r, e); /* what nobody answered stays unread */
    message_free(&t->path.at[--t->path.n]);
    return ok;
}

bool read_tree(const struct in *in, struct err *e)
{
    struct tree t = {.in = in};
    bool ok = walk(&t, json_take(in->row, "prompt"), e);
    if (ok && !t.items)
        ok = err_set(e, ERR_INPUT, _("a tree without an answered prompt"));
    chat_free(&t.path);
    return ok;
}
