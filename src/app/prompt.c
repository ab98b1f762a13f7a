/* The prompt on row 23: what it opens with, completes, and does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/complete.h"

static const char *line_start(struct app *a, enum line_kind kind,
                              char rating[16])
{
    char **filter = view_filter(a);
    if (kind == LINE_NOTE && view_note(a))
        return view_note(a);
    if (kind == LINE_RATE && a->review.now.rating) {
        snprintf(rating, 16, "%d", a->review.now.rating);
        return rating;
    }
    if (kind != LINE_FILTER || !filter)
        return "";
    return *filter ? *filter : a->view == VIEW_REVIEW ? "status:pending " : "";
}

void prompt_open(struct app *a, enum line_kind kind)
{
    char rating[16];
    line_open(&a->line, kind, line_start(a, kind, rating));
    a->said[0] = '\0';
    a->stale = STALE_PAINT;
}

void prompt_complete(struct line *l, struct app *a)
{
    struct buf all = BUF_INIT(0);
    size_t from = 0;
    char *text = xstrndup(buf_str(&l->text), l->cursor);
    completes *fn = complete_of(l->kind);
    if (fn && !l->completions)
        fn(a, text, &from, &all);
    line_complete(l, from, buf_str(&all));
    buf_free(&all);
    free(text);
}

static void submit(struct app *a, enum line_kind kind, const char *text)
{
    static const char *const commands[LINE_KINDS] = {
        [LINE_FILTER] = "filter", [LINE_TAG] = "tag", [LINE_NOTE] = "note",
        [LINE_RATE] = "rate", [LINE_REASON] = "reject",
        [LINE_IMPORT] = "import", [LINE_ORDER] = "order",
        [LINE_ASK] = "ask"};
    if (kind == LINE_COMMAND) {
        app_command(a, text);
    } else if (kind == LINE_FIND) {
        find_start(a, text);
    } else {
        char *command = xasprintf("%s %s", commands[kind],
                                  *text ? text : "\"\"");
        app_command(a, command);
        free(command);
    }
}

/* What was not taken stays, to be mended. */
static void submit_line(struct app *a)
{
    enum line_kind kind = a->line.kind;
    char *text = xstrdup(buf_str(&a->line.text));
    line_close(&a->line, true);
    a->wrong = false;
    submit(a, kind, text);
    if (a->wrong && a->line.kind == LINE_NONE && !a->ask.kind) {
        line_open(&a->line, kind, text);
        snprintf(a->line.wrong, sizeof a->line.wrong, "%s", a->said);
        a->said[0] = '\0';
    }
    free(text);
}

bool prompt_key(struct app *a, const char *key)
{
    a->stale = STALE_PAINT;
    if (!strcmp(key, "Esc") || !strcmp(key, "^G"))
        line_close(&a->line, true);
    else if (!strcmp(key, "Enter"))
        submit_line(a);
    else if (!strcmp(key, "Tab"))
        prompt_complete(&a->line, a);
    else
        line_key(&a->line, key);
    return true;
}
