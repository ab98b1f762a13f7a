#include "model/token/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"

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

struct span {
    size_t from, to;
};

struct spans {
    struct span *at;
    size_t n, cap;
};

bool template_check(const struct tokenizer *t, struct err *e)
{
    if (!t->template)
        return err_set(e, ERR_REFUSED, _("the student's folder has no chat "
                                         "template"));
    if (strcmp(t->template, TEMPLATE_NANO))
        return err_set(e, ERR_REFUSED, _("the student's folder has a chat "
                                         "template that is not supported"));
    return true;
}

char *template_answer(const struct message *m)
{
    return xasprintf("%s%s", m->content, m->tool_calls ? m->tool_calls : "");
}

static void print_turn(const struct message *m, struct buf *text,
                       struct spans *trained)
{
    buf_printf(text, "<|%s|>", role_name(m->role));
    size_t from = text->len;
    if (m->role != ROLE_ASSISTANT) {
        buf_puts(text, m->content);
        return;
    }
    char *answer = template_answer(m);
    buf_puts(text, answer);
    buf_puts(text, template_tokens[0]);
    free(answer);
    struct span s = {from, text->len};
    if (!m->masked)
        VEC_PUSH(trained, s);
}

/* A token is trained where it overlaps a trained span. */
static void mark(struct rendered *r, const struct tokens *k,
                 const struct spans *trained)
{
    size_t s = 0;
    r->n = k->n;
    r->ids = xmalloc((k->n + 1) * sizeof *r->ids);
    r->trained = xcalloc(k->n + 1, 1);
    for (size_t i = 0; i < k->n; i++) {
        r->ids[i] = k->at[i].id;
        while (s < trained->n && trained->at[s].to <= k->at[i].from)
            s++;
        r->trained[i] = s < trained->n && k->at[i].to > trained->at[s].from;
    }
}

bool template_render(const struct tokenizer *t, const struct chat *c,
                     bool prompt, struct rendered *out, struct err *e)
{
    *out = (struct rendered){.text = BUF_INIT(0)};
    if (!template_check(t, e))
        return false;
    struct spans trained = {0};
    for (size_t i = 0; i < c->n; i++)
        print_turn(&c->at[i], &out->text, &trained);
    if (prompt)
        buf_puts(&out->text, template_tokens[2]);
    struct tokens k = {0};
    tokenizer_encode(t, buf_str(&out->text), out->text.len, false, &k);
    mark(out, &k, &trained);
    VEC_FREE(&k);
    VEC_FREE(&trained);
    return true;
}

void rendered_free(struct rendered *r)
{
    buf_free(&r->text);
    free(r->ids);
    free(r->trained);
    *r = (struct rendered){.text = BUF_INIT(0)};
}
