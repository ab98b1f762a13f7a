#include "verbs/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/status.h"
#include "jobs/job.h"
#include "jobs/model.h"
#include "store/seed.h"
#include "verbs/launch.h"
#include "verbs/rows.h"

/* ---- The snapshot ------------------------------------------------------- */

/* The accepted samples of a split, ascending. */
static bool named(struct store *s, const struct train *t, enum split split,
                  ids *out, struct err *e)
{
    char *narrow = xasprintf("status:accepted split:%s", split_name(split));
    bool ok = pick_ids(s, t->target, narrow, t->filter, out, e);
    free(narrow);
    return ok;
}

static const char *teacher_body(const struct sample *x)
{
    for (size_t i = 0; i < x->candidates.n; i++)
        if (x->candidates.at[i].source == SOURCE_TEACHER)
            return x->candidates.at[i].body;
    return NULL;
}

/* A row as the model program reads it. */
static void write_row(const struct pick *p, bool with_teacher,
                      struct buf *out)
{
    const char *teacher = with_teacher ? teacher_body(&p->x) : NULL;
    buf_printf(out, "{\"id\":%lld,\"prompt\":%s,\"answer\":%s",
               (long long)p->x.id, p->x.prompt, p->answer->body);
    if (teacher)
        buf_printf(out, ",\"teacher\":%s", teacher);
    buf_puts(out, "}\n");
}

/* Writes at most `most` rows of one split to DIR/name and, with a run, its
 * members. */
static bool write_rows(struct store *s, const ids *which, size_t most,
                       const char *dir, const char *name, int64_t run,
                       int split, struct err *e)
{
    struct buf b = BUF_INIT((size_t)1 << 30);
    char *path = path_join(dir, name);
    ids some = {which->at, which->n < most ? which->n : most, 0};
    struct pick p = {.s = s, .ids = &some};
    bool ok = true;
    int64_t row = 0;
    while (ok && pick_next(&p, e)) {
        if (!p.answer)
            continue;
        write_row(&p, split == SPLIT_VALID, &b);
        struct member m = {"run", "sft", run, ++row, p.x.id, p.answer->id,
                           split, NULL};
        ok = !run || member_add(s, &m, e);
    }
    ok = ok && !p.failed &&
         (buf_ok(&b) || err_set(e, ERR_MEMORY, _("out of memory"))) &&
         file_replace(path, buf_str(&b), b.len, 0600, true, e);
    pick_done(&p);
    free(path);
    buf_free(&b);
    return ok;
}

/* At most TRAIN_HELD_OUT by hash, not the first ones. */
static int by_hash(const void *a, const void *b)
{
    uint64_t x = (uint64_t)*(const int64_t *)a * 0x9e3779b97f4a7c15u;
    uint64_t y = (uint64_t)*(const int64_t *)b * 0x9e3779b97f4a7c15u;
    return x < y ? -1 : x > y;
}

bool verb_train_estimate(struct store *s, const struct train *t,
                         struct train_estimate *out, struct err *e)
{
    ids train = {0}, valid = {0};
    bool ok = named(s, t, SPLIT_TRAIN, &train, e) &&
              named(s, t, SPLIT_VALID, &valid, e);
    *out = (struct train_estimate){(int64_t)train.n, (int64_t)valid.n};
    VEC_FREE(&train);
    VEC_FREE(&valid);
    return ok;
}

/* ---- nano --------------------------------------------------------------- */

char *train_nano_dir(struct store *s, int64_t target)
{
    return xasprintf("%s/nano/t%lld", store_runs_dir(s), (long long)target);
}

/* The seeds of the train split that have an answer. */
static bool write_seeds(struct store *s, int64_t target, struct buf *out,
                        struct err *e)
{
    struct filter f;
    struct seed x;
    ids seeds = {0};
    bool ok = filter_parse("split:train", &f, e);
    ok = ok && seed_ids(s, target, &f, &seeds, e);
    filter_free(&f);
    for (size_t i = 0; ok && i < seeds.n; i++) {
        if (!seed_get(s, seeds.at[i], &x, NULL))
            continue;
        if (x.answer)
            buf_printf(out, "{\"id\":%zu,\"prompt\":%s,"
                       "\"answer\":%s}\n",
                       i + 1, x.prompt, x.answer);
        seed_free(&x);
    }
    VEC_FREE(&seeds);
    return ok;
}

