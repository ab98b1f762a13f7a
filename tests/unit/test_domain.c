#include "unit/test.h"

#include <math.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/uni.h"
#include "domain/check.h"
#include "domain/diff.h"
#include "domain/filter.h"
#include "domain/order.h"
#include "domain/rouge.h"
#include "domain/status.h"
#include "domain/thought.h"
#include "domain/twins.h"

/* A tree as text, so that its shape can be compared. */
static void show(const struct filter *f, int id, struct buf *b)
{
    const struct filter_node *n = &f->nodes[id];
    static const char *const ops[] = {":", "<", "<=", ">", ">="};
    switch (n->kind) {
    case FILTER_ALL: buf_puts(b, "all"); break;
    case FILTER_AND:
    case FILTER_OR:
        buf_puts(b, n->kind == FILTER_AND ? "(and " : "(or ");
        show(f, n->left, b);
        buf_putc(b, ' ');
        show(f, n->right, b);
        buf_putc(b, ')');
        break;
    case FILTER_NOT:
        buf_puts(b, "(not ");
        show(f, n->left, b);
        buf_putc(b, ')');
        break;
    case FILTER_TEXT: buf_printf(b, "'%s'", n->values[0]); break;
    case FILTER_TERM:
        buf_printf(b, "%s%s", filter_info(n->field)->name, ops[n->op]);
        if (filter_info(n->field)->kind == FILTER_NUMBER)
            buf_printf(b, "%g", n->number);
        for (size_t i = 0; i < n->n_values; i++)
            buf_printf(b, "%s%s", i ? "|" : "", n->values[i]);
        break;
    }
}

static void filters_are_read(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "all"},
        {"status:pending near>.80", "(and status:pending near>0.8)"},
        {"-tag:math half", "(and (not tag:math) 'half')"},
        {"not who:ana or reason:\"off topic\" and judge<=2,5",
         "(or (not who:ana) (and reason:off topic judge<=2.5))"},
        {"(split:train or split:valid) \"two words\"",
         "(and (or split:train split:valid) 'two words')"},
        {"status:pending,deferred", "status:pending|deferred"},
        {"orange", "'orange'"},
        {"edited:yes id>=7", "(and edited:yes id>=7)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct filter f;
        struct err e = {0};
        struct buf b = BUF_INIT(0);
        assert_ok(filter_parse(cases[i][0], &f, &e), e);
        show(&f, f.root, &b);
        assert_string_equal(buf_str(&b), cases[i][1]);
        buf_free(&b);
        filter_free(&f);
    }
}

static void wrong_filters_say_where(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"é stat:pending", "column 3: no field is named \"stat\""},
        {"status:maybe", "column 8: status is one of pending, accepted"},
        {"near>high", "column 6: a number was expected"},
        {"(tag:a", "column 7: a closing bracket was expected"},
        {"tag:a)", "column 6: a bracket was closed"},
        {"tag:", "column 5: a value was expected"},
        {"tag>3", "column 4: only figures are compared"},
        {"\"open", "column 1: a closing \" was expected"},
        {"tag:a or", "column 9: a field, a word or a bracket"},
        {"((((((((((((((((((((((((((((((((((((((a", "too many brackets"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct filter f;
        struct err e = {0};
        assert_false(filter_parse(cases[i][0], &f, &e));
        if (!strstr(e.text, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], e.text);
    }
}

static void filters_survive_noise(void **state)
{
    (void)state;
    static const char alphabet[] = "status:near>.5 ()-\"or nottag,=<é";
    struct rng r;
    rng_seed(&r, 1);
    for (int i = 0; i < 20000; i++) {
        char s[48];
        size_t n = rng_below(&r, sizeof s - 1);
        for (size_t k = 0; k < n; k++)
            s[k] = alphabet[rng_below(&r, sizeof alphabet - 1)];
        s[n] = 0;
        struct filter f;
        struct err e = {0};
        if (filter_parse(s, &f, &e))
            filter_free(&f);
        else
            assert_true(e.text[0]);
    }
}

