/* Which samples a filter names: counted, and listed by id. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "domain/filter.h"
#include "store/store.h"
#include "store/target.h"

struct query {
    int64_t target;         /* 0: every target */
    const struct filter *filter;
    int64_t as_of;          /* only samples born by this decision; 0: all */
};

/* How many live samples it names; -1 on failure. */
int64_t query_count(struct store *s, const struct query *q, struct err *e);

/* Appends up to n ids above `after`, ascending; false on failure. Fewer than
 * n appended means that there are no more. */
bool query_ids(struct store *s, const struct query *q, int64_t after,
               size_t n, ids *out, struct err *e);

#endif
