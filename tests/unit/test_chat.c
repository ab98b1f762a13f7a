#include "unit/test.h"

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
    chat_hash(&a, " 22 ", x);
    chat_hash(&b, "22", y);
    assert_memory_equal(x, y, SHA_SIZE);
    chat_hash(&b, "23", y);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_form_is_stable),
        cmocka_unit_test(wrong_messages_are_named),
        cmocka_unit_test(same_text_same_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
