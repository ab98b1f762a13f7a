#include "store/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "domain/status.h"
#include "store/db.h"

#define EDITS_MAX 1000 /* in one chain */

bool export_read_begin(struct store *s, struct err *e)
{
    ids first; /* the first read takes the lock */
    if (!db_run(s, e, "BEGIN", ""))
        return false;
    bool ok = db_ids(s, &first, e, "SELECT count(*) FROM store", "");
    VEC_FREE(&first);
    if (!ok)
        store_rollback(s);
    return ok;
}

void export_read_end(struct store *s)
{
    store_rollback(s);
}

/* ---- Of a sample -------------------------------------------------------- */

bool status_decision(struct store *s, int64_t sample, struct decision *out)
{
    int64_t before = INT64_MAX;
    for (;;) {
        int64_t seq = db_int(s, 0, "SELECT max(decision) FROM change"
                             " WHERE kind = 'sample' AND object = ?1"
                             " AND field = 'status' AND decision < ?2", "ii",
                             sample, before);
        if (!seq || !journal_get(s, seq, out))
            return false;
        if (!out->undoes || out->undoes >= seq)
            return true;
        before = out->undoes;
    }
}

/* The ids behind the bar. */
static void parse_ids(const char *p, ids *out)
{
    char *end;
    for (long long v; (v = strtoll(p, &end, 10)) > 0 && end > p; p = end)
        VEC_PUSH(out, (int64_t)v);
}

#define ORDERED                                                               \
    "(SELECT max(decision) FROM change WHERE kind = 'sample'"                 \
    " AND object = ?1 AND field = 'order')"

/* The candidates that were shown when the order was written, also those that
 * were withdrawn since: letters never move. */
static void find_ids(struct store *s, int64_t sample, ids *out)
{
    db_ids(s, out, NULL, "SELECT c.id FROM candidate c JOIN sample x"
           " ON x.id = c.sample WHERE c.sample = ?1"
           " AND c.prompt_text = x.prompt_text AND c.born <= " ORDERED
           " AND (c.live OR EXISTS(SELECT 1 FROM change"
           "  WHERE kind = 'candidate' AND object = c.id"
           "  AND field = 'live' AND decision > " ORDERED "))"
           " ORDER BY c.n", "i", sample);
}

bool order_read(struct store *s, int64_t sample, char **text,
                ids *candidates)
{
    *candidates = (ids){0};
    *text = db_text(s, "SELECT body FROM text WHERE id = (SELECT order_text"
                    " FROM ranking WHERE sample = ?1)", "i", sample);
    if (!*text)
        return false;
    char *bar = strchr(*text, '|');
    if (bar) {
        *bar = '\0';
        parse_ids(bar + 1, candidates);
    } else {
        find_ids(s, sample, candidates);
    }
    return true;
}

static bool read_call(struct store *s, struct candidate_origin *o,
                      struct err *e)
{
    struct rows r;
    if (!o->call)
        return true;
    if (!db_query(s, &r, e, "SELECT j.teacher, rc.name, rc.version,"
                  " c.params_json FROM call c JOIN job j ON j.id = c.job"
                  " LEFT JOIN recipe rc ON rc.id = j.recipe WHERE c.id = ?1",
                  "i", o->call))
        return false;
    if (rows_next(&r, e)) {
        o->teacher = rows_copy(&r, 0);
        o->recipe = rows_copy(&r, 1);
        o->recipe_version = rows_int(&r, 2);
        o->params = rows_copy(&r, 3);
    }
    rows_done(&r);
    return !r.failed;
}

bool candidate_origin(struct store *s, int64_t candidate,
                      struct candidate_origin *out, struct err *e)
{
    *out = (struct candidate_origin){0};
    int64_t at = candidate;
    while (out->edits.n < EDITS_MAX) {
        int64_t parent = db_int(s, 0, "SELECT parent FROM candidate"
                                " WHERE id = ?1", "i", at);
        if (!parent)
            break;
        VEC_PUSH(&out->edits, parent);
        at = parent;
    }
    out->call = db_int(s, 0, "SELECT call FROM candidate WHERE id = ?1", "i",
                       at);
    return read_call(s, out, e);
}

