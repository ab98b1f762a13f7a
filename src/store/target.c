#include "store/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/utf8.h"
#include "domain/status.h"
#include "domain/verifier.h"
#include "store/db.h"
#include "store/sample.h"
#include "store/text.h"

void target_free(struct target *t)
{
    free(t->name);
    free(t->doc);
    *t = (struct target){0};
}

static bool good_name(const char *name, struct err *e)
{
    size_t n = strlen(name);
    if (!n || utf8_length(name, n) > 60 || utf8_check(name, n) < n ||
        utf8_hidden(name, n) || strpbrk(name, " \t\n/") || *name == '-')
        return err_set(e, ERR_USAGE, _("a target's name is 1 to 60 characters "
                       "without white space, slash or a dash in front"));
    return true;
}

int64_t target_add(struct act *a, const char *name, const char *doc,
                   struct err *e)
{
    if (!good_name(name, e))
        return 0;
    if (target_find(a->s, name)) {
        err_set(e, ERR_REFUSED, _("there is a target %s already"), name);
        return 0;
    }
    int64_t text = text_puts(a->s, doc, e);
    return text ? act_bring(a, SEAL_TARGET, e, "si", name, text) : 0;
}

bool target_get(struct store *s, int64_t id, struct target *out,
                struct err *e)
{
    struct rows r;
    *out = (struct target){0};
    if (!db_query(s, &r, e, "SELECT name, doc_text, born FROM target"
                  " WHERE id = ?1", "i", id))
        return false;
    bool found = rows_next(&r, e);
    if (found) {
        out->id = id;
        out->name = rows_copy(&r, 0);
        out->doc_text = rows_int(&r, 1);
        out->born = rows_int(&r, 2);
    }
    rows_done(&r);
    if (!found)
        return err_set(e, ERR_ABSENT, _("there is no target %lld"),
                       (long long)id);
    out->doc = text_get(s, out->doc_text, NULL);
    if (!out->doc)
        out->doc = xstrdup("{}");
    return true;
}

int64_t target_find(struct store *s, const char *name)
{
    return db_int(s, 0, "SELECT id FROM target WHERE name = ?1", "s", name);
}

bool target_ids(struct store *s, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM target ORDER BY id", "");
}

static int64_t count_status(struct store *s, int64_t target, int status)
{
    return db_int(s, -1, "SELECT count(*) FROM sample WHERE target = ?1"
                  " AND status = ?2 AND live", "ii", target, (int64_t)status);
}

/* The share of right answers that a training ended with, -1 where too few
 * were marked. */
static double exact_of(const char *figures)
{
    json *j = figures ? json_parse(figures, strlen(figures), NULL) : NULL;
    int64_t marked = json_get_int(j, "marked", json_get_int(j, "held_out", 0));
    double exact = marked < FIGURE_LEAST ? -1 : json_get_number(j, "exact", -1);
    json_free(j);
    return exact;
}

static void read_exact(struct store *s, int64_t id, struct target_counts *out)
{
    enum { MOST = COUNT(out->exact) };
    double last[MOST];
    int n = 0, seen = 0;
    struct rows r;
    if (!db_query(s, &r, NULL, "SELECT figures_json FROM run WHERE target = ?1"
                  " AND state = 'done' ORDER BY id DESC LIMIT 50", "i", id))
        return;
    while (n < MOST && rows_next(&r, NULL)) {
        double exact = exact_of(rows_text(&r, 0));
        out->student = seen++ ? out->student : exact;
        if (exact >= 0)
            last[n++] = exact;
    }
    rows_done(&r);
    out->n_exact = n;
    for (int i = 0; i < n; i++)
        out->exact[i] = last[n - 1 - i];
}

bool target_recipes(struct store *s, int64_t id, recipes_made *out,
                    struct err *e)
{
    struct rows r;
    *out = (recipes_made){0};
    if (!db_query(s, &r, e, "WITH mine AS (SELECT id, recipe FROM job"
                  "  WHERE target = ?1),"
                  " made AS (SELECT job, count(*) n, sum(status = ?2) yes,"
                  "  sum(status = ?3) no FROM sample WHERE live AND job IN"
                  "  (SELECT id FROM mine) GROUP BY job),"
                  " paid AS (SELECT job, sum(cost) cost FROM call WHERE job IN"
                  "  (SELECT id FROM mine) GROUP BY job),"
                  " rated AS (SELECT c.job, count(DISTINCT s.candidate) n"
                  "  FROM score s JOIN call c ON c.id = s.call WHERE c.job IN"
                  "  (SELECT id FROM mine) GROUP BY c.job)"
                  " SELECT r.name, r.version, total(made.n), total(made.yes),"
                  "  total(made.no), total(rated.n), total(paid.cost)"
                  " FROM mine JOIN recipe r ON r.id = mine.recipe"
                  " LEFT JOIN made ON made.job = mine.id"
                  " LEFT JOIN paid ON paid.job = mine.id"
                  " LEFT JOIN rated ON rated.job = mine.id"
                  " GROUP BY r.name, r.version ORDER BY max(mine.id) DESC",
                  "iii", id, (int64_t)STATUS_ACCEPTED,
                  (int64_t)STATUS_REJECTED))
        return false;
    while (rows_next(&r, e)) {
        struct recipe_made m = {
            .version = rows_int(&r, 1), .made = rows_int(&r, 2),
            .accepted = rows_int(&r, 3), .rejected = rows_int(&r, 4),
            .rated = rows_int(&r, 5), .cost = rows_double(&r, 6)};
        snprintf(m.name, sizeof m.name, "%s", rows_text(&r, 0));
        VEC_PUSH(out, m);
    }
    rows_done(&r);
    return !r.failed;
}

int64_t target_untrained(struct store *s, int64_t id)
{
    return db_int(s, -1, "SELECT (SELECT count(DISTINCT c.object) FROM change"
                  " c JOIN sample x ON x.id = c.object AND x.target = ?1"
                  " AND x.live AND x.status = ?2 WHERE c.decision > r.as_of"
                  " AND c.kind = 'sample' AND c.field = 'status'"
                  " AND c.new = ?2) FROM run r WHERE r.target = ?1"
                  " ORDER BY r.id DESC LIMIT 1", "ii", id,
                  (int64_t)STATUS_ACCEPTED);
}

void target_counts(struct store *s, int64_t id, struct target_counts *out)
{
    *out = (struct target_counts){
        .seeds = db_int(s, 0, "SELECT count(*) FROM seed WHERE target = ?1"
                        " AND live", "i", id),
        .pending = count_status(s, id, STATUS_PENDING),
        .accepted = count_status(s, id, STATUS_ACCEPTED),
        .rejected = count_status(s, id, STATUS_REJECTED),
        .deferred = count_status(s, id, STATUS_DEFERRED),
        .to_rank = sample_count_to_rank(s, id),
        .student = -1,
    };
    struct rows r;
    if (db_query(s, &r, NULL, "SELECT coalesce(sum(c.cost), 0.0) FROM call c"
                 " JOIN job j ON j.id = c.job WHERE j.target = ?1", "i",
                 id)) {
        if (rows_next(&r, NULL))
            out->cost = rows_double(&r, 0);
        rows_done(&r);
    }
    read_exact(s, id, out);
}
