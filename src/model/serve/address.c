#include "model/serve/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"

enum { BACKLOG = 4096 }; /* who waits outside; the system may allow fewer */

/* ---- Unix sockets -------------------------------------------------------- */

/* The socket's address; where the path is too long for one, through a
 * descriptor of its folder (*dir, to be closed by the caller, else -1). */
static bool unix_address(const char *path, struct sockaddr_un *a, int *dir)
{
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    *dir = -1;
    size_t n = strlen(path);
    if (n < sizeof a->sun_path) {
        memcpy(a->sun_path, path, n);
        return true;
    }
    char *folder = path_dir(path);
    *dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (*dir < 0)
        return false;
    int len = snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/%s",
                       *dir, path_base(path));
    if (len > 0 && (size_t)len < sizeof a->sun_path)
        return true;
    close(*dir);
    *dir = -1;
    errno = ENAMETOOLONG;
    return false;
}

/* Connects or binds a new socket; -1 with errno. */
static int unix_socket(const char *path,
                       int (*act)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un a;
    int dir, fd = -1;
    if (!unix_address(path, &a, &dir))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = fd < 0 ? -1
                        : act(fd, (const struct sockaddr *)&a, sizeof a);
    int why = errno;
    if (failed && fd >= 0)
        close(fd);
    if (dir >= 0)
        close(dir);
    errno = why;
    return failed ? -1 : fd;
}

int unix_connect(const char *path)
{
    return unix_socket(path, connect);
}

/* A socket file that is there already: removed where nobody listens. */
static bool clear_stale(const char *path, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return true;
    if (!S_ISSOCK(st.st_mode))
        return err_set(e, ERR_REFUSED, _("%s is there and is no socket"),
                       path);
    int fd = unix_connect(path);
    if (fd >= 0) {
        close(fd);
        return err_set(e, ERR_BUSY, _("another server listens on %s"), path);
    }
    return unlink(path) == 0 || err_sys(e, _("cannot remove %s"), path);
}

static bool open_unix(const char *path, struct listener *l, struct err *e)
{
    if (!*path)
        return err_set(e, ERR_USAGE, _("unix: expected a path behind it"));
    if (!clear_stale(path, e))
        return false;
    mode_t mask = umask(0177);
    l->fd = unix_socket(path, bind);
    umask(mask);
    if (l->fd < 0)
        return err_sys(e, _("cannot listen on %s"), path);
    l->socket_path = xstrdup(path);
    if (listen(l->fd, BACKLOG) < 0)
        return err_sys(e, _("cannot listen on %s"), path);
    snprintf(l->text, sizeof l->text, "unix:%s", path);
    return true;
}

/* ---- TCP ----------------------------------------------------------------- */

static bool read_port(const char *s, in_port_t *out)
{
    char *end;
    unsigned long v = strtoul(s, &end, 10);
    *out = htons((uint16_t)v);
    return *s >= '0' && *s <= '9' && !*end && v <= 65535;
}

static bool refuse(const char *where, struct err *e)
{
    return err_set(e, ERR_USAGE, _("cannot listen on \"%.80s\": expected "
                                   "127.0.0.1:PORT, [::1]:PORT or unix:PATH; "
                                   "with --key-file also another ADDRESS:PORT "
                                   "of this machine"), where);
}

/* "HOST:PORT" with a loopback host, or with any. */
static bool tcp_address(const char *where, bool anywhere,
                        struct sockaddr_storage *a, socklen_t *len)
{
    char host[64];
    const char *colon = strrchr(where, ':');
    size_t n = colon ? (size_t)(colon - where) : 0;
    if (!n || n >= sizeof host)
        return false;
    memcpy(host, where, n);
    host[n] = '\0';
    *a = (struct sockaddr_storage){0};
    if (host[0] == '[' && host[n - 1] == ']') {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)a;
        six->sin6_family = AF_INET6;
        *len = sizeof *six;
        host[n - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1 &&
               (anywhere || IN6_IS_ADDR_LOOPBACK(&six->sin6_addr)) &&
               read_port(colon + 1, &six->sin6_port);
    }
    struct sockaddr_in *four = (struct sockaddr_in *)a;
    four->sin_family = AF_INET;
    *len = sizeof *four;
    if (!strcmp(host, "localhost"))
        four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (inet_pton(AF_INET, host, &four->sin_addr) != 1 ||
             (!anywhere && ntohl(four->sin_addr.s_addr) >> 24 != 127))
        return false;
    return read_port(colon + 1, &four->sin_port);
}

static void name_tcp(struct listener *l)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    char host[64] = "";
    if (getsockname(l->fd, (struct sockaddr *)&a, &len) < 0)
        return;
    if (a.ss_family == AF_INET6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(l->text, sizeof l->text, "[%s]:%u", host,
                 ntohs(six->sin6_port));
        return;
    }
    struct sockaddr_in *four = (struct sockaddr_in *)&a;
    inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
    snprintf(l->text, sizeof l->text, "%s:%u", host, ntohs(four->sin_port));
}

static bool open_tcp(const char *where, bool anywhere, struct listener *l,
                     struct err *e)
{
    struct sockaddr_storage a;
    socklen_t len;
    int on = 1;
    if (!tcp_address(where, anywhere, &a, &len))
        return refuse(where, e);
    l->fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 ||
        setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(l->fd, (struct sockaddr *)&a, len) < 0 ||
        listen(l->fd, BACKLOG) < 0)
        return err_sys(e, _("cannot listen on %s"), where);
    name_tcp(l);
    return true;
}

bool listener_open(const char *where, bool anywhere, struct listener *l,
                   struct err *e)
{
    *l = (struct listener){.fd = -1};
    bool ok = !strncmp(where, "unix:", 5)
                  ? open_unix(where + 5, l, e)
                  : open_tcp(where, anywhere, l, e);
    if (!ok && l->fd >= 0)
        close(l->fd);
    if (!ok)
        listener_close(l);
    return ok;
}

void listener_close(struct listener *l)
{
    if (l->socket_path)
        unlink(l->socket_path);
    free(l->socket_path);
    l->socket_path = NULL;
}
