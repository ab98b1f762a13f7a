#include "verbs/purge.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "jobs/job.h"
#include "verbs/near.h"

/* What of a run's folder holds words; the figures and the model stay. */
static const char *const words_of_run[] = {"rows.jsonl", "valid.jsonl",
                                           "answers.jsonl"};

static bool refuse_running(struct store *s, const ids *runs, struct err *e)
{
    for (size_t i = 0; i < runs->n; i++) {
        char *dir = store_work_dir(s, "r", runs->at[i]);
        struct job_view v = job_look(dir);
        bool lives = v.state == JOB_RUNNING || v.state == JOB_STARTING;
        job_view_free(&v);
        free(dir);
        if (lives)
            return err_set(e, ERR_REFUSED, _("run r%lld trains on it: stop it "
                           "first (stillroom runs stop r%lld)"),
                           (long long)runs->at[i], (long long)runs->at[i]);
    }
    return true;
}

static bool delete_words(struct store *s, int64_t run, struct err *e)
{
    char *dir = store_work_dir(s, "r", run);
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT(words_of_run); i++) {
        char *path = path_join(dir, words_of_run[i]);
        ok = unlink(path) == 0 || !file_exists(path) ||
             err_sys(e, _("purged, but this stayed: %s"), path);
        free(path);
    }
    free(dir);
    return ok;
}

bool verb_purge(struct store *s, const char *who, const struct purge *p,
                bool really, struct purge_found *out, int64_t *seq,
                struct err *e)
{
    struct act a = {0};
    *out = (struct purge_found){0};
    if (!really)
        return purge_find(s, p, out, e);
    if (!act_begin(s, &a, "purge", who, "", 0, e))
        return false;
    *seq = a.seq;
    bool ok = purge_find(s, p, out, e) && refuse_running(s, &out->runs, e);
    if (ok && !out->texts.n)
        ok = err_set(e, ERR_REFUSED, _("there is nothing left to empty"));
    if (!ok || !purge_apply(&a, out, e)) {
        act_cancel(&a);
        return false;
    }
    ok = act_saved(act_commit(&a, e)) && near_files_remove(s, e);
    for (size_t i = 0; ok && i < out->runs.n; i++)
        ok = delete_words(s, out->runs.at[i], e);
    return ok;
}
