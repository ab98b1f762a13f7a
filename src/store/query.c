#include "store/query.h"

#include "store/sql.h"

static bool start(struct sql *q, const char *what, const struct query *of,
                  struct err *e)
{
    *q = (struct sql){0};
    buf_printf(&q->text, "SELECT %s FROM sample o WHERE o.live", what);
    if (of->target) {
        buf_puts(&q->text, " AND o.target = ");
        sql_int(q, of->target);
    }
    if (of->as_of) {
        buf_puts(&q->text, " AND o.born <= ");
        sql_int(q, of->as_of);
    }
    buf_puts(&q->text, " AND ");
    return sql_filter(q, of->filter, SQL_SAMPLES, e);
}

static int64_t one_number(struct store *s, struct sql *q, struct err *e)
{
    struct rows r;
    int64_t n = -1;
    if (sql_query(s, q, &r, e)) {
        if (rows_next(&r, e))
            n = rows_int(&r, 0);
        rows_done(&r);
    }
    return n;
}

int64_t query_count(struct store *s, const struct query *of, struct err *e)
{
    struct sql q;
    int64_t n = start(&q, "count(*)", of, e) ? one_number(s, &q, e) : -1;
    sql_free(&q);
    return n;
}

bool query_ids(struct store *s, const struct query *of, int64_t after,
               size_t n, ids *out, struct err *e)
{
    struct sql q;
    struct rows r;
    bool ok = start(&q, "o.id", of, e);
    if (ok) {
        buf_puts(&q.text, " AND o.id > ");
        sql_int(&q, after);
        buf_puts(&q.text, " ORDER BY o.id LIMIT ");
        sql_int(&q, (int64_t)n);
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
