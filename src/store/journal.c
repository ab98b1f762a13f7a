#include "store/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/rng.h"
#include "domain/chat.h"
#include "domain/status.h"
#include "store/cache.h"
#include "store/db.h"
#include "store/text.h"

#define OBJECT_NAME(id, name) name,
#define FIELD_ROW(id, name, is_text) {name, is_text},
static const char *const object_names[] = {OBJECTS(OBJECT_NAME)};
static const struct {
    const char *name;
    bool is_text;
} field_table[] = {FIELDS(FIELD_ROW)};

const char *object_name(enum object o) { return object_names[o]; }
const char *field_name(enum field f) { return field_table[f].name; }
bool field_is_text(enum field f) { return field_table[f].is_text; }

const char *field_value(enum field f, int64_t v, char out[24])
{
    if (f == FIELD_STATUS && v >= 0 && v < STATUS_COUNT)
        return status_label((enum status)v);
    if (f == FIELD_SPLIT && v >= 0 && v < SPLIT_COUNT)
        return split_label((enum split)v);
    snprintf(out, 24, field_is_text(f) && v ? "t%lld" : "%lld", (long long)v);
    return out;
}

bool object_parse(const char *name, enum object *out)
{
    for (int i = 0; i < OBJECT_COUNT; i++) {
        if (!strcmp(object_names[i], name)) {
            *out = (enum object)i;
            return true;
        }
    }
    return false;
}

bool field_parse(const char *name, enum field *out)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (!strcmp(field_table[i].name, name)) {
            *out = (enum field)i;
            return true;
        }
    }
    return false;
}

/* ---- Hashes ------------------------------------------------------------- */

void decision_hash(const struct decision_fields *d, uint8_t out[SHA_SIZE])
{
    struct sha s;
    sha_start(&s);
    sha_field(&s, d->op_id, d->op_id_size);
    sha_int(&s, d->seq);
    sha_int(&s, d->at);
    sha_field(&s, d->who, strlen(d->who));
    sha_field(&s, d->kind, strlen(d->kind));
    sha_field(&s, d->reason, strlen(d->reason));
    sha_int(&s, d->undoes);
    sha_int(&s, d->base_seq);
    sha_int(&s, d->n_changes);
    sha_field(&s, d->changes_hash, SHA_SIZE);
    sha_field(&s, d->prev_hash, SHA_SIZE);
    sha_end(&s, out);
}

static void digest_value(struct store *s, struct sha *sum, enum field f,
                         int64_t v)
{
    if (!field_is_text(f) || !v) {
        sha_int(sum, v);
        return;
    }
    struct rows r;
    if (!db_query(s, &r, NULL, "SELECT sha256 FROM text WHERE id = ?1", "i",
                  v))
        return;
    size_t n = 0;
    const void *p = rows_next(&r, NULL) ? rows_blob(&r, 0, &n) : NULL;
    sha_field(sum, p, n);
    rows_done(&r);
}

void change_digest(struct store *s, struct sha *sum, const struct change *c)
{
    sha_field(sum, object_name(c->kind), strlen(object_name(c->kind)));
    sha_int(sum, c->object);
    if (c->kind == OBJECT_TEXT)
        digest_value(s, sum, FIELD_TEXT, c->object);
    sha_field(sum, field_name(c->field), strlen(field_name(c->field)));
    digest_value(s, sum, c->field, c->old);
    digest_value(s, sum, c->field, c->new_value);
}

void changes_hash_end(struct sha *sums, struct sha rows[BROUGHT_COUNT],
                      bool with_store, uint8_t out[SHA_SIZE])
{
    struct sha all;
    uint8_t part[SHA_SIZE];
    sha_start(&all);
    sha_end(sums, part);
    sha_add(&all, part, SHA_SIZE);
    for (int i = 0; i < BROUGHT_COUNT; i++) {
        sha_end(&rows[i], part);
        if (i != SEAL_STORE || with_store)
            sha_add(&all, part, SHA_SIZE);
    }
    sha_end(&all, out);
}

/* ---- Acting ------------------------------------------------------------- */

