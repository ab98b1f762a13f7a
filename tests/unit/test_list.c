/* A list that is a window over many rows is held against all of them. */
#include "unit/test.h"

#include <stdint.h>

#include "app/list.h"
#include "base/rng.h"

#define MANY 20000
#define WINDOW 1300 /* rows that a list may hold, however many there are */

/* What a query would name: ids 3, 6, 9 ... of which some are gone. */
struct rows_there {
    bool gone[MANY];
    size_t asked; /* rows that were read */
    bool left;    /* counting is left with Esc */
};

static int64_t id_of(size_t i) { return 3 * ((int64_t)i + 1); }

static int64_t count(void *ctx)
{
    const struct rows_there *x = ctx;
    int64_t n = 0;
    for (size_t i = 0; i < MANY; i++)
        n += !x->gone[i];
    return x->left ? -1 : n;
}

static int64_t rank(void *ctx, int64_t id)
{
    const struct rows_there *x = ctx;
    int64_t n = 0;
    for (size_t i = 0; i < MANY && id_of(i) < id; i++)
        n += !x->gone[i];
    return n;
}

static int64_t at(void *ctx, size_t row)
{
    const struct rows_there *x = ctx;
    for (size_t i = 0; i < MANY; i++)
        if (!x->gone[i] && !row--)
            return id_of(i);
    return 0;
}

static bool after(void *ctx, int64_t id, size_t n, ids *out)
{
    struct rows_there *x = ctx;
    for (size_t i = id < 3 ? 0 : (size_t)(id / 3); i < MANY && n; i++)
        if (!x->gone[i] && id_of(i) > id) {
            VEC_PUSH(out, id_of(i));
            x->asked++;
            n--;
        }
    return true;
}

static bool before(void *ctx, int64_t id, size_t n, ids *out)
{
    struct rows_there *x = ctx;
    for (size_t i = MANY; i > 0 && n; i--)
        if (!x->gone[i - 1] && id_of(i - 1) < id) {
            VEC_PUSH(out, id_of(i - 1));
            x->asked++;
            n--;
        }
    return true;
}

static const struct list_source source = {count, rank, at, after, before};

/* What the list should show: the rows that are there, and those kept. */
struct model {
    struct rows_there there;
    bool kept[MANY];
    ids all;
};

static void shown(struct model *m)
{
    m->all.n = 0;
    for (size_t i = 0; i < MANY; i++)
        if (!m->there.gone[i] || m->kept[i])
            VEC_PUSH(&m->all, id_of(i));
}

/* The list is the model's, as far as its window goes. */
static void same(const struct list *l, const struct model *m)
{
    assert_int_equal(l->total, m->all.n);
    assert_true(l->rows.n <= WINDOW + l->kept.n);
    assert_true(!m->all.n || list_id(l) == m->all.at[l->cursor]);
    for (size_t i = 0; i < l->rows.n; i++)
        assert_int_equal(l->rows.at[i], m->all.at[l->from + i]);
}

static void decide(struct list *l, struct model *m)
{
    int64_t id = list_id(l);
    size_t i = (size_t)(id / 3 - 1);
    if (!id)
        return;
    m->there.gone[i] = true;
    m->kept[i] = true;
    list_keep(l, id, true);
}

static void undo(struct list *l, struct model *m, size_t i)
{
    if (!m->kept[i])
        return;
    m->there.gone[i] = m->kept[i] = false;
    list_keep(l, id_of(i), false);
    assert_true(list_go(l, id_of(i)));
}

static void every_row_can_be_reached(void **state)
{
    (void)state;
    static struct model m;
    struct list l = {0};
    struct rng r;
    rng_seed(&r, 11);
    list_open(&l, &source, &m.there);
    shown(&m);
    same(&l, &m);
    for (int step = 0; step < 4000; step++) {
        size_t any = (size_t)rng_below(&r, MANY);
        switch (rng_below(&r, 9)) {
        case 0: list_go_row(&l, any); break;
        case 1: list_go_row(&l, SIZE_MAX); break;
        case 2: list_go_row(&l, 0); break;
        case 3: list_move(&l, (long)rng_below(&r, 120) - 60); break;
        case 4:
            assert_int_equal(list_go(&l, id_of(any)),
                             !m.there.gone[any] || m.kept[any]);
            break;
        case 5: undo(&l, &m, any); break;
        case 6:
            m.there.gone[any] = m.there.gone[any] || !m.kept[any];
            list_refresh(&l);
            break;
        default: decide(&l, &m); list_move(&l, 1); break;
        }
        shown(&m);
        if (l.total == m.all.n) /* else rows went that it was not told of */
            same(&l, &m);
        list_refresh(&l);
        same(&l, &m);
    }
    list_free(&l);
    VEC_FREE(&m.all);
}

