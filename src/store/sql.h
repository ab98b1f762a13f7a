/* SQL from a filter's tree: fixed fragments and bound values, never text of
 * the person's. Not for other rooms. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "base/buf.h"
#include "domain/filter.h"
#include "store/db.h"

struct sql_value {
    char kind; /* 'i', 'd', 's' */
    int64_t i;
    double d;
    char *s;
};

struct sql {
    struct buf text;
    VEC(struct sql_value) values;
};

enum sql_of { SQL_SAMPLES, SQL_SEEDS };

/* Append a placeholder and remember its value. */
void sql_int(struct sql *q, int64_t v);
void sql_double(struct sql *q, double v);
void sql_str(struct sql *q, const char *v);

/* Appends a condition on the row named `o`. A field that seeds do not have is
 * refused for SQL_SEEDS. */
bool sql_filter(struct sql *q, const struct filter *f, enum sql_of what,
                struct err *e);

/* Prepares and binds; the rows are walked and ended by the caller. */
bool sql_query(struct store *s, struct sql *q, struct rows *r, struct err *e);
void sql_free(struct sql *q);

#endif
