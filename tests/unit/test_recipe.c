#include "unit/test.h"

#include <math.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/rng.h"
#include "recipe/parser.h"
#include "recipe/recipe.h"
#include "recipe/target.h"
#include "unit/replies.h"

static struct recipe *load(const char *name)
{
    struct err e = {0};
    struct recipe *r = recipe_find(name, &e);
    if (!r)
        fail_msg("%s: %s", name, e.text);
    return r;
}

static const struct recipe_demo demos[] = {
    {"What is 2+2?", "4"}, {"Which is odd:\n1. four\n2. five", "five"},
    {"How far?", "9 km"}};

static char *rendered(const struct recipe_step *s,
                      const struct recipe_bindings *b)
{
    struct err e = {0};
    struct chat c;
    struct buf out = BUF_INIT(0);
    assert_ok(recipe_render(s, b, &c, &e), e);
    chat_print(&c, &out);
    chat_free(&c);
    return buf_take(&out);
}

static void shipped_recipes_load(void **state)
{
    (void)state;
    char **names = paths_names("recipes", ".json");
    size_t n = 0;
    for (; names[n]; n++) {
        struct recipe *r = load(names[n]);
        assert_string_equal(r->name, names[n]);
        assert_false(r->yours);
        recipe_free(&r);
    }
    assert_true(n > 0);
    paths_free_names(names);
    struct err e = {0};
    assert_null(recipe_find("../recipes/rank", &e));
    assert_null(recipe_find("nosuch", &e));
    assert_string_equal(e.text, "there is no recipes/nosuch.json");
}

static void figures_are_read(void **state)
{
    (void)state;
    struct recipe *r = load("selfinstruct");
    const struct recipe_step *s = recipe_step(r, "prompts");
    assert_int_equal(r->kind, RECIPE_EXPAND);
    assert_int_equal(r->from_seeds + r->from_samples, 8);
    assert_int_equal(s->wanted, 8);
    assert_true(fabs(recipe_check(s, CHECK_NEAR)->limit - .70) < 1e-9);
    assert_true(recipe_check(s, CHECK_LENGTH)->max == 150);
    assert_null(recipe_check(s, CHECK_ECHO));
    assert_true(isnan(s->decode.presence_penalty));
    struct recipe_bindings b = {.n_demos = 8};
    char *stop = recipe_stop(s, &b, 0);
    assert_string_equal(stop, "\n17.");
    free(stop);
    recipe_free(&r);
}

/* The file's text with `from` replaced by `to` gives this error. */
static void refused(const char *text, const char *from, const char *to,
                    const char *want)
{
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    const char *at = strstr(text, from);
    assert_non_null(at);
    buf_add(&b, text, (size_t)(at - text));
    buf_puts(&b, to);
    buf_puts(&b, at + strlen(from));
    struct recipe *r = recipe_load(buf_str(&b), b.len, &e);
    assert_null(r);
    assert_string_equal(e.text, want);
    buf_free(&b);
}

static void mistakes_name_the_key(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\":\"x\",\"version\":1,\"kind\":\"expand\",\"about\":\"a\","
        "\"draw\":{\"seeds\":2},\"steps\":[{\"name\":\"s\",\"over\":\"draw\","
        "\"wanted\":2,\"messages\":[{\"role\":\"user\",\"text\":"
        "\"{{#demonstrations}}{{n}}. {{prompt}}{{/demonstrations}}\"}],"
        "\"decode\":{\"top_p\":1},\"parse\":{\"as\":\"numbered\"},"
        "\"checks\":[{\"name\":\"near\",\"limit\":0.7}]}]}";
    struct err e = {0};
    struct recipe *r = recipe_load(text, strlen(text), &e);
    assert_non_null(r);
    recipe_free(&r);
    refused(text, "\"top_p\":1", "\"top_p\":3",
            "steps[0]: decode: top_p: expected a number from 0 to 1");
    refused(text, "top_p", "topp",
            "steps[0]: decode: unknown key \"topp\"");
    refused(text, "{{prompt}}", "{{promt}}",
            "steps[0]: messages[0]: there is no placeholder {{promt}}");
    refused(text, "{{/demonstrations}}", "",
            "steps[0]: messages[0]: {{#demonstrations}} is not closed");
    refused(text, "{{#demonstrations}}", "",
            "steps[0]: messages[0]: {{n}} means nothing here: it stands "
            "inside a list");
    refused(text, "\"numbered\"", "\"xml\"",
            "steps[0]: parse: as: expected one of numbered, triples, answer, "
            "ratings, verdict, fields, json, preference, ranking, critique, "
            "quotes, code, turns, react");
    refused(text, "\"near\"", "\"nearly\"",
            "steps[0]: checks[0]: name: expected one of near, duplicate, "
            "length, cut off, echo, refusal, empty, special tokens");
    refused(text, "\"wanted\":2,", "",
            "steps[0]: wanted: how many items a call asks for is missing");
    refused(text, "\"version\":1", "\"version\":1.5",
            "version: expected a whole number");
    refused(text, "\"seeds\":2", "\"seeds\":0",
            "draw: how many demonstrations is missing");
    refused(text, "\"role\":\"user\"", "\"role\":\"tool\"",
            "steps[0]: messages[0]: role: expected one of system, user, "
            "assistant");
}

