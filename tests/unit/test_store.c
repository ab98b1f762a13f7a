#include "unit/test.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "domain/filter.h"
#include "store/db.h"
#include "store/draft.h"
#include "store/fsck.h"
#include "store/job.h"
#include "store/query.h"
#include "store/run.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/target.h"
#include "store/text.h"

static char *path;
static struct store *s;
static struct err e;

static int fresh_store(void **state)
{
    (void)state;
    static int n;
    free(path);
    path = xasprintf("%s/store%d.db", getenv("TMPDIR"), n++);
    e = (struct err){0};
    return store_create(path, &s, &e) ? 0 : -1;
}

static int close_store(void **state)
{
    (void)state;
    store_close(&s);
    return 0;
}

/* Adds a target, two seeds and `n` samples of two candidates each. */
static int64_t fill(int n)
{
    struct act a;
    assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
    int64_t target = target_add(&a, "word-problems",
                                "{\"description\":\"x\"}", &e);
    assert_true(target > 0);
    struct chat c = {0};
    chat_add(&c, ROLE_USER, "Maria buys 4 boxes.");
    char *answer = answer_of("24");
    struct seed_new seed = {.target = target, .kind = "example",
                            .prompt = &c, .answer = answer, .split = -1};
    assert_true(seed_add(&a, &seed, &e) > 0);
    assert_int_equal(seed_add(&a, &seed, &e), 0); /* the same again */
    free(answer);
    chat_free(&c);
    for (int i = 0; i < n; i++) {
        char text[100];
        snprintf(text, sizeof text, "Rui buys %d pens and loses one.", i);
        chat_add(&c, ROLE_USER, text);
        struct sample_new x = {.target = target, .seed = 1, .prompt = &c,
                               .origin = "file", .line = i + 1};
        int64_t id = sample_add(&a, &x, &e);
        assert_true(id > 0);
        for (int k = 0; k < 2; k++) {
            snprintf(text, sizeof text, "answer %d", i - k);
            char *body = answer_of(text);
            struct candidate_new y = {.sample = id, .source = SOURCE_TEACHER,
                                      .body = body};
            int64_t cand = candidate_add(&a, &y, &e);
            assert_true(cand > 0);
            struct score_new z = {.candidate = cand, .aspect = "truth",
                                  .value = k + i % 3, .reason = "because"};
            assert_ok(score_add(&a, &z, &e), e);
            free(body);
        }
        struct check_input in = {.near = .5 + .01 * (i % 40), .near_seed = 1,
                                 .near_approximate = i % 3 == 0};
        struct check_result r = check_usual(CHECK_NEAR, &in);
        assert_ok(check_add(&a, id, 0, &r, &e), e);
        assert_ok(sample_index(&a, id, &e), e);
        chat_free(&c);
    }
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    return target;
}

