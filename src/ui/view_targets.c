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
    put_facts(y, x, w,
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
    if (n->accepted > 0)
        lang_number(out, cap, n->cost / (double)n->accepted, 3);
    else
        snprintf(out, cap, "–");
}

static void student_text(struct app *a, size_t row, char *out, size_t cap)
{
    share(out, cap, counts(a, row)->student, counts(a, row)->student >= 0);
}

/* The last trainings' figures, a bar each. */
static void last_text(struct app *a, size_t row, char *out, size_t cap)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄",
                                       "▅", "▆", "▇", "█"};
    const struct target_counts *n = counts(a, row);
    size_t at = 0;
    for (int i = 0; i < n->n_exact && at + 4 < cap; i++) {
        int k = (int)(n->exact[i] * 8);
        at += (size_t)snprintf(out + at, cap - at, "%s",
                               bars[k > 7 ? 7 : k < 0 ? 0 : k]);
    }
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
    {N_("last 5"), COLUMN_FIGURE, 2, 6, 0, 1, last_text, 0},
    {N_("target"), COLUMN_TEXT, 2, 0, 0, 0, name_text, 0}};

/* ---- The item ----------------------------------------------------------- */

/* What it is, its system message, its principles. */
static void document_parts(const struct target *t, struct part *parts)
{
    char words[24];
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
    json_free(j);
}

/* A line a recipe: how much it made, how much of it was kept, at what price. */
static void recipes_part(const struct targets_state *x, struct part *p)
{
    part_gut(p, STYLE_LABEL, _("RECIPES"), NULL);
    for (size_t i = 0; i < x->made.n; i++) {
        const struct recipe_made *m = &x->made.at[i];
        char line[200], n[24], kept[16], cost[24];
        double decided = (double)(m->accepted + m->rejected);
        count_text(n, sizeof n, m->rated ? m->rated : m->made);
        if (decided > 0)
            snprintf(kept, sizeof kept, "%3.0f%%",
                     100 * (double)m->accepted / decided);
        else
            snprintf(kept, sizeof kept, "   –");
        lang_money(cost, sizeof cost,
                   m->cost / (double)(m->accepted ? m->accepted : 1), 3);
        if (m->rated)
            snprintf(line, sizeof line,
                     _("judged %6s                      %s %lld"), n, m->name,
                     (long long)m->version);
        else
            snprintf(line, sizeof line, _("made %8s  kept %s  %6s   %s "
                                          "%lld"), n, kept,
                     m->accepted ? cost : "", m->name,
                     (long long)m->version);
        rich_add(&p->body, STYLE_TEXT, i ? "\n" : "");
        rich_add(&p->body, STYLE_TEXT, line);
    }
}

static void next_part(struct app *a, struct part *p)
{
    const struct targets_state *x = &a->targets;
    int64_t wait = x->list.cursor < x->rows.n
                       ? x->rows.at[x->list.cursor].counts.pending
                       : 0;
    char n[24], line[120];
    part_gut(p, STYLE_LABEL, _("NEXT"), NULL);
    snprintf(line, sizeof line, P_("%s waits in Review; ",
                                   "%s wait in Review; ", (unsigned long)wait),
             count_text(n, sizeof n, wait));
    rich_add(&p->body, STYLE_TEXT, line);
    if (x->untrained < 0)
        snprintf(line, sizeof line, "%s", _("nothing was trained yet"));
    else
        snprintf(line, sizeof line,
                 P_("%s accepted since the last training",
                    "%s accepted since the last training",
                    (unsigned long)x->untrained),
                 count_text(n, sizeof n, x->untrained));
    rich_add(&p->body, STYLE_TEXT, line);
}

/* Recipes and what is next keep their rows, where the rest is long. */
static void item(struct app *a, struct area w)
{
    enum { PARTS = 5, TAIL = 3 };
    const struct targets_state *x = &a->targets;
    struct part parts[PARTS] = {{.n_guts = 0}};
    int need[PARTS], kept = 0, y = w.y, end = w.y + w.h;
    if (!x->now.id) {
        draw_nothing(w, _("no target yet; + makes one"));
        return;
    }
    document_parts(&x->now, parts);
    recipes_part(x, &parts[TAIL]);
    next_part(a, &parts[TAIL + 1]);
    for (int k = 0; k < PARTS; k++) {
        need[k] = part_measure(&parts[k], w.w);
        need[k] = k == 0 && need[k] < 2 ? 2 : need[k];
        need[k] = k == TAIL && need[k] > 3 ? 3 : need[k];
        kept += k >= TAIL ? need[k] : 0;
    }
    if (kept + 8 > w.h)
        kept = 0;
    for (int k = 0; k < PARTS; k++) {
        int left = end - y - (k < TAIL ? kept + (kept > 0) : 0);
        int h = need[k] < left ? need[k] : left;
        if (h > 0)
            part_draw(&parts[k], y, w.x, h, w.w);
        y += h > 0 ? h : 0;
        if (k < TAIL && y < end)
            part_rule(y++, w.x);
        part_free(&parts[k]);
    }
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
