#include "store/fsck.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/chat.h"
#include "store/db.h"
#include "store/finding.h"
#include "store/journal.h"
#include "store/text.h"

static void say(struct fsck *f, bool finding, const char *fmt, va_list ap)
{
    char text[400];
    vsnprintf(text, sizeof text, fmt, ap);
    f->n->findings += finding;
    f->fn(f->ctx, finding, text);
}

void found(struct fsck *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(f, true, fmt, ap);
    va_end(ap);
}

void remark(struct fsck *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(f, false, fmt, ap);
    va_end(ap);
}

/* ---- SQLite and texts --------------------------------------------------- */

static bool check_sqlite(struct fsck *f)
{
    struct rows r;
    if (!db_query_once(f->s, &r, f->e, "PRAGMA integrity_check(50)"))
        return false;
    while (rows_next(&r, f->e))
        if (strcmp(rows_text(&r, 0), "ok"))
            found(f, _("SQLite: %s"), rows_text(&r, 0));
    bool damaged = r.failed;
    rows_done(&r);
    if (damaged && f->e && f->e->code == ERR_BUSY)
        return false;
    if (damaged)
        found(f, _("SQLite: %s"), f->e ? f->e->text : "");
    return true;
}

static bool check_texts(struct fsck *f)
{
    struct rows r;
    if (!db_query_once(f->s, &r, f->e,
                       "SELECT id, sha256, body, purged FROM text"))
        return false;
    while (rows_next(&r, f->e)) {
        size_t want_n, n;
        uint8_t sha[SHA_SIZE];
        const void *want = rows_blob(&r, 1, &want_n);
        bool gone = rows_null(&r, 2);
        f->n->texts++;
        if (gone && !rows_null(&r, 3))
            continue;
        const void *body = rows_blob(&r, 2, &n);
        sha_of(n ? body : "", n, sha);
        if (gone || want_n != SHA_SIZE || memcmp(sha, want, SHA_SIZE))
            found(f, _("text %lld: its words are not those of its SHA-256"),
                  (long long)rows_int(&r, 0));
    }
    rows_done(&r);
    return !r.failed;
}

/* ---- The chain, merged with the rows that each decision brought --------- */

struct side {
    struct rows r;
    bool open, more;
    int64_t last_born;
};

struct chain {
    struct fsck *f;
    struct side tables[BROUGHT_COUNT];
    struct side changes;
    int64_t count; /* of changes and rows of the present decision */
};

static bool open_side(struct fsck *f, struct side *x, const char *sql)
{
    x->open = db_query_once(f->s, &x->r, f->e, sql);
    x->more = x->open && rows_next(&x->r, f->e);
    return x->open;
}

static void close_sides(struct chain *c)
{
    for (int t = 0; t < BROUGHT_COUNT; t++)
        if (c->tables[t].open)
            rows_done(&c->tables[t].r);
    if (c->changes.open)
        rows_done(&c->changes.r);
}

/* One sealed row into the table's digest. */
static void take_row(struct chain *c, enum sealed t, struct sha *sum)
{
    struct rows *r = &c->tables[t].r;
    size_t n, m;
    const void *seal = rows_blob(r, 2, &n), *now = rows_blob(r, 3, &m);
    if (n != m || !seal || memcmp(seal, now, n))
        found(c->f, _("%s %lld: not as d%lld brought it"), seal_table(t),
              (long long)rows_int(r, 0), (long long)rows_int(r, 1));
    sha_int(sum, rows_int(r, 0));
    if (n)
        sha_add(sum, seal, n);
    c->count++;
    c->f->n->rows++;
    c->tables[t].more = rows_next(r, c->f->e);
}

/* All rows of a table that the decision `seq` brought. */
static void take_rows(struct chain *c, enum sealed t, int64_t seq,
                      struct sha *sum)
{
    struct side *x = &c->tables[t];
    while (x->more && rows_int(&x->r, 1) <= seq) {
        struct sha stray = *sum;
        bool mine = rows_int(&x->r, 1) == seq;
        if (!mine)
            found(c->f, _("%s %lld: born out of order (d%lld)"),
                  seal_table(t), (long long)rows_int(&x->r, 0),
                  (long long)rows_int(&x->r, 1));
        take_row(c, t, mine ? sum : &stray);
        c->count -= !mine;
    }
}

