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

static void help_header(struct app *a, int y, int x, int w)
{
    (void)a;
    cells_put(y, x, w, STYLE_FACT,
              _("   key          action            what it does"));
}

static void help_row(struct app *a, size_t i, int y, int x, int w, bool on)
{
    const struct action_info *info =
        action_info((enum action)(list_at(&a->help, i) - 1));
    enum style role = on ? STYLE_ROW_ON : STYLE_ROW;
    if (on)
        cells_blank(y, x, w, role);
    cells_put(y, x + 1, 1, role, on ? "▸" : " ");
    cells_put(y, x + 3, 12, on ? role : STYLE_KEY,
              !strcmp(info->keys, "Space") ? _("Space") : info->keys);
    cells_put(y, x + 16, 17, role, info->name);
    cells_put(y, x + 34, w - 35, role, _(info->help));
}

const struct view_ops view_help = {help_where, help_header, help_row, NULL,
                                   most_rows,
    .footer = "open find help-all back"};

/* ---- Messages ----------------------------------------------------------- */

static void messages_where(struct app *a, int y, int x, int w)
{
    cells_printf(y, x, w, STYLE_FACT, _("messages   %zu in this session"),
                 a->messages.n + a->messages_gone);
}

static void messages_row(struct app *a, size_t i, int y, int x, int w,
                         bool on)
{
    const struct message_line *m =
        &a->messages.at[list_at(&a->messages_list, i) - 1];
    char when[40];
    enum style role = on ? STYLE_ROW_ON : STYLE_ROW;
    if (on)
        cells_blank(y, x, w, role);
    cells_put(y, x + 1, 1, role, on ? "▸" : " ");
    clock_format(when, sizeof when, m->at, 0);
    const char *time = strrchr(when, ' ');
    cells_put(y, x + 3, 6, role, time ? time + 1 : when);
    int used = cells_put(y, x + 10, w - 11, role, m->text);
    if (m->command && used < w - 31)
        cells_put(y, x + 13 + used, w - 14 - used, on ? role : STYLE_FACT,
                  m->command);
}

const struct view_ops view_messages = {messages_where, NULL, messages_row,
                                       NULL, most_rows,
    .footer = "find back help"};

/* ---- Lineage ------------------------------------------------------------ */

static void lineage_where(struct app *a, int y, int x, int w)
{
    cells_printf(y, x, w, STYLE_FACT,
                 _("%s   lineage of %lld   back to its seeds, on to every "
                   "export"), a->target_name ? a->target_name : "",
                 (long long)(a->steps ? a->steps->sample : 0));
}

static void lineage_header(struct app *a, int y, int x, int w)
{
    (void)a;
    cells_put(y, x, w, STYLE_FACT,
              _("   step      when         what"));
}

static void lineage_row(struct app *a, size_t i, int y, int x, int w, bool on)
{
    const struct step *s = &a->steps->at[i];
    char when[40] = "";
    enum style role = on ? STYLE_ROW_ON : STYLE_ROW;
    if (on)
        cells_blank(y, x, w, role);
    cells_put(y, x + 1, 1, role, on ? "▸" : " ");
    cells_put(y, x + 3, 9, role, _(s->kind));
    if (s->at)
        clock_format(when, sizeof when, s->at, 0);
    cells_put(y, x + 13, 12, role, when);
    cells_put(y, x + 26, w - 27, role, s->what);
}

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

const struct view_ops view_lineage = {lineage_where, lineage_header,
                                      lineage_row, lineage_item, lineage_rows,
    .footer = "down open copy hidden back help"};
