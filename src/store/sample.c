#include "store/sample.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/utf8.h"
#include "store/db.h"
#include "store/tags.h"
#include "store/text.h"
#include "store/words.h"

/* ---- Writing ------------------------------------------------------------ */

int64_t sample_add(struct act *a, const struct sample_new *n, struct err *e)
{
    struct store *s = a->s;
    uint8_t hash[SHA_SIZE];
    struct buf b = BUF_INIT(0);
    chat_print(n->prompt, &b);
    chat_prompt_hash(n->prompt, hash);
    int64_t text = text_put(s, buf_str(&b), b.len, e);
    buf_free(&b);
    return text ? act_bring(a, SEAL_SAMPLE, e, "iIIIIsIiib", n->target,
                            n->job, n->call, n->item, n->seed, n->origin,
                            n->line, text, (int64_t)n->split, hash,
                            sizeof hash)
                : 0;
}

/* The duplicate hash of a candidate under the sample's present prompt. */
static bool candidate_hash(struct store *s, int64_t prompt, const char *body,
                           uint8_t hash[SHA_SIZE], struct err *e)
{
    struct chat chat;
    char *messages = text_get(s, prompt, NULL);
    bool ok = messages && chat_parse(messages, &chat, e);
    free(messages);
    if (!ok)
        return false;
    struct message answer;
    ok = answer_parse(body, &answer, e);
    if (ok)
        chat_hash(&chat, &answer, hash);
    message_free(&answer);
    chat_free(&chat);
    return ok;
}

/* The prompt that a candidate of the sample answers now, and its number. */
static bool next_place(struct store *s, int64_t sample, int64_t *prompt,
                       int64_t *number, struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT prompt_text, 1 + coalesce((SELECT max(n)"
                  " FROM candidate WHERE sample = ?1), 0) FROM sample"
                  " WHERE id = ?1", "i", sample))
        return false;
    bool there = rows_next(&r, e);
    *prompt = rows_int(&r, 0);
    *number = rows_int(&r, 1);
    rows_done(&r);
    return there || err_set(e, ERR_ABSENT, _("there is no sample %lld"),
                            (long long)sample);
}

int64_t candidate_add(struct act *a, const struct candidate_new *n,
                      struct err *e)
{
    struct store *s = a->s;
    uint8_t hash[SHA_SIZE];
    int64_t prompt, number;
    if (!next_place(s, n->sample, &prompt, &number, e))
        return 0;
    int64_t body = text_puts(s, n->body, e);
    if (n->hash)
        memcpy(hash, n->hash, sizeof hash);
    if (!body || (!n->hash && !candidate_hash(s, prompt, n->body, hash, e)))
        return 0;
    return act_bring(a, SEAL_CANDIDATE, e, "iiisIIiib", n->sample, number,
                     (int64_t)n->source, n->who, n->call, n->parent, prompt,
                     body, hash, sizeof hash);
}

bool sample_index(struct act *a, int64_t sample, struct err *e)
{
    return words_add_sample(a->s, sample, e);
}

bool sample_index_words(struct act *a, int64_t sample, const char *prompt,
                        const char *answers, struct err *e)
{
    return words_add(a->s, sample, prompt, answers, e);
}

bool sample_unindex(struct act *a, int64_t sample, struct err *e)
{
    return words_remove_sample(a->s, sample, e);
}

bool check_add(struct act *a, int64_t sample, int64_t candidate,
               const struct check_result *c, struct err *e)
{
    return act_bring(a, SEAL_CHECK, e, "iIsddiIII", sample, candidate,
                     check_name(c->check), c->figure, c->bound,
                     (int64_t)c->verdict, c->against_sample,
                     c->against_seed, (int64_t)c->approximate) != 0;
}

bool score_add(struct act *a, const struct score_new *n, struct err *e)
{
    struct store *s = a->s;
    int64_t reason = 0;
    if (n->reason && !(reason = text_puts(s, n->reason, e)))
        return false;
    return act_bring(a, SEAL_SCORE, e, "isdIIs", n->candidate, n->aspect,
                     n->value, reason, n->call, n->who) != 0;
}

bool sample_ids_born(struct store *s, int64_t seq, ids *out, struct err *e)
{
    struct span b = db_born(s, "SELECT id, born FROM sample WHERE id >= ?1"
                            " ORDER BY id LIMIT 1", seq);
    return db_ids(s, out, e, "SELECT id FROM sample WHERE id >= ?1"
                  " AND id < ?2 AND live ORDER BY id", "ii", b.from, b.to);
}

