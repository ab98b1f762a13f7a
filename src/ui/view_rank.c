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
    put_facts(y, x, w,
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
    r->ends[i] = cells_width(answer) <= w - 48;
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

/* What the judge said of an answer, a line for each aspect. */
static void add_judged(struct app *a, size_t letter, enum style role,
                       struct rich *to)
{
    struct judged j = rank_judged(a, letter);
    for (size_t k = 0; k < j.n; k++) {
        char head[80];
        snprintf(head, sizeof head, "%s%s %.0f  ", k ? "\n" : "",
                 aspect_label(j.scores[k]->aspect), j.scores[k]->value);
        rich_add(to, role, head);
        if (j.scores[k]->reason)
            rich_add(to, role, j.scores[k]->reason);
    }
}

static void prompt_part(const struct app *a, struct part *p)
{
    const struct rank_state *r = &a->rank;
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)r->now.id);
    part_gut(p, STYLE_LABEL, _("PROMPT"), NULL);
    part_gut(p, STYLE_FACT, id, r->now.recipe);
    add_prompt(a, r->now.prompt, &p->body);
}

/* The word diff against another answer, which is named beside it. */
static void add_against(struct app *a, size_t letter, const char *text,
                        struct part *p)
{
    size_t other = rank_other(a);
    char *before = answer_of_letter(a, other);
    char names[2][2] = {{(char)('A' + (int)other), '\0'},
                        {(char)('A' + (int)letter), '\0'}};
    struct compared both = {before, text, names[0], names[1]};
    part_gut(p, STYLE_FACT, _("against"), names[0]);
    add_diff(&p->body, &both, diff_marks(a));
    free(before);
}

static void answer_part(struct app *a, size_t letter, struct part *p)
{
    const struct rank_state *r = &a->rank;
    const struct candidate *c = &r->now.candidates.at[r->shown[letter]];
    char *text = answer_of_letter(a, letter), left[16], right[24];
    size_t words = uni_count_words(text);
    snprintf(left, sizeof left, "%c", 'A' + (int)letter);
    snprintf(right, sizeof right, P_("%zu word", "%zu words", words), words);
    part_gut(p, STYLE_LABEL, left, right);
    part_gut(p, STYLE_FACT, _("source"),
             r->blind ? C_("source|hidden") : source_label(c->source));
    if (r->diff)
        add_against(a, letter, text, p);
    else
        rich_add(&p->body, STYLE_TEXT, text);
    free(text);
}

static void judge_part(struct app *a, struct part *p)
{
    struct judged j = rank_judged(a, a->rank.list.cursor);
    part_gut(p, STYLE_LABEL, _("JUDGE"), NULL);
    if (j.n && j.scores[0]->who)
        part_gut(p, STYLE_FACT, j.scores[0]->who, NULL);
    add_judged(a, a->rank.list.cursor, STYLE_TEXT, &p->body);
}

/* The answer under the cursor, the judge's figures where they are shown, and
 * before them a prompt that has no rows of its own: one text. */
static void draw_one(struct app *a, bool with_prompt, struct area w)
{
    struct rank_state *r = &a->rank;
    struct part parts[3] = {{.n_guts = 0}};
    size_t n = 0;
    if (with_prompt)
        prompt_part(a, &parts[n++]);
    answer_part(a, r->list.cursor, &parts[n++]);
    int end = stack_measure(parts, n, w.w);
    if (!r->blind)
        judge_part(a, &parts[n++]);
    stack_draw(a, parts, n, w);
    r->ends[r->list.cursor] = end <= *view_scroll(a) + w.h;
    for (size_t i = 0; i < n; i++)
        part_free(&parts[i]);
}

/* ---- Side by side ------------------------------------------------------- */

struct side {
    struct rich rich;
    wrapped_lines lines;
    int own; /* rows of the answer itself; the judge's figures follow */
};

static void side_text(struct app *a, size_t letter, int w, struct side *s)
{
    char *text = answer_of_letter(a, letter), mean[16];
    double judged = rank_judged(a, letter).mean;
    rich_add(&s->rich, STYLE_TEXT, text);
    free(text);
    rich_wrap(&s->rich, w, &s->lines);
    s->own = (int)s->lines.n;
    if (a->rank.blind)
        return;
    rich_add(&s->rich, STYLE_TEXT, "\n\n");
    if (!isnan(judged)) {
        rich_add(&s->rich, STYLE_LABEL, _("judge mean "));
        rich_add(&s->rich, STYLE_LABEL,
                 lang_number(mean, sizeof mean, judged, 1));
        rich_add(&s->rich, STYLE_LABEL, "\n");
    }
    add_judged(a, letter, STYLE_FACT, &s->rich);
    rich_wrap(&s->rich, w, &s->lines);
}

static void side_head(struct app *a, size_t letter, int y, int x, int w)
{
    struct rank_state *r = &a->rank;
    char *text = answer_of_letter(a, letter), place[8], judge[24] = "";
    char words[24], head[80];
    size_t n = uni_count_words(text);
    free(text);
    place_text(r, letter, place, sizeof place);
    snprintf(words, sizeof words, P_("%zu word", "%zu words", n), n);
    if (!r->blind)
        snprintf(judge, sizeof judge, _("judge %d  "),
                 rank_judged(a, letter).place);
    snprintf(head, sizeof head, _("%c  you %-2s %s%s"), 'A' + (int)letter,
             place, judge, words);
    bool on = letter == r->list.cursor;
    cells_put(y, x, w, on ? STYLE_ROW_ON : STYLE_LABEL, head);
}

