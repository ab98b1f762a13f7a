/* Help and messages: views that are lists alone. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "ui/ui.h"

static int most_rows(int rows)
{
    return rows - 5;
}

/* ---- Help --------------------------------------------------------------- */

static void help_where(struct app *a, int y, int x, int w)
{
    put_facts(y, x, w,
                 P_("help   %s   %zu action   / searches, Enter does it, q "
                    "back",
                    "help   %s   %zu actions   / searches, Enter does it, q "
                    "back", a->help.total),
                 a->help_all ? _("all views")
                                     : _(view_of(a->help_of)->title),
                 a->help.total);
}

static const struct action_info *help_of(struct app *a, size_t row)
{
    return action_info((enum action)(list_at(&a->help, row) - 1));
}

static void key_text(struct app *a, size_t row, char *out, size_t cap)
{
    const char *keys = help_of(a, row)->keys;
    snprintf(out, cap, "%s", !strcmp(keys, "Space") ? _("Space") : keys);
}

static void action_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", help_of(a, row)->name);
}

static void does_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", _(help_of(a, row)->help));
}

static const struct column help_columns[] = {
    {N_("key"), COLUMN_TEXT, 0, 13, 13, 0, key_text, STYLE_KEY},
    {N_("action"), COLUMN_TEXT, 0, 17, 17, 1, action_text, 0},
    {N_("what it does"), COLUMN_TEXT, 1, 0, 0, 0, does_text, 0}};

const struct view_ops view_help = {
    .where = help_where,
    .list = {help_columns, COUNT(help_columns), .selects = false},
    .list_rows = most_rows,
    .footer = "open find help-all back"};

/* ---- Messages ----------------------------------------------------------- */

static void messages_where(struct app *a, int y, int x, int w)
{
    put_facts(y, x, w, _("messages   %zu in this session"),
                 a->messages.n + a->messages_gone);
}

static const struct message_line *message_of(struct app *a, size_t row)
{
    return &a->messages.at[list_at(&a->messages_list, row) - 1];
}

static void time_text(struct app *a, size_t row, char *out, size_t cap)
{
    char when[40];
    clock_format(when, sizeof when, message_of(a, row)->at, 0);
    const char *time = strrchr(when, ' ');
    snprintf(out, cap, "%s", time ? time + 1 : when);
}

static void message_text(struct app *a, size_t row, char *out, size_t cap)
{
    const struct message_line *m = message_of(a, row);
    snprintf(out, cap, "%s%s%s", m->text, m->command ? "   " : "",
             m->command ? m->command : "");
}

static const struct column message_columns[] = {
    {N_("when"), COLUMN_TEXT, 0, 6, 6, 0, time_text, 0},
    {N_("what was said"), COLUMN_TEXT, 1, 0, 0, 0, message_text, 0}};

/* The message under the cursor, whole, and the command that does the same. */
static void message_item(struct app *a, struct area w)
{
    struct part p = {0};
    if (!a->messages_list.total) {
        draw_nothing(w, _("nothing was said yet"));
        return;
    }
    const struct message_line *m = message_of(a, a->messages_list.cursor);
    char when[24];
    clock_format(when, sizeof when, m->at, 0);
    part_gut(&p, STYLE_FACT, when, NULL);
    rich_add(&p.body, STYLE_TEXT, m->text);
    if (m->command) {
        rich_add(&p.body, STYLE_TEXT, "\n");
        rich_add(&p.body, STYLE_FACT, m->command);
    }
    part_measure(&p, w.w);
    p.scroll = text_scrolls(a, w.h, (int)p.lines.n);
    part_more(a, &p, a->text_total - a->text_rows - p.scroll);
    part_draw(&p, w.y, w.x, w.h, w.w);
    part_free(&p);
}

/* All but the rows of a message of some length. */
static int message_rows(int rows)
{
    return rows - 10;
}

const struct view_ops view_messages = {
    .where = messages_where,
    .list = {message_columns, COUNT(message_columns), .selects = false},
    .item = message_item,
    .stacked = true,
    .list_rows = message_rows,
    .footer = "find back help"};
