#include "base/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"

char *paths_program_dir(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    return path_dir(path);
}

/* DIR/NAME where it exists, else NULL; frees `dir`. */
static char *existing(char *dir, const char *name)
{
    if (!dir)
        return NULL;
    char *path = path_join(dir, name);
    free(dir);
    if (file_exists(path))
        return path;
    free(path);
    return NULL;
}

char *paths_model_program(void)
{
    char *path = existing(paths_program_dir(), "stillroom-model");
    return path ? path : existing(xstrdup(BINDIR), "stillroom-model");
}

static const char *env(const char *name)
{
    const char *v = getenv(name);
    return v && *v ? v : NULL;
}

/* The build tree's folder NAME, seen from src/ or tests/unit/: NULL where
 * the program does not stand in a build tree. */
static char *build_tree(const char *name)
{
    static const char *const ups[] = {"..", "../.."};
    char *dir = paths_program_dir(), *found = NULL;
    for (size_t i = 0; dir && i < COUNT(ups) && !found; i++) {
        char *status = xasprintf("%s/%s/config.status", dir, ups[i]);
        if (file_exists(status))
            found = xasprintf("%s/%s/%s", dir, ups[i], name);
        free(status);
    }
    free(dir);
    return found;
}

char *paths_data(const char *name)
{
    char *path = NULL;
    if (env("STILLROOM_DATA"))
        path = existing(xstrdup(env("STILLROOM_DATA")), name);
    if (!path)
        path = existing(build_tree("data"), name);
    char *tree = path ? NULL : build_tree("");
    if (tree) /* a build outside the source tree */
        path = existing(xstrdup(SRCDATADIR), name);
    free(tree);
    return path ? path : existing(xstrdup(PKGDATADIR), name);
}

static char *xdg(const char *variable, const char *fallback, const char *name)
{
    const char *base = env(variable), *home = env("HOME");
    if (base && *base == '/')
        return xasprintf("%s/stillroom/%s", base, name);
    return home ? xasprintf("%s/%s/stillroom/%s", home, fallback, name) : NULL;
}

char *paths_config(const char *name)
{
    return xdg("XDG_CONFIG_HOME", ".config", name);
}

char *paths_state(const char *name)
{
    return xdg("XDG_STATE_HOME", ".local/state", name);
}

char *paths_user_data(const char *name)
{
    return xdg("XDG_DATA_HOME", ".local/share", name);
}

char *paths_runtime(void)
{
    const char *base = env("XDG_RUNTIME_DIR");
    return base ? xasprintf("%s/stillroom-%ld", base, (long)getpid()) : NULL;
}

void paths_init_lang(void)
{
    char *given = env("STILLROOM_DATA")
                      ? path_join(env("STILLROOM_DATA"), "locale")
                      : xstrdup("/nonexistent");
    char *tree = build_tree("po");
    const char *dirs[] = {given, tree ? tree : LOCALEDIR,
                          tree ? SRCPODIR : LOCALEDIR, LOCALEDIR, NULL};
    lang_init(dirs);
    free(given);
    free(tree);
}
