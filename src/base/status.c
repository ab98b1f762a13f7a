#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"

int status_lock(const char *dir, struct err *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        err_sys(e, "%s", dir);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        err_set(e, ERR_BUSY, _("%s: another process works here"), dir);
    else
        err_sys(e, "%s", dir);
    close(fd);
    return -1;
}

/* The starter's descriptor, where it is one of this folder and holds the
 * lock; -1 otherwise. */
static int take_over(const char *dir)
{
    const char *text = getenv(STATUS_LOCK_VARIABLE);
    struct stat a, b;
    int fd = text ? atoi(text) : -1;
    unsetenv(STATUS_LOCK_VARIABLE);
    if (fd < 3 || fstat(fd, &a) < 0 || stat(dir, &b) < 0 ||
        a.st_dev != b.st_dev || a.st_ino != b.st_ino ||
        flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -1;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

int status_take(const char *dir, struct err *e)
{
    int fd = take_over(dir);
    return fd >= 0 ? fd : status_lock(dir, e);
}

bool status_locked(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool taken = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return taken;
}

bool status_write(const char *dir, const struct buf *text, struct err *e)
{
    char *path = path_join(dir, "status.json");
    bool ok = file_replace(path, buf_str(text), text->len, 0600, false, e);
    free(path);
    return ok;
}

json *status_read(const char *dir, struct err *e)
{
    char *path = path_join(dir, "status.json");
    json *j = json_load(path, (size_t)4 << 20, e);
    free(path);
    return j;
}