bool candidate_ids_added(struct store *s, int64_t seq, ids *out,
                         struct err *e)
{
    struct span b = db_born(s, "SELECT id, born FROM candidate WHERE id >= ?1"
                            " ORDER BY id LIMIT 1", seq);
    return db_ids(s, out, e, "SELECT c.id FROM candidate c JOIN sample x"
                  " ON x.id = c.sample WHERE c.id >= ?1 AND c.id < ?2"
                  " AND c.live AND x.live AND x.born <> ?3 ORDER BY c.id",
                  "iii", b.from, b.to, seq);
}

bool candidate_ids_of_job(struct store *s, int64_t job, ids *out,
                          struct err *e)
{
    return db_ids(s, out, e, "SELECT c.id FROM candidate c JOIN sample x"
                  " ON x.id = c.sample WHERE c.call IN (SELECT id FROM call"
                  "  WHERE job = ?1) AND c.live AND x.live"
                  " AND coalesce(x.job, 0) <> ?1 ORDER BY c.id", "i", job);
}

int64_t candidate_stands_for(struct store *s, int64_t candidate)
{
    return db_int(s, 0, "SELECT id FROM sample WHERE chosen = ?1"
                  " AND status = 1 AND id = (SELECT sample FROM candidate"
                  "  WHERE id = ?1)", "i", candidate);
}

int64_t prompt_coming(int64_t call, int64_t item)
{
    return PROMPT_COMING + call * PROMPT_ITEMS + item;
}

int64_t prompt_came(struct store *s, int64_t key)
{
    int64_t at = key - PROMPT_COMING;
    return at < 0 ? key
                  : db_int(s, 0, "SELECT id FROM sample WHERE call = ?1"
                           " AND coalesce(item, 0) = ?2 LIMIT 1", "ii",
                           at / PROMPT_ITEMS, at % PROMPT_ITEMS);
}

bool sample_prompt_fell(struct store *s, int64_t call, int64_t item)
{
    return db_int(s, 0, "SELECT 1 FROM check_result r JOIN sample x"
                  " ON x.id = r.sample WHERE x.call = ?1"
                  " AND coalesce(x.item, 0) = ?2 AND r.candidate IS NULL"
                  " AND r.verdict = ?3 LIMIT 1", "iii", call, item,
                  (int64_t)VERDICT_FAIL) != 0;
}

/* An answer of its own, or one that came with its prompt, as item so-and-so. */
int64_t candidate_made_by(struct store *s, int64_t call, int64_t item)
{
    return db_int(s, 0, "SELECT c.id FROM candidate c JOIN sample x"
                  " ON x.id = c.sample WHERE c.call = ?1 AND (x.call <> ?1"
                  " OR coalesce(x.item, 0) = ?2) ORDER BY c.id LIMIT 1", "ii",
                  call, item);
}

static bool with_prompt_hash(struct store *s, int64_t target,
                             const uint8_t *hash, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM sample WHERE target = ?1"
                  " AND prompt_hash = ?2 AND live ORDER BY id", "ib", target,
                  hash, (size_t)SHA_SIZE);
}

bool sample_ids_with_prompt(struct store *s, int64_t target,
                            const struct chat *prompt, ids *out,
                            struct err *e)
{
    uint8_t hash[SHA_SIZE];
    chat_prompt_hash(prompt, hash);
    bool ok = with_prompt_hash(s, target, hash, out, e);
    for (int form = CALLS_WRITTEN; ok && !out->n && form < CALLS_FORMS; form++)
        if (chat_hash_before(prompt, NULL, (enum calls_form)form, hash)) {
            VEC_FREE(out);
            ok = with_prompt_hash(s, target, hash, out, e);
        }
    return ok;
}

int64_t sample_with_prompt(struct store *s, int64_t target,
                           const struct chat *prompt)
{
    ids all = {0};
    bool ok = sample_ids_with_prompt(s, target, prompt, &all, NULL);
    int64_t id = ok && all.n ? all.at[0] : 0;
    VEC_FREE(&all);
    return id;
}

/* Whether a stored body says what the answer does; one that was purged has its
 * hash alone. */
