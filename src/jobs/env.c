#include "jobs/env.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

extern char **environ;

static bool looks_secret(const char *name)
{
    static const char *const signs[] = {"KEY", "TOKEN", "SECRET", "PASSW",
                                        "CREDENTIAL"};
    for (size_t i = 0; i < COUNT(signs); i++)
        if (strcasestr(name, signs[i]))
            return true;
    return false;
}

static bool listed(const char *const names[], const char *name)
{
    for (size_t i = 0; names && names[i]; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

char **env_secrets(const char *const also[], const char *const keep[])
{
    VEC(char *) names = {0};
    for (char **e = environ; *e; e++) {
        char *name = xstrndup(*e, strcspn(*e, "="));
        if (*name && !listed(keep, name) &&
            (looks_secret(name) || listed(also, name)))
            VEC_PUSH(&names, name);
        else
            free(name);
    }
    VEC_PUSH(&names, NULL);
    return names.at;
}
