/* Rank: the answers of one sample, to be put in order; the judge's figures
 * only when they are asked for, after the person's own order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/uni.h"
#include "ui/ui.h"

static void where(struct app *a, int y, int x, int w)
{
    const struct rank_state *r = &a->rank;
    cells_printf(y, x, w, STYLE_FACT,
                 _("%s   scored by a judge, oldest first   %zu of %zu   %lld "
                   "today"), a->target_name ? a->target_name : "",
                 r->queue.n ? r->at + 1 : 0, r->queue.n,
                 (long long)a->review.today);
}

static void place_text(const struct rank_state *r, size_t i, char *out,
                       size_t cap)
{
    bool tied = false;
    for (size_t k = 0; k < r->order.n; k++)
        tied = tied || (k != i && r->order.place[k] == r->order.place[i]);
    snprintf(out, cap, "%d%s", r->order.place[i], tied ? "=" : "");
}

static char *answer_of_letter(const struct app *a, size_t i)
{
    const struct rank_state *r = &a->rank;
    return answer_text(r->now.candidates.at[r->shown[i]].body);
}

static void draw_candidate(struct app *a, size_t i, int y, int x, int w,
                           bool on)
{
    struct rank_state *r = &a->rank;
    char text[24], *answer = answer_of_letter(a, i);
    enum style role = on ? STYLE_ROW_ON : STYLE_ROW;
    if (on)
        cells_blank(y, x, w, role);
    cells_put(y, x + 1, 1, role, on ? "▸" : " ");
    snprintf(text, sizeof text, "%c", 'A' + (int)i);
    cells_put(y, x + 3, 1, role, text);
    place_text(r, i, text, sizeof text);
    cells_put(y, x + 6, 3, role, text);
    if (!r->blind) {
        struct judged j = rank_judged(a, i);
        snprintf(text, sizeof text, "%d %s", j.place,
                 j.place < r->order.place[i]   ? "▴"
                 : j.place > r->order.place[i] ? "▾"
                                               : " ");
        cells_put(y, x + 11, 4, role, text);
        for (size_t k = 0; k < j.n && k < 3; k++) {
            snprintf(text, sizeof text, "%.0f", j.scores[k]->value);
            cells_right(y, x + 14 + (int)k * 6, 6, role, text);
        }
        if (!isnan(j.mean))
            cells_right(y, x + 32, 6, role,
                        lang_number(text, sizeof text, j.mean, 1));
    }
    snprintf(text, sizeof text, "%zu", uni_count_words(answer));
    cells_right(y, x + 38, 7, role, text);
    for (char *c = answer; *c; c++)
        if (*c == '\n')
            *c = ' ';
    cells_put(y, x + 47, w - 48, role, answer);
    free(answer);
}

static void draw_header(const struct app *a, int y, int x, int w)
{
    char text[160], names[3][8] = {"", "", ""};
    struct judged j = rank_judged(a, 0);
    for (size_t k = 0; k < j.n && k < 3 && !a->rank.blind; k++)
        snprintf(names[k], sizeof names[k], "%s",
                 aspect_label(j.scores[k]->aspect));
    snprintf(text, sizeof text, "     %-4s %-6s%5s %5s %5s  %4s  %5s  %s",
             _("you"), a->rank.blind ? "" : _("judge"), names[0], names[1],
             names[2], a->rank.blind ? "" : _("mean"), _("words"),
             _("answer"));
    cells_put(y, x, w, STYLE_FACT, text);
}

static void judge_part(struct app *a, struct part *p)
{
    struct judged j = rank_judged(a, a->rank.list.cursor);
    part_gut(p, STYLE_LABEL, _("JUDGE"), NULL);
    for (size_t k = 0; k < j.n; k++) {
        char line[600];
        snprintf(line, sizeof line, "%s %.0f  %.500s\n",
                 aspect_label(j.scores[k]->aspect), j.scores[k]->value,
                 j.scores[k]->reason ? j.scores[k]->reason : "");
        rich_add(&p->body, STYLE_TEXT, line);
        if (k == 0 && j.scores[k]->who)
            part_gut(p, STYLE_FACT, j.scores[k]->who, NULL);
    }
}

static void draw_answer(struct app *a, struct area w)
{
    struct rank_state *r = &a->rank;
    struct part answer = {0}, judge = {0};
    char *text = answer_of_letter(a, r->list.cursor), left[16], right[24];
    snprintf(left, sizeof left, "%c", 'A' + (int)r->list.cursor);
    size_t words = uni_count_words(text);
    snprintf(right, sizeof right, P_("%zu word", "%zu words", words), words);
    part_gut(&answer, STYLE_LABEL, left, right);
    const struct candidate *c =
        &r->now.candidates.at[r->shown[r->list.cursor]];
    part_gut(&answer, STYLE_FACT, _("source"),
             r->blind ? C_("source|hidden") : source_label(c->source));
    rich_add(&answer.body, STYLE_TEXT, text);
    free(text);
    part_measure(&answer, w.w);
    int judge_h = r->blind ? 0 : w.h / 2 - 1;
    int h = w.h - judge_h - (judge_h ? 1 : 0);
    part_draw(&answer, w.y, w.x, h, w.w);
    if (judge_h > 0) {
        part_rule(w.y + h, w.x);
        judge_part(a, &judge);
        part_measure(&judge, w.w);
        part_draw(&judge, w.y + h + 1, w.x, judge_h, w.w);
    }
    part_free(&answer);
    part_free(&judge);
}

/* Side by side, from 100 columns on. */
static void draw_columns(struct app *a, struct area w)
{
    struct rank_state *r = &a->rank;
    int n = (int)r->order.n, each = w.w / n;
    for (int i = 0; i < n; i++) {
        struct rich rich = {.text = BUF_INIT(0)};
        wrapped_lines lines = {0};
        char *text = answer_of_letter(a, (size_t)i), head[80], place[8];
        int x = w.x + i * each;
        place_text(r, (size_t)i, place, sizeof place);
        bool on = (size_t)i == r->list.cursor;
        size_t words = uni_count_words(text);
        snprintf(head, sizeof head, P_("%c  you %s   %zu word",
                                       "%c  you %s   %zu words", words),
                 'A' + i, place, words);
        cells_put(w.y, x + 1, each - 3, on ? STYLE_ROW_ON : STYLE_LABEL,
                  head);
        rich_add(&rich, STYLE_TEXT, text);
        if (!r->blind) {
            struct judged j = rank_judged(a, (size_t)i);
            char line[400];
            rich_add(&rich, STYLE_TEXT, "\n\n");
            snprintf(line, sizeof line, _("judge mean %.1f\n"), j.mean);
            rich_add(&rich, STYLE_LABEL, line);
            for (size_t k = 0; k < j.n; k++) {
                snprintf(line, sizeof line, "%s %.0f  %.300s\n",
                         aspect_label(j.scores[k]->aspect), j.scores[k]->value,
                         j.scores[k]->reason ? j.scores[k]->reason : "");
                rich_add(&rich, STYLE_FACT, line);
            }
        }
        rich_wrap(&rich, each - 3, &lines);
        for (int k = 0; k < w.h - 1 && k < (int)lines.n; k++)
            rich_draw(&rich, lines.at[k], w.y + 1 + k, x + 1, each - 3);
        for (int k = 0; k < w.h && i + 1 < n; k++)
            cells_put(w.y + k, x + each - 1, 1, STYLE_RULE, "│");
        rich_free(&rich);
        VEC_FREE(&lines);
        free(text);
    }
}

