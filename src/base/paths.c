#include "base/paths.h"

#include <dirent.h>
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

bool name_ok(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
    return n > 0 && n <= 40 && !name[n];
}

char *paths_named(const char *folder, const char *name, const char *ending,
                  bool *yours, struct err *e)
{
    if (!name_ok(name)) {
        err_set(e, ERR_USAGE, _("\"%.40s\" is not a name: use a-z, 0-9, - "
                                "and _"), name);
        return NULL;
    }
    char *file = xasprintf("%s/%s%s", folder, name, ending);
    char *path = paths_config(file);
    bool own = path && file_exists(path);
    if (yours)
        *yours = own;
    if (!own) {
        free(path);
        path = paths_data(file);
    }
    if (!path)
        err_set(e, ERR_ABSENT, _("there is no %s"), file);
    free(file);
    return path;
}

struct names {
    char **at;
    size_t n, cap;
};

static void add_names(struct names *v, char *dir, const char *ending)
{
    DIR *d = dir ? opendir(dir) : NULL;
    struct dirent *f;
    size_t tail = strlen(ending);
    free(dir);
    while (d && (f = readdir(d)) && v->n < 1000) {
        size_t n = strlen(f->d_name);
        if (n <= tail || strcmp(f->d_name + n - tail, ending))
            continue;
        char *name = xstrndup(f->d_name, n - tail);
        bool fresh = name_ok(name);
        for (size_t i = 0; i < v->n && fresh; i++)
            fresh = strcmp(v->at[i], name) != 0;
        if (fresh)
            VEC_PUSH(v, name);
        else
            free(name);
    }
    if (d)
        closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **paths_names(const char *folder, const char *ending)
{
    struct names v = {0};
    add_names(&v, paths_config(folder), ending);
    add_names(&v, paths_data(folder), ending);
    if (v.n)
        qsort(v.at, v.n, sizeof *v.at, by_name);
    VEC_PUSH(&v, NULL);
    return v.at;
}

void paths_free_names(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

char *paths_runtime(void)
{
    const char *base = env("XDG_RUNTIME_DIR");
    return base ? xasprintf("%s/stillroom-%ld", base, (long)getpid()) : NULL;
}

char *paths_typed(const char *path)
{
    bool home = path[0] == '~' && (!path[1] || path[1] == '/');
    return home && env("HOME") ? xasprintf("%s%s", env("HOME"), path + 1)
                               : xstrdup(path);
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
