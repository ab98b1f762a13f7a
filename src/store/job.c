#include "store/job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "store/db.h"
#include "store/text.h"

#define STATE_NAME(id, name) name,
static const char *const state_names[] = {CALL_STATES(STATE_NAME)};

const char *call_state_name(enum call_state c) { return state_names[c]; }

/* ---- Jobs --------------------------------------------------------------- */

void job_free(struct job *j)
{
    free(j->kind);
    free(j->recipe_name);
    free(j->teacher);
    free(j->who);
    free(j->args);
    free(j->state);
    *j = (struct job){0};
}

int64_t job_add(struct store *s, const struct job *j, struct err *e)
{
    return log_add(s, SEAL_JOB, e, "sIIsssdsiI", j->kind, j->target,
                   j->recipe, j->teacher, j->who, j->args, j->spend_max,
                   "running", clock_now(), (int64_t)0);
}

bool job_get(struct store *s, int64_t id, struct job *out, struct err *e)
{
    struct rows r;
    *out = (struct job){0};
    if (!db_query(s, &r, e, "SELECT j.target, j.recipe, j.started, j.ended,"
                  " rc.version, j.spend_max, j.live, j.kind, rc.name,"
                  " j.teacher, j.who, j.args_json, j.state FROM job j"
                  " LEFT JOIN recipe rc ON rc.id = j.recipe"
                  " WHERE j.id = ?1", "i", id))
        return false;
    bool found = rows_next(&r, e);
    if (found)
        *out = (struct job){id, rows_int(&r, 0), rows_int(&r, 1),
                            rows_int(&r, 2), rows_int(&r, 3),
                            rows_int(&r, 4),
                            rows_null(&r, 5) ? NAN : rows_double(&r, 5),
                            rows_int(&r, 6), rows_copy(&r, 7),
                            rows_copy(&r, 8), rows_copy(&r, 9),
                            rows_copy(&r, 10), rows_copy(&r, 11),
                            rows_copy(&r, 12)};
    rows_done(&r);
    return found || err_set(e, ERR_ABSENT, _("there is no job j%lld"),
                            (long long)id);
}

bool job_set_state(struct store *s, int64_t id, const char *state,
                   struct err *e)
{
    bool over = strcmp(state, "running") != 0;
    return log_set(s, SEAL_JOB, id, "state ended", e, "sI", state,
                   over ? clock_now() : (int64_t)0);
}

bool job_set_target(struct store *s, int64_t id, int64_t target,
                    struct err *e)
{
    return log_set(s, SEAL_JOB, id, "target", e, "I", target);
}

static bool collect(struct rows *r, ids *out, struct err *e)
{
    while (rows_next(r, e))
        VEC_PUSH(out, rows_int(r, 0));
    rows_done(r);
    return !r->failed;
}

bool job_ids(struct store *s, int64_t target, ids *out, struct err *e)
{
    struct rows r;
    *out = (ids){0};
    return db_query(s, &r, e, "SELECT id FROM job WHERE ?1 = 0 OR target = ?1"
                    " ORDER BY id DESC", "i", target) &&
           collect(&r, out, e);
}

bool job_ids_done(struct store *s, int64_t target, const char *recipe,
                  const char *teacher, size_t n, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT j.id FROM job j JOIN recipe r"
                  " ON r.id = j.recipe WHERE j.target = ?1 AND r.name = ?2"
                  " AND j.teacher = ?3 AND j.state = 'done'"
                  " ORDER BY j.id DESC LIMIT ?4", "issi", target, recipe,
                  teacher, (int64_t)n);
}

bool job_ids_running(struct store *s, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM job WHERE state = 'running'"
                  " ORDER BY id", "");
}

int64_t job_last_id(struct store *s)
{
    return db_int(s, 0, "SELECT max(id) FROM job", "");
}

int64_t recipe_row(struct store *s, const char *name, int64_t version,
                   const char *file, struct err *e)
{
    int64_t text = text_puts(s, file, e);
    if (!text)
        return 0;
    int64_t id = db_int(s, 0, "SELECT id FROM recipe WHERE name = ?1"
                        " AND file_text = ?2", "si", name, text);
    return id ? id : log_add(s, SEAL_RECIPE, e, "sii", name, version, text);
}

char *recipe_file(struct store *s, int64_t recipe)
{
    return text_get(s, db_int(s, 0, "SELECT file_text FROM recipe"
                              " WHERE id = ?1", "i", recipe), NULL);
}

/* ---- Calls -------------------------------------------------------------- */

void call_free(struct call *c)
{
    free(c->params);
    free(c->trouble);
    free(c->finish);
    *c = (struct call){0};
}