/* The plain recurrence, to hold the bit-parallel one against. */
static size_t slow_lcs(const uint64_t *a, size_t n, const uint64_t *b,
                       size_t m)
{
    size_t *row = calloc(m + 1, sizeof *row);
    for (size_t i = 0; i < n; i++) {
        size_t diag = 0;
        for (size_t j = 0; j < m; j++) {
            size_t up = row[j + 1];
            row[j + 1] = a[i] == b[j] ? diag + 1
                         : up > row[j] ? up
                                       : row[j];
            diag = up;
        }
    }
    size_t len = row[m];
    free(row);
    return len;
}

static void rouge_is_the_lcs(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 3);
    for (int i = 0; i < 2000; i++) {
        uint64_t a[200], b[200];
        size_t n = 1 + rng_below(&r, 199), m = 1 + rng_below(&r, 199);
        uint64_t words = 2 + rng_below(&r, 40);
        for (size_t k = 0; k < n; k++)
            a[k] = rng_below(&r, words);
        for (size_t k = 0; k < m; k++)
            b[k] = rng_below(&r, words);
        double want = 2.0 * (double)slow_lcs(a, n, b, m) / (double)(n + m);
        assert_true(rouge_l(a, n, b, m) == want);
    }
    double f = rouge_l_text("Maria buys 4 boxes of 6 eggs",
                            "MARIA buys 3 boxes of 12 eggs!");
    assert_true(f > 0.714 && f < 0.7143); /* 5 of 7 */
    assert_true(rouge_l_text("", "a") == 0);
}

/* A prompt of one of a few kinds: words alone, or a fixed sentence around
 * words and numbers, so that many tie. */
static void make_prompt(struct rng *r, char *out)
{
    int a = (int)rng_below(r, 6), b = (int)rng_below(r, 6);
    int c = (int)rng_below(r, 40);
    switch (rng_below(r, 4)) {
    case 0:
        sprintf(out, "tell me about the w%d and the w%d number %d", a, b, c);
        return;
    case 1:
        sprintf(out, "w%d how much is w%d and w%d please say it in one short "
                "sentence", a, b, c);
        return;
    case 2: sprintf(out, "w%d w%d w%d", a, b, c); return;
    default: break;
    }
    for (uint64_t k = 1 + rng_below(r, rng_below(r, 9) ? 12 : 90); k; k--)
        out += sprintf(out, "w%d ", (int)rng_below(r, 60));
}

static void nearest_is_exact(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 5);
    enum { DOCS = 700 };
    static char texts[DOCS][600];
    char text[600];
    struct near_index *x = near_new(NULL);
    for (int i = 0; i < DOCS; i++) {
        make_prompt(&r, texts[i]);
        near_add(x, i + 1, texts[i]);
    }
    for (int q = 0; q < 600; q++) {
        double best = 0, floor = q % 3 ? (double)rng_below(&r, 101) / 100 : 0;
        int64_t key = 0;
        make_prompt(&r, text);
        for (int i = 0; i < DOCS; i++) {
            double f = rouge_l_text(text, texts[i]);
            if (f > best && f >= floor) {
                best = f;
                key = i + 1;
            }
        }
        struct near_hit hit = near_find_from(x, text, NEAR_EXACT, floor);
        assert_true(hit.f == best);
        assert_int_equal(hit.key, key);
        if (floor == 0)
            assert_int_equal(near_find(x, text, NEAR_EXACT).key, key);
    }
    near_free(&x);
}

/* What a search reads and compares hardly grows with the index: prompts of
 * one kind share most of their words and are told apart by the rare ones. */
