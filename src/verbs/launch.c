#include "verbs/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/paths.h"
#include "jobs/job.h"
#include "store/job.h"
#include "teacher/profile.h"
#include "verbs/arrive.h"
#include "verbs/train.h"
#include "verbs/work.h"

/* ---- Jobs --------------------------------------------------------------- */

/* New attempts for what came to nothing, but where it would come too late. */
static bool repeat_failed(struct store *s, int64_t job, struct err *e)
{
    ids list;
    struct arrivals v;
    struct err ignored = {0};
    if (!call_ids_to_repeat(s, job, true, &list, e))
        return false;
    bool read = list.n && arrivals_open(&v, s, job, &ignored);
    bool ok = !list.n || store_begin(s, e);
    for (size_t i = 0; ok && i < list.n; i++) {
        struct call c;
        ok = call_get(s, list.at[i], &c, e);
        if (!ok)
            break;
        c.attempt++;
        ok = (read && arrive_too_late(&v, &c)) || call_add(s, &c, e) != 0;
        call_free(&c);
    }
    if (list.n)
        arrivals_close(&v);
    if (list.n)
        ok = ok ? store_commit(s, e) : (store_rollback(s), false);
    VEC_FREE(&list);
    return ok;
}

bool verb_start_job(struct store *s, int64_t job, bool again, struct err *e)
{
    char id[24];
    struct profiles ps = {0};
    struct job j;
    if (!job_get(s, job, &j, e))
        return false;
    if (!profiles_load(NULL, &ps, e)) {
        job_free(&j);
        return false;
    }
    char *dir = store_work_dir(s, "j", job), *program = paths_program_dir();
    const struct profile *p = j.teacher ? profile_find(&ps, j.teacher) : NULL;
    const char *keep[] = {p ? p->key_env : NULL, NULL};
    bool ok = !again || repeat_failed(s, job, e);
    bool saved = job_is_work(&j) && !strcmp(j.state, "done");
    snprintf(id, sizeof id, "%lld", (long long)job);
    char *self = path_join(program, "stillroom");
    char *store = realpath(store_path(s), NULL);
    const char *argv[] = {self, "job", id, "--store", store, NULL};
    struct job_plan plan = {.dir = dir, .argv = argv, .keep = keep};
    ok = ok && store_begin(s, e) &&
         (saved || job_set_state(s, job, "running", e) ? store_commit(s, e)
                                              : (store_rollback(s), false));
    ok = ok && job_start(&plan, e) > 0;
    free(self);
    free(store);
    free(program);
    free(dir);
    profiles_free(&ps);
    job_free(&j);
    return ok;
}

/* ---- Trainings ---------------------------------------------------------- */

void train_words(const struct train *t, struct train_words *w)
{
    w->n = 0;
    snprintf(w->seed, sizeof w->seed, "%lld", (long long)t->seed);
    snprintf(w->amount, sizeof w->amount, "%lld",
             (long long)(t->tokens ? t->tokens : t->epochs));
    snprintf(w->lora, sizeof w->lora, "%lld", (long long)t->lora);
    snprintf(w->rate, sizeof w->rate, "%.6g", t->rate);
    w->at[w->n++] = "--seed";
    w->at[w->n++] = w->seed;
    w->at[w->n++] = t->tokens ? "--tokens" : "--epochs";
    w->at[w->n++] = w->amount;
    if (!strcmp(t->student, "nano")) {
        w->at[w->n++] = "--from-scratch";
        return;
    }
    if (t->rate > 0) {
        w->at[w->n++] = "--rate";
        w->at[w->n++] = w->rate;
    }
    if (t->lora) {
        w->at[w->n++] = "--lora";
        w->at[w->n++] = w->lora;
    }
}

bool launch_run(struct store *s, int64_t id, bool resume, struct err *e)
{
    struct run r;
    if (!run_get(s, id, &r, e))
        return false;
    json *a = json_parse(r.args, strlen(r.args), e);
    char *dir = store_work_dir(s, "r", id), *program = paths_model_program();
    char *rows = path_join(dir, "rows.jsonl");
    char *valid = path_join(dir, "valid.jsonl");
    char *student = train_student_dir(s, &r);
    struct train t = {.student = r.student, .seed = r.seed,
                      .tokens = json_get_int(a, "tokens", 0),
                      .epochs = json_get_int(a, "epochs", 4),
                      .lora = json_get_int(a, "lora", 0),
                      .rate = json_get_number(a, "rate", 0)};
    struct train_words words;
    const char *argv[20] = {program, "train", student, "--rows", rows,
                            "--valid", valid, "--out", dir};
    size_t n = 9;
    train_words(&t, &words);
    for (size_t i = 0; i < words.n; i++)
        argv[n++] = words.at[i];
    if (resume)
        argv[n++] = "--resume";
    struct job_plan plan = {.dir = dir, .argv = argv};
    bool ok = program && job_start(&plan, e) > 0;
    if (!program)
        err_set(e, ERR_ABSENT, _("stillroom-model is not beside this "
                                 "program"));
    free(student);
    free(valid);
    free(rows);
    free(program);
    free(dir);
    json_free(a);
    run_free(&r);
    return ok;
}