int64_t call_add(struct store *s, const struct call *c, struct err *e)
{
    return log_add(s, SEAL_CALL, e, "iiiiIIIissIIIsIIdIsiI", c->job, c->step,
                   c->n, c->attempt, c->from_call, c->from_item, c->sample,
                   c->prompt_text, c->params, "planned", (int64_t)0,
                   (int64_t)0, (int64_t)0, NULL, (int64_t)0, (int64_t)0, NAN,
                   (int64_t)0, NULL, clock_now(), (int64_t)0);
}

static enum call_state parse_state(const char *name)
{
    for (int i = 0; i < CALL_STATE_COUNT; i++)
        if (!strcmp(state_names[i], name))
            return (enum call_state)i;
    return CALL_FAILED;
}

static void read_call(struct rows *r, int64_t id, struct call *out)
{
    *out = (struct call){
        .id = id, .job = rows_int(r, 0), .step = rows_int(r, 1),
        .n = rows_int(r, 2), .attempt = rows_int(r, 3),
        .from_call = rows_int(r, 4), .from_item = rows_int(r, 5),
        .sample = rows_int(r, 6), .prompt_text = rows_int(r, 7),
        .reply_text = rows_int(r, 8), .answer_text = rows_int(r, 9),
        .thinking_text = rows_int(r, 10),
        .state = parse_state(rows_text(r, 11)), .http = (int)rows_int(r, 12),
        .tokens_in = rows_int(r, 13), .tokens_out = rows_int(r, 14),
        .ms = rows_int(r, 15), .at = rows_int(r, 16),
        .cost = rows_double(r, 17), .params = rows_copy(r, 18),
        .trouble = rows_copy(r, 19), .finish = rows_copy(r, 20)};
}

bool call_get(struct store *s, int64_t id, struct call *out, struct err *e)
{
    struct rows r;
    *out = (struct call){0};
    if (!db_query(s, &r, e, "SELECT job, step, n, attempt, from_call,"
                  " from_item, sample, prompt_text, reply_text, answer_text,"
                  " thinking_text, state, http, tokens_in, tokens_out, ms, at,"
                  " cost, params_json, trouble, finish FROM call"
                  " WHERE id = ?1", "i", id))
        return false;
    bool found = rows_next(&r, e);
    if (found)
        read_call(&r, id, out);
    rows_done(&r);
    return found || err_set(e, ERR_ABSENT, _("there is no call c%lld"),
                            (long long)id);
}

bool call_set_state(struct store *s, int64_t id, enum call_state state,
                    struct err *e)
{
    return log_set(s, SEAL_CALL, id, "state at", e, "si", state_names[state],
                   clock_now());
}

bool call_finish(struct store *s, const struct call *c, struct err *e)
{
    return log_set(s, SEAL_CALL, c->id, "state http reply_text answer_text"
                   " trouble tokens_in tokens_out cost ms finish at"
                   " thinking_text", e, "siIIsiidisiI", state_names[c->state],
                   (int64_t)c->http, c->reply_text, c->answer_text,
                   c->trouble, c->tokens_in, c->tokens_out, c->cost, c->ms,
                   c->finish, clock_now(), c->thinking_text);
}

bool call_ids(struct store *s, int64_t job, enum call_state state, size_t n,
              ids *out, struct err *e)
{
    struct rows r;
    *out = (ids){0};
    return db_query(s, &r, e, "SELECT id FROM call WHERE job = ?1"
                    " AND state = ?2 ORDER BY step, n, attempt LIMIT ?3",
                    "isi", job, state_names[state], (int64_t)n) &&
           collect(&r, out, e);
}

bool call_attempts(struct store *s, const struct call *c, ids *out,
                   struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM call WHERE job = ?1"
                  " AND step = ?2 AND n = ?3 ORDER BY attempt", "iii", c->job,
                  c->step, c->n);
}

bool call_samples(struct store *s, int64_t call, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM sample WHERE live AND id IN"
                  " (SELECT id FROM sample WHERE call = ?1 UNION"
                  "  SELECT sample FROM candidate WHERE call = ?1 AND live)"
                  " ORDER BY id", "i", call);
}

bool call_all(struct store *s, int64_t job, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM call WHERE job = ?1"
                  " ORDER BY step, n, attempt", "i", job);
}

#define NEWEST                                                                \
    " NOT EXISTS(SELECT 1 FROM call l WHERE l.job = c.job"                    \
    " AND l.step = c.step AND l.n = c.n AND l.attempt > c.attempt)"

