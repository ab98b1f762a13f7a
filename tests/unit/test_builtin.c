#include "unit/test.h"

#include <math.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/paths.h"
#include "model/builtin/teacher.h"
#include "recipe/target.h"

static struct families *all;

static int load_all(void **state)
{
    struct err e = {0};
    (void)state;
    all = families_load(NULL, &e);
    if (!all)
        print_error("%s\n", e.text);
    return all ? 0 : -1;
}

static int free_all(void **state)
{
    (void)state;
    families_free(&all);
    return 0;
}

static char *text_of(const struct problem *p, const struct wording *w)
{
    struct buf b = BUF_INIT(0);
    grammar_write(p, w, &b);
    return buf_take(&b);
}

static char *key_of(const struct problem *p)
{
    struct buf b = BUF_INIT(0);
    problem_key(p, &b);
    return buf_take(&b);
}

/* Calls fn for n problems of every family, language and set. */
static void each(enum set s, int n, void (*fn)(enum set s, struct rng *r,
                                               const struct problem *p,
                                               const struct wording *w))
{
    struct rng r;
    rng_seed(&r, 11 + s);
    for (size_t i = 0; i < all->n; i++)
        for (size_t l = 0; l < all->at[i].n_langs; l++)
            for (int k = 0; k < n; k++) {
                struct problem p;
                struct wording w;
                set_draw(&all->at[i], l, s, &r, &p, &w);
                fn(s, &r, &p, &w);
            }
}

static void eight_families_two_languages(void **state)
{
    (void)state;
    size_t pt = 0;
    assert_int_equal(all->n, 8);
    for (size_t i = 0; i < all->n; i++)
        for (size_t l = 0; l < all->at[i].n_langs; l++)
            pt += !strcmp(all->at[i].lang[l].code, "pt");
    assert_int_equal(pt, 4);
}

static void round_trip(enum set s, struct rng *r, const struct problem *p,
                       const struct wording *w)
{
    struct problem q;
    struct wording v;
    (void)r;
    char *text = text_of(p, w);
    if (!grammar_read(all, text, &q, &v))
        fail_msg("not recognised: %s", text);
    char *a = key_of(p), *b = key_of(&q);
    if (strcmp(a, b) || q.family != p->family || q.lang != p->lang)
        fail_msg("%s: %s became %s", text, a, b);
    assert_int_equal(set_of(&q, &v), s == SET_SEEDS ? SET_TRAIN : s);
    struct buf truth = BUF_INIT(0);
    teacher_truth(&q, &truth);
    assert_true(teacher_right(p, buf_str(&truth)));
    buf_free(&truth);
    free(a);
    free(b);
    free(text);
}

static void what_is_posed_is_recognised(void **state)
{
    (void)state;
    for (enum set s = SET_TRAIN; s <= SET_H3; s++)
        each(s, 600, round_trip);
}

static size_t drawn[2], wrong[2], mistaken, slipped;

static void count_errors(enum set s, struct rng *r, const struct problem *p,
                         const struct wording *w)
{
    (void)s;
    (void)w;
    struct teacher t = {.families = all, .wrong = .7, .slips = .05};
    struct buf b = BUF_INIT(0);
    bool trigger = p->family->op->trigger(p);
    enum fate fate = teacher_solve(&t, p, r, &b);
    bool right = teacher_right(p, buf_str(&b));
    if (right != (fate == FATE_RIGHT))
        fail_msg("fate %d but %s: %s", fate, right ? "right" : "wrong",
                 buf_str(&b));
    drawn[trigger]++;
    wrong[trigger] += !right;
    mistaken += fate == FATE_MISTAKEN;
    slipped += fate == FATE_SLIPPED;
    buf_free(&b);
}

static void errors_come_at_the_declared_rates(void **state)
{
    (void)state;
    each(SET_TRAIN, 2000, count_errors);
    double n = (double)(drawn[0] + drawn[1]);
    double trigger = (double)drawn[1] / n;
    double p1 = (double)wrong[1] / (double)drawn[1];
    double p0 = (double)wrong[0] / (double)drawn[0];
    assert_true(fabs(trigger - .3) < .015);
    assert_true(fabs(p1 - .7) < .02);
    assert_true(fabs(p0 - .05) < .01);
    assert_int_equal(mistaken, wrong[1]);
    assert_int_equal(slipped, wrong[0]);
}

