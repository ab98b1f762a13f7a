/* Targets: the skills that are being distilled, with counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/lang.h"
#include "base/uni.h"
#include "ui/ui.h"

static void where(struct app *a, int y, int x, int w)
{
    const struct list *l = &a->targets.list;
    int64_t accepted = 0, pending = 0;
    double spent = 0;
    char one[32], two[32], three[32];
    for (size_t i = 0; i < l->total; i++) {
        struct target_counts n;
        target_counts(a->s, list_at(l, i), &n);
        accepted += n.accepted;
        pending += n.pending;
        spent += n.cost;
    }
    cells_printf(y, x, w, STYLE_FACT,
                 P_("%zu target   %s accepted   %s pending   %s spent",
                    "%zu targets   %s accepted   %s pending   %s spent",
                    l->total),
                 l->total, count_text(one, sizeof one, accepted),
                 count_text(two, sizeof two, pending),
                 lang_money(three, sizeof three, spent, 2));
}

static void header(struct app *a, int y, int x, int w)
{
    (void)a;
    cells_put(y, x, w, STYLE_FACT,
              _("   seeds  pend accept yield  $/acc  student  target"));
}

static void row(struct app *a, size_t i, int y, int x, int w, bool on)
{
    struct target t;
    struct target_counts n;
    char text[40], num[32];
    enum style role = on ? STYLE_ROW_ON : STYLE_ROW;
    if (!target_get(a->s, list_at(&a->targets.list, i), &t, NULL))
        return;
    target_counts(a->s, t.id, &n);
    if (on)
        cells_blank(y, x, w, role);
    cells_put(y, x + 1, 1, role, on ? "▸" : " ");
    cells_right(y, x + 3, 5, role, count_text(num, sizeof num, n.seeds));
    cells_right(y, x + 9, 5, role, count_text(num, sizeof num, n.pending));
    cells_right(y, x + 15, 6, role, count_text(num, sizeof num, n.accepted));
    int64_t decided = n.accepted + n.rejected;
    snprintf(text, sizeof text, "%.0f%%",
             decided ? 100.0 * (double)n.accepted / (double)decided : 0);
    cells_right(y, x + 21, 6, role, decided ? text : "–");
    lang_number(num, sizeof num,
                n.accepted ? n.cost / (double)n.accepted : 0, 3);
    cells_right(y, x + 28, 6, role, n.accepted ? num : "–");
    snprintf(text, sizeof text, "%.0f%%", n.student * 100);
    cells_right(y, x + 35, 8, role, n.student >= 0 ? text : "–");
    cells_put(y, x + 45, w - 46, role, t.name);
    target_free(&t);
}

static void item(struct app *a, struct area w)
{
    const struct target *t = &a->targets.now;
    struct part parts[3] = {{.n_guts = 0}};
    char words[24];
    int y = w.y;
    if (!t->id) {
        draw_nothing(w, _("no target yet; + makes one"));
        return;
    }
    json *j = json_parse(t->doc, strlen(t->doc), NULL);
    const char *system = json_get_string(j, "system", "");
    part_gut(&parts[0], STYLE_LABEL, t->name, NULL);
    rich_add(&parts[0].body, STYLE_TEXT,
             json_get_string(j, "description", _("no description yet; e")));
    size_t n = uni_count_words(system);
    snprintf(words, sizeof words, P_("%zu word", "%zu words", n), n);
    part_gut(&parts[1], STYLE_LABEL, _("SYSTEM"), words);
    rich_add(&parts[1].body, STYLE_TEXT, system);
    const json *list = json_get(j, "principles");
    snprintf(words, sizeof words, "%zu", json_count(list));
    part_gut(&parts[2], STYLE_LABEL, _("PRINCIPLES"), words);
    int i = 1;
    for (const json *p = json_first(list); p; p = json_next(p), i++) {
        char line[400];
        snprintf(line, sizeof line, "%d  %s\n", i, json_string(p));
        rich_add(&parts[2].body, STYLE_TEXT, line);
    }
    for (int k = 0; k < 3; k++) {
        int need = part_measure(&parts[k], w.w);
        need = need < 2 && k == 0 ? 2 : need;
        int left = w.y + w.h - y, h = need < left ? need : left;
        if (h > 0)
            part_draw(&parts[k], y, w.x, h, w.w);
        y += h;
        if (k < 2 && y < w.y + w.h)
            part_rule(y++, w.x);
        part_free(&parts[k]);
    }
    json_free(j);
}

static int list_rows(int rows)
{
    int n = rows / 6;
    return n < 1 ? 1 : n;
}

const struct view_ops view_targets = {
    where, header, row, item, list_rows,
    .footer = "open add edit expand train find help"};