bool call_newest(struct store *s, int64_t job, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM call c WHERE job = ?1 AND" NEWEST
                  " ORDER BY step, n", "i", job);
}

bool call_ids_to_repeat(struct store *s, int64_t job, bool unparsed, ids *out,
                        struct err *e)
{
    struct rows r;
    *out = (ids){0};
    return db_query(s, &r, e, "SELECT id FROM call c WHERE job = ?1"
                    " AND (state IN ('failed', 'lost', 'cancelled')"
                    "  OR (?2 AND state = 'unparsed')) AND" NEWEST
                    " ORDER BY step, n", "ii", job, (int64_t)unparsed) &&
           collect(&r, out, e);
}

void call_counts(struct store *s, int64_t job, struct call_counts *out)
{
    struct rows r;
    *out = (struct call_counts){0};
    if (!db_query(s, &r, NULL, "SELECT state, count(*) FROM call c"
                  " WHERE job = ?1 AND" NEWEST " GROUP BY state", "i", job))
        return;
    while (rows_next(&r, NULL)) {
        enum call_state state = parse_state(rows_text(&r, 0));
        out->by_state[state] += rows_int(&r, 1);
        out->total += state == CALL_WORKED ? 0 : rows_int(&r, 1);
    }
    rows_done(&r);
    if (!db_query(s, &r, NULL, "SELECT sum(tokens_in), sum(tokens_out),"
                  " sum(cost), max(cost) FROM call WHERE job = ?1", "i", job))
        return;
    if (rows_next(&r, NULL)) {
        out->tokens_in = rows_int(&r, 0);
        out->tokens_out = rows_int(&r, 1);
        out->cost = rows_double(&r, 2);
        out->dearest = rows_double(&r, 3);
    }
    rows_done(&r);
}

size_t call_reasons(struct store *s, int64_t job, struct call_reason *out,
                    size_t most)
{
    struct rows r;
    size_t n = 0;
    if (!db_query(s, &r, NULL, "SELECT state, count(*), trouble FROM call c"
                  " WHERE job = ?1 AND state IN ('failed', 'lost',"
                  " 'unparsed') AND" NEWEST " GROUP BY state, trouble"
                  " ORDER BY state, count(*) DESC LIMIT ?2", "ii", job,
                  (int64_t)most))
        return 0;
    while (n < most && rows_next(&r, NULL)) {
        char *text = rows_copy(&r, 2);
        out[n++] = (struct call_reason){parse_state(rows_text(&r, 0)),
                                        rows_int(&r, 1),
                                        text ? text : xstrdup("")};
    }
    rows_done(&r);
    return n;
}

#define OF_RECIPE                                                             \
    " FROM call c JOIN job j ON j.id = c.job JOIN recipe r ON r.id = j.recipe" \
    " WHERE j.target = ?1 AND r.name = ?2"

void call_means(struct store *s, int64_t target, const char *recipe,
                const char *teacher, int64_t step, struct call_means *out)
{
    struct rows r;
    *out = (struct call_means){0};
    if (!db_query(s, &r, NULL, "SELECT count(*), avg(i), avg(o) FROM (SELECT"
                  " c.tokens_in i, c.tokens_out o" OF_RECIPE
                  " AND j.teacher = ?3 AND c.step = ?4 AND c.tokens_out > 0"
                  " AND c.state IN ('answered', 'unparsed')"
                  " ORDER BY c.id DESC LIMIT 200)", "issi", target, recipe,
                  teacher, step))
        return;
    if (rows_next(&r, NULL))
        *out = (struct call_means){rows_int(&r, 0),
                                   (int64_t)(rows_double(&r, 1) + .5),
                                   (int64_t)(rows_double(&r, 2) + .5)};
    rows_done(&r);
}

double job_yield(struct store *s, int64_t target, const char *recipe,
                 int64_t wanted)
{
    int64_t first = db_int(s, 0, "SELECT count(*)" OF_RECIPE
                           " AND c.step = 1 AND c.state = 'answered'", "is",
                           target, recipe);
    int64_t then = db_int(s, 0, "SELECT count(*) FROM (SELECT DISTINCT"
                          " c.from_call, c.from_item" OF_RECIPE
                          " AND c.step = 2)", "is", target, recipe);
    return first && wanted ? (double)then / (double)(first * wanted) : 1;
}

bool job_draws(struct store *s, int64_t job)
{
    return db_int(s, 0, "SELECT 1 FROM call c JOIN draw d ON d.call = c.id"
                  " WHERE c.job = ?1 AND d.role = 'demonstration' LIMIT 1",
                  "i", job) != 0;
}

