#include "app/child.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/proc.h"
#include "jobs/env.h"

/* Starts a program; `in` is a descriptor or -1. */
static bool start(struct child *c, char *program, const char *const args[],
                  int in, bool keys, struct err *e)
{
    char **drop = keys ? NULL : env_secrets(NULL, NULL);
    VEC(const char *) argv = {0};
    VEC_PUSH(&argv, program);
    for (size_t i = 0; args[i]; i++)
        VEC_PUSH(&argv, args[i]);
    VEC_PUSH(&argv, NULL);
    c->out = tmpfile();
    int fd = c->out ? fileno(c->out) : -1;
    struct proc p = {.argv = argv.at, .in = in, .out = fd, .err = fd,
                     .drop_env = (const char *const *)drop};
    pid_t pid = c->out ? proc_start(&p, e)
                       : (err_sys(e, "tmpfile"), -1);
    c->pid = pid > 0 ? pid : 0;
    if (!c->pid && c->out)
        fclose(c->out);
    if (drop)
        proc_free_argv(drop);
    VEC_FREE(&argv);
    return c->pid != 0;
}

bool child_start(struct child *c, const char *const args[], bool keys,
                 struct err *e)
{
    char *dir = paths_program_dir(), *self = path_join(dir, "stillroom");
    bool ok = start(c, self, args, -1, keys, e);
    free(self);
    free(dir);
    return ok;
}

bool child_start_model(struct child *c, const char *const args[],
                       const char *input, struct err *e)
{
    char *program = paths_model_program();
    FILE *in = tmpfile();
    bool ok = program && in && fputs(input, in) >= 0 && fflush(in) == 0 &&
              lseek(fileno(in), 0, SEEK_SET) == 0;
    if (!ok)
        err_set(e, ERR_ABSENT, _("stillroom-model is not beside this "
                                 "program"));
    ok = ok && start(c, program, args, fileno(in), false, e);
    if (in)
        fclose(in);
    free(program);
    return ok;
}

/* Those that were told to stop and have not ended yet. */
static VEC(pid_t) stopped;

static void reap(void)
{
    size_t kept = 0;
    for (size_t i = 0; i < stopped.n; i++)
        if (waitpid(stopped.at[i], NULL, WNOHANG) == 0)
            stopped.at[kept++] = stopped.at[i];
    stopped.n = kept;
    if (!kept)
        VEC_FREE(&stopped);
}

bool child_ended(struct child *c, bool *ok, struct buf *out)
{
    char part[4096];
    size_t n;
    int status = 0;
    reap();
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
    VEC_PUSH(&stopped, c->pid);
    fclose(c->out);
    *c = (struct child){0};
}
