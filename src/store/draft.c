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
           commit(s, log_put(s, SEAL_DRAFT, e, "ssissi", who,
                             object_name(kind), object, field, body,
                             clock_now()), e);
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
                             " AND kind = ?2 AND object = ?3 AND field = ?4"
                             " AND keep(?5, seal, NULL) IS NULL", "ssisi",
                             who, object_name(kind), object, field,
                             (int64_t)SEAL_DRAFT), e));
}

bool draft_drop_all(struct store *s, enum object kind, int64_t object,
                    struct err *e)
{
    ids rows;
    bool ok = db_ids(s, &rows, e, "SELECT rowid FROM draft WHERE kind = ?1"
                     " AND object = ?2", "si", object_name(kind), object);
    for (size_t i = 0; ok && i < rows.n; i++)
        ok = log_drop(s, SEAL_DRAFT, rows.at[i], e);
    VEC_FREE(&rows);
    return ok;
}
