/* Seeds: what a person supplied, and what was made and kept of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/uni.h"
#include "ui/ui.h"

static void where(struct app *a, int y, int x, int w)
{
    int64_t n[SPLIT_COUNT];
    char text[300];
    for (int i = 0; i < SPLIT_COUNT; i++)
        n[i] = a->target ? seed_count(a->s, a->target, i) : 0;
    snprintf(text, sizeof text,
             P_("%s   %lld seed   %lld train  %lld valid  %lld test   %lld "
                "never drawn",
                "%s   %lld seeds   %lld train  %lld valid  %lld test   %lld "
                "never drawn", (unsigned long)(n[0] + n[1] + n[2])),
             a->target_name ? a->target_name : "",
             (long long)(n[0] + n[1] + n[2]), (long long)n[0],
             (long long)n[1], (long long)n[2],
             (long long)(a->target ? seed_never_drawn(a->s, a->target) : 0));
    if (a->seeds.filter)
        snprintf(text, sizeof text, P_("%s   filter: %s   %zu seed",
                 "%s   filter: %s   %zu seeds", a->seeds.list.total),
                 a->target_name, a->seeds.filter, a->seeds.list.total);
    cells_put(y, x, w, STYLE_FACT, text);
}

static void header(struct app *a, int y, int x, int w)
{
    (void)a;
    cells_put(y, x, w, STYLE_FACT,
              _("   id   split  drawn  made  kept  tags      seed"));
}

static void row(struct app *a, size_t i, int y, int x, int w, bool on)
{
    const struct list *l = &a->seeds.list;
    struct seed_row r;
    char text[40];
    enum style role = on ? STYLE_ROW_ON : STYLE_ROW;
    if (!seed_row_get(a->s, list_at(l, i), &r))
        return;
    bool chosen = list_selected_count(l) && list_selected(l, r.id);
    if (on)
        cells_blank(y, x, w, role);
    cells_put(y, x + 1, 1, role, on ? "▸" : " ");
    cells_put(y, x + 2, 1, role, chosen ? "*" : " ");
    snprintf(text, sizeof text, "s%lld", (long long)r.id);
    cells_put(y, x + 3, 5, role, text);
    cells_put(y, x + 8, 6, role, split_label((enum split)r.split));
    bool test = r.split == SPLIT_TEST;
    snprintf(text, sizeof text, "%lld", (long long)r.drawn);
    cells_right(y, x + 15, 5, role, test && !r.drawn ? "–" : text);
    snprintf(text, sizeof text, "%lld", (long long)r.made);
    cells_right(y, x + 21, 5, role, test && !r.made ? "–" : text);
    snprintf(text, sizeof text, "%.0f%%", r.kept * 100);
    cells_right(y, x + 27, 5, role, r.kept < 0 ? "–" : text);
    cells_put(y, x + 34, 9, role, r.tags);
    cells_put(y, x + 44, w - 45, role, r.first_line);
    seed_row_free(&r);
}

static void turns(struct app *a, struct part *p)
{
    struct chat c;
    const struct seed *s = &a->seeds.now;
    char *text = prompt_text(s->prompt);
    part_gut(p, STYLE_LABEL, _("USER"), NULL);
    size_t n = uni_count_words(text);
    char words[24];
    snprintf(words, sizeof words, P_("%zu word", "%zu words", n), n);
    part_gutf(p, STYLE_FACT, words, "s%lld", (long long)s->id);
    free(text);
    if (!chat_parse(s->prompt, &c, NULL))
        return;
    for (size_t i = 0; i < c.n; i++) {
        if (c.n > 1) {
            rich_add(&p->body, STYLE_LABEL, role_name(c.at[i].role));
            rich_add(&p->body, STYLE_TEXT, "\n");
        }
        rich_add(&p->body, STYLE_TEXT, c.at[i].content);
        if (i + 1 < c.n)
            rich_add(&p->body, STYLE_TEXT, "\n");
    }
    chat_free(&c);
}

static void from_part(struct app *a, struct part *p)
{
    const struct seed *s = &a->seeds.now;
    struct seed_row r;
    char text[300], day[24], made[24];
    if (!seed_row_get(a->s, s->id, &r))
        return;
    part_gut(p, STYLE_LABEL, _("FROM"), NULL);
    clock_format(day, sizeof day, r.when, 1);
    if (s->origin)
        snprintf(text, sizeof text, _("line %lld of %s, %s\n"),
                 (long long)s->line, s->origin, day);
    else
        snprintf(text, sizeof text, _("written here, %s\n"), day);
    rich_add(&p->body, STYLE_TEXT, text);
    snprintf(made, sizeof made, "%lld", (long long)r.made);
    part_gut(p, STYLE_LABEL, _("MADE"), made);
    snprintf(text, sizeof text,
             _("%lld accepted   %lld rejected   %lld pending   %lld "
               "deferred"), (long long)r.accepted, (long long)r.rejected,
             (long long)r.pending, (long long)r.deferred);
    rich_add(&p->body, STYLE_FACT, text);
    seed_row_free(&r);
}

static void item(struct app *a, struct area w)
{
    const struct seed *s = &a->seeds.now;
    struct part parts[3] = {{.n_guts = 0}};
    int need[3], y = w.y;
    if (!s->id) {
        draw_nothing(w, _("no seeds here; I imports a file, + adds one"));
        return;
    }
    turns(a, &parts[0]);
    part_gut(&parts[1], STYLE_LABEL, _("ASSISTANT"), NULL);
    if (s->answer) {
        char *text = answer_text(s->answer);
        rich_add(&parts[1].body, STYLE_TEXT, text);
        free(text);
    } else {
        part_gut(&parts[1], STYLE_FACT, _("no answer"), NULL);
    }
    from_part(a, &parts[2]);
    for (int i = 0; i < 3; i++)
        need[i] = part_measure(&parts[i], w.w);
    int room = w.h - 2 - need[2] - (need[1] < 3 ? need[1] : 3);
    if (need[0] > room)
        need[0] = room > 2 ? room : 2;
    a->text_total = (int)parts[0].lines.n;
    a->text_rows = need[0];
    parts[0].scroll = a->seeds.scroll;
    for (int i = 0; i < 3; i++) {
        int left = w.y + w.h - y, h = need[i] < left ? need[i] : left;
        if (h > 0)
            part_draw(&parts[i], y, w.x, h, w.w);
        y += h;
        if (i < 2 && y < w.y + w.h)
            part_rule(y++, w.x);
    }
    for (int i = 0; i < 3; i++)
        part_free(&parts[i]);
}

static int list_rows(int rows)
{
    int n = rows / 3;
    return n < 1 ? 1 : n;
}

const struct view_ops view_seeds = {
    where, header, row, item, list_rows,
    .footer = "expand add import tag select filter find help"};
