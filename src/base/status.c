#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
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
