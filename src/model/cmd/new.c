#include "model/cmd/cmd.h"

#include "model/cmd/opts.h"

int cmd_new(int argc, char **argv)
{
    const char *dir = NULL;
    struct opt none[] = {{0}};
    struct opts o = {"new DIR", none, &dir};
    int code = opts_read(&o, argc, argv);
    return code >= 0 ? code : opts_wrong("new", "not yet");
}
