#include "model/token/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/token/jinja.h"

const char TEMPLATE_NANO[] =
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] or '' }}"
    "{% if message['tool_calls'] %}"
    "{{ message['tool_calls'] | tojson(separators=(',', ':')) }}"
    "{% endif %}{{ '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] or '' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

const char *const template_tokens[] = {"<|end|>", "<|user|>", "<|assistant|>",
                                       "<|system|>", "<|tool|>", NULL};

typedef VEC(struct jinja_span) spans;

struct turn {
    char *text; /* JSON */
    bool answer, masked;
};

/* A conversation as the template's variables. */
struct talk {
    const struct tokenizer *t;
    VEC(struct turn) turns;
    struct buf extra; /* other members, each with a comma behind it */
    struct template_how how;
};

bool template_check(const struct tokenizer *t, struct err *e)
{
    if (!t->template)
        return err_set(e, ERR_REFUSED, _("the student's folder has no chat "
                                         "template"));
    if (!t->jinja)
        return err_set(e, ERR_REFUSED, _("the student's chat template cannot "
                                         "be read: %s"), t->template_trouble);
    return true;
}

/* ---- One rendering ------------------------------------------------------ */

/* The first n turns, with the head of an answer where `prompt`. */
static bool render(const struct talk *k, size_t n, bool prompt,
                   struct jinja_out *out, struct err *e)
{
    struct buf b = BUF_INIT((size_t)64 << 20);
    buf_puts(&b, "{\"messages\":[");
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%s", i ? "," : "", k->turns.at[i].text);
    buf_puts(&b, "],");
    buf_add(&b, buf_str(&k->extra), k->extra.len);
    buf_printf(&b, "\"add_generation_prompt\":%s}",
               prompt ? "true" : "false");
    bool ok = buf_ok(&b) || err_set(e, ERR_MEMORY, _("out of memory"));
    *out = (struct jinja_out){.text = BUF_INIT(0)};
    ok = ok && (jinja_render(k->t->jinja, buf_str(&b), k->how.now, out, e) ||
                err_in(e, _("chat template")));
    buf_free(&b);
    return ok;
}

static bool begins(const struct buf *text, const struct buf *with)
{
    return with->len <= text->len &&
           (!with->len || !memcmp(text->data, with->data, with->len));
}

/* ---- What is trained ---------------------------------------------------- */

/* The end of the span behind its last control token, or its own end. */
static size_t last_control(const struct tokenizer *t, const char *text,
                           size_t from, size_t to)
{
    size_t end = to;
    for (size_t at = from; at < to;) {
        int32_t id = tokenizer_added_at(t, text + at, to - at);
        at += id >= 0 ? t->at[id].n : 1;
        if (id >= 0 && t->at[id].special)
            end = at;
    }
    return end;
}

/* The span of answer i, where its rendering stays in the whole text. */
static bool span_of(const struct talk *k, size_t i, const struct buf *all,
                    spans *out, struct err *e)
{
    struct jinja_out head, upto = {.text = BUF_INIT(0)};
    bool ok = render(k, i, true, &head, e) &&
              render(k, i + 1, false, &upto, e);
    if (ok && begins(&upto.text, &head.text) && begins(all, &upto.text)) {
        struct jinja_span s = {head.text.len, upto.text.len};
        s.to = last_control(k->t, buf_str(all), s.from, s.to);
        VEC_PUSH(out, s);
    }
    jinja_out_free(&head);
    jinja_out_free(&upto);
    return ok;
}

static bool find_spans(const struct talk *k, const struct jinja_out *all,
                       spans *out, struct err *e)
{
    size_t answers = 0, at = 0;
    bool ok = true, marks = jinja_marks(k->t->jinja);
    for (size_t i = 0; i < k->turns.n; i++)
        answers += k->turns.at[i].answer;
    bool each = all->spans.n == answers; /* one block an answer */
    for (size_t i = 0; marks && !each && i < all->spans.n; i++)
        VEC_PUSH(out, all->spans.at[i]);
    for (size_t i = 0; ok && i < k->turns.n; i++) {
        const struct turn *t = &k->turns.at[i];
        if (!t->answer)
            continue;
        if (marks && each && !t->masked)
            VEC_PUSH(out, all->spans.at[at]);
        else if (!marks && !t->masked)
            ok = span_of(k, i, &all->text, out, e);
        at++;
    }
    return ok;
}

static const char *const thinking[] = {"<think>", "</think>"};

/* The place of a sign in text[from..to), or to. */
static size_t find_sign(const char *text, size_t from, size_t to,
                        const char *sign)
{
    const char *p = memmem(text + from, to - from, sign, strlen(sign));
    return p ? (size_t)(p - text) : to;
}