static void prompts_are_rendered(void **state)
{
    (void)state;
    struct recipe *r = load("selfinstruct");
    struct recipe_bindings b = {.demos = demos, .n_demos = 3, .wanted = 4};
    char *text = rendered(recipe_step(r, "prompts"), &b);
    assert_non_null(strstr(text, "Here are 3 tasks of the set. Go on with "
                                 "tasks 4 to 7."));
    assert_non_null(strstr(text, "\\n\\n1. What is 2+2?\\n2. Which is odd:"
                                 "\\n1. four\\n2. five\\n3. How far?\\n\"}]"));
    free(text);
    struct chat prompt = {0};
    chat_add(&prompt, ROLE_USER, "How far?");
    b = (struct recipe_bindings){.prompt = &prompt};
    text = rendered(recipe_step(r, "answers"), &b);
    assert_string_equal(text, "[{\"role\":\"user\",\"content\":\"How far?\"}"
                              "]");
    free(text);
    b.system = "Be brief.";
    text = rendered(recipe_step(r, "answers"), &b);
    assert_string_equal(text,
                        "[{\"role\":\"system\",\"content\":\"Be brief.\"},"
                        "{\"role\":\"user\",\"content\":\"How far?\"}]");
    free(text);
    struct err e = {0};
    struct chat c;
    b = (struct recipe_bindings){.n_demos = 0};
    assert_false(recipe_render(recipe_step(r, "prompts"), &b, &c, &e));
    assert_int_equal(e.code, ERR_ABSENT);
    assert_false(recipe_render(recipe_step(r, "answers"), &b, &c, &e));
    chat_free(&prompt);
    recipe_free(&r);
}

static void own_system_wins(void **state)
{
    (void)state;
    struct recipe *r = load("label");
    struct chat prompt = {0};
    chat_add(&prompt, ROLE_SYSTEM, "Speak Latin.");
    chat_add(&prompt, ROLE_USER, "Quid?");
    struct recipe_bindings b = {.prompt = &prompt, .system = "Be brief."};
    char *text = rendered(recipe_step(r, "answers"), &b);
    assert_string_equal(text,
                        "[{\"role\":\"system\",\"content\":\"Speak Latin.\"},"
                        "{\"role\":\"user\",\"content\":\"Quid?\"}]");
    free(text);
    recipe_free(&r);
    r = load("label-why");
    text = rendered(recipe_step(r, "answers"), &b);
    assert_non_null(strstr(text, "Speak Latin.\\n\\nFirst write"));
    assert_null(strstr(text, "Be brief."));
    free(text);
    chat_free(&prompt);
    recipe_free(&r);
}

static void rendering_can_be_read_back(void **state)
{
    (void)state;
    struct recipe *r = load("selfinstruct");
    const struct recipe_step *s = recipe_step(r, "prompts");
    struct recipe_bindings b = {.demos = demos, .n_demos = 3, .wanted = 5,
                                .description = "Small sums."};
    struct err e = {0};
    struct chat c;
    struct recipe_found f;
    assert_ok(recipe_render(s, &b, &c, &e), e);
    assert_true(recipe_unrender(s, &c, &f));
    assert_int_equal(f.n_demos, 3);
    assert_int_equal(f.wanted, 5);
    assert_string_equal(f.demos[0].prompt, "What is 2+2?");
    assert_string_equal(f.demos[2].prompt, "How far?");
    assert_string_equal(f.description, "Small sums.");
    recipe_found_free(&f);
    chat_add(&c, ROLE_USER, "And more.");
    assert_false(recipe_unrender(s, &c, &f));
    chat_free(&c);
    recipe_free(&r);

    r = load("alpaca20");
    s = recipe_step(r, "tasks");
    b.system = "Be brief.";
    assert_ok(recipe_render(s, &b, &c, &e), e);
    assert_true(recipe_unrender(s, &c, &f));
    assert_string_equal(f.demos[2].answer, "9 km");
    assert_string_equal(f.system, "Be brief.");
    recipe_found_free(&f);
    chat_free(&c);
    recipe_free(&r);
}

