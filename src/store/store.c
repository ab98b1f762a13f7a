#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/proc.h"
#include "base/rng.h"
#include "store/db.h"
#include "store/migrate.h"
#include "store/schema.h"
#include "store/seal.h"

#define WAIT_MS 10000 /* without a tick of the caller's */
#define NAP_MS 3
#define HOLDER_MS 200

/* ---- Waiting ------------------------------------------------------------ */

/* Who holds the store, as NAME.runs/holder says; "" where nobody living
 * does. */
static void read_holder(struct store *s, char *out, size_t cap)
{
    struct buf b = BUF_INIT(200);
    char *path = path_join(s->runs_dir, "holder");
    out[0] = '\0';
    if (file_read(path, 200, &b, NULL)) {
        long pid = strtol(buf_str(&b), NULL, 10);
        const char *who = strchr(buf_str(&b), ' ');
        if (proc_alive((pid_t)pid) && who)
            snprintf(out, cap, _("%s (stillroom, pid %ld)"), who + 1, pid);
    }
    free(path);
    buf_free(&b);
}

/* Our name into NAME.runs/holder, once, after a long hold. */
static void write_holder(struct store *s)
{
    if (s->named || !s->in_write || clock_mono() - s->begun < HOLDER_MS)
        return;
    s->named = true;
    const char *who = getenv("LOGNAME");
    char text[120];
    int n = snprintf(text, sizeof text, "%ld %.80s", (long)getpid(),
                     who ? who : "?");
    char *path = path_join(s->runs_dir, "holder");
    if (runs_dir_make(s, NULL))
        file_replace(path, text, (size_t)n, 0600, false, NULL);
    free(path);
}

static void erase_holder(struct store *s)
{
    if (!s->named)
        return;
    char *path = path_join(s->runs_dir, "holder");
    unlink(path);
    free(path);
    s->named = false;
}

static int on_busy(void *ctx, int tries)
{
    struct store *s = ctx;
    int64_t now = clock_mono();
    if (tries == 0 || !s->wait_from)
        s->wait_from = now;
    int64_t waited = now - s->wait_from;
    bool go_on = waited < WAIT_MS;
    if (s->tick && waited > 20) {
        char holder[200];
        read_holder(s, holder, sizeof holder);
        go_on = s->tick(s->tick_ctx, holder, waited);
    }
    s->gave_up = !go_on;
    s->stopped = !go_on && s->tick;
    if (!go_on) {
        s->waited = waited;
        read_holder(s, s->holder, sizeof s->holder);
    }
    if (go_on)
        clock_sleep(NAP_MS);
    return go_on;
}

static int on_progress(void *ctx)
{
    struct store *s = ctx;
    int64_t now = clock_mono();
    write_holder(s);
    if (!s->tick || now - s->last_tick < 5)
        return 0;
    s->last_tick = now;
    return !s->tick(s->tick_ctx, NULL, 0);
}

void store_set_tick(struct store *s, store_tick *fn, void *ctx)
{
    s->tick = fn;
    s->tick_ctx = ctx;
}

/* ---- Opening ------------------------------------------------------------ */

static bool run_plain(struct store *s, const char *sql, struct err *e,
                      const char *doing)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK || db_error(s, e, rc, doing);
}

/* Sets a pragma and reads it back. */
static bool pragma(struct store *s, const char *name, const char *set,
                   const char *want, struct err *e)
{
    char sql[100];
    snprintf(sql, sizeof sql, "PRAGMA %s=%s", name, set);
    if (!run_plain(s, sql, e, s->path))
        return false;
    snprintf(sql, sizeof sql, "PRAGMA %s", name);
    struct rows r;
    if (!db_query_once(s, &r, e, sql))
        return false;
    bool got = rows_next(&r, e);
    bool ok = got && rows_text(&r, 0) && !strcasecmp(rows_text(&r, 0), want);
    if (got && !ok)
        err_set(e, ERR_STORE, _("SQLite did not take the setting %s=%s"),
                name, set);
    rows_done(&r);
    return ok;
}

static bool settings(struct store *s, struct err *e)
{
    static const struct {
        const char *name, *set, *want;
    } table[] = {{"synchronous", "EXTRA", "3"}, {"foreign_keys", "ON", "1"},
                 {"cell_size_check", "ON", "1"}, {"mmap_size", "0", "0"},
                 {"temp_store", "MEMORY", "2"}, {"secure_delete", "ON", "1"},
                 {"cache_size", "-16000", "-16000"}};
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    /* plans do not depend on bound values, so no statement is prepared anew
     * when its values change (partial indexes made that happen) */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_busy_handler(s->db, on_busy, s);
    sqlite3_progress_handler(s->db, 20000, on_progress, s);
    for (size_t i = 0; i < COUNT(table); i++)
        if (!pragma(s, table[i].name, table[i].set, table[i].want, e))
            return false;
    return seal_register(s, e);
}