static void take_changes(struct chain *c, int64_t seq, struct sha *sum)
{
    struct side *x = &c->changes;
    int64_t expected = 1;
    while (x->more && rows_int(&x->r, 0) <= seq) {
        struct change ch = {.object = rows_int(&x->r, 3),
                            .old = rows_int(&x->r, 5),
                            .new_value = rows_int(&x->r, 6)};
        bool known = object_parse(rows_text(&x->r, 2), &ch.kind) &&
                     field_parse(rows_text(&x->r, 4), &ch.field);
        if (!known || rows_int(&x->r, 0) < seq ||
            rows_int(&x->r, 1) != expected++)
            found(c->f, _("change d%lld/%lld: out of place"),
                  (long long)rows_int(&x->r, 0),
                  (long long)rows_int(&x->r, 1));
        if (known)
            change_digest(c->f->s, sum, &ch);
        c->count++;
        c->f->n->changes++;
        x->more = rows_next(&x->r, c->f->e);
    }
}

static void check_decision(struct chain *c, const struct rows *r,
                           const uint8_t prev[SHA_SIZE],
                           uint8_t hash[SHA_SIZE])
{
    struct sha changes, sums[BROUGHT_COUNT];
    uint8_t total[SHA_SIZE];
    size_t op_n, sum_n, prev_n, hash_n;
    int64_t seq = rows_int(r, 0);
    const void *op = rows_blob(r, 1, &op_n);
    const void *sum = rows_blob(r, 9, &sum_n);
    const void *prev_is = rows_blob(r, 10, &prev_n);
    const void *hash_is = rows_blob(r, 11, &hash_n);
    c->count = 0;
    sha_start(&changes);
    take_changes(c, seq, &changes);
    bool with_store = false;
    for (int t = 0; t < BROUGHT_COUNT; t++) {
        int64_t before = c->count;
        sha_start(&sums[t]);
        take_rows(c, (enum sealed)t, seq, &sums[t]);
        with_store = t == SEAL_STORE && c->count > before;
        if (t == SEAL_STORE)
            c->count = before;
    }
    changes_hash_end(&changes, sums, with_store, total);
    if (c->count != rows_int(r, 8))
        found(c->f, P_("decision d%lld: wrote %lld change or row, %lld are "
                       "there",
                       "decision d%lld: wrote %lld changes and rows, %lld are "
                       "there", (unsigned long)rows_int(r, 8)),
                    (long long)seq, (long long)rows_int(r, 8),
              (long long)c->count);
    else if (sum_n != SHA_SIZE || memcmp(sum, total, SHA_SIZE))
        found(c->f, _("decision d%lld: its changes or the rows that it "
                      "brought are not those that it was made with"),
              (long long)seq);
    if (prev_n != SHA_SIZE || memcmp(prev_is, prev, SHA_SIZE))
        found(c->f, _("decision d%lld: does not follow the one before"),
              (long long)seq);
    memset(hash, 0, SHA_SIZE);
    if (sum_n == SHA_SIZE && prev_n == SHA_SIZE) {
        struct decision_fields d = {
            op, op_n, seq, rows_int(r, 2), rows_int(r, 6), rows_int(r, 7),
            rows_int(r, 8), rows_text(r, 3), rows_text(r, 4),
            rows_text(r, 5), sum, prev_is};
        decision_hash(&d, hash);
    }
    if (hash_n != SHA_SIZE || memcmp(hash_is, hash, SHA_SIZE))
        found(c->f, _("decision d%lld: changed since it was made"),
              (long long)seq);
    if (hash_n == SHA_SIZE)
        memcpy(hash, hash_is, SHA_SIZE);
}

