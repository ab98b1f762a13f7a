#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/proc.h"

#define CHUNK ((size_t)256 << 10)

int file_open(const char *path, struct stat *st, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        err_sys(e, "%s", path);
        return -1;
    }
    if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
        close(fd);
        err_set(e, ERR_INPUT, _("%s: not a regular file"), path);
        return -1;
    }
    return fd;
}

bool file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
    struct stat st;
    int fd = file_open(path, &st, e);
    if (fd < 0)
        return false;
    if ((uint64_t)st.st_size > max) {
        close(fd);
        return err_set(e, ERR_INPUT, _("%s: larger than %zu bytes"), path,
                       max);
    }
    char chunk[16384];
    ssize_t n;
    size_t total = 0;
    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (total += (size_t)n) > max ||
            !buf_add(out, chunk, (size_t)n))
            break;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    if (n < 0)
        return err_sys(e, "%s", path);
    if (n > 0)
        return err_set(e, ERR_INPUT, _("%s: larger than %zu bytes"), path,
                       max);
    return true;
}

bool fd_write_all(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t w = write(fd, at, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        at += w;
        n -= (size_t)w;
    }
    return true;
}

void file_sync_folder(const char *path)
{
    char *dir = path_dir(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(dir);
}

bool file_replace(const char *path, const void *p, size_t n, mode_t mode,
                  bool sync, struct err *e)
{
    char *temp = xasprintf("%s.tmp-%ld", path, (long)getpid());
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  mode);
    if (fd < 0 && errno == EEXIST && unlink(temp) == 0)
        fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  mode);
    bool ok = fd >= 0 && fd_write_all(fd, p, n) && (!sync || fsync(fd) == 0);
    if (fd >= 0 && close(fd) < 0)
        ok = false;
    ok = ok && rename(temp, path) == 0;
    if (!ok) {
        int saved = errno;
        if (fd >= 0)
            unlink(temp);
        errno = saved;
        err_sys(e, _("cannot write %s"), path);
    } else if (sync) {
        file_sync_folder(path);
    }
    free(temp);
    return ok;
}

bool dir_make(const char *path, mode_t mode, struct err *e)
{
    char *copy = xstrdup(path);
    bool ok = true;
    for (char *p = copy + 1; ok; p++) {
        if (*p && *p != '/')
            continue;
        char was = *p;
        *p = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            ok = err_sys(e, _("cannot make the folder %s"), copy);
        *p = was;
        if (!was)
            break;
    }
    struct stat st;
    if (ok && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
        ok = err_set(e, ERR_SYSTEM, _("%s: not a folder"), path);
    free(copy);
    return ok;
}

/* Removes what stands in the folder fd (closes it). */
static bool empty_folder(int fd)
{
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return false;
    }
    bool ok = true;
    struct dirent *entry;
    while ((entry = readdir(d))) {
        const char *name = entry->d_name;
        if (!strcmp(name, ".") || !strcmp(name, ".."))
            continue;
        if (unlinkat(dirfd(d), name, 0) == 0)
            continue;
        int sub = openat(dirfd(d), name,
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (sub < 0 || !empty_folder(sub) ||
            unlinkat(dirfd(d), name, AT_REMOVEDIR) < 0)
            ok = false;
    }
    closedir(d);
    return ok;
}

bool dir_remove(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || !empty_folder(fd) || rmdir(path) < 0)
        return err_sys(e, _("cannot remove %s"), path);
    return true;
}

/* Whether an entry is PREFIX<pid> of a process that is gone. */
static bool is_left(const char *entry, const char *prefix)
{
    char *end;
    if (strncmp(entry, prefix, strlen(prefix)))
        return false;
    const char *number = entry + strlen(prefix);
    long pid = strtol(number, &end, 10);
    return end != number && !*end && pid > 1 && !proc_alive((pid_t)pid);
}

