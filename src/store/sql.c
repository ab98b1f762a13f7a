#include "store/sql.h"

#include <stdlib.h>

#include "base/assert.h"
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

static void compare(struct sql *q, const struct filter_node *n)
{
    static const char *const ops[] = {" = ", " < ", " <= ", " > ", " >= "};
    buf_puts(&q->text, ops[n->op]);
    sql_double(q, n->number);
}

/* The decision that gave the sample the status it has: an undo or a redo is
 * followed back to what it brought again (as status_decision does for one). */
#define TAGGED(kind)                                                          \
    "EXISTS(SELECT 1 FROM tag WHERE kind = '" kind "' AND object = o.id"       \
    " AND name"
#define ITS_TARGET "(SELECT name FROM target WHERE id = o.target)"
#define LAST_STATUS                                                           \
    "(SELECT max(decision) FROM change WHERE kind = 'sample'"                 \
    " AND object = o.id AND field = 'status'"
#define STATUS_DECISION(column)                                               \
    "(WITH RECURSIVE stands(seq) AS (SELECT " LAST_STATUS ") UNION ALL"       \
    " SELECT " LAST_STATUS " AND decision < d.undoes) FROM stands"            \
    " JOIN decision d ON d.seq = stands.seq WHERE d.undoes > 0)"              \
    " SELECT d." column " FROM stands JOIN decision d ON d.seq = stands.seq"  \
    " WHERE d.undoes = 0)"

/* How a term's value is held against its column. */
enum held {
    IN_NUMBERS, /* the numbers of its choices */
    IN_WORDS,   /* its words, case folded */
    IN_CHECKS,  /* the names of checks */
    COMPARED,   /* its number */
    IS          /* yes or no */
};

/* " IN (?, ?...)" over the term's values. */
static void in_values(struct sql *q, const struct filter_node *n,
                      enum held held)
{
    buf_puts(&q->text, held == IN_WORDS ? " COLLATE NOCASE IN (" : " IN (");
    for (size_t i = 0; i < n->n_values; i++) {
        if (i)
            buf_putc(&q->text, ',');
        if (held == IN_WORDS)
            sql_str(q, n->values[i]);
        else if (held == IN_CHECKS)
            sql_str(q, check_name((enum check)n->choice[i]));
        else
            sql_int(q, n->choice[i]);
    }
    buf_putc(&q->text, ')');
}

/* What each field reads of the row `o` of samples and of seeds (NULL: they have
 * none), and what stands behind the value. */
static const struct column {
    enum held held;
    const char *of_samples, *of_seeds, *end;
} columns[] = {
    [FILTER_STATUS] = {IN_NUMBERS, "o.status", NULL, ""},
    [FILTER_TARGET] = {IN_WORDS, ITS_TARGET, ITS_TARGET, ""},
    [FILTER_SPLIT] = {IN_NUMBERS, "o.split", "o.split", ""},
    [FILTER_RECIPE] = {IN_WORDS, "(SELECT r.name FROM recipe r JOIN job j"
                                 " ON j.recipe = r.id WHERE j.id = o.job)",
                       NULL, ""},
    [FILTER_TEACHER] = {IN_WORDS, "(SELECT teacher FROM job WHERE id = o.job)",
                        NULL, ""},
    [FILTER_TAG] = {IN_WORDS, TAGGED("sample"), TAGGED("seed"), ")"},
    [FILTER_WHO] = {IN_WORDS, STATUS_DECISION("who"), NULL, ""},
    [FILTER_REASON] = {IN_WORDS,
                       "(o.status = 2 AND " STATUS_DECISION("reason"), NULL,
                       ")"},
    [FILTER_NEAR] = {COMPARED,
                     "(SELECT figure FROM check_result WHERE sample = o.id"
                     " AND name = 'near' ORDER BY id DESC LIMIT 1)", NULL,
                     ""},
    [FILTER_JUDGE] = {COMPARED,
                      "(SELECT max(m) FROM (SELECT avg(value) AS m FROM score"
                      " k JOIN candidate c ON c.id = k.candidate WHERE"
                      " c.sample = o.id AND c.live AND k.who IS NULL"
                      " GROUP BY c.id))", NULL, ""},
    [FILTER_ANSWERS] = {COMPARED,
                        "(SELECT count(*) FROM candidate WHERE sample = o.id"
                        " AND live)", NULL, ""},
    [FILTER_CHECK] = {IN_CHECKS,
                      "EXISTS(SELECT 1 FROM check_result WHERE sample = o.id"
                      " AND verdict > 0 AND name", NULL, ")"},
    [FILTER_EDITED] = {IS, "EXISTS(SELECT 1 FROM candidate WHERE sample = o.id"
                           " AND live AND parent > 0)", NULL, ""},
    [FILTER_ID] = {COMPARED, "o.id", "o.id", ""},
    [FILTER_SEED] = {COMPARED, "o.seed", NULL, ""},
    [FILTER_JOB] = {COMPARED, "o.job", NULL, ""}};

static bool term(struct sql *q, const struct filter_node *n, enum sql_of what,
                 struct err *e)
{
    must((size_t)n->field < COUNT(columns) && columns[n->field].of_samples);
    const struct column *c = &columns[n->field];
    const char *sql = what == SQL_SEEDS ? c->of_seeds : c->of_samples;
    if (!sql)
        return err_set(e, ERR_USAGE, _("seeds have no %s; they have split, "
                       "tag, id and words"), filter_info(n->field)->name);
    if (c->held == IS && !n->choice[0])
        buf_puts(&q->text, "NOT ");
    buf_puts(&q->text, sql);
    if (c->held == COMPARED)
        compare(q, n);
    else if (c->held != IS)
        in_values(q, n, c->held);
    buf_puts(&q->text, c->end);
    return true;
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
        ok = term(q, n, what, e);
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
