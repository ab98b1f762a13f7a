#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"

extern char **environ;

static bool has_name(const char *entry, const char *name)
{
    size_t n = strcspn(name, "=");
    return !strncmp(entry, name, n) && entry[n] == '=';
}

static bool named_in(const char *entry, const char *const *names)
{
    for (size_t i = 0; names && names[i]; i++)
        if (has_name(entry, names[i]))
            return true;
    return false;
}

/* Our environment without the dropped names and with the set ones; the array
 * is allocated, its strings are borrowed. */
static char **child_env(const struct proc *p)
{
    VEC(char *) env = {0};
    for (char **e = environ; *e; e++)
        if (!named_in(*e, p->drop_env) && !named_in(*e, p->set_env))
            VEC_PUSH(&env, *e);
    for (size_t i = 0; p->set_env && p->set_env[i]; i++)
        VEC_PUSH(&env, (char *)(uintptr_t)p->set_env[i]);
    VEC_PUSH(&env, NULL);
    return env.at;
}

static void child_fd(int want, int target)
{
    if (want == -2)
        return;
    int fd = want >= 0 ? want : open("/dev/null", O_RDWR);
    if (fd < 0)
        return;
    if (fd == target)
        fcntl(fd, F_SETFD, 0);
    else
        dup2(fd, target);
}

/* In the child, after fork: never returns. */
static void run_child(const struct proc *p, char **env, int report, pid_t up)
{
    if (p->session)
        setsid();
    if (p->die_with_us) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != up)
            _exit(127);
    }
    child_fd(p->in, 0);
    child_fd(p->out, 1);
    child_fd(p->err, 2);
    for (int s = 1; s < 32; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!p->cwd || chdir(p->cwd) == 0) {
        char **argv = (char **)(uintptr_t)p->argv;
        if (p->search)
            execvpe(argv[0], argv, env);
        else
            execve(argv[0], argv, env);
    }
    int why = errno;
    ssize_t ignored = write(report, &why, sizeof why);
    (void)ignored;
    _exit(127);
}

pid_t proc_start(const struct proc *p, struct err *e)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) {
        err_sys(e, _("cannot start %s"), p->argv[0]);
        return -1;
    }
    char **env = child_env(p);
    pid_t up = getpid(), pid = fork();
    if (pid == 0)
        run_child(p, env, report[1], up);
    free(env);
    close(report[1]);
    int why = pid < 0 ? errno : 0;
    if (pid > 0)
        while (read(report[0], &why, sizeof why) < 0 && errno == EINTR)
            ;
    close(report[0]);
    if (!why)
        return pid;
    if (pid > 0)
        proc_wait(pid);
    errno = why;
    err_sys(e, _("cannot start %s"), p->argv[0]);
    return -1;
}

int proc_wait(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 127;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Feeds `input` and collects output until the child closes its end. */
static bool converse(int to, int from, const char *input, struct buf *out)
{
    size_t left = input ? strlen(input) : 0;
    bool ok = true;
    for (;;) {
        if (to >= 0 && !left) {
            close(to);
            to = -1;
        }
        struct pollfd fds[2] = {{from, POLLIN, 0}, {to, POLLOUT, 0}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (to >= 0 && fds[1].revents) {
            ssize_t n = write(to, input, left < 4096 ? left : 4096);
            left = n > 0 ? left - (size_t)n : 0;
            input += n > 0 ? n : 0;
        }
        if (fds[0].revents) {
            char chunk[8192];
            ssize_t n = read(from, chunk, sizeof chunk);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                break;
            ok = buf_add(out, chunk, (size_t)n) && ok;
        }
    }
    if (to >= 0)
        close(to);
    return ok;
}

int proc_capture(const char *const argv[], const char *const drop_env[],
                 const char *input, struct buf *out, struct err *e)
{
    int in[2] = {-1, -1}, from[2] = {-1, -1};
    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) {
        if (in[0] >= 0) {
            close(in[0]);
            close(in[1]);
        }
        err_sys(e, _("cannot start %s"), argv[0]);
        return -1;
    }
    struct proc p = {.argv = argv, .search = !strchr(argv[0], '/'),
                     .drop_env = drop_env, .in = in[0], .out = from[1],
                     .err = -1};
    pid_t pid = proc_start(&p, e);
    close(in[0]);
    close(from[1]);
    bool ok = true;
    if (pid > 0)
        ok = converse(in[1], from[0], input, out);
    else
        close(in[1]);
    close(from[0]);
    if (pid < 0)
        return -1;
    int status = proc_wait(pid);
    if (!ok) {
        err_set(e, ERR_INPUT, _("%s wrote too much"), argv[0]);
        return -1;
    }
    return status;
}

bool proc_alive(pid_t pid)
{
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

char *proc_quote(const char *word)
{
    struct buf b = BUF_INIT(0);
    buf_putc(&b, '\'');
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            buf_puts(&b, "'\\'");
        buf_putc(&b, *p);
    }
    buf_putc(&b, '\'');
    return buf_take(&b);
}

char **proc_split(const char *line)
{
    VEC(char *) argv = {0};
    struct buf word = BUF_INIT(0);
    char quote = 0;
    bool in_word = false;
    for (const char *p = line;; p++) {
        if (!*p || (!quote && strchr(" \t\n", *p))) {
            if (in_word)
                VEC_PUSH(&argv, buf_take(&word));
            in_word = false;
            if (!*p)
                break;
        } else if (quote ? *p == quote : *p == '"' || *p == '\'') {
            quote = quote ? 0 : *p;
            in_word = true;
        } else {
            buf_putc(&word, *p);
            in_word = true;
        }
    }
    VEC_PUSH(&argv, NULL);
    buf_free(&word);
    if (quote || argv.n == 1) {
        proc_free_argv(argv.at);
        return NULL;
    }
    return argv.at;
}

void proc_free_argv(char **argv)
{
    for (size_t i = 0; argv && argv[i]; i++)
        free(argv[i]);
    free(argv);
}

int64_t proc_born(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    char *at = strrchr(text, ')'); /* the name may hold anything */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoll(at, NULL, 10) : 0;
}