char *dir_left(const char *prefix)
{
    char *parent = path_dir(prefix), *found = NULL;
    DIR *d = opendir(parent);
    struct dirent *entry;
    while (d && !found && (entry = readdir(d)))
        if (is_left(entry->d_name, path_base(prefix)))
            found = path_join(parent, entry->d_name);
    if (d)
        closedir(d);
    free(parent);
    return found;
}

void dir_sweep(const char *prefix, struct buf *names)
{
    char *parent = path_dir(prefix);
    DIR *d = opendir(parent);
    struct dirent *entry;
    while (d && (entry = readdir(d))) {
        if (!is_left(entry->d_name, path_base(prefix)))
            continue;
        char *old = path_join(parent, entry->d_name);
        if (dir_remove(old, NULL) && names)
            buf_printf(names, "%s%s", names->len ? " " : "", entry->d_name);
        free(old);
    }
    if (d)
        closedir(d);
    free(parent);
}

bool file_is_secret(const char *path, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return err_sys(e, _("key file %s"), path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_REFUSED, _("key file %s: not a regular file"),
                       path);
    if (st.st_uid != geteuid())
        return err_set(e, ERR_REFUSED, _("key file %s belongs to another "
                                         "user"), path);
    if (st.st_mode & 077)
        return err_set(e, ERR_REFUSED, _("key file %s can be read by others; "
                                         "chmod 600 mends it"), path);
    return true;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

char *path_join(const char *a, const char *b)
{
    if (*b == '/' || !*a)
        return xstrdup(b);
    size_t n = strlen(a);
    return xasprintf("%s%s%s", a, a[n - 1] == '/' ? "" : "/", b);
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

void lines_from(struct lines *l, int fd, size_t max_line)
{
    *l = (struct lines){.fd = fd, .line = BUF_INIT(max_line)};
    l->chunk = xmalloc(CHUNK);
}

bool lines_open(struct lines *l, const char *path, size_t max_line,
                struct err *e)
{
    struct stat st;
    int fd = file_open(path, &st, e);
    if (fd < 0) {
        *l = (struct lines){.fd = -1};
        return false;
    }
    lines_from(l, fd, max_line);
    return true;
}

/* Refills the chunk; false at the end or on failure. */
static bool refill(struct lines *l, struct err *e)
{
    ssize_t n;
    do
        n = read(l->fd, l->chunk, CHUNK);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        l->failed = true;
        return err_sys(e, _("cannot read on"));
    }
    l->at = 0;
    l->filled = (size_t)n;
    return n > 0;
}

static void strip_mark(struct lines *l)
{
    if (l->number == 1 && l->line.len >= 3 &&
        !memcmp(l->line.data, "\xef\xbb\xbf", 3)) {
        memmove(l->line.data, l->line.data + 3, l->line.len - 2);
        l->line.len -= 3;
    }
}

bool lines_next(struct lines *l, struct err *e)
{
    buf_clear(&l->line);
    l->too_long = false;
    l->offset = l->next;
    bool any = false, ended = false;
    while (!ended) {
        if (l->at == l->filled && !refill(l, e))
            break;
        any = true;
        char *from = l->chunk + l->at;
        char *nl = memchr(from, '\n', l->filled - l->at);
        size_t n = nl ? (size_t)(nl - from) : l->filled - l->at;
        if (!l->too_long && !buf_add(&l->line, from, n)) {
            l->too_long = true;
            buf_clear(&l->line);
            buf_add(&l->line, from, n < 200 ? n : 200);
        }
        ended = nl != NULL;
        l->at += n + ended;
        l->next += n + ended;
    }
    if (!any || l->failed)
        return false;
    l->number++;
    if (l->line.len && l->line.data[l->line.len - 1] == '\r')
        buf_drop(&l->line, 1);
    strip_mark(l);
    return true;
}

void lines_close(struct lines *l)
{
    if (l->fd >= 0)
        close(l->fd);
    free(l->chunk);
    buf_free(&l->line);
    l->fd = -1;
    l->chunk = NULL;
}
