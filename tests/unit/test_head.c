/* What the heads of lists say where nobody counted the rows. */
#include "unit/test.h"

#include <curses.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "base/mem.h"
#include "ui/small.h"
#include "ui/ui.h"

static char asked[] = "a", target[] = "w";
static struct app *a;

static int start(void **state)
{
    (void)state;
    FILE *in = fopen("/dev/null", "r"), *out = fopen("/dev/null", "w");
    setenv("LINES", "4", 1);
    setenv("COLUMNS", "40", 1);
    if (!in || !out || !newterm("xterm", out, in))
        return -1;
    cells_setup(true, false);
    cells_clip_none();
    a = xcalloc(1, sizeof *a);
    a->target_name = target;
    a->seeds.filter = a->review.filter = asked;
    a->seeds.list = a->review.list =
        (struct list){.total = SIZE_MAX >> 1, .uncounted = true, .cursor = 2};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    endwin();
    free(a);
    return 0;
}

static const char *row(int y)
{
    static char text[81];
    mvinnstr(y, 0, text, 80);
    for (size_t n = strlen(text); n && text[n - 1] == ' ';)
        text[--n] = '\0';
    erase();
    return text;
}

static void nobody_counted(void **state)
{
    (void)state;
    view_seeds.where(a, 0, 0, 40);
    assert_string_equal(row(0), "w   filter: a   ? seeds");
    view_review.where(a, 0, 0, 40);
    assert_string_equal(row(0), "w   filter: a   3 of ?");
    a->view = VIEW_REVIEW;
    small_line(a);
    assert_string_equal(row(0), "3 Review   3 of ?");
    small_draw(a, &view_review, &(struct layout){.kind = LAYOUT_PANE});
    assert_string_equal(row(0), "3 Review    3 of ?   w");
    a->view = VIEW_SEEDS;
    small_line(a);
    assert_string_equal(row(0), "2 Seeds   3 of ?");
}

static void somebody_did(void **state)
{
    (void)state;
    a->seeds.list = (struct list){.total = 1234};
    view_seeds.where(a, 0, 0, 40);
    assert_string_equal(row(0), "w   filter: a   1,234 seeds");
    a->seeds.list = (struct list){.total = 0};
    small_line(a);
    assert_string_equal(row(0), "2 Seeds   0 of 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_counted),
        cmocka_unit_test(somebody_did),
    };
    setlocale(LC_CTYPE, "");
    return cmocka_run_group_tests(tests, start, stop);
}
