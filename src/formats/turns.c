/* Question lists (MT-bench): {"turns":[...], "reference":[...]?}. Where each
 * turn has its reference the earlier ones stand between the turns and the
 * last one is the answer. */
#include "formats/format.h"

#include "base/lang.h"

static bool detect(const json *row)
{
    return json_is_array(json_get(row, "turns"));
}

static bool read_row(const json *row, item_fn *fn, void *ctx, struct err *e)
{
    struct item x;
    const json *turns = json_get(row, "turns");
    const json *refs = json_get(row, "reference");
    const json *ref = json_is_array(refs) &&
                              json_count(refs) == json_count(turns)
                          ? json_first(refs)
                          : NULL;
    item_start(&x, row);
    bool ok = json_is_array(turns);
    for (const json *t = ok ? json_first(turns) : NULL; t && ok;
         t = json_next(t)) {
        const char *text = json_string(t);
        ok = text && *text;
        if (!ok)
            break;
        chat_add(&x.prompt, ROLE_USER, text);
        const char *said = json_string(ref);
        if (said && json_next(t))
            chat_add(&x.prompt, ROLE_ASSISTANT, said)->masked = true;
        else if (said)
            x.answer = answer_of(said);
        ref = ref ? json_next(ref) : NULL;
    }
    if (ok)
        return item_emit(&x, fn, ctx, e);
    item_free(&x);
    return err_set(e, ERR_INPUT, _("\"turns\" is not a list of texts"));
}

const struct format format_turns = {"turns", N_("turns, reference"), detect,
                                    read_row, NULL};
