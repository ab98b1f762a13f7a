/* ShareGPT rows: {"conversations":[{"from":"human","value":...}...]}. */
#include "formats/format.h"

#include "base/lang.h"

static bool detect(const json *row)
{
    return json_is_array(json_get(row, "conversations"));
}

static bool read_row(const json *row, item_fn *fn, void *ctx, struct err *e)
{
    return item_read_chat(row, "conversations", fn, ctx, e);
}

static void write_turn(struct jw *w, enum role role, const char *text)
{
    static const char *const names[] = {"system", "human", "gpt",
                                        "observation"};
    jw_open(w, '{');
    jw_kstr(w, "from", names[role]);
    jw_kstr(w, "value", text);
    jw_close(w);
}

static void write_row(const struct item *x, struct buf *out)
{
    struct jw w = jw_start(out);
    struct message m;
    jw_open(&w, '{');
    jw_key(&w, "conversations");
    jw_open(&w, '[');
    for (size_t i = 0; i < x->prompt.n; i++)
        write_turn(&w, x->prompt.at[i].role, x->prompt.at[i].content);
    if (x->answer && answer_parse(x->answer, &m, NULL)) {
        write_turn(&w, ROLE_ASSISTANT, m.content);
        message_free(&m);
    }
    jw_close(&w);
    jw_close(&w);
}

const struct format format_sharegpt = {"sharegpt", N_("conversations"),
                                       detect, read_row, write_row};
