#include "store/seed.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/status.h"
#include "store/db.h"
#include "store/sql.h"
#include "store/tags.h"
#include "store/text.h"
#include "store/words.h"

/* Whether what a seed has as its answer holds all of `answer`. */
static bool is_answer(const char *body, const struct message *answer)
{
    struct message m;
    if (!body || !answer)
        return true;
    bool is = answer_parse(body, &m, NULL) && answer_holds(answer, &m);
    message_free(&m);
    return is;
}

/* One with this hash and answer (NULL: any). */
static int64_t seed_same(struct store *s, int64_t target, const uint8_t *hash,
                         const struct message *answer)
{
    struct rows r;
    int64_t id = 0;
    if (!db_query(s, &r, NULL, "SELECT d.id, t.body FROM seed d"
                  " LEFT JOIN text t ON t.id = d.answer_text"
                  " WHERE d.target = ?1 AND d.hash = ?2 AND d.live", "ib",
                  target, hash, (size_t)SHA_SIZE))
        return 0;
    while (!id && rows_next(&r, NULL))
        if (is_answer(rows_text(&r, 1), answer))
            id = rows_int(&r, 0);
    rows_done(&r);
    return id;
}

static bool refuse_same(struct act *a, const struct seed_new *n,
                        const struct message *answer, const uint8_t *hash,
                        int64_t *same, struct err *e)
{
    uint8_t old[SHA_SIZE];
    *same = seed_same(a->s, n->target, hash, answer);
    for (int form = CALLS_WRITTEN; !*same && form < CALLS_FORMS; form++)
        if (chat_hash_before(n->prompt, answer, (enum calls_form)form, old))
            *same = seed_same(a->s, n->target, old,
                              form == CALLS_ROUNDED ? NULL : answer);
    return !*same || err_set(e, ERR_REFUSED, _("the same as seed s%lld"),
                             (long long)*same);
}

static uint64_t dealing_hash(const struct store *s, const char *prompt)
{
    struct sha h;
    uint8_t d[SHA_SIZE];
    uint64_t out;
    sha_start(&h);
    sha_field(&h, s->salt, sizeof s->salt);
    sha_field(&h, prompt, strlen(prompt));
    sha_end(&h, d);
    memcpy(&out, d, sizeof out);
    return out;
}

int64_t seed_put(struct act *a, const struct seed_new *n, struct seed_deal *d,
                 struct err *e)
{
    struct store *s = a->s;
    uint8_t hash[SHA_SIZE];
    struct message answer;
    if (!answer_parse(n->answer ? n->answer : "{}", &answer, e))
        return 0;
    chat_hash(n->prompt, &answer, hash);
    const struct message *last = chat_last(n->prompt, ROLE_USER);
    int64_t id = 0, messages, answer_id = 0, raw = 0;
    struct buf b = BUF_INIT(0);
    chat_print(n->prompt, &b);
    int64_t split = n->split >= 0 ? n->split : SPLIT_TRAIN;
    if (refuse_same(a, n, &answer, hash, &d->same, e) &&
        (messages = text_put(s, buf_str(&b), b.len, e)) &&
        (!n->answer || (answer_id = text_puts(s, n->answer, e))) &&
        (!n->raw || (raw = text_put(s, n->raw, n->raw_size, e))) &&
        (id = act_bring(a, SEAL_SEED, e, "isiIIIsIbi", n->target, n->kind,
                        messages, answer_id, raw, n->job, n->origin, n->line,
                        hash, sizeof hash, split))) {
        struct dealt x = {id, dealing_hash(s, buf_str(&b)), n->split};
        VEC_PUSH(&d->at, x);
        if (!words_add_seed(s, id, last ? last->content : "",
                            answer_words(&answer), e))
            id = 0;
    }
    buf_free(&b);
    message_free(&answer);
    return id;
}