static void whole(struct app *a, struct area w)
{
    struct rank_state *r = &a->rank;
    struct part prompt = {0};
    char id[24];
    if (!r->now.id) {
        draw_nothing(w, _("nothing to rank: ask for two answers each (E), then "
                    "judge them (E, recipe rank)"));
        return;
    }
    snprintf(id, sizeof id, "%lld", (long long)r->now.id);
    char *text = prompt_text(r->now.prompt);
    part_gut(&prompt, STYLE_LABEL, _("PROMPT"), NULL);
    part_gut(&prompt, STYLE_FACT, id, r->now.recipe);
    rich_add(&prompt.body, STYLE_TEXT, text);
    free(text);
    part_measure(&prompt, w.w);
    part_draw(&prompt, w.y, w.x, 2, w.w);
    part_free(&prompt);
    cross_rule(w.y + 2, w.x, w.w, true);
    int y = w.y + 3, n = (int)r->order.n, left = w.h - 3;
    if (w.w >= 100 && n >= 2) {
        draw_columns(a, (struct area){y, w.x, left, w.w});
        return;
    }
    draw_header(a, y++, w.x, w.w);
    int rows = n < left - 6 ? n : left - 6;
    for (int i = 0; i < rows; i++)
        draw_candidate(a, (size_t)i, y + i, w.x, w.w,
                       (size_t)i == r->list.cursor);
    y += rows;
    cross_rule(y++, w.x, w.w, false);
    draw_answer(a, (struct area){y, w.x, w.y + w.h - y, w.w});
}

const struct view_ops view_rank = {
    .where = where, .whole = whole,
    .footer = "rise tie order accept all-bad blind next help"};
