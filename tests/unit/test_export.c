/* Exports: which rows verbs choose, refusals, the bundle. */
#include "unit/bundles.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "export/folder.h"
#include "store/fsck.h"
#include "store/sample.h"
#include "verbs/edit.h"
#include "verbs/order.h"

/* ---- Which rows --------------------------------------------------------- */

static void accepted_answers(void **state)
{
    (void)state;
    struct export_report r;
    int64_t a = ADD("1 + 1?", SPLIT_TRAIN, "2", "3");
    decide(a, STATUS_ACCEPTED, "ana", "");
    decide(ADD("2 + 2?", SPLIT_TEST, "4"), STATUS_ACCEPTED, "ana", "");
    decide(ADD("3 + 3?", SPLIT_TRAIN, "6"), STATUS_DEFERRED, "ana", "");
    ADD("4 + 4?", SPLIT_TRAIN, "8");
    char *dir = export_all(&r);
    assert_file(dir, "sft/train.jsonl",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"1 + 1?\"},"
                "{\"role\":\"assistant\",\"content\":\"2\"}]}\n");
    assert_file(dir, "sft_pc/test.jsonl",
                "{\"prompt\":[{\"role\":\"user\",\"content\":\"2 + 2?\"}],"
                "\"completion\":[{\"role\":\"assistant\","
                "\"content\":\"4\"}]}\n");
    assert_int_equal(export_rows(&r, SHAPE_SFT), 2);
    assert_int_equal(export_rows(&r, SHAPE_DPO), 0);
    char *none = path_join(dir, "dpo");
    assert_false(file_exists(none)); /* only what has rows */
    char *valid = path_join(dir, "sft/valid.jsonl");
    assert_false(file_exists(valid));
    char *lock = slurp(dir, "prov/lock.json");
    assert_string_equal(lock, r.lock);
    free(lock);
    free(valid);
    free(none);
    export_report_free(&r);
    free(dir);
}

/* The test split's texts stand in test files only. */
static void splits_stay_apart(void **state)
{
    (void)state;
    struct export_report r;
    int64_t a = ADD("heldout 5 + 5?", SPLIT_TEST, "10", "11");
    put_order(a, "A B");
    decide(a, STATUS_ACCEPTED, "ana", "");
    decide(ADD("heldout 6 + 6?", SPLIT_TEST, "13"), STATUS_REJECTED, "ana",
           "wrong");
    a = ADD("seen 7 + 7?", SPLIT_TRAIN, "14", "15");
    put_order(a, "A B");
    decide(a, STATUS_ACCEPTED, "ana", "");
    char *dir = export_all(&r);
    for (int i = 0; i < SHAPE_COUNT; i++) {
        char name[60];
        snprintf(name, sizeof name, "%s/train.jsonl",
                 shape_name((enum shape)i));
        char *train = slurp(dir, name);
        assert_non_null(strstr(train, "seen"));
        assert_null(strstr(train, "heldout"));
        free(train);
        assert_true(r.rows[i][SPLIT_TEST] > 0);
    }
    export_report_free(&r);
    free(dir);
}

static void pairs_of_an_order(void **state)
{
    (void)state;
    struct export_report r;
    struct order o;
    struct other other;
    int64_t a = ADD("which?", SPLIT_TRAIN, "one", "two", "three", "four");
    assert_ok(order_parse("C A=B D", 4, &o, &e), e);
    assert_int_equal(verb_order(s, "ana", a, &o, candidate_id(a, 2), 0,
                                &other, &e), DECIDED);
    int64_t tied = ADD("tied?", SPLIT_TRAIN, "one", "two");
    put_order(tied, "A=B");
    decide(tied, STATUS_ACCEPTED, "ana", "");
    char *dir = export_all(&r);
    char *rows = slurp(dir, "dpo/train.jsonl");
    assert_int_equal(lines_with(rows, "\n"), 3);
    assert_int_equal(lines_with(rows, "\"chosen\":[{\"role\":\"assistant\","
                                      "\"content\":\"three\"}]"), 3);
    assert_int_equal(lines_with(rows, "tied?"), 0);
    char *prov = slurp(dir, "prov/rows.jsonl");
    assert_int_equal(lines_with(prov, "\"weight\":0.333333333333333"), 3);
    assert_int_equal(r.order_pairs, 3);
    free(rows);
    free(prov);
    export_report_free(&r);
    free(dir);
}