static void searches_stay_small(void **state)
{
    (void)state;
    char text[200];
    uint64_t cost[2];
    for (int big = 0; big < 2; big++) {
        int docs = big ? 16000 : 2000, searches = 400;
        struct near_index *x = near_new(NULL);
        for (int i = 0; i < docs; i++) {
            sprintf(text, "Write two plain sentences about item%d of "
                    "shelf%d in the house at number %d", i, i / 7, i * 3);
            near_add(x, i, text);
        }
        for (int i = 0; i < searches; i++) {
            sprintf(text, "Write two plain sentences about item%d of "
                    "shelf%d in the house at number %d", i + docs, i, i);
            near_find_from(x, text, NEAR_EXACT, i % 2 ? .7 : 0);
        }
        struct near_effort n = near_effort(x);
        assert_true(n.compared <= (uint64_t)searches * 8);
        cost[big] = n.read + n.compared;
        near_free(&x);
    }
    assert_true(cost[1] <= cost[0] * 2); /* eight times the prompts */
}

enum { LONGEST = 1200 };

/* A prompt whose words are as frequent as those of a language: the i-th one
 * word in i (Zipf). */
static void make_long(struct rng *r, uint64_t shortest, char *out)
{
    for (uint64_t k = shortest + rng_below(r, shortest + 1); k; k--)
        out += sprintf(out, "w%d ", (int)pow(20000, rng_unit(r)));
}

/* Some of another's words changed, left out and put in. */
static void change_words(struct rng *r, const char *from, char *out)
{
    uint64_t rate = 3 + rng_below(r, 12);
    while (*from) {
        size_t n = strcspn(from, " ");
        uint64_t what = rng_below(r, rate);
        if (what > 1)
            out += sprintf(out, "%.*s ", (int)n, from);
        if (what == 1)
            out += sprintf(out, "x%d ", (int)rng_below(r, 9));
        from += n + strspn(from + n, " ");
    }
    *out = '\0';
}

/* One of a few kinds, many of them like another. */
static void make_twin(struct rng *r, char (*texts)[LONGEST], int i)
{
    switch (i ? rng_below(r, 4) : 0) {
    case 0: make_long(r, 3 + rng_below(r, 40), texts[i]); break;
    case 1: make_prompt(r, texts[i]); break;
    default:
        change_words(r, texts[rng_below(r, (uint64_t)i)], texts[i]);
    }
}

/* The nearest of n texts, from all pairs. */
static double nearest_of(const char *text, char (*texts)[LONGEST], int n)
{
    uint64_t a[LONGEST], b[LONGEST];
    size_t words = uni_words(text, a, LONGEST);
    double best = 0;
    for (int i = 0; i < n; i++)
        best = fmax(best, rouge_l(a, words, b,
                                  uni_words(texts[i], b, LONGEST)));
    return best;
}

/* Each of 150 against 3,000, for several limits: the same as all pairs. */
static void twins_are_exact(void **state)
{
    (void)state;
    enum { DOCS = 3000, ASKED = 150 };
    static char texts[DOCS + ASKED][LONGEST];
    static const double limits[] = {.05, .4, .7, .75, .9, 1};
    static double best[ASKED];
    int found = 0;
    struct rng r;
    rng_seed(&r, 11);
    for (int i = 0; i < DOCS + ASKED; i++)
        make_twin(&r, texts, i);
    for (int q = 0; q < ASKED; q++)
        best[q] = nearest_of(texts[DOCS + q], texts, DOCS);
    for (size_t k = 0; k < COUNT(limits); k++) {
        struct twins *t = twins_new(limits[k]);
        for (int i = 0; i < DOCS; i++)
            twins_add(t, texts[i]);
        for (int q = 0; q < ASKED; q++) {
            double want = best[q] >= limits[k] ? best[q] : 0;
            assert_true(twins_find(t, texts[DOCS + q]) == want);
            found += want > 0;
        }
        assert_true(twins_find(t, "") == 0);
        twins_free(&t);
    }
    assert_in_range(found, 200, ASKED * COUNT(limits) - 200);
    struct twins *none = twins_new(.7);
    assert_true(twins_find(none, "a b c") == 0);
    twins_free(&none);
}