static bool walk_chain(struct chain *c)
{
    struct rows r;
    uint8_t prev[SHA_SIZE] = {0}, hash[SHA_SIZE];
    int64_t expected = 1;
    if (!db_query_once(c->f->s, &r, c->f->e, "SELECT seq, op_id, at, who,"
                       " kind, reason, undoes, base_seq, n_changes,"
                       " changes_hash, prev_hash, hash FROM decision"
                       " ORDER BY seq"))
        return false;
    while (rows_next(&r, c->f->e)) {
        if (rows_int(&r, 0) != expected)
            found(c->f, _("decision d%lld is missing"), (long long)expected);
        expected = rows_int(&r, 0) + 1;
        check_decision(c, &r, prev, hash);
        memcpy(prev, hash, SHA_SIZE);
        c->f->n->decisions++;
    }
    rows_done(&r);
    for (int t = 0; t < BROUGHT_COUNT; t++) {
        struct sha none;
        sha_start(&none);
        if (t == SEAL_STORE && expected == 1)
            continue; /* the first decision will bring it */
        for (; c->tables[t].more; take_row(c, (enum sealed)t, &none))
            found(c->f, _("%s %lld: brought by no decision"),
                  seal_table((enum sealed)t),
                  (long long)rows_int(&c->tables[t].r, 0));
    }
    if (c->changes.more)
        found(c->f, _("change d%lld/%lld: of no decision"),
              (long long)rows_int(&c->changes.r, 0),
              (long long)rows_int(&c->changes.r, 1));
    return !r.failed;
}

static bool check_chain(struct fsck *f)
{
    struct chain c = {.f = f};
    bool ok = open_side(f, &c.changes, "SELECT decision, n, kind, object,"
                        " field, old, new FROM change ORDER BY decision, n");
    for (int t = 0; ok && t < BROUGHT_COUNT; t++)
        ok = open_side(f, &c.tables[t], seal_scan_sql(f->s, (enum sealed)t));
    ok = ok && walk_chain(&c);
    close_sides(&c);
    return ok;
}

/* ---- Caches and references ---------------------------------------------- */

#define LAST_CHANGE(kind, object, field)                                      \
    "(SELECT new FROM change WHERE object = " object " AND kind = '" kind     \
    "' AND field = '" field "' ORDER BY decision DESC, n DESC LIMIT 1)"
/* A cached column against its last change; `born` is what it holds where
 * nothing changed it (NULL: sealed, so not asked here). */
