/* The end of a job or a training, said on row 23 once: what came of it, or
 * why it ended. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "base/lang.h"
#include "jobs/job.h"
#include "store/job.h"
#include "store/run.h"
#include "verbs/train.h"
#include "verbs/work.h"

/* Jobs are 2 * id, trainings 2 * id + 1, as in Runs. */
static struct job_view look(struct app *a, int64_t key)
{
    char *dir = store_work_dir(a->s, key % 2 ? "r" : "j", key / 2);
    struct job_view v = job_look(dir);
    free(dir);
    return v;
}

static bool is_living(const struct job_view *v)
{
    return v->state == JOB_RUNNING || v->state == JOB_STARTING;
}

static bool has(const ids *v, int64_t key)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->at[i] == key)
            return true;
    return false;
}

void news_start(struct app *a)
{
    ids jobs = {0}, runs = {0};
    a->last_job = job_last_id(a->s);
    a->last_run = run_last_id(a->s);
    job_ids_running(a->s, &jobs, NULL);
    run_ids_running(a->s, &runs, NULL);
    for (size_t i = 0; i < jobs.n + runs.n; i++) {
        int64_t key = i < jobs.n ? 2 * jobs.at[i]
                                 : 2 * runs.at[i - jobs.n] + 1;
        struct job_view v = look(a, key);
        if (is_living(&v))
            VEC_PUSH(&a->living, key);
        job_view_free(&v);
    }
    VEC_FREE(&jobs);
    VEC_FREE(&runs);
}

/* Those that were begun since, however soon they ended. */
static void watch_new(struct app *a)
{
    int64_t job = job_last_id(a->s), run = run_last_id(a->s);
    while (a->last_job < job)
        VEC_PUSH(&a->living, 2 * ++a->last_job);
    while (a->last_run < run)
        VEC_PUSH(&a->living, 2 * ++a->last_run + 1);
}

/* "84 new, 9 rejected" of a job; "exact 53%" of a training. */
static void figures(const struct job *j, const json *status, char *out,
                    size_t cap)
{
    const json *n = json_get(status, "figures");
    char two[16];
    int64_t passed = json_get_int(n, "passed", 0);
    double exact = train_exact(status), loss = train_held_out(status);
    *out = '\0';
    if (j && j->kind && !strcmp(j->kind, "rank"))
        snprintf(out, cap, P_("%lld answer rated", "%lld answers rated",
                              (unsigned long)passed), (long long)passed);
    else if (j)
        snprintf(out, cap, _("%lld passed, %lld rejected"), (long long)passed,
                 (long long)json_get_int(n, "rejected", 0));
    else if (!isnan(exact))
        snprintf(out, cap, _("exact %.0f%%"), 100 * exact);
    else if (!isnan(loss))
        snprintf(out, cap, _("held-out loss %s"),
                 lang_number(two, sizeof two, loss, 2));
}

static void say(struct app *a, int64_t key, const struct job *j,
                const struct job_view *v)
{
    char name[24], what[200];
    const char *state = json_get_string(v->status, "state", "");
    const char *why = json_get_string(v->status, "error", NULL);
    snprintf(name, sizeof name, "%c%lld", key % 2 ? 'r' : 'j',
             (long long)(key / 2));
    figures(j, v->status, what, sizeof what);
    if (v->state != JOB_ENDED)
        app_say(a, _("%s was interrupted; R in 5 goes on with it"), name);
    else if (!strcmp(state, "done"))
        app_say(a, *what ? _("%s done: %s") : _("%s done"), name, what);
    else if (why)
        app_say(a, _("%s %s: %s"), name, _(state), why);
    else
        app_say(a, "%s %s", name, _(state));
}

/* Imports and bulk acts that were begun here say more by themselves. */
static bool is_own_work(struct app *a, int64_t key, const struct job *j)
{
    return j && job_is_work(j) && has(&a->works, key / 2);
}

void news_forget(struct app *a, int64_t key)
{
    size_t left = 0;
    for (size_t i = 0; i < a->living.n; i++)
        if (a->living.at[i] != key)
            a->living.at[left++] = a->living.at[i];
    a->living.n = left;
}

bool news_tick(struct app *a)
{
    size_t left = 0;
    bool said = false;
    if (app_acknowledges(a))
        return false;
    watch_new(a);
    for (size_t i = 0; i < a->living.n; i++) {
        int64_t key = a->living.at[i];
        struct job_view v = look(a, key);
        struct job j = {0};
        bool job = key % 2 == 0 && job_get(a->s, key / 2, &j, NULL);
        if (is_living(&v)) {
            a->living.at[left++] = key;
        } else if (!is_own_work(a, key, job ? &j : NULL)) {
            say(a, key, job ? &j : NULL, &v);
            said = true;
        }
        job_free(&j);
        job_view_free(&v);
    }
    a->living.n = left;
    return said;
}

/* ---- What lives --------------------------------------------------------- */

/* Percent, and of a job what it may spend yet: up to its limit, or as much
 * more as its calls so far cost. */
static void look_at_job(struct app *a, int64_t id, const json *status,
                        struct living *l)
{
    const json *n = json_get(status, "figures");
    double all = json_get_number(n, "calls", 0);
    double done = all - json_get_number(n, "planned", 0) -
                  json_get_number(n, "sent", 0);
    double cost = json_get_number(n, "cost", 0), more;
    struct job j;
    l->percent = all > 0 ? (int64_t)(100 * done / all) : 0;
    if (!job_get(a->s, id, &j, NULL))
        return;
    more = !isnan(j.spend_max) ? j.spend_max - cost
           : done > 0          ? cost / done * (all - done)
                               : 0;
    if (more > l->spends) {
        l->spends = more;
        snprintf(l->spender, sizeof l->spender, "j%lld", (long long)id);
    }
    job_free(&j);
}

static void look_at_run(int64_t id, const json *status, struct living *l)
{
    double steps = json_get_number(status, "steps", 0);
    int threads = (int)json_get_int(status, "threads", 0);
    l->percent = steps > 0 ? (int64_t)(100 * json_get_number(status, "step", 0)
                                       / steps)
                           : 0;
    if (threads > l->threads) {
        l->threads = threads;
        snprintf(l->holder, sizeof l->holder, "r%lld", (long long)id);
    }
}

bool runs_look(struct app *a)
{
    struct living *l = &a->runs.living, was = *l;
    *l = (struct living){.cores = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    watch_new(a);
    for (size_t i = 0; i < a->living.n; i++) {
        int64_t key = a->living.at[i];
        struct job_view v = look(a, key);
        if (is_living(&v)) {
            l->running++;
            if (key % 2)
                look_at_run(key / 2, v.status, l);
            else
                look_at_job(a, key / 2, v.status, l);
            l->percent = l->percent ? l->percent : 1;
        }
        job_view_free(&v);
    }
    return l->running != was.running || l->percent != was.percent;
}
