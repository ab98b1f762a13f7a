#include "unit/test.h"

#include <stdio.h>

#include "base/buf.h"
#include "domain/chat.h"

static void canonical_form_is_stable(void **state)
{
    (void)state;
    struct err e = {0};
    struct chat c;
    assert_ok(chat_parse("[{\"content\":\"Be brief.\",\"role\":\"system\"},"
                         " {\"from\":\"human\",\"value\":\"Hi\"},"
                         " {\"role\":\"assistant\",\"content\":null,"
                         "\"train\":false,\"tool_calls\":[{\"id\":\"1\"}]},"
                         " {\"role\":\"user\",\"content\":[{\"type\":\"text\","
                         "\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}"
                         "]", &c, &e), e);
    struct buf b = BUF_INIT(0);
    chat_print(&c, &b);
    const char *want =
        "[{\"role\":\"system\",\"content\":\"Be brief.\"},"
        "{\"role\":\"user\",\"content\":\"Hi\"},"
        "{\"role\":\"assistant\",\"content\":\"\","
        "\"tool_calls\":[{\"id\":\"1\"}],\"train\":false},"
        "{\"role\":\"user\",\"content\":\"ab\"}]";
    assert_string_equal(buf_str(&b), want);
    assert_true(chat_check_prompt(&c, &e));
    struct chat again;
    assert_ok(chat_parse(want, &again, &e), e);
    struct buf b2 = BUF_INIT(0);
    chat_print(&again, &b2);
    assert_string_equal(buf_str(&b2), want);
    chat_free(&c);
    chat_free(&again);
    buf_free(&b);
    buf_free(&b2);
}

static void wrong_messages_are_named(void **state)
{
    (void)state;
    struct err e = {0};
    struct chat c;
    assert_false(chat_parse("[{\"role\":\"user\",\"content\":\"a\"},"
                            "{\"role\":\"wizard\",\"content\":\"b\"}]", &c,
                            &e));
    assert_string_equal(e.text, "message 2: unknown role \"wizard\"");
    assert_false(chat_parse("{}", &c, &e));
    assert_ok(chat_parse("[{\"role\":\"assistant\",\"content\":\"b\"}]", &c,
                         &e), e);
    assert_false(chat_check_prompt(&c, &e));
    chat_free(&c);
}

static void same_text_same_hash(void **state)
{
    (void)state;
    struct chat a = {0}, b = {0};
    chat_add(&a, ROLE_USER, "How  many\neggs? ");
    chat_add(&b, ROLE_USER, "How many eggs?");
    uint8_t x[SHA_SIZE], y[SHA_SIZE];
    char said[] = " 22 ", bare[] = "22", other[] = "23";
    chat_hash(&a, &(struct message){.content = said}, x);
    chat_hash(&b, &(struct message){.content = bare}, y);
    assert_memory_equal(x, y, SHA_SIZE);
    chat_hash(&b, &(struct message){.content = other}, y);
    assert_memory_not_equal(x, y, SHA_SIZE);
    chat_free(&a);
    chat_free(&b);
    char *body = answer_of("4 \"x\" 6");
    assert_string_equal(body, "{\"content\":\"4 \\\"x\\\" 6\"}");
    char *text = answer_text(body);
    assert_string_equal(text, "4 \"x\" 6");
    free(body);
    free(text);
}

/* The one message of a chat, printed. */
static void reads(const char *text, const char *want)
{
    struct err e = {0};
    struct chat c;
    struct buf b = BUF_INIT(0);
    assert_ok(chat_parse(text, &c, &e), e);
    chat_print(&c, &b);
    assert_string_equal(buf_str(&b), want);
    buf_free(&b);
    chat_free(&c);
}

static void calls_are_read_in_every_form(void **state)
{
    (void)state;
#define CALL "{\"type\":\"function\",\"function\":{\"name\":\"f\","      \
             "\"arguments\":{\"x\":1.0,\"n\":12345678901234567890}}}"
#define BARE "{\"name\":\"f\",\"arguments\":{\"x\":1.0,"                \
             "\"n\":12345678901234567890}}"
#define WANT "[{\"role\":\"assistant\",\"content\":\"\","                \
             "\"tool_calls\":[" CALL "]}]"
    reads("[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
          CALL "]}]", WANT);
    reads("[{\"role\":\"Assistant\",\"function_call\":" BARE "}]", WANT);
    reads("[{\"from\":\"function_call\",\"value\":\"{\\\"name\\\":"
          "\\\"f\\\",\\\"arguments\\\":{\\\"x\\\":1.0,\\\"n\\\":"
          "12345678901234567890}}\"}]", WANT);
    reads("[{\"role\":\"assistant\",\"tool_calls\":\"[{\\\"name\\\":"
          "\\\"f\\\",\\\"arguments\\\":{\\\"x\\\":1.0,\\\"n\\\":"
          "12345678901234567890}}]\"}]", WANT);
    struct err e = {0};
    struct chat c;
    assert_false(chat_parse("[{\"role\":\"assistant\",\"tool_calls\":"
                            "\"f(1)\"}]", &c, &e));
    assert_non_null(strstr(e.text, "message 1: \"tool_calls\" is neither"));
}

