#include "store/purge.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/chat.h"
#include "store/db.h"
#include "store/draft.h"
#include "store/job.h"
#include "store/words.h"

/* Sets of ids, as tables of this connection. */
static const char sets_sql[] =
    "CREATE TEMP TABLE IF NOT EXISTS gone_sample(id INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE IF NOT EXISTS gone_seed(id INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE IF NOT EXISTS gone_text(id INTEGER PRIMARY KEY);"
    "DELETE FROM gone_sample; DELETE FROM gone_seed; DELETE FROM gone_text;";

/* The texts of the objects themselves. */
#define OF_SAMPLES " IN (SELECT id FROM gone_sample)"
#define OF_SEEDS " IN (SELECT id FROM gone_seed)"
static const char own_sql[] =
    "INSERT OR IGNORE INTO gone_text"
    " SELECT prompt_text FROM sample WHERE id" OF_SAMPLES
    " UNION SELECT prompt_text FROM candidate WHERE sample" OF_SAMPLES
    " UNION SELECT body_text FROM candidate WHERE sample" OF_SAMPLES
    " UNION SELECT reason_text FROM score WHERE candidate IN"
    "  (SELECT id FROM candidate WHERE sample" OF_SAMPLES ")"
    " UNION SELECT old FROM change WHERE kind = 'sample'"
    "  AND object" OF_SAMPLES " AND field IN ('prompt', 'note')"
    " UNION SELECT new FROM change WHERE kind = 'sample'"
    "  AND object" OF_SAMPLES " AND field IN ('prompt', 'note')"
    " UNION SELECT messages_text FROM seed WHERE id" OF_SEEDS
    " UNION SELECT answer_text FROM seed WHERE id" OF_SEEDS
    " UNION SELECT raw_text FROM seed WHERE id" OF_SEEDS
    " UNION SELECT new FROM change WHERE kind = 'seed'"
    "  AND object" OF_SEEDS " AND field = 'note'"
    " UNION SELECT old FROM change WHERE kind = 'seed'"
    "  AND object" OF_SEEDS " AND field = 'note';"
    "DELETE FROM gone_text WHERE id NOT IN (SELECT id FROM text);";

/* What carried them: the calls that asked for their answers or judged them,
 * the reply that their prompt came in, and the prompts that they were drawn
 * into. */
static const char carriers_sql[] =
    "CREATE TEMP TABLE IF NOT EXISTS gone_call(id INTEGER PRIMARY KEY);"
    "DELETE FROM gone_call;"
    "INSERT OR IGNORE INTO gone_call"
    " SELECT call FROM candidate WHERE sample" OF_SAMPLES
    "  AND call IS NOT NULL"
    " UNION SELECT id FROM call WHERE sample" OF_SAMPLES
    " UNION SELECT c.id FROM call c JOIN sample x ON c.from_call = x.call"
    "  AND c.from_item = x.item WHERE x.id" OF_SAMPLES ";"
    "INSERT OR IGNORE INTO gone_text"
    " SELECT prompt_text FROM call WHERE id IN (SELECT id FROM gone_call)"
    "  AND state <> 'worked out'" /* nobody was asked: theirs is `[]` */
    "  AND id NOT IN (SELECT call FROM sample WHERE id" OF_SAMPLES
    "   AND call IS NOT NULL)"
    " UNION SELECT reply_text FROM call WHERE reply_text IS NOT NULL"
    "  AND (id IN (SELECT id FROM gone_call)"
    "   OR id IN (SELECT call FROM sample WHERE id" OF_SAMPLES "))"
    " UNION SELECT answer_text FROM call WHERE answer_text IS NOT NULL"
    "  AND (id IN (SELECT id FROM gone_call)"
    "   OR id IN (SELECT call FROM sample WHERE id" OF_SAMPLES "))"
    " UNION SELECT thinking_text FROM call WHERE thinking_text IS NOT NULL"
    "  AND (id IN (SELECT id FROM gone_call)"
    "   OR id IN (SELECT call FROM sample WHERE id" OF_SAMPLES "))"
    " UNION SELECT prompt_text FROM call WHERE id IN (SELECT call FROM draw"
    "  WHERE sample" OF_SAMPLES " OR seed" OF_SEEDS ");"
    "DELETE FROM gone_text WHERE id NOT IN (SELECT id FROM text);";

/* Live objects beside those named that use one of the texts. */
#define GONE_TEXT " IN (SELECT id FROM gone_text)"
static const struct {
    const char *kind, *sql;
} users[] = {
    {"sample", "SELECT prompt_text, id FROM sample WHERE live"
               " AND prompt_text" GONE_TEXT " AND NOT id" OF_SAMPLES},
    {"sample", "SELECT c.body_text, c.sample FROM candidate c JOIN sample x"
               " ON x.id = c.sample WHERE c.live AND x.live"
               " AND c.body_text" GONE_TEXT " AND NOT x.id" OF_SAMPLES},
    {"sample", "SELECT body_text, object FROM note WHERE kind = 'sample'"
               " AND body_text" GONE_TEXT " AND NOT object" OF_SAMPLES},
    {"seed", "SELECT messages_text, id FROM seed WHERE live"
             " AND messages_text" GONE_TEXT " AND NOT id" OF_SEEDS},
    {"seed", "SELECT answer_text, id FROM seed WHERE live"
             " AND answer_text" GONE_TEXT " AND NOT id" OF_SEEDS},
    {"seed", "SELECT raw_text, id FROM seed WHERE live"
             " AND raw_text" GONE_TEXT " AND NOT id" OF_SEEDS},
    {"target", "SELECT doc_text, id FROM target WHERE doc_text" GONE_TEXT},
    {"recipe", "SELECT file_text, id FROM recipe WHERE file_text" GONE_TEXT},
    {"tag", "SELECT max(old, new), object FROM change WHERE field = 'tag'"
            " AND max(old, new)" GONE_TEXT},
};