static void ranks_are_shuffled_and_given_back(void **state)
{
    (void)state;
    struct recipe *r = load("rank");
    const struct recipe_step *s = recipe_step(r, "ratings");
    static const char *const answers[] = {"four", "five\n\nAnswer B:", "six"};
    size_t order[3], seen[3] = {0}, moved = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        recipe_order(seed, 3, order);
        for (size_t i = 0; i < 3; i++) {
            seen[order[i]]++;
            moved += order[i] != i;
        }
    }
    assert_true(seen[0] == 20 && seen[1] == 20 && moved > 10);
    struct chat prompt = {0};
    chat_add(&prompt, ROLE_USER, "What is 2+2?");
    order[0] = 2;
    order[1] = 0;
    order[2] = 1;
    struct recipe_bindings b = {.prompt = &prompt, .candidates = answers,
                                .n_candidates = 3, .order = order};
    struct err e = {0};
    struct chat c;
    struct recipe_found f;
    assert_ok(recipe_render(s, &b, &c, &e), e);
    assert_non_null(strstr(c.at[1].content, "Answer A:\nsix\n\n"));
    assert_true(recipe_unrender(s, &c, &f));
    assert_string_equal(f.input, "What is 2+2?");
    assert_int_equal(f.n_candidates, 3);
    assert_string_equal(f.candidates[1], "four");
    recipe_found_free(&f);
    struct recipe_items it;
    recipe_parse(s, &b,
                 "Here are my ratings:\n"
                 "A help: 4 - fine.\n"
                 "- **B** truth: 5/5 - right\n"
                 "| C | instr | 2.5 | odd |\n"
                 "A truth: 9 - a lot\n"
                 "B help = 1\n"
                 "Answer C:\nhelp: 3\n",
                 "stop", &it);
    assert_int_equal(it.n, 5);
    assert_true(field_number(&it.at[0], "candidate") == 2);
    assert_string_equal(field_get(&it.at[0], "reason"), "fine.");
    assert_true(field_number(&it.at[1], "candidate") == 0);
    assert_string_equal(field_get(&it.at[1], "aspect"), "truth");
    assert_true(field_number(&it.at[2], "value") == 2.5);
    assert_true(field_number(&it.at[4], "candidate") == 1);
    assert_true(it.n_missing >= 5);
    assert_string_equal(it.missing[0],
                        "answer A, truth: 9 is not on the scale from 1 to 5");
    recipe_items_free(&it);
    chat_free(&c);
    chat_free(&prompt);
    recipe_free(&r);
}

static void lists_are_parsed(void **state)
{
    (void)state;
    struct recipe *r = load("selfinstruct");
    const struct recipe_step *s = recipe_step(r, "prompts");
    struct recipe_bindings b = {.n_demos = 8};
    struct recipe_items it;
    recipe_parse(s, &b,
                 "Sure! Here they are:\n\n9. A crate holds 24.\n"
                 "10) Sort:\n 1. b\n 2. a\n**11.** \n12: Last one\n17. x\n",
                 "stop", &it);
    assert_int_equal(it.n, 3);
    assert_string_equal(field_get(&it.at[0], "prompt"), "A crate holds 24.");
    assert_string_equal(field_get(&it.at[1], "prompt"), "Sort:\n 1. b\n 2. a");
    assert_int_equal(it.at[2].index, 3);
    assert_string_equal(field_get(&it.at[2], "prompt"), "Last one\n17. x");
    assert_int_equal(it.n_missing, 2);
    assert_string_equal(it.missing[0], "item 11 is empty");
    assert_string_equal(it.missing[1], "items 13 to 16 are not there");
    recipe_items_free(&it);
    recipe_parse(s, &b, "9. one\n10. tw", "length", &it);
    assert_int_equal(it.n, 1);
    assert_string_equal(it.missing[0], "item 10 was cut off");
    recipe_items_free(&it);
    recipe_parse(s, &b, "<think>1. hm</think>1. from one\n2. again", "stop",
                 &it);
    assert_int_equal(it.n, 2);
    assert_string_equal(field_get(&it.at[0], "prompt"), "from one");
    recipe_items_free(&it);
    recipe_parse(s, &b, "I cannot do that.", "stop", &it);
    assert_int_equal(it.n, 0);
    assert_string_equal(it.missing[0], "items 9 to 16 are not there");
    recipe_items_free(&it);
    recipe_free(&r);
}