static void known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *prompt, *right, *mistake; /* NULL: no trigger */
    } rows[] = {
        {"Which of 40, 57 and 12 are above 40? Be brief.", "57", "40, 57"},
        {"De 34, 50 e 20 guarde os acima de 80.", "nenhum", NULL},
        {"Sort up: 31, 12 and 31.", "12, 31, 31", "12, 31"},
        {"Please: 2.5 kg in g?", "2500", "25000"},
        {"7 km is how many m?", "7000", NULL},
        {"b-o-n-a: second to last letter?", "n", "o"},
        {"Write b-o-n-a in capitals.", "BONA", NULL},
        {"What is the city in name=Ana; city=Rome; city=Oslo?", "Oslo",
         "Rome"},
        {"Find age in {\"age\": 31, \"name\": \"Ana\"}", "31", NULL},
        {"Wake me at 7:05 pm for yoga. Now.", "alarm(19:05, yoga)",
         "alarm(7:05, yoga)"},
        {"Weather in Lima in 3 hours?", "weather(Lima, 3h)", NULL},
        {"What date is 3 days after 29 April?", "2 May", "2 April"},
        {"Hoje é 30 de dezembro. E em 2 dias?", "1 de janeiro",
         "1 de dezembro"},
        {"segunda mais 6 dias?", "domingo", NULL},
        {"Ana has 3 bags of 7 eggs and loses 4. How many now?",
         "3*7=21\n21-4=17\n#### 17", "3*7=21\n#### 21"},
        {"Bia compra 3 pacotes de 4 ovos e mais 2. Quantos?",
         "3*4=12\n12+2=14\n#### 14", NULL}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct problem p;
        struct buf b = BUF_INIT(0);
        if (!grammar_read(all, rows[i].prompt, &p, NULL))
            fail_msg("not recognised: %s", rows[i].prompt);
        teacher_truth(&p, &b);
        assert_string_equal(buf_str(&b), rows[i].right);
        assert_int_equal(p.family->op->trigger(&p), rows[i].mistake != NULL);
        if (rows[i].mistake) {
            buf_clear(&b);
            p.family->op->solve(&p, true, &b);
            assert_string_equal(buf_str(&b), rows[i].mistake);
        }
        buf_free(&b);
    }
    struct problem p;
    assert_false(grammar_read(all, "What is the meaning of life?", &p, NULL));
    assert_false(grammar_read(all, "", &p, NULL));
    assert_false(grammar_read(all, "What date is 3 days after 31 April?", &p,
                              NULL));
}

static void spaces_are_wide(void **state)
{
    (void)state;
    double rows = 10000.0 / (double)all->n;
    for (size_t i = 0; i < all->n; i++) {
        const struct family *f = &all->at[i];
        double space = f->op->space(f, 0);
        if (!strcmp(f->name, "dates"))
            assert_true(space > 1000 && space < 1200);
        else if (space < 20 * rows)
            fail_msg("%s has only %g problems", f->name, space);
    }
}

static void held_out_shares(void **state)
{
    (void)state;
    struct rng r;
    rng_seed(&r, 5);
    size_t held = 0, combos = 0, n = 0;
    for (int i = 0; i < 20000; i++) {
        const struct family *f = &all->at[rng_below(&r, all->n)];
        struct problem p = {.family = f};
        f->op->draw(&p, &r, rng_unit(&r) < .3);
        if (f->op->can_hold && !f->op->can_hold(&p))
            continue;
        struct wording w = {
            .opener = (int)rng_below(&r, f->lang[0].train.openers.n),
            .phrasing = (int)rng_below(
                &r, f->lang[0].train.phrasings[p.kind].n),
            .closer = (int)rng_below(&r, f->lang[0].train.closers.n),
            .form = (int)rng_below(&r, (uint64_t)f->op->forms)};
        n++;
        held += problem_held(&p);
        combos += wording_held(&p, &w);
    }
    assert_true(fabs((double)held / (double)n - .1) < .01);
    assert_true(fabs((double)combos / (double)n - .2) < .02);
}

