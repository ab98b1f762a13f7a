#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/schema.h"

static bool run(struct store *s, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK || db_error(s, e, rc, s->path);
}

/* A name for the copy: one that stands there is of another time. */
static char *copy_name(struct store *s)
{
    char *name = xasprintf("%s.before-v%d", s->path, STORE_VERSION);
    for (int i = 2; file_exists(name); i++) {
        free(name);
        name = xasprintf("%s.before-v%d.%d", s->path, STORE_VERSION, i);
    }
    return name;
}

/* Version 1 had no decision that names what was purged: its texts are
 * purged once more, by the decision that seals. */
static bool purge_again(struct act *a, struct err *e)
{
    ids texts;
    struct store *s = a->s;
    bool ok = db_ids(s, &texts, e, "SELECT id FROM text"
                     " WHERE purged IS NOT NULL", "");
    for (size_t i = 0; ok && i < texts.n; i++) {
        int64_t id = texts.at[i];
        int64_t when = db_int(s, 0, "SELECT purged FROM text WHERE id = ?1",
                              "i", id);
        ok = db_run(s, e, "UPDATE text SET purged = NULL WHERE id = ?1", "i",
                    id) &&
             act_change(a, OBJECT_TEXT, id, FIELD_PURGED, when, e);
    }
    VEC_FREE(&texts);
    return ok;
}

/* Seals what had no seal; counts it in words. */
static bool seal_all(struct act *a, struct err *e)
{
    struct buf b = BUF_INIT(0);
    struct store *s = a->s;
    bool ok = true;
    s->ledger = (struct ledger){0};
    for (int t = BROUGHT_COUNT; ok && t < SEAL_COUNT; t++) {
        ok = seal_table_anew(s, (enum sealed)t, e);
        buf_printf(&b, "%s%s %lld", b.len ? ", " : "",
                   seal_table((enum sealed)t),
                   (long long)s->ledger.at[t - BROUGHT_COUNT].rows);
    }
    free(a->reason);
    a->reason = buf_take(&b);
    return ok && purge_again(a, e);
}

static bool step_up(struct store *s, struct err *e)
{
    char sql[60];
    bool ok = true;
    for (int64_t v = db_int(s, -1, "PRAGMA user_version", "");
         ok && v < STORE_VERSION; v++)
        ok = run(s, schema_migrations[v], e);
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", STORE_VERSION);
    return ok && run(s, sql, e);
}

static bool is_new(struct store *s)
{
    return db_int(s, -1, "PRAGMA user_version", "") == STORE_VERSION;
}

/* Inside the transaction: what is copied is what is taken up. */
static bool take_up(struct store *s, const char *copy, struct err *e)
{
    struct act a = {0};
    if (!store_look(s, true, e) || !store_copy(s, copy, e)) {
        store_rollback(s);
        return false;
    }
    act_open(s, &a, "seal", "stillroom", "", 0);
    bool ok = step_up(s, e) && seal_all(&a, e);
    if (ok)
        s->notice = xasprintf(_("%s was taken up to schema %d (as it was: "
                                "%s); taken on trust, as nothing sealed it "
                                "before: %s"), s->path, STORE_VERSION, copy,
                              a.reason);
    if (ok)
        return act_saved(act_commit(&a, e));
    act_cancel(&a);
    unlink(copy);
    return false;
}

bool migrate(struct store *s, struct err *e)
{
    if (s->read_only)
        return err_set(e, ERR_REFUSED, _("%s has an older schema and may not "
                                         "be written"), s->path);
    if (!run(s, "BEGIN IMMEDIATE", e))
        return false;
    if (is_new(s)) { /* another process has just done it */
        store_rollback(s);
        return store_look(s, false, e);
    }
    char *copy = copy_name(s);
    s->keep_head = s->loss != NULL;
    bool ok = take_up(s, copy, e);
    s->keep_head = false;
    free(copy);
    return ok;
}
