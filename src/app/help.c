/* The help view: the actions, those of the view it was opened in first. */
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"

void help_open(struct app *a, bool all, const char *find)
{
    ids rows = {0};
    a->help_of = a->view < VIEW_TABS ? a->view : a->back;
    a->help_all = all;
    unsigned views = all ? ALL : 1u << a->help_of;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < ACTIONS; i++) {
            const struct action_info *x = action_info((enum action)i);
            bool here = x->views != ALL && (x->views & views);
            if (here != (pass == 0) || !(x->views & views))
                continue;
            if (!find || strstr(x->name, find) || strstr(_(x->help), find))
                VEC_PUSH(&rows, (int64_t)i + 1);
        }
    a->help.cursor = a->help.top = 0;
    list_take(&a->help, &rows);
    a->help.cursor = 0;
    app_open(a, VIEW_HELP);
}

char *help_row_text(struct app *a, int64_t row)
{
    const struct action_info *x = action_info((enum action)(row - 1));
    (void)a;
    return xasprintf("%s %s", x->name, _(x->help));
}

void help_enter(struct app *a)
{
    int64_t row = list_id(&a->help);
    if (!row)
        return;
    app_return(a);
    app_command(a, action_info((enum action)(row - 1))->name);
}

void help_done(struct app *a)
{
    list_free(&a->help);
}