static void start_sums(struct act *a)
{
    a->n_changes = a->n_rows = 0;
    sha_start(&a->changes);
    for (int i = 0; i < BROUGHT_COUNT; i++)
        sha_start(&a->rows[i]);
    rng_system(a->op_id, sizeof a->op_id);
}

static void close_act(struct act *a)
{
    free(a->who);
    free(a->kind);
    free(a->reason);
    a->who = a->kind = a->reason = NULL;
    a->open = false;
    a->s->act = NULL;
}

void act_open(struct store *s, struct act *a, const char *kind,
              const char *who, const char *reason, int64_t base_seq)
{
    *a = (struct act){.s = s, .at = clock_now(), .seq = s->tail.seq + 1};
    a->base_seq = base_seq ? base_seq : a->seq - 1;
    a->who = xstrdup(who);
    a->kind = xstrdup(kind);
    a->reason = xstrdup(reason ? reason : "");
    start_sums(a);
    a->open = true;
    s->act = a;
}

bool act_begin(struct store *s, struct act *a, const char *kind,
               const char *who, const char *reason, int64_t base_seq,
               struct err *e)
{
    *a = (struct act){.s = s};
    if (!store_begin(s, e))
        return false;
    act_open(s, a, kind, who, reason, base_seq);
    return true;
}

static bool write_change(struct act *a, const struct change *c, struct err *e)
{
    change_digest(a->s, &a->changes, c);
    return db_run(a->s, e,
                  "INSERT INTO change VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                  "iisisii", a->seq, ++a->n_changes, object_name(c->kind),
                  c->object, field_name(c->field), c->old, c->new_value);
}

bool act_change(struct act *a, enum object kind, int64_t object,
                enum field field, int64_t value, struct err *e)
{
    struct change c = {kind, object, field, 0, value};
    if (!cache_get(a->s, kind, object, field, &c.old, e))
        return false;
    if (c.old == value)
        return true;
    return cache_set(a->s, &c, e) && write_change(a, &c, e);
}

bool act_tag(struct act *a, enum object kind, int64_t object,
             const char *name, bool on, struct err *e)
{
    int64_t text = text_puts(a->s, name, e);
    if (!text)
        return false;
    if (cache_has_tag(a->s, kind, object, name) == on)
        return true;
    struct change c = {kind, object, FIELD_TAG, on ? 0 : text, on ? text : 0};
    return cache_set(a->s, &c, e) && write_change(a, &c, e);
}

static void take_seal(struct act *a, enum sealed t, int64_t id,
                      const uint8_t seal[SEAL_SIZE])
{
    sha_int(&a->rows[t], id);
    sha_add(&a->rows[t], seal, SEAL_SIZE);
    a->n_rows += t != SEAL_STORE;
}

int64_t act_bring(struct act *a, enum sealed table, struct err *e,
                  const char *format, ...)
{
    uint8_t seal[SEAL_SIZE];
    va_list values;
    va_start(values, format);
    int64_t id = seal_insert(a->s, table, a->seq, seal, e, format, &values);
    va_end(values);
    if (id)
        take_seal(a, table, id, seal);
    return id;
}

/* The first decision of a store covers who the store is. */
static bool bring_store(struct act *a, struct err *e)
{
    struct store *s = a->s;
    if (s->sealed)
        return true;
    if (!db_run(s, e, "UPDATE store SET born = ?1, seal = seal(rowid, ?1, id,"
                " salt, created)", "i", a->seq))
        return false;
    take_seal(a, SEAL_STORE, 1, s->last_seal);
    a->brings_store = s->sealed = true;
    return true;
}

void act_cancel(struct act *a)
{
    if (!a->open)
        return;
    store_rollback(a->s);
    close_act(a);
}

