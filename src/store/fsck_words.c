#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "base/mem.h"
#include "store/db.h"
#include "store/finding.h"
#include "store/words.h"

#define TOKEN_MAX 32768 /* bytes of a word that FTS5 keeps */
#define ROWS_MAX ((int64_t)1 << 30)

/* Of each row a sum over its words with their places, of those that it should
 * have less those that it has: 0 where all is well. */
struct words {
    struct fsck *f;
    const char *table, *rows; /* the index; what it is of */
    const char *last_sql, *ids_sql, *size_sql, *settings_sql;
    bool (*of)(struct store *s, int64_t id, char **prompt, char **answer);
    fts5_tokenizer call;
    Fts5Tokenizer *tokenizer;
    uint64_t *sums;
    int64_t last; /* the highest id */
    int64_t whole, total[2];
    /* of the text that is being taken apart */
    uint64_t sum;
    int64_t count;
    int column;
    struct err why; /* of what could not be read */
};

static bool run(struct words *w, const char *sql)
{
    struct rows r;
    if (!db_query_once(w->f->s, &r, &w->why, sql))
        return false;
    while (rows_next(&r, &w->why))
        continue;
    rows_done(&r);
    return !r.failed;
}

static uint64_t place(int column, int64_t at, const char *word, size_t n)
{
    uint64_t h = 14695981039346656037u ^ (uint64_t)(at * 2 + column);
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)word[i]) * 1099511628211u;
    h ^= h >> 29;
    return h * 0x9e3779b97f4a7c15u;
}

static int on_word(void *ctx, int flags, const char *word, int n, int from,
                   int to)
{
    struct words *w = ctx;
    (void)from;
    (void)to;
    if (!(flags & FTS5_TOKEN_COLOCATED))
        w->count++;
    w->sum += place(w->column, w->count - 1, word,
                    (size_t)(n < TOKEN_MAX ? n : TOKEN_MAX));
    return SQLITE_OK;
}

static int64_t take_apart(struct words *w, int column, const char *text)
{
    w->count = 0;
    w->column = column;
    w->call.xTokenize(w->tokenizer, w, FTS5_TOKENIZE_DOCUMENT, text,
                      (int)strlen(text), on_word);
    w->total[column] += w->count;
    return w->count;
}

static bool open_tokenizer(struct words *w)
{
    const char *args[] = {"remove_diacritics", "2"};
    fts5_api *api = NULL;
    void *ctx;
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(w->f->s->db, "SELECT fts5(?1)", -1, &st, NULL) !=
        SQLITE_OK)
        return false;
    sqlite3_bind_pointer(st, 1, &api, "fts5_api_ptr", NULL);
    sqlite3_step(st);
    sqlite3_finalize(st);
    return api &&
           api->xFindTokenizer(api, "unicode61", &ctx, &w->call) ==
               SQLITE_OK &&
           w->call.xCreate(ctx, args, 2, &w->tokenizer) == SQLITE_OK;
}

/* SQLite's number of a variable length. */
static void put_number(struct buf *b, uint64_t v)
{
    uint8_t bytes[10];
    int n = 0;
    for (; !n || v; v >>= 7, n++)
        bytes[n] = (uint8_t)((v & 0x7f) | (n ? 0x80 : 0));
    while (n > 0)
        buf_putc(b, (char)bytes[--n]);
}

/* What FTS5 notes of a row's length. */
static bool has_size(struct words *w, int64_t id, const int64_t count[2])
{
    struct rows r;
    struct buf b = BUF_INIT(0);
    size_t n;
    bool ok = false;
    put_number(&b, (uint64_t)count[0]);
    put_number(&b, (uint64_t)count[1]);
    if (db_query(w->f->s, &r, &w->why, w->size_sql, "i", id)) {
        const void *p = rows_next(&r, &w->why) ? rows_blob(&r, 0, &n) : NULL;
        ok = p && n == b.len && !memcmp(p, b.data, n);
        rows_done(&r);
    }
    buf_free(&b);
    return ok;
}

static bool take_texts(struct words *w)
{
    ids all;
    struct fsck *f = w->f;
    bool ok = db_ids(f->s, &all, &w->why, w->ids_sql, "");
    for (size_t i = 0; ok && i < all.n; i++) {
        char *prompt = NULL, *answer = NULL;
        int64_t count[2], id = all.at[i];
        w->sum = 0;
        if (id > 0 && id <= w->last && w->of(f->s, id, &prompt, &answer)) {
            count[0] = take_apart(w, 0, prompt);
            count[1] = take_apart(w, 1, answer);
            w->sums[id] = w->sum;
            w->whole++;
            if (!has_size(w, id, count))
                found(f, _("%s %lld: the word index does not have its "
                           "length"), w->rows, (long long)id);
        }
        free(prompt);
        free(answer);
    }
    VEC_FREE(&all);
    return ok;
}

static bool take_index(struct words *w)
{
    struct rows r;
    struct fsck *f = w->f;
    char sql[200];
    snprintf(sql, sizeof sql, "CREATE VIRTUAL TABLE IF NOT EXISTS"
             " temp.%s_at USING fts5vocab('main', '%s', 'instance')",
             w->table, w->table);
    if (!run(w, sql))
        return false;
    snprintf(sql, sizeof sql, "SELECT doc, col = 'answer', offset, term"
             " FROM temp.%s_at", w->table);
    if (!db_query_once(f->s, &r, &w->why, sql))
        return false;
    int64_t stray = 0;
    while (rows_next(&r, &w->why)) {
        int64_t id = rows_int(&r, 0);
        size_t n;
        const char *word = rows_blob(&r, 3, &n);
        if (id > 0 && id <= w->last)
            w->sums[id] -= place((int)rows_int(&r, 1), rows_int(&r, 2), word,
                                 n);
        else
            stray = id;
    }
    rows_done(&r);
    if (stray)
        found(f, _("%s: holds words of %s %lld, which is not there"),
              w->table, w->rows, (long long)stray);
    return !r.failed;
}

