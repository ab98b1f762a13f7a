/* The messages of a session are many, those that are kept a fixed number. */
#include "unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "app/view.h"
#include "base/mem.h"

static void the_oldest_go(void **state)
{
    (void)state;
    enum { SAID = 7 * MESSAGES_MAX + 33 };
    struct app *a = xcalloc(1, sizeof *a);
    char text[40];
    for (int i = 1; i <= SAID; i++) {
        app_say(a, "message %d", i);
        assert_in_range(a->messages.n, 1, MESSAGES_MAX);
        assert_true(a->messages.cap <= 2 * MESSAGES_MAX);
        assert_int_equal(a->messages_gone + a->messages.n, i);
        assert_string_equal(a->messages.at[a->messages.n - 1].text, a->said);
    }
    for (size_t i = 0; i < a->messages.n; i++) {
        snprintf(text, sizeof text, "message %zu", a->messages_gone + i + 1);
        char *row = messages_row_text(a, (int64_t)i + 1);
        assert_string_equal(row, text);
        free(row);
    }
    messages_done(a);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