static bool run(struct store *s, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK || db_error(s, e, rc, "purge");
}

static bool put_in(struct store *s, const ids *which, const char *exists,
                   const char *insert, const char *what, struct err *e)
{
    for (size_t i = 0; i < which->n; i++) {
        int64_t id = which->at[i];
        if (!db_int(s, 0, exists, "i", id))
            return err_set(e, ERR_ABSENT, _("there is no %s%lld"), what,
                           (long long)id);
        if (!db_run(s, e, insert, "i", id))
            return false;
    }
    return true;
}

static bool begin_sets(struct store *s, const struct purge *p, struct err *e)
{
    return run(s, sets_sql, e) &&
           put_in(s, &p->samples, "SELECT 1 FROM sample WHERE id = ?1",
                  "INSERT OR IGNORE INTO gone_sample VALUES(?1)", "", e) &&
           put_in(s, &p->seeds, "SELECT 1 FROM seed WHERE id = ?1",
                  "INSERT OR IGNORE INTO gone_seed VALUES(?1)", "s", e) &&
           run(s, own_sql, e) &&
           put_in(s, &p->texts, "SELECT 1 FROM text WHERE id = ?1",
                  "INSERT OR IGNORE INTO gone_text VALUES(?1)", "t", e);
}

/* ---- Words -------------------------------------------------------------- */

typedef VEC(char *) needles;

static void add_needle(needles *all, const char *text)
{
    if (!text || strlen(text) < PURGE_WORDS)
        return;
    VEC_PUSH(all, xstrdup(text));
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_str(&w, text);
    if (b.len > 2 && strlen(text) + 2 != b.len)
        VEC_PUSH(all, xstrndup(buf_str(&b) + 1, b.len - 2));
    buf_free(&b);
}

/* The messages of a prompt, the words of an answer, or the text itself. */
static void add_words(needles *all, const char *body)
{
    struct chat c;
    struct message m;
    if (chat_parse(body, &c, NULL)) {
        for (size_t i = 0; i < c.n; i++)
            if (c.at[i].role != ROLE_SYSTEM) {
                add_needle(all, c.at[i].content);
                add_needle(all, c.at[i].reasoning);
            }
        chat_free(&c);
    } else if (answer_parse(body, &m, NULL)) {
        add_needle(all, *m.content ? m.content : body);
        add_needle(all, m.reasoning);
        message_free(&m);
    } else {
        add_needle(all, body);
    }
}

static bool collect_words(struct store *s, needles *all, struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT body FROM text WHERE body IS NOT NULL"
                  " AND id" GONE_TEXT, ""))
        return false;
    while (rows_next(&r, e))
        if (rows_text(&r, 0))
            add_words(all, rows_text(&r, 0));
    rows_done(&r);
    return !r.failed;
}

static bool holds_one(const needles *all, const void *body, size_t n)
{
    for (size_t i = 0; i < all->n; i++)
        if (memmem(body, n, all->at[i], strlen(all->at[i])))
            return true;
    return false;
}

/* Every other text that holds these words. */
static bool find_words(struct store *s, const needles *all, struct err *e)
{
    ids hits = {0};
    struct rows r;
    if (!all->n)
        return true;
    if (!db_query(s, &r, e, "SELECT id, body FROM text WHERE body IS NOT NULL"
                  " AND NOT id" GONE_TEXT, ""))
        return false;
    while (rows_next(&r, e)) {
        size_t n;
        const void *body = rows_blob(&r, 1, &n);
        if (n && holds_one(all, body, n))
            VEC_PUSH(&hits, rows_int(&r, 0));
    }
    rows_done(&r);
    bool ok = !r.failed;
    for (size_t i = 0; ok && i < hits.n; i++)
        ok = db_run(s, e, "INSERT OR IGNORE INTO gone_text VALUES(?1)", "i",
                    hits.at[i]);
    VEC_FREE(&hits);
    return ok;
}

/* ---- What others use ---------------------------------------------------- */

static bool may_go(const struct purge *p, const char *kind)
{
    return p->everywhere &&
           (!strcmp(kind, "sample") || !strcmp(kind, "seed"));
}