static bool write_decision(struct act *a, struct err *e)
{
    struct tail *t = &a->s->tail;
    uint8_t sum[SHA_SIZE], prev[SHA_SIZE], seal[SEAL_SIZE];
    if (!bring_store(a, e))
        return false;
    memcpy(prev, t->hash, SHA_SIZE);
    changes_hash_end(&a->changes, a->rows, a->brings_store, sum);
    struct decision_fields d = {a->op_id, sizeof a->op_id, a->seq, a->at,
                                a->undoes, a->base_seq,
                                a->n_changes + a->n_rows, a->who, a->kind,
                                a->reason, sum, prev};
    decision_hash(&d, t->hash);
    t->seq = a->seq;
    ledger_seal(a->s->id, SEAL_DECISION, a->seq, t->hash, SHA_SIZE, seal);
    ledger_enter(&a->s->ledger, SEAL_DECISION, NULL, seal);
    return db_run(a->s, e, "INSERT INTO decision VALUES(?1, ?2, ?3, ?4, ?5,"
                  " ?6, ?7, ?8, ?9, ?10, ?11, ?12)", "ibisssiiibbb", a->seq,
                  a->op_id, sizeof a->op_id, a->at, a->who, a->kind,
                  a->reason, a->undoes, a->base_seq, d.n_changes, sum,
                  (size_t)SHA_SIZE, prev, (size_t)SHA_SIZE, t->hash,
                  (size_t)SHA_SIZE);
}

bool act_next(struct act *a, const char *kind, const char *who,
              const char *reason, struct err *e)
{
    if (!write_decision(a, e))
        return false;
    free(a->who);
    free(a->kind);
    free(a->reason);
    a->who = xstrdup(who);
    a->kind = xstrdup(kind);
    a->reason = xstrdup(reason);
    a->base_seq = a->seq++;
    a->undoes = 0;
    a->brings_store = false;
    start_sums(a);
    return true;
}

/* After an error of COMMIT: is the decision there? Asked on a new connection,
 * because this one may hold pages that never reached the disk. */
static enum outcome look_up(struct act *a)
{
    struct store *fresh;
    struct rows r;
    enum outcome out = ACT_UNKNOWN;
    if (!store_open(a->s->path, &fresh, NULL))
        return out;
    if (db_query(fresh, &r, NULL, "SELECT 1 FROM decision WHERE op_id = ?1",
                 "b", a->op_id, sizeof a->op_id)) {
        bool there = rows_next(&r, NULL);
        rows_done(&r);
        out = there ? ACT_FOUND : r.failed ? ACT_UNKNOWN : ACT_NOT_SAVED;
    }
    store_close(&fresh);
    return out;
}

enum outcome act_commit(struct act *a, struct err *e)
{
    enum outcome out = ACT_SAVED;
    if (!write_decision(a, e)) {
        act_cancel(a);
        return ACT_NOT_SAVED;
    }
    if (!store_commit(a->s, e)) {
        bool disk = !e || e->code == ERR_STORE;
        out = disk ? look_up(a) : ACT_NOT_SAVED;
        a->s->broken = disk;
        if (out == ACT_FOUND)
            head_write(a->s, &a->s->tail);
        if (out == ACT_UNKNOWN)
            err_set(e, ERR_STORE, _("the disk reported an error, and whether "
                    "this was saved could not be looked up: look with "
                    "`stillroom log` when the disk is well"));
    }
    close_act(a);
    return out;
}

/* ---- Reading ------------------------------------------------------------ */

#define DECISION_COLUMNS "seq, at, undoes, n_changes, who, kind, reason"

static void read_decision(const struct rows *r, struct decision *d)
{
    *d = (struct decision){.seq = rows_int(r, 0), .at = rows_int(r, 1),
                           .undoes = rows_int(r, 2),
                           .n_changes = rows_int(r, 3)};
    snprintf(d->who, sizeof d->who, "%s", rows_text(r, 4));
    snprintf(d->kind, sizeof d->kind, "%s", rows_text(r, 5));
    snprintf(d->reason, sizeof d->reason, "%s", rows_text(r, 6));
}

static size_t read_decisions(struct rows *r, struct decision *out, size_t n)
{
    size_t got = 0;
    while (got < n && rows_next(r, NULL))
        read_decision(r, &out[got++]);
    rows_done(r);
    return got;
}

