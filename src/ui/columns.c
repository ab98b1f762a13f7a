#include "ui/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"

#define COLUMNS 12
#define TEXT_LEAST 17

/* Where the columns stand on a list of a certain width. */
struct places {
    int x[COLUMNS], w[COLUMNS]; /* w 0: it is not there */
    int sign;                   /* of the row's sign, 0: none */
};

static int lead(const struct list_look *look, bool beside)
{
    int sign = look->mark && (beside || !look->mark_beside);
    return 3 + sign + (sign && look->mark_beside); /* text keeps off it */
}

static int wanted(const struct column *c, bool beside)
{
    if (beside)
        return c->beside < 0 ? c->gap + c->width : c->beside;
    return c->beside < 0 ? 0 : c->gap + c->width;
}

/* A figure in sight that is wider than its column makes that wider, so that it
 * stands there whole, with a blank before it. */
static void widen(struct app *a, const struct list_look *look,
                  struct places *p, int rows)
{
    const struct list *l = app_list(a);
    for (size_t i = 0; i + 1 < look->n; i++) {
        const struct column *c = &look->columns[i];
        for (int k = 0; k < rows && l->top + (size_t)k < l->total; k++) {
            char text[COLUMN_CAP] = "";
            if (c->kind != COLUMN_FIGURE || !p->w[i])
                break;
            c->text(a, l->top + (size_t)k, text, sizeof text);
            int need = cells_width(text) + (c->gap ? c->gap : 1);
            p->w[i] = need > p->w[i] ? need : p->w[i];
        }
    }
}

/* Drops one column; false where none may go. */
static bool drop_one(const struct list_look *look, struct places *p)
{
    size_t least = look->n;
    for (size_t i = 0; i + 1 < look->n; i++) {
        const struct column *c = &look->columns[i];
        if (p->w[i] && c->drop &&
            (least == look->n || c->drop < look->columns[least].drop))
            least = i;
    }
    if (least == look->n)
        return false;
    p->w[least] = 0;
    return true;
}

/* The i-th column. */
static const struct column *column_of(const struct list_look *look, size_t i,
                                      bool beside)
{
    return beside && look->beside_last && i + 1 == look->n
               ? look->beside_last
               : &look->columns[i];
}

static struct places fit(struct app *a, const struct list_look *look, int w,
                         int rows, bool beside)
{
    struct places p = {.sign = lead(look, beside) > 3 ? 3 : 0};
    int x, rest;
    const struct column *last = column_of(look, look->n - 1, beside);
    int least = last == look->beside_last ? last->width : TEXT_LEAST;
    for (size_t i = 0; i + 1 < look->n; i++)
        p.w[i] = wanted(&look->columns[i], beside);
    widen(a, look, &p, rows);
    do {
        x = lead(look, beside);
        for (size_t i = 0; i + 1 < look->n; i++) {
            p.x[i] = x;
            x += p.w[i];
        }
        rest = w - 1 - x - last->gap;
    } while (rest < least && drop_one(look, &p));
    p.x[look->n - 1] = x + last->gap;
    p.w[look->n - 1] = rest > 0 ? rest : 0;
    return p;
}

/* A bar of eighths. */
static void draw_bar(int y, int x, int w, enum style role, const char *percent)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌",
                                          "▋", "▊", "▉", "█"};
    int full = (int)(atof(percent) / 100 * w * 8 + .5);
    for (int i = 0; i < w; i++) {
        int n = full - 8 * i;
        cells_put(y, x + i, 1, role, eighths[n < 0 ? 0 : n > 8 ? 8 : n]);
    }
}

static void draw_cell(const struct column *c, int y, int x, int w, bool last,
                      enum style role, const char *text)
{
    int gap = last ? 0 : w < c->gap ? w : c->gap;
    if (c->kind == COLUMN_BAR)
        draw_bar(y, x + gap, w - gap, role, text);
    else if (c->kind == COLUMN_TEXT)
        cells_put(y, x + gap, w - gap, role, text);
    else if (cells_width(text) <= w)
        cells_right(y, x, w, role, text);
}

static const char *title(const struct column *c)
{
    return *c->title ? C_(c->title) : "";
}

static void draw_titles(const struct list_look *look, const struct places *p,
                        int y, int x, enum style role, bool beside)
{
    for (size_t i = 0; i < look->n; i++) {
        struct column c = *column_of(look, i, beside);
        c.kind = c.kind == COLUMN_BAR ? COLUMN_TEXT : c.kind;
        if (p->w[i])
            draw_cell(&c, y, x + p->x[i], p->w[i], i + 1 == look->n, role,
                      title(&c));
    }
}

static void draw_row(struct app *a, const struct list_look *look,
                     const struct places *p, size_t row, struct area line,
                     bool beside)
{
    struct list *l = app_list(a);
    bool on = row == l->cursor;
    enum style role = on            ? STYLE_ROW_ON
                      : look->style ? look->style(a, row)
                                    : STYLE_ROW;
    int y = line.y, x = line.x;
    if (on)
        cells_blank(y, x, line.w, role);
    cells_put(y, x + 1, 1, role, on ? "▸" : " ");
    if (look->selects && list_selected(l, list_at(l, row)))
        cells_put(y, x + 2, 1, role, "*");
    if (p->sign)
        cells_put(y, x + 3, 1, role, look->mark(a, row));
    for (size_t i = 0; i < look->n; i++) {
        const struct column *c = column_of(look, i, beside);
        char text[COLUMN_CAP] = "";
        if (!p->w[i])
            continue;
        c->text(a, row, text, sizeof text);
        draw_cell(c, y, x + p->x[i], p->w[i], i + 1 == look->n,
                  on || !c->style ? role : c->style, text);
    }
}

void columns_draw(struct app *a, const struct list_look *look,
                  struct area w, bool beside)
{
    struct list *l = app_list(a);
    struct places p = fit(a, look, w.w, w.h - 1, beside);
    draw_titles(look, &p, w.y, w.x,
                a->list_focus ? STYLE_LABEL : STYLE_FACT, beside);
    for (int i = 1; i < w.h && l->top + (size_t)i - 1 < l->total; i++)
        draw_row(a, look, &p, l->top + (size_t)i - 1,
                 (struct area){w.y + i, w.x, 1, w.w}, beside);
}
