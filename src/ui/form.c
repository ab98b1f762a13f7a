/* An open form, in the place of the item. */
#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "ui/prompt.h"
#include "ui/ui.h"

/* The box of a typed field, with the cursor where it is on: a number stands at
 * its right end, and what is longer than the box makes it grow. Returns the
 * cells used. */
static int draw_box(const struct form_field *x, const struct line *typing,
                    int y, int at, int room)
{
    bool number = x->kind == FIELD_NUMBER;
    enum style role = typing ? STYLE_ROW_ON : STYLE_TEXT;
    int box = number ? x->width - 2 : x->width, w = cells_width(x->value);
    box = box > w ? box : w;
    box = box < room - 2 ? box : room - 2;
    int pad = box > w ? box - w : 0, text = at + 1 + (number ? pad : 0);
    cells_blank(y, at, box + 2, role);
    cells_put(y, at, 1, role, "[");
    cells_put(y, at + box + 1, 1, role, "]");
    if (typing)
        line_text(typing, y, text, box - (number ? pad : 0), role);
    else
        cells_put(y, text, box, role, x->value);
    return box + 2;
}

static void draw_field(const struct form *f, size_t i, int y, int left, int w)
{
    const struct form_field *x = &f->fields[i];
    bool on = f->at == i;
    int at = left + GUTTER + 2, room = w - GUTTER - 3, used;
    cells_put(y, left + 1, GUTTER - 2, on ? STYLE_KEY : STYLE_LABEL,
              _(x->label));
    cells_put(y, left + GUTTER, 1, STYLE_RULE, "│");
    if (x->kind == FIELD_PICK)
        used = cells_printf(y, at, room, on ? STYLE_ROW_ON : STYLE_TEXT,
                            "◂ %s ▸", x->value);
    else
        used = draw_box(x, on ? &f->typing : NULL, y, at, room);
    int tab = used < 21 ? 21 : used + 1;
    if (tab < room)
        cells_put(y, at + tab, room - tab, STYLE_FACT, x->note);
}

void form_buttons(const struct form *f, int y, int w)
{
    int x = 1;
    for (size_t i = 0; i < f->n_buttons; i++) {
        char text[160];
        bool priced = i == f->main && *f->price && w >= 60;
        snprintf(text, sizeof text, "[ %s%s%s ]", _(f->buttons[i]),
                 priced ? ": " : "", priced ? f->price : "");
        bool on = f->at == f->n_fields + i;
        x += cells_put(y, x, w - x, on ? STYLE_ROW_ON : STYLE_TEXT,
                       text) + (w < 60 ? 1 : 3);
    }
}

void form_hint(const struct form *f, const char *said, int y)
{
    char keys[200];
    const char *start = _(f->buttons[f->main]);
    if (COLS >= 80)
        snprintf(keys, sizeof keys,
                 _(ROW_("Tab next  Left Right change  ^S %s  Enter press  "
                        "Esc close, form kept")), start);
    else
        snprintf(keys, sizeof keys, _("Tab next  ^S %s  Esc close"), start);
    cells_put(y, 1, COLS - 1, *said ? STYLE_WARN : STYLE_FACT,
              *said ? said : keys);
}

/* The figures that go into `room` cells with `gap` between them, as they stand
 * in the form: each is as wide as `width` says. */
static size_t fit_figures(const struct form *f, int room, int gap,
                          int (*width)(const struct form_figure *x),
                          const struct form_figure *out[FORM_FIGURES])
{
    for (int rank = FORM_FIGURES; rank > 0; rank--) {
        size_t n = 0;
        int w = -gap;
        for (size_t i = 0; i < f->n_figures; i++) {
            if (f->figures[i].rank >= rank)
                continue;
            out[n++] = &f->figures[i];
            w += gap + width(&f->figures[i]);
        }
        if (w <= room)
            return n;
    }
    return 0;
}