void candidate_origin_free(struct candidate_origin *o)
{
    VEC_FREE(&o->edits);
    free(o->teacher);
    free(o->recipe);
    free(o->params);
    *o = (struct candidate_origin){0};
}

/* Keys of canonical messages; in a content each of these quotes would have a
 * backslash before it. */
#define HAS_MORE(body)                                                        \
    "(instr(" body ", '{\"messages\":') = 1"                                  \
    " OR instr(" body ", '\"tool_calls\":') > 0"                              \
    " OR instr(" body ", '\"tool_call_id\":') > 0"                            \
    " OR instr(" body ", '\"reasoning_content\":') > 0"                       \
    " OR instr(" body ", '\"name\":') > 0"                                    \
    " OR instr(" body ", '\"train\":false') > 0)"

bool samples_with_more(struct store *s, int64_t target, ids *out,
                       struct err *e)
{
    return db_ids(s, out, e, "SELECT x.id FROM sample x"
                  " JOIN text p ON p.id = x.prompt_text"
                  " WHERE x.live AND x.target = ?1 AND x.status IN (?2, ?3)"
                  " AND (" HAS_MORE("p.body") " OR EXISTS(SELECT 1"
                  " FROM candidate c JOIN text b ON b.id = c.body_text"
                  " WHERE c.sample = x.id AND " HAS_MORE("b.body") "))"
                  " ORDER BY x.id", "iii", target,
                  (int64_t)STATUS_ACCEPTED, (int64_t)STATUS_REJECTED);
}

/* ---- Exports ------------------------------------------------------------ */

int64_t export_add(struct store *s, const struct export *x, struct err *e)
{
    return log_add(s, SEAL_EXPORT, e, "isiisissi", x->target, x->filter,
                   x->as_of, x->seed, NULL, x->version, x->lock, x->path,
                   clock_now());
}

int64_t export_last(struct store *s, int64_t target, int64_t before)
{
    return db_int(s, 0, "SELECT max(id) FROM export WHERE target = ?1 AND "
                  "(?2 = 0 OR id < ?2)", "ii", target, before);
}

bool export_get(struct store *s, int64_t id, struct export *out,
                struct err *e)
{
    struct rows r;
    *out = (struct export){0};
    if (!db_query(s, &r, e, "SELECT target, as_of, seed, version, at, filter,"
                  " path, lock_json FROM export WHERE id = ?1", "i", id))
        return false;
    bool found = rows_next(&r, e);
    if (found)
        *out = (struct export){id, rows_int(&r, 0), rows_int(&r, 1),
                               rows_int(&r, 2), rows_int(&r, 3),
                               rows_int(&r, 4), rows_copy(&r, 5),
                               rows_copy(&r, 6), rows_copy(&r, 7)};
    rows_done(&r);
    return found || err_set(e, ERR_ABSENT, _("there is no export x%lld"),
                            (long long)id);
}

void export_free(struct export *x)
{
    free(x->filter);
    free(x->path);
    free(x->lock);
    *x = (struct export){0};
}

bool export_members(struct store *s, int64_t id, member_fn *fn, void *ctx,
                    struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT shape, row, sample, candidate, split,"
                  " hash FROM member WHERE kind = 'export' AND owner = ?1"
                  " AND length(hash) = ?2", "ii", id, (int64_t)MEMBER_HASH))
        return false;
    while (rows_next(&r, e)) {
        size_t n;
        struct member m = {"export", rows_text(&r, 0), id, rows_int(&r, 1),
                           rows_int(&r, 2), rows_int(&r, 3),
                           (int)rows_int(&r, 4), rows_blob(&r, 5, &n)};
        fn(ctx, &m);
    }
    rows_done(&r);
    return !r.failed;
}

bool sample_members(struct store *s, int64_t sample, member_fn *fn, void *ctx,
                    struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT kind, owner, shape, row, candidate, split"
                  " FROM member WHERE sample = ?1"
                  " ORDER BY kind DESC, owner, shape, split, row", "i",
                  sample))
        return false;
    while (rows_next(&r, e)) {
        struct member m = {rows_text(&r, 0), rows_text(&r, 2),
                           rows_int(&r, 1), rows_int(&r, 3), sample,
                           rows_int(&r, 4), (int)rows_int(&r, 5), NULL};
        fn(ctx, &m);
    }
    rows_done(&r);
    return !r.failed;
}
