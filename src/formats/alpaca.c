/* Alpaca rows: {"instruction","input","output"}, `input` may be absent. */
#include "formats/format.h"

#include <stdlib.h>

#include "base/lang.h"
#include "base/mem.h"

static bool detect(const json *row)
{
    return json_is_string(json_get(row, "instruction"));
}

static bool read_row(const json *row, item_fn *fn, void *ctx, struct err *e)
{
    const char *instruction;
    return row_string(row, "instruction", false, &instruction, e) &&
           item_read_task(row, instruction, row, fn, ctx, e);
}

static void write_row(const struct item *x, struct buf *out)
{
    struct jw w = jw_start(out);
    const struct message *m = chat_last(&x->prompt, ROLE_USER);
    const struct message *s = chat_last(&x->prompt, ROLE_SYSTEM);
    char *answer = x->answer ? answer_text(x->answer) : xstrdup("");
    jw_open(&w, '{');
    jw_kstr(&w, "instruction", m ? m->content : "");
    jw_kstr(&w, "input", "");
    jw_kstr(&w, "output", answer);
    if (s)
        jw_kstr(&w, "system", s->content);
    jw_close(&w);
    free(answer);
}

const struct format format_alpaca = {
    "alpaca", N_("instruction, input, output"), detect, read_row, write_row};