bool journal_hash(struct store *s, int64_t seq, uint8_t out[SHA_SIZE])
{
    struct rows r;
    size_t n = 0;
    if (!db_query(s, &r, NULL, "SELECT hash FROM decision WHERE seq = ?1",
                  "i", seq))
        return false;
    const void *p = rows_next(&r, NULL) ? rows_blob(&r, 0, &n) : NULL;
    if (n == SHA_SIZE)
        memcpy(out, p, n);
    rows_done(&r);
    return n == SHA_SIZE;
}

bool journal_has_since(struct store *s, int64_t seq, const char *kind)
{
    return db_int(s, 1, "SELECT EXISTS(SELECT 1 FROM decision WHERE seq > ?1"
                  " AND kind = ?2)", "is", seq, kind);
}

bool journal_get(struct store *s, int64_t seq, struct decision *out)
{
    struct rows r;
    return db_query(s, &r, NULL, "SELECT " DECISION_COLUMNS
                    " FROM decision WHERE seq = ?1", "i", seq) &&
           read_decisions(&r, out, 1) == 1;
}

size_t journal_list(struct store *s, int64_t from, struct decision *out,
                    size_t n)
{
    struct rows r;
    if (!db_query(s, &r, NULL, "SELECT " DECISION_COLUMNS " FROM decision"
                  " WHERE seq <= ?1 ORDER BY seq DESC LIMIT ?2", "ii",
                  from ? from : INT64_MAX, (int64_t)n))
        return 0;
    return read_decisions(&r, out, n);
}

size_t journal_of(struct store *s, enum object kind, int64_t object,
                  struct decision *out, size_t n)
{
    struct rows r;
    if (!db_query(s, &r, NULL, "SELECT " DECISION_COLUMNS " FROM decision"
                  " WHERE seq IN (SELECT decision FROM change"
                  "  WHERE object = ?1 AND kind = ?2) ORDER BY seq LIMIT ?3",
                  "isi", object, object_name(kind), (int64_t)n))
        return 0;
    return read_decisions(&r, out, n);
}

int64_t journal_objects(struct store *s, int64_t seq, int64_t *sample)
{
    *sample = db_int(s, 0, "SELECT object FROM change WHERE decision = ?1"
                     " AND kind = 'sample' ORDER BY n LIMIT 1", "i", seq);
    return db_int(s, 0, "SELECT count(*) FROM (SELECT DISTINCT kind, object"
                  " FROM change WHERE decision = ?1"
                  " AND (kind = 'sample' OR ?2 = 0))", "ii", seq, *sample);
}

bool journal_changes(struct store *s, int64_t seq, change_list *out,
                     struct err *e)
{
    struct rows r;
    *out = (change_list){0};
    if (!db_query(s, &r, e, "SELECT kind, object, field, old, new FROM change"
                  " WHERE decision = ?1 ORDER BY n", "i", seq))
        return false;
    while (rows_next(&r, e)) {
        struct change c = {.object = rows_int(&r, 1), .old = rows_int(&r, 3),
                           .new_value = rows_int(&r, 4)};
        if (object_parse(rows_text(&r, 0), &c.kind) &&
            field_parse(rows_text(&r, 2), &c.field))
            VEC_PUSH(out, c);
    }
    rows_done(&r);
    return !r.failed;
}

bool journal_changed_since(struct store *s, enum object kind, int64_t object,
                           int64_t base_seq, struct other *out)
{
    struct rows r;
    if (!db_query(s, &r, NULL, "SELECT seq, at, who, kind, reason"
                  " FROM decision WHERE seq IN (SELECT decision FROM change"
                  "  WHERE object = ?1 AND kind = ?2 AND decision > ?3)"
                  " AND kind <> 'arrive' ORDER BY seq DESC LIMIT 1", "isi",
                  object, object_name(kind), base_seq))
        return false;
    bool found = rows_next(&r, NULL);
    if (found) {
        out->seq = rows_int(&r, 0);
        out->at = rows_int(&r, 1);
        snprintf(out->who, sizeof out->who, "%s", rows_text(&r, 2));
        snprintf(out->kind, sizeof out->kind, "%s", rows_text(&r, 3));
        snprintf(out->reason, sizeof out->reason, "%s", rows_text(&r, 4));
    }
    rows_done(&r);
    return found;
}