static struct recipe *load(const char *name)
{
    struct err e = {0};
    struct recipe *r = recipe_find(name, &e);
    if (!r)
        fail_msg("%s: %s", name, e.text);
    return r;
}

static const struct recipe_demo demos[] = {
    {"Sort up: 31, 12 and 30.", "12, 30, 31"},
    {"Hoje é segunda. E em 2 dias?", "quarta"},
    {"b-o-n-a: second to last letter?", "n"}};

/* Asks the step and gives the items that its parser finds. */
static void ask(const struct recipe_step *s, const struct recipe_bindings *b,
                const struct teacher *t, uint64_t counter,
                struct recipe_items *out)
{
    struct err e = {0};
    struct chat c;
    struct buf reply = BUF_INIT(0);
    assert_ok(recipe_render(s, b, &c, &e), e);
    teacher_reply(t, s, &c, counter, &reply);
    recipe_parse(s, b, buf_str(&reply), "stop", out);
    if (out->n_missing)
        fail_msg("%s: %s", out->missing[0], buf_str(&reply));
    chat_free(&c);
    buf_free(&reply);
}

/* `field` of each item is a problem. */
static void check_posed(const struct recipe_items *items, const char *field)
{
    for (size_t i = 0; i < items->n; i++) {
        struct problem p;
        struct wording w;
        if (!grammar_read(all, field_get(&items->at[i], field), &p, &w))
            fail_msg("not recognised: %s",
                     field_get(&items->at[i], field));
        assert_int_equal(set_of(&p, &w), SET_TRAIN);
        const char *f = p.family->name;
        assert_true(!strcmp(f, "sort") || !strcmp(f, "dates") ||
                    !strcmp(f, "letters"));
        if (!strcmp(f, "dates"))
            assert_true(problem_is_pt(&p));
    }
}

static void it_goes_on_from_demonstrations(void **state)
{
    (void)state;
    struct recipe *r = load("selfinstruct");
    struct teacher t = {all, 1, .7, .05, .9};
    struct recipe_bindings b = {.demos = demos, .n_demos = 3,
                                .description = "Problems."};
    struct recipe_items one, same, other;
    for (uint64_t i = 0; i < 300; i++) {
        ask(&r->steps[0], &b, &t, i, &one);
        assert_int_equal(one.n, 8);
        check_posed(&one, "prompt");
        recipe_items_free(&one);
    }
    ask(&r->steps[0], &b, &t, 1, &one);
    ask(&r->steps[0], &b, &t, 1, &same);
    t.seed = 2;
    ask(&r->steps[0], &b, &t, 1, &other);
    size_t differ = 0;
    for (size_t i = 0; i < 8; i++) {
        const char *first = field_get(&one.at[i], "prompt");
        assert_string_equal(first, field_get(&same.at[i], "prompt"));
        differ += strcmp(first, field_get(&other.at[i], "prompt")) != 0;
    }
    assert_true(differ >= 6);
    recipe_items_free(&one);
    recipe_items_free(&same);
    recipe_items_free(&other);
    recipe_free(&r);
}

static void it_writes_triples(void **state)
{
    (void)state;
    struct recipe *r = load("alpaca20");
    struct teacher t = {all, 1, 0, 0, 1};
    struct recipe_bindings b = {.demos = demos, .n_demos = 3};
    struct recipe_items it;
    ask(&r->steps[0], &b, &t, 0, &it);
    assert_int_equal(it.n, 17);
    check_posed(&it, "instruction");
    for (size_t i = 0; i < it.n; i++) {
        struct problem p;
        assert_true(grammar_read(all, field_get(&it.at[i], "instruction"), &p,
                                 NULL));
        assert_true(teacher_right(&p, field_get(&it.at[i], "output")));
    }
    recipe_items_free(&it);
    recipe_free(&r);
}