/* The answers' rows from `from` on; a last row says of each what is left. */
static void draw_sides(struct app *a, struct side *sides, int from, bool feet,
                       struct area w)
{
    struct rank_state *r = &a->rank;
    int n = (int)r->order.n, each = w.w / n, rows = w.h - 1 - feet;
    for (int i = 0; i < n; i++) {
        struct side *s = &sides[i];
        int x = w.x + i * each, more = (int)s->lines.n - from - rows;
        if (w.h > 0)
            side_head(a, (size_t)i, w.y, x + 1, each - 3);
        for (int k = 0; k < rows && from + k < (int)s->lines.n; k++)
            rich_draw(&s->rich, s->lines.at[from + k], w.y + 1 + k, x + 1,
                      each - 3);
        if (feet && more > 0 && w.h > 1)
            cells_printf(w.y + w.h - 1, x + 1, each - 3, STYLE_FACT,
                         _("PgDn %d more"), more);
        for (int k = 0; k < w.h && i + 1 < n; k++)
            cells_put(w.y + k, x + each - 1, 1, STYLE_RULE, "│");
        r->ends[i] = rows >= 0 && s->own <= from + rows;
    }
}

/* From 100 columns on, where each answer has room. A prompt of a third of the
 * rows or less stays above them, else all scrolls as one text. */
static void draw_wide(struct app *a, struct part *prompt, struct area w)
{
    struct rank_state *r = &a->rank;
    struct side sides[ORDER_MAX] = {{.own = 0}};
    int n = (int)r->order.n, each = w.w / n, most = 0;
    int asked = part_measure(prompt, w.w);
    bool stays = asked <= w.h / 3;
    for (int i = 0; i < n; i++) {
        side_text(a, (size_t)i, each - 3, &sides[i]);
        most = (int)sides[i].lines.n > most ? (int)sides[i].lines.n : most;
    }
    int rows = w.h - 2 - (stays ? asked : 0);
    int total = most + (stays ? 0 : asked);
    bool feet = total > rows;
    int scroll = text_scrolls(a, rows - feet, total);
    int h = stays ? asked : asked - scroll, gone = asked - h;
    h = h < 0 ? 0 : h > rows - feet ? rows - feet : h;
    prompt->scroll = gone;
    part_draw(prompt, w.y, w.x, h, w.w);
    cross_rule(w.y + h, w.x, w.w, true);
    int from = stays ? scroll : scroll > asked ? scroll - asked : 0;
    draw_sides(a, sides, from, feet,
               (struct area){w.y + h + 1, w.x, w.h - h - 1, w.w});
    for (int i = 0; i < n; i++) {
        rich_free(&sides[i].rich);
        VEC_FREE(&sides[i].lines);
    }
}

/* ---- The view ----------------------------------------------------------- */

#define SIDE_LEAST 24 /* columns of an answer beside others */
#define ROWS_LEAST 60 /* of a list of them */

/* The answers as rows, the one under the cursor below them. */
static void draw_rows(struct app *a, struct part *prompt, struct area w)
{
    struct rank_state *r = &a->rank;
    bool stays = part_measure(prompt, w.w) <= 2;
    int y = w.y, n = (int)r->order.n, left = w.h - (stays ? 3 : 0);
    if (stays) {
        part_draw(prompt, y, w.x, 2, w.w);
        cross_rule(y + 2, w.x, w.w, true);
        y += 3;
    }
    int rows = n < left - 6 ? n : left - 6;
    if (rows > 0 && w.w >= ROWS_LEAST) {
        draw_header(a, y++, w.x, w.w);
        for (int i = 0; i < rows; i++)
            draw_candidate(a, (size_t)i, y + i, w.x, w.w,
                           (size_t)i == r->list.cursor);
        y += rows;
        cross_rule(y++, w.x, w.w, false);
    }
    draw_one(a, !stays, (struct area){y, w.x, w.y + w.h - y, w.w});
}

static void whole(struct app *a, struct area w)
{
    struct rank_state *r = &a->rank;
    struct part prompt = {0};
    if (!r->now.id) {
        draw_nothing(w, _("nothing to rank: ask for two answers each (E), then "
                    "judge them (E, recipe rank)"));
        return;
    }
    int n = (int)r->order.n;
    for (int i = 0; i < n; i++)
        r->ends[i] = false;
    prompt_part(a, &prompt);
    r->beside = !a->zoom && !r->diff && w.w >= 100 && n >= 2 &&
                w.w / n >= SIDE_LEAST;
    if (a->zoom || !n || (r->diff && w.w >= 100))
        draw_one(a, true, w);
    else if (r->beside)
        draw_wide(a, &prompt, w);
    else
        draw_rows(a, &prompt, w);
    part_free(&prompt);
}

const struct view_ops view_rank = {
    .where = where, .whole = whole,
    .footer = "accept all-bad rise tie order diff-of-two blind next zoom "
              "expand help"};
