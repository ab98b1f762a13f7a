#include "ui/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"


/* The y axis' top: the largest loss, rounded up to a plain number. */
static double curve_top(const curve_points *all, double top)
{
    for (size_t i = 0; i < all->n; i++) {
        top = fmax(top, all->at[i].loss); /* NAN is no largest */
        top = fmax(top, all->at[i].held_out);
    }
    return top <= 0 ? 1 : ceil(top);
}

static double last_step(const curve_points *all, double steps)
{
    return all->n ? fmax(steps, (double)all->at[all->n - 1].step) : steps;
}

struct plot {
    int y, x, h, w;
    double top, steps;
};

/* The mean training loss of each of `cols` columns, NAN where there is none.
 * The caller frees. */
static double *means(const curve_points *all, double steps, int cols)
{
    double *mean = xcalloc((size_t)cols, sizeof *mean);
    int *n = xcalloc((size_t)cols, sizeof *n);
    for (size_t i = 0; i < all->n; i++) {
        const struct curve_point *c = &all->at[i];
        int at = (int)((double)c->step / steps * (cols - 1));
        if (isnan(c->loss) || at < 0 || at >= cols)
            continue;
        mean[at] += c->loss;
        n[at]++;
    }
    for (int i = 0; i < cols; i++)
        mean[i] = n[i] ? mean[i] / n[i] : NAN;
    free(n);
    return mean;
}

/* The row of `rows` where a value stands. */
static int row_of(const struct plot *p, double v, int rows)
{
    int r = (int)((1 - v / p->top) * (rows - 1) + .5);
    return r < 0 ? 0 : r >= rows ? rows - 1 : r;
}

/* Sets dots of a braille grid (2 x 4 a cell) along the training loss. */
static void fill_dots(const curve_points *all, const struct plot *p,
                      unsigned char *dots)
{
    static const unsigned char bit[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    double *mean = means(all, p->steps, p->w * 2);
    for (int i = 0; i < p->w * 2; i++) {
        int r = isnan(mean[i]) ? 0 : row_of(p, mean[i], p->h * 4);
        if (!isnan(mean[i]))
            dots[r / 4 * p->w + i / 2] |= bit[r % 4][i % 2];
    }
    free(mean);
}

/* The training loss of the run that it is compared with: a sign a column. */
static void draw_other(const curve_points *all, const struct plot *p)
{
    double *mean = means(all, p->steps, p->w);
    for (int i = 0; i < p->w; i++)
        if (!isnan(mean[i]))
            cells_put(p->y + row_of(p, mean[i], p->h), p->x + i, 1,
                      STYLE_FACT, "-");
    free(mean);
}

static void draw_dots(const struct plot *p, const unsigned char *dots)
{
    for (int r = 0; r < p->h; r++)
        for (int c = 0; c < p->w; c++) {
            unsigned char d = dots[r * p->w + c];
            char text[4] = "";
            if (!d)
                continue;
            unsigned cp = 0x2800u + d;
            text[0] = (char)(0xe0 | cp >> 12);
            text[1] = (char)(0x80 | (cp >> 6 & 63));
            text[2] = (char)(0x80 | (cp & 63));
            cells_put(p->y + r, p->x + c, 1, STYLE_CURVE, text);
        }
}

static void draw_held(const curve_points *all, const struct plot *p,
                      const char *sign)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct curve_point *c = &all->at[i];
        if (isnan(c->held_out))
            continue;
        int at = (int)((double)c->step / p->steps * (p->w - 1));
        if (at >= 0 && at < p->w)
            cells_put(p->y + row_of(p, c->held_out, p->h), p->x + at, 1,
                      STYLE_HELD, sign);
    }
}

void curve_draw(const struct runs_state *r, struct area to)
{
    int y = to.y, x = to.x, h = to.h, w = to.w;
    struct plot p = {y, x + 4, h - 1, w - 4,
                     curve_top(&r->other_curve, curve_top(&r->curve, 0)),
                     last_step(&r->other_curve,
                               json_get_number(r->status, "steps", 1))};
    if (p.h < 2 || p.w < 10)
        return;
    if (p.steps < 1)
        p.steps = 1;
    unsigned char *dots = xcalloc((size_t)(p.h * p.w), 1);
    fill_dots(&r->curve, &p, dots);
    draw_other(&r->other_curve, &p);
    draw_dots(&p, dots);
    draw_held(&r->other_curve, &p, "x");
    draw_held(&r->curve, &p, "o");
    free(dots);
    cells_printf(y, x, 4, STYLE_FACT, "%.0f", p.top);
    char half[16];
    cells_put(y + (p.h - 1) / 2, x, 4, STYLE_FACT,
              lang_number(half, sizeof half, p.top / 2, 1));
    cells_put(y + p.h - 1, x, 4, STYLE_FACT, "0");
    for (int i = 0; i <= 4; i++) {
        char text[24];
        snprintf(text, sizeof text, "%.0f", p.steps * i / 4);
        int at = p.x + (p.w - 6) * i / 4;
        cells_put(y + h - 1, at, 6, STYLE_FACT, text);
    }
}
