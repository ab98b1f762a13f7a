#include "base/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"

bool config_walk(ini_fn *fn, void *ctx, struct err *e)
{
    char *path = paths_config("config");
    bool ok = !path || ini_read(path, fn, ctx, e);
    free(path);
    return ok;
}

static bool on_default(void *ctx, const char *section, const char *name,
                       const char *value, struct err *e)
{
    char **who = ctx;
    if (strcmp(section, "defaults"))
        return true;
    if (!strcmp(name, "currency"))
        return lang_set_currency(value) ||
               err_set(e, ERR_INPUT, _("a currency is three capitals: USD"));
    if (strcmp(name, "who"))
        return err_set(e, ERR_INPUT, _("[defaults] knows currency and who, "
                                       "not %s"), name);
    if (!*value || strlen(value) > 40)
        return err_set(e, ERR_INPUT, _("who is a name of 1 to 40 bytes"));
    free(*who);
    *who = xstrdup(value);
    return true;
}

char *config_defaults(struct err *e)
{
    char *who = NULL;
    config_walk(on_default, &who, e);
    return who;
}