static bool is_answer(const char *body, const struct message *answer,
                      same_fn *same)
{
    struct message m;
    if (!body || !answer)
        return true;
    bool is = answer_parse(body, &m, NULL) && same(answer, &m);
    message_free(&m);
    return is;
}

int64_t candidate_same(struct store *s, const struct same_query *q,
                       int64_t *sample)
{
    struct rows r;
    int64_t id = *sample = 0;
    if (!db_query(s, &r, NULL, "SELECT c.id, x.id, t.body FROM candidate c"
                  " JOIN sample x ON x.id = c.sample"
                  " JOIN text t ON t.id = c.body_text WHERE c.hash = ?1"
                  " AND c.live AND x.target = ?2 AND x.live AND x.id <> ?3"
                  " ORDER BY x.id <> ?4, x.id, c.id", "biii", q->hash,
                  (size_t)SHA_SIZE, q->target, q->but, q->first))
        return 0;
    while (!id && rows_next(&r, NULL)) {
        if (!is_answer(rows_text(&r, 2), q->answer, q->same))
            continue;
        id = rows_int(&r, 0);
        *sample = rows_int(&r, 1);
    }
    rows_done(&r);
    return id;
}

bool score_value(struct store *s, int64_t candidate, const char *aspect,
                 const char *who, double *value)
{
    struct rows r;
    if (!db_query(s, &r, NULL, "SELECT value FROM score WHERE candidate = ?1"
                  " AND aspect = ?2 AND who = ?3 ORDER BY id DESC LIMIT 1",
                  "iss", candidate, aspect, who))
        return false;
    bool there = rows_next(&r, NULL);
    *value = rows_double(&r, 0);
    rows_done(&r);
    return there;
}

bool sample_is_false(struct store *s, int64_t id)
{
    return db_int(s, 0, "SELECT status = ?2 AND ?3 = (SELECT d.reason"
                  " FROM change c JOIN decision d ON d.seq = c.decision"
                  " WHERE c.object = sample.id AND c.kind = 'sample'"
                  " AND c.field = 'status' ORDER BY c.decision DESC LIMIT 1)"
                  " FROM sample WHERE id = ?1", "iis", id,
                  (int64_t)STATUS_REJECTED, REASON_LABEL);
}

bool sample_candidates(struct store *s, int64_t id, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT c.id FROM candidate c JOIN sample x"
                  " ON x.id = c.sample WHERE c.sample = ?1 AND c.live"
                  " AND c.prompt_text = x.prompt_text ORDER BY c.n", "i", id);
}

/* ---- Reading ------------------------------------------------------------ */

static bool read_candidates(struct store *s, struct sample *x, struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT c.id, c.n, c.call, c.parent, c.born,"
                  " c.source, coalesce(c.who, (SELECT teacher FROM job"
                  "  WHERE id = (SELECT job FROM call WHERE id = c.call))),"
                  " (SELECT body FROM text WHERE id = c.body_text),"
                  " (SELECT avg(value) FROM score WHERE candidate = c.id"
                  "  AND who IS NULL) FROM candidate c WHERE c.sample = ?1"
                  " AND c.live AND c.prompt_text = ?2 ORDER BY c.n", "ii",
                  x->id, x->prompt_text))
        return false;
    while (rows_next(&r, e)) {
        struct candidate c = {
            rows_int(&r, 0), rows_int(&r, 1), rows_int(&r, 2),
            rows_int(&r, 3), rows_int(&r, 4), (enum source)rows_int(&r, 5),
            rows_copy(&r, 6),
            xstrdup(rows_text(&r, 7) ? rows_text(&r, 7)
                                     : "{\"content\":\"\"}"),
            rows_null(&r, 8) ? NAN : rows_double(&r, 8)};
        VEC_PUSH(&x->candidates, c);
    }
    rows_done(&r);
    return !r.failed;
}

static bool read_checks(struct store *s, struct sample *x, struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT name, figure, bound, verdict,"
                  " against_sample, against_seed, candidate, rough, max(id)"
                  " FROM check_result WHERE sample = ?1"
                  " GROUP BY name, candidate ORDER BY max(id)", "i", x->id))
        return false;
    while (rows_next(&r, e)) {
        struct checked c = {.candidate = rows_int(&r, 6)};
        if (!check_parse(rows_text(&r, 0), &c.result.check))
            continue;
        c.result.figure = rows_double(&r, 1);
        c.result.bound = rows_double(&r, 2);
        c.result.verdict = (enum verdict)rows_int(&r, 3);
        c.result.against_sample = rows_int(&r, 4);
        c.result.against_seed = rows_int(&r, 5);
        c.result.approximate = rows_int(&r, 7);
        VEC_PUSH(&x->checks, c);
    }
    rows_done(&r);
    for (size_t i = 0; i < x->checks.n; i++) {
        int64_t *against = &x->checks.at[i].result.against_sample;
        *against = prompt_came(s, *against);
    }
    return !r.failed;
}

