#include <string.h>

#include "base/lang.h"
#include "store/db.h"
#include "store/finding.h"

/* What the rows add up to, against the ledger. */
static void compare(struct fsck *f, enum sealed t, const struct ledger *now)
{
    const struct entry *want = &f->s->ledger.at[t - BROUGHT_COUNT];
    const struct entry *is = &now->at[t - BROUGHT_COUNT];
    if (!f->s->counted)
        return;
    if (is->rows != want->rows)
        found(f, P_("%s: %lld row is there, %lld were written",
                    "%s: %lld rows are there, %lld were written",
                    (unsigned long)is->rows),
              seal_table(t), (long long)is->rows, (long long)want->rows);
    else if (memcmp(is->sum, want->sum, sizeof is->sum))
        found(f, _("%s: the rows are not those that were written"),
              seal_table(t));
}

static bool check_sealed(struct fsck *f, enum sealed t, struct ledger *now)
{
    struct rows r;
    if (!db_query(f->s, &r, f->e, seal_scan_sql(f->s, t), ""))
        return false;
    while (rows_next(&r, f->e)) {
        size_t n, m;
        uint8_t copy[SEAL_SIZE] = {0};
        const void *seal = rows_blob(&r, 1, &n), *again;
        if (n == SEAL_SIZE)
            memcpy(copy, seal, n);
        again = rows_blob(&r, 2, &m);
        if (n != SEAL_SIZE || m != n || memcmp(copy, again, n))
            found(f, _("%s %s: changed since it was written"), seal_table(t),
                  rows_text(&r, 0));
        ledger_enter(now, t, NULL, copy);
        f->n->rows++;
    }
    rows_done(&r);
    return !r.failed;
}

static bool check_counted(struct fsck *f, enum sealed t, const char *sql,
                          struct ledger *now)
{
    struct rows r;
    if (!db_query_once(f->s, &r, f->e, sql))
        return false;
    while (rows_next(&r, f->e)) {
        size_t n;
        uint8_t seal[SEAL_SIZE];
        const void *hash = rows_blob(&r, 1, &n);
        ledger_seal(f->s->id, t, rows_int(&r, 0), hash, n, seal);
        ledger_enter(now, t, NULL, seal);
    }
    rows_done(&r);
    return !r.failed;
}

bool fsck_log(struct fsck *f)
{
    struct ledger now = {0};
    bool ok = true;
    if (!f->s->counted)
        found(f, _("store: its ledger is damaged"));
    for (int t = BROUGHT_COUNT; ok && t < LOGGED_COUNT; t++)
        ok = check_sealed(f, (enum sealed)t, &now);
    ok = ok && check_counted(f, SEAL_TEXT, "SELECT id, sha256 FROM text",
                             &now) &&
         check_counted(f, SEAL_DECISION, "SELECT seq, hash FROM decision",
                       &now);
    for (int t = BROUGHT_COUNT; ok && t < SEAL_COUNT; t++)
        compare(f, (enum sealed)t, &now);
    return ok;
}