/* The rows that nano's tokenizer is trained on: the train seeds and all train
 * samples of the target. */
static bool write_nano_rows(struct store *s, int64_t target,
                            const char *dir, struct err *e)
{
    struct buf b = BUF_INIT((size_t)1 << 30);
    ids samples = {0};
    struct pick p = {.s = s, .ids = &samples};
    char *path = path_join(dir, "rows.jsonl");
    bool ok = write_seeds(s, target, &b, e) &&
              pick_ids(s, target, "split:train", "", &samples, e);
    while (ok && pick_next(&p, e))
        if (p.answer)
            write_row(&p, false, &b);
    ok = ok && !p.failed &&
         (buf_ok(&b) || err_set(e, ERR_MEMORY, _("out of memory"))) &&
         dir_make(dir, 0700, e) &&
         file_replace(path, buf_str(&b), b.len, 0600, false, e);
    pick_done(&p);
    buf_free(&b);
    VEC_FREE(&samples);
    free(path);
    return ok;
}

static bool new_nano(struct store *s, int64_t target, const char *dir,
                     int64_t seed, struct err *e)
{
    char number[24];
    char *work = xasprintf("%s.rows", dir);
    char *rows = path_join(work, "rows.jsonl");
    snprintf(number, sizeof number, "%lld", (long long)seed);
    const char *args[] = {"new", dir, "--rows", rows, "--seed", number, NULL};
    struct buf out = BUF_INIT(65536);
    bool ok = write_nano_rows(s, target, work, e) &&
              model_run(args, NULL, &out, e);
    buf_free(&out);
    if (file_exists(work)) /* the words stay in the store alone */
        ok = dir_remove(work, ok ? e : NULL) && ok;
    free(rows);
    free(work);
    return ok;
}

bool train_make_nano(struct store *s, int64_t target, int64_t seed,
                     struct err *e)
{
    char *dir = train_nano_dir(s, target);
    char *config = path_join(dir, "config.json");
    bool ok = file_exists(config) || new_nano(s, target, dir, seed, e);
    free(config);
    free(dir);
    return ok;
}

char *train_student_dir(struct store *s, const struct run *r)
{
    return !strcmp(r->student, "nano") ? train_nano_dir(s, r->target)
                                       : xstrdup(r->student);
}

char *train_newest_student(struct store *s, int64_t target)
{
    ids all = {0};
    char *dir = NULL;
    struct run r;
    if (run_ids(s, target, &all, NULL) && all.n &&
        run_get(s, all.at[0], &r, NULL)) {
        dir = train_student_dir(s, &r);
        run_free(&r);
    }
    VEC_FREE(&all);
    dir = dir ? dir : train_nano_dir(s, target);
    char *config = path_join(dir, "config.json");
    if (!file_exists(config)) {
        free(dir);
        dir = NULL;
    }
    free(config);
    return dir;
}

/* ---- The model program -------------------------------------------------- */

/* The folder of a student that is a GGUF file: converted once into
 * NAME.runs/students, under its name, size and time. NULL with the reason. */
static char *converted(struct store *s, const char *file,
                       const struct stat *st, struct err *e)
{
    char *name = xasprintf("%s-%llx-%llx", path_base(file),
                           (unsigned long long)st->st_size,
                           (unsigned long long)st->st_mtime);
    char *all = path_join(store_runs_dir(s), "students");
    char *dir = path_join(all, name), *config = path_join(dir, "config.json");
    const char *args[] = {"convert", file, dir, NULL};
    struct buf out = BUF_INIT(65536);
    bool ok = file_exists(config) ||
              (dir_make(all, 0700, e) && model_run(args, NULL, &out, e));
    if (!ok) {
        free(dir);
        dir = NULL;
    }
    buf_free(&out);
    free(name);
    free(all);
    free(config);
    return dir;
}

