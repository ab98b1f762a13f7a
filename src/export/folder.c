#include "export/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"

#define LOCK "prov/lock.json"
#define LOCK_MAX ((size_t)256 << 20)

char *folder_name(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return xstrndup(path, n);
}

static bool dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

static bool in_lock(const json *lock, const char *path)
{
    const json *f = json_first(json_get(lock, "files"));
    for (; f; f = json_next(f))
        if (!strcmp(json_get_string(f, "path", ""), path))
            return true;
    return !strcmp(path, LOCK);
}

/* The first entry below dir/under that is no file of the lock, NULL where
 * there is none; the caller frees. Folders are looked into once. */
static char *find_foreign(const json *lock, const char *dir,
                          const char *under)
{
    char *here = path_join(dir, under), *found = NULL;
    DIR *d = opendir(here);
    struct dirent *entry;
    while (d && !found && (entry = readdir(d))) {
        struct stat st;
        if (dots(entry->d_name))
            continue;
        char *name = *under ? path_join(under, entry->d_name)
                            : xstrdup(entry->d_name);
        char *full = path_join(dir, name);
        bool folder = !lstat(full, &st) && S_ISDIR(st.st_mode);
        if (folder && !*under)
            found = find_foreign(lock, dir, name);
        else if (!in_lock(lock, name))
            found = xstrdup(name);
        free(full);
        free(name);
    }
    if (d)
        closedir(d);
    free(here);
    return found;
}

static bool check_bundle(const char *path, const json *lock, bool replace,
                         struct err *e)
{
    if (!lock || json_get_int(lock, "stillroom_export", 0) < 1)
        return err_set(e, ERR_REFUSED, _("%s is not empty and no bundle of "
                                         "ours"), path);
    if (!replace)
        return err_set(e, ERR_REFUSED, _("%s holds an earlier bundle; it is "
                                         "replaced with --replace"), path);
    char *foreign = find_foreign(lock, path, "");
    if (foreign)
        err_set(e, ERR_REFUSED, _("%s holds %s, which is no file of the "
                                  "bundle: move it away first"), path,
                foreign);
    bool ok = !foreign;
    free(foreign);
    return ok;
}

/* 1 empty, 0 not, -1 unreadable */
static int is_empty(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return -1;
    int empty = 1;
    struct dirent *entry;
    while (empty && (entry = readdir(d)))
        empty = dots(entry->d_name);
    closedir(d);
    return empty;
}

bool folder_check(const char *path, bool replace, struct err *e)
{
    struct stat st;
    const char *base = path_base(path);
    if (!*base || dots(base))
        return err_set(e, ERR_USAGE, _("\"%s\": name the folder that is to "
                                       "be made"), path);
    if (lstat(path, &st) < 0)
        return errno == ENOENT || err_sys(e, _("cannot write %s"), path);
    if (S_ISLNK(st.st_mode))
        return err_set(e, ERR_REFUSED, _("%s is a link: name the folder "
                                         "itself"), path);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_REFUSED, _("%s is there already and no "
                                         "folder"), path);
    int empty = is_empty(path);
    if (empty)
        return empty > 0 || err_sys(e, _("cannot read %s"), path);
    char *name = path_join(path, LOCK);
    json *lock = json_load(name, LOCK_MAX, NULL);
    bool ok = check_bundle(path, lock, replace, e);
    json_free(lock);
    free(name);
    return ok;
}

char *folder_restore(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 || errno != ENOENT)
        return NULL;
    char *prefix = xasprintf("%s.old-", path), *old = dir_left(prefix);
    free(prefix);
    if (!old || rename(old, path) == 0)
        return old;
    free(old);
    return NULL;
}

/* Where the file system cannot exchange two names: see folder_restore. */
static bool swap_in_steps(const char *temp, const char *path)
{
    char *old = xasprintf("%s.old-%ld", path, (long)getpid());
    bool ok = !rename(path, old);
    if (ok && rename(temp, path) < 0) {
        int saved = errno;
        rename(old, path);
        errno = saved;
        ok = false;
    }
    if (ok)
        dir_remove(old, NULL);
    free(old);
    return ok;
}

bool folder_publish(const char *temp, const char *path, struct err *e)
{
    bool ok = !rename(temp, path);
    if (!ok && (errno == ENOTEMPTY || errno == EEXIST)) {
        ok = !renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_EXCHANGE);
        if (ok)
            dir_remove(temp, NULL);
        else if (errno == EINVAL || errno == ENOSYS)
            ok = swap_in_steps(temp, path);
    }
    if (!ok)
        return err_sys(e, _("cannot put the bundle at %s"), path);
    file_sync_folder(path);
    return true;
}
