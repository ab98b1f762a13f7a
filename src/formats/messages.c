/* OpenAI and TRL chat rows: {"messages":[{"role","content"}...]}. */
#include "formats/format.h"

#include "base/lang.h"

static bool detect(const json *row)
{
    return json_is_array(json_get(row, "messages"));
}

static bool read_row(const json *row, item_fn *fn, void *ctx, struct err *e)
{
    return item_read_chat(row, "messages", fn, ctx, e);
}

static void write_row(const struct item *x, struct buf *out)
{
    buf_puts(out, "{\"messages\":[");
    for (size_t i = 0; i < x->prompt.n; i++) {
        buf_puts(out, i ? "," : "");
        message_print(&x->prompt.at[i], out);
    }
    struct message m;
    if (x->answer && answer_parse(x->answer, &m, NULL)) {
        buf_putc(out, ',');
        message_print(&m, out);
        message_free(&m);
    }
    buf_puts(out, "]}");
}

const struct format format_messages = {"messages", N_("messages"), detect,
                                       read_row, write_row};