static void triples_are_parsed(void **state)
{
    (void)state;
    struct recipe *r = load("alpaca20");
    const struct recipe_step *s = recipe_step(r, "tasks");
    struct recipe_bindings b = {.n_demos = 3, .wanted = 5};
    struct recipe_items it;
    recipe_parse(s, &b,
                 "4. Instruction: Add.\nInput: 2 and 2\nOutput: 4\n###\n"
                 "**Instruction:** Name a colour.\nInput: <none>\n"
                 "Output: red\nInput: is what I said\n\n"
                 "6. Instruction: Nothing\nOutput:\n"
                 "Instruction: Cut\nInput: <NONE>\nOutput: of",
                 "length", &it);
    assert_int_equal(it.n, 2);
    assert_string_equal(field_get(&it.at[0], "input"), "2 and 2");
    struct recipe_chain chain = {.step = s, .item = &it.at[0]};
    struct made m;
    b.chain = &chain;
    recipe_fill(recipe_makes(s, SINK_SAMPLE), &b, &m);
    assert_string_equal(made_get(&m, "prompt"), "Add.\n\n2 and 2");
    assert_null(made_get(&m, "reasoning"));
    made_free(&m);
    assert_null(field_get(&it.at[1], "input"));
    assert_string_equal(field_get(&it.at[1], "output"),
                        "red\nInput: is what I said");
    assert_int_equal(it.n_missing, 3);
    assert_string_equal(it.missing[0], "item 3 has no output");
    assert_string_equal(it.missing[1], "item 4 was cut off");
    assert_string_equal(it.missing[2], "item 5 is not there");
    recipe_items_free(&it);
    recipe_free(&r);
}

static void answers_are_parsed(void **state)
{
    (void)state;
    struct recipe *r = load("label"), *why = load("label-why");
    struct recipe_bindings b = {0};
    struct recipe_items it;
    recipe_parse(&r->steps[0], &b, " \n3*7=21\n#### 21\n", "stop", &it);
    assert_int_equal(it.n, 1);
    assert_string_equal(field_get(&it.at[0], "answer"), "3*7=21\n#### 21");
    assert_null(field_get(&it.at[0], "reasoning"));
    recipe_items_free(&it);
    recipe_parse(&r->steps[0], &b, "<think>hm\n</think>\n4", "stop", &it);
    assert_string_equal(field_get(&it.at[0], "answer"), "4");
    assert_string_equal(field_get(&it.at[0], "reasoning"), "hm");
    recipe_items_free(&it);
    recipe_parse(&why->steps[0], &b, "Two and two.\nanswer: 4", "stop", &it);
    assert_string_equal(field_get(&it.at[0], "answer"), "4");
    assert_string_equal(field_get(&it.at[0], "reasoning"), "Two and two.");
    recipe_items_free(&it);
    recipe_parse(&why->steps[0], &b, "Two and two is 4", "stop", &it);
    assert_int_equal(it.n, 0);
    assert_string_equal(it.missing[0],
                        "no line of the reply begins with \"Answer:\"");
    recipe_items_free(&it);
    recipe_free(&r);
    recipe_free(&why);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct recipe *r = load("alpaca20");
    struct recipe_item items[2] = {{.index = 0}, {.index = 1}};
    field_put(&items[0], "instruction", "Add 2 and 2.");
    field_put(&items[0], "output", "2+2=4\n#### 4");
    field_put(&items[1], "instruction", "Add.");
    field_put(&items[1], "input", "3 and 3");
    field_put(&items[1], "output", "6");
    struct buf b = BUF_INIT(0);
    recipe_write(&r->steps[0], 3, items, 2, &b);
    struct recipe_bindings bind = {.n_demos = 3, .wanted = 2};
    struct recipe_items it;
    recipe_parse(&r->steps[0], &bind, buf_str(&b), "stop", &it);
    assert_int_equal(it.n, 2);
    assert_int_equal(it.n_missing, 0);
    assert_string_equal(field_get(&it.at[0], "output"), "2+2=4\n#### 4");
    assert_string_equal(field_get(&it.at[1], "input"), "3 and 3");
    recipe_items_free(&it);
    buf_free(&b);
    fields_free(&items[0]);
    fields_free(&items[1]);
    recipe_free(&r);
}

