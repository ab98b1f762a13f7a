#include "jobs/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/status.h"
#include "jobs/env.h"

#define REPORT_MS 250

/* ---- Status -------------------------------------------------------------- */

static bool write_status(const char *dir, const char *state, pid_t pid,
                         const char *error, const char *figures,
                         struct err *e)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kstr(&w, "state", state);
    if (pid) {
        jw_kint(&w, "pid", pid);
        jw_kint(&w, "born", proc_born(pid));
    }
    jw_kint(&w, "at", clock_now());
    if (error)
        jw_kstr(&w, "error", error);
    if (figures) {
        jw_key(&w, "figures");
        jw_raw(&w, figures);
    }
    jw_close(&w);
    bool ok = status_write(dir, &b, e);
    buf_free(&b);
    return ok;
}

/* ---- Starting ------------------------------------------------------------ */

static int open_log(const char *dir, struct err *e)
{
    char *path = path_join(dir, "log");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                  0600);
    if (fd < 0)
        err_sys(e, _("cannot write %s"), path);
    free(path);
    return fd;
}

/* Starts the program with the lock as an inherited descriptor. */
static pid_t start_with(const struct job_plan *plan, int lock, int log,
                        struct err *e)
{
    int handed = dup(lock); /* the same lock; this one survives the exec */
    if (handed < 0) {
        err_sys(e, _("cannot start %s"), plan->argv[0]);
        return -1;
    }
    char *variable = xasprintf(STATUS_LOCK_VARIABLE "=%d", handed);
    char **drop = env_secrets(plan->also_drop, plan->keep);
    const char *set[] = {variable, NULL};
    struct proc p = {.argv = plan->argv, .set_env = set, .in = -1,
                     .drop_env = (const char *const *)drop, .out = log,
                     .err = log, .session = true};
    pid_t pid = proc_start(&p, e);
    proc_free_argv(drop);
    free(variable);
    close(handed);
    return pid;
}

pid_t job_start(const struct job_plan *plan, struct err *e)
{
    if (!dir_make(plan->dir, 0700, e))
        return -1;
    int lock = status_lock(plan->dir, e);
    if (lock < 0)
        return -1;
    pid_t pid = -1;
    int log = open_log(plan->dir, e);
    if (log >= 0 && write_status(plan->dir, "starting", 0, NULL, NULL, e))
        pid = start_with(plan, lock, log, e);
    if (log >= 0)
        close(log);
    close(lock);
    return pid;
}

/* ---- Watching ------------------------------------------------------------ */

static bool is_live(const char *state)
{
    return !strcmp(state, "running") || !strcmp(state, "starting");
}

/* What a status can say; all else is junk. */
static bool is_word(const char *state)
{
    static const char *const words[] = {"starting", "running", "done",
                                        "failed", "stopped", "interrupted"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcmp(words[i], state))
            return true;
    return false;
}

static bool has_status(const char *dir)
{
    char *path = path_join(dir, "status.json");
    bool there = file_exists(path);
    free(path);
    return there;
}

static enum job_state judge(const char *dir, const char *state, bool locked)
{
    if (state ? !is_word(state) : has_status(dir))
        return JOB_JUNK;
    if (!state)
        return locked ? JOB_STARTING : JOB_NONE;
    if (!is_live(state))
        return JOB_ENDED;
    if (!locked)
        return JOB_INTERRUPTED;
    return *state == 'r' ? JOB_RUNNING : JOB_STARTING;
}

struct job_view job_look(const char *dir)
{
    struct job_view v = {0};
    /* The lock first: a job that ends in between is then seen as running
     * once more, never as interrupted. */
    bool locked = status_locked(dir);
    v.status = status_read(dir, NULL);
    v.state = judge(dir, json_get_string(v.status, "state", NULL), locked);
    if (v.state == JOB_JUNK) {
        json_free(v.status);
        v.status = NULL;
    }
    v.pid = (pid_t)json_get_int(v.status, "pid", 0);
    if (v.state == JOB_INTERRUPTED) { /* it ended between the two looks? */
        json *again = status_read(dir, NULL);
        if (!is_live(json_get_string(again, "state", "running")))
            v.state = JOB_ENDED;
        json_free(v.status);
        v.status = again;
    }
    if (!locked && v.pid > 0)
        waitpid(v.pid, NULL, WNOHANG); /* where it was a child of ours */
    return v;
}

void job_view_free(struct job_view *v)
{
    json_free(v->status);
    *v = (struct job_view){0};
}

/* A pid is only believed where the process is as old as the status says. */
static bool is_same(pid_t pid, const json *status)
{
    int64_t born = json_get_int(status, "born", 0);
    return !born || proc_born(pid) == born;
}

static bool stop_view(const struct job_view *v, const char *dir,
                      struct err *e)
{
    if (v->state == JOB_STARTING || (v->state == JOB_RUNNING && v->pid <= 1))
        return err_set(e, ERR_BUSY, _("%s is just starting"), dir);
    if (v->state != JOB_RUNNING || !is_same(v->pid, v->status))
        return err_set(e, ERR_ABSENT, _("%s is not running"), dir);
    if (kill(v->pid, SIGTERM) == 0)
        return true;
    if (errno == ESRCH)
        return err_set(e, ERR_ABSENT, _("%s is not running"), dir);
    return err_sys(e, _("cannot stop %s"), dir);
}

const char *job_state_word(const struct job_view *v, const char *recorded)
{
    switch (v->state) {
    case JOB_STARTING: return "starting";
    case JOB_RUNNING: return "running";
    case JOB_INTERRUPTED: return "interrupted";
    case JOB_JUNK: return strcmp(recorded, "running") ? recorded : JUNK_WORD;
    case JOB_NONE:
    case JOB_ENDED: break;
    }
    return !strcmp(recorded, "running") ? "interrupted" : recorded;
}

bool job_stop(const char *dir, struct err *e)
{
    struct job_view v = job_look(dir);
    bool ok = stop_view(&v, dir, e);
    job_view_free(&v);
    return ok;
}

/* ---- Being one ----------------------------------------------------------- */

/* The lock goes with the process: a state that says running is then seen as
 * interrupted, with the reason. */
static void say_why(void *ctx, const char *why)
{
    const struct job_self *j = ctx;
    write_status(j->dir, "running", getpid(), why, NULL, NULL);
}

bool job_begin(struct job_self *j, const char *dir, struct err *e)
{
    *j = (struct job_self){.lock = status_take(dir, e)};
    if (j->lock < 0)
        return false;
    j->dir = xstrdup(dir);
    last_act_add(say_why, j);
    return job_report(j, NULL, true, e);
}

bool job_report(struct job_self *j, const char *figures, bool now,
                struct err *e)
{
    int64_t mono = clock_mono();
    if (!now && mono - j->told < REPORT_MS)
        return true;
    j->told = mono;
    return write_status(j->dir, "running", getpid(), NULL, figures, e);
}

bool job_end(struct job_self *j, const char *state, const char *error,
             const char *figures, struct err *e)
{
    last_act_remove(j);
    bool ok = write_status(j->dir, state, getpid(), error, figures, e);
    close(j->lock);
    free(j->dir);
    *j = (struct job_self){.lock = -1};
    return ok;
}
