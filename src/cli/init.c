#include "cli/cli.h"

#include "base/lang.h"
#include "base/say.h"

int sub_init(struct cli *c)
{
    const struct opt opts[] = {{0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    const char *path = cli_store(c);
    if (!store_create(path, &c->s, &c->e))
        return cli_fail(c);
    say(stdout, _("an empty store: %s\n"), path);
    return 0;
}