static bool read_scores(struct store *s, struct sample *x, struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT x.candidate, x.aspect, x.value,"
                  " (SELECT body FROM text WHERE id = x.reason_text),"
                  " coalesce(x.who, (SELECT teacher FROM job WHERE id ="
                  "  (SELECT job FROM call WHERE id = x.call))),"
                  " x.who IS NULL"
                  " FROM score x JOIN candidate c ON c.id = x.candidate"
                  " WHERE c.sample = ?1 ORDER BY x.id", "i", x->id))
        return false;
    while (rows_next(&r, e)) {
        struct score c = {rows_int(&r, 0), rows_copy(&r, 1),
                          rows_copy(&r, 3), rows_copy(&r, 4),
                          rows_double(&r, 2), rows_int(&r, 5)};
        VEC_PUSH(&x->scores, c);
    }
    rows_done(&r);
    return !r.failed;
}

static bool read_head(struct store *s, int64_t id, struct sample *x,
                      struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT x.target, x.job, x.call, x.item, x.seed,"
                  " x.line, x.chosen, x.born, x.prompt_text, x.status,"
                  " x.split, x.live, x.origin, p.body, rc.name, j.teacher,"
                  " rc.version, (SELECT count(*) FROM draw"
                  "  WHERE call IN " ATTEMPTS_OF("x.call") ")"
                  " FROM sample x JOIN text p ON p.id = x.prompt_text"
                  " LEFT JOIN job j ON j.id = x.job"
                  " LEFT JOIN recipe rc ON rc.id = j.recipe"
                  " WHERE x.id = ?1", "i", id))
        return false;
    bool found = rows_next(&r, e);
    if (found) {
        *x = (struct sample){
            .id = id, .target = rows_int(&r, 0), .job = rows_int(&r, 1),
            .call = rows_int(&r, 2), .item = rows_int(&r, 3),
            .seed = rows_int(&r, 4), .line = rows_int(&r, 5),
            .chosen = rows_int(&r, 6), .born = rows_int(&r, 7),
            .prompt_text = rows_int(&r, 8),
            .status = (enum status)rows_int(&r, 9),
            .split = (enum split)rows_int(&r, 10), .live = rows_int(&r, 11),
            .origin = rows_copy(&r, 12), .prompt = rows_copy(&r, 13),
            .recipe = rows_copy(&r, 14), .teacher = rows_copy(&r, 15),
            .recipe_version = rows_int(&r, 16), .drawn = rows_int(&r, 17)};
        if (!x->prompt)
            x->prompt = xstrdup("[]");
    }
    rows_done(&r);
    return found || err_set(e, ERR_ABSENT, _("there is no sample %lld"),
                            (long long)id);
}

bool sample_get(struct store *s, int64_t id, struct sample *out,
                struct err *e)
{
    *out = (struct sample){0};
    if (!read_head(s, id, out, e))
        return false;
    if (!read_candidates(s, out, e) || !read_checks(s, out, e) ||
        !read_scores(s, out, e)) {
        sample_free(out);
        return false;
    }
    out->tags = tags_of(s, OBJECT_SAMPLE, id);
    out->note = note_of(s, OBJECT_SAMPLE, id);
    out->rating = rating_of(s, OBJECT_SAMPLE, id);
    char *order = db_text(s, "SELECT body FROM text WHERE id = (SELECT"
                          " order_text FROM ranking WHERE sample = ?1)", "i",
                          id);
    snprintf(out->order, sizeof out->order, "%s", order ? order : "");
    free(order);
    return true;
}

bool sample_told(struct store *s, int64_t id, struct sample_told *out,
                 struct err *e)
{
    struct rows r;
    *out = (struct sample_told){0};
    if (!db_query(s, &r, e, "SELECT x.split, x.origin, t.body FROM sample x"
                  " LEFT JOIN text t ON t.id = x.prompt_text"
                  " WHERE x.id = ?1", "i", id))
        return false;
    bool there = rows_next(&r, e);
    if (there)
        *out = (struct sample_told){(enum split)rows_int(&r, 0),
                                    rows_copy(&r, 1), rows_copy(&r, 2)};
    rows_done(&r);
    return there || err_set(e, ERR_ABSENT, _("there is no sample %lld"),
                            (long long)id);
}

