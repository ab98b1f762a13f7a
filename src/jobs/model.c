#include "jobs/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/proc.h"
#include "jobs/env.h"

/* What a file without a name holds. */
static void read_back(FILE *f, struct buf *out)
{
    char part[4096];
    size_t n;
    rewind(f);
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_add(out, part, n);
}

/* The three files of a run; the input is there to be read. */
struct files {
    FILE *in, *said, *why;
};

static bool open_files(struct files *f, const char *input, struct err *e)
{
    *f = (struct files){tmpfile(), tmpfile(), tmpfile()};
    return (f->in && f->said && f->why && fputs(input ? input : "", f->in) >= 0
            && fflush(f->in) == 0 && (rewind(f->in), true)) ||
           err_sys(e, "tmpfile");
}

static void close_files(struct files *f)
{
    FILE *const all[] = {f->in, f->said, f->why};
    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i])
            fclose(all[i]);
}

/* The exit code, or -1 with the reason. */
static int run(char *program, const char *const args[], const struct files *f,
               struct err *e)
{
    VEC(const char *) argv = {0};
    VEC_PUSH(&argv, program);
    for (size_t i = 0; args[i]; i++)
        VEC_PUSH(&argv, args[i]);
    VEC_PUSH(&argv, NULL);
    char **drop = env_secrets(NULL, NULL);
    struct proc p = {.argv = argv.at, .die_with_us = true,
                     .drop_env = (const char *const *)drop,
                     .in = fileno(f->in), .out = fileno(f->said),
                     .err = fileno(f->why)};
    pid_t pid = proc_start(&p, e);
    proc_free_argv(drop);
    VEC_FREE(&argv);
    return pid > 0 ? proc_wait(pid) : -1;
}

/* Its first line of complaint, without its name. */
static void complain(const struct files *f, const char *what, int code,
                     struct err *e)
{
    static const char name[] = "stillroom-model: ";
    struct buf text = BUF_INIT(4000);
    read_back(f->why, &text);
    const char *line = buf_str(&text);
    if (!strncmp(line, name, sizeof name - 1))
        line += sizeof name - 1;
    int n = (int)strcspn(line, "\n");
    if (n)
        err_set(e, ERR_INPUT, "%.*s", n, line);
    else
        err_set(e, ERR_SYSTEM, _("stillroom-model %s failed (%d)"), what,
                code);
    buf_free(&text);
}

bool model_run(const char *const args[], const char *input, struct buf *out,
               struct err *e)
{
    char *program = paths_model_program();
    struct files f;
    if (!program)
        return err_set(e, ERR_ABSENT, _("stillroom-model is not beside this "
                                        "program"));
    int code = open_files(&f, input, e) ? run(program, args, &f, e) : -1;
    if (code > 0)
        complain(&f, args[0], code, e);
    if (f.said)
        read_back(f.said, out);
    close_files(&f);
    free(program);
    return code == 0 && (buf_ok(out) || err_set(e, ERR_MEMORY,
                                                _("out of memory")));
}
