#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "ui/ui.h"

void part_free(struct part *p)
{
    rich_free(&p->body);
    VEC_FREE(&p->lines);
}

void part_gut(struct part *p, enum style role, const char *left,
              const char *right)
{
    if (p->n_guts == GUTS)
        return;
    struct gut *g = &p->guts[p->n_guts++];
    *g = (struct gut){.role = role, .mark_role = role};
    snprintf(g->left, sizeof g->left, "%s", left ? left : "");
    snprintf(g->right, sizeof g->right, "%s", right ? right : "");
}

void part_gutf(struct part *p, enum style role, const char *right,
               const char *fmt, ...)
{
    char text[48];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    part_gut(p, role, text, right);
}

void part_mark(struct part *p, enum style mark, const char *text,
               const char *right)
{
    part_gut(p, STYLE_FACT, text, right);
    p->guts[p->n_guts - 1].mark_role = mark;
}

void part_foot(struct part *p, const char *left, const char *right)
{
    if (p->n_feet == COUNT(p->feet))
        return;
    struct gut *g = &p->feet[p->n_feet++];
    *g = (struct gut){.role = STYLE_FACT, .mark_role = STYLE_FACT};
    snprintf(g->left, sizeof g->left, "%s", left);
    snprintf(g->right, sizeof g->right, "%s", right ? right : "");
}

void part_more(const struct app *a, struct part *p, int rows)
{
    char text[24];
    if (rows <= 0)
        return;
    snprintf(text, sizeof text, _("%d more"), rows);
    part_foot(p, a->list_focus ? _("Tab") : _("PgDn"), text);
}

int part_measure(struct part *p, int w)
{
    rich_wrap(&p->body, w - GUTTER - 3, &p->lines);
    int n = p->body.text.len ? (int)p->lines.n : 0;
    return n > p->n_guts ? n : p->n_guts;
}

static void draw_gut(const struct gut *g, int y, int x)
{
    int right = cells_width(g->right);
    int room = GUTTER - 2 - (right ? right + 1 : 0);
    int used = cells_put(y, x + 1, room, g->role, g->left);
    if (g->mark_role != g->role && used > 0) {
        char first[8] = "";
        size_t n = 1;
        while ((g->left[n] & 0xc0) == 0x80)
            n++;
        memcpy(first, g->left, n);
        cells_put(y, x + 1, 1, g->mark_role, first);
    }
    if (right)
        cells_right(y, x + 1, GUTTER - 2, STYLE_FACT, g->right);
}

void part_draw(struct part *p, int y, int x, int h, int w)
{
    int most = (int)p->lines.n;
    for (int i = 0; i < h; i++) {
        int foot = i - (h - p->n_feet);
        if (foot >= 0)
            draw_gut(&p->feet[foot], y + i, x);
        else if (i < p->n_guts)
            draw_gut(&p->guts[i], y + i, x);
        cells_put(y + i, x + GUTTER, 1, STYLE_RULE, "│");
        if (p->body.text.len && i + p->scroll < most)
            rich_draw(&p->body, p->lines.at[i + p->scroll], y + i,
                      x + GUTTER + 2, w - GUTTER - 2);
    }
}

void part_find(const struct app *a, struct part *p)
{
    if (a->find && *a->find)
        rich_mark(&p->body, a->find);
}

void part_hits(struct app *a, const struct part *p, int top)
{
    for (size_t i = 0; i < p->lines.n && a->n_hits < COUNT(a->hits); i++)
        if (rich_has_mark(&p->body, p->lines.at[i]))
            a->hits[a->n_hits++] = top + (int)i;
}

int text_scrolls(struct app *a, int rows, int total)
{
    int *scroll = view_scroll(a), most = total > rows ? total - rows : 0;
    a->text_rows = rows;
    a->text_total = total;
    if (!scroll)
        return 0;
    *scroll = *scroll > most ? most : *scroll < 0 ? 0 : *scroll;
    return *scroll;
}

int cursor_line(const struct rich *r, const wrapped_lines *lines, size_t at,
                int *column)
{
    *column = 0;
    for (size_t i = 0; i < lines->n; i++) {
        struct wrapped l = lines->at[i];
        bool last = i + 1 == lines->n;
        if (at < l.from || (!last && at >= lines->at[i + 1].from))
            continue;
        *column = rich_column(r, l, at);
        return (int)i;
    }
    return 0;
}

void draw_nothing(struct area w, const char *sentence)
{
    int left = w.w < 60 ? 0 : GUTTER + 2;
    struct rich r = {.text = BUF_INIT(0)};
    wrapped_lines lines = {0};
    rich_add(&r, STYLE_FACT, sentence);
    rich_wrap(&r, w.w - left, &lines);
    for (int i = 0; i < (int)lines.n && i + 1 < w.h; i++)
        rich_draw(&r, lines.at[i], w.y + 1 + i, w.x + left, w.w - left);
    rich_free(&r);
    VEC_FREE(&lines);
}