/* What SQLite would open along with the store: on a FIFO it would wait for
 * ever, through a link it would write elsewhere. */
static bool check_beside(const char *path, const char *end, struct err *e)
{
    struct stat st;
    char *beside = xasprintf("%s%s", path, end);
    bool ok = lstat(beside, &st) < 0 || S_ISREG(st.st_mode) ||
              err_set(e, ERR_REFUSED, _("%s is not a file"), beside);
    free(beside);
    return ok;
}

/* Refuses what is not a plain file of ours before SQLite touches it. */
static bool check_file(const char *path, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) < 0) {
        if (errno == ENOENT)
            return err_set(e, ERR_ABSENT, _("there is no store %s; make one "
                           "with `stillroom init`"), path);
        return err_sys(e, "%s", path);
    }
    if (S_ISLNK(st.st_mode))
        return err_set(e, ERR_REFUSED, _("%s is a link; name the store "
                                         "itself"), path);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_REFUSED, _("%s is not a file"), path);
    if (st.st_nlink > 1)
        return err_set(e, ERR_REFUSED, _("%s has a second name (a hard "
                       "link); SQLite would lose its journal"), path);
    if (!check_beside(path, "-journal", e) || !check_beside(path, "-wal", e))
        return false;
    char magic[16] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return err_sys(e, "%s", path);
    ssize_t n = read(fd, magic, sizeof magic);
    close(fd);
    if (n != (ssize_t)sizeof magic || memcmp(magic, "SQLite format 3", 16))
        return err_set(e, ERR_REFUSED, _("%s is not a store: it is not an "
                                         "SQLite file"), path);
    return true;
}


static bool check_identity(struct store *s, bool *old, struct err *e)
{
    struct rows r;
    if (!db_query_once(s, &r, e, "SELECT count(*) FROM sqlite_schema"))
        return err_in(e, "%s", s->path);
    bool readable = rows_next(&r, e);
    rows_done(&r);
    if (!readable)
        return err_in(e, "%s", s->path);
    if (db_int(s, -1, "PRAGMA application_id", "") != STORE_APPLICATION_ID)
        return err_set(e, ERR_REFUSED, _("%s is an SQLite file of another "
                                         "program"), s->path);
    int64_t version = db_int(s, -1, "PRAGMA user_version", "");
    if (version > STORE_VERSION || version < 1)
        return err_set(e, ERR_REFUSED, _("%s has schema %lld; this stillroom "
                       "knows up to %d: use a newer one"), s->path,
                       (long long)version, STORE_VERSION);
    *old = version < STORE_VERSION;
    return true;
}

/* The schema must be, to the letter, what we would create: no triggers, no
 * views, nothing added. */