static int column_width(const struct form_figure *x)
{
    int title = cells_width(_(x->title)), value = cells_width(x->value);
    return title > value ? title : value;
}

static int pair_width(const struct form_figure *x)
{
    return cells_width(_(x->title)) + 1 + cells_width(x->value);
}

/* A row for the titles, one for the values; right under each other. */
static void add_figures(const struct form *f, int room, struct rich *to)
{
    const struct form_figure *list[FORM_FIGURES];
    size_t n = fit_figures(f, room, 2, column_width, list);
    for (int row = 0; n && row < 2; row++) {
        for (size_t i = 0; i < n; i++) {
            const char *text = row ? list[i]->value : _(list[i]->title);
            int pad = column_width(list[i]) - cells_width(text) + (i ? 2 : 0);
            while (pad-- > 0)
                rich_add(to, STYLE_TEXT, " ");
            rich_add(to, row ? STYLE_TEXT : STYLE_FACT, text);
        }
        rich_add(to, STYLE_TEXT, row && !*f->facts[0] ? "" : "\n");
    }
}

void form_line(const struct form *f, int y, int w)
{
    const struct form_figure *list[FORM_FIGURES];
    size_t n = fit_figures(f, w, 2, pair_width, list), last = 0;
    for (size_t i = 0, x = 0; i < n; i++)
        x += 2 + (size_t)cells_printf(y, (int)x, w - (int)x, STYLE_FACT,
                                      "%s %s", _(list[i]->title),
                                      list[i]->value);
    for (size_t i = 0; i < COUNT(f->facts); i++)
        last = *f->facts[i] ? i : last;
    if (!n)
        cells_put(y, 0, w, STYLE_FACT, f->facts[last]);
}

void form_draw(const struct form *f, struct area w)
{
    int y = w.y;
    size_t rows = w.h > 0 ? (size_t)w.h : 0;
    size_t i = f->at < f->n_fields && f->at >= rows ? f->at - rows + 1
               : f->tried && f->at >= f->n_fields   ? f->n_fields
                                                    : 0;
    for (; i < f->n_fields && y < w.y + w.h; i++)
        draw_field(f, i, y++, w.x, w.w);
    struct part facts = {0}, preview = {0};
    part_gut(&facts, STYLE_LABEL, _(f->facts_label), NULL);
    add_figures(f, w.w - GUTTER - 3, &facts.body);
    for (i = 0; i < COUNT(f->facts); i++) {
        rich_add(&facts.body, STYLE_TEXT, f->facts[i]);
        if (i + 1 < COUNT(f->facts) && *f->facts[i + 1])
            rich_add(&facts.body, STYLE_TEXT, "\n");
    }
    if (y + 2 < w.y + w.h) {
        if (y > w.y)
            part_rule(y++, w.x);
        int h = part_measure(&facts, w.w), left = w.y + w.h - y;
        int most = f->preview && left > 6 && f->tried ? left - 4
                   : f->preview && left > 3           ? 3
                                                      : left;
        h = h > most ? most : h;
        part_draw(&facts, y, w.x, h, w.w);
        y += h;
    }
    part_free(&facts);
    if (f->preview && y + 3 < w.y + w.h) {
        part_rule(y++, w.x);
        part_gut(&preview, STYLE_LABEL, _(f->preview_label), NULL);
        part_gut(&preview, STYLE_FACT, f->preview_title, NULL);
        rich_add(&preview.body, STYLE_TEXT, f->preview);
        part_measure(&preview, w.w);
        preview.scroll = f->scroll;
        int h = w.y + w.h - y;
        int more = (int)preview.lines.n - h - f->scroll;
        if (more > 0) {
            char text[24];
            snprintf(text, sizeof text, _("%d more"), more);
            part_foot(&preview, _("PgDn"), text);
        }
        part_draw(&preview, y, w.x, h, w.w);
        part_free(&preview);
    }
}