int put_facts(int y, int x, int w, const char *fmt, ...)
{
    static const char between[] = "   ";
    char text[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    while (cells_width(text) > w) {
        char *last = NULL, *p = text;
        while ((p = strstr(p, between)))
            last = p++;
        if (!last)
            break;
        *last = '\0';
    }
    return cells_put(y, x, w, STYLE_FACT, text);
}

void part_rule(int y, int x)
{
    cells_rule(y, x, GUTTER);
    cells_put(y, x + GUTTER, 1, STYLE_RULE, "┤");
}

int stack_measure(struct part *parts, size_t n, int w)
{
    int rows = n ? (int)n - 1 : 0;
    for (size_t i = 0; i < n; i++)
        rows += part_measure(&parts[i], w);
    return rows;
}

static void draw_parts(struct app *a, struct part *parts, size_t n,
                       struct area w, int scroll, int more)
{
    int y = w.y, end = w.y + w.h, top = 0;
    for (size_t i = 0; i < n; i++) {
        struct part *p = &parts[i];
        int rows = part_measure(p, w.w);
        int gone = scroll > top ? scroll - top : 0;
        top += rows + 1;
        if (gone > rows || y >= end)
            continue;
        int h = i + 1 == n || rows - gone > end - y ? end - y : rows - gone;
        p->scroll = gone;
        if (y + h == end)
            part_more(a, p, more);
        part_draw(p, y, w.x, h, w.w);
        y += h;
        if (i + 1 < n && y < end)
            part_rule(y++, w.x);
    }
}

void stack_draw(struct app *a, struct part *parts, size_t n, struct area w)
{
    int total = stack_measure(parts, n, w.w), top = 0;
    int scroll = text_scrolls(a, w.h, total);
    for (size_t i = 0; i < n; i++) {
        part_hits(a, &parts[i], top);
        top += part_measure(&parts[i], w.w) + 1;
    }
    draw_parts(a, parts, n, w, scroll, total - w.h - scroll);
}

void stack_still(struct app *a, struct part *parts, size_t n, struct area w)
{
    draw_parts(a, parts, n, w, 0, 0);
}

void cross_rule(int y, int x, int w, bool bottom)
{
    cells_rule(y, x, w);
    cells_put(y, x + GUTTER, 1, STYLE_RULE, bottom ? "┴" : "┬");
}

static void add_both(struct rich *r, const struct compared *c)
{
    char head[120];
    snprintf(head, sizeof head,
             _("no diff, less than a third is shared; %s:"), c->a_name);
    rich_add(r, STYLE_FACT, head);
    rich_add(r, STYLE_TEXT, "\n");
    rich_add(r, STYLE_TEXT, c->a);
    snprintf(head, sizeof head, "\n%s:", c->b_name);
    rich_add(r, STYLE_FACT, head);
    rich_add(r, STYLE_TEXT, "\n");
    rich_add(r, STYLE_TEXT, c->b);
}

/* One piece of a diff; `was` is the one before it. */
static void add_piece(struct rich *r, const char *s, struct diff_piece p,
                      const struct diff_piece *was, bool marks)
{
    static const enum style roles[] = {STYLE_TEXT, STYLE_DEL, STYLE_ADD};
    static const char *const open[] = {"", "[-", "{+"};
    static const char *const close[] = {"", "-]", "+}"};
    bool behind = was && was->op == DIFF_DEL;
    /* with marks an addition stands right behind what it replaces */
    if (p.from > p.gap && !(behind && p.op == DIFF_ADD && marks))
        rich_add_n(r, STYLE_TEXT, s + p.gap, p.from - p.gap);
    else if (behind && !marks && (p.op == DIFF_ADD || was->from == was->gap))
        rich_add(r, STYLE_TEXT, " ");
    else if (behind && p.op == DIFF_KEEP && was->from == was->gap)
        rich_add(r, STYLE_TEXT, " ");
    if (marks)
        rich_add(r, roles[p.op], open[p.op]);
    rich_add_n(r, roles[p.op], s + p.from, p.to - p.from);
    if (marks)
        rich_add(r, roles[p.op], close[p.op]);
}

bool diff_marks(const struct app *a)
{
    int v = a->options.value[OPTION_DIFFMARKS];
    return v == OPTION_ON ||
           (v == OPTION_AUTO && !cells_tell(STYLE_DEL, STYLE_ADD));
}

void add_diff(struct rich *r, const struct compared *c, bool marks)
{
    struct diff d;
    diff_words(c->a, c->b, &d);
    if (diff_apart(&d))
        add_both(r, c);
    for (size_t i = 0; i < d.pieces.n && !diff_apart(&d); i++) {
        struct diff_piece p = d.pieces.at[i];
        add_piece(r, p.op == DIFF_DEL ? c->a : c->b, p,
                  i ? &d.pieces.at[i - 1] : NULL, marks);
    }
    diff_free(&d);
}

const char *short_figure(char *out, size_t cap, double v)
{
    if (isnan(v)) {
        snprintf(out, cap, "–");
        return out;
    }
    char text[32];
    lang_number(text, sizeof text, v, 2);
    snprintf(out, cap, "%s", text + (text[0] == '0' && v < 1));
    return out;
}

const char *near_figure(char *out, size_t cap, double v, bool approximate)
{
    char text[16];
    snprintf(out, cap, "%s%s", figure_mark(approximate),
             short_figure(text, sizeof text, v));
    return out;
}

const char *count_text(char *out, size_t cap, int64_t n)
{
    snprintf(out, cap, "?");
    return n < 0 ? out : lang_number(out, cap, (double)n, 0);
}

const char *position_text(char *out, size_t cap, const struct list *l)
{
    char at[32], of[32];
    int64_t row = l->total ? (int64_t)l->cursor + 1 : 0;
    snprintf(out, cap, _("%s of %s"), count_text(at, sizeof at, row),
             l->uncounted ? "?"
                          : count_text(of, sizeof of, (int64_t)l->total));
    return out;
}