static bool check_schema(struct store *s, struct err *e)
{
    static const char list[] =
        "SELECT type||name||coalesce(sql,'') FROM sqlite_schema"
        " ORDER BY type, name";
    sqlite3 *fresh = NULL;
    sqlite3_stmt *a = NULL, *b = NULL;
    bool same = sqlite3_open(":memory:", &fresh) == SQLITE_OK &&
                sqlite3_exec(fresh, schema_sql, NULL, NULL, NULL) ==
                    SQLITE_OK &&
                sqlite3_prepare_v2(fresh, list, -1, &a, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(s->db, list, -1, &b, NULL) == SQLITE_OK;
    while (same) {
        int x = sqlite3_step(a), y = sqlite3_step(b);
        same = x == y;
        if (!same || x != SQLITE_ROW)
            break;
        same = !strcmp((const char *)sqlite3_column_text(a, 0),
                       (const char *)sqlite3_column_text(b, 0));
    }
    sqlite3_finalize(a);
    sqlite3_finalize(b);
    sqlite3_close(fresh);
    return same || err_set(e, ERR_REFUSED, _("%s: its tables are not those "
                           "of a stillroom store"), s->path);
}

static bool load_identity(struct store *s, struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT id, salt FROM store", ""))
        return false;
    bool ok = rows_next(&r, e);
    if (ok) {
        size_t n;
        const void *salt = rows_blob(&r, 1, &n);
        snprintf(s->id, sizeof s->id, "%s", rows_text(&r, 0));
        ok = n == sizeof s->salt && salt;
        if (ok)
            memcpy(s->salt, salt, n);
    }
    rows_done(&r);
    return ok || err_set(e, ERR_REFUSED, _("%s: the row of table store is "
                                           "missing"), s->path);
}

static struct store *new_store(const char *path)
{
    struct store *s = xcalloc(1, sizeof *s);
    s->path = xstrdup(path);
    size_t n = strlen(path);
    bool db = n > 3 && !strcmp(path + n - 3, ".db");
    s->runs_dir = xasprintf("%.*s.runs", (int)(db ? n - 3 : n), path);
    return s;
}

static bool connect(struct store *s, int flags, struct err *e)
{
    sqlite3_initialize();
    /* links are refused in the last part alone: SQLite judges all of them */
    char *dir = path_dir(s->path), *real = realpath(dir, NULL);
    char *path = path_join(real ? real : dir, path_base(s->path));
    int rc = sqlite3_open_v2(path, &s->db,
                             flags | SQLITE_OPEN_NOFOLLOW |
                                 SQLITE_OPEN_PRIVATECACHE |
                                 SQLITE_OPEN_FULLMUTEX,
                             NULL);
    free(dir);
    free(real);
    free(path);
    if (rc != SQLITE_OK)
        return db_error(s, e, rc, s->path);
    return settings(s, e);
}

static bool journal_mode(struct store *s, struct err *e)
{
    if (s->read_only)
        return true;
    if (pragma(s, "journal_mode", "TRUNCATE", "truncate", e))
        return true;
    return err_set(e, ERR_REFUSED, _("%s is in WAL mode and in use: close "
                   "what holds it first"), s->path);
}

/* What the splits are dealt by. STILLROOM_SALT (any text) fixes it, for tests:
 * stores of the same rows then have the same splits. */
static void make_salt(struct store *s)
{
    const char *fixed = getenv("STILLROOM_SALT");
    uint8_t sha[SHA_SIZE];
    if (!fixed) {
        rng_system(s->salt, sizeof s->salt);
        return;
    }
    sha_of(fixed, strlen(fixed), sha);
    memcpy(s->salt, sha, sizeof s->salt);
}

bool store_create(const char *path, struct store **out, struct err *e)
{
    *out = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0600);
    if (fd < 0 && errno == EEXIST)
        return err_set(e, ERR_REFUSED, _("%s exists already"), path);
    if (fd < 0)
        return err_sys(e, _("cannot make %s"), path);
    close(fd);
    struct store *s = new_store(path);
    uint8_t id[16];
    rng_system(id, sizeof id);
    make_salt(s);
    sha_hex(id, sizeof id, s->id);
    uint8_t ledger[LEDGER_SIZE];
    ledger_print(&s->ledger, s->id, ledger);
    char head[120];
    snprintf(head, sizeof head,
             "PRAGMA application_id=%d; PRAGMA user_version=%d;",
             STORE_APPLICATION_ID, STORE_VERSION);
    bool ok = connect(s, SQLITE_OPEN_READWRITE, e) && journal_mode(s, e) &&
              run_plain(s, "BEGIN IMMEDIATE", e, path) &&
              run_plain(s, schema_sql, e, path) &&
              run_plain(s, head, e, path) &&
              db_run(s, e, "INSERT INTO store(id, salt, created, ledger)"
                     " VALUES(?1, ?2, ?3, ?4)", "sbib", s->id, s->salt,
                     sizeof s->salt, clock_now(), ledger, sizeof ledger) &&
              run_plain(s, "COMMIT", e, path);
    if (!ok) {
        store_close(&s);
        unlink(path);
        return false;
    }
    *out = s;
    return true;
}

/* Root may write anything; what counts is a read-only disk or our rights. */
static bool may_write(const char *path)
{
    char *dir = path_dir(path);
    bool ok = access(path, W_OK) == 0 && access(dir, W_OK) == 0;
    free(dir);
    return ok;
}

