/* Draws to prompts, and back. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "recipe/recipe.h"
#include "recipe/template.h"

void recipe_order(uint64_t seed, size_t n, size_t *order)
{
    struct rng r;
    rng_seed(&r, seed);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)rng_below(&r, i), t = order[i - 1];
        order[i - 1] = order[k];
        order[k] = t;
    }
}

char *recipe_input(const struct chat *prompt)
{
    struct buf b = BUF_INIT(0);
    size_t turns = 0;
    for (size_t i = 0; i < prompt->n; i++)
        turns += prompt->at[i].role != ROLE_SYSTEM;
    for (size_t i = 0; i < prompt->n; i++) {
        const struct message *m = &prompt->at[i];
        if (m->role == ROLE_SYSTEM)
            continue;
        if (turns > 1)
            buf_printf(&b, "%s%s: ", b.len ? "\n\n" : "",
                       role_name(m->role));
        buf_puts(&b, *m->content || !m->tool_calls ? m->content
                                                   : m->tool_calls);
    }
    return buf_take(&b);
}

/* ---- Rendering ----------------------------------------------------------- */

struct binder {
    const struct recipe_step *step;
    const struct recipe_bindings *b;
    const char *system; /* the prompt's own, or the target's */
    char *input;
};

static const char *own_system(const struct chat *prompt)
{
    bool has = prompt && prompt->n && prompt->at[0].role == ROLE_SYSTEM;
    return has ? prompt->at[0].content : NULL;
}

static size_t wanted(const struct recipe_step *s,
                     const struct recipe_bindings *b)
{
    return b->wanted ? b->wanted : s->wanted;
}

static void put_text(struct buf *out, const char *s)
{
    buf_puts(out, s ? s : "");
}

static size_t shown(const struct recipe_bindings *b, size_t i)
{
    return b->order ? b->order[i] : i;
}

static void put_number(const struct binder *x, enum ph p, struct buf *out)
{
    size_t n = x->b->n_demos, w = wanted(x->step, x->b);
    size_t value = p == PH_COUNT   ? n
                   : p == PH_FIRST ? n + 1
                   : p == PH_LAST  ? n + w
                   : p == PH_NEXT  ? n + w + 1
                                   : w;
    buf_printf(out, "%zu", value);
}

static void put_element(const struct binder *x, enum ph p, enum ph list,
                        size_t i, struct buf *out)
{
    const struct recipe_bindings *b = x->b;
    if (p == PH_N)
        buf_printf(out, "%zu", i + 1);
    else if (p == PH_LETTER)
        buf_putc(out, (char)('A' + i));
    else if (p == PH_PROMPT)
        put_text(out, b->demos[i].prompt);
    else if (p == PH_ANSWER)
        put_text(out, list == PH_DEMONSTRATIONS ? b->demos[i].answer
                                                : b->candidates[shown(b, i)]);
    else if (list == PH_ASPECTS)
        put_text(out, p == PH_NAME ? x->step->aspects[i].name
                                   : x->step->aspects[i].text);
    else if (list == PH_PRINCIPLES)
        put_text(out, b->principles[i]);
}

static size_t count_list(void *ctx, enum ph list)
{
    const struct binder *x = ctx;
    return list == PH_DEMONSTRATIONS ? x->b->n_demos
           : list == PH_CANDIDATES   ? x->b->n_candidates
           : list == PH_ASPECTS      ? x->step->n_aspects
                                     : x->b->n_principles;
}

static void put_value(void *ctx, const struct tmpl_node *n, enum ph list,
                      size_t i, struct buf *out)
{
    const struct binder *x = ctx;
    enum ph p = n->ph;
    if (p == PH_FIELD && list == PH_CANDIDATES && x->b->group)
        put_text(out, chain_get(x->b->group[shown(x->b, i)], n->text));
    else if (p == PH_FIELD)
        put_text(out, chain_get(x->b->chain, n->text));
    else if (p >= PH_N)
        put_element(x, p, list, i, out);
    else if (p == PH_SYSTEM)
        put_text(out, x->system);
    else if (p == PH_DESCRIPTION)
        put_text(out, x->b->description);
    else if (p == PH_INPUT)
        put_text(out, x->input);
    else if (ph_is_number(p))
        put_number(x, p, out);
    else if (ph_is_list(p) && count_list(ctx, p))
        buf_putc(out, '1');
}

static bool is_blank(const char *s)
{
    return !s[strspn(s, " \t\r\n")];
}

static bool step_uses(const struct recipe_step *s, enum ph p)
{
    for (size_t i = 0; i < s->n_messages; i++)
        if (tmpl_uses(s->messages[i].text, p))
            return true;
    return false;
}

static bool inserts(const struct recipe_step *s)
{
    return !s->messages[s->n_messages - 1].text;
}

