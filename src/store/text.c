#include "store/text.h"

#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/utf8.h"
#include "store/cache.h"
#include "store/db.h"
#include "store/words.h"

static int64_t insert(struct store *s, const uint8_t *sha, const void *p,
                      size_t n, struct err *e)
{
    uint8_t seal[SEAL_SIZE];
    bool plain = !memchr(p, '\0', n) && utf8_check(p, n) == n;
    if (!db_run(s, e, "INSERT INTO text(sha256, body) VALUES(?1, ?2)",
                plain ? "bt" : "bb", sha, (size_t)SHA_SIZE, p, n))
        return 0;
    int64_t id = sqlite3_last_insert_rowid(s->db);
    ledger_seal(s->id, SEAL_TEXT, id, sha, SHA_SIZE, seal);
    ledger_enter(&s->ledger, SEAL_TEXT, NULL, seal);
    return id;
}

/* The words come back: a change of the decision that brings them. */
static bool restore(struct store *s, int64_t id, const void *p, size_t n,
                    struct err *e)
{
    bool plain = !memchr(p, '\0', n) && utf8_check(p, n) == n;
    return db_run(s, e, "UPDATE text SET body = ?2 WHERE id = ?1",
                  plain ? "it" : "ib", id, p, n) &&
           act_change(s->act, OBJECT_TEXT, id, FIELD_PURGED, 0, e) &&
           cache_prompts_of(s, id, e) && words_of_text(s, id, true, e);
}

/* The text's row, 0 where there is none; when it was purged. False where the
 * store failed. */
static bool find(struct store *s, const uint8_t *sha, int64_t *id,
                 int64_t *purged, struct err *e)
{
    struct rows r;
    *id = *purged = 0;
    if (!db_query(s, &r, e, "SELECT id, purged FROM text WHERE sha256 = ?1",
                  "b", sha, (size_t)SHA_SIZE))
        return false;
    if (rows_next(&r, e)) {
        *id = rows_int(&r, 0);
        *purged = rows_int(&r, 1);
    }
    rows_done(&r);
    return !r.failed;
}

static bool refuse(int64_t purged, struct err *e)
{
    char day[40];
    return err_set(e, ERR_REFUSED, _("this text was purged on %s"),
                   clock_format(day, sizeof day, purged, 1));
}

int64_t text_put(struct store *s, const void *p, size_t n, struct err *e)
{
    uint8_t sha[SHA_SIZE];
    int64_t id, purged;
    p = n ? p : "";
    sha_of(p, n, sha);
    if (!find(s, sha, &id, &purged, e))
        return 0;
    if (purged && s->restore && s->act)
        return restore(s, id, p, n, e) ? id : 0;
    if (purged)
        return refuse(purged, e);
    return id ? id : insert(s, sha, p, n, e);
}

bool text_refused(struct store *s, const void *p, size_t n, struct err *e)
{
    uint8_t sha[SHA_SIZE];
    int64_t id, purged;
    if (!n || s->restore)
        return false;
    sha_of(p, n, sha);
    return find(s, sha, &id, &purged, NULL) && purged && !refuse(purged, e);
}

void text_allow_restore(struct store *s)
{
    s->restore = true;
}

int64_t text_puts(struct store *s, const char *text, struct err *e)
{
    return text_put(s, text, strlen(text), e);
}

char *text_get(struct store *s, int64_t id, size_t *n)
{
    struct rows r;
    char *copy = NULL;
    if (!id || !db_query(s, &r, NULL, "SELECT body FROM text WHERE id = ?1",
                         "i", id))
        return NULL;
    if (rows_next(&r, NULL) && !rows_null(&r, 0)) {
        size_t len;
        const char *p = rows_blob(&r, 0, &len);
        copy = xstrndup(len ? p : "", len);
        if (n)
            *n = len;
    }
    rows_done(&r);
    return copy;
}