bool store_look(struct store *s, bool first, struct err *e)
{
    struct rows r;
    const char *sql =
        first ? "SELECT d.seq, d.hash FROM store s LEFT JOIN (SELECT seq,"
                " hash FROM decision ORDER BY seq DESC LIMIT 1) d"
              : "SELECT d.seq, d.hash, s.ledger, s.born FROM store s"
                " LEFT JOIN (SELECT seq, hash FROM decision ORDER BY seq DESC"
                " LIMIT 1) d";
    s->tail = (struct tail){0};
    s->counted = first;
    if (!db_query(s, &r, e, sql, ""))
        return false;
    size_t n = 0;
    bool ok = rows_next(&r, e);
    if (ok) {
        const void *hash = rows_blob(&r, 1, &n);
        s->tail.seq = rows_int(&r, 0);
        if (n == SHA_SIZE)
            memcpy(s->tail.hash, hash, n);
    }
    if (ok && !first) {
        const uint8_t *p = rows_blob(&r, 2, &n);
        s->sealed = !rows_null(&r, 3);
        s->counted = ledger_parse(&s->ledger, s->id, p, n);
        s->tail.n = s->ledger.n;
        if (s->counted)
            memcpy(s->tail.ledger, p + n - SEAL_SIZE, SEAL_SIZE);
    }
    rows_done(&r);
    return ok;
}

/* Compares the store with what the head file says of it. */
static bool compare_head(struct store *s, const struct tail *head,
                         enum head_found found, struct err *e)
{
    if (!s->counted)
        return err_set(e, ERR_REFUSED, _("the ledger is damaged; see "
                                         "`stillroom fsck`"));
    return found != HEAD_READ || head_fits(s, head, &s->tail, e);
}

static bool look_back(struct store *s, bool first, struct err *e)
{
    struct tail head;
    struct err why = {0};
    enum head_found found = head_read(s, &head);
    if (!store_look(s, first, e))
        return false;
    if (first && db_int(s, -1, "PRAGMA user_version", "") == STORE_VERSION)
        return true; /* another process has just taken the old store up */
    if (!s->loss && !compare_head(s, &head, found, &why))
        s->loss = xasprintf(_("%s: %s. Nothing is written to it unless you "
                              "say --after-loss"), s->path, why.text);
    return true;
}

bool store_open(const char *path, struct store **out, struct err *e)
{
    *out = NULL;
    if (!check_file(path, e))
        return false;
    struct store *s = new_store(path);
    if (!runs_dir_check(s, e)) {
        store_close(&s);
        return false;
    }
    s->read_only = !may_write(path);
    bool old = false, ok = connect(s, s->read_only ? SQLITE_OPEN_READONLY
                                      : SQLITE_OPEN_READWRITE, e) &&
              check_identity(s, &old, e) && journal_mode(s, e) &&
              (old || check_schema(s, e)) && load_identity(s, e) &&
              look_back(s, old, e) &&
              (!old || (migrate(s, e) && check_schema(s, e) &&
                        look_back(s, false, e)));
    if (!ok) {
        store_close(&s);
        return false;
    }
    *out = s;
    return true;
}

void store_close(struct store **out)
{
    struct store *s = *out;
    if (!s)
        return;
    if (s->head_dirty)
        store_sync_head(s);
    db_forget_statements(s);
    seal_forget(s);
    sqlite3_close(s->db);
    free(s->path);
    free(s->runs_dir);
    free(s->loss);
    free(s->notice);
    free(s);
    *out = NULL;
}

const char *store_notice(const struct store *s) { return s->notice; }

const char *store_loss(const struct store *s)
{
    return s->after_loss ? NULL : s->loss;
}

void store_after_loss(struct store *s) { s->after_loss = true; }

const char *store_path(const struct store *s) { return s->path; }
const char *store_runs_dir(const struct store *s) { return s->runs_dir; }
const char *store_id(const struct store *s) { return s->id; }
bool store_read_only(const struct store *s) { return s->read_only; }

const void *store_salt(const struct store *s, size_t *n)
{
    *n = sizeof s->salt;
    return s->salt;
}

char *store_work_dir(const struct store *s, const char *prefix, int64_t id)
{
    return xasprintf("%s/%s%lld", s->runs_dir, prefix, (long long)id);
}

int64_t store_data_version(struct store *s)
{
    return db_int(s, -1, "PRAGMA data_version", "");
}

int64_t store_seq(struct store *s)
{
    return db_int(s, 0, "SELECT max(seq) FROM decision", "");
}

/* ---- Writing ------------------------------------------------------------ */

/* What the ledger counts, counted anew: after a loss, where it is damaged. */
static bool count_anew(struct store *s, struct err *e)
{
    bool ok = true;
    for (int t = BROUGHT_COUNT; ok && t < SEAL_COUNT; t++)
        ok = seal_table_anew(s, (enum sealed)t, e);
    return ok;
}

