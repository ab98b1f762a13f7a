/* Prompt and completion: strings, or lists of messages as TRL has them. */
#include "formats/format.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"

static bool detect(const json *row)
{
    const json *p = json_get(row, "prompt");
    return json_is_string(p) || json_is_array(p);
}

static bool read_prompt(const json *row, struct item *x, struct err *e)
{
    const char *text;
    struct chat c;
    if (json_is_array(json_get(row, "prompt"))) {
        if (!chat_from_json(json_get(row, "prompt"), &c, e))
            return false;
        for (size_t i = 0; i < c.n; i++)
            chat_add_copy(&x->prompt, &c.at[i]);
        chat_free(&c);
        return true;
    }
    if (!row_string(row, "prompt", false, &text, e))
        return false;
    chat_add(&x->prompt, ROLE_USER, text);
    return true;
}

/* A list of one assistant message, or a string. */
static bool read_completion(const json *v, struct item *x, struct err *e)
{
    struct chat c;
    if (json_is_string(v)) {
        if (*json_string(v))
            x->answer = answer_of(json_string(v));
        return true;
    }
    if (!chat_from_json(v, &c, e))
        return false;
    bool one = c.n == 1 && c.at[0].role == ROLE_ASSISTANT;
    if (one) {
        struct buf b = BUF_INIT(0);
        answer_print(&c.at[0], &b);
        x->answer = buf_take(&b);
    }
    chat_free(&c);
    return one || err_set(e, ERR_INPUT, _("completion is not one assistant's "
                                          "turn"));
}

static bool read_row(const json *row, item_fn *fn, void *ctx, struct err *e)
{
    struct item x;
    const json *completion = json_get(row, "completion");
    item_start(&x, row);
    if (read_prompt(row, &x, e) &&
        (!completion || read_completion(completion, &x, e)))
        return item_emit(&x, fn, ctx, e);
    item_free(&x);
    return false;
}

static void write_row(const struct item *x, struct buf *out)
{
    struct message m;
    buf_puts(out, "{\"prompt\":");
    chat_print(&x->prompt, out);
    buf_puts(out, ",\"completion\":[");
    if (x->answer && answer_parse(x->answer, &m, NULL)) {
        message_print(&m, out);
        message_free(&m);
    }
    buf_puts(out, "]}");
}

const struct format format_completion = {
    "completion", N_("prompt, completion"), detect, read_row, write_row};