/* What 400 searches among so many prompts of a kind cost. */
static struct near_effort cost_of(int docs, bool of_a_kind)
{
    char text[LONGEST];
    struct rng r;
    struct twins *t = twins_new(.7);
    rng_seed(&r, 12);
    for (int i = 0; i < docs + 400; i++) {
        if (of_a_kind)
            sprintf(text, "Write two plain sentences about item%d of shelf%d "
                    "in the house at number %d", i, i / 7, i * 3);
        else
            make_long(&r, 60, text);
        if (i < docs)
            twins_add(t, text);
        else
            twins_find(t, text);
    }
    struct near_effort n = twins_effort(t);
    twins_free(&t);
    return n;
}

/* Prompts of one kind cost the same however many there are; of long ones
 * without a likeness few are met and hardly any compared. */
static void twins_stay_cheap(void **state)
{
    (void)state;
    struct near_effort few = cost_of(2000, true), many = cost_of(16000, true);
    assert_true(many.compared <= 400 * 2);
    assert_true(many.read + many.compared <= 2 * (few.read + few.compared));
    many = cost_of(16000, false);
    assert_true(many.read <= 400 * 16000 / 6);
    assert_true(many.compared <= 400 * 40);
}

static void show_diff(const char *a, const char *b, struct buf *out)
{
    struct diff d;
    diff_words(a, b, &d);
    buf_clear(out);
    for (size_t i = 0; i < d.pieces.n; i++) {
        struct diff_piece p = d.pieces.at[i];
        const char *s = p.op == DIFF_DEL ? a : b;
        if (p.from > p.gap)
            buf_putc(out, ' ');
        buf_puts(out, p.op == DIFF_DEL ? "[-" : p.op == DIFF_ADD ? "{+" : "");
        buf_add(out, s + p.from, p.to - p.from);
        buf_puts(out, p.op == DIFF_DEL ? "-]" : p.op == DIFF_ADD ? "+}" : "");
    }
    diff_free(&d);
}

static void diffs_are_by_word(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(0);
    show_diff("Maria buys 4 boxes of 6 eggs.", "Maria buys 3 boxes of 12 eggs.",
              &b);
    assert_string_equal(buf_str(&b), "Maria buys [-4-] {+3+} boxes of [-6-] "
                                     "{+12+} eggs.");
    show_diff("She breaks 5 of them, so 36 - 5 = 31 eggs are left.",
              "She breaks 5, so 36 - 5 = 31 are left.", &b);
    assert_string_equal(buf_str(&b), "She breaks 5 [-of them-], so 36 - 5 = 31 "
                                     "[-eggs-] are left.");
    show_diff("metros.", "metros e mostre a conta.", &b);
    assert_string_equal(buf_str(&b), "metros {+e mostre a conta+}.");
    show_diff("", "a", &b);
    assert_string_equal(buf_str(&b), "{+a+}");
    show_diff("a", "", &b);
    assert_string_equal(buf_str(&b), "[-a-]");
    buf_free(&b);
}

/* Applying a diff to a gives b, and it is never longer than replacing. */
static void diffs_rebuild(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 9);
    for (int i = 0; i < 3000; i++) {
        char a[128] = "", b[128] = "";
        for (uint64_t k = rng_below(&r, 20); k > 0; k--)
            sprintf(a + strlen(a), "%c ", 'a' + (int)rng_below(&r, 5));
        for (uint64_t k = rng_below(&r, 20); k > 0; k--)
            sprintf(b + strlen(b), "%c ", 'a' + (int)rng_below(&r, 5));
        struct diff d;
        diff_words(a, b, &d);
        char x[256] = "", y[256] = "";
        for (size_t k = 0; k < d.pieces.n; k++) {
            struct diff_piece p = d.pieces.at[k];
            const char *s = p.op == DIFF_DEL ? a : b;
            for (size_t q = p.from; q < p.to; q++) {
                char c[3] = {s[q], ' ', 0};
                if (c[0] == ' ')
                    continue;
                if (p.op != DIFF_ADD)
                    strcat(x, c);
                if (p.op != DIFF_DEL)
                    strcat(y, c);
            }
        }
        assert_string_equal(x, a);
        assert_string_equal(y, b);
        diff_free(&d);
    }
}

