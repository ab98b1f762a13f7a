#include "store/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "domain/status.h"
#include "store/db.h"

void run_free(struct run *r)
{
    free(r->filter);
    free(r->student);
    free(r->objective);
    free(r->args);
    free(r->state);
    free(r->figures);
    *r = (struct run){0};
}

int64_t run_add(struct store *s, const struct run *r, struct err *e)
{
    return log_add(s, SEAL_RUN, e, "isisssibsiIs", r->target, r->filter,
                   r->as_of, r->student, r->objective, r->args, r->seed, NULL,
                   (size_t)0, "running", clock_now(), (int64_t)0, NULL);
}

bool run_get(struct store *s, int64_t id, struct run *out, struct err *e)
{
    struct rows r;
    *out = (struct run){0};
    if (!db_query(s, &r, e, "SELECT target, as_of, seed, started, ended,"
                  " filter, student, objective, args_json, state,"
                  " figures_json FROM run WHERE id = ?1", "i", id))
        return false;
    bool found = rows_next(&r, e);
    if (found)
        *out = (struct run){id, rows_int(&r, 0), rows_int(&r, 1),
                            rows_int(&r, 2), rows_int(&r, 3),
                            rows_int(&r, 4), rows_copy(&r, 5),
                            rows_copy(&r, 6), rows_copy(&r, 7),
                            rows_copy(&r, 8), rows_copy(&r, 9),
                            rows_copy(&r, 10)};
    rows_done(&r);
    return found || err_set(e, ERR_ABSENT, _("there is no run r%lld"),
                            (long long)id);
}

bool run_set_state(struct store *s, int64_t id, const char *state,
                   const char *figures, struct err *e)
{
    bool over = strcmp(state, "running") != 0;
    int64_t ended = over ? clock_now() : 0;
    return figures ? log_set(s, SEAL_RUN, id, "state ended figures_json", e,
                             "sIs", state, ended, figures)
                   : log_set(s, SEAL_RUN, id, "state ended", e, "sI", state,
                             ended);
}

int64_t run_rows(struct store *s, int64_t id)
{
    return db_int(s, 0, "SELECT count(*) FROM member WHERE kind = 'run'"
                  " AND owner = ?1 AND split = ?2", "ii", id,
                  (int64_t)SPLIT_TRAIN);
}

bool run_ids(struct store *s, int64_t target, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM run WHERE ?1 = 0 OR target = ?1"
                  " ORDER BY id DESC", "i", target);
}

bool run_ids_running(struct store *s, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM run WHERE state = 'running'"
                  " ORDER BY id", "");
}

int64_t run_last_id(struct store *s)
{
    return db_int(s, 0, "SELECT max(id) FROM run", "");
}

bool member_add(struct store *s, const struct member *m, struct err *e)
{
    return log_add(s, SEAL_MEMBER, e, "sisiiiib", m->kind, m->owner,
                   m->shape, m->row, (int64_t)m->split, m->sample,
                   m->candidate, m->hash, (size_t)MEMBER_HASH) != 0;
}
