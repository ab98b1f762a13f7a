#include "formats/format.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"

const struct format *const formats[] = {
    &format_messages, &format_sharegpt, &format_selfinstruct, &format_turns,
    &format_alpaca, &format_completion, &format_question, NULL};

const struct format *format_find(const char *name)
{
    for (size_t i = 0; formats[i]; i++)
        if (!strcmp(formats[i]->name, name))
            return formats[i];
    return NULL;
}

const struct format *format_detect(const json *row)
{
    for (size_t i = 0; formats[i]; i++)
        if (formats[i]->detect(row))
            return formats[i];
    return NULL;
}

void item_free(struct item *x)
{
    chat_free(&x->prompt);
    free(x->answer);
    free(x->split);
    free(x->tags);
    *x = (struct item){0};
}

/* Tags as a list of strings or one string, blank-separated. */
static char *read_tags(const json *v)
{
    struct buf b = BUF_INIT(4096);
    if (json_is_string(v))
        buf_puts(&b, json_string(v));
    for (const json *t = json_is_array(v) ? json_first(v) : NULL; t;
         t = json_next(t)) {
        if (!json_string(t))
            continue;
        buf_puts(&b, b.len ? " " : "");
        for (const char *p = json_string(t); *p; p++)
            buf_putc(&b, strchr(" \t\n", *p) ? '-' : *p);
    }
    if (b.len)
        return buf_take(&b);
    buf_free(&b);
    return NULL;
}

void item_start(struct item *x, const json *row)
{
    *x = (struct item){0};
    const char *system = json_get_string(row, "system", "");
    const char *split = json_get_string(row, "split", NULL);
    if (*system)
        chat_add(&x->prompt, ROLE_SYSTEM, system);
    x->split = split ? xstrdup(split) : NULL;
    x->tags = read_tags(json_get(row, "tags"));
}

static bool split_chat(struct item *x, struct chat *c, struct err *e)
{
    size_t n = c->n;
    if (n && c->at[n - 1].role == ROLE_ASSISTANT) {
        struct buf b = BUF_INIT(0);
        answer_print(&c->at[n - 1], &b);
        x->answer = buf_take(&b);
        n--;
    }
    if (!n)
        return err_set(e, ERR_INPUT, _("there is no prompt"));
    for (size_t i = 0; i < n; i++)
        chat_add_copy(&x->prompt, &c->at[i]);
    return true;
}

bool item_read_chat(const json *row, const char *key, item_fn *fn, void *ctx,
                    struct err *e)
{
    struct item x;
    struct chat c;
    if (!chat_from_json(json_get(row, key), &c, e))
        return false;
    item_start(&x, row);
    bool ok = split_chat(&x, &c, e) &&
              tools_read(json_get(row, "tools"), &x.prompt.tools, e);
    chat_free(&c);
    if (ok)
        return item_emit(&x, fn, ctx, e);
    item_free(&x);
    return false;
}

bool item_read_task(const json *row, const char *instruction,
                    const json *from, item_fn *fn, void *ctx, struct err *e)
{
    struct item x;
    const char *output = NULL;
    if (json_get(from, "output") &&
        !row_string(from, "output", true, &output, e))
        return false;
    const char *input = json_get_string(from, "input", "");
    char *prompt = xasprintf("%s%s%s", instruction, *input ? "\n\n" : "",
                             input);
    item_start(&x, row);
    chat_add(&x.prompt, ROLE_USER, prompt);
    free(prompt);
    if (output && *output)
        x.answer = answer_of(output);
    return item_emit(&x, fn, ctx, e);
}

bool row_string(const json *row, const char *key, bool may_be_empty,
                const char **out, struct err *e)
{
    const json *v = json_get(row, key);
    *out = json_string(v);
    if (!v)
        return err_set(e, ERR_INPUT, _("\"%s\" is missing"), key);
    if (!*out)
        return err_set(e, ERR_INPUT, _("\"%s\" is not text"), key);
    if (!may_be_empty && !(*out)[strspn(*out, " \t\r\n")])
        return err_set(e, ERR_INPUT, _("\"%s\" is empty"), key);
    return true;
}

bool item_emit(struct item *x, item_fn *fn, void *ctx, struct err *e)
{
    bool ok = chat_check_prompt(&x->prompt, e) && fn(ctx, x, e);
    item_free(x);
    return ok;
}

/* ---- Mapping ------------------------------------------------------------ */

static char **mapping_slot(struct mapping *m, const char *field, size_t n)
{
    const struct {
        const char *name;
        char **slot;
    } slots[] = {{"prompt", &m->prompt}, {"answer", &m->answer},
                 {"system", &m->system}, {"input", &m->input},
                 {"split", &m->split},   {"tags", &m->tags}};
    for (size_t i = 0; i < COUNT(slots); i++)
        if (strlen(slots[i].name) == n && !strncmp(slots[i].name, field, n))
            return slots[i].slot;
    return NULL;
}

bool mapping_add(struct mapping *m, const char *text, struct err *e)
{
    const char *equal = strchr(text, '=');
    char **slot = equal ? mapping_slot(m, text, (size_t)(equal - text))
                        : NULL;
    if (!slot || !equal[1])
        return err_set(e, ERR_USAGE, _("--map %s: write FIELD=COLUMN with a "
                       "field of prompt, answer, system, input, split, tags"),
                       text);
    free(*slot);
    *slot = xstrdup(equal + 1);
    return true;
}

void mapping_free(struct mapping *m)
{
    free(m->prompt);
    free(m->answer);
    free(m->system);
    free(m->input);
    free(m->split);
    free(m->tags);
    *m = (struct mapping){0};
}

bool mapping_read(const struct mapping *m, const json *row, item_fn *fn,
                  void *ctx, struct err *e)
{
    struct item x = {0};
    const char *prompt, *answer = NULL;
    if (!m->prompt)
        return err_set(e, ERR_USAGE, _("--map needs prompt=COLUMN"));
    if (!row_string(row, m->prompt, false, &prompt, e) ||
        (m->answer && !row_string(row, m->answer, true, &answer, e)))
        return false;
    const char *system = m->system ? json_get_string(row, m->system, "") : "";
    const char *input = m->input ? json_get_string(row, m->input, "") : "";
    if (*system)
        chat_add(&x.prompt, ROLE_SYSTEM, system);
    char *whole = xasprintf("%s%s%s", prompt, *input ? "\n\n" : "", input);
    chat_add(&x.prompt, ROLE_USER, whole);
    free(whole);
    if (answer && *answer)
        x.answer = answer_of(answer);
    const char *split = m->split ? json_get_string(row, m->split, NULL) : NULL;
    x.split = split ? xstrdup(split) : NULL;
    x.tags = m->tags ? read_tags(json_get(row, m->tags)) : NULL;
    return item_emit(&x, fn, ctx, e);
}
