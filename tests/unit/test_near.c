/* The index of prompts in a file with what came since in memory: held against
 * all pairs, and damaged. */
#include "unit/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"
#include "verbs/near.h"
#include "verbs/near_file.h"

enum { DOCS = 900, OLD = 600, LONGEST = 900 };

static char texts[DOCS][LONGEST];
static uint64_t kept[DOCS / 64 + 1];
static char path[] = "near-7";

/* Seeds are the first fifty, then come samples with holes in their ids. */
static int64_t key_of(int i)
{
    return i < 50 ? -(i + 1) : 3 * (int64_t)i;
}

static bool is_kept(int i)
{
    return i >= OLD || kept[i / 64] >> (i % 64) & 1;
}

/* Words alone, words around others, one word very often, nothing; some the
 * same as an earlier one. */
static void make_text(struct rng *r, int i, char *out)
{
    int a = (int)rng_below(r, 6), b = (int)rng_below(r, 40);
    switch (rng_below(r, 7)) {
    case 0:
        snprintf(out, LONGEST, "tell me of the w%d and of number %d", a, b);
        return;
    case 1: snprintf(out, LONGEST, "w%d w%d", a, b); return;
    case 2: snprintf(out, LONGEST, "%s", b ? "" : "..."); return;
    case 3:
        if (i > 0)
            memcpy(out, texts[rng_below(r, (uint64_t)i)], LONGEST);
        return;
    case 4:
        *out = '\0';
        for (uint64_t k = 10 + rng_below(r, 30); k; k--)
            strcat(out, rng_below(r, 5) ? "again " : "w3 ");
        return;
    default: break;
    }
    for (uint64_t k = 1 + rng_below(r, rng_below(r, 9) ? 12 : 120); k; k--)
        out += sprintf(out, "w%d ", (int)rng_below(r, 60));
}

static struct near_cover a_cover(void)
{
    return (struct near_cover){.store = "s", .target = 7, .seq = 3};
}

/* Writes the first n texts. */
static void write_file(int n)
{
    struct err e = {0};
    struct near_cover c = a_cover();
    struct near_writer *w = near_write_begin(path, &e);
    assert_non_null(w);
    for (int i = 0; i < n; i++)
        near_write(w, key_of(i), texts[i]);
    assert_ok(near_write_end(&w, &c, &e), e);
}

static void make_texts(uint64_t seed)
{
    struct rng r;
    rng_seed(&r, seed);
    for (int i = 0; i < DOCS; i++)
        make_text(&r, i, texts[i]);
    for (size_t i = 0; i < COUNT(kept); i++)
        kept[i] = rng_next(&r) | rng_next(&r);
}

static struct near_index *index_over(struct near_file *f)
{
    struct near_index *x = near_new(near_file_below(f));
    for (int i = OLD; i < DOCS; i++)
        near_add(x, key_of(i), texts[i]);
    return x;
}

/* The first of the nearest, from all pairs. */
static struct near_hit slowly(const char *text, double floor)
{
    struct near_hit best = {0};
    for (int i = 0; i < DOCS; i++) {
        double f = is_kept(i) ? rouge_l_text(text, texts[i]) : 0;
        if (f > best.f && f >= floor)
            best = (struct near_hit){.f = f, .key = key_of(i)};
    }
    return best;
}

static void a_file_and_more_are_exact(void **state)
{
    (void)state;
    struct rng r;
    char text[LONGEST];
    make_texts(5);
    write_file(OLD);
    struct near_file *f = near_file_open(path);
    assert_non_null(f);
    assert_int_equal(near_file_cover(f)->target, 7);
    for (int i = 0; i < OLD; i++) {
        size_t number;
        assert_true(near_file_find(f, key_of(i), &number));
        assert_int_equal(number, i);
        assert_false(near_file_find(f, key_of(i) + 1, &number) && i > 50);
    }
    near_file_keep(f, kept);
    struct near_index *x = index_over(f);
    rng_seed(&r, 6);
    for (int q = 0; q < 700; q++) {
        double floor = q % 3 ? (double)rng_below(&r, 101) / 100 : 0;
        make_text(&r, DOCS, text);
        struct near_hit want = slowly(text, floor);
        struct near_hit hit = near_find_from(x, text, NEAR_EXACT, floor);
        assert_true(hit.f == want.f);
        assert_int_equal(hit.key, want.key);
        assert_false(hit.approximate);
    }
    assert_false(near_failed(x));
    near_free(&x);
    near_file_close(&f);
}