/* Those whose split is to be dealt first, in the order of their hashes. */
static int in_dealing_order(const void *a, const void *b)
{
    const struct dealt *x = a, *y = b;
    if ((x->split < 0) != (y->split < 0))
        return x->split < 0 ? -1 : 1;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* How many more a held-out split wants of the target's seeds. */
static size_t wanted(struct store *s, int64_t target, enum split split)
{
    size_t all = (size_t)seed_count(s, target, -1);
    size_t has = (size_t)seed_count(s, target, split);
    size_t quota = split_quota(split, all);
    return quota > has ? quota - has : 0;
}

static bool deal(struct act *a, int64_t target, struct seed_deal *d,
                 struct err *e)
{
    size_t wants[SPLIT_COUNT] = {0}, free_ones = 0;
    while (free_ones < d->at.n && d->at.at[free_ones].split < 0)
        free_ones++;
    if (!free_ones)
        return true;
    wants[SPLIT_VALID] = wanted(a->s, target, SPLIT_VALID);
    wants[SPLIT_TEST] = wanted(a->s, target, SPLIT_TEST);
    for (size_t i = 0; i < free_ones; i++) {
        enum split to = wants[SPLIT_VALID] >= wants[SPLIT_TEST] ? SPLIT_VALID
                                                                : SPLIT_TEST;
        if (!wants[to])
            break;
        wants[to]--;
        if (!act_change(a, OBJECT_SEED, d->at.at[i].id, FIELD_SPLIT, to, e))
            return false;
    }
    return true;
}

bool seed_deal_end(struct act *a, int64_t target, struct seed_deal *d,
                   struct err *e)
{
    if (d->at.n)
        qsort(d->at.at, d->at.n, sizeof *d->at.at, in_dealing_order);
    bool ok = deal(a, target, d, e);
    VEC_FREE(&d->at);
    return ok;
}

int64_t seed_add(struct act *a, const struct seed_new *n, struct err *e)
{
    struct seed_deal d = {0};
    int64_t id = seed_put(a, n, &d, e);
    bool ok = seed_deal_end(a, n->target, &d, e);
    return ok ? id : 0;
}

void seed_free(struct seed *x)
{
    free(x->kind);
    free(x->prompt);
    free(x->answer);
    free(x->origin);
    *x = (struct seed){0};
}

bool seed_get(struct store *s, int64_t id, struct seed *out, struct err *e)
{
    struct rows r;
    *out = (struct seed){0};
    if (!db_query(s, &r, e, "SELECT target, line, born, split, live, kind,"
                  " origin, messages_text, answer_text FROM seed"
                  " WHERE id = ?1", "i", id))
        return false;
    bool found = rows_next(&r, e);
    int64_t messages = 0, answer = 0;
    if (found) {
        *out = (struct seed){id, rows_int(&r, 0), rows_int(&r, 1),
                             rows_int(&r, 2), (int)rows_int(&r, 3),
                             rows_int(&r, 4), rows_copy(&r, 5), NULL, NULL,
                             rows_copy(&r, 6)};
        messages = rows_int(&r, 7);
        answer = rows_int(&r, 8);
    }
    rows_done(&r);
    if (!found)
        return err_set(e, ERR_ABSENT, _("there is no seed s%lld"),
                       (long long)id);
    out->prompt = text_get(s, messages, NULL);
    out->answer = text_get(s, answer, NULL);
    if (!out->prompt)
        out->prompt = xstrdup("[]");
    return true;
}

static int64_t count_made(struct store *s, int64_t seed, int status)
{
    return db_int(s, 0, "SELECT count(*) FROM sample WHERE seed = ?1"
                  " AND status = ?2 AND live", "ii", seed, (int64_t)status);
}

bool seed_row_get(struct store *s, int64_t id, struct seed_row *out)
{
    struct seed x;
    *out = (struct seed_row){0};
    if (!seed_get(s, id, &x, NULL))
        return false;
    int64_t yes = count_made(s, id, STATUS_ACCEPTED);
    int64_t no = count_made(s, id, STATUS_REJECTED);
    int64_t open = count_made(s, id, STATUS_PENDING);
    int64_t later = count_made(s, id, STATUS_DEFERRED);
    *out = (struct seed_row){
        .id = id, .split = x.split, .accepted = yes, .rejected = no,
        .pending = open, .deferred = later, .made = yes + no + open + later,
        .drawn = db_int(s, 0, "SELECT count(*) FROM draw WHERE seed = ?1",
                        "i", id),
        .kept = yes + no ? (double)yes / (double)(yes + no) : -1,
        .tags = tags_of(s, OBJECT_SEED, id),
        .when = db_int(s, 0, "SELECT at FROM decision WHERE seq = ?1", "i",
                       x.born)};
    out->first_line = prompt_text(x.prompt);
    out->first_line[strcspn(out->first_line, "\n")] = '\0';
    seed_free(&x);
    return true;
}

void seed_row_free(struct seed_row *r)
{
    free(r->first_line);
    free(r->tags);
    *r = (struct seed_row){0};
}

bool seed_ids(struct store *s, int64_t target, const struct filter *f,
              ids *out, struct err *e)
{
    struct sql q = {0};
    struct rows r;
    *out = (ids){0};
    buf_puts(&q.text, "SELECT o.id FROM seed o WHERE o.live AND o.target = ");
    sql_int(&q, target);
    buf_puts(&q.text, " AND ");
    bool ok = sql_filter(&q, f, SQL_SEEDS, e) &&
              buf_puts(&q.text, " ORDER BY o.id") && sql_query(s, &q, &r, e);
    if (ok) {
        while (rows_next(&r, e))
            VEC_PUSH(out, rows_int(&r, 0));
        rows_done(&r);
        ok = !r.failed;
    }
    sql_free(&q);
    return ok;
}

bool seed_has_answer(struct store *s, int64_t id)
{
    return db_int(s, 0, "SELECT answer_text IS NOT NULL FROM seed"
                  " WHERE id = ?1", "i", id) != 0;
}

bool seed_prompts(struct store *s, const struct prompt_range *p,
                  prompt_fn *fn, void *ctx, struct err *e)
{
    struct rows r;
    return db_query(s, &r, e, "SELECT x.id, x.job, p.body, p.purged"
                    " FROM seed x LEFT JOIN text p ON p.id = x.messages_text"
                    " WHERE +x.target = ?1 AND x.live AND x.id > ?2"
                    " AND x.id <= ?3 ORDER BY x.id", "iii", p->target,
                    p->after, p->until) &&
           prompts_walk(&r, "s", fn, ctx, e);
}

bool seed_live_ids(struct store *s, int64_t target, int64_t until, ids *out,
                   struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM seed WHERE target = ?1 AND live"
                  " AND id <= ?2", "ii", target, until);
}