static bool check_bound(const struct recipe_step *s,
                        const struct recipe_bindings *b, struct err *e)
{
    if (b->n_demos > RECIPE_DEMOS || b->n_candidates > RECIPE_CANDIDATES)
        return err_set(e, ERR_REFUSED, _("too many demonstrations or answers "
                                         "for one prompt"));
    if (step_uses(s, PH_DEMONSTRATIONS) && !b->n_demos)
        return err_set(e, ERR_ABSENT, _("step %s: there is nothing to show as "
                                        "a demonstration"), s->name);
    if (step_uses(s, PH_CANDIDATES) && !b->n_candidates)
        return err_set(e, ERR_ABSENT, _("step %s: there are no answers to "
                                        "judge"), s->name);
    if ((inserts(s) || step_uses(s, PH_INPUT)) &&
        (!b->prompt || !b->prompt->n))
        return err_set(e, ERR_ABSENT, _("step %s: there is no prompt to "
                                        "answer"), s->name);
    return true;
}

/* The prompt's own system turn, where no {{system}} took it: joined to the
 * one that is there, or put in front. */
static void add_own_system(struct chat *out, const char *own)
{
    if (out->n && out->at[0].role == ROLE_SYSTEM) {
        char *both = xasprintf("%s\n\n%s", out->at[0].content, own);
        free(out->at[0].content);
        out->at[0].content = both;
        return;
    }
    chat_add(out, ROLE_SYSTEM, own);
    struct message m = out->at[out->n - 1];
    memmove(out->at + 1, out->at, (out->n - 1) * sizeof m);
    out->at[0] = m;
}

static void insert_prompt(const struct recipe_step *s,
                          const struct chat *prompt, struct chat *out)
{
    const char *own = own_system(prompt);
    if (own && !step_uses(s, PH_SYSTEM))
        add_own_system(out, own);
    for (size_t i = own ? 1 : 0; i < prompt->n; i++)
        chat_add_copy(out, &prompt->at[i]);
}

bool recipe_render(const struct recipe_step *s,
                   const struct recipe_bindings *b, struct chat *out,
                   struct err *e)
{
    *out = (struct chat){0};
    if (!check_bound(s, b, e))
        return false;
    const char *own = own_system(b->prompt);
    struct binder x = {s, b, own ? own : b->system,
                       b->prompt ? recipe_input(b->prompt) : NULL};
    struct tmpl_source src = {&x, put_value, count_list};
    bool ok = true;
    for (size_t i = 0; i < s->n_messages && ok; i++) {
        const struct recipe_message *m = &s->messages[i];
        struct buf text = BUF_INIT(16 << 20);
        if (m->text)
            tmpl_render(m->text, &src, &text);
        else
            insert_prompt(s, b->prompt, out);
        ok = buf_ok(&text) || err_set(e, ERR_INPUT, _("step %s: the prompt is "
                                                      "too long"), s->name);
        if (ok && m->text && !is_blank(buf_str(&text)))
            chat_add(out, m->role, buf_str(&text));
        buf_free(&text);
    }
    free(x.input);
    if (!ok)
        chat_free(out);
    return ok;
}

char *recipe_stop(const struct recipe_step *s,
                  const struct recipe_bindings *b, size_t i)
{
    return recipe_text(s, s->decode.stop[i], b);
}

char *recipe_text(const struct recipe_step *s, const struct tmpl *t,
                  const struct recipe_bindings *b)
{
    struct buf out = BUF_INIT(RECIPE_REPLY);
    struct binder x = {s, b, b->system, NULL};
    struct tmpl_source src = {&x, put_value, count_list};
    x.input = b->prompt ? recipe_input(b->prompt) : NULL;
    tmpl_render(t, &src, &out);
    free(x.input);
    return buf_take(&out);
}

void recipe_fill(const struct recipe_make *m, const struct recipe_bindings *b,
                 struct made *out)
{
    *out = (struct made){.sink = m->sink};
    for (size_t i = 0; i < SINK_KEYS; i++) {
        char *text = m->at[i] ? recipe_text(b->chain->step, m->at[i], b)
                              : NULL;
        if (text && *text)
            out->at[i] = text;
        else
            free(text);
    }
}

void made_free(struct made *m)
{
    for (size_t i = 0; i < SINK_KEYS; i++)
        free(m->at[i]);
    *m = (struct made){.sink = m->sink};
}

const char *made_get(const struct made *m, const char *key)
{
    return m->at[sink_place(m->sink, key)];
}

/* ---- The way back -------------------------------------------------------- */

struct reader {
    const struct recipe_step *step;
    struct recipe_found *out;
    size_t first, last; /* numbers seen, 0: none */
};

static bool known_value(void *ctx, enum ph p, enum ph list, size_t i,
                        struct buf *out)
{
    const struct reader *x = ctx;
    if (p == PH_N)
        return buf_printf(out, "%zu", i + 1);
    if (p == PH_LETTER)
        return buf_putc(out, (char)('A' + i));
    if (list != PH_ASPECTS || i >= x->step->n_aspects)
        return false;
    return buf_puts(out, p == PH_NAME ? x->step->aspects[i].name
                                      : x->step->aspects[i].text);
}