static bool has_totals(struct words *w)
{
    struct rows r;
    char sql[120];
    size_t n;
    bool ok = false;
    struct buf b = BUF_INIT(0);
    put_number(&b, (uint64_t)w->whole);
    put_number(&b, (uint64_t)w->total[0]);
    put_number(&b, (uint64_t)w->total[1]);
    snprintf(sql, sizeof sql, "SELECT block, (SELECT count(*) FROM"
             " %s_docsize) FROM %s_data WHERE id = 1", w->table, w->table);
    if (db_query_once(w->f->s, &r, &w->why, sql)) {
        const void *p = rows_next(&r, &w->why) ? rows_blob(&r, 0, &n) : NULL;
        ok = p ? n == b.len && !memcmp(p, b.data, n) : !w->whole;
        ok = (ok || (!n && !w->whole)) && rows_int(&r, 1) == w->whole;
        rows_done(&r);
    }
    buf_free(&b);
    return ok;
}

/* Words are looked up from a segment's first page on. */
static bool has_starts(struct words *w)
{
    char sql[300];
    struct rows r;
    snprintf(sql, sizeof sql, "SELECT 1 FROM (SELECT DISTINCT id >> 37 AS"
             " segment FROM %s_data WHERE id > 10) s WHERE NOT EXISTS(SELECT"
             " 1 FROM %s_idx i WHERE i.segid = s.segment"
             "  AND i.pgno >> 1 = 1)", w->table, w->table);
    if (!db_query_once(w->f->s, &r, &w->why, sql))
        return false;
    bool missing = rows_next(&r, &w->why);
    rows_done(&r);
    return !missing && !r.failed;
}

/* The texts against the index; false where it cannot be read. */
static bool compare(struct words *w)
{
    struct fsck *f = w->f;
    if (w->last > ROWS_MAX) {
        found(f, _("%s %lld: no such number was ever given"), w->rows,
              (long long)w->last);
        return true;
    }
    w->sums = xcalloc((size_t)w->last + 1, sizeof *w->sums);
    bool ok = take_texts(w) && take_index(w);
    for (int64_t id = 1; ok && id <= w->last; id++)
        if (w->sums[id])
            found(f, _("%s %lld: the word index does not hold its words"),
                  w->rows, (long long)id);
    free(w->sums);
    return ok && has_totals(w) && has_starts(w);
}

#define OTHER_SETTINGS(table)                                                 \
    "SELECT count(*) FROM " table "_config WHERE NOT"                         \
    " (k = 'version' AND v = 4 AND typeof(v) = 'integer')"

/* The index was made with FTS5's own settings: its form is 4, which newer
 * SQLite reads as well as 5, and nothing else is set. */
static void check_settings(struct words *w)
{
    if (db_int(w->f->s, 1, w->settings_sql, ""))
        found(w->f, _("the word index of %ss has other settings"), w->rows);
}

/* Begins to read: all that follows is of one moment. */
static bool begin(struct words *w)
{
    ids last = {0};
    bool ok = run(w, "BEGIN") &&
              db_ids(w->f->s, &last, &w->why, w->last_sql, "");
    w->last = last.n ? last.at[0] : 0;
    VEC_FREE(&last);
    return ok;
}

/* False where the store was held by others. */
static bool check_table(struct words *w)
{
    struct fsck *f = w->f;
    char sql[120];
    snprintf(sql, sizeof sql, "INSERT INTO %s(%s) VALUES('integrity-check')",
             w->table, w->table);
    bool whole = f->s->read_only || run(w, sql);
    bool begun = w->why.code != ERR_BUSY && begin(w);
    if (begun)
        check_settings(w);
    whole = whole && begun && open_tokenizer(w) && compare(w);
    store_rollback(f->s);
    if (w->tokenizer)
        w->call.xDelete(w->tokenizer);
    if (w->why.code == ERR_BUSY)
        return err_set(f->e, ERR_BUSY, "%s", w->why.text);
    if (!whole)
        found(f, _("%s: the word index is damaged"), w->table);
    return true;
}

bool fsck_words(struct fsck *f)
{
    struct words all[] = {
        {.table = "sample_words", .rows = "sample", .of = words_of_sample,
         .ids_sql = "SELECT id FROM sample",
         .size_sql = "SELECT sz FROM sample_words_docsize WHERE id = ?1",
         .settings_sql = OTHER_SETTINGS("sample_words"),
         .last_sql = "SELECT max(id) FROM sample"},
        {.table = "seed_words", .rows = "seed", .of = words_of_seed,
         .ids_sql = "SELECT id FROM seed",
         .size_sql = "SELECT sz FROM seed_words_docsize WHERE id = ?1",
         .settings_sql = OTHER_SETTINGS("seed_words"),
         .last_sql = "SELECT max(id) FROM seed"}};
    int64_t before = f->n->findings;
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT(all); i++) {
        all[i].f = f;
        ok = check_table(&all[i]);
    }
    if (ok && f->n->findings > before)
        remark(f, _("`stillroom fsck --reindex` makes the word index anew of "
                    "the texts"));
    return ok;
}