bool sample_state(struct store *s, int64_t id, enum status *status,
                  enum split *split, struct err *e)
{
    struct rows r;
    if (!db_query(s, &r, e, "SELECT status, split FROM sample WHERE id = ?1",
                  "i", id))
        return false;
    bool found = rows_next(&r, e);
    *status = found ? (enum status)rows_int(&r, 0) : STATUS_PENDING;
    *split = found ? (enum split)rows_int(&r, 1) : SPLIT_TRAIN;
    rows_done(&r);
    return found || err_set(e, ERR_ABSENT, _("there is no sample %lld"),
                            (long long)id);
}

void sample_free(struct sample *x)
{
    for (size_t i = 0; i < x->candidates.n; i++) {
        free(x->candidates.at[i].who);
        free(x->candidates.at[i].body);
    }
    for (size_t i = 0; i < x->scores.n; i++) {
        free(x->scores.at[i].aspect);
        free(x->scores.at[i].reason);
        free(x->scores.at[i].who);
    }
    VEC_FREE(&x->candidates);
    VEC_FREE(&x->checks);
    VEC_FREE(&x->scores);
    free(x->origin);
    free(x->prompt);
    free(x->recipe);
    free(x->teacher);
    free(x->tags);
    free(x->note);
    *x = (struct sample){0};
}

/* The first check that failed the candidate (0: the prompt), NULL for none. */
static const struct checked *failed(const struct sample *x, int64_t candidate)
{
    for (size_t i = 0; i < x->checks.n; i++)
        if (x->checks.at[i].candidate == candidate &&
            x->checks.at[i].result.verdict == VERDICT_FAIL)
            return &x->checks.at[i];
    return NULL;
}

bool sample_passes(const struct sample *x, int k)
{
    return !failed(x, x->candidates.at[k].id);
}

bool sample_is_approximate(const struct sample *x)
{
    for (size_t i = 0; i < x->checks.n; i++)
        if (x->checks.at[i].result.approximate)
            return true;
    return false;
}

static bool is_empty(const struct candidate *c)
{
    char *text = answer_text(c->body);
    bool empty = check_empty(text);
    free(text);
    return empty;
}

int sample_choice(const struct sample *x)
{
    int edit = -1, best = -1;
    for (int i = 0; i < (int)x->candidates.n; i++) {
        const struct candidate *c = &x->candidates.at[i];
        if (c->id == x->chosen)
            return i;
        if (c->source == SOURCE_HUMAN && !is_empty(c))
            edit = i;
        if (!sample_passes(x, i) || is_empty(c))
            continue;
        double least = best < 0 ? NAN : x->candidates.at[best].judge;
        if (best < 0 || (!isnan(c->judge) && !(c->judge <= least)))
            best = i;
    }
    return edit >= 0 ? edit : best;
}

int sample_opens_with(const struct sample *x)
{
    int choice = sample_choice(x);
    return choice >= 0 ? choice : x->candidates.n ? 0 : -1;
}

bool sample_falls(const struct sample *x, enum check *by)
{
    const struct checked *first = failed(x, 0);
    for (int i = 0; !first && i < (int)x->candidates.n; i++)
        if (sample_passes(x, i))
            return false;
    if (!first && x->candidates.n)
        first = failed(x, x->candidates.at[0].id);
    if (first)
        *by = first->result.check;
    return first != NULL;
}

bool prompts_walk(struct rows *r, const char *kind, prompt_fn *fn, void *ctx,
                  struct err *e)
{
    bool ok = true;
    while (ok && rows_next(r, e)) {
        const char *body = rows_text(r, 2);
        if (body)
            ok = fn(ctx, rows_int(r, 0), rows_int(r, 1), body, e);
        else if (rows_null(r, 3))
            ok = err_set(e, ERR_STORE, _("%s%lld: its prompt is not there"),
                         kind, (long long)rows_int(r, 0));
    }
    rows_done(r);
    return ok && !r->failed;
}