static bool find_users(struct store *s, const struct purge *p, size_t i,
                       struct purge_found *out, struct err *e)
{
    struct rows r;
    if (!db_query_once(s, &r, e, users[i].sql))
        return false;
    while (rows_next(&r, e)) {
        struct purge_kept k = {rows_int(&r, 0), rows_int(&r, 1),
                               users[i].kind};
        if (!may_go(p, k.kind))
            VEC_PUSH(&out->kept, k);
        else if (*k.kind == 's' && k.kind[1] == 'a')
            VEC_PUSH(&out->samples, k.object);
        else
            VEC_PUSH(&out->seeds, k.object);
    }
    rows_done(&r);
    return !r.failed;
}

/* Takes what is kept out of the set, and puts the other users in theirs. */
static bool settle(struct store *s, const struct purge *p,
                   struct purge_found *out, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT(users); i++)
        ok = find_users(s, p, i, out, e);
    for (size_t i = 0; ok && i < out->kept.n; i++)
        ok = db_run(s, e, "DELETE FROM gone_text WHERE id = ?1", "i",
                    out->kept.at[i].text);
    ok = ok && put_in(s, &out->samples, "SELECT 1 WHERE ?1",
                      "INSERT OR IGNORE INTO gone_sample VALUES(?1)", "", e) &&
         put_in(s, &out->seeds, "SELECT 1 WHERE ?1",
                "INSERT OR IGNORE INTO gone_seed VALUES(?1)", "s", e);
    VEC_FREE(&out->samples);
    VEC_FREE(&out->seeds);
    return ok;
}

static bool read_sets(struct store *s, struct purge_found *out, struct err *e)
{
    return db_ids(s, &out->samples, e, "SELECT id FROM gone_sample ORDER BY"
                  " id", "") &&
           db_ids(s, &out->seeds, e, "SELECT id FROM gone_seed ORDER BY id",
                  "") &&
           db_ids(s, &out->texts, e, "SELECT id FROM text WHERE body IS NOT"
                  " NULL AND id" GONE_TEXT " ORDER BY id", "") &&
           db_ids(s, &out->runs, e, "SELECT DISTINCT owner FROM member"
                  " WHERE kind = 'run' AND sample" OF_SAMPLES, "") &&
           db_ids(s, &out->exports, e, "SELECT DISTINCT owner FROM member"
                  " WHERE kind = 'export' AND sample" OF_SAMPLES, "");
}

bool purge_find(struct store *s, const struct purge *p,
                struct purge_found *out, struct err *e)
{
    needles all = {0};
    *out = (struct purge_found){0};
    bool ok = begin_sets(s, p, e) && collect_words(s, &all, e) &&
              run(s, carriers_sql, e) && find_words(s, &all, e) &&
              settle(s, p, out, e) && read_sets(s, out, e);
    for (size_t i = 0; i < all.n; i++)
        free(all.at[i]);
    VEC_FREE(&all);
    return ok;
}

void purge_found_free(struct purge_found *f)
{
    VEC_FREE(&f->samples);
    VEC_FREE(&f->seeds);
    VEC_FREE(&f->texts);
    VEC_FREE(&f->runs);
    VEC_FREE(&f->exports);
    VEC_FREE(&f->kept);
}

/* ---- Emptying ----------------------------------------------------------- */

static bool withdraw(struct act *a, enum object kind, int64_t id,
                     struct err *e)
{
    return act_change(a, kind, id, FIELD_LIVE, 0, e) &&
           draft_drop_all(a->s, kind, id, e);
}

/* Also what is withdrawn already loses its place in the index. */
static bool empty(struct act *a, int64_t text, struct err *e)
{
    return words_of_text(a->s, text, false, e) &&
           act_change(a, OBJECT_TEXT, text, FIELD_PURGED, a->at, e) &&
           db_run(a->s, e, "UPDATE text SET body = NULL WHERE id = ?1", "i",
                  text) &&
           db_run(a->s, e, "UPDATE sample SET prompt_hash = zeroblob(32)"
                  " WHERE prompt_text = ?1", "i", text);
}

static bool cancel_planned(struct store *s, struct err *e)
{
    ids calls;
    bool ok = db_ids(s, &calls, e, "SELECT id FROM call WHERE"
                     " state = 'planned' AND prompt_text IN (SELECT id"
                     "  FROM text WHERE purged IS NOT NULL)", "");
    for (size_t i = 0; ok && i < calls.n; i++)
        ok = call_set_state(s, calls.at[i], CALL_CANCELLED, e);
    VEC_FREE(&calls);
    return ok;
}

bool purge_apply(struct act *a, const struct purge_found *f, struct err *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < f->samples.n; i++)
        ok = withdraw(a, OBJECT_SAMPLE, f->samples.at[i], e);
    for (size_t i = 0; ok && i < f->seeds.n; i++)
        ok = withdraw(a, OBJECT_SEED, f->seeds.at[i], e);
    for (size_t i = 0; ok && i < f->texts.n; i++)
        ok = empty(a, f->texts.at[i], e);
    ok = ok && cancel_planned(a->s, e);
    /* the index keeps deleted words until its parts are merged */
    return ok && run(a->s, "INSERT INTO sample_words(sample_words)"
                     " VALUES('optimize');"
                     "INSERT INTO seed_words(seed_words) VALUES('optimize')",
                     e);
}