/* "nano", or the folder that is trained; the caller frees. */
static char *folder_of(struct store *s, const char *student, struct err *e)
{
    struct stat st;
    if (strcmp(student, "nano") && stat(student, &st) == 0 &&
        S_ISREG(st.st_mode))
        return converted(s, student, &st, e);
    return xstrdup(student);
}

/* ---- Starting ----------------------------------------------------------- */

/* The rate that is asked for, or the usual one. */
static double rate_of(const struct train *t)
{
    return t->rate > 0 ? t->rate : t->lora ? TRAIN_RATE_LORA : TRAIN_RATE;
}

static int64_t record(struct store *s, const struct train *t, struct err *e)
{
    struct buf args = BUF_INIT(0);
    struct jw w = jw_start(&args);
    jw_open(&w, '{');
    jw_kint(&w, "tokens", t->tokens);
    jw_kint(&w, "epochs", t->epochs ? t->epochs : 4);
    if (t->lora)
        jw_kint(&w, "lora", t->lora);
    if (strcmp(t->student, "nano"))
        jw_knum(&w, "rate", rate_of(t));
    jw_close(&w);
    struct run r = {.target = t->target, .as_of = store_seq(s),
                    .seed = t->seed,
                    .filter = (char *)(uintptr_t)t->filter,
                    .student = (char *)(uintptr_t)t->student,
                    .objective = (char *)(uintptr_t)"sft",
                    .args = (char *)(uintptr_t)buf_str(&args)};
    int64_t id = run_add(s, &r, e);
    buf_free(&args);
    return id;
}

/* The folder of a run that is not in the store: the words stay there alone.
 * Where that cannot be looked up it is left. */
static void unfreeze(struct store *s, int64_t id, const char *dir)
{
    struct run r = {0};
    struct err why = {0};
    if (id && !run_get(s, id, &r, &why) && why.code == ERR_ABSENT &&
        file_exists(dir))
        dir_remove(dir, NULL);
    run_free(&r);
}

/* Run, members and snapshot in one transaction; the folder is new. */
static int64_t freeze(struct store *s, const struct train *t,
                      const ids *train, const ids *valid, struct err *e)
{
    if (!store_begin(s, e))
        return 0;
    int64_t id = record(s, t, e);
    char *dir = store_work_dir(s, "r", id);
    bool ok = id && dir_make(dir, 0700, e) &&
              write_rows(s, train, SIZE_MAX, dir, "rows.jsonl", id,
                         SPLIT_TRAIN, e) &&
              write_rows(s, valid, TRAIN_HELD_OUT, dir, "valid.jsonl", id,
                         SPLIT_VALID, e);
    ok = ok && store_commit(s, e);
    if (!ok) {
        store_rollback(s);
        unfreeze(s, id, dir);
    }
    free(dir);
    return ok ? id : 0;
}

/* The rows of the two splits, the held-out ones in the order of a hash. */
static bool find_rows(struct store *s, const struct train *t, ids *train,
                      ids *valid, struct err *e)
{
    if (!named(s, t, SPLIT_TRAIN, train, e) ||
        !named(s, t, SPLIT_VALID, valid, e))
        return false;
    if (valid->n)
        qsort(valid->at, valid->n, sizeof *valid->at, by_hash);
    return train->n || err_set(e, ERR_REFUSED, _("nothing of the train split "
                                                 "is accepted yet"));
}

/* Makes nano where it is asked for and not there. */
static bool have_nano(struct store *s, const struct train *t, struct err *e)
{
    if (strcmp(t->student, "nano"))
        return true;
    return t->lora ? err_set(e, ERR_REFUSED, _("nano begins from nothing: all "
                                               "its weights are trained"))
                   : train_make_nano(s, t->target, t->seed, e);
}

