/* Finding a text in the rows of a list. */
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"

static bool matches(const char *text, const char *find)
{
    for (const char *p = find; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            return strstr(text, find) != NULL; /* smart case */
    return strcasestr(text, find) != NULL;
}

void find_next(struct app *a, int by)
{
    struct list *l = app_list(a);
    size_t n = l->total, i = l->cursor;
    if (!a->find || !*a->find || !n || !view_of(a->view)->row_text)
        return;
    for (size_t step = 0; step < n; step++) {
        i = (i + n + (size_t)by) % n;
        char *text = view_of(a->view)->row_text(a, list_at(l, i));
        bool hit = matches(text, a->find);
        free(text);
        if (!hit)
            continue;
        bool wrapped = by > 0 ? i <= l->cursor : i >= l->cursor;
        list_go_row(l, i);
        app_load(a);
        if (wrapped)
            app_say(a, _("the search went round"));
        return;
    }
    app_say(a, _("not found: %s"), a->find);
}

void find_start(struct app *a, const char *text)
{
    free(a->find);
    a->find = xstrdup(text);
    find_next(a, 1);
}