/* Inside the transaction: does the store follow what was last saved? */
static bool may_follow(struct store *s, struct err *e)
{
    struct tail head;
    struct err why = {0};
    enum head_found found = head_read(s, &head);
    if (!store_look(s, false, e))
        return false;
    if (compare_head(s, &head, found, &why))
        return found != HEAD_MALFORMED || head_set_aside(s, e);
    if (!s->after_loss)
        return err_set(e, ERR_REFUSED, _("not saved: %s. --after-loss goes "
                       "on all the same and keeps the old head as "
                       "head.lost-N"), why.text);
    free(s->loss);
    s->loss = NULL;
    s->after_loss = false;
    return (found == HEAD_NONE || head_set_aside(s, e)) &&
           (s->counted || count_anew(s, e));
}

bool store_begin(struct store *s, struct err *e)
{
    if (s->read_only)
        return err_set(e, ERR_REFUSED, _("%s may not be written: it is open "
                                         "read-only"), s->path);
    if (s->broken)
        return err_set(e, ERR_STORE, _("the disk failed while saving: close "
                                       "the store and open it again"));
    if (!db_run(s, e, "BEGIN IMMEDIATE", ""))
        return false;
    s->in_write = true;
    s->begun = clock_mono();
    bool ours = db_int(s, -1, "PRAGMA user_version", "") == STORE_VERSION;
    if (!ours)
        err_set(e, ERR_REFUSED, _("a newer stillroom has changed %s: start "
                                  "this one anew"), s->path);
    if (ours && may_follow(s, e))
        return true;
    store_rollback(s);
    return false;
}

static bool write_ledger(struct store *s, struct err *e)
{
    uint8_t bytes[LEDGER_SIZE];
    if (!s->ledger.changed)
        return true;
    s->tail.n = ++s->ledger.n;
    ledger_print(&s->ledger, s->id, bytes);
    memcpy(s->tail.ledger, bytes + LEDGER_SIZE - SEAL_SIZE, SEAL_SIZE);
    return db_run(s, e, "UPDATE store SET ledger = ?1", "b", bytes,
                  sizeof bytes);
}

bool store_commit(struct store *s, struct err *e)
{
    bool written = write_ledger(s, e);
    bool ok = written && db_run(s, e, "COMMIT", "");
    /* a reader's lock delays a COMMIT; the transaction is still open */
    while (written && !ok && e && e->code == ERR_BUSY && !s->gave_up &&
           !sqlite3_get_autocommit(s->db))
        ok = db_run(s, e, "COMMIT", "");
    if (!ok && !sqlite3_get_autocommit(s->db))
        db_run(s, NULL, "ROLLBACK", "");
    s->in_write = false;
    erase_holder(s);
    if (ok && s->ledger.changed)
        head_write(s, &s->tail);
    s->ledger.changed = false;
    return ok;
}

void store_rollback(struct store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        db_run(s, NULL, "ROLLBACK", "");
    s->in_write = false;
    s->ledger.changed = false;
    erase_holder(s);
}

void store_sync_head(struct store *s)
{
    char *path = path_join(s->runs_dir, "head");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(path);
    s->head_dirty = false;
}

/* On a connection of its own: the store's may be in a write transaction,
 * which a backup does not read. */
static bool back_up(const char *from, const char *path)
{
    sqlite3 *in = NULL, *to = NULL;
    bool ok = sqlite3_open_v2(from, &in, SQLITE_OPEN_READONLY, NULL) ==
                  SQLITE_OK &&
              sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL) ==
                  SQLITE_OK;
    sqlite3_backup *b = ok ? sqlite3_backup_init(to, "main", in, "main")
                           : NULL;
    ok = b && sqlite3_backup_step(b, -1) == SQLITE_DONE;
    if (b && sqlite3_backup_finish(b) != SQLITE_OK)
        ok = false;
    sqlite3_close(in);
    return sqlite3_close(to) == SQLITE_OK && ok;
}

bool store_copy(struct store *s, const char *path, struct err *e)
{
    char *part = xasprintf("%s.part", path);
    unlink(part);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && back_up(s->path, part) && fsync(fd) == 0 &&
              rename(part, path) == 0;
    if (fd >= 0)
        close(fd);
    if (ok)
        file_sync_folder(path);
    else
        unlink(part);
    free(part);
    return ok || err_set(e, ERR_STORE, _("cannot copy the store to %s"),
                         path);
}
