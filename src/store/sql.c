#include "store/sql.h"

#include <stdlib.h>

#include "base/lang.h"
#include "domain/check.h"
#include "store/words.h"

static void add(struct sql *q, struct sql_value v)
{
    VEC_PUSH(&q->values, v);
    buf_printf(&q->text, "?%zu", q->values.n);
}

void sql_int(struct sql *q, int64_t v)
{
    add(q, (struct sql_value){.kind = 'i', .i = v});
}

void sql_double(struct sql *q, double v)
{
    add(q, (struct sql_value){.kind = 'd', .d = v});
}

void sql_str(struct sql *q, const char *v)
{
    add(q, (struct sql_value){.kind = 's', .s = xstrdup(v)});
}

/* " IN (?, ?...)" over the term's values. */
static void in_values(struct sql *q, const struct filter_node *n, bool words)
{
    buf_puts(&q->text, words ? " COLLATE NOCASE IN (" : " IN (");
    for (size_t i = 0; i < n->n_values; i++) {
        if (i)
            buf_putc(&q->text, ',');
        if (words)
            sql_str(q, n->values[i]);
        else
            sql_int(q, n->choice[i]);
    }
    buf_putc(&q->text, ')');
}

static void compare(struct sql *q, const struct filter_node *n)
{
    static const char *const ops[] = {" = ", " < ", " <= ", " > ", " >= "};
    buf_puts(&q->text, ops[n->op]);
    sql_double(q, n->number);
}

/* The decision that gave the sample the status it has: an undo or a redo is
 * followed back to what it brought again (as status_decision does for one). */
#define LAST_STATUS                                                           \
    "(SELECT max(decision) FROM change WHERE kind = 'sample'"                 \
    " AND object = o.id AND field = 'status'"
#define STATUS_DECISION(column)                                               \
    "(WITH RECURSIVE stands(seq) AS (SELECT " LAST_STATUS ") UNION ALL"       \
    " SELECT " LAST_STATUS " AND decision < d.undoes) FROM stands"            \
    " JOIN decision d ON d.seq = stands.seq WHERE d.undoes > 0)"              \
    " SELECT d." column " FROM stands JOIN decision d ON d.seq = stands.seq"  \
    " WHERE d.undoes = 0)"

static void term_of_sample(struct sql *q, const struct filter_node *n)
{
    struct buf *b = &q->text;
    switch (n->field) {
    case FILTER_STATUS:
        buf_puts(b, "o.status");
        in_values(q, n, false);
        break;
    case FILTER_TARGET:
        buf_puts(b, "(SELECT name FROM target WHERE id = o.target)");
        in_values(q, n, true);
        break;
    case FILTER_SPLIT:
        buf_puts(b, "o.split");
        in_values(q, n, false);
        break;
    case FILTER_RECIPE:
        buf_puts(b, "(SELECT r.name FROM recipe r JOIN job j ON j.recipe ="
                    " r.id WHERE j.id = o.job)");
        in_values(q, n, true);
        break;
    case FILTER_TEACHER:
        buf_puts(b, "(SELECT teacher FROM job WHERE id = o.job)");
        in_values(q, n, true);
        break;
    case FILTER_TAG:
        buf_puts(b, "EXISTS(SELECT 1 FROM tag WHERE kind = 'sample'"
                    " AND object = o.id AND name");
        in_values(q, n, true);
        buf_putc(b, ')');
        break;
    case FILTER_WHO:
        buf_puts(b, STATUS_DECISION("who"));
        in_values(q, n, true);
        break;
    case FILTER_REASON:
        buf_puts(b, "(o.status = 2 AND " STATUS_DECISION("reason"));
        in_values(q, n, true);
        buf_putc(b, ')');
        break;
    case FILTER_NEAR:
        buf_puts(b, "(SELECT figure FROM check_result WHERE sample = o.id"
                    " AND name = 'near' ORDER BY id DESC LIMIT 1)");
        compare(q, n);
        break;
    case FILTER_JUDGE:
        buf_puts(b, "(SELECT max(m) FROM (SELECT avg(value) AS m FROM score"
                    " k JOIN candidate c ON c.id = k.candidate WHERE"
                    " c.sample = o.id AND c.live AND k.who IS NULL"
                    " GROUP BY c.id))");
        compare(q, n);
        break;
    case FILTER_CHECK:
        buf_puts(b, "EXISTS(SELECT 1 FROM check_result WHERE sample = o.id"
                    " AND verdict > 0 AND name IN (");
        for (size_t i = 0; i < n->n_values; i++) {
            if (i)
                buf_putc(b, ',');
            sql_str(q, check_name((enum check)n->choice[i]));
        }
        buf_puts(b, "))");
        break;
    case FILTER_EDITED:
        buf_puts(b, n->choice[0] ? "" : "NOT ");
        buf_puts(b, "EXISTS(SELECT 1 FROM candidate WHERE sample = o.id"
                    " AND live AND parent > 0)");
        break;
    case FILTER_SEED:
        buf_puts(b, "o.seed");
        compare(q, n);
        break;
    case FILTER_JOB:
        buf_puts(b, "o.job");
        compare(q, n);
        break;
    default: /* FILTER_ID */
        buf_puts(b, "o.id");
        compare(q, n);
        break;
    }
}