static bool write_cost_rows(struct store *s, const char *dir,
                            const ids *train, const ids *valid, struct err *e)
{
    return dir_make(dir, 0700, e) &&
           write_rows(s, train, SIZE_MAX, dir, "rows.jsonl", 0, SPLIT_TRAIN,
                      e) &&
           write_rows(s, valid, TRAIN_HELD_OUT, dir, "valid.jsonl", 0,
                      SPLIT_VALID, e);
}

static bool ask_cost(const struct train *t, const char *student,
                     const char *dir, struct buf *out, struct err *e)
{
    char *rows = path_join(dir, "rows.jsonl");
    char *valid = path_join(dir, "valid.jsonl");
    struct train_words words;
    const char *argv[20] = {"train", student, "--rows", rows, "--valid",
                            valid, "--estimate"};
    size_t n = 7;
    train_words(t, &words);
    for (size_t i = 0; i < words.n; i++)
        argv[n++] = words.at[i];
    bool ok = model_run(argv, NULL, out, e);
    free(rows);
    free(valid);
    return ok;
}

bool verb_train_cost(struct store *s, const struct train *t, struct buf *out,
                     struct err *e)
{
    ids train = {0}, valid = {0};
    struct train here = *t;
    char *dir = xasprintf("%s/estimate.%ld", store_runs_dir(s),
                          (long)getpid());
    char *student = NULL, *folder = NULL;
    char *earlier = xasprintf("%s/estimate.", store_runs_dir(s));
    dir_sweep(earlier, NULL); /* of some that were killed */
    free(earlier);
    here.epochs = t->epochs ? t->epochs : 4;
    here.rate = rate_of(t);
    bool ok = find_rows(s, t, &train, &valid, e) && have_nano(s, t, e) &&
              (student = folder_of(s, t->student, e));
    if (ok) {
        struct run r = {.student = student, .target = t->target};
        folder = train_student_dir(s, &r);
        ok = write_cost_rows(s, dir, &train, &valid, e) &&
             ask_cost(&here, folder, dir, out, e);
    }
    if (file_exists(dir)) /* the words stay in the store alone */
        ok = dir_remove(dir, ok ? e : NULL) && ok;
    VEC_FREE(&train);
    VEC_FREE(&valid);
    free(student);
    free(folder);
    free(dir);
    return ok;
}

int64_t verb_train(struct store *s, const struct train *t, struct err *e)
{
    ids train = {0}, valid = {0};
    int64_t id = 0;
    struct train here = *t;
    char *student = NULL;
    if (find_rows(s, t, &train, &valid, e) && have_nano(s, t, e))
        student = folder_of(s, t->student, e);
    if (student) {
        here.student = student;
        id = freeze(s, &here, &train, &valid, e);
    }
    if (id && !launch_run(s, id, false, e)) {
        struct err ignored;
        if (store_begin(s, &ignored) &&
            run_set_state(s, id, "failed", NULL, &ignored))
            store_commit(s, &ignored);
        else
            store_rollback(s);
        id = 0;
    }
    free(student);
    VEC_FREE(&train);
    VEC_FREE(&valid);
    return id;
}

bool verb_train_resume(struct store *s, int64_t run, struct err *e)
{
    struct run r;
    if (!run_get(s, run, &r, e))
        return false;
    bool done = !strcmp(r.state, "done");
    run_free(&r);
    if (done)
        return err_set(e, ERR_REFUSED,
                       _("r%lld is done: there is nothing to go on with"),
                       (long long)run);
    return launch_run(s, run, true, e) && store_begin(s, e) &&
           (run_set_state(s, run, "running", NULL, e)
                ? store_commit(s, e)
                : (store_rollback(s), false));
}

/* ---- What a run's status says ------------------------------------------- */

double train_held_out(const json *status)
{
    return json_get_int(status, "held_out", 0) < TRAIN_LEAST
               ? NAN
               : json_get_number(status, "held_out_loss", NAN);
}