int64_t job_inputs(struct store *s, int64_t job)
{
    return db_int(s, 0, "SELECT count(DISTINCT coalesce(d.seed, -d.sample))"
                  " FROM call c JOIN draw d ON d.call = c.id WHERE c.job = ?1"
                  " AND d.role = 'input'", "i", job);
}

int64_t job_made(struct store *s, int64_t job)
{
    return db_int(s, 0, "SELECT count(*) FROM sample WHERE job = ?1 AND live"
                  " AND status <> ?2", "ii", job, (int64_t)STATUS_REJECTED);
}

int64_t job_decided(struct store *s, int64_t job)
{
    return db_int(s, 0, "SELECT count(*) FROM sample WHERE job = ?1 AND live"
                  " AND status <> ?2", "ii", job, (int64_t)STATUS_PENDING);
}

void arrived_add(struct arrived *a, const struct check_result *checks,
                 size_t n)
{
    bool failed = false, warned = false;
    for (size_t i = 0; i < n; i++) {
        enum check c = checks[i].check;
        if (checks[i].verdict == VERDICT_FAIL && !failed)
            a->fails[c]++;
        a->warns[c] += checks[i].verdict == VERDICT_WARN;
        failed = failed || checks[i].verdict == VERDICT_FAIL;
        warned = warned || checks[i].verdict == VERDICT_WARN;
    }
    a->found++;
    a->failed += failed;
    a->passed += !failed;
    a->warned += warned && !failed;
}

/* Walks (id, check's name, verdict) ordered by id. */
static void add_arrived(struct rows *r, struct arrived *out)
{
    struct check_result list[CHECK_COUNT];
    int64_t last = 0;
    size_t n = 0;
    while (rows_next(r, NULL)) {
        int64_t id = rows_int(r, 0);
        if (last && id != last) {
            arrived_add(out, list, n);
            n = 0;
        }
        last = id;
        struct check_result c = {.verdict = (enum verdict)rows_int(r, 2)};
        if (n < COUNT(list) && rows_text(r, 1) &&
            check_parse(rows_text(r, 1), &c.check))
            list[n++] = c;
    }
    if (last)
        arrived_add(out, list, n);
    rows_done(r);
}

void job_arrived(struct store *s, int64_t job, bool prompts,
                 struct arrived *out)
{
    struct rows r;
    *out = (struct arrived){0};
    if (!db_int(s, 0, "SELECT 1 FROM call WHERE job = ?1 AND state ="
                " 'answered' LIMIT 1", "i", job))
        return;
    if (prompts &&
        db_query(s, &r, NULL, "SELECT x.id, k.name, k.verdict FROM sample x"
                 " LEFT JOIN check_result k ON k.sample = x.id"
                 "  AND coalesce(k.candidate, 0) = 0 WHERE x.job = ?1"
                 " ORDER BY x.id, k.id", "i", job))
        add_arrived(&r, out);
    if (db_query(s, &r, NULL, "SELECT c.id, k.name, k.verdict FROM candidate c"
                 " LEFT JOIN check_result k ON k.sample = c.sample"
                 "  AND k.candidate = c.id WHERE c.source = ?2 AND c.call IN"
                 " (SELECT id FROM call WHERE job = ?1) ORDER BY c.id, k.id",
                 "ii", job, (int64_t)SOURCE_TEACHER))
        add_arrived(&r, out);
}

int64_t call_next_n(struct store *s, int64_t job, int64_t step)
{
    return 1 + db_int(s, 0, "SELECT max(n) FROM call WHERE job = ?1"
                      " AND step = ?2", "ii", job, step);
}

/* ---- Draws -------------------------------------------------------------- */

bool draw_add(struct act *a, int64_t call, const char *role, int64_t seed,
              int64_t sample, struct err *e)
{
    return act_bring(a, SEAL_DRAW, e, "isII", call, role, seed, sample) != 0;
}

size_t draws_of(struct store *s, int64_t call, struct drawn *out, size_t n)
{
    struct rows r;
    size_t got = 0;
    if (!db_query(s, &r, NULL, "SELECT role, seed, sample FROM draw"
                  " WHERE call IN " ATTEMPTS_OF("?1")
                  " ORDER BY id LIMIT ?2", "ii", call,
                  (int64_t)n))
        return 0;
    while (got < n && rows_next(&r, NULL)) {
        struct drawn *d = &out[got++];
        snprintf(d->role, sizeof d->role, "%s", rows_text(&r, 0));
        d->seed = rows_int(&r, 1);
        d->sample = rows_int(&r, 2);
    }
    rows_done(&r);
    return got;
}
