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
    const struct seeds_state *z = &a->seeds;
    const int64_t *n = z->by_split;
    int64_t all = n[0] + n[1] + n[2];
    size_t named = z->list.total - z->list.kept.n; /* those the filter names */
    char text[300], count[32];
    snprintf(text, sizeof text,
             P_("%s   %lld seed   %lld train  %lld valid  %lld test   %lld "
                "never drawn",
                "%s   %lld seeds   %lld train  %lld valid  %lld test   %lld "
                "never drawn", (unsigned long)all),
             a->target_name ? a->target_name : "", (long long)all,
             (long long)n[0], (long long)n[1], (long long)n[2],
             (long long)z->never_drawn);
    if (z->filter)
        snprintf(text, sizeof text, P_("%s   filter: %s   %s seed",
                 "%s   filter: %s   %s seeds", named),
                 a->target_name ? a->target_name : "", z->filter,
                 z->list.uncounted ? "?"
                                   : count_text(count, sizeof count,
                                                (int64_t)named));
    put_facts(y, x, w, "%s", text);
}

/* ---- The list ----------------------------------------------------------- */

static const struct seed_row *shown(struct app *a, size_t row)
{
    return &a->seeds.shown.at[row - a->seeds.list.top];
}

static void id_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "s%lld", (long long)shown(a, row)->id);
}

static void split_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", split_label((enum split)shown(a, row)->split));
}

/* Nothing is made of a test seed: a dash says more than 0. */
static void count_of(struct app *a, size_t row, int64_t n, char *out,
                     size_t cap)
{
    if (shown(a, row)->split == SPLIT_TEST && !n)
        snprintf(out, cap, "–");
    else
        snprintf(out, cap, "%lld", (long long)n);
}

static void drawn_text(struct app *a, size_t row, char *out, size_t cap)
{
    count_of(a, row, shown(a, row)->drawn, out, cap);
}

static void made_text(struct app *a, size_t row, char *out, size_t cap)
{
    count_of(a, row, shown(a, row)->made, out, cap);
}

static void kept_text(struct app *a, size_t row, char *out, size_t cap)
{
    double kept = shown(a, row)->kept;
    if (kept < 0)
        snprintf(out, cap, "–");
    else
        snprintf(out, cap, "%.0f%%", kept * 100);
}

static void tags_text(struct app *a, size_t row, char *out, size_t cap)
{
    const char *tags = shown(a, row)->tags;
    snprintf(out, cap, "%s", tags ? tags : "");
}

static void seed_line(struct app *a, size_t row, char *out, size_t cap)
{
    const char *line = shown(a, row)->first_line;
    snprintf(out, cap, "%s", line ? line : "");
}

static const struct column columns[] = {
    {N_("id"), COLUMN_TEXT, 0, 5, 5, 0, id_text, 0},
    {N_("column|split"), COLUMN_TEXT, 0, 6, 6, 4, split_text, 0},
    {N_("drawn"), COLUMN_FIGURE, 1, 5, 6, 2, drawn_text, 0},
    {N_("column|made"), COLUMN_FIGURE, 1, 5, 5, 3, made_text, 0},
    {N_("kept"), COLUMN_FIGURE, 1, 5, 6, 5, kept_text, 0},
    {N_("tags"), COLUMN_TEXT, 2, 9, 11, 1, tags_text, 0},
    {N_("seed"), COLUMN_TEXT, 1, 0, 0, 0, seed_line, 0}};

/* ---- The item ----------------------------------------------------------- */

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
    const struct seed_row *r = &a->seeds.now_row;
    char text[300], day[24], made[24];
    part_gut(p, STYLE_LABEL, _("FROM"), NULL);
    clock_format(day, sizeof day, r->when, 1);
    if (s->origin)
        snprintf(text, sizeof text, _("line %lld of %s, %s\n"),
                 (long long)s->line, s->origin, day);
    else
        snprintf(text, sizeof text, _("written here, %s\n"), day);
    rich_add(&p->body, STYLE_TEXT, text);
    snprintf(made, sizeof made, "%lld", (long long)r->made);
    part_gut(p, STYLE_LABEL, _("MADE"), made);
    snprintf(text, sizeof text,
             _("%lld accepted   %lld rejected   %lld pending   %lld "
               "deferred"), (long long)r->accepted, (long long)r->rejected,
             (long long)r->pending, (long long)r->deferred);
    rich_add(&p->body, STYLE_FACT, text);
}

static void item(struct app *a, struct area w)
{
    const struct seed *s = &a->seeds.now;
    struct part parts[4] = {{.n_guts = 0}};
    size_t n = a->seeds.note ? 4 : 3;
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
    if (a->seeds.note) {
        part_gut(&parts[3], STYLE_LABEL, _("NOTE"), "c");
        rich_add(&parts[3].body, STYLE_FACT, a->seeds.note);
    }
    for (size_t i = 0; i < n; i++)
        part_find(a, &parts[i]);
    int text = stack_measure(parts, 2, w.w);
    int facts = stack_measure(parts + 2, n - 2, w.w);
    if (text + 1 + facts <= w.h || w.h < facts + 4) {
        w.h = text + 1 + facts < w.h ? text + 1 + facts : w.h;
        stack_draw(a, parts, n, w);
    } else { /* the facts stay in sight */
        int h = w.h - facts - 1;
        stack_draw(a, parts, 2, (struct area){w.y, w.x, h, w.w});
        part_rule(w.y + h, w.x);
        stack_still(a, parts + 2, n - 2,
                    (struct area){w.y + h + 1, w.x, facts, w.w});
    }
    for (size_t i = 0; i < n; i++)
        part_free(&parts[i]);
}

static int list_rows(int rows)
{
    int n = rows / 3;
    return n < 1 ? 1 : n;
}

const struct view_ops view_seeds = {
    .where = where,
    .list = {columns, COUNT(columns), .selects = true},
    .item = item,
    .list_rows = list_rows,
    .footer = "expand add import tag select filter find help"};
