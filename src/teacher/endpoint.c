/* Where requests go: the url, the socket, the key. */
#include <fcntl.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "teacher/transfer.h"

#define UNIX_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

/* A path that fits in a socket address: its own, or through a descriptor of
 * its folder. */
static bool open_socket(struct endpoint *at, const char *path, struct err *e)
{
    at->url = xstrdup("http://localhost/v1/chat/completions");
    if (strlen(path) < UNIX_BYTES) {
        at->socket = xstrdup(path);
        return true;
    }
    char *dir = path_dir(path);
    at->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool ok = at->dir_fd >= 0 || err_sys(e, "%s", dir);
    free(dir);
    if (!ok)
        return false;
    at->socket = xasprintf("/proc/self/fd/%d/%s", at->dir_fd,
                           path_base(path));
    return strlen(at->socket) < UNIX_BYTES ||
           err_set(e, ERR_INPUT, _("the socket's name is too long: %s"),
                   path_base(path));
}

static void open_url(struct endpoint *at, const char *url)
{
    size_t n = strlen(url);
    while (n && url[n - 1] == '/')
        n--;
    at->url = xasprintf("%.*s/chat/completions", (int)n, url);
    at->near = url_is_loopback(url);
}

bool endpoint_open(struct endpoint *at, const struct profile *p,
                   const char *socket, struct err *e)
{
    *at = (struct endpoint){.profile = p, .dir_fd = -1,
                            .model = p->model ? p->model : p->name,
                            .own = socket != NULL};
    if (!profile_check(p, e))
        return false;
    if (!socket && !p->url)
        return err_set(e, ERR_USAGE, _("teacher %s: its server has not been "
                                       "started"), p->name);
    if (!socket && !strncmp(p->url, "unix:", 5))
        socket = p->url + 5;
    at->near = socket != NULL;
    if (socket && !open_socket(at, socket, e))
        return false;
    if (!socket)
        open_url(at, p->url);
    return key_load(&at->key, p, e);
}

void endpoint_close(struct endpoint *at)
{
    key_free(&at->key);
    free(at->url);
    free(at->socket);
    if (at->dir_fd >= 0)
        close(at->dir_fd);
    *at = (struct endpoint){.dir_fd = -1};
}
