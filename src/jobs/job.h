/* Processes that outlive a screen. A job has a folder; while it lives it
 * holds the folder's lock, says where it is in status.json and writes what it
 * prints to `log`. Whoever starts it takes the lock first and hands it over,
 * so a job is never started twice and never seen as dead while it is being
 * born.
 *
 * status.json: {"state":"running","pid":N,"born":N,"at":N,"error":"...",
 * "figures":{...}}; `born` is the process's start time in clock ticks, `at`
 * milliseconds since 1970. Only state and pid are needed here, so what
 * stillroom-model writes is watched alike.
 */
#ifndef JOBS_JOB_H
#define JOBS_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

/* ---- The starter's side -------------------------------------------------- */

struct job_plan {
    const char *dir;              /* made where it is missing, 0700 */
    const char *const *argv;      /* argv[0] is the program's path */
    const char *const *also_drop; /* variables, as env_secrets has them */
    const char *const *keep;      /* its own teacher's key_env */
};

/* Starts it in a session of its own, stdin from /dev/null, the rest to
 * DIR/log. Returns its pid, or -1: ERR_BUSY where the job lives already. */
pid_t job_start(const struct job_plan *plan, struct err *e);

enum job_state {
    JOB_NONE,        /* no status and nobody there */
    JOB_STARTING,    /* locked, and nothing said yet */
    JOB_RUNNING,
    JOB_INTERRUPTED, /* it says running, but the lock is free */
    JOB_ENDED,       /* it said how: status' "state" is done, failed ... */
    JOB_JUNK         /* there is a status, but not one of ours */
};

/* The word for JOB_JUNK, untranslated. */
#define JUNK_WORD N_("unreadable")

struct job_view {
    enum job_state state;
    pid_t pid;    /* 0 where not known */
    json *status; /* owned; NULL where there is none that can be read */
};

/* Looks at a job, never waits. The caller frees with job_view_free. */
struct job_view job_look(const char *dir);
void job_view_free(struct job_view *v);
/* Its state in a word: what the folder says while the job lives or where it
 * was cut short, else what the store has recorded of it. */
const char *job_state_word(const struct job_view *v, const char *recorded);

/* Asks it to stop (SIGTERM). ERR_ABSENT where it does not live, ERR_BUSY
 * where it has not said its pid yet. */
bool job_stop(const char *dir, struct err *e);

/* ---- The job's side ------------------------------------------------------ */

struct job_self {
    char *dir;
    int lock;
    int64_t told; /* clock_mono of the last report */
};

/* Takes the lock, or takes it over from the starter, and reports running. */
bool job_begin(struct job_self *j, const char *dir, struct err *e);
/* Writes the status; `figures` is a JSON object or NULL. At most four times a
 * second: what comes sooner is left out, unless `now`. */
bool job_report(struct job_self *j, const char *figures, bool now,
                struct err *e);
/* The last status ("done", "failed", "stopped"; `error` may be NULL), then
 * the lock is given back. */
bool job_end(struct job_self *j, const char *state, const char *error,
             const char *figures, struct err *e);

#endif
