/* Lineage: the steps of a sample, and the text of the one under the cursor. */
#include <stdio.h>

#include "base/clock.h"
#include "base/lang.h"
#include "ui/ui.h"

static void where(struct app *a, int y, int x, int w)
{
    put_facts(y, x, w,
                 _("%s   lineage of %lld   back to its seeds, on to every "
                   "export"), a->target_name ? a->target_name : "",
                 (long long)a->lineage.sample);
}

static const struct step *step_of(struct app *a, size_t row)
{
    return &a->lineage.steps.at[row];
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

static const struct column columns[] = {
    {N_("step"), COLUMN_TEXT, 0, 9, 9, 0, step_text, 0},
    {N_("when"), COLUMN_TEXT, 1, 12, 13, 1, when_text, 0},
    {N_("what"), COLUMN_TEXT, 1, 0, 0, 0, what_text, 0}};

/* The gutter names the sample's own item where that begins; the first time
 * the text is scrolled there. */
static void scroll_to_item(struct app *a, const struct step *s,
                           const struct part *p, int line)
{
    struct lineage *l = &a->lineage;
    if (l->to_item && s->item)
        l->scroll = line > p->n_guts ? line - p->n_guts : 0;
    l->to_item = false;
}

static void draw_mark(const struct step *s, const struct part *p, int line,
                      struct area w)
{
    int row = line - p->scroll;
    char text[40];
    if (!s->item || row < 0 || row >= w.h - p->n_feet)
        return;
    snprintf(text, sizeof text, _("item %lld ▸"), (long long)s->item);
    cells_right(w.y + row, w.x + 1, GUTTER - 2, STYLE_LABEL,
                row < p->n_guts ? "▸" : text);
}

static void item(struct app *a, struct area w)
{
    const struct step *s = lineage_step(&a->lineage);
    struct part p = {0};
    int column;
    if (!s)
        return;
    part_gut(&p, STYLE_LABEL, s->title, NULL);
    if (s->under)
        part_gut(&p, STYLE_FACT, s->under, NULL);
    rich_add(&p.body, STYLE_TEXT, s->text ? s->text : "");
    int total = part_measure(&p, w.w);
    int line = cursor_line(&p.body, &p.lines, s->item_at, &column);
    scroll_to_item(a, s, &p, line);
    p.scroll = text_scrolls(a, w.h, total);
    part_more(a, &p, total - w.h - p.scroll);
    part_draw(&p, w.y, w.x, w.h, w.w);
    draw_mark(s, &p, line, w);
    part_free(&p);
}

static int list_rows(int rows)
{
    return rows * 10 / 24 > 0 ? rows * 10 / 24 : 1;
}

const struct view_ops view_lineage = {
    .where = where,
    .list = {columns, COUNT(columns), .selects = false},
    .item = item,
    .stacked = true,
    .list_rows = list_rows,
    .footer = "down open copy page-down hidden back help"};