/* Bytes that are likely to upset a parser, in any order. */
static void hostile_replies_do_no_harm(void **state)
{
    (void)state;
    static const char *const bits[] = {
        "9.", "\n10. ", "\n", "Instruction:", "\nInput:", "\nOutput:", "A ",
        "B help: ", "truth", "99999999999999999999", ": 5", "/", "/5", "\r",
        "<think>", "</think>", "Answer:", "\nAnswer:", "**", "1)", "\xff",
        "\xe2\x80\xae", "###", "\n---\n", "|", "-", "0", "\t", "é", "Z"};
    static const char *const answers[] = {"a", "b"};
    struct recipe_bindings b = {.n_demos = 8, .candidates = answers,
                                .n_candidates = 2};
    struct rng rng;
    rng_seed(&rng, 7);
    for (size_t k = 0; parsers[k]; k++) {
        struct recipe *r = replies_recipe(parsers[k]->name, NULL);
        for (int i = 0; i < 4000; i++) {
            struct buf text = BUF_INIT(0);
            for (size_t n = rng_below(&rng, 40); n > 0; n--)
                buf_puts(&text, bits[rng_below(&rng, COUNT(bits))]);
            struct recipe_items it;
            recipe_parse(&r->steps[0], &b, buf_str(&text),
                         i % 3 ? "stop" : "length", &it);
            struct recipe_found f;
            struct chat c = {0};
            chat_add(&c, ROLE_USER, buf_str(&text));
            if (recipe_unrender(&r->steps[0], &c, &f))
                recipe_found_free(&f);
            chat_free(&c);
            recipe_items_free(&it);
            buf_free(&text);
        }
        recipe_free(&r);
    }
    struct recipe *r = load("selfinstruct");
    struct buf big = BUF_INIT(0);
    for (int i = 0; i < 400000; i++)
        buf_puts(&big, "9. a\n");
    struct recipe_items it;
    recipe_parse(&r->steps[0], &b, buf_str(&big), "stop", &it);
    assert_int_equal(it.n, 0);
    assert_non_null(strstr(it.missing[0], "longer than 1048576 bytes"));
    recipe_items_free(&it);
    buf_free(&big);
    recipe_free(&r);
}

/* Recipe files with bytes changed, left out or doubled: refused with a reason
 * or loaded, and then usable. */
static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"selfinstruct", "alpaca20", "rank"};
    static const char odd[] = "{}[]\",:0a-#/\\ \xc3";
    struct rng rng;
    rng_seed(&rng, 9);
    for (size_t k = 0; k < COUNT(names); k++) {
        struct recipe *r = load(names[k]);
        size_t n = strlen(r->text), loaded = 0;
        for (int i = 0; i < 3000; i++) {
            char *text = xstrdup(r->text);
            for (uint64_t c = 1 + rng_below(&rng, 2); c > 0; c--)
                text[rng_below(&rng, n)] = odd[rng_below(&rng,
                                                         sizeof odd - 1)];
            struct err e = {0};
            struct recipe *d = recipe_load(text, n, &e);
            assert_true(d || *e.text);
            loaded += d != NULL;
            recipe_free(&d);
            free(text);
        }
        assert_true(loaded > 100); /* wording may change freely */
        recipe_free(&r);
    }
}

static void a_users_recipe_comes_first(void **state)
{
    (void)state;
    struct err e = {0};
    struct recipe *r = load("rank");
    char *dir = xasprintf("%s/.config/stillroom/recipes", getenv("HOME"));
    char *path = xasprintf("%s/rank.json", dir);
    assert_ok(dir_make(dir, 0700, &e), e);
    assert_ok(file_replace(path, r->text, strlen(r->text), 0600, false, &e),
              e);
    recipe_free(&r);
    r = load("rank");
    assert_true(r->yours);
    assert_ok(dir_remove(dir, &e), e);
    recipe_free(&r);
    free(dir);
    free(path);
}

static void targets_load(void **state)
{
    (void)state;
    struct err e = {0};
    static const char text[] =
        "{\"name\":\"t\",\"description\":\"d\",\"principles\":[\"p\",\"q\"],"
        "\"near_limit\":0.9}";
    struct target_file *t = target_file_load(text, strlen(text), &e);
    assert_non_null(t);
    assert_int_equal(t->n_principles, 2);
    assert_true(t->near_limit == .9);
    target_file_free(&t);
    t = target_file_load("{\"name\":\"t\"}", 12, &e);
    assert_null(t);
    assert_string_equal(e.text, "description is missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_recipes_load),
        cmocka_unit_test(figures_are_read),
        cmocka_unit_test(mistakes_name_the_key),
        cmocka_unit_test(prompts_are_rendered),
        cmocka_unit_test(own_system_wins),
        cmocka_unit_test(rendering_can_be_read_back),
        cmocka_unit_test(ranks_are_shuffled_and_given_back),
        cmocka_unit_test(lists_are_parsed),
        cmocka_unit_test(triples_are_parsed),
        cmocka_unit_test(answers_are_parsed),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(hostile_replies_do_no_harm),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(a_users_recipe_comes_first),
        cmocka_unit_test(targets_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