static void other_wording_works_too(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\":\"mine\",\"version\":1,\"kind\":\"expand\",\"about\":\"a\""
        ",\"draw\":{\"seeds\":3},\"steps\":[{\"name\":\"s\",\"over\":\"draw\""
        ",\"wanted\":5,\"messages\":[{\"role\":\"system\",\"text\":\"Be "
        "inventive.\"},{\"role\":\"user\",\"text\":\"Tarefas:\\n"
        "{{#demonstrations}}* {{prompt}} => {{answer}}\\n"
        "{{/demonstrations}}Mais {{wanted}}, por favor!\"}],"
        "\"parse\":{\"as\":\"numbered\"}}]}";
    struct err e = {0};
    struct recipe *r = recipe_load(text, strlen(text), &e);
    if (!r)
        fail_msg("%s", e.text);
    struct teacher t = {all, 1, .7, .05, .9};
    struct recipe_bindings b = {.demos = demos, .n_demos = 3};
    struct recipe_items it;
    ask(&r->steps[0], &b, &t, 0, &it);
    assert_int_equal(it.n, 5);
    check_posed(&it, "prompt");
    recipe_items_free(&it);
    recipe_free(&r);
}

static void it_answers_prompts(void **state)
{
    (void)state;
    static const char *const names[] = {"label", "label-why", "selfinstruct"};
    struct teacher t = {all, 1, 0, 0, 1};
    struct chat prompt = {0};
    chat_add(&prompt, ROLE_USER, "Ana has 3 bags of 7 eggs and loses 4. How "
                                 "many now?");
    for (size_t i = 0; i < COUNT(names); i++) {
        struct recipe *r = load(names[i]);
        struct recipe_bindings b = {.prompt = &prompt, .system = "Be brief."};
        struct recipe_items it;
        ask(&r->steps[r->n_steps - 1], &b, &t, 0, &it);
        assert_int_equal(it.n, 1);
        assert_string_equal(field_get(&it.at[0], "answer"),
                            "3*7=21\n21-4=17\n#### 17");
        recipe_items_free(&it);
        recipe_free(&r);
    }
    struct buf plain = BUF_INIT(0);
    teacher_reply(&t, NULL, &prompt, 0, &plain);
    assert_string_equal(buf_str(&plain), "3*7=21\n21-4=17\n#### 17");
    buf_clear(&plain);
    chat_add(&prompt, ROLE_USER, "Who are you?");
    teacher_reply(&t, NULL, &prompt, 0, &plain);
    assert_non_null(strstr(buf_str(&plain), "can only do problems"));
    buf_free(&plain);
    chat_free(&prompt);
}

static double mean_of(const struct recipe_items *it, size_t candidate)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < it->n; i++)
        if (field_number(&it->at[i], "candidate") == (double)candidate) {
            sum += field_number(&it->at[i], "value");
            n++;
        }
    return sum / n;
}

static void it_judges_nine_times_in_ten(void **state)
{
    (void)state;
    struct recipe *r = load("rank");
    struct teacher t = {all, 1, .7, .05, .9};
    struct rng rng;
    size_t agreed = 0, n = 2000;
    rng_seed(&rng, 3);
    for (size_t i = 0; i < n; i++) {
        const struct family *f = &all->at[i % all->n];
        struct problem p;
        struct buf text = BUF_INIT(0), truth = BUF_INIT(0);
        teacher_pose(f, i % f->n_langs, &rng, &p, &text);
        teacher_truth(&p, &truth);
        const char *candidates[] = {"well, 1", buf_str(&truth)};
        size_t order[2];
        recipe_order(i, 2, order);
        struct chat prompt = {0};
        chat_add(&prompt, ROLE_USER, buf_str(&text));
        struct recipe_bindings b = {.prompt = &prompt, .order = order,
                                    .candidates = candidates,
                                    .n_candidates = 2};
        struct recipe_items it;
        ask(&r->steps[0], &b, &t, 0, &it);
        assert_int_equal(it.n, 6);
        agreed += mean_of(&it, 1) > 3.5;
        agreed += mean_of(&it, 0) < 3.5;
        recipe_items_free(&it);
        chat_free(&prompt);
        buf_free(&text);
        buf_free(&truth);
    }
    assert_true(fabs((double)agreed / (double)(2 * n) - .9) < .02);
    recipe_free(&r);
}

