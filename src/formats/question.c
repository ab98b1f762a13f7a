/* Question and answer rows (GSM8K): {"question","answer"}. */
#include "formats/format.h"

#include <stdlib.h>

#include "base/lang.h"
#include "base/mem.h"

static bool detect(const json *row)
{
    return json_is_string(json_get(row, "question"));
}

static bool read_row(const json *row, item_fn *fn, void *ctx, struct err *e)
{
    struct item x;
    const char *question, *answer = NULL;
    if (!row_string(row, "question", false, &question, e) ||
        (json_get(row, "answer") &&
         !row_string(row, "answer", true, &answer, e)))
        return false;
    item_start(&x, row);
    chat_add(&x.prompt, ROLE_USER, question);
    if (answer && *answer)
        x.answer = answer_of(answer);
    return item_emit(&x, fn, ctx, e);
}

static void write_row(const struct item *x, struct buf *out)
{
    struct jw w = jw_start(out);
    const struct message *m = chat_last(&x->prompt, ROLE_USER);
    char *answer = x->answer ? answer_text(x->answer) : xstrdup("");
    jw_open(&w, '{');
    jw_kstr(&w, "question", m ? m->content : "");
    jw_kstr(&w, "answer", answer);
    jw_close(&w);
    free(answer);
}

const struct format format_question = {
    "question", N_("question, answer"), detect, read_row, write_row};