static enum verdict judged(enum check c, struct check_input in)
{
    return check_usual(c, &in).verdict;
}

static void checks_judge(void **state)
{
    (void)state;
    struct check_input in = {.near = .71, .near_seed = 3};
    struct check_result r = check_usual(CHECK_NEAR, &in);
    assert_int_equal(r.verdict, VERDICT_FAIL);
    assert_int_equal(r.against_seed, 3);
    assert_int_equal(judged(CHECK_NEAR, (struct check_input){.near = .65}),
                     VERDICT_WARN);
    assert_int_equal(judged(CHECK_NEAR, (struct check_input){.near = .59}),
                     VERDICT_PASS);
#define ANSWER(c, p, a)                                                       \
    judged(c, (struct check_input){.prompt = p, .answer = a})
    assert_int_equal(judged(CHECK_CUT_OFF,
                            (struct check_input){.finish = "length"}),
                     VERDICT_FAIL);
    assert_int_equal(judged(CHECK_CUT_OFF,
                            (struct check_input){.finish = "stop"}),
                     VERDICT_PASS);
    assert_int_equal(ANSWER(CHECK_ECHO, "Name a metal that floats.",
                            "Name a  metal that floats. Iron"), VERDICT_FAIL);
    assert_int_equal(ANSWER(CHECK_ECHO, "Name it.", "Name it. Iron"),
                     VERDICT_PASS);
    assert_int_equal(ANSWER(CHECK_REFUSAL, "", "I\u2019m sorry, but no."),
                     VERDICT_WARN);
    assert_int_equal(ANSWER(CHECK_REFUSAL, "", "NÃO POSSO ajudar"),
                     VERDICT_WARN);
    assert_int_equal(ANSWER(CHECK_REFUSAL, "", "24 - 2 = 22"), VERDICT_PASS);
    assert_int_equal(ANSWER(CHECK_EMPTY, "p", " \n\u00a0"), VERDICT_FAIL);
    assert_int_equal(ANSWER(CHECK_SPECIAL, "p", "Four.<|im_end|>"),
                     VERDICT_WARN);
    assert_int_equal(judged(CHECK_DUPLICATE, (struct check_input){.same = 7}),
                     VERDICT_FAIL);
}

/* The settings that a rule is given are those that it goes by. */
static void checks_go_by_their_settings(void **state)
{
    (void)state;
    struct check_rule r = check_rule(CHECK_LENGTH);
    struct check_input in = {.prompt = "this is a prompt", .answer = NULL};
    r.min = 5;
    assert_int_equal(check_run(&r, &in).verdict, VERDICT_WARN);
    r.min = 4;
    assert_int_equal(check_run(&r, &in).verdict, VERDICT_PASS);
    in.answer = "an answer of six words here";
    r.max = 5;
    assert_int_equal(check_run(&r, &in).verdict, VERDICT_WARN);
    assert_true(check_run(&r, &in).figure == 6);
    r = check_rule(CHECK_ECHO);
    in = (struct check_input){.prompt = "Name it.", .answer = "Name it. No."};
    r.limit = 7;
    assert_int_equal(check_run(&r, &in).verdict, VERDICT_FAIL);
    r.limit = 8;
    assert_int_equal(check_run(&r, &in).verdict, VERDICT_PASS);
    r = check_rule(CHECK_NEAR);
    in = (struct check_input){.near = .8};
    r.limit = .9;
    assert_int_equal(check_run(&r, &in).verdict, VERDICT_WARN);
}

static void special_tokens_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
    } rows[] = {{"plain", 0},
                {"a < b | c > d", 0},
                {"x <| y |> z", 0},
                {"ok<|im_end|>", 1},
                {"<|start_header_id|>user<|end_header_id|>", 2},
                {"<\uff5cend\u2581of\u2581sentence\uff5c>", 1},
                {"[INST] hi [/INST] ho</s>", 3},
                {"<start_of_turn>model", 1},
                {"if (a[i] <b> c)", 0},
                {"hm\n</think>\nyes", 1}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(check_special_tokens(rows[i].text), rows[i].n);
}

