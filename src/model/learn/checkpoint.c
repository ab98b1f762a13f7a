#include "model/learn/checkpoint.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "model/net/safetensors.h"

enum { KEPT = 2 };

static char *path_of(const char *run, int64_t step)
{
    return xasprintf("%s/checkpoints/step-%08lld.safetensors", run,
                     (long long)step);
}

/* The step of a file name, -1 where it is none. */
static int64_t step_of(const char *name)
{
    long long step;
    int end = 0;
    if (sscanf(name, "step-%8lld.safetensors%n", &step, &end) != 1 || !end ||
        name[end])
        return -1;
    return step;
}

static int is_step(const struct dirent *d)
{
    return step_of(d->d_name) >= 0;
}

/* The steps that have a file, newest first, at most `max`. */
static size_t list(const char *run, int64_t *step, size_t max)
{
    char *dir = path_join(run, "checkpoints");
    struct dirent **entry = NULL;
    int n = scandir(dir, &entry, is_step, alphasort);
    size_t out = 0;
    for (int i = n - 1; i >= 0; i--) {
        if (out < max)
            step[out++] = step_of(entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    free(dir);
    return out;
}

bool checkpoint_save(const char *run, const struct checkpoint *c,
                     const char *note, struct err *e)
{
    char *dir = path_join(run, "checkpoints"), *path = path_of(run, c->step);
    const struct st_piece piece[] = {{"w", c->w, c->n, 0, false, NULL, NULL},
                                     {"m", c->m, c->n, 0, false, NULL, NULL},
                                     {"v", c->v, c->n, 0, false, NULL, NULL}};
    bool ok = dir_make(dir, 0700, e) &&
              st_write(path, piece, COUNT(piece), note, e);
    free(dir);
    free(path);
    int64_t step[64];
    size_t n = ok ? list(run, step, COUNT(step)) : 0;
    for (size_t i = KEPT; i < n; i++) {
        path = path_of(run, step[i]);
        unlink(path);
        free(path);
    }
    return ok;
}

bool checkpoint_best(const char *run, const struct checkpoint *c,
                     const char *note, struct err *e)
{
    char *dir = path_join(run, "checkpoints");
    char *path = path_join(dir, "best.safetensors");
    const struct st_piece piece = {"w", c->w, c->n, 0, false, NULL, NULL};
    bool ok = dir_make(dir, 0700, e) && st_write(path, &piece, 1, note, e);
    free(dir);
    free(path);
    return ok;
}

json *checkpoint_find(const char *run, int64_t *step, struct err *e)
{
    int64_t all[KEPT + 2];
    size_t n = list(run, all, COUNT(all));
    json *note = NULL;
    if (!n)
        err_set(e, ERR_ABSENT, _("%s: no checkpoint in it"), run);
    for (size_t i = 0; i < n && !note; i++) {
        char *path = path_of(run, all[i]);
        struct st_file f;
        if (st_open(&f, path, e) && f.note)
            note = json_parse(f.note, strlen(f.note), e);
        st_close(&f);
        free(path);
        *step = all[i];
    }
    return note;
}

static bool read_one(const struct st_file *f, const char *name, size_t n,
                     float *out, struct err *e)
{
    const struct st_tensor *t = st_find(f, name);
    if (!t || t->count != n)
        return err_set(e, ERR_INPUT, _("%s: not a checkpoint of this student"),
                       f->path);
    return st_read(f, t, out, e);
}

bool checkpoint_load_best(const char *run, struct checkpoint *c,
                          struct err *e)
{
    char *dir = path_join(run, "checkpoints");
    char *path = path_join(dir, "best.safetensors");
    struct st_file f;
    bool ok = st_open(&f, path, e) && read_one(&f, "w", c->n, c->w, e);
    json *note = ok && f.note ? json_parse(f.note, strlen(f.note), NULL)
                              : NULL;
    c->step = json_get_int(note, "step", 0);
    json_free(note);
    st_close(&f);
    free(path);
    free(dir);
    return ok;
}

bool checkpoint_load(const char *run, struct checkpoint *c, struct err *e)
{
    char *path = path_of(run, c->step);
    struct st_file f;
    bool ok = st_open(&f, path, e) && read_one(&f, "w", c->n, c->w, e) &&
              read_one(&f, "m", c->n, c->m, e) &&
              read_one(&f, "v", c->n, c->v, e);
    st_close(&f);
    free(path);
    return ok;
}