/* Walking to the end asks for each row about once, a page for a page. */
static void a_walk_reads_what_it_shows(void **state)
{
    (void)state;
    static struct rows_there x;
    struct list l = {0};
    x = (struct rows_there){0};
    list_open(&l, &source, &x);
    x.asked = 0;
    while (list_move(&l, 1))
        ;
    assert_int_equal(l.cursor, MANY - 1);
    assert_true(x.asked < MANY + MANY / 10);
    x.asked = 0;
    while (list_move(&l, -20))
        ;
    assert_int_equal(list_id(&l), 3);
    assert_true(x.asked < MANY + MANY / 10);
    x.asked = 0;
    list_go_row(&l, MANY / 2);
    list_go_row(&l, MANY);
    list_go_row(&l, 0);
    assert_true(x.asked < 3 * WINDOW);
    list_free(&l);
}

static void a_selection_says_the_true_count(void **state)
{
    (void)state;
    static struct model m;
    struct list l = {0};
    ids got = {0};
    list_open(&l, &source, &m.there);
    list_go_row(&l, 40);
    list_mark(&l, list_id(&l), true);
    l.anchor = list_id(&l);
    list_go_row(&l, 4040); /* out of the window and back */
    list_mark_range(&l);
    assert_int_equal(list_selected_count(&l), 4001);
    assert_true(list_selected_ids(&l, &got));
    assert_int_equal(got.n, 4001);
    assert_int_equal(got.at[4000], id_of(4040));
    list_mark_none(&l);
    l.everything = true;
    list_mark(&l, id_of(7), false);
    list_go_row(&l, 100);
    decide(&l, &m); /* what was decided is in the filter no more */
    list_refresh(&l);
    assert_false(list_selected(&l, id_of(100)));
    assert_int_equal(list_selected_count(&l), MANY - 2);
    got.n = 0;
    assert_true(list_selected_ids(&l, &got));
    assert_int_equal(got.n, MANY - 2);
    VEC_FREE(&got);
    list_free(&l);
}

/* Where nobody knows how many rows there are, the cursor is on one still, and
 * they are counted when that is asked for. */
static void uncounted_rows_have_an_end(void **state)
{
    (void)state;
    static struct rows_there x;
    for (size_t n = 1; n <= 1025; n += 256) { /* 1, 257, 513 ... */
        struct list l = {0};
        x = (struct rows_there){.left = true};
        for (size_t i = n; i < MANY; i++)
            x.gone[i] = true;
        list_open(&l, &source, &x);
        assert_true(l.uncounted || l.total == n);
        list_go_row(&l, 12000);
        assert_true(list_id(&l) > 0);
        list_move(&l, 5000);
        assert_true(list_id(&l) > 0);
        x.left = false;
        list_go_row(&l, SIZE_MAX);
        assert_int_equal(list_id(&l), id_of(n - 1));
        assert_int_equal(l.total, n);
        assert_int_equal(l.cursor, n - 1);
        list_free(&l);
    }
}

/* Rows that went without a word never leave the cursor on nothing. */
static void rows_that_went_leave_no_hole(void **state)
{
    (void)state;
    static struct rows_there x;
    struct list l = {0};
    x = (struct rows_there){0};
    list_open(&l, &source, &x);
    list_go_row(&l, 10000);
    for (size_t i = 0; i < 9000; i++)
        x.gone[i] = true;
    while (list_move(&l, -50))
        assert_true(list_id(&l) > 0);
    assert_int_equal(list_id(&l), id_of(9000));
    assert_int_equal(l.cursor, 0);
    list_go_row(&l, 5000);
    for (size_t i = 9000; i < MANY; i++)
        x.gone[i] = i != 9500;
    list_go_row(&l, 8000);
    assert_int_equal(list_id(&l), id_of(9500));
    list_free(&l);
}

static void what_left_counts_once(void **state)
{
    (void)state;
    static struct rows_there x;
    struct list l = {0};
    x = (struct rows_there){0};
    for (size_t i = 2; i < MANY; i++)
        x.gone[i] = true;
    list_open(&l, &source, &x);
    l.everything = true;
    list_mark(&l, id_of(0), false);
    x.gone[0] = true;
    list_keep(&l, id_of(0), true);
    list_refresh(&l);
    assert_int_equal(list_selected_count(&l), 1);
    list_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_can_be_reached),
        cmocka_unit_test(a_walk_reads_what_it_shows),
        cmocka_unit_test(a_selection_says_the_true_count),
        cmocka_unit_test(uncounted_rows_have_an_end),
        cmocka_unit_test(rows_that_went_leave_no_hole),
        cmocka_unit_test(what_left_counts_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