static void tools_are_part_of_the_prompt(void **state)
{
    (void)state;
    const char *plain = "[{\"role\":\"user\",\"content\":\"W?\"}]";
    const char *with = "{\"messages\":[{\"role\":\"user\",\"content\":"
                       "\"W?\"}],\"tools\":[{\"name\":\"f\"}]}";
    struct err e = {0};
    struct chat a, b;
    uint8_t x[SHA_SIZE], y[SHA_SIZE];
    reads(with, with);
    assert_ok(chat_parse(plain, &a, &e), e);
    assert_ok(chat_parse(with, &b, &e), e);
    chat_prompt_hash(&a, x);
    chat_prompt_hash(&b, y);
    assert_memory_not_equal(x, y, SHA_SIZE);
    chat_free(&b);
    reads("{\"messages\":[{\"role\":\"user\",\"content\":\"W?\"}],"
          "\"tools\":[]}", plain);
    chat_free(&a);
}

static void marks_are_read(void **state)
{
    (void)state;
    const char *want = "[{\"role\":\"assistant\",\"content\":\"a\","
                       "\"train\":false}]";
    static const char *const forms[] = {
        "\"train\":false", "\"training\":false", "\"weight\":0",
        "\"weight\":0.0", "\"loss\":false", "\"loss_weight\":0"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        char text[200];
        snprintf(text, sizeof text, "[{\"role\":\"gpt\",\"content\":\"a\","
                 "%s}]", forms[i]);
        reads(text, want);
    }
}

static void old_hashes_are_found(void **state)
{
    (void)state;
    struct err e = {0};
    struct chat now, before;
    uint8_t x[SHA_SIZE], y[SHA_SIZE];
#define CALLED(n)                                                             \
    "[{\"role\":\"assistant\",\"tool_calls\":[{\"a\":" n "}]},"                \
    "{\"role\":\"tool\",\"content\":\"1\"}]"
    assert_ok(chat_parse(CALLED("12345678901234567890"), &now, &e), e);
    assert_ok(chat_parse(CALLED("1.2345678901234567e+19"), &before, &e), e);
    chat_prompt_hash(&before, y);
    assert_true(chat_hash_before(&now, NULL, CALLS_ROUNDED, x));
    assert_memory_equal(x, y, SHA_SIZE);
    assert_false(chat_hash_before(&before, NULL, CALLS_ROUNDED, x));
    assert_false(chat_hash_before(&now, NULL, CALLS_WRITTEN, x));
    chat_free(&now);
    chat_free(&before);
}

/* Arguments that are text hash as values do; the hash of before is theirs as
 * they were written. */
static void arguments_as_text_hash_as_values(void **state)
{
    (void)state;
    struct err e = {0};
    struct chat text, values;
    uint8_t x[SHA_SIZE], y[SHA_SIZE];
#define ASKED(arguments)                                                      \
    "[{\"role\":\"assistant\",\"tool_calls\":[{\"name\":\"f\","               \
    "\"arguments\":" arguments "}]},{\"role\":\"tool\",\"content\":\"1\"}]"
    assert_ok(chat_parse(ASKED("\"{\\\"a\\\": 1.0}\""), &text, &e), e);
    assert_ok(chat_parse(ASKED("{\"a\":1.0}"), &values, &e), e);
    chat_prompt_hash(&text, x);
    chat_prompt_hash(&values, y);
    assert_memory_equal(x, y, SHA_SIZE);
    assert_true(chat_hash_before(&text, NULL, CALLS_WRITTEN, y));
    assert_memory_not_equal(x, y, SHA_SIZE);
    assert_false(chat_hash_before(&values, NULL, CALLS_WRITTEN, y));
    chat_hash(&text, &text.at[0], x);
    chat_hash(&values, &values.at[0], y);
    assert_memory_equal(x, y, SHA_SIZE);
    assert_true(answers_same(&text.at[0], &values.at[0]));
    chat_free(&text);
    chat_free(&values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_form_is_stable),
        cmocka_unit_test(wrong_messages_are_named),
        cmocka_unit_test(same_text_same_hash),
        cmocka_unit_test(calls_are_read_in_every_form),
        cmocka_unit_test(tools_are_part_of_the_prompt),
        cmocka_unit_test(marks_are_read),
        cmocka_unit_test(old_hashes_are_found),
        cmocka_unit_test(arguments_as_text_hash_as_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
