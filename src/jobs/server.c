#include "jobs/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/proc.h"
#include "base/sig.h"
#include "jobs/env.h"

#define PATIENCE_MS 120000
#define GOODBYE_MS 2000 /* from SIGTERM to SIGKILL */
#define NAP_MS 20

struct server {
    pid_t pid;
    bool ended;
    char *folder; /* of the socket, where it is ours to remove; or NULL */
    char *socket;
    char *address; /* the socket under a name that fits in an address */
    int dir_fd;    /* what that name goes through, or -1 */
    char *log;
};

/* ---- Where the socket stands --------------------------------------------- */

/* Removes the stillroom-PID folders that kill -9 left beside ours. */
static void sweep(const char *runtime)
{
    char *parent = path_dir(runtime);
    char *prefix = path_join(parent, "stillroom-");
    dir_sweep(prefix, NULL);
    free(prefix);
    free(parent);
}

/* Makes our own folder; it must be new or ours alone. */
static bool make_folder(const char *path, struct err *e)
{
    struct stat st;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_sys(e, _("cannot make the folder %s"), path);
    if (lstat(path, &st) < 0)
        return err_sys(e, "%s", path);
    if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
        !(st.st_mode & 077))
        return true;
    return err_set(e, ERR_REFUSED, _("%s is not a folder of ours alone"),
                   path);
}

/* A path over 107 bytes is reached through a descriptor of its folder, which
 * the server inherits under the same number. */
static bool shorten(struct server *s, const char *dir, struct err *e)
{
    struct sockaddr_un at;
    if (strlen(s->socket) < sizeof at.sun_path) {
        s->address = xstrdup(s->socket);
        return true;
    }
    s->dir_fd = open(dir, O_PATH | O_DIRECTORY);
    if (s->dir_fd < 0)
        return err_sys(e, "%s", dir);
    s->address = xasprintf("/proc/self/fd/%d/%s", s->dir_fd,
                           path_base(s->socket));
    return true;
}

static bool place(struct server *s, const char *job_dir, struct err *e)
{
    s->folder = paths_runtime();
    if (s->folder) {
        sweep(s->folder);
        if (!make_folder(s->folder, e))
            return false;
    }
    static int number; /* a job may need more than one */
    const char *dir = s->folder ? s->folder : job_dir;
    s->socket = xasprintf("%s/server-%d.sock", dir, ++number);
    unlink(s->socket);
    return shorten(s, dir, e);
}

/* ---- Starting ------------------------------------------------------------ */

typedef VEC(char *) words;

static void add_word(words *argv, const char *word)
{
    const char *home = getenv("HOME");
    if (!strncmp(word, "~/", 2) && home)
        VEC_PUSH(argv, path_join(home, word + 2));
    else
        VEC_PUSH(argv, xstrdup(word));
}

/* The command with the listening address behind it; NULL-ended, NULL where
 * the line cannot be read. Free with proc_free_argv. */
static char **command(const struct server_plan *plan, const char *address,
                      struct err *e)
{
    char **line = proc_split(plan->line);
    if (!line) {
        err_set(e, ERR_INPUT, _("serve cannot be read: %s"), plan->line);
        return NULL;
    }
    bool ours = !strcmp(line[0], "stillroom-model");
    char *program = ours ? paths_model_program() : NULL;
    if (ours && !program) {
        proc_free_argv(line);
        err_set(e, ERR_ABSENT, _("stillroom-model is not installed beside "
                                 "this program"));
        return NULL;
    }
    words argv = {0};
    add_word(&argv, program ? program : line[0]);
    for (size_t i = 1; line[i]; i++)
        add_word(&argv, line[i]);
    add_word(&argv, "--listen");
    VEC_PUSH(&argv, xasprintf("unix:%s", address));
    if (ours && plan->recipes) {
        add_word(&argv, "--recipes");
        add_word(&argv, plan->recipes);
    }
    VEC_PUSH(&argv, NULL);
    free(program);
    proc_free_argv(line);
    return argv.at;
}

