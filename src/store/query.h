/* Which samples or seeds a filter names: counted, found by their place, and
 * listed by id, upwards or downwards. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "domain/filter.h"
#include "store/store.h"
#include "store/target.h"

struct query {
    int64_t target;         /* 0: every target */
    const struct filter *filter;
    int64_t as_of;          /* only those born by this decision; 0: all */
    bool seeds;             /* seeds instead of samples */
};

/* How many live ones it names; -1 on failure. */
int64_t query_count(struct store *s, const struct query *q, struct err *e);
/* How many of them have an id below this one; -1 on failure. */
int64_t query_rank(struct store *s, const struct query *q, int64_t id,
                   struct err *e);
/* The id that has `row` others before it, 0 where there are fewer; -1 on
 * failure. */
int64_t query_at(struct store *s, const struct query *q, int64_t row,
                 struct err *e);
/* Whether it names this one. */
bool query_has(struct store *s, const struct query *q, int64_t id);

/* Appends up to n ids above `after`, ascending; false on failure. Fewer than
 * n appended means that there are no more. */
bool query_ids(struct store *s, const struct query *q, int64_t after,
               size_t n, ids *out, struct err *e);
/* The same of ids below `before`, descending. */
bool query_ids_back(struct store *s, const struct query *q, int64_t before,
                    size_t n, ids *out, struct err *e);

/* The nearest one with words of a text, one after another, in its prompt or
 * its answers (the last word may go on), above `from` or, with `back`, below
 * it: by the word index. 0 where there is none, -1 on failure. */
int64_t query_find(struct store *s, const struct query *q, const char *text,
                   int64_t from, bool back, struct err *e);
/* What is searched of a sample or a seed: its prompt and its answers. The
 * caller frees. */
char *query_text(struct store *s, const struct query *q, int64_t id);

#endif