#define CACHE(kind, table, column, field, born)                               \
    {"SELECT id, '" field "' FROM " #table " WHERE " #column                  \
     " <> coalesce(" LAST_CHANGE(kind, #table ".id", field) ", " born ")",    \
     kind}
#define SIDE(table, column, field)                                            \
    {"SELECT object, '" field "' FROM " #table " WHERE " #column              \
     " <> coalesce((SELECT new FROM change c WHERE c.object = " #table        \
     ".object AND c.kind = " #table ".kind AND field = '" field               \
     "' ORDER BY decision DESC, n DESC LIMIT 1), 0)", "tagged"},              \
    {"SELECT DISTINCT object, '" field "' FROM change c WHERE field = '"      \
     field "' AND (SELECT new FROM change d WHERE d.object = c.object"        \
     " AND d.kind = c.kind AND d.field = c.field ORDER BY d.decision DESC,"   \
     " d.n DESC LIMIT 1) <> 0 AND NOT EXISTS(SELECT 1 FROM " #table " x"      \
     " WHERE x.kind = c.kind AND x.object = c.object)", "tagged"}

static const struct {
    const char *sql, *kind;
} caches[] = {
    CACHE("sample", sample, status, "status", "0"),
    CACHE("sample", sample, chosen, "chosen", "0"),
    CACHE("sample", sample, live, "live", "1"),
    CACHE("sample", sample, split, "split", "split"),
    CACHE("sample", sample, prompt_text, "prompt", "prompt_text"),
    CACHE("candidate", candidate, live, "live", "1"),
    CACHE("seed", seed, live, "live", "1"),
    CACHE("seed", seed, split, "split", "split"),
    CACHE("target", target, doc_text, "text", "doc_text"),
    CACHE("job", job, live, "live", "1"),
    SIDE(note, body_text, "note"),
    SIDE(rating, value, "rating"),
    {"SELECT id, 'purged' FROM text WHERE coalesce(purged, 0) <> coalesce("
     LAST_CHANGE("text", "text.id", "purged") ", 0)", "text"},
    {"SELECT sample, 'order' FROM ranking WHERE order_text <> coalesce("
     LAST_CHANGE("sample", "ranking.sample", "order") ", 0)", "sample"},
    {"SELECT DISTINCT object, 'order' FROM change c WHERE field = 'order'"
     " AND " LAST_CHANGE("sample", "c.object", "order") " <> 0 AND NOT EXISTS"
     "(SELECT 1 FROM ranking WHERE sample = c.object)", "sample"},
    {"SELECT object, 'tag' FROM tag t WHERE NOT coalesce((SELECT c.new > 0"
     " FROM change c WHERE c.object = t.object AND c.kind = t.kind"
     " AND c.field = 'tag' AND (SELECT body FROM text"
     "  WHERE id = max(c.old, c.new)) = t.name"
     " ORDER BY c.decision DESC, c.n DESC LIMIT 1), 0)", "tagged"},
    {"SELECT c.object, 'tag' FROM change c WHERE c.field = 'tag' AND c.new > 0"
     " AND NOT EXISTS(SELECT 1 FROM change d WHERE d.object = c.object"
     "  AND d.kind = c.kind AND d.field = 'tag' AND d.old = c.new"
     "  AND (d.decision, d.n) > (c.decision, c.n))"
     " AND NOT EXISTS(SELECT 1 FROM tag t WHERE t.kind = c.kind"
     "  AND t.object = c.object AND t.name = (SELECT body FROM text"
     "   WHERE id = c.new))", "tagged"},
};

static const struct {
    const char *sql, *what;
} references[] = {
    {"SELECT id FROM sample x WHERE chosen <> 0 AND NOT EXISTS(SELECT 1"
     " FROM candidate c WHERE c.id = x.chosen AND c.sample = x.id)",
     N_("sample %lld: its chosen answer is not one of its own")},
    {"SELECT id FROM candidate x WHERE parent IS NOT NULL AND NOT EXISTS"
     "(SELECT 1 FROM candidate c WHERE c.id = x.parent"
     " AND c.sample = x.sample)",
     N_("candidate %lld: its parent is not of the same sample")},
    {"SELECT id FROM check_result x WHERE (candidate IS NOT NULL AND NOT"
     " EXISTS(SELECT 1 FROM candidate c WHERE c.id = x.candidate"
     "  AND c.sample = x.sample)) OR (against_sample IS NOT NULL AND NOT"
     " EXISTS(SELECT 1 FROM sample WHERE id = x.against_sample) AND NOT"
     " EXISTS(SELECT 1 FROM call WHERE id ="
     "  (x.against_sample >> 12) - (1 << 38))) OR" /* prompt_coming */
     " (against_seed IS NOT NULL AND NOT EXISTS(SELECT 1 FROM seed"
     "  WHERE id = x.against_seed))",
     N_("check_result %lld: what it points at is not there")},
    {"SELECT id FROM draw x WHERE sample IS NOT NULL AND NOT EXISTS(SELECT 1"
     " FROM sample WHERE id = x.sample)",
     N_("draw %lld: its sample is not there")},
    {"SELECT id FROM sample x WHERE (job IS NOT NULL AND NOT EXISTS(SELECT 1"
     " FROM job WHERE id = x.job)) OR (call IS NOT NULL AND NOT EXISTS"
     "(SELECT 1 FROM call WHERE id = x.call)) OR (seed IS NOT NULL AND NOT"
     " EXISTS(SELECT 1 FROM seed WHERE id = x.seed))",
     N_("sample %lld: the job, call or seed that it came from is not there")},
    {"SELECT id FROM decision x WHERE undoes > 0 AND NOT EXISTS(SELECT 1"
     " FROM decision WHERE seq = x.undoes)",
     N_("decision d%lld: takes back what is not there")},
};

static bool check_caches(struct fsck *f)
{
    for (size_t i = 0; i < COUNT(caches); i++) {
        struct rows r;
        if (!db_query_once(f->s, &r, f->e, caches[i].sql))
            return false;
        while (rows_next(&r, f->e))
            found(f, _("%s %lld: its %s is not what the journal says"),
                  caches[i].kind, (long long)rows_int(&r, 0),
                  rows_text(&r, 1));
        rows_done(&r);
        if (r.failed)
            return false;
    }
    return true;
}

static bool check_references(struct fsck *f)
{
    struct rows r;
    if (!db_query_once(f->s, &r, f->e, "PRAGMA foreign_key_check"))
        return false;
    while (rows_next(&r, f->e))
        found(f, _("%s %lld: points at a %s that is not there"),
              rows_text(&r, 0), (long long)rows_int(&r, 1), rows_text(&r, 2));
    rows_done(&r);
    for (size_t i = 0; i < COUNT(references); i++) {
        struct err why = {0};
        if (!db_query_once(f->s, &r, &why, references[i].sql))
            continue;
        while (rows_next(&r, f->e)) {
            char text[200];
            const char *fmt = _(references[i].what);
            const char *at = strstr(fmt, "%lld");
            snprintf(text, sizeof text, "%.*s%lld%s", (int)(at - fmt), fmt,
                     (long long)rows_int(&r, 0), at + 4);
            found(f, "%s", text);
        }
        rows_done(&r);
    }
    return true;
}

static bool check_prompts(struct fsck *f)
{
    struct rows r;
    if (!db_query_once(f->s, &r, f->e, "SELECT x.id, x.prompt_hash, t.body,"
                       " t.purged FROM sample x LEFT JOIN text t"
                       " ON t.id = x.prompt_text"))
        return false;
    while (rows_next(&r, f->e)) {
        struct chat c;
        uint8_t hash[SHA_SIZE] = {0}; /* a purged prompt's */
        size_t n;
        const void *is = rows_blob(&r, 1, &n);
        bool purged = !rows_null(&r, 3), ok = purged;
        if (!purged)
            ok = rows_text(&r, 2) && chat_parse(rows_text(&r, 2), &c, NULL);
        if (ok && !purged) {
            chat_prompt_hash(&c, hash);
            if (n == SHA_SIZE && memcmp(is, hash, SHA_SIZE))
                chat_hash_before(&c, NULL, CALLS_WRITTEN, hash);
            chat_free(&c);
        }
        if (!ok || n != SHA_SIZE || memcmp(is, hash, SHA_SIZE))
            found(f, _("sample %lld: its prompt's hash is not its prompt's"),
                  (long long)rows_int(&r, 0));
    }
    rows_done(&r);
    return !r.failed;
}

static void check_head(struct fsck *f, enum head_found is,
                       const struct tail *head)
{
    struct err why = {0};
    switch (is) {
    case HEAD_MALFORMED:
        found(f, _("head: the file cannot be read or is malformed"));
        break;
    case HEAD_NONE:
        if (f->s->tail.seq)
            remark(f, _("head: there is none, so there was nothing to "
                        "compare the store's end with"));
        break;
    case HEAD_READ:
        if (!head_fits(f->s, head, &f->s->tail, &why))
            found(f, _("head: %s"), why.text);
        break;
    }
}

/* The log and the head, at one moment: nobody commits in between. */
static bool check_log(struct fsck *f)
{
    struct tail head;
    enum head_found is = head_read(f->s, &head);
    bool ok = db_run(f->s, f->e, "BEGIN", "") &&
              store_look(f->s, false, f->e) && fsck_log(f);
    if (ok)
        check_head(f, is, &head);
    store_rollback(f->s);
    return ok;
}

/* What a store of an older schema brought without a seal. */
static void say_trusted(struct fsck *f)
{
    struct rows r;
    if (!db_query_once(f->s, &r, f->e, "SELECT seq, reason FROM decision"
                       " WHERE kind = 'seal'"))
        return;
    while (rows_next(&r, f->e))
        remark(f, _("d%lld: taken on trust, as nothing sealed it before: %s"),
               (long long)rows_int(&r, 0), rows_text(&r, 1));
    rows_done(&r);
}

bool store_fsck(struct store *s, fsck_fn *fn, void *ctx,
                struct fsck_counts *out, struct err *e)
{
    struct fsck f = {s, fn, ctx, out, e};
    *out = (struct fsck_counts){0};
    bool ok = check_sqlite(&f) && check_texts(&f) && check_chain(&f) &&
              check_log(&f) && check_caches(&f) && check_references(&f) &&
              check_prompts(&f) && fsck_words(&f);
    if (ok)
        say_trusted(&f);
    return ok;
}
