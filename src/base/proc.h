/* Child processes: always exec, never a shell, and never a key in the child's
 * environment. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct proc {
    const char *const *argv;      /* argv[0] is the file; looked up in PATH
                                     only where `search` */
    bool search;
    const char *const *drop_env;  /* names left out, NULL-ended; may be NULL */
    const char *const *set_env;   /* "NAME=value", NULL-ended; may be NULL */
    const char *cwd;              /* NULL: ours */
    int in, out, err;             /* descriptors; -1: /dev/null; -2: ours */
    bool session;                 /* a session of its own (setsid) */
    bool die_with_us;             /* SIGTERM when we end (Linux) */
};

/* Starts it; the pid, or -1 with the reason (an exec that fails is told). */
pid_t proc_start(const struct proc *p, struct err *e);

/* Waits; returns the exit status, or 128 + signal. */
int proc_wait(pid_t pid);

/* Runs it with `input` on its standard input (may be NULL) and appends at
 * most out->max bytes of its standard output. Its stderr goes to /dev/null.
 * Returns the exit status, or -1 with the reason. */
int proc_capture(const char *const argv[], const char *const drop_env[],
                 const char *input, struct buf *out, struct err *e);

/* True while a process with this pid exists. */
bool proc_alive(pid_t pid);

/* The start time of a process, field 22 of /proc/PID/stat, in clock ticks; 0
 * where there is no such process. With the pid it names a process for good. */
int64_t proc_born(pid_t pid);

/* A word as a shell reads it back: between single quotes, those in it
 * escaped. The caller frees. */
char *proc_quote(const char *word);

/* Splits a command line at blanks, with ' and " quoting, into a NULL-ended
 * argv; the caller frees with proc_free_argv. NULL where a quote is open. */
char **proc_split(const char *line);
void proc_free_argv(char **argv);

#endif