/* One spelling everywhere; the other is read. */
static void check_names_are_one(void **state)
{
    (void)state;
    enum check c;
    for (int i = 0; i < CHECK_COUNT; i++) {
        assert_true(check_parse(check_name((enum check)i), &c));
        assert_int_equal(c, i);
    }
    assert_true(check_parse("cut_off", &c));
    assert_string_equal(check_name(c), "cut off");
    assert_false(check_parse("cut", &c));
    assert_false(check_parse("nearly", &c));
}

struct sums {
    double weight;
    int n;
};

static void add_pair(void *ctx, size_t better, size_t worse, double weight)
{
    struct sums *s = ctx;
    assert_int_not_equal(better, worse);
    s->weight += weight;
    s->n++;
}

static void orders_are_read_and_moved(void **state)
{
    (void)state;
    struct err e = {0};
    struct order o;
    char text[ORDER_MAX * 3];
    assert_ok(order_parse("B A C=D", 4, &o, &e), e);
    assert_string_equal(order_print(&o, text), "B A C=D");
    assert_ok(order_parse("bac", 4, &o, &e), e);
    assert_string_equal(order_print(&o, text), "B A C D");
    assert_false(order_parse("B A C=", 4, &o, &e));
    assert_false(order_parse("B A=C", 4, &o, &e));
    assert_string_equal(e.text, "D has no place");
    assert_false(order_parse("B B", 4, &o, &e));
    assert_false(order_parse("BE", 4, &o, &e));
    o = order_plain(4);
    assert_true(order_move(&o, 2, -1));
    assert_string_equal(order_print(&o, text), "A C B D");
    assert_true(order_tie(&o, 1));
    assert_string_equal(order_print(&o, text), "A B=C D");
    assert_false(order_move(&o, 0, -1));
    assert_true(order_move(&o, 1, 1));
    assert_string_equal(order_print(&o, text), "A C B D");
    double scores[] = {4.0, 5.0, 4.3, 2.3};
    o = order_of_scores(scores, 4);
    assert_string_equal(order_print(&o, text), "B C A D");
    struct sums s = {0};
    order_pairs(&o, add_pair, &s);
    assert_int_equal(s.n, 3);
    assert_true(s.weight > .999 && s.weight < 1.001);
    assert_ok(order_parse("A=B=C=D", 4, &o, &e), e);
    s = (struct sums){0};
    order_pairs(&o, add_pair, &s);
    assert_int_equal(s.n, 0);
}

static void splits_are_dealt(void **state)
{
    (void)state;
    int seen[SPLIT_COUNT] = {0};
    for (int i = 0; i < 10000; i++) {
        char text[20];
        sprintf(text, "seed %d", i);
        seen[split_of("salt", 4, text)]++;
    }
    assert_in_range(seen[SPLIT_TRAIN], 8900, 9100);
    assert_in_range(seen[SPLIT_VALID], 420, 580);
    assert_int_equal(split_of("salt", 4, "x"), split_of("salt", 4, "x"));
    assert_true(reason_is_false("wrong"));
    assert_false(reason_is_false("duplicate"));
    assert_true(reason_is_false("all bad"));
}

