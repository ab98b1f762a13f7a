#include "store/query.h"

#include <stdlib.h>

#include "store/sql.h"
#include "store/words.h"

static bool start(struct sql *q, const char *what, const struct query *of,
                  struct err *e)
{
    *q = (struct sql){0};
    buf_printf(&q->text, "SELECT %s FROM %s o WHERE o.live", what,
               of->seeds ? "seed" : "sample");
    if (of->target) {
        buf_puts(&q->text, " AND o.target = ");
        sql_int(q, of->target);
    }
    if (of->as_of) {
        buf_puts(&q->text, " AND o.born <= ");
        sql_int(q, of->as_of);
    }
    buf_puts(&q->text, " AND ");
    return sql_filter(q, of->filter, of->seeds ? SQL_SEEDS : SQL_SAMPLES, e);
}

/* Ends the query; the first number of its first row, `none` where it has no
 * row, -1 on failure. */
static int64_t one_number(struct store *s, struct sql *q, bool ok,
                          int64_t none, struct err *e)
{
    struct rows r;
    int64_t n = -1;
    if (ok && sql_query(s, q, &r, e)) {
        n = rows_next(&r, e) ? rows_int(&r, 0) : r.failed ? -1 : none;
        rows_done(&r);
    }
    sql_free(q);
    return n;
}

static void bound(struct sql *q, const char *text, int64_t v)
{
    buf_puts(&q->text, text);
    sql_int(q, v);
}

int64_t query_count(struct store *s, const struct query *of, struct err *e)
{
    struct sql q;
    bool ok = start(&q, "count(*)", of, e);
    return one_number(s, &q, ok, 0, e);
}

int64_t query_rank(struct store *s, const struct query *of, int64_t id,
                   struct err *e)
{
    struct sql q;
    bool ok = start(&q, "count(*)", of, e);
    bound(&q, " AND o.id < ", id);
    return one_number(s, &q, ok, 0, e);
}

int64_t query_at(struct store *s, const struct query *of, int64_t row,
                 struct err *e)
{
    struct sql q;
    bool ok = start(&q, "o.id", of, e);
    bound(&q, " ORDER BY o.id LIMIT 1 OFFSET ", row);
    return one_number(s, &q, ok, 0, e);
}

bool query_has(struct store *s, const struct query *of, int64_t id)
{
    struct sql q;
    bool ok = start(&q, "1", of, NULL);
    bound(&q, " AND o.id = ", id);
    return one_number(s, &q, ok, 0, NULL) == 1;
}

static bool list(struct store *s, const struct query *of, const char *from,
                 int64_t id, const char *order, size_t n, ids *out,
                 struct err *e)
{
    struct sql q;
    struct rows r;
    bool ok = start(&q, "o.id", of, e);
    if (ok) {
        bound(&q, from, id);
        bound(&q, order, (int64_t)n);
        ok = sql_query(s, &q, &r, e);
    }
    if (ok) {
        while (rows_next(&r, e))
            VEC_PUSH(out, rows_int(&r, 0));
        rows_done(&r);
        ok = !r.failed;
    }
    sql_free(&q);
    return ok;
}

bool query_ids(struct store *s, const struct query *of, int64_t after,
               size_t n, ids *out, struct err *e)
{
    return list(s, of, " AND o.id > ", after, " ORDER BY o.id LIMIT ", n, out,
                e);
}

bool query_ids_back(struct store *s, const struct query *of, int64_t before,
                    size_t n, ids *out, struct err *e)
{
    return list(s, of, " AND o.id < ", before, " ORDER BY o.id DESC LIMIT ",
                n, out, e);
}

int64_t query_find(struct store *s, const struct query *of, const char *text,
                   int64_t from, bool back, struct err *e)
{
    struct sql q;
    const char *table = of->seeds ? "seed_words" : "sample_words";
    char *words = words_query(text, false);
    bool ok = start(&q, "o.id", of, e);
    buf_printf(&q.text, " AND o.id IN (SELECT rowid FROM %s WHERE %s MATCH ",
               table, table);
    sql_str(&q, words);
    bound(&q, back ? ") AND o.id < " : ") AND o.id > ", from);
    buf_printf(&q.text, " ORDER BY o.id%s LIMIT 1", back ? " DESC" : "");
    free(words);
    return one_number(s, &q, ok, 0, e);
}

char *query_text(struct store *s, const struct query *of, int64_t id)
{
    char *prompt, *answers;
    if (of->seeds)
        words_of_seed(s, id, &prompt, &answers);
    else
        words_of_sample(s, id, &prompt, &answers);
    char *text = xasprintf("%s\n%s", prompt ? prompt : "",
                           answers ? answers : "");
    free(prompt);
    free(answers);
    return text;
}
