/* Row 23, and the view of all that stood there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/clock.h"

#define ACKNOWLEDGED_MS 2000 /* so long an act stands acknowledged at least */

static void forget_message(struct message_line *m)
{
    free(m->text);
    free(m->command);
}

static void list_all(struct app *a)
{
    ids rows = {0};
    for (size_t i = 0; i < a->messages.n; i++)
        VEC_PUSH(&rows, (int64_t)i + 1);
    list_take(&a->messages_list, &rows);
    list_move(&a->messages_list, (long)a->messages.n);
}

void app_remember(struct app *a, const char *text)
{
    struct message_line m = {clock_now(), xstrdup(text), NULL};
    VEC_PUSH(&a->messages, m);
    if (a->messages.n <= MESSAGES_MAX)
        return;
    size_t gone = MESSAGES_MAX / 10;
    for (size_t i = 0; i < gone; i++)
        forget_message(&a->messages.at[i]);
    a->messages.n -= gone;
    memmove(a->messages.at, a->messages.at + gone, a->messages.n * sizeof m);
    a->messages_gone += gone;
    list_all(a);
}

static void say(struct app *a, const char *fmt, va_list ap)
{
    vsnprintf(a->said, sizeof a->said, fmt, ap);
    a->said_undo = false;
    a->said_at = clock_mono();
    a->stale = STALE_PAINT;
    app_remember(a, a->said);
}

void app_did(struct app *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(a, fmt, ap);
    va_end(ap);
    a->said_undo = true;
}

bool app_acknowledges(const struct app *a)
{
    return a->said_undo && clock_mono() - a->said_at < ACKNOWLEDGED_MS;
}

void app_say(struct app *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(a, fmt, ap);
    va_end(ap);
}

void app_wrong(struct app *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(a, fmt, ap);
    va_end(ap);
    a->wrong = true;
}

void app_say_err(struct app *a, const struct err *e)
{
    const char *home = getenv("HOME");
    size_t n = home ? strlen(home) : 0;
    if (n > 1 && !strncmp(e->text, home, n) && e->text[n] == '/')
        app_wrong(a, "~%s", e->text + n); /* row 23 is short */
    else
        app_wrong(a, "%s", e->text);
}

void app_notes(struct app *a, const char *lines)
{
    char *copy = xstrdup(lines), *rest = copy, *line;
    while ((line = strsep(&rest, "\n")) && rest)
        app_remember(a, line);
    if (*line)
        app_say(a, "%s", line);
    free(copy);
}

void messages_load(struct app *a)
{
    a->messages_scroll = 0;
}

void messages_open(struct app *a)
{
    list_all(a);
    app_open(a, VIEW_MESSAGES);
}

char *messages_row_text(struct app *a, int64_t row)
{
    return xstrdup(a->messages.at[row - 1].text);
}

void messages_done(struct app *a)
{
    list_free(&a->messages_list);
    for (size_t i = 0; i < a->messages.n; i++)
        forget_message(&a->messages.at[i]);
    VEC_FREE(&a->messages);
}