/* Whether the head of the answer that begins there has begun to think. */
static bool thinks_at(const char *text, size_t place)
{
    size_t n = strlen(thinking[0]);
    while (place && strchr(" \t\n", text[place - 1]))
        place--;
    return place >= n && !memcmp(text + place - n, thinking[0], n);
}

/* Cuts what stands between the signs of thinking, and these, out of the
 * spans. */
static void leave_thinking_out(const char *text, spans *all)
{
    spans kept = {0};
    for (size_t i = 0; i < all->n; i++) {
        size_t to = all->at[i].to;
        bool inside = thinks_at(text, all->at[i].from);
        for (size_t at = all->at[i].from; at < to; inside = !inside) {
            size_t sign = find_sign(text, at, to, thinking[inside]);
            struct jinja_span s = {at, sign};
            if (!inside && at < sign)
                VEC_PUSH(&kept, s);
            at = inside && sign < to ? sign + strlen(thinking[1]) : sign;
        }
    }
    VEC_FREE(all);
    *all = kept;
}

/* A token is trained where it overlaps a trained span. */
static void mark(struct rendered *r, const struct tokens *k, const spans *all)
{
    size_t s = 0;
    r->n = k->n;
    r->ids = xmalloc((k->n + 1) * sizeof *r->ids);
    r->trained = xcalloc(k->n + 1, 1);
    for (size_t i = 0; i < k->n; i++) {
        r->ids[i] = k->at[i].id;
        while (s < all->n && all->at[s].to <= k->at[i].from)
            s++;
        r->trained[i] = s < all->n && k->at[i].to > all->at[s].from;
    }
}

/* Where the last answer stands: without the control tokens at its end. */
static void find_last(const struct tokenizer *t, const struct tokens *k,
                      const spans *all, struct rendered *r)
{
    if (!all->n)
        return;
    r->from = all->at[all->n - 1].from;
    r->to = all->at[all->n - 1].to;
    while (r->first < k->n && k->at[r->first].to <= r->from)
        r->first++;
    for (size_t i = k->n; i > r->first; i--) {
        const struct symbol *s = &k->at[i - 1];
        if (s->to > r->to)
            continue;
        if (s->to < r->to || !t->at[s->id].special)
            break;
        r->to = s->from;
    }
}

static bool render_talk(const struct talk *k, bool prompt,
                        struct rendered *out, struct err *e)
{
    struct jinja_out all;
    struct tokens ids = {0};
    spans trained = {0};
    *out = (struct rendered){.text = BUF_INIT(0)};
    if (!template_check(k->t, e))
        return false;
    bool ok = render(k, k->turns.n, prompt, &all, e) &&
              find_spans(k, &all, &trained, e);
    if (ok) {
        buf_add(&out->text, buf_str(&all.text), all.text.len);
        tokenizer_encode(k->t, buf_str(&out->text), out->text.len, false,
                         &ids);
        find_last(k->t, &ids, &trained, out); /* with what it thinks */
        if (k->how.mask_thinking)
            leave_thinking_out(buf_str(&all.text), &trained);
        mark(out, &ids, &trained);
    }
    jinja_out_free(&all);
    VEC_FREE(&ids);
    VEC_FREE(&trained);
    return ok;
}

/* ---- Conversations ------------------------------------------------------ */

static void talk_free(struct talk *k)
{
    for (size_t i = 0; i < k->turns.n; i++)
        free(k->turns.at[i].text);
    VEC_FREE(&k->turns);
    buf_free(&k->extra);
}

static void add_turn(struct talk *k, struct buf *text, bool answer,
                     bool masked)
{
    struct turn t = {buf_take(text), answer, masked};
    VEC_PUSH(&k->turns, t);
}

/* Members that every template may ask for; those of `given` stand already.
 * `tools` is a JSON list, or NULL. */
static void add_usual(struct talk *k, const json *given, const char *tools)
{
    if (!json_get(given, "tools"))
        buf_printf(&k->extra, "\"tools\":%s,", tools ? tools : "null");
    if (!json_get(given, "documents"))
        buf_puts(&k->extra, "\"documents\":null,");
    for (size_t i = 0; i < TOKEN_NAMES; i++) {
        const char *name = token_names[i];
        if (!k->t->named[i] || json_get(given, name))
            continue;
        buf_printf(&k->extra, "\"%s\":", name);
        json_quote(&k->extra, k->t->named[i], strlen(k->t->named[i]));
        buf_putc(&k->extra, ',');
    }
}

/* Prints a tool call with its arguments as an object, where they are one in a
 * string (OpenAI's form): templates print them. */
