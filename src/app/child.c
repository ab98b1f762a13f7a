#include "app/child.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/proc.h"
#include "jobs/env.h"

bool child_start(struct child *c, const char *const args[], bool keys,
                 struct err *e)
{
    char *dir = paths_program_dir(), *self = path_join(dir, "stillroom");
    char **drop = keys ? NULL : env_secrets(NULL, NULL);
    VEC(const char *) argv = {0};
    VEC_PUSH(&argv, self);
    for (size_t i = 0; args[i]; i++)
        VEC_PUSH(&argv, args[i]);
    VEC_PUSH(&argv, NULL);
    c->out = tmpfile();
    int fd = c->out ? fileno(c->out) : -1;
    struct proc p = {.argv = argv.at, .in = -1, .out = fd, .err = fd,
                     .drop_env = (const char *const *)drop};
    pid_t pid = c->out ? proc_start(&p, e)
                       : (err_sys(e, "tmpfile"), -1);
    c->pid = pid > 0 ? pid : 0;
    if (!c->pid && c->out)
        fclose(c->out);
    if (drop)
        proc_free_argv(drop);
    VEC_FREE(&argv);
    free(self);
    free(dir);
    return c->pid != 0;
}

bool child_ended(struct child *c, bool *ok, struct buf *out)
{
    char part[4096];
    size_t n;
    int status = 0;
    if (!c->pid || waitpid(c->pid, &status, WNOHANG) == 0)
        return false;
    *ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    rewind(c->out);
    while ((n = fread(part, 1, sizeof part, c->out)) > 0)
        buf_add(out, part, n);
    fclose(c->out);
    *c = (struct child){0};
    return true;
}

void child_stop(struct child *c)
{
    if (!c->pid)
        return;
    kill(c->pid, SIGTERM);
    fclose(c->out);
    *c = (struct child){0};
}
