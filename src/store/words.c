#include "store/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "domain/chat.h"
#include "store/db.h"
#include "store/fsck.h"
#include "store/text.h"

/* ---- What the index should hold ------------------------------------------ */

static char *words_of(const char *body, char *of(const char *))
{
    return body ? of(body) : xstrdup("");
}

bool words_of_sample(struct store *s, int64_t sample, char **prompt,
                     char **answers)
{
    struct buf b = BUF_INIT(0);
    struct rows r;
    bool whole = true;
    *prompt = *answers = NULL;
    if (!db_query(s, &r, NULL, "SELECT 0, t.body, t.purged FROM sample x"
                  " JOIN text t ON t.id = x.prompt_text WHERE x.id = ?1"
                  " UNION ALL SELECT c.n, t.body, t.purged FROM candidate c"
                  " JOIN text t ON t.id = c.body_text WHERE c.sample = ?1"
                  " AND c.live ORDER BY 1", "i", sample))
        return false;
    while (rows_next(&r, NULL)) {
        whole = whole && rows_null(&r, 2);
        if (!*prompt && !rows_int(&r, 0)) {
            *prompt = words_of(rows_text(&r, 1), prompt_text);
            continue;
        }
        char *text = words_of(rows_text(&r, 1), answer_text);
        buf_printf(&b, "%s%s", b.len ? "\n" : "", text);
        free(text);
    }
    rows_done(&r);
    *answers = buf_take(&b);
    return whole && *prompt;
}

bool words_of_seed(struct store *s, int64_t seed, char **prompt,
                   char **answer)
{
    struct rows r;
    *prompt = *answer = NULL;
    if (!db_query(s, &r, NULL, "SELECT t.body, a.body, coalesce(t.purged,"
                  " a.purged) FROM seed x JOIN text t"
                  " ON t.id = x.messages_text LEFT JOIN text a"
                  " ON a.id = x.answer_text WHERE x.id = ?1", "i", seed))
        return false;
    bool whole = rows_next(&r, NULL) && rows_null(&r, 2);
    *prompt = words_of(whole ? rows_text(&r, 0) : NULL, prompt_text);
    *answer = words_of(whole ? rows_text(&r, 1) : NULL, answer_text);
    rows_done(&r);
    return whole;
}

/* ---- Writing ------------------------------------------------------------- */

bool words_add(struct store *s, int64_t sample, const char *prompt,
               const char *answers, struct err *e)
{
    return db_run(s, e, "INSERT INTO sample_words(rowid, prompt, answer)"
                  " VALUES(?1, ?2, ?3)", "iss", sample, prompt, answers);
}

bool words_add_seed(struct store *s, int64_t seed, const char *prompt,
                    const char *answer, struct err *e)
{
    return db_run(s, e, "INSERT INTO seed_words(rowid, prompt, answer)"
                  " VALUES(?1, ?2, ?3)", "iss", seed, prompt,
                  answer ? answer : "");
}

static bool take_out(struct store *s, int64_t sample, const char *prompt,
                     const char *answers, struct err *e)
{
    return db_run(s, e, "INSERT INTO sample_words(sample_words, rowid,"
                  " prompt, answer) VALUES('delete', ?1, ?2, ?3)", "iss",
                  sample, prompt, answers);
}

static bool take_out_seed(struct store *s, int64_t seed, const char *prompt,
                          const char *answer, struct err *e)
{
    return db_run(s, e, "INSERT INTO seed_words(seed_words, rowid, prompt,"
                  " answer) VALUES('delete', ?1, ?2, ?3)", "iss", seed,
                  prompt, answer);
}

typedef bool words_find(struct store *s, int64_t id, char **a, char **b);
typedef bool words_write(struct store *s, int64_t id, const char *a,
                         const char *b, struct err *e);

/* Writes what is whole; nothing of the rest is in the index. */
static bool write_whole(struct store *s, int64_t id, words_find *find,
                        words_write *write, struct err *e)
{
    char *prompt, *answer;
    bool ok = !find(s, id, &prompt, &answer) ||
              write(s, id, prompt, answer, e);
    free(prompt);
    free(answer);
    return ok;
}

bool words_add_sample(struct store *s, int64_t sample, struct err *e)
{
    return write_whole(s, sample, words_of_sample, words_add, e);
}

bool words_remove_sample(struct store *s, int64_t sample, struct err *e)
{
    return write_whole(s, sample, words_of_sample, take_out, e);
}

bool words_of_text(struct store *s, int64_t text, bool in, struct err *e)
{
    ids samples = {0}, seeds = {0};
    bool ok = db_ids(s, &samples, e, "SELECT id FROM sample"
                     " WHERE prompt_text = ?1 UNION SELECT sample"
                     " FROM candidate WHERE body_text = ?1 AND live", "i",
                     text) &&
              db_ids(s, &seeds, e, "SELECT id FROM seed WHERE"
                     " messages_text = ?1 OR answer_text = ?1", "i", text);
    for (size_t i = 0; ok && i < samples.n; i++)
        ok = write_whole(s, samples.at[i], words_of_sample,
                         in ? words_add : take_out, e);
    for (size_t i = 0; ok && i < seeds.n; i++)
        ok = write_whole(s, seeds.at[i], words_of_seed,
                         in ? words_add_seed : take_out_seed, e);
    VEC_FREE(&samples);
    VEC_FREE(&seeds);
    return ok;
}

/* An index of another form is not read: FTS5's own settings first, in tables
 * that are closed to us otherwise. */
static bool reset_settings(struct store *s, struct err *e)
{
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    bool ok = db_run(s, e, "DELETE FROM sample_words_config"
                     " WHERE k <> 'version'", "") &&
              db_run(s, e, "UPDATE sample_words_config SET v = 4", "") &&
              db_run(s, e, "DELETE FROM seed_words_config"
                     " WHERE k <> 'version'", "") &&
              db_run(s, e, "UPDATE seed_words_config SET v = 4", "");
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return ok;
}

static bool empty_index(struct store *s, struct err *e)
{
    return db_run(s, e, "INSERT INTO sample_words(sample_words)"
                  " VALUES('delete-all')", "") &&
           db_run(s, e, "INSERT INTO seed_words(seed_words)"
                  " VALUES('delete-all')", "");
}

static bool fill_index(struct store *s, struct err *e)
{
    ids samples = {0}, seeds = {0};
    bool ok = db_ids(s, &samples, e, "SELECT id FROM sample", "") &&
              db_ids(s, &seeds, e, "SELECT id FROM seed", "");
    for (size_t i = 0; ok && i < samples.n; i++)
        ok = write_whole(s, samples.at[i], words_of_sample, words_add, e);
    for (size_t i = 0; ok && i < seeds.n; i++)
        ok = write_whole(s, seeds.at[i], words_of_seed, words_add_seed, e);
    VEC_FREE(&samples);
    VEC_FREE(&seeds);
    return ok;
}

bool store_reindex(struct store *s, struct err *e)
{
    if (!store_begin(s, e))
        return false;
    if (reset_settings(s, e) && empty_index(s, e) && fill_index(s, e) &&
        store_commit(s, e))
        return true;
    store_rollback(s);
    return false;
}

char *words_query(const char *text, bool exact)
{
    struct buf b = BUF_INIT(0);
    buf_putc(&b, '"');
    for (const char *p = text; *p; p++)
        buf_add(&b, *p == '"' ? "\"\"" : p, *p == '"' ? 2 : 1);
    buf_puts(&b, exact ? "\"" : "\"*");
    return buf_take(&b);
}