static void print_calls(const json *calls, struct jw *w)
{
    jw_open(w, '[');
    for (const json *c = json_first(calls); c; c = json_next(c)) {
        const json *f = json_get(c, "function");
        const char *text = json_get_string(f, "arguments", NULL);
        json *args = text ? json_parse(text, strlen(text), NULL) : NULL;
        struct buf b = BUF_INIT(0);
        if (!json_is_object(args)) {
            json_print(&b, c);
            jw_raw(w, buf_str(&b));
        } else {
            jw_open(w, '{');
            for (const json *m = json_first(c); m; m = json_next(m)) {
                jw_key(w, json_key(m));
                buf_clear(&b);
                if (m != f) {
                    json_print(&b, m);
                    jw_raw(w, buf_str(&b));
                    continue;
                }
                jw_open(w, '{');
                for (const json *x = json_first(f); x; x = json_next(x)) {
                    bool own = !strcmp(json_key(x), "arguments");
                    buf_clear(&b);
                    json_print(&b, own ? args : x);
                    jw_key(w, json_key(x));
                    jw_raw(w, buf_str(&b));
                }
                jw_close(w);
            }
            jw_close(w);
        }
        buf_free(&b);
        json_free(args);
    }
    jw_close(w);
}

static void add_message(struct talk *k, const struct message *m)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kstr(&w, "role", role_name(m->role));
    jw_kstr(&w, "content", m->content);
    if (m->reasoning)
        jw_kstr(&w, "reasoning_content", m->reasoning);
    json *calls = m->tool_calls ? json_parse(m->tool_calls,
                                             strlen(m->tool_calls), NULL)
                                : NULL;
    if (calls) {
        jw_key(&w, "tool_calls");
        print_calls(calls, &w);
    }
    json_free(calls);
    if (m->tool_call_id)
        jw_kstr(&w, "tool_call_id", m->tool_call_id);
    if (m->name)
        jw_kstr(&w, "name", m->name);
    jw_close(&w);
    add_turn(k, &b, m->role == ROLE_ASSISTANT, m->masked);
}

/* The members of an object but for the two that are no variables. */
static void add_variables(struct talk *k, const json *in)
{
    for (const json *m = json_first(in); m; m = json_next(m)) {
        if (!strcmp(json_key(m), "messages") ||
            !strcmp(json_key(m), "add_generation_prompt"))
            continue;
        json_quote(&k->extra, json_key(m), strlen(json_key(m)));
        buf_putc(&k->extra, ':');
        json_print(&k->extra, m);
        buf_putc(&k->extra, ',');
    }
}

bool template_render(const struct tokenizer *t, const struct chat *c,
                     bool prompt, const struct template_how *how,
                     struct rendered *out, struct err *e)
{
    struct talk k = {.t = t, .extra = BUF_INIT((size_t)64 << 20)};
    if (how)
        k.how = *how;
    if (!k.how.now)
        k.how.now = clock_now() / 1000;
    json *more = k.how.variables ? json_parse(k.how.variables,
                                              strlen(k.how.variables), NULL)
                                 : NULL;
    for (size_t i = 0; i < c->n; i++)
        add_message(&k, &c->at[i]);
    add_variables(&k, more);
    add_usual(&k, more, c->tools);
    bool ok = render_talk(&k, prompt, out, e);
    json_free(more);
    talk_free(&k);
    return ok;
}

bool template_render_json(const struct tokenizer *t, const json *in,
                          const struct template_how *how,
                          struct rendered *out, struct err *e)
{
    struct talk k = {.t = t, .extra = BUF_INIT((size_t)64 << 20),
                     .how = *how};
    const json *messages = json_get(in, "messages");
    *out = (struct rendered){.text = BUF_INIT(0)};
    if (!json_is_array(messages))
        return err_set(e, ERR_INPUT, _("\"messages\" is not a list"));
    for (const json *m = json_first(messages); m; m = json_next(m)) {
        struct buf b = BUF_INIT((size_t)64 << 20);
        json_print(&b, m);
        add_turn(&k, &b, !strcmp(json_get_string(m, "role", ""), "assistant"),
                 !json_get_bool(m, "train", true));
    }
    add_variables(&k, in);
    add_usual(&k, in, NULL);
    bool prompt = json_get_bool(in, "add_generation_prompt", false);
    bool ok = render_talk(&k, prompt, out, e);
    talk_free(&k);
    return ok;
}

void rendered_free(struct rendered *r)
{
    buf_free(&r->text);
    free(r->ids);
    free(r->trained);
    *r = (struct rendered){.text = BUF_INIT(0)};
}