static bool launch(struct server *s, char **argv, struct err *e)
{
    int log = open(s->log,
                   O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                   0600);
    if (log < 0)
        return err_sys(e, _("cannot write %s"), s->log);
    char **drop = env_secrets(NULL, NULL);
    struct proc p = {.argv = (const char *const *)argv,
                     .search = !strchr(argv[0], '/'),
                     .drop_env = (const char *const *)drop, .in = -1,
                     .out = log, .err = log, .die_with_us = true};
    s->pid = proc_start(&p, e);
    proc_free_argv(drop);
    close(log);
    if (s->dir_fd >= 0)
        fcntl(s->dir_fd, F_SETFD, FD_CLOEXEC);
    return s->pid > 0;
}

/* ---- Waiting for its first answer ---------------------------------------- */

static int dial(const char *address)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, address, strlen(address) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* True where a GET of /v1/models is answered with 200. */
static bool answers(const char *address)
{
    static const char get[] = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\n\r\n";
    char reply[12] = "";
    size_t n = 0;
    int fd = dial(address);
    if (fd < 0)
        return false;
    struct pollfd p = {fd, POLLIN, 0};
    if (fd_write_all(fd, get, sizeof get - 1)) {
        while (n < sizeof reply && poll(&p, 1, 1000) > 0) {
            ssize_t got = read(fd, reply + n, sizeof reply - n);
            if (got <= 0)
                break;
            n += (size_t)got;
        }
    }
    close(fd);
    return n == sizeof reply && !memcmp(reply, "HTTP/1.", 7) &&
           !memcmp(reply + 8, " 200", 4);
}

/* True where a signal waits to be read; it is left there. */
static bool signalled(void)
{
    struct pollfd p = {sig_fd(), POLLIN, 0};
    return p.fd >= 0 && poll(&p, 1, 0) > 0;
}

/* The last line of the log that says anything; the caller frees. */
static char *last_words(const struct server *s)
{
    struct buf b = BUF_INIT((size_t)1 << 20);
    file_read(s->log, b.max, &b, NULL);
    while (b.len && strchr(" \t\r\n", b.data[b.len - 1]))
        buf_drop(&b, 1);
    const char *text = buf_str(&b), *line = strrchr(text, '\n');
    char *copy = xstrdup(*text ? line ? line + 1 : text : _("no word"));
    buf_free(&b);
    return copy;
}

static bool wait_ready(struct server *s, int patience_ms, struct err *e)
{
    int64_t until = clock_mono() + (patience_ms ? patience_ms : PATIENCE_MS);
    while (!answers(s->address)) {
        if (!server_alive(s)) {
            char *why = last_words(s);
            err_set(e, ERR_NET, _("the server ended before it answered: "
                                  "%.300s"), why);
            free(why);
            return false;
        }
        if (signalled())
            return err_set(e, ERR_CANCEL, _("stopped while the server was "
                                            "starting"));
        if (clock_mono() > until)
            return err_set(e, ERR_NET, _("the server gives no answer; its "
                                         "log is %s"), s->log);
        clock_sleep(NAP_MS);
    }
    return true;
}

/* ---- The face ------------------------------------------------------------ */

struct server *server_start(const struct server_plan *plan, struct err *e)
{
    struct server *s = xcalloc(1, sizeof *s);
    s->dir_fd = -1;
    s->log = path_join(plan->job_dir, "server.log");
    char **argv = NULL;
    bool ok = place(s, plan->job_dir, e) &&
              (argv = command(plan, s->address, e)) && launch(s, argv, e) &&
              wait_ready(s, plan->patience_ms, e);
    proc_free_argv(argv);
    if (!ok)
        server_stop(&s);
    return s;
}

const char *server_socket(const struct server *s)
{
    return s->socket;
}

bool server_alive(struct server *s)
{
    if (!s->ended && s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) != 0)
        s->ended = true;
    return s->pid > 0 && !s->ended;
}

static void end_process(struct server *s)
{
    if (!server_alive(s))
        return;
    kill(s->pid, SIGTERM);
    int64_t until = clock_mono() + GOODBYE_MS;
    while (server_alive(s) && clock_mono() < until)
        clock_sleep(5);
    if (!server_alive(s))
        return;
    kill(s->pid, SIGKILL);
    proc_wait(s->pid);
}

void server_stop(struct server **sp)
{
    struct server *s = *sp;
    if (!s)
        return;
    end_process(s);
    if (s->socket)
        unlink(s->socket);
    if (s->folder)
        rmdir(s->folder);
    if (s->dir_fd >= 0)
        close(s->dir_fd);
    free(s->folder);
    free(s->socket);
    free(s->address);
    free(s->log);
    free(s);
    *sp = NULL;
}
