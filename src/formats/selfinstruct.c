/* Self-Instruct's seed tasks: {"instruction", "instances":[{"input",
 * "output"}...]}; one item an instance. */
#include "formats/format.h"

#include "base/lang.h"

static bool detect(const json *row)
{
    return json_is_array(json_get(row, "instances"));
}

static bool read_row(const json *row, item_fn *fn, void *ctx, struct err *e)
{
    const char *instruction;
    const json *list = json_get(row, "instances");
    if (!row_string(row, "instruction", false, &instruction, e))
        return false;
    if (!json_is_array(list) || !json_first(list))
        return err_set(e, ERR_INPUT, _("\"instances\" is empty"));
    for (const json *one = json_first(list); one; one = json_next(one))
        if (!item_read_task(row, instruction, one, fn, ctx, e))
            return false;
    return true;
}

const struct format format_selfinstruct = {
    "selfinstruct", N_("instruction, instances"), detect, read_row, NULL};
