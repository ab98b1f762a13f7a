/* `convert`: a GGUF file to a student's folder. */
#include <stdio.h>

#include "base/lang.h"
#include "base/say.h"
#include "model/cmd/cmd.h"
#include "model/cmd/opts.h"
#include "model/learn/convert.h"

int cmd_convert(int argc, char **argv)
{
    const char *file = NULL, *dir = NULL;
    size_t n = 0;
    struct opt table[] = {{0}};
    struct opts o = {N_("convert FILE.gguf DIR"), table, &file, &dir};
    int code = opts_read(&o, argc, argv);
    if (code >= 0)
        return code;
    struct err e;
    if (!convert_gguf(file, dir, &n, &e))
        return say_err("stillroom-model", &e);
    say(stdout, _("%s: %zu parameters\n"), dir, n);
    return 0;
}