bool seed_ids_changed(struct store *s, int64_t seq, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT DISTINCT +object FROM change WHERE"
                  " decision > ?1 AND +kind = 'seed' AND +field = 'live'"
                  " ORDER BY 1", "i", seq);
}

int64_t seed_last_id(struct store *s)
{
    return db_int(s, 0, "SELECT max(id) FROM seed", "");
}

bool seed_ids_born(struct store *s, int64_t seq, ids *out, struct err *e)
{
    struct span b = db_born(s, "SELECT id, born FROM seed WHERE id >= ?1"
                            " ORDER BY id LIMIT 1", seq);
    return db_ids(s, out, e, "SELECT id FROM seed WHERE id >= ?1"
                  " AND id < ?2 AND live ORDER BY id", "ii", b.from, b.to);
}

bool seed_ids_of_job(struct store *s, int64_t job, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM seed WHERE job = ?1 AND live"
                  " ORDER BY id", "i", job);
}

int64_t seed_count(struct store *s, int64_t target, int split)
{
    return db_int(s, 0, "SELECT count(*) FROM seed WHERE target = ?1 AND live"
                  " AND (?2 < 0 OR split = ?2)", "ii", target,
                  (int64_t)split);
}

int64_t seed_never_drawn(struct store *s, int64_t target)
{
    return db_int(s, 0, "SELECT count(*) FROM seed WHERE target = ?1 AND live"
                  " AND NOT EXISTS(SELECT 1 FROM draw WHERE draw.seed ="
                  " seed.id)", "i", target);
}