/* A sign keeps the index of targets out of it: the range is what counts. */
bool sample_prompts(struct store *s, const struct prompt_range *p,
                    prompt_fn *fn, void *ctx, struct err *e)
{
    struct rows r;
    return db_query(s, &r, e, "SELECT x.id, x.job, p.body, p.purged"
                    " FROM sample x LEFT JOIN text p ON p.id = x.prompt_text"
                    " WHERE +x.target = ?1 AND x.live"
                    " AND (?4 OR x.status <> 2) AND x.id > ?2 AND x.id <= ?3"
                    " ORDER BY x.id", "iiii", p->target, p->after, p->until,
                    (int64_t)p->rejected) &&
           prompts_walk(&r, "", fn, ctx, e);
}

bool sample_kept_ids(struct store *s, int64_t target, int64_t until, ids *out,
                     struct err *e)
{
    return db_ids(s, out, e, "SELECT id FROM sample WHERE target = ?1"
                  " AND live AND status <> 2 AND id <= ?2", "ii", target,
                  until);
}

bool sample_ids_changed(struct store *s, int64_t seq, ids *out, struct err *e)
{
    return db_ids(s, out, e, "SELECT DISTINCT +object FROM change WHERE"
                  " decision > ?1 AND +kind = 'sample'"
                  " AND +field IN ('prompt', 'live') ORDER BY 1", "i", seq);
}

int64_t sample_last_id(struct store *s)
{
    return db_int(s, 0, "SELECT max(id) FROM sample", "");
}

#define TO_RANK                                                               \
    " FROM (SELECT DISTINCT c.sample AS id FROM score x CROSS JOIN candidate" \
    "  c ON c.id = x.candidate WHERE x.who IS NULL AND c.live) k"             \
    " CROSS JOIN sample s ON s.id = k.id WHERE s.target = ?1"                 \
    " AND s.status = 0 AND s.live"                                            \
    " AND NOT EXISTS(SELECT 1 FROM ranking WHERE sample = s.id)"

bool sample_ids_to_rank(struct store *s, int64_t target, ids *out,
                        struct err *e)
{
    return db_ids(s, out, e, "SELECT s.id" TO_RANK " ORDER BY s.id", "i",
                  target);
}

int64_t sample_count_to_rank(struct store *s, int64_t target)
{
    return db_int(s, 0, "SELECT count(*)" TO_RANK, "i", target);
}

bool sample_row_get(struct store *s, int64_t id, struct sample_row *out)
{
    struct rows r;
    *out = (struct sample_row){0};
    if (!db_query(s, &r, NULL, "SELECT x.status, (SELECT figure"
                  "  FROM check_result WHERE sample = x.id AND name = 'near'"
                  "  ORDER BY id DESC LIMIT 1),"
                  " (SELECT max(m) FROM (SELECT avg(value) AS m FROM score k"
                  "  JOIN candidate c ON c.id = k.candidate"
                  "  WHERE c.sample = x.id AND c.live AND k.who IS NULL"
                  "  GROUP BY c.id)),"
                  " (SELECT count(DISTINCT name) FROM check_result"
                  "  WHERE sample = x.id AND verdict > 0),"
                  " (SELECT name FROM recipe WHERE id = (SELECT recipe"
                  "  FROM job WHERE id = x.job)), p.body, (SELECT rough"
                  "  FROM check_result WHERE sample = x.id AND name = 'near'"
                  "  ORDER BY id DESC LIMIT 1)"
                  " FROM sample x JOIN text p ON p.id = x.prompt_text"
                  " WHERE x.id = ?1", "i", id))
        return false;
    bool found = rows_next(&r, NULL);
    if (found) {
        *out = (struct sample_row){
            .id = id, .status = (enum status)rows_int(&r, 0),
            .near = rows_null(&r, 1) ? NAN : rows_double(&r, 1),
            .judge = rows_null(&r, 2) ? NAN : rows_double(&r, 2),
            .warnings = (int)rows_int(&r, 3),
            .approximate = rows_int(&r, 6)};
        snprintf(out->recipe, sizeof out->recipe, "%s",
                 rows_text(&r, 4) ? rows_text(&r, 4) : "");
        out->first_line = prompt_text(rows_text(&r, 5) ? rows_text(&r, 5)
                                                       : "[]");
        out->first_line[strcspn(out->first_line, "\n")] = '\0';
        out->warnings += utf8_hidden(out->first_line,
                                     strlen(out->first_line)) > 0;
    }
    rows_done(&r);
    return found;
}