/* ---- Undo --------------------------------------------------------------- */

/* A decision is undone while an undo points at it that no redo points at. */
#define NOT_UNDONE(seq)                                                       \
    " NOT EXISTS(SELECT 1 FROM decision u WHERE u.undoes = " seq              \
    " AND u.undoes > 0 AND u.kind = 'undo'"                                   \
    " AND NOT EXISTS(SELECT 1 FROM decision r WHERE r.undoes = u.seq"         \
    " AND r.kind = 'redo'))"

size_t journal_reasons(struct store *s, char out[][REASON_BYTES], size_t n)
{
    struct rows r;
    size_t got = 0;
    if (!db_query(s, &r, NULL, "SELECT reason FROM decision"
                  " WHERE kind = 'reject' AND reason <> ''"
                  "  AND who NOT IN ('check', 'import')"
                  " GROUP BY reason ORDER BY count(*) DESC, reason LIMIT ?1",
                  "i", (int64_t)n))
        return 0;
    while (got < n && rows_next(&r, NULL))
        snprintf(out[got++], REASON_BYTES, "%s", rows_text(&r, 0));
    rows_done(&r);
    return got;
}

int64_t journal_count_since(struct store *s, const char *who, int64_t at)
{
    return db_int(s, 0, "SELECT count(*) FROM decision d WHERE d.who = ?1"
                  " AND d.at >= ?2 AND d.kind IN ('accept', 'reject', 'defer',"
                  " 'reopen', 'order') AND" NOT_UNDONE("d.seq"), "si", who,
                  at);
}

int64_t journal_undoable(struct store *s, const char *who)
{
    return db_int(s, 0, "SELECT d.seq FROM decision d WHERE d.who = ?1"
                  " AND d.kind NOT IN " NO_ACTS " AND"
                  NOT_UNDONE("d.seq") " ORDER BY d.seq DESC LIMIT 1", "s",
                  who);
}

int64_t journal_redoable(struct store *s, const char *who)
{
    /* the oldest act that stands undone behind who's last act that counts */
    return db_int(s, 0, "SELECT u.seq FROM decision u WHERE u.who = ?1"
                  " AND u.kind = 'undo' AND NOT EXISTS(SELECT 1"
                  "  FROM decision r WHERE r.undoes = u.seq"
                  "  AND r.kind = 'redo')"
                  " AND NOT EXISTS(SELECT 1 FROM decision n"
                  "  WHERE n.who = ?1 AND n.seq > u.seq"
                  "  AND n.kind NOT IN ('arrive', 'undo', 'redo'))"
                  " ORDER BY u.seq DESC LIMIT 1", "s", who);
}

/* Whether anybody else has decided anything since: mostly nobody has. */
static bool others_since(struct store *s, int64_t seq, const char *who)
{
    return db_int(s, 0, "SELECT 1 FROM decision WHERE seq > ?1 AND who <> ?2"
                  " AND kind <> 'arrive' LIMIT 1", "is", seq, who) != 0;
}

/* One statement over all changes of the decision, whatever their number. */
static bool refuse_foreign(struct store *s, int64_t seq, const char *who,
                           struct err *e)
{
    struct rows r;
    if (!others_since(s, seq, who))
        return true;
    if (!db_query(s, &r, e, "SELECT d.who, k.kind, k.object, d.kind, d.seq"
                  " FROM change c JOIN change k ON k.object = c.object"
                  "  AND k.kind = c.kind AND k.field = c.field"
                  "  AND k.decision > ?1"
                  " JOIN decision d ON d.seq = k.decision"
                  " WHERE c.decision = ?1 AND d.who <> ?2"
                  " AND d.kind <> 'arrive' AND (c.field <> 'tag'"
                  "  OR max(c.old, c.new) IN (k.old, k.new)) LIMIT 1", "is",
                  seq, who))
        return false;
    bool found = rows_next(&r, e);
    if (found)
        err_set(e, ERR_REFUSED, _("not undone: %s has since changed %s %lld "
                                  "(%s, d%lld)"), rows_text(&r, 0),
                rows_text(&r, 1), (long long)rows_int(&r, 2),
                rows_text(&r, 3), (long long)rows_int(&r, 4));
    rows_done(&r);
    return !found && !r.failed;
}