/* Read from a file or from memory, a search does the same work. */
static void a_file_costs_no_more(void **state)
{
    (void)state;
    struct near_effort cost[2];
    for (int k = 0; k < 2; k++) {
        struct near_file *f = k ? near_file_open(path) : NULL;
        struct near_index *x = near_new(f ? near_file_below(f) : NULL);
        for (int i = k ? OLD : 0; i < DOCS; i++)
            near_add(x, key_of(i), texts[i]);
        for (int i = 0; i < DOCS; i++)
            near_find(x, texts[i], NEAR_EXACT);
        cost[k] = near_effort(x);
        near_free(&x);
        near_file_close(&f);
    }
    assert_int_equal(cost[0].read, cost[1].read);
    assert_int_equal(cost[0].compared, cost[1].compared);
}

/* Past the limit a figure is never too high, says what it is, and what is the
 * same is still found. */
static void many_are_approximate(void **state)
{
    (void)state;
    struct near_file *f = near_file_open(path);
    near_file_keep(f, kept);
    struct near_index *x = index_over(f);
    for (int i = OLD; i < DOCS; i++) {
        struct near_hit hit = near_find(x, texts[i], DOCS / 2);
        assert_true(hit.approximate);
        assert_true(hit.f <= slowly(texts[i], 0).f);
    }
    size_t live = near_file_below(f)->live + DOCS - OLD;
    assert_false(near_find(x, texts[0], live).approximate);
    assert_true(near_find(x, texts[0], live - 1).approximate);
    near_free(&x);
    near_file_close(&f);
}

/* What is damaged is refused when it is opened, or found when it is read:
 * never another result. */
static void check_damaged(const char *why, size_t at)
{
    struct near_file *f = near_file_open(path);
    if (!f)
        return;
    near_file_keep(f, kept);
    struct near_index *x = index_over(f);
    for (int i = 0; i < DOCS && !near_failed(x); i += 5) {
        struct near_hit hit = near_find(x, texts[i], NEAR_EXACT);
        struct near_hit want = slowly(texts[i], 0);
        if (near_failed(x))
            break;
        if (hit.f != want.f || hit.key != want.key)
            fail_msg("%s at %zu: text %d has another neighbour", why, at, i);
    }
    near_free(&x);
    near_file_close(&f);
}

static void damage_is_seen(void **state)
{
    (void)state;
    struct err e = {0};
    struct buf all = BUF_INIT(0);
    struct rng r;
    size_t opened = 0;
    assert_ok(file_read(path, 1 << 24, &all, &e), e);
    rng_seed(&r, 8);
    for (int k = 0; k < 60; k++) {
        size_t at = all.len * (size_t)k / 60 + rng_below(&r, all.len / 60);
        char bit = (char)(1 << rng_below(&r, 8));
        all.data[at] ^= bit;
        assert_ok(file_replace(path, all.data, all.len, 0600, false, &e), e);
        check_damaged("a bit", at);
        all.data[at] ^= bit;
    }
    for (size_t n = 0; n < all.len; n += 1 + all.len / 40) {
        assert_ok(file_replace(path, all.data, n, 0600, false, &e), e);
        struct near_file *f = near_file_open(path);
        opened += f != NULL;
        near_file_close(&f);
    }
    assert_int_equal(opened, 0);
    buf_free(&all);
}

/* Nothing is left of one that was given up, and an earlier one stays. */
static void nothing_is_left(void **state)
{
    (void)state;
    struct err e = {0};
    struct stat before, after;
    write_file(OLD);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(before.st_mode & 0777, 0600);
    struct near_writer *w = near_write_begin(path, &e);
    near_write(w, -1, "a b c");
    assert_false(near_write_end(&w, NULL, &e));
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    char *aside = xasprintf("%s.%ld", path, (long)getpid());
    assert_false(file_exists(aside));
    free(aside);
    write_file(0);
    struct near_file *f = near_file_open(path);
    assert_non_null(f);
    struct near_index *x = near_new(near_file_below(f));
    assert_int_equal(near_find(x, "a b", NEAR_EXACT).key, 0);
    near_free(&x);
    near_file_close(&f);
    unlink(path);
}

/* ---- Over a store ------------------------------------------------------- */

static struct store *s;
static struct err e;
static int64_t target;

static int64_t add_sample(struct act *a, const char *text)
{
    struct chat c = {0};
    chat_add(&c, ROLE_USER, text);
    struct sample_new n = {.target = target, .prompt = &c};
    int64_t id = sample_add(a, &n, &e);
    assert_ok(id && sample_index(a, id, &e), e);
    chat_free(&c);
    return id;
}