static void decide(int64_t id, enum status to, const char *who)
{
    struct act a;
    assert_ok(act_begin(s, &a, status_name(to), who, "wrong", 0, &e), e);
    assert_ok(act_change(&a, OBJECT_SAMPLE, id, FIELD_STATUS, to, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
}

static enum status status_of(int64_t id)
{
    struct sample x;
    assert_ok(sample_get(s, id, &x, &e), e);
    enum status st = x.status;
    sample_free(&x);
    return st;
}

static void on_finding(void *ctx, bool finding, const char *text)
{
    (void)finding;
    buf_printf(ctx, "%s\n", text);
}

static int64_t findings(struct buf *b)
{
    struct fsck_counts n;
    buf_clear(b);
    assert_ok(store_fsck(s, on_finding, b, &n, &e), e);
    return n.findings;
}

static void decisions_survive_and_undo(void **state)
{
    (void)state;
    fill(5);
    decide(1, STATUS_ACCEPTED, "ana");
    decide(2, STATUS_REJECTED, "ana");
    decide(3, STATUS_REJECTED, "rui");
    store_close(&s);
    assert_ok(store_open(path, &s, &e), e); /* a restart */
    int64_t d = journal_undoable(s, "ana");
    assert_int_equal(d, 3);
    assert_int_equal(journal_reverse(s, d, "ana", "undo", &e), ACT_SAVED);
    assert_int_equal(status_of(2), STATUS_PENDING);
    assert_int_equal(journal_undoable(s, "ana"), 2);
    assert_int_equal(journal_reverse(s, 2, "ana", "undo", &e), ACT_SAVED);
    assert_int_equal(journal_undoable(s, "ana"), 0); /* arrivals are no acts */
    int64_t redo = journal_redoable(s, "ana");
    assert_int_equal(journal_reverse(s, redo, "ana", "redo", &e), ACT_SAVED);
    assert_int_equal(status_of(1), STATUS_ACCEPTED);
    redo = journal_redoable(s, "ana");
    assert_int_equal(journal_reverse(s, redo, "ana", "redo", &e), ACT_SAVED);
    assert_int_equal(status_of(2), STATUS_REJECTED);
    assert_int_equal(journal_redoable(s, "ana"), 0);
    assert_int_equal(journal_undoable(s, "ana"), 3);
    assert_int_equal(journal_reverse(s, 3, "ana", "undo", &e), ACT_SAVED);
    decide(4, STATUS_ACCEPTED, "ana"); /* ends the redo line */
    assert_int_equal(journal_redoable(s, "ana"), 0);
    struct buf b = BUF_INIT(0);
    if (findings(&b))
        fail_msg("%s", buf_str(&b));
    buf_free(&b);
}

static void undo_of_a_shared_sample_is_refused(void **state)
{
    (void)state;
    fill(3);
    int64_t seen = store_seq(s);
    decide(1, STATUS_ACCEPTED, "ana");
    decide(1, STATUS_REJECTED, "rui");
    int64_t d = journal_undoable(s, "ana");
    assert_int_equal(journal_reverse(s, d, "ana", "undo", &e), ACT_NOT_SAVED);
    assert_non_null(strstr(e.text, "rui has since changed sample 1"));
    assert_int_equal(status_of(1), STATUS_REJECTED);
    struct other o;
    assert_true(journal_changed_since(s, OBJECT_SAMPLE, 1, seen, &o));
    assert_string_equal(o.who, "rui");
    assert_string_equal(o.reason, "wrong");
    assert_false(journal_changed_since(s, OBJECT_SAMPLE, 2, seen, &o));
}

/* Another's tag is no obstacle to an undo; the same tag is, a decision is. */
static void undo_minds_the_same_field_alone(void **state)
{
    (void)state;
    struct act a;
    fill(2);
    decide(1, STATUS_ACCEPTED, "ana");
    int64_t d = journal_undoable(s, "ana");
    assert_ok(act_begin(s, &a, "tag", "rui", "x", 0, &e), e);
    assert_ok(act_tag(&a, OBJECT_SAMPLE, 1, "x", true, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    assert_int_equal(journal_reverse(s, d, "ana", "undo", &e), ACT_SAVED);
    assert_ok(act_begin(s, &a, "tag", "ana", "y", 0, &e), e);
    assert_ok(act_tag(&a, OBJECT_SAMPLE, 1, "y", true, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    d = journal_undoable(s, "ana");
    assert_ok(act_begin(s, &a, "untag", "rui", "y", 0, &e), e);
    assert_ok(act_tag(&a, OBJECT_SAMPLE, 1, "y", false, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    assert_int_equal(journal_reverse(s, d, "ana", "undo", &e), ACT_NOT_SAVED);
    assert_non_null(strstr(e.text, "rui has since changed sample 1"));
}

/* What an undo asks beside its own writes does not grow with the decision, and
 * what a decision brought is found without reading the others. */
static void many_changes_are_asked_at_once(void **state)
{
    (void)state;
    int64_t cost[2];
    for (int k = 0; k < 2; k++) {
        struct act a;
        int64_t n = k ? 60 : 10;
        fill((int)n);
        assert_ok(act_begin(s, &a, "reject", "ana", "", 0, &e), e);
        for (int64_t id = 1; id <= n; id++)
            assert_ok(act_change(&a, OBJECT_SAMPLE, id, FIELD_STATUS,
                                 STATUS_REJECTED, &e), e);
        assert_int_equal(act_commit(&a, &e), ACT_SAVED);
        int64_t before = s->statements;
        assert_int_equal(journal_reverse(s, 2, "ana", "undo", &e), ACT_SAVED);
        cost[k] = s->statements - before;
        close_store(NULL);
        fresh_store(NULL);
    }
    /* a change is read, written back and noted: three statements */
    assert_true(cost[1] - cost[0] <= 3 * 50);
}

static void what_a_decision_brought_is_found(void **state)
{
    (void)state;
    struct act a;
    struct chat c = {0};
    int64_t target = fill(1), id = 2;
    ids got;
    chat_add(&c, ROLE_USER, "p");
    for (int k = 2; k <= 5; k++) { /* decision k brings k samples */
        assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
        struct sample_new x = {.target = target, .prompt = &c};
        for (int i = 0; i < k; i++)
            assert_true(sample_add(&a, &x, &e) > 0);
        assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    }
    chat_free(&c);
    for (int64_t seq = 1; seq <= 5; seq++) {
        assert_ok(sample_ids_born(s, seq, &got, &e), e);
        assert_int_equal(got.n, seq);
        for (size_t i = 0; i < got.n; i++)
            assert_int_equal(got.at[i], seq == 1 ? 1 : id++);
        VEC_FREE(&got);
    }
    assert_ok(sample_ids_born(s, 99, &got, &e), e);
    assert_int_equal(got.n, 0);
    VEC_FREE(&got);
}

static void edits_tags_and_notes_are_changes(void **state)
{
    (void)state;
    fill(2);
    struct act a;
    assert_ok(act_begin(s, &a, "edit", "ana", "", 0, &e), e);
    assert_ok(sample_unindex(&a, 1, &e), e);
    char *body = answer_of("a better answer, zebra");
    struct candidate_new n = {.sample = 1, .parent = 1, .who = "ana",
                              .source = SOURCE_HUMAN, .body = body};
    int64_t id = candidate_add(&a, &n, &e);
    free(body);
    assert_ok(sample_index(&a, 1, &e), e);
    assert_ok(act_change(&a, OBJECT_SAMPLE, 1, FIELD_CHOSEN, id, &e), e);
    assert_ok(act_tag(&a, OBJECT_SAMPLE, 1, "time", true, &e), e);
    int64_t note = text_puts(s, "look again", &e);
    assert_ok(act_change(&a, OBJECT_SAMPLE, 1, FIELD_NOTE, note, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    struct sample x;
    assert_ok(sample_get(s, 1, &x, &e), e);
    assert_int_equal(x.candidates.n, 3);
    assert_int_equal(sample_opens_with(&x), 2);
    assert_string_equal(x.tags, "time");
    assert_string_equal(x.note, "look again");
    sample_free(&x);
    struct filter f;
    assert_ok(filter_parse("zebra tag:time edited:yes", &f, &e), e);
    struct query q = {.filter = &f};
    assert_int_equal(query_count(s, &q, &e), 1);
    assert_int_equal(journal_reverse(s, 2, "ana", "undo", &e), ACT_SAVED);
    assert_ok(sample_get(s, 1, &x, &e), e);
    assert_string_equal(x.tags, "");
    assert_null(x.note);
    assert_int_equal(x.chosen, 0);
    sample_free(&x);
    filter_free(&f);
    struct buf b = BUF_INIT(0);
    /* an undone edit's candidate stays; it is no longer chosen */
    if (findings(&b))
        fail_msg("%s", buf_str(&b));
    buf_free(&b);
}

static int64_t count(const char *text)
{
    struct filter f;
    assert_ok(filter_parse(text, &f, &e), e);
    struct query q = {.filter = &f};
    int64_t n = query_count(s, &q, &e);
    if (n < 0)
        fail_msg("%s: %s", text, e.text);
    filter_free(&f);
    return n;
}

static void filters_find(void **state)
{
    (void)state;
    fill(40);
    decide(1, STATUS_REJECTED, "ana");
    decide(2, STATUS_ACCEPTED, "rui");
    assert_int_equal(count(""), 40);
    assert_int_equal(count("status:pending"), 38);
    assert_int_equal(count("-status:pending"), 2);
    assert_int_equal(count("status:rejected,accepted"), 2);
    assert_int_equal(count("reason:wrong"), 1);
    assert_int_equal(count("who:rui"), 1);
    assert_int_equal(count("near>=.695"), 20);
    assert_int_equal(count("check:near"), 30);
    assert_int_equal(count("judge:2"), 13);
    assert_int_equal(count("target:WORD-problems"), 40);
    assert_int_equal(count("target:other or id<=3"), 3);
    assert_int_equal(count("pens \"buys 7\""), 1);
    assert_int_equal(count("answer edited:no"), 40);
    assert_int_equal(count("-tag:x not recipe:label teacher:none"), 0);
    assert_int_equal(count("seed:1 split:train"), 40);
    assert_int_equal(count("\"'; DROP TABLE sample; --\""), 0);
}

static void wrong_files_are_refused(void **state)
{
    (void)state;
    struct store *t;
    assert_false(store_create(path, &t, &e));
    assert_false(store_open("/nonexistent.db", &t, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_false(store_open("/dev/null", &t, &e));
    char *other = xasprintf("%s/other.db", getenv("TMPDIR"));
    file_replace(other, "", 0, 0600, false, NULL);
    assert_false(store_open(other, &t, &e));
    assert_non_null(strstr(e.text, "not an SQLite file"));
    unlink(other);
    sqlite3 *db;
    sqlite3_open(other, &db);
    sqlite3_exec(db, "CREATE TABLE x(y)", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_false(store_open(other, &t, &e));
    assert_non_null(strstr(e.text, "another program"));
    char *link_to = xasprintf("%s/link.db", getenv("TMPDIR"));
    assert_int_equal(symlink(path, link_to), 0);
    assert_false(store_open(link_to, &t, &e));
    unlink(link_to);
    assert_int_equal(link(path, link_to), 0);
    assert_false(store_open(path, &t, &e));
    unlink(link_to);
    sqlite3_open(path, &db);
    sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_false(store_open(path, &t, &e));
    assert_non_null(strstr(e.text, "schema 99"));
    struct act a;
    assert_false(act_begin(s, &a, "x", "ana", "", 0, &e));
    assert_non_null(strstr(e.text, "newer stillroom"));
    sqlite3_open(path, &db);
    sqlite3_exec(db, "PRAGMA user_version=2; CREATE TRIGGER t AFTER INSERT ON"
                 " tag BEGIN DELETE FROM tag; END", NULL, NULL, NULL);
    sqlite3_close(db);
    assert_false(store_open(path, &t, &e));
    assert_non_null(strstr(e.text, "not those of a stillroom store"));
    free(other);
    free(link_to);
}

static bool give_up(void *ctx, const char *holder, int64_t waited)
{
    (void)holder;
    ++*(int *)ctx;
    return waited < 100;
}

static void a_held_store_is_waited_for(void **state)
{
    (void)state;
    fill(1);
    sqlite3 *db;
    sqlite3_open(path, &db);
    sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL);
    int asked = 0;
    store_set_tick(s, give_up, &asked);
    struct act a;
    assert_false(act_begin(s, &a, "x", "ana", "", 0, &e));
    assert_int_equal(e.code, ERR_BUSY);
    assert_true(asked > 2);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    decide(1, STATUS_ACCEPTED, "ana");
}

static void drafts_are_kept(void **state)
{
    (void)state;
    assert_ok(draft_put(s, "ana", OBJECT_SAMPLE, 1, "answer", "half", &e), e);
    assert_ok(draft_put(s, "ana", OBJECT_SAMPLE, 1, "answer", "half a", &e),
              e);
    char *d = draft_get(s, "ana", OBJECT_SAMPLE, 1, "answer");
    assert_string_equal(d, "half a");
    free(d);
    assert_ok(draft_drop(s, "ana", OBJECT_SAMPLE, 1, "answer", &e), e);
    assert_null(draft_get(s, "ana", OBJECT_SAMPLE, 1, "answer"));
}

static void purged_texts_are_refused(void **state)
{
    (void)state;
    fill(1);
    sqlite3 *db;
    sqlite3_open(path, &db);
    sqlite3_exec(db, "UPDATE text SET body = NULL, purged = 1790000000000"
                 " WHERE body = 'because'", NULL, NULL, NULL);
    sqlite3_close(db);
    struct act a;
    assert_ok(act_begin(s, &a, "x", "ana", "", 0, &e), e);
    assert_int_equal(text_puts(s, "because", &e), 0);
    assert_non_null(strstr(e.text, "purged on 21 Sep"));
    act_cancel(&a);
    struct buf b = BUF_INIT(0);
    assert_int_equal(findings(&b), 1); /* no decision purged it */
    assert_non_null(strstr(buf_str(&b), "its purged is not what the journal"));
    buf_free(&b);
}

/* Each kind of row, damaged at random places: every one must be found, and
 * the finding must name what was damaged. */
static const struct damage {
    const char *what, *sql; /* ?1: a random id; ?2: a random number */
    const char *named;      /* must stand in a finding */
} damages[] = {
    {"text", "UPDATE text SET body = body || ?2 WHERE id = ?1", "text"},
    {"text", "UPDATE text SET sha256 = randomblob(32) WHERE id = ?1", "text"},
    {"decision", "UPDATE decision SET at = at + 1 + ?2 WHERE seq = ?1",
     "decision d"},
    {"decision", "UPDATE decision SET who = 'eve' WHERE seq = ?1",
     "decision d"},
    {"decision", "UPDATE decision SET reason = reason || 'x' WHERE seq = ?1",
     "decision d"},
    {"decision", "UPDATE decision SET hash = randomblob(32) WHERE seq = ?1",
     "decision d"},
    {"decision", "DELETE FROM decision WHERE seq = ?1", "d"},
    {"change", "UPDATE change SET new = new + 1 WHERE decision = 3 + ?1 % 30",
     "decision d"},
    {"change", "UPDATE change SET object = object + 1"
     " WHERE decision = 3 + ?1 % 30", "decision d"},
    {"change", "DELETE FROM change WHERE decision = 3 + ?1 % 30",
     "decision d"},
    {"sample", "UPDATE sample SET line = line + 1 WHERE id = ?1", "sample"},
    {"sample", "UPDATE sample SET status = (status + 1) % 4 WHERE id = ?1",
     "sample"},
    {"sample", "UPDATE sample SET chosen = 1 + chosen WHERE id = ?1",
     "sample"},
    {"sample", "UPDATE sample SET split = 2 - split WHERE id = ?1", "sample"},
    {"sample", "UPDATE sample SET prompt_text = 1 + prompt_text % 9"
     " WHERE id = ?1", "sample"},
    {"sample", "UPDATE sample SET live = 0 WHERE id = ?1", "sample"},
    {"sample", "UPDATE sample SET born = 2 WHERE id = ?1", "sample"},
    {"candidate", "UPDATE candidate SET body_text = 1 + body_text % 9"
     " WHERE id = ?1", "candidate"},
    {"candidate", "UPDATE candidate SET source = 3 WHERE id = ?1",
     "candidate"},
    {"candidate", "DELETE FROM candidate WHERE id = ?1", "d1"},
    {"candidate", "UPDATE candidate SET seal = randomblob(16) WHERE id = ?1",
     "candidate"},
    {"score", "UPDATE score SET value = value + 1 WHERE id = ?1", "score"},
    {"score", "UPDATE score SET aspect = 'help' WHERE id = ?1", "score"},
    {"check", "UPDATE check_result SET verdict = 3 - verdict WHERE id = ?1",
     "check_result"},
    {"check", "UPDATE check_result SET figure = figure + .01 WHERE id = ?1",
     "check_result"},
    {"check", "UPDATE check_result SET rough = iif(rough, NULL, 1)"
     " WHERE id = ?1", "check_result"},
    {"draw", "UPDATE draw SET role = 'x' WHERE id = ?1", "draw"},
    {"draw", "DELETE FROM draw WHERE id = ?1", "d2"},
    {"head", NULL, "head"},
};

static void copy_file(const char *from, const char *to)
{
    struct buf b = BUF_INIT(0);
    assert_true(file_read(from, 64 << 20, &b, NULL));
    assert_true(file_replace(to, buf_str(&b), b.len, 0600, false, NULL));
    buf_free(&b);
}

static void damage_head(const char *runs, struct rng *r)
{
    char text[100], *head = path_join(runs, "head");
    snprintf(text, sizeof text, "%d %064d\n", 40 + (int)rng_below(r, 9), 7);
    file_replace(head, text, strlen(text), 0600, false, NULL);
    free(head);
}

static bool do_damage(const char *file, const struct damage *d, struct rng *r)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    sqlite3_open(file, &db);
    int rc = sqlite3_prepare_v2(db, d->sql, -1, &st, NULL);
    if (rc != SQLITE_OK)
        fail_msg("%s: %s", d->sql, sqlite3_errmsg(db));
    sqlite3_bind_int(st, 1, 1 + (int)rng_below(r, 30));
    sqlite3_bind_int(st, 2, (int)rng_below(r, 1000));
    sqlite3_step(st);
    sqlite3_finalize(st);
    bool hit = sqlite3_changes(db) > 0;
    sqlite3_close(db);
    return hit;
}

/* A job with one call that drew the seed thirty times. */
static void add_job(void)
{
    struct act a;
    struct job j = {.kind = "expand", .target = 1, .who = "ana",
                    .args = "{}", .spend_max = 1.5};
    assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
    j.recipe = recipe_row(s, "label", 1, "{}", &e);
    struct call c = {.job = job_add(s, &j, &e), .step = 1, .n = 1,
                     .attempt = 1, .prompt_text = 1, .params = "{}"};
    int64_t call = call_add(s, &c, &e);
    assert_true(call > 0);
    for (int i = 0; i < 30; i++)
        assert_ok(draw_add(&a, call, "demonstration", 1, 0, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
}

static void fsck_finds_every_corruption(void **state)
{
    (void)state;
    fill(30);
    add_job();
    for (int i = 1; i <= 30; i++)
        decide(i, i % 2 ? STATUS_ACCEPTED : STATUS_REJECTED, "ana");
    store_close(&s);
    char *copy = xasprintf("%s/copy.db", getenv("TMPDIR"));
    char *runs = xasprintf("%s/copy.runs", getenv("TMPDIR"));
    char *base_runs = xasprintf("%.*s.runs", (int)strlen(path) - 3, path);
    char *from = path_join(base_runs, "head"), *to = path_join(runs, "head");
    assert_ok(dir_make(runs, 0700, &e), e);
    struct rng r;
    rng_seed(&r, 11);
    int done = 0;
    struct buf b = BUF_INIT(0);
    for (size_t k = 0; done < 200; k++) {
        const struct damage *d = &damages[k % COUNT(damages)];
        copy_file(path, copy);
        copy_file(from, to);
        if (!d->sql)
            damage_head(runs, &r);
        else if (!do_damage(copy, d, &r))
            continue;
        assert_ok(store_open(copy, &s, &e), e);
        if (!findings(&b) || !strstr(buf_str(&b), d->named))
            fail_msg("not found: %s\n%s", d->sql ? d->sql : "head",
                     buf_str(&b));
        store_close(&s);
        done++;
    }
    copy_file(path, copy);
    copy_file(from, to);
    assert_ok(store_open(copy, &s, &e), e);
    if (findings(&b))
        fail_msg("an undamaged store: %s", buf_str(&b));
    buf_free(&b);
    free(copy);
    free(runs);
    free(base_runs);
    free(from);
    free(to);
}

/* A row's seal costs no statement of its own. */
static void a_row_is_one_statement(void **state)
{
    (void)state;
    fill(1);
    struct act a;
    struct job j = {.kind = "expand", .target = 1, .who = "ana",
                    .args = "{}", .spend_max = 1.5};
    struct call c = {.step = 1, .n = 1, .attempt = 1, .prompt_text = 1,
                     .params = "{}", .state = CALL_ANSWERED};
    struct member m = {.kind = "run", .shape = "sft", .owner = 1, .row = 1,
                       .sample = 1, .candidate = 1};
    struct check_input in = {.near = .5, .near_seed = 1};
    struct check_result r = check_usual(CHECK_NEAR, &in);
    assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
#define ONE(what)                                                             \
    do {                                                                      \
        int64_t before = s->statements;                                       \
        assert_true((what) > 0);                                              \
        assert_int_equal(s->statements - before, 1);                          \
    } while (0)
    ONE(c.job = job_add(s, &j, &e));
    ONE(c.id = call_add(s, &c, &e));
    ONE(call_set_state(s, c.id, CALL_SENT, &e));
    ONE(call_finish(s, &c, &e));
    ONE(job_set_state(s, c.job, "done", &e));
    ONE(draw_add(&a, c.id, "demonstration", 1, 0, &e));
    ONE(check_add(&a, 1, 0, &r, &e));
    ONE(member_add(s, &m, &e));
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    /* BEGIN, version, ends, the row, ledger, COMMIT */
    int64_t before = s->statements;
    assert_ok(draft_put(s, "ana", OBJECT_SAMPLE, 1, "note", "n", &e), e);
    assert_int_equal(s->statements - before, 6);
}

int main(void)
{
    const char *dirs[] = {"/nonexistent", NULL};
    lang_init(dirs);
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fresh_store, close_store)
    const struct CMUnitTest tests[] = {
        TEST(decisions_survive_and_undo),
        TEST(undo_of_a_shared_sample_is_refused),
        TEST(undo_minds_the_same_field_alone),
        TEST(many_changes_are_asked_at_once),
        TEST(what_a_decision_brought_is_found),
        TEST(edits_tags_and_notes_are_changes),
        TEST(filters_find),
        TEST(wrong_files_are_refused),
        TEST(a_held_store_is_waited_for),
        TEST(drafts_are_kept),
        TEST(a_row_is_one_statement),
        TEST(purged_texts_are_refused),
        TEST(fsck_finds_every_corruption),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(path);
    return failed;
}
