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
    const struct targets_state *t = &a->targets;
    int64_t accepted = 0, pending = 0;
    double spent = 0;
    char one[32], two[32], three[32];
    for (size_t i = 0; i < t->rows.n; i++) {
        accepted += t->rows.at[i].counts.accepted;
        pending += t->rows.at[i].counts.pending;
        spent += t->rows.at[i].counts.cost;
    }
    cells_printf(y, x, w, STYLE_FACT,
                 P_("%zu target   %s accepted   %s pending   %s spent",
                    "%zu targets   %s accepted   %s pending   %s spent",
                    t->rows.n),
                 t->rows.n, count_text(one, sizeof one, accepted),
                 count_text(two, sizeof two, pending),
                 lang_money(three, sizeof three, spent, 2));
}

/* ---- The list ----------------------------------------------------------- */

static const struct target_counts *counts(struct app *a, size_t row)
{
    return &a->targets.rows.at[row].counts;
}

static void seeds_text_of(struct app *a, size_t row, char *out, size_t cap)
{
    count_text(out, cap, counts(a, row)->seeds);
}

static void pending_text(struct app *a, size_t row, char *out, size_t cap)
{
    count_text(out, cap, counts(a, row)->pending);
}

static void accepted_text(struct app *a, size_t row, char *out, size_t cap)
{
    count_text(out, cap, counts(a, row)->accepted);
}

static void share(char *out, size_t cap, double part, bool there)
{
    if (there)
        snprintf(out, cap, "%.0f%%", 100 * part);
    else
        snprintf(out, cap, "–");
}

static void yield_text(struct app *a, size_t row, char *out, size_t cap)
{
    const struct target_counts *n = counts(a, row);
    double all = (double)(n->accepted + n->rejected);
    share(out, cap, all > 0 ? (double)n->accepted / all : 0, all > 0);
}

static void cost_text(struct app *a, size_t row, char *out, size_t cap)
{
    const struct target_counts *n = counts(a, row);
    if (n->accepted)
        lang_number(out, cap, n->cost / (double)n->accepted, 3);
    else
        snprintf(out, cap, "–");
}

static void student_text(struct app *a, size_t row, char *out, size_t cap)
{
    share(out, cap, counts(a, row)->student, counts(a, row)->student >= 0);
}

static void name_text(struct app *a, size_t row, char *out, size_t cap)
{
    const char *name = a->targets.rows.at[row].name;
    snprintf(out, cap, "%s", name ? name : "");
}

static const struct column columns[] = {
    {N_("column|seeds"), COLUMN_FIGURE, 0, 5, 6, 1, seeds_text_of, 0},
    {N_("pend"), COLUMN_FIGURE, 1, 5, 6, 4, pending_text, 0},
    {N_("column|accept"), COLUMN_FIGURE, 1, 6, 7, 5, accepted_text, 0},
    {N_("yield"), COLUMN_FIGURE, 0, 6, 6, 3, yield_text, 0},
    {N_("$/acc"), COLUMN_FIGURE, 1, 6, 7, 1, cost_text, 0},
    {N_("student"), COLUMN_FIGURE, 1, 8, 9, 2, student_text, 0},
    {N_("target"), COLUMN_TEXT, 2, 0, 0, 0, name_text, 0}};

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
    .where = where,
    .list = {columns, COUNT(columns), .selects = false},
    .item = item,
    .list_rows = list_rows,
    .footer = "open add edit expand train find help"};