static void begin(struct act *a, const char *kind)
{
    assert_ok(act_begin(s, a, kind, "ana", "", 0, &e), e);
}

static void end(struct act *a)
{
    assert_int_equal(act_commit(a, &e), ACT_SAVED);
}

static void change(int64_t id, enum field f, int64_t to)
{
    struct act a;
    begin(&a, "edit");
    assert_ok(act_change(&a, OBJECT_SAMPLE, id, f, to, &e), e);
    end(&a);
}

static void give_prompt(int64_t id, const char *text)
{
    struct chat c = {0};
    struct buf b = BUF_INIT(0);
    struct act a;
    chat_add(&c, ROLE_USER, text);
    chat_print(&c, &b);
    begin(&a, "edit");
    int64_t body = text_puts(s, buf_str(&b), &e);
    assert_ok(act_change(&a, OBJECT_SAMPLE, id, FIELD_PROMPT, body, &e), e);
    end(&a);
    buf_free(&b);
    chat_free(&c);
}

/* The samples up to `last` as a file beside the store. */
static void keep_file(int64_t last)
{
    char *at = store_work_dir(s, "near-", target);
    struct near_cover c = {.target = target, .sample = last,
                           .seq = store_seq(s)};
    snprintf(c.store, sizeof c.store, "%s", store_id(s));
    assert_true(journal_hash(s, c.seq, c.hash));
    struct near_writer *w = near_write_begin(at, &e);
    assert_non_null(w);
    for (int64_t id = 1; id <= last; id++) {
        struct sample x;
        assert_ok(sample_get(s, id, &x, &e), e);
        char *text = prompt_text(x.prompt);
        near_write(w, id, text);
        free(text);
        sample_free(&x);
    }
    assert_ok(near_write_end(&w, &c, &e), e);
    free(at);
}

/* Whose prompt is nearest, as a job finds it that starts now. */
static int64_t nearest(const char *text)
{
    struct near_prompts *n = near_prompts_new(s, target, 99);
    assert_ok(near_prompts_refresh(n, &e), e);
    struct near_hit hit = near_prompts_find(n, text);
    near_prompts_free(&n);
    return hit.key;
}

static bool has_file(void)
{
    char *at = store_work_dir(s, "near-", target);
    bool there = file_exists(at);
    free(at);
    return there;
}

static void what_became_of_prompts(void **state)
{
    (void)state;
    struct act a;
    char *at = path_join(getenv("HOME"), "near.db");
    assert_ok(store_create(at, &s, &e), e);
    assert_ok(dir_make(store_runs_dir(s), 0700, &e), e);
    begin(&a, "import");
    target = target_add(&a, "t", "{}", &e);
    add_sample(&a, "one green apple lies here");
    add_sample(&a, "two red pears hang there");
    add_sample(&a, "three blue plums fell down");
    end(&a);
    change(3, FIELD_STATUS, STATUS_REJECTED);
    keep_file(3);
    assert_int_equal(nearest("two red pears hang"), 2);
    assert_int_equal(nearest("three blue plums fell"), 0); /* rejected */
    change(3, FIELD_STATUS, STATUS_PENDING);
    assert_int_equal(nearest("three blue plums fell"), 3);
    give_prompt(2, "eleven old nuts crack open");
    assert_int_equal(nearest("two red pears hang"), 0);
    assert_int_equal(nearest("eleven old nuts"), 2);
    change(1, FIELD_LIVE, 0);
    assert_int_equal(nearest("one green apple"), 0);
    change(1, FIELD_LIVE, 1);
    assert_int_equal(nearest("one green apple"), 1);
    begin(&a, "import");
    add_sample(&a, "four black figs dry slowly");
    end(&a);
    assert_int_equal(nearest("four black figs"), 4);
    assert_true(has_file());
    keep_file(4);
    begin(&a, "purge");
    add_sample(&a, "five white dates");
    end(&a);
    assert_int_equal(nearest("four black figs"), 4);
    assert_false(has_file()); /* it told of words that were purged */
    store_close(&s);
    free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_and_more_are_exact),
        cmocka_unit_test(a_file_costs_no_more),
        cmocka_unit_test(many_are_approximate),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(what_became_of_prompts),
    };
    return chdir(getenv("HOME"))
               ? 99
               : cmocka_run_group_tests(tests, NULL, NULL);
}