static void thoughts_are_parted(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"<think>\nhm\n</think>\n\nLisbon.", "hm", "Lisbon."},
        {"\n <thinking>hm</thinking>Lisbon. ", "hm", "Lisbon. "},
        {"<THINK>hm</Think> a", "hm", "a"},
        {"[THINK]hm[/THINK]a", "hm", "a"},
        {"hm\n</think>\n\nLisbon.", "hm", "Lisbon."},
        {"hm</thinking>Lisbon.", "hm", "Lisbon."},
        {"</think>\nLisbon.", NULL, "Lisbon."},
        {"<think>\n\n</think>\n\n4", NULL, "4"},
        {"<think>hm", "hm", ""},
        {"<think>", NULL, ""},
        {"<think>a</think>\n<think>b</think>c", "a\n\nb", "c"},
        {"a </think> b </think> c", "a\n\nb", "c"},
        {"<think>a</think>The tag </think> ends it.", "a",
         "The tag </think> ends it."},
        {"<think>a <think>b</think> c</think>d", "a <think>b\n\nc", "d"},
        {"<think>a</think>\n</think>b", "a", "b"},
        {"  Lisbon.\n", NULL, "  Lisbon.\n"},
        {"", NULL, ""},
        {"It ends with `</think>`, as \"</think>\" does.", NULL,
         "It ends with `</think>`, as \"</think>\" does."},
        {"`</think>` ends it\n</think>\nYes", "`</think>` ends it", "Yes"},
        {"Write <think>x</think> first.", NULL,
         "Write <think>x</think> first."},
        {"<thinker>a</thinker>", NULL, "<thinker>a</thinker>"},
        {"<reasoning>\nhm\n</reasoning>\nLisbon.", "hm", "Lisbon."},
        {"<thought>hm</thought>a", "hm", "a"},
        {"hm\n</seed:think>a", "hm", "a"},
        {"<mm:think>hm</mm:think>\n\na", "hm", "a"},
        {"hm\n</longcat_think>\na", "hm", "a"},
        {"hm</think:opensource>a", "hm", "a"},
        {"<|inner_prefix|>hm<|inner_suffix|>a", "hm", "a"},
        {"<|channel>thought\n<channel|>a", NULL, "a"},
        {"<|channel>thought\nhm<channel|>a", "hm", "a"},
        {"<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
         "<|channel|>final<|message|>a", "hm", "a"},
        {"<|channel|>analysis<|message|>hm", "hm", ""},
        {"Lisbon.<|end|>", NULL, "Lisbon.<|end|>"},
        {"<analysis>a</analysis><summary>b</summary>", NULL,
         "<analysis>a</analysis><summary>b</summary>"},
        {"Reka closes it: `a </reasoning> b`.", NULL,
         "Reka closes it: `a </reasoning> b`."},
        {"As code:\n```\nx = t.split(</think>)[1]\n```\nThat is all.", NULL,
         "As code:\n```\nx = t.split(</think>)[1]\n```\nThat is all."},
        {"The tags are <reasoning> and </reasoning>.", NULL,
         "The tags are <reasoning> and </reasoning>."},
        {"```\nx\n</think>\n```\ny\n```\n", "```\nx",
         "```\ny\n```\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *thinking, *answer = thought_part(cases[i][0], &thinking);
        assert_string_equal(answer, cases[i][2]);
        assert_string_equal(thinking ? thinking : "(none)",
                            cases[i][1] ? cases[i][1] : "(none)");
        free(answer);
        free(thinking);
    }
}

int main(void)
{
    const char *dirs[] = {"/nonexistent", NULL};
    lang_init(dirs);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_are_read),
        cmocka_unit_test(wrong_filters_say_where),
        cmocka_unit_test(filters_survive_noise),
        cmocka_unit_test(rouge_is_the_lcs),
        cmocka_unit_test(nearest_is_exact),
        cmocka_unit_test(searches_stay_small),
        cmocka_unit_test(twins_are_exact),
        cmocka_unit_test(twins_stay_cheap),
        cmocka_unit_test(diffs_are_by_word),
        cmocka_unit_test(diffs_rebuild),
        cmocka_unit_test(checks_judge),
        cmocka_unit_test(checks_go_by_their_settings),
        cmocka_unit_test(special_tokens_are_counted),
        cmocka_unit_test(check_names_are_one),
        cmocka_unit_test(orders_are_read_and_moved),
        cmocka_unit_test(splits_are_dealt),
        cmocka_unit_test(thoughts_are_parted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
