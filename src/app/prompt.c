/* The prompt on row 23: what it opens with, completes, and does. */
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "store/tags.h"

static const char *line_start(struct app *a, enum line_kind kind)
{
    char **filter = view_filter(a);
    if (kind != LINE_FILTER || !filter)
        return "";
    return *filter ? *filter : a->view == VIEW_REVIEW ? "status:pending " : "";
}

void prompt_open(struct app *a, enum line_kind kind)
{
    line_open(&a->line, kind, line_start(a, kind));
    a->said[0] = '\0';
    a->stale = STALE_PAINT;
}

static void complete(struct app *a)
{
    struct buf all = BUF_INIT(0);
    size_t from = 0;
    char *text = xstrndup(buf_str(&a->line.text), a->line.cursor);
    if (a->line.kind == LINE_FILTER) {
        filter_complete(text, &from, &all);
    } else if (a->line.kind == LINE_COMMAND && !strncmp(text, "set ", 4)) {
        options_complete(text + 4, &from, &all);
        from += 4;
    } else if (a->line.kind == LINE_COMMAND) {
        for (int i = 0; i < ACTIONS; i++) {
            const char *name = action_info((enum action)i)->name;
            if (!strncmp(name, text, strlen(text)))
                buf_printf(&all, "%s\n", name);
        }
    } else if (a->line.kind == LINE_TAG) {
        char *tags = tags_all(a->s), *rest = tags, *one;
        from = text[0] == '-';
        while (rest && (one = strsep(&rest, "\n")))
            if (*one && !strncmp(one, text + from, strlen(text + from)))
                buf_printf(&all, "%s\n", one);
        free(tags);
    }
    line_complete(&a->line, from, buf_str(&all));
    buf_free(&all);
    free(text);
}

static void submit_line(struct app *a)
{
    static const char *const commands[LINE_KINDS] = {
        [LINE_FILTER] = "filter", [LINE_TAG] = "tag", [LINE_NOTE] = "note",
        [LINE_RATE] = "rate", [LINE_REASON] = "reject",
        [LINE_IMPORT] = "import", [LINE_ORDER] = "order",
        [LINE_ASK] = "ask"};
    enum line_kind kind = a->line.kind;
    char *text = xstrdup(buf_str(&a->line.text));
    line_close(&a->line, true);
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
    free(text);
}

bool prompt_key(struct app *a, const char *key)
{
    a->stale = STALE_PAINT;
    if (!strcmp(key, "Esc") || !strcmp(key, "^G")) {
        line_close(&a->line, false);
        return true;
    }
    if (!strcmp(key, "Enter")) {
        submit_line(a);
        return true;
    }
    if (!strcmp(key, "Tab")) {
        complete(a);
        return true;
    }
    if (line_key(&a->line, key))
        return true;
    line_insert(&a->line, !strcmp(key, "Space") ? " " : key);
    return true;
}
