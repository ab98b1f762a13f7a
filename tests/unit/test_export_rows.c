/* Exports: what stands in a row. */
#include "unit/bundles.h"

#include "base/mem.h"
#include "domain/chat.h"
#include "store/target.h"
#include "verbs/edit.h"

/* Neither side of a pair is empty, and equal answers tie. */
static void pairs_have_two_sides(void **state)
{
    (void)state;
    struct export_report r;
    int64_t edit = 0;
    int64_t a = ADD("an empty one edited", SPLIT_TRAIN, " \n");
    assert_int_equal(verb_edit_answer(s, "ana", a, candidate_id(a, 0),
                                      "now there is one", 0, &edit, &e),
                     DECIDED);
    decide(a, STATUS_ACCEPTED, "ana", "");
    a = ADD("an order with an empty one", SPLIT_TRAIN, "", "good", "fair",
            " good");
    put_order(a, "A B C D"); /* the empty one leads, B and D are equal */
    decide(a, STATUS_ACCEPTED, "ana", "");
    assert_int_equal(verb_edit_answer(s, "ana", a, candidate_id(a, 1),
                                      "good ", 0, &edit, &e), DECIDED);
    char *dir = export_all(&r);
    char *rows = slurp(dir, "dpo/train.jsonl");
    assert_int_equal(lines_with(rows, "\n"), 1);
    assert_non_null(strstr(rows, "\"content\":\"good\"}],\"rejected\":[{"
                                 "\"role\":\"assistant\",\"content\":\"fair"));
    char *prov = slurp(dir, "prov/rows.jsonl");
    assert_non_null(strstr(prov, "\"weight\":1,"));
    free(prov);
    free(rows);
    export_report_free(&r);
    free(dir);
}

#define WEATHER                                                               \
    "[{\"type\":\"function\",\"function\":{\"name\":\"weather\","             \
    "\"parameters\":{\"type\":\"object\",\"properties\":{}}}}]"
#define CALL(args)                                                            \
    "{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"weather\"" \
    ",\"arguments\":" args "}}"

/* Tools, calls and what they brought stand in every shape; arguments that are
 * text are opened, numbers stay as they were written. */
static void tools_are_carried(void **state)
{
    (void)state;
    struct export_report r;
    add_json("[{\"role\":\"user\",\"content\":\"plain\"}]",
             "{\"content\":\"yes\"}");
    int64_t id = add_json(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"},{\"role\":"
        "\"assistant\",\"content\":\"\",\"tool_calls\":["
        CALL("\"{\\\"n\\\": 12345678901234567890}\"") "]},{\"role\":\"tool\","
        "\"content\":\"7\",\"tool_call_id\":\"c1\"},{\"role\":\"tool\","
        "\"content\":\"8\",\"tool_call_id\":\"c2\"}],\"tools\":" WEATHER "}",
        "{\"content\":\"\",\"tool_calls\":[" CALL("{\"x\":1.0}") "]}");
    char *dir = export_all(&r);
    assert_int_equal(r.found[ROW_EMPTY].samples.n, 0);
    assert_int_equal(r.found[ROW_TURNS].samples.n, 0);
    char *rows = slurp(dir, "sft/train.jsonl");
    static const char want[] =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"},{\"role\":"
        "\"assistant\",\"content\":\"\",\"tool_calls\":["
        CALL("{\"n\":12345678901234567890}") "]},{\"role\":\"tool\","
        "\"content\":\"7\",\"tool_call_id\":\"c1\"},{\"role\":\"tool\","
        "\"content\":\"8\",\"tool_call_id\":\"c2\"},{\"role\":\"assistant\","
        "\"content\":\"\",\"tool_calls\":[" CALL("{\"x\":1.0}") "]}],"
        "\"tools\":\"[{\\\"type\\\":\\\"function\\\",";
    /* the first row, though the other sample is older: it tells the loader
     * which keys there are */
    assert_memory_equal(rows, want, sizeof want - 1);
    free(rows);
    rows = slurp(dir, "lf/kto_train.jsonl");
    assert_non_null(strstr(rows, "{\"from\":\"function_call\",\"value\":"
                                 "\"[{\\\"name\\\":\\\"weather\\\","
                                 "\\\"arguments\\\":{\\\"n\\\":12345678901234"
                                 "567890}}]\"},{\"from\":\"observation\","));
    assert_non_null(strstr(rows, "\"kto_tag\":true,\"system\":\"\",\"tools\":"
                                 "\"[{\\\"type"));
    free(rows);
    (void)id;
    export_report_free(&r);
    free(dir);
}

/* Each turn that is trained is a completion: the call, and what was said of
 * what it brought. */