/* "('prompt','order',...)": the fields whose values are texts. */
static void text_fields(struct buf *out)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        if (field_is_text((enum field)f))
            buf_printf(out, "%s'%s'", out->len ? "," : "(",
                       field_name((enum field)f));
    buf_putc(out, ')');
}

/* What lost its words cannot come back. One statement over all changes. */
static bool refuse_purged(struct store *s, const struct decision *d,
                          struct err *e)
{
    struct buf fields = BUF_INIT(0), sql = BUF_INIT(0);
    struct rows r;
    if (!strcmp(d->kind, "purge"))
        return err_set(e, ERR_REFUSED, _("a purge cannot be taken back"));
    text_fields(&fields);
    buf_printf(&sql, "SELECT c.kind, c.object FROM change c"
               " WHERE c.decision = ?1 AND EXISTS(SELECT 1 FROM text t"
               "  WHERE t.purged IS NOT NULL AND t.id IN ("
               "  SELECT prompt_text FROM sample WHERE id = c.object"
               "   AND c.kind = 'sample'"
               "  UNION SELECT body_text FROM candidate WHERE id = c.object"
               "   AND c.kind = 'candidate'"
               "  UNION SELECT messages_text FROM seed WHERE id = c.object"
               "   AND c.kind = 'seed'"
               "  UNION SELECT c.old WHERE c.field IN %s)) LIMIT 1",
               buf_str(&fields));
    bool ok = db_query_once(s, &r, e, buf_str(&sql)), found = false;
    if (ok) {
        rows_bind_int(&r, 1, d->seq);
        found = rows_next(&r, e);
        if (found)
            err_set(e, ERR_REFUSED, _("not undone: %s %lld was purged"),
                    rows_text(&r, 0), (long long)rows_int(&r, 1));
        rows_done(&r);
        ok = !r.failed;
    }
    buf_free(&fields);
    buf_free(&sql);
    return ok && !found;
}

static bool reverse_all(struct act *a, const change_list *list, struct err *e)
{
    for (size_t i = list->n; i > 0; i--) {
        const struct change *c = &list->at[i - 1];
        struct change back = {c->kind, c->object, c->field, c->new_value,
                              c->old};
        int64_t now = back.old;
        if (c->field != FIELD_TAG &&
            !cache_get(a->s, c->kind, c->object, c->field, &now, e))
            return false;
        if (now != back.old)
            return err_set(e, ERR_REFUSED, _("not undone: %s %lld has "
                           "changed since d%lld"), object_name(c->kind),
                           (long long)c->object, (long long)a->undoes);
        if (!cache_set(a->s, &back, e) || !write_change(a, &back, e))
            return false;
    }
    return true;
}

enum outcome journal_reverse(struct store *s, int64_t seq, const char *who,
                             const char *kind, struct err *e)
{
    change_list list;
    struct act a = {0};
    struct decision d;
    if (!journal_get(s, seq, &d)) {
        err_set(e, ERR_ABSENT, _("there is no decision d%lld"),
                (long long)seq);
        return ACT_NOT_SAVED;
    }
    if (!journal_changes(s, seq, &list, e) ||
        !act_begin(s, &a, kind, who, "", 0, e)) {
        VEC_FREE(&list);
        return ACT_NOT_SAVED;
    }
    a.undoes = seq;
    bool undone = db_int(s, 0, "SELECT NOT" NOT_UNDONE("?1"), "i", seq) != 0;
    bool ok = true;
    if (undone && !strcmp(kind, "undo"))
        ok = err_set(e, ERR_REFUSED, _("d%lld is undone already"),
                     (long long)seq);
    ok = ok && refuse_purged(s, &d, e) && refuse_foreign(s, seq, who, e) &&
         reverse_all(&a, &list, e);
    VEC_FREE(&list);
    if (ok)
        return act_commit(&a, e);
    act_cancel(&a);
    return ACT_NOT_SAVED;
}
