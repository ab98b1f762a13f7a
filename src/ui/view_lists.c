/* Lineage, help and messages: views that are lists above all. */
#include <stdio.h>
#include <string.h>

#include "app/lineage.h"
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
    cells_printf(y, x, w, STYLE_FACT,
                 _("help   %s   %zu actions   / searches, Enter does it, q "
                   "back"),
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
    cells_printf(y, x, w, STYLE_FACT, _("messages   %zu in this session"),
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

const struct view_ops view_messages = {
    .where = messages_where,
    .list = {message_columns, COUNT(message_columns), .selects = false},
    .list_rows = most_rows,
    .footer = "find back help"};

/* ---- Lineage ------------------------------------------------------------ */

static void lineage_where(struct app *a, int y, int x, int w)
{
    cells_printf(y, x, w, STYLE_FACT,
                 _("%s   lineage of %lld   back to its seeds, on to every "
                   "export"), a->target_name ? a->target_name : "",
                 (long long)(a->steps ? a->steps->sample : 0));
}

static const struct step *step_of(struct app *a, size_t row)
{
    return &a->steps->at[row];
}

static void step_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", _(step_of(a, row)->kind));
}

static void when_text(struct app *a, size_t row, char *out, size_t cap)
{
    if (step_of(a, row)->at)
        clock_format(out, cap, step_of(a, row)->at, 0);
}

static void what_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", step_of(a, row)->what);
}

static const struct column lineage_columns[] = {
    {N_("step"), COLUMN_TEXT, 0, 9, 9, 0, step_text, 0},
    {N_("when"), COLUMN_TEXT, 1, 12, 13, 1, when_text, 0},
    {N_("what"), COLUMN_TEXT, 1, 0, 0, 0, what_text, 0}};

static void lineage_item(struct app *a, struct area w)
{
    struct part p = {0};
    if (!a->steps || a->lineage.cursor >= a->steps->n)
        return;
    const struct step *s = &a->steps->at[a->lineage.cursor];
    part_gut(&p, STYLE_LABEL, s->title, NULL);
    rich_add(&p.body, STYLE_TEXT, s->text ? s->text : "");
    part_measure(&p, w.w);
    part_draw(&p, w.y, w.x, w.h, w.w);
    part_free(&p);
}

static int lineage_rows(int rows)
{
    return rows * 10 / 24 > 0 ? rows * 10 / 24 : 1;
}

const struct view_ops view_lineage = {
    .where = lineage_where,
    .list = {lineage_columns, COUNT(lineage_columns), .selects = false},
    .item = lineage_item,
    .stacked = true,
    .list_rows = lineage_rows,
    .footer = "down open copy hidden back help"};