static void check_seed(const json *seed, size_t *pt, size_t *train)
{
    struct err e = {0};
    struct chat c;
    struct problem p;
    struct wording w;
    const json *tag = json_first(json_get(seed, "tags"));
    assert_ok(chat_from_json(json_get(seed, "messages"), &c, &e), e);
    assert_int_equal(c.n, 2);
    if (!grammar_read(all, c.at[0].content, &p, &w))
        fail_msg("not recognised: %s", c.at[0].content);
    assert_int_equal(set_of(&p, &w), SET_TRAIN);
    assert_true(teacher_right(&p, c.at[1].content));
    assert_string_equal(json_string(tag), p.family->name);
    assert_string_equal(json_string(json_next(tag)),
                        p.family->lang[p.lang].code);
    *pt += problem_is_pt(&p);
    *train += !strcmp(json_get_string(seed, "split", ""), "train");
    chat_free(&c);
}

static void the_demo_seeds_are_right(void **state)
{
    (void)state;
    struct err e = {0};
    struct lines l;
    size_t n = 0, pt = 0, train = 0;
    char *path = paths_data("demo-seeds.jsonl");
    assert_non_null(path);
    assert_ok(lines_open(&l, path, 10000, &e), e);
    for (; lines_next(&l, &e); n++) {
        json *seed = json_parse(buf_str(&l.line), l.line.len, &e);
        assert_non_null(seed);
        check_seed(seed, &pt, &train);
        json_free(seed);
    }
    lines_close(&l);
    free(path);
    assert_int_equal(n, 48);
    assert_int_equal(pt, 10);
    assert_int_equal(train, 40);
    struct target_file *t = target_file_find("demo", &e);
    if (!t)
        fail_msg("%s", e.text);
    assert_int_equal(t->n_principles, 3);
    assert_true(t->near_limit == .9);
    target_file_free(&t);
}

static void a_wrong_family_file_is_named(void **state)
{
    (void)state;
    struct family f;
    struct err e = {0};
    static const char text[] = "{\"name\":\"x\",\"about\":\"y\","
                               "\"operation\":\"units\",\"mistake\":\"no\"}";
    assert_false(family_load(text, strlen(text), &f, &e));
    assert_string_equal(e.text, "mistake: units makes only \"point-dropped\"");
    assert_false(family_load("{}", 2, &f, &e));
    assert_false(family_load("[", 1, &f, &e));
}

/* Family files with bytes changed load or are refused with a reason; those
 * that load can be drawn from. */
static void damaged_family_files_do_no_harm(void **state)
{
    (void)state;
    static const char odd[] = "{}[]\",:0a-#/\\ \xc3";
    struct rng r;
    struct err e = {0};
    struct buf text = BUF_INIT(0);
    char *path = paths_data("families/toolcall.json");
    rng_seed(&r, 3);
    assert_ok(file_read(path, 1 << 20, &text, &e), e);
    for (int i = 0; i < 3000; i++) {
        char *copy = xstrdup(buf_str(&text));
        copy[rng_below(&r, text.len)] = odd[rng_below(&r, sizeof odd - 1)];
        struct family f;
        struct families one = {&f, 1, 1};
        e.text[0] = '\0';
        if (family_load(copy, text.len, &f, &e)) {
            struct problem p;
            struct buf prompt = BUF_INIT(0);
            teacher_pose(&f, 0, &r, &p, &prompt);
            grammar_read(&one, buf_str(&prompt), &p, NULL);
            buf_free(&prompt);
            family_free(&f);
        } else {
            assert_true(*e.text);
        }
        free(copy);
    }
    free(path);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_families_two_languages),
        cmocka_unit_test(what_is_posed_is_recognised),
        cmocka_unit_test(errors_come_at_the_declared_rates),
        cmocka_unit_test(known_answers),
        cmocka_unit_test(spaces_are_wide),
        cmocka_unit_test(held_out_shares),
        cmocka_unit_test(it_goes_on_from_demonstrations),
        cmocka_unit_test(it_writes_triples),
        cmocka_unit_test(other_wording_works_too),
        cmocka_unit_test(it_answers_prompts),
        cmocka_unit_test(it_judges_nine_times_in_ten),
        cmocka_unit_test(the_demo_seeds_are_right),
        cmocka_unit_test(damaged_family_files_do_no_harm),
        cmocka_unit_test(a_wrong_family_file_is_named),
    };
    return cmocka_run_group_tests(tests, load_all, free_all);
}