static void turns_around_tools(void **state)
{
    (void)state;
    struct export_report r;
    add_json("[{\"role\":\"user\",\"content\":\"Rain?\"},{\"role\":"
             "\"assistant\",\"content\":\"\",\"tool_calls\":["
             CALL("{\"n\":1}") "]},{\"role\":\"tool\",\"content\":\"7\"},"
             "{\"role\":\"assistant\",\"content\":\"Seven.\"},{\"role\":"
             "\"user\",\"content\":\"Sure?\"}]", "{\"content\":\"Yes.\"}");
    char *dir = export_all(&r);
    char *rows = slurp(dir, "sft_pc/train.jsonl");
    assert_int_equal(lines_with(rows, "\n"), 3);
    assert_non_null(strstr(rows, "\"completion\":[{\"role\":\"assistant\","
                                 "\"content\":\"\",\"tool_calls\""));
    assert_non_null(strstr(rows, "\"completion\":[{\"role\":\"assistant\","
                                 "\"content\":\"Seven.\"}]"));
    free(rows);
    export_report_free(&r);
    free(dir);
}

static void thinking_as_asked(void **state)
{
    (void)state;
    static const struct {
        enum thinking how;
        const char *in_sft, *in_turns;
        size_t warned;
    } cases[] = {
        {THINKING_KEEP, "\"content\":\"<think>\\nhm\\n</think>\\n\\n4\"}",
         "\"value\":\"<think>\\nhm\\n</think>\\n\\n4\"", 0},
        {THINKING_FIELD, "\"content\":\"4\",\"reasoning_content\":\"hm\"}",
         "\"value\":\"<think>\\nhm\\n</think>\\n\\n4\"", 0},
        {THINKING_DROP, "\"content\":\"4\"}", "\"value\":\"4\"", 1}};
    struct export_report r;
    struct export_since since;
    int64_t id;
    add_json("[{\"role\":\"user\",\"content\":\"2 + 2?\"}]",
             "{\"content\":\"4\",\"reasoning_content\":\"hm\"}");
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *dir = temp_path("out");
        struct export_form f = form(dir);
        f.thinking = cases[i].how;
        assert_ok(verb_export(s, &f, &r, &since, &id, &e), e);
        assert_int_equal(r.found[ROW_REASONING].samples.n, cases[i].warned);
        static const char *const files[] = {
            "sft/train.jsonl", "sft_pc/train.jsonl", "kto/train.jsonl"};
        for (size_t k = 0; k < COUNT(files); k++) {
            char *rows = slurp(dir, files[k]);
            assert_non_null(strstr(rows, cases[i].in_sft));
            free(rows);
        }
        char *rows = slurp(dir, "lf/sft_train.jsonl");
        assert_non_null(strstr(rows, cases[i].in_turns));
        free(rows);
        export_report_free(&r);
        free(dir);
    }
}

static void system_as_asked(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        /* asked; of a prompt without one, of one with its own */
        {NULL, "", "Own."},
        {"keep", "Be brief.", "Own."},
        {"drop", "", ""},
        {"Mine.", "Mine.", "Mine."}};
    struct export_report r;
    struct export_since since;
    struct act a;
    int64_t id;
    assert_ok(act_begin(s, &a, "arrive", "ana", "", 0, &e), e);
    target = target_add(&a, "law", "{\"system\":\"Be brief.\"}", &e);
    assert_int_equal(act_commit(&a, &e), ACT_SAVED);
    add_json("[{\"role\":\"user\",\"content\":\"none\"}]",
             "{\"content\":\"a\"}");
    add_json("[{\"role\":\"system\",\"content\":\"Own.\"},{\"role\":\"user\","
             "\"content\":\"one\"}]", "{\"content\":\"b\"}");
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *dir = temp_path("out"), want[3][200];
        struct export_form f = form(dir);
        f.system = cases[i][0];
        assert_ok(verb_export(s, &f, &r, &since, &id, &e), e);
        for (int k = 1; k < 3; k++)
            snprintf(want[k], sizeof want[k], "%s%s%s{\"role\":\"user\","
                     "\"content\":\"%s\"}",
                     *cases[i][k] ? "[{\"role\":\"system\",\"content\":\""
                                  : "[", cases[i][k],
                     *cases[i][k] ? "\"}," : "", k == 1 ? "none" : "one");
        char *rows = slurp(dir, "sft/train.jsonl");
        assert_non_null(strstr(rows, want[1]));
        assert_non_null(strstr(rows, want[2]));
        free(rows);
        export_report_free(&r);
        free(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pairs_have_two_sides),
        TEST(tools_are_carried),
        TEST(turns_around_tools),
        TEST(thinking_as_asked),
        TEST(system_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