double train_exact(const json *status)
{
    int64_t held = json_get_int(status, "held_out", 0);
    return json_get_int(status, "marked", held) < TRAIN_LEAST
               ? NAN
               : json_get_number(status, "exact", NAN);
}

char *train_tale(const json *n)
{
    struct buf b = BUF_INIT(0);
    int64_t steps = json_get_int(n, "steps", 0);
    const char *why = json_get_string(n, "why", NULL);
    double loss = json_get_number(n, "loss", NAN);
    if (steps || !why)
        buf_printf(&b, _("step %lld of %lld"),
                   (long long)json_get_int(n, "step", 0), (long long)steps);
    if (isfinite(loss))
        buf_printf(&b, _(", loss %.3f"), loss);
    if (isfinite(train_held_out(n)))
        buf_printf(&b, _(", held out %.3f"), train_held_out(n));
    else if (steps && json_get_int(n, "held_out", 0) < TRAIN_LEAST)
        buf_printf(&b, _(", under %d held-out rows: no figure is shown"),
                   TRAIN_LEAST);
    if (isfinite(train_exact(n)))
        buf_printf(&b, _(", exact %.0f%%"), 100 * train_exact(n));
    if (why)
        buf_printf(&b, "%s%s", b.len ? ": " : "", why);
    return buf_take(&b);
}

/* ---- Collecting --------------------------------------------------------- */

/* The last line of DIR/log, without the program's name; NULL where there is
 * none. The caller frees. */
static char *last_word(const char *dir)
{
    static const char who[] = "stillroom-model: ";
    char *path = path_join(dir, "log"), *last = NULL;
    struct lines l;
    if (file_exists(path) && lines_open(&l, path, 4096, NULL)) {
        while (lines_next(&l, NULL))
            if (l.line.len) {
                free(last);
                last = xstrdup(buf_str(&l.line));
            }
        lines_close(&l);
    }
    free(path);
    if (last && !strncmp(last, who, sizeof who - 1))
        memmove(last, last + sizeof who - 1, strlen(last) - sizeof who + 2);
    return last;
}

/* A training that ended before it said a word: its status says so for it. */
static void bury(const char *dir, struct job_view *v)
{
    const char *state = json_get_string(v->status, "state", "");
    int lock = v->state == JOB_INTERRUPTED && !strcmp(state, "starting")
                   ? status_lock(dir, NULL)
                   : -1;
    if (lock < 0)
        return;
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    char *why = last_word(dir);
    jw_open(&w, '{');
    jw_kstr(&w, "state", "failed");
    jw_kstr(&w, "why", why ? why : _("the training ended before it began, "
                                     "without a word"));
    jw_close(&w);
    status_write(dir, &b, NULL);
    free(why);
    buf_free(&b);
    close(lock);
    job_view_free(v);
    *v = job_look(dir);
}

/* The figures that a run keeps: its status with what it ended with. */
static char *figures_of(const json *status)
{
    struct buf b = BUF_INIT(0);
    json_print(&b, status);
    return buf_take(&b);
}

bool verb_train_collect(struct store *s)
{
    ids all;
    bool changed = false;
    if (!run_ids(s, 0, &all, NULL))
        return false;
    for (size_t i = 0; i < all.n; i++) {
        struct run r;
        struct err e;
        if (!run_get(s, all.at[i], &r, NULL))
            continue;
        bool open = !strcmp(r.state, "running");
        run_free(&r);
        if (!open)
            continue;
        char *dir = store_work_dir(s, "r", all.at[i]);
        struct job_view v = job_look(dir);
        bury(dir, &v);
        if (v.state == JOB_ENDED && store_begin(s, &e)) {
            char *figures = figures_of(v.status);
            const char *state = json_get_string(v.status, "state", "failed");
            if (run_set_state(s, all.at[i], state, figures, &e))
                changed = store_commit(s, &e) || changed;
            else
                store_rollback(s);
            free(figures);
        }
        job_view_free(&v);
        free(dir);
    }
    VEC_FREE(&all);
    return changed;
}