/* Letters keep their answers when one is withdrawn; the best that is left
 * stands against the rest. Ids behind a bar say what letters mean. */
static void orders_outlive_answers(void **state)
{
    (void)state;
    struct export_report r;
    struct act a;
    int64_t x = ADD("which?", SPLIT_TRAIN, "one", "two", "three");
    put_order(x, "A C B");
    int64_t y = ADD("and?", SPLIT_TRAIN, "four", "five");
    char *text = xasprintf("A B|%lld %lld", (long long)candidate_id(y, 1),
                           (long long)candidate_id(y, 0));
    put_order(y, text);
    free(text);
    assert_ok(act_begin(s, &a, "withdraw", "ana", "", 0, &e), e);
    assert_ok(act_change(&a, OBJECT_CANDIDATE, candidate_id(x, 0),
                         FIELD_LIVE, 0, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    decide(x, STATUS_ACCEPTED, "ana", "");
    decide(y, STATUS_ACCEPTED, "ana", "");
    char *dir = export_all(&r);
    assert_file(dir, "dpo/train.jsonl",
                "{\"prompt\":[{\"role\":\"user\",\"content\":\"which?\"}],"
                "\"chosen\":[{\"role\":\"assistant\",\"content\":\"three\"}],"
                "\"rejected\":[{\"role\":\"assistant\",\"content\":\"two\"}]"
                "}\n"
                "{\"prompt\":[{\"role\":\"user\",\"content\":\"and?\"}],"
                "\"chosen\":[{\"role\":\"assistant\",\"content\":\"five\"}],"
                "\"rejected\":[{\"role\":\"assistant\",\"content\":\"four\"}]"
                "}\n");
    export_report_free(&r);
    free(dir);
}

static void edits_are_pairs(void **state)
{
    (void)state;
    struct export_report r;
    int64_t made_id = 0, again = 0;
    int64_t a = ADD("write it", SPLIT_TRAIN, "bad");
    assert_int_equal(verb_edit_answer(s, "ana", a, candidate_id(a, 0),
                                      "better", 0, &made_id, &e), DECIDED);
    assert_int_equal(verb_edit_answer(s, "ana", a, made_id, "best", 0,
                                      &again, &e), DECIDED);
    decide(a, STATUS_ACCEPTED, "ana", "");
    /* an edit of the prompt is no pair: the two answers answer two prompts */
    int64_t b = ADD("old words", SPLIT_TRAIN, "same");
    decide(b, STATUS_ACCEPTED, "ana", "");
    assert_int_equal(verb_edit_prompt(s, "ana", b, candidate_id(b, 0),
                                      "new words", 0, &made_id, &e), DECIDED);
    char *dir = export_all(&r);
    char *rows = slurp(dir, "dpo/train.jsonl");
    assert_int_equal(r.edit_pairs, 2);
    assert_non_null(strstr(rows, "best\"}],\"rejected\":[{\"role\":"
                                 "\"assistant\",\"content\":\"better\""));
    assert_non_null(strstr(rows, "better\"}],\"rejected\":[{\"role\":"
                                 "\"assistant\",\"content\":\"bad\""));
    assert_null(strstr(rows, "words"));
    free(rows);
    rows = slurp(dir, "sft/train.jsonl");
    assert_non_null(strstr(rows, "new words"));
    assert_null(strstr(rows, "old words"));
    free(rows);
    export_report_free(&r);
    free(dir);
}

/* An order that puts the edit below what it was made from has the last word;
 * one that agrees gives its pair once. */
static void orders_over_edits(void **state)
{
    (void)state;
    static const struct {
        const char *order;
        int64_t by_order, by_edit;
    } cases[] = {{"B A C", 2, 0}, {"A B C", 2, 0}, {"C B A", 2, 1},
                 {"C A B", 2, 0}, {"A=B C", 1, 0}};
    struct export_report r;
    struct export_since since;
    struct export_form f = form(NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t edit = 0;
        char q[40];
        snprintf(q, sizeof q, "write it %zu", i);
        int64_t a = ADD(q, SPLIT_TRAIN, "rough");
        assert_int_equal(verb_edit_answer(s, "ana", a, candidate_id(a, 0),
                                          "fine", 0, &edit, &e), DECIDED);
        struct act act;
        assert_ok(act_begin(s, &act, "arrive", "ana", "", 0, &e), e);
        struct candidate_new k = {.sample = a,
                                  .body = "{\"content\":\"other\"}"};
        assert_ok(sample_unindex(&act, a, &e), e);
        assert_true(candidate_add(&act, &k, &e) > 0);
        assert_ok(sample_index(&act, a, &e), e);
        assert_int_equal(act_commit(&act, &e), ACT_SAVED);
        put_order(a, cases[i].order);
        decide(a, STATUS_ACCEPTED, "ana", "");
        assert_ok(verb_export_preview(s, &f, &r, &since, &e), e);
        assert_int_equal(r.order_pairs, cases[i].by_order);
        assert_int_equal(r.edit_pairs, cases[i].by_edit);
        export_report_free(&r);
        decide(a, STATUS_DEFERRED, "ana", "");
    }
}

static void undone_edits_are_not(void **state)
{
    (void)state;
    struct export_report r;
    int64_t made_id = 0;
    int64_t a = ADD("write it", SPLIT_TRAIN, "good");
    decide(a, STATUS_ACCEPTED, "ana", "");
    assert_int_equal(verb_edit_answer(s, "ana", a, candidate_id(a, 0),
                                      "worse", 0, &made_id, &e), DECIDED);
    assert_int_equal(journal_reverse(s, store_seq(s), "ana", "undo", &e),
                     ACT_SAVED);
    char *dir = export_all(&r);
    assert_int_equal(export_rows(&r, SHAPE_DPO), 0);
    assert_file(dir, "sft/train.jsonl",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"write it\"},"
                "{\"role\":\"assistant\",\"content\":\"good\"}]}\n");
    export_report_free(&r);
    free(dir);
}

static void false_marks(void **state)
{
    (void)state;
    static const struct {
        const char *who, *reason;
        int rows;
    } cases[] = {{"ana", "wrong", 1},     {"ana", "off topic", 1},
                 {"ana", "format", 1},    {"ana", "style", 1},
                 {"ana", "unsafe", 1},    {"ana", "all bad", 2},
                 {"ana", "duplicate", 0}, {"ana", "", 0},
                 {"ana", "my own", 0},    {"check", "wrong", 0}};
    struct export_report r;
    int want = 0;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char q[40];
        snprintf(q, sizeof q, "question %zu?", i);
        decide(ADD(q, SPLIT_TRAIN, "no", "nor this"), STATUS_REJECTED,
               cases[i].who, cases[i].reason);
        want += cases[i].rows;
    }
    decide(ADD("right?", SPLIT_TRAIN, "yes"), STATUS_ACCEPTED, "ana", "");
    char *dir = export_all(&r);
    assert_int_equal(r.false_rows, want);
    char *rows = slurp(dir, "kto/train.jsonl");
    assert_int_equal(lines_with(rows, "\"label\":false}"), want);
    assert_int_equal(lines_with(rows, "\"label\":true}"), 1);
    assert_int_equal(lines_with(rows, "question 5?"), 2); /* all bad */
    free(rows);
    export_report_free(&r);
    free(dir);
}

/* An undo and a redo keep the reason; an answer written after the rejection
 * was not rejected. */
static void false_marks_through_undo(void **state)
{
    (void)state;
    struct export_report r;
    int64_t made_id = 0, a = ADD("why?", SPLIT_TRAIN, "no");
    decide(ADD("right?", SPLIT_TRAIN, "yes"), STATUS_ACCEPTED, "ana", "");
    decide(a, STATUS_REJECTED, "ana", "wrong");
    int64_t undone = store_seq(s);
    assert_int_equal(journal_reverse(s, undone, "ana", "undo", &e),
                     ACT_SAVED);
    assert_int_equal(journal_reverse(s, store_seq(s), "ana", "redo", &e),
                     ACT_SAVED);
    struct decision d;
    assert_true(status_decision(s, a, &d));
    assert_int_equal(d.seq, undone);
    assert_string_equal(d.reason, "wrong");
    assert_int_equal(verb_edit_answer(s, "ana", a, candidate_id(a, 0),
                                      "because", 0, &made_id, &e), DECIDED);
    char *dir = export_all(&r);
    char *rows = slurp(dir, "kto/train.jsonl");
    assert_int_equal(r.false_rows, 1);
    assert_non_null(strstr(rows, "\"no\"}],\"label\":false}"));
    assert_null(strstr(rows, "because"));
    free(rows);
    export_report_free(&r);
    free(dir);
}

/* Turns that are trained have rows of their own in sft_pc; others not. */
static void dialogues(void **state)
{
    (void)state;
    struct export_report r;
    struct act a;
    struct chat c = {0};
    chat_add(&c, ROLE_SYSTEM, "Be brief.");
    chat_add(&c, ROLE_USER, "First?");
    chat_add(&c, ROLE_ASSISTANT, "One.");
    chat_add(&c, ROLE_USER, "Then?");
    chat_add(&c, ROLE_ASSISTANT, "Two.")->masked = true;
    chat_add(&c, ROLE_USER, "Last?");
    assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
    struct sample_new n = {.target = target, .prompt = &c};
    int64_t id = sample_add(&a, &n, &e);
    char *body = answer_of("Three.");
    struct candidate_new k = {.sample = id, .body = body};
    assert_true(candidate_add(&a, &k, &e) > 0);
    assert_ok(sample_index(&a, id, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    free(body);
    chat_free(&c);
    decide(id, STATUS_ACCEPTED, "ana", "");
    char *dir = export_all(&r);
    char *rows = slurp(dir, "sft_pc/train.jsonl");
    assert_int_equal(lines_with(rows, "\n"), 2);
    assert_non_null(strstr(rows, "\"completion\":[{\"role\":\"assistant\","
                                 "\"content\":\"One.\"}]"));
    assert_null(strstr(rows, "\"completion\":[{\"role\":\"assistant\","
                             "\"content\":\"Two.\"}]"));
    assert_int_equal(r.found[ROW_MASKED].samples.n, 1); /* sft trains it */
    assert_int_equal(r.found[ROW_TURNS].samples.n, 0);
    free(rows);
    export_report_free(&r);
    free(dir);
}

/* ---- Refusals ----------------------------------------------------------- */

static void wrong_rows(void **state)
{
    (void)state;
    struct export_report r;
    struct export_since since;
    int64_t id, blank = ADD("empty?", SPLIT_TRAIN, " \n");
    decide(ADD("fine?", SPLIT_TRAIN, "yes"), STATUS_ACCEPTED, "ana", "");
    decide(blank, STATUS_ACCEPTED, "ana", "");
    int64_t same = ADD("same?", SPLIT_TRAIN, "a  b", "a b ");
    put_order(same, "A B"); /* which tie: no pair, and nothing wrong */
    decide(same, STATUS_ACCEPTED, "ana", "");
    char *dir = temp_path("out"), named[80];
    struct export_form f = form(dir);
    assert_false(verb_export(s, &f, &r, &since, &id, &e));
    assert_int_equal(e.code, ERR_REFUSED);
    snprintf(named, sizeof named, "wrong: %lld (empty);", (long long)blank);
    assert_non_null(strstr(e.text, named));
    assert_false(file_exists(dir));
    assert_int_equal(export_last(s, target, 0), 0);
    export_report_free(&r);

    assert_ok(verb_export_preview(s, &f, &r, &since, &e), e); /* never */
    assert_int_equal(r.found[ROW_EMPTY].samples.n, 1);
    assert_int_equal(r.wrong_rows, 3); /* sft, sft_pc, kto */
    assert_false(file_exists(dir));
    export_report_free(&r);

    f.leave_wrong = true;
    assert_ok(verb_export(s, &f, &r, &since, &id, &e), e);
    snprintf(named, sizeof named, "{\"sample\":%lld,\"candidate\":%lld,"
             "\"shape\":\"kto\",\"why\":\"empty\"}", (long long)blank,
             (long long)candidate_id(blank, 0));
    assert_non_null(strstr(r.lock, named));
    assert_int_equal(export_rows(&r, SHAPE_SFT), 2);
    assert_int_equal(export_rows(&r, SHAPE_DPO), 0);
    export_report_free(&r);
    free(dir);

    f.dir = dir = temp_path("out");
    f.leave_wrong = false;
    id_list leave = {0};
    VEC_PUSH(&leave, blank);
    VEC_PUSH(&leave, same);
    f.leave = &leave;
    assert_ok(verb_export(s, &f, &r, &since, &id, &e), e);
    assert_int_equal(lines_with(r.lock, "\"why\":\"asked\""), 6);
    assert_int_equal(export_rows(&r, SHAPE_SFT), 1);
    VEC_FREE(&leave);
    export_report_free(&r);
    free(dir);
}

static unsigned check_one(enum role last, const char *asked,
                          const char *answer, const char *worse)
{
    struct message m = {.role = last, .content = (char *)(uintptr_t)asked};
    struct message a = {.role = ROLE_ASSISTANT,
                        .content = (char *)(uintptr_t)answer};
    struct message b = {.role = ROLE_ASSISTANT,
                        .content = (char *)(uintptr_t)worse};
    struct export_row r = {.shape = SHAPE_SFT, .prompt = &m, .n_prompt = 1,
                           .answer = &a, .worse = worse ? &b : NULL};
    return row_check_all(&r, 10);
}

static void row_checks(void **state)
{
    (void)state;
    assert_int_equal(check_one(ROLE_USER, "q", "a", NULL), 0);
    assert_int_equal(check_one(ROLE_USER, "q", "", NULL), 1 << ROW_EMPTY);
    assert_int_equal(check_one(ROLE_USER, "q", "a", " "), 1 << ROW_EMPTY);
    assert_int_equal(check_one(ROLE_USER, "q", "a", "a "), 1 << ROW_SAME);
    assert_int_equal(check_one(ROLE_USER, "q", "a", "b"), 0);
    assert_int_equal(check_one(ROLE_ASSISTANT, "q", "a", NULL),
                     1 << ROW_PROMPT);
    assert_int_equal(check_one(ROLE_TOOL, "q", "a", NULL), 0);
    assert_int_equal(check_one(ROLE_USER, "q", "\xff", NULL),
                     1 << ROW_TEXT | 1 << ROW_HIDDEN);
    assert_int_equal(check_one(ROLE_USER, "q", "a\x1b", NULL),
                     1 << ROW_HIDDEN);
    assert_int_equal(check_one(ROLE_USER, "1 2 3 4 5 6", "7 8 9 10", NULL),
                     0);
    assert_int_equal(check_one(ROLE_USER, "1 2 3 4 5 6", "7 8 9 10 11",
                               NULL), 1 << ROW_LONG);
    struct export_row none = {.shape = SHAPE_SFT};
    assert_int_equal(row_check_all(&none, 0),
                     1 << ROW_PROMPT | 1 << ROW_EMPTY);
    assert_true(row_is_wrong(1 << ROW_SAME | 1 << ROW_LONG));
    assert_false(row_is_wrong(1 << ROW_LONG | 1 << ROW_NEAR));
}

static void near_across_splits(void **state)
{
    (void)state;
    struct export_report r;
    decide(ADD("Tom has 3 red apples and eats 1 of them", SPLIT_TRAIN, "2"),
           STATUS_ACCEPTED, "ana", "");
    int64_t held = ADD("tom has 3 red apples and eats 1 of them",
                       SPLIT_TEST, "2");
    decide(held, STATUS_ACCEPTED, "ana", "");
    decide(ADD("Nothing like it", SPLIT_VALID, "2"), STATUS_ACCEPTED, "ana",
           "");
    char *dir = export_all(&r);
    assert_int_equal(r.found[ROW_NEAR].samples.n, 1);
    assert_int_equal(r.found[ROW_NEAR].samples.at[0], held);
    assert_true(r.found[ROW_NEAR].low > .99);
    export_report_free(&r);
    free(dir);
}

/* What was looked for among a part of the prompts is counted on the card, once
 * a sample. */
static void approximate_near_is_said(void **state)
{
    (void)state;
    struct export_report r;
    struct act a;
    int64_t id = ADD("near?", SPLIT_TRAIN, "1", "2");
    struct check_result x = {.check = CHECK_NEAR, .figure = .4, .bound = .7,
                             .approximate = true};
    assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
    assert_ok(check_add(&a, id, 0, &x, &e), e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    put_order(id, "A B");
    decide(id, STATUS_ACCEPTED, "ana", "");
    decide(ADD("far?", SPLIT_TRAIN, "1"), STATUS_ACCEPTED, "ana", "");
    char *dir = export_all(&r);
    assert_int_equal(r.found[ROW_APPROXIMATE].samples.n, 1);
    assert_int_equal(r.found[ROW_APPROXIMATE].samples.at[0], id);
    char *card = slurp(dir, "README.md");
    assert_non_null(strstr(card, "| approximate | 1 | near was looked for"));
    free(card);
    export_report_free(&r);
    free(dir);
}

/* ---- The bundle --------------------------------------------------------- */

static void same_bytes(void **state)
{
    (void)state;
    struct export_report a, b;
    for (int i = 0; i < 40; i++) {
        char q[60];
        snprintf(q, sizeof q, "how much is %d and %d?", i, i * 7);
        int64_t id = ADD(q, (enum split)(i % 3), "right", "left");
        put_order(id, i % 2 ? "A B" : "B A");
        decide(id, i % 5 ? STATUS_ACCEPTED : STATUS_REJECTED, "ana",
               i % 5 ? "" : "wrong");
    }
    char *first = export_all(&a), *second = export_all(&b);
    assert_int_equal(a.files.n, 28); /* 4 shapes of 3 splits, each for
                                         LLaMA-Factory too; 4 texts */
    assert_int_equal(a.files.n, b.files.n);
    for (size_t i = 0; i < a.files.n; i++) {
        const struct export_file *f = &a.files.at[i];
        assert_string_equal(f->path, b.files.at[i].path);
        assert_memory_equal(f->sha, b.files.at[i].sha, SHA_SIZE);
        char *text = slurp(second, f->path);
        uint8_t sha[SHA_SIZE];
        sha_of(text, strlen(text), sha);
        assert_memory_equal(f->sha, sha, SHA_SIZE);
        assert_int_equal(f->bytes, strlen(text));
        free(text);
    }
    struct fsck_counts n;
    assert_ok(store_fsck(s, NULL, NULL, &n, &e), e);
    assert_int_equal(n.findings, 0);
    export_report_free(&a);
    export_report_free(&b);
    free(first);
    free(second);
}

static void since_the_last(void **state)
{
    (void)state;
    struct export_report r;
    struct export_since since;
    int64_t ids_[3], made_id;
    for (int i = 0; i < 3; i++) {
        char q[40];
        snprintf(q, sizeof q, "number %d?", i);
        ids_[i] = ADD(q, SPLIT_TRAIN, "one");
        decide(ids_[i], STATUS_ACCEPTED, "ana", "");
    }
    free(export_all(&r));
    export_report_free(&r);
    struct export_form f = form(NULL);
    f.shapes[SHAPE_SFT_PC] = f.shapes[SHAPE_KTO] = false;
    assert_ok(verb_export_preview(s, &f, &r, &since, &e), e);
    assert_int_equal(since.fresh + since.gone + since.changed, 0);
    export_report_free(&r);

    struct act act; /* the same row in another split has changed */
    assert_ok(act_begin(s, &act, "split", "ana", "", 0, &e), e);
    assert_ok(act_change(&act, OBJECT_SAMPLE, ids_[2], FIELD_SPLIT,
                         SPLIT_TEST, &e), e);
    assert_int_equal(act_commit(&act, &e), ACT_SAVED);
    decide(ids_[0], STATUS_REJECTED, "ana", "duplicate");
    assert_int_equal(verb_edit_answer(s, "ana", ids_[1],
                                      candidate_id(ids_[1], 0), "two",
                                      0, &made_id, &e), DECIDED);
    decide(ADD("more?", SPLIT_TRAIN, "yes"), STATUS_ACCEPTED, "ana", "");
    assert_ok(verb_export_preview(s, &f, &r, &since, &e), e);
    assert_int_equal(since.id, 1);
    assert_int_equal(since.gone, 1);
    assert_int_equal(since.changed, 2);
    assert_int_equal(since.fresh, 2); /* the new one, and the edit's pair */
    export_report_free(&r);
}

static void what_may_be_replaced(void **state)
{
    (void)state;
    struct export_report r;
    struct export_since since;
    int64_t id;
    decide(ADD("1 + 1?", SPLIT_TRAIN, "2"), STATUS_ACCEPTED, "ana", "");
    char *dir = export_all(&r);
    export_report_free(&r);
    struct export_form f = form(dir);
    assert_false(verb_export(s, &f, &r, &since, &id, &e));
    assert_non_null(strstr(e.text, "earlier bundle"));
    export_report_free(&r);
    decide(ADD("1 + 2?", SPLIT_TRAIN, "3"), STATUS_ACCEPTED, "ana", "");
    f.replace = true;
    assert_ok(verb_export(s, &f, &r, &since, &id, &e), e);
    export_report_free(&r);
    char *text = slurp(dir, "sft/train.jsonl");
    assert_int_equal(lines_with(text, "\n"), 2);
    free(text);

    char *mine = path_join(dir, "sft/notes.txt");
    assert_ok(file_replace(mine, "x", 1, 0600, false, &e), e);
    assert_false(verb_export(s, &f, &r, &since, &id, &e));
    assert_non_null(strstr(e.text, "holds sft/notes.txt"));
    assert_true(file_exists(mine));
    export_report_free(&r);
    free(mine);
    free(dir);

    dir = temp_path("plain");
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_ok(folder_check(dir, false, &e), e); /* empty: may be */
    mine = path_join(dir, "x");
    assert_ok(file_replace(mine, "x", 1, 0600, false, &e), e);
    assert_false(folder_check(dir, true, &e));
    assert_non_null(strstr(e.text, "no bundle of ours"));
    free(mine);
    free(dir);
}

static bool stop_now(void)
{
    return true;
}

static void stopping_leaves_nothing(void **state)
{
    (void)state;
    struct export_report r;
    struct export_since since;
    int64_t id;
    decide(ADD("1 + 1?", SPLIT_TRAIN, "2"), STATUS_ACCEPTED, "ana", "");
    char *dir = temp_path("out"), *temp = xasprintf("%s.tmp-%ld", dir,
                                                    (long)getpid());
    struct export_form f = form(dir);
    f.stop = stop_now;
    assert_false(verb_export(s, &f, &r, &since, &id, &e));
    assert_int_equal(e.code, ERR_CANCEL);
    assert_false(file_exists(dir));
    assert_false(file_exists(temp));
    export_report_free(&r);
    f.stop = NULL;
    f.filter = "tag:none";
    assert_false(verb_export(s, &f, &r, &since, &id, &e));
    assert_non_null(strstr(e.text, "nothing to export"));
    assert_false(file_exists(temp));
    export_report_free(&r);
    free(temp);
    free(dir);
}

static char *came; /* a file that comes while rows are written */

static bool let_it_come(void)
{
    char *dir = path_dir(came);
    assert_ok(dir_make(dir, 0700, &e) &&
              file_replace(came, "x", 1, 0600, false, &e), e);
    free(dir);
    return false;
}

static void what_came_meanwhile_stays(void **state)
{
    (void)state;
    struct export_report r;
    struct export_since since;
    int64_t id;
    decide(ADD("1 + 1?", SPLIT_TRAIN, "2"), STATUS_ACCEPTED, "ana", "");
    char *dir = temp_path("out");
    struct export_form f = form(dir);
    came = path_join(dir, "notes.txt");
    f.stop = let_it_come;
    assert_false(verb_export(s, &f, &r, &since, &id, &e));
    assert_non_null(strstr(e.text, "no bundle of ours"));
    assert_true(file_exists(came));
    assert_int_equal(id, 0);
    export_report_free(&r);
    free(came);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepted_answers),
        TEST(splits_stay_apart),
        TEST(pairs_of_an_order),
        TEST(orders_outlive_answers),
        TEST(edits_are_pairs),
        TEST(orders_over_edits),
        TEST(undone_edits_are_not),
        TEST(false_marks),
        TEST(false_marks_through_undo),
        TEST(dialogues),
        TEST(wrong_rows),
        cmocka_unit_test(row_checks),
        TEST(near_across_splits),
        TEST(approximate_near_is_said),
        TEST(same_bytes),
        TEST(since_the_last),
        TEST(what_may_be_replaced),
        TEST(stopping_leaves_nothing),
        TEST(what_came_meanwhile_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
