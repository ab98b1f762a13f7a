/* `merge`: a student with an adapter added to its weights. */
#include <stdio.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/say.h"
#include "model/cmd/cmd.h"
#include "model/cmd/folder.h"
#include "model/cmd/opts.h"
#include "model/learn/settings.h"
#include "model/learn/student.h"

static bool merge(const char *dir, const char *adapter, const char *out,
                  const char *dtype, struct err *e)
{
    struct llama *m;
    int64_t type;
    if (!settings_dtype(dtype, &type, e))
        return false;
    if (file_exists(out))
        return err_set(e, ERR_REFUSED, _("%s is there already"), out);
    if (!folder_load(dir, adapter, &m, NULL, e))
        return false;
    m->bf16 = settings_bf16(type, m->bf16);
    bool ok = student_write(m, dir, out, e);
    if (ok)
        say(stdout, _("%s: %zu parameters\n"), out, m->n);
    llama_free(&m);
    return ok;
}

int cmd_merge(int argc, char **argv)
{
    const char *dir = NULL, *adapter = NULL, *out = NULL, *dtype = "same";
    struct opt table[] = {
        {"--adapter", OPT_TEXT, &adapter, "DIR", ADAPTER_HELP, false},
        {"--out", OPT_TEXT, &out, "DIR", N_("the folder that is made"),
         false},
        {"--dtype", OPT_TEXT, &dtype, "NAME",
         N_("write float32, bfloat16 or same (same: as it came)"), false},
        {0},
    };
    struct opts o = {N_("merge DIR --adapter DIR --out DIR"), table, &dir,
                     NULL};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    if (!adapter || !out)
        return opts_wrong("merge", _("give --adapter DIR and --out DIR"));
    struct err e;
    return merge(dir, adapter, out, dtype, &e)
               ? 0 : say_err("stillroom-model", &e);
}
