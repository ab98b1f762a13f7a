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

/* ---- The sum of a file's numbers ---------------------------------------- */

/* Eight sums side by side, so that they are as fast as memory: a bit that has
 * changed on the disk is seen, which is all that is asked. */
struct sum {
    uint64_t lane[8];
    size_t at;
};

static void sum_add(struct sum *s, const void *data, size_t words)
{
    const uint32_t *w = data;
    for (size_t i = 0; i < words; i++, s->at++) {
        uint64_t *lane = &s->lane[s->at % 8];
        *lane = (*lane ^ w[i]) * 0x9e3779b97f4a7c15u + 1;
    }
}

static uint64_t sum_end(const struct sum *s)
{
    uint64_t all = s->at;
    for (int i = 0; i < 8; i++)
        all = (all ^ s->lane[i]) * 0xd1342543de82ef95u + (all >> 29);
    return all;
}

/* Of the note, behind its own sum; it goes in by whole words. */
static void sum_note(struct sum *s, const char *rest)
{
    size_t n = strlen(rest);
    char *words = xcalloc(n / 4 + 1, 4);
    memcpy(words, rest, n);
    sum_add(s, words, n / 4 + 1);
    free(words);
}

static uint64_t sum_of(const char *rest, const struct st_piece *piece, size_t n)
{
    struct sum s = {{0}, 0};
    sum_note(&s, rest);
    for (size_t i = 0; i < n; i++)
        sum_add(&s, piece[i].data, piece[i].rows);
    return sum_end(&s);
}

#define SUM_HEAD "{\"sum\":\""
enum { SUM_LENGTH = sizeof SUM_HEAD - 1 + 16 + 2 };

/* The note, a JSON object, with the sum as its first member; the caller
 * frees. */
static char *with_sum(const char *note, const struct st_piece *piece, size_t n)
{
    return xasprintf(SUM_HEAD "%016llx\",%s",
                     (unsigned long long)sum_of(note + 1, piece, n), note + 1);
}

/* Whether note and numbers come to the sum that the note has. */
static bool is_whole(const struct st_file *f, const json *note)
{
    const char *want = json_get_string(note, "sum", NULL);
    char got[17];
    struct sum s = {{0}, 0};
    if (want && strlen(f->note) > SUM_LENGTH)
        sum_note(&s, f->note + SUM_LENGTH);
    uint32_t part[1 << 14];
    ssize_t n = 0;
    for (off_t at = (off_t)f->data;
         want && (n = pread(f->fd, part, sizeof part, at)) > 0; at += n)
        sum_add(&s, part, (size_t)n / sizeof *part);
    snprintf(got, sizeof got, "%016llx", (unsigned long long)sum_end(&s));
    return !want || (!n && !strcmp(got, want));
}

/* The note of an open file whose numbers are those that were written. */
static json *read_note(const struct st_file *f, struct err *e)
{
    json *note = f->note ? json_parse(f->note, strlen(f->note), e) : NULL;
    if (note && is_whole(f, note))
        return note;
    json_free(note);
    err_set(e, ERR_INPUT, _("%s is damaged"), f->path);
    return NULL;
}

/* ---- Files -------------------------------------------------------------- */

bool checkpoint_save(const char *run, const struct checkpoint *c,
                     const char *note, struct err *e)
{
    char *dir = path_join(run, "checkpoints"), *path = path_of(run, c->step);
    const struct st_piece piece[] = {{"w", c->w, c->n, 0, false, NULL, NULL},
                                     {"m", c->m, c->n, 0, false, NULL, NULL},
                                     {"v", c->v, c->n, 0, false, NULL, NULL}};
    char *summed = with_sum(note, piece, COUNT(piece));
    bool ok = dir_make(dir, 0700, e) &&
              st_write(path, piece, COUNT(piece), summed, e);
    free(summed);
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
    char *summed = with_sum(note, &piece, 1);
    bool ok = dir_make(dir, 0700, e) && st_write(path, &piece, 1, summed, e);
    free(summed);
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
        if (st_open(&f, path, e))
            note = read_note(&f, e);
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
    json *note = st_open(&f, path, e) ? read_note(&f, e) : NULL;
    bool ok = note && read_one(&f, "w", c->n, c->w, e);
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