static void keep_text(char **to, const char *s, size_t n)
{
    free(*to);
    *to = xstrndup(s, n);
}

static void keep_demo(struct recipe_found *f, enum ph p, size_t i,
                      const char *s, size_t n)
{
    struct {
        struct recipe_demo_text *at;
        size_t n, cap;
    } v = {f->demos, f->n_demos, f->demos_cap};
    while (v.n <= i)
        VEC_PUSH(&v, ((struct recipe_demo_text){NULL, NULL}));
    keep_text(p == PH_PROMPT ? &v.at[i].prompt : &v.at[i].answer, s, n);
    f->demos = v.at;
    f->n_demos = v.n;
    f->demos_cap = v.cap;
}

static void keep_candidate(struct recipe_found *f, size_t i, const char *s,
                           size_t n)
{
    struct {
        char **at;
        size_t n, cap;
    } v = {f->candidates, f->n_candidates, f->candidates_cap};
    while (v.n <= i)
        VEC_PUSH(&v, NULL);
    keep_text(&v.at[i], s, n);
    f->candidates = v.at;
    f->n_candidates = v.n;
    f->candidates_cap = v.cap;
}

static void keep(struct reader *x, const struct tmpl_found *f, const char *s)
{
    struct recipe_found *out = x->out;
    s += f->at;
    if (f->ph == PH_SYSTEM)
        keep_text(&out->system, s, f->len);
    else if (f->ph == PH_DESCRIPTION)
        keep_text(&out->description, s, f->len);
    else if (f->ph == PH_INPUT)
        keep_text(&out->input, s, f->len);
    else if (f->ph == PH_FIELD)
        field_take(&out->fields, f->name, xstrndup(s, f->len));
    else if (f->ph == PH_WANTED)
        out->wanted = strtoul(s, NULL, 10);
    else if (f->ph == PH_FIRST)
        x->first = strtoul(s, NULL, 10);
    else if (f->ph == PH_LAST)
        x->last = strtoul(s, NULL, 10);
    else if (f->list == PH_DEMONSTRATIONS)
        keep_demo(out, f->ph, f->i, s, f->len);
    else if (f->list == PH_CANDIDATES)
        keep_candidate(out, f->i, s, f->len);
}

static bool read_back(struct reader *x, const struct tmpl *t, const char *s)
{
    struct tmpl_match m = {.fuel = 200000, .s = s, .len = strlen(s),
                           .known = known_value, .ctx = x};
    bool ok = tmpl_match(t, &m);
    for (size_t i = 0; ok && i < m.n; i++)
        keep(x, &m.at[i], s);
    free(m.at);
    return ok;
}

/* The inserted prompt's last user turn. */
static bool read_rest(const struct chat *c, size_t at, struct reader *x)
{
    struct chat rest = {.at = c->at + at, .n = c->n - at};
    const struct message *m = chat_last(&rest, ROLE_USER);
    if (m)
        keep_text(&x->out->input, m->content, strlen(m->content));
    return m != NULL;
}

static void settle_wanted(struct reader *x)
{
    struct recipe_found *f = x->out;
    if (!x->first && x->last)
        x->first = f->n_demos + 1;
    if (!f->wanted && x->last >= x->first && x->first)
        f->wanted = x->last - x->first + 1;
    if (!f->wanted)
        f->wanted = x->step->wanted;
    if (f->wanted > RECIPE_WANTED)
        f->wanted = RECIPE_WANTED;
}

bool recipe_unrender(const struct recipe_step *s, const struct chat *c,
                     struct recipe_found *out)
{
    *out = (struct recipe_found){0};
    struct reader x = {s, out, 0, 0};
    size_t at = 0;
    bool ok = true;
    for (size_t i = 0; i < s->n_messages && ok; i++) {
        const struct recipe_message *m = &s->messages[i];
        bool role = at < c->n && c->at[at].role == m->role;
        if (!m->text)
            ok = read_rest(c, at, &x);
        else if (role && (read_back(&x, m->text, c->at[at].content) ||
                          m->role == ROLE_SYSTEM))
            at++; /* a system turn may have the prompt's own joined to it */
        else
            ok = m->role == ROLE_SYSTEM || read_back(&x, m->text, "");
    }
    settle_wanted(&x);
    if (!ok || (s->messages[s->n_messages - 1].text && at < c->n))
        ok = false;
    if (!ok)
        recipe_found_free(out);
    return ok;
}

void recipe_found_free(struct recipe_found *f)
{
    for (size_t i = 0; i < f->n_demos; i++) {
        free(f->demos[i].prompt);
        free(f->demos[i].answer);
    }
    for (size_t i = 0; i < f->n_candidates; i++)
        free(f->candidates[i]);
    free(f->demos);
    free(f->candidates);
    fields_free(&f->fields);
    free(f->system);
    free(f->description);
    free(f->input);
    *f = (struct recipe_found){0};
}