static bool term_of_seed(struct sql *q, const struct filter_node *n,
                         struct err *e)
{
    switch (n->field) {
    case FILTER_TAG:
        buf_puts(&q->text, "EXISTS(SELECT 1 FROM tag WHERE kind = 'seed'"
                           " AND object = o.id AND name");
        in_values(q, n, true);
        buf_putc(&q->text, ')');
        return true;
    case FILTER_SPLIT:
    case FILTER_TARGET:
    case FILTER_ID:
        term_of_sample(q, n);
        return true;
    default:
        return err_set(e, ERR_USAGE, _("seeds have no %s; they have split, "
                       "tag, id and words"), filter_info(n->field)->name);
    }
}

static bool condition(struct sql *q, const struct filter *f, int id,
                      enum sql_of what, struct err *e)
{
    const struct filter_node *n = &f->nodes[id];
    struct buf *b = &q->text;
    bool ok = true;
    buf_putc(b, '(');
    switch (n->kind) {
    case FILTER_ALL:
        buf_puts(b, "1");
        break;
    case FILTER_AND:
    case FILTER_OR:
        ok = condition(q, f, n->left, what, e) &&
             buf_puts(b, n->kind == FILTER_AND ? " AND " : " OR ") &&
             condition(q, f, n->right, what, e);
        break;
    case FILTER_NOT:
        buf_puts(b, "NOT coalesce(");
        ok = condition(q, f, n->left, what, e);
        buf_puts(b, ", 0)");
        break;
    case FILTER_TEXT: {
        char *query = words_query(n->values[0], n->choice[0]);
        const char *table = what == SQL_SAMPLES ? "sample_words"
                                                : "seed_words";
        buf_printf(b, "o.id IN (SELECT rowid FROM %s WHERE %s MATCH ", table,
                   table);
        sql_str(q, query);
        buf_putc(b, ')');
        free(query);
        break;
    }
    case FILTER_TERM:
        if (what == SQL_SAMPLES)
            term_of_sample(q, n);
        else
            ok = term_of_seed(q, n, e);
        break;
    }
    buf_putc(b, ')');
    return ok;
}

bool sql_filter(struct sql *q, const struct filter *f, enum sql_of what,
                struct err *e)
{
    return condition(q, f, f->root, what, e);
}

bool sql_query(struct store *s, struct sql *q, struct rows *r, struct err *e)
{
    if (!db_query_once(s, r, e, buf_str(&q->text)))
        return false;
    for (size_t i = 0; i < q->values.n; i++) {
        const struct sql_value *v = &q->values.at[i];
        int at = (int)i + 1;
        if (v->kind == 'i')
            rows_bind_int(r, at, v->i);
        else if (v->kind == 'd')
            rows_bind_double(r, at, v->d);
        else
            rows_bind_text(r, at, v->s);
    }
    return true;
}

void sql_free(struct sql *q)
{
    for (size_t i = 0; i < q->values.n; i++)
        free(q->values.at[i].s);
    VEC_FREE(&q->values);
    buf_free(&q->text);
}
