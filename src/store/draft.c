#include "store/draft.h"

#include "base/clock.h"
#include "store/db.h"

static bool commit(struct store *s, bool ok, struct err *e)
{
    if (ok)
        return store_commit(s, e);
    store_rollback(s);
    return false;
}

bool draft_put(struct store *s, const char *who, enum object kind,
               int64_t object, const char *field, const char *body,
               struct err *e)
{
    return store_begin(s, e) &&
           commit(s, db_run(s, e, "REPLACE INTO draft VALUES(?1, ?2, ?3, ?4,"
                            " ?5, ?6)", "ssissi", who, object_name(kind),
                            object, field, body, clock_now()), e);
}

char *draft_get(struct store *s, const char *who, enum object kind,
                int64_t object, const char *field)
{
    return db_text(s, "SELECT body FROM draft WHERE who = ?1 AND kind = ?2"
                   " AND object = ?3 AND field = ?4", "ssis", who,
                   object_name(kind), object, field);
}

bool draft_drop(struct store *s, const char *who, enum object kind,
                int64_t object, const char *field, struct err *e)
{
    char *there = draft_get(s, who, kind, object, field);
    free(there);
    return !there ||
           (store_begin(s, e) &&
            commit(s, db_run(s, e, "DELETE FROM draft WHERE who = ?1"
                             " AND kind = ?2 AND object = ?3 AND field = ?4",
                             "ssis", who, object_name(kind), object, field),
                   e));
}
