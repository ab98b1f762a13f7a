/* Review: the queue strip, the prompt, the answer, the neighbour. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "ui/ui.h"

static void where(struct app *a, int y, int x, int w)
{
    const struct review_state *r = &a->review;
    char text[400], at[70], today[32], rate[32] = "", per[32], n[32];
    char left[60] = "";
    int64_t more = r->filter ? (int64_t)(r->list.total - r->list.cursor)
                             : a->counts.pending;
    double minutes = (double)(r->last_at - r->first_at) / 60000.0;
    if (r->since > 2 && minutes > 0 && !r->list.uncounted) {
        double speed = (double)(r->since - 1) / minutes;
        snprintf(rate, sizeof rate, _("   %s a minute"),
                 lang_number(per, sizeof per, speed, 1));
        snprintf(left, sizeof left, _("   %s left, about %.0f min"),
                 count_text(n, sizeof n, more),
                 ceil((double)more / speed));
    }
    position_text(at, sizeof at, &r->list);
    count_text(today, sizeof today, r->today);
    if (r->filter)
        snprintf(text, sizeof text, _("%s   filter: %s   %s"),
                 a->target_name ? a->target_name : "", r->filter, at);
    else
        snprintf(text, sizeof text,
                 _("%s   pending, oldest first   %s   %s today%s"),
                 a->target_name ? a->target_name : "", at, today, rate);
    int used = put_facts(y, x, w, "%s", text);
    if (used + cells_width(left) <= w)
        cells_put(y, x + used, w - used, STYLE_FACT, left);
}

/* ---- The list ----------------------------------------------------------- */

static const struct sample_row *shown(struct app *a, size_t row)
{
    return &a->review.shown.at[row - a->review.list.top];
}

static void id_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%lld", (long long)shown(a, row)->id);
}

static void near_text(struct app *a, size_t row, char *out, size_t cap)
{
    near_figure(out, cap, shown(a, row)->near, shown(a, row)->approximate);
}

static void warnings_text(struct app *a, size_t row, char *out, size_t cap)
{
    int n = shown(a, row)->warnings;
    if (n)
        snprintf(out, cap, "!%d", n);
    else
        snprintf(out, cap, "·");
}

static void judge_text(struct app *a, size_t row, char *out, size_t cap)
{
    double v = shown(a, row)->judge;
    if (isnan(v))
        snprintf(out, cap, "–");
    else
        lang_number(out, cap, v, 1);
}

static void recipe_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%.8s", shown(a, row)->recipe);
}

static void prompt_line(struct app *a, size_t row, char *out, size_t cap)
{
    const char *line = shown(a, row)->first_line;
    snprintf(out, cap, "%s", line ? line : "");
}

static const char *row_mark(struct app *a, size_t row)
{
    return status_mark(shown(a, row)->status);
}

static enum style row_style(struct app *a, size_t row)
{
    bool done = shown(a, row)->status != STATUS_PENDING && !a->review.filter;
    return done ? STYLE_ROW_DONE : STYLE_ROW;
}

static const struct column columns[] = {
    {N_("id"), COLUMN_FIGURE, 0, 5, 5, 0, id_text, 0},
    {N_("near"), COLUMN_FIGURE, 0, 6, 5, 4, near_text, 0},
    {"!", COLUMN_FIGURE, 0, 4, 3, 3, warnings_text, 0},
    {N_("judge"), COLUMN_FIGURE, 0, 6, 6, 2, judge_text, 0},
    {N_("recipe"), COLUMN_TEXT, 2, 8, 10, 1, recipe_text, 0},
    {N_("column|prompt"), COLUMN_TEXT, 2, 0, 0, 0, prompt_line, 0}};

/* ---- The item ----------------------------------------------------------- */

/* The prompt's last turn, and of the earlier ones how many there are; all of
 * them where the item is alone on the screen. */
static void add_turns(const struct app *a, const struct chat *c,
                      struct rich *to)
{
    if (c->n > 1 && !a->zoom) {
        size_t earlier = c->n - 1;
        char text[100];
        snprintf(text, sizeof text, P_("+ %zu earlier turn; Enter opens it",
                 "+ %zu earlier turns; Enter opens them", earlier), earlier);
        rich_add(to, STYLE_FACT, text);
        rich_add(to, STYLE_TEXT, "\n");
    }
    for (size_t i = a->zoom ? 0 : c->n - 1; i < c->n; i++) {
        if (a->zoom && c->n > 1) {
            rich_add(to, STYLE_LABEL, role_name(c->at[i].role));
            rich_add(to, STYLE_TEXT, "\n");
        }
        rich_add(to, STYLE_TEXT, c->at[i].content);
        if (i + 1 < c->n)
            rich_add(to, STYLE_TEXT, "\n");
    }
}

void add_prompt(const struct app *a, const char *prompt, struct rich *to)
{
    struct chat c;
    if (!chat_parse(prompt, &c, NULL))
        return;
    add_turns(a, &c, to);
    chat_free(&c);
}

static void prompt_part(struct app *a, struct part *p)
{
    const struct sample *x = &a->review.now;
    struct chat c;
    char right[24] = "";
    if (!chat_parse(x->prompt, &c, NULL))
        return;
    if (c.n > 1)
        snprintf(right, sizeof right, P_("%zu turn", "%zu turns", c.n), c.n);
    part_gut(p, STYLE_LABEL, _("PROMPT"), right);
    if (x->recipe)
        part_gutf(p, STYLE_FACT, NULL, "%s %lld", x->recipe,
                  (long long)x->recipe_version);
    else if (x->origin)
        part_gut(p, STYLE_FACT, x->origin, NULL);
    right[0] = '\0';
    if (x->drawn)
        snprintf(right, sizeof right, _("%lld drawn"), (long long)x->drawn);
    else if (x->line)
        snprintf(right, sizeof right, _("line %lld"), (long long)x->line);
    part_gut(p, STYLE_FACT, split_label(x->split), right);
    add_turns(a, &c, &p->body);
    chat_free(&c);
}

/* Checks that warn or fail by name, the rest as one line. */
static void check_guts(struct app *a, struct part *p, bool near_here)
{
    const struct sample *x = &a->review.now;
    int64_t shown_id = a->review.answer >= 0 && x->candidates.n
                           ? x->candidates.at[a->review.answer].id
                           : 0;
    size_t passed = 0, all = 0;
    for (size_t i = 0; i < x->checks.n; i++) {
        const struct check_result *r = &x->checks.at[i].result;
        char figure[16], text[48];
        const char *label = check_label(r->check);
        if (x->checks.at[i].candidate &&
            x->checks.at[i].candidate != shown_id)
            continue; /* of another answer */
        all++;
        if (r->verdict == VERDICT_PASS) {
            passed++;
            continue;
        }
        near_figure(figure, sizeof figure, r->figure, r->approximate);
        snprintf(text, sizeof text, "%s%s%s", verdict_mark(r->verdict),
                 cells_width(label) > GUTTER - 4 ? "" : " ", label);
        bool shown = r->check == CHECK_NEAR || r->check == CHECK_LENGTH;
        part_mark(p, r->verdict == VERDICT_FAIL ? STYLE_BAD : STYLE_WARN, text,
                  shown ? figure : NULL);
    }
    if (passed) {
        char text[48];
        snprintf(text, sizeof text,
                 passed == all
                     ? P_("✓ %zu check", "✓ %zu checks", passed)
                 : passed > 9 /* the gutter has no room for the word */
                     ? _("✓ %zu more")
                     : P_("✓ %zu more check", "✓ %zu more checks", passed),
                 passed);
        part_mark(p, STYLE_OK, text, NULL);
    }
    for (size_t i = 0; i < x->checks.n && near_here; i++) {
        const struct check_result *r = &x->checks.at[i].result;
        char figure[16];
        if (r->check == CHECK_NEAR)
            part_gutf(p, STYLE_FACT, a->review.near_name, _("near %s"),
                      near_figure(figure, sizeof figure, r->figure,
                                  r->approximate));
    }
}

static void answer_head(struct app *a, struct part *p, const char *text)
{
    const struct review_state *r = &a->review;
    const struct sample *x = &r->now;
    char right[24] = "", words[16];
    size_t n = x->candidates.n;
    if (r->draft)
        snprintf(right, sizeof right, _("%zu of %zu"), n + 1, n + 1);
    else if (n)
        snprintf(right, sizeof right, _("%d of %zu"), r->answer + 1, n);
    part_gut(p, STYLE_LABEL, _("ANSWER"), right);
    if (!n)
        return;
    const struct candidate *c = &x->candidates.at[r->answer];
    if (r->draft)
        snprintf(words, sizeof words, _("edit of %d"), r->answer + 1);
    else
        /* L10N: words, short */
        snprintf(words, sizeof words, _("%zu w"), uni_count_words(text));
    part_gut(p, STYLE_FACT, r->draft ? a->who
                            : c->who ? c->who
                                     : source_label(c->source), words);
    if (!isnan(c->judge) && !r->draft) {
        char mean[16];
        lang_number(mean, sizeof mean, c->judge, 1);
        part_mark(p, c->judge < 3 ? STYLE_WARN : STYLE_OK,
                  c->judge < 3 ? _("! judge") : _("✓ judge"), mean);
    }
}

static void hidden_gut(struct app *a, struct part *p, const char *text)
{
    char *prompt = prompt_text(a->review.now.prompt), line[48];
    size_t n = utf8_hidden(text, strlen(text)) +
               utf8_hidden(prompt, strlen(prompt));
    free(prompt);
    if (!n)
        return;
    snprintf(line, sizeof line, P_("! %zu hidden", "! %zu hidden", n), n);
    part_mark(p, STYLE_WARN, line, "h");
}

void add_thinking(const struct app *a, struct rich *to)
{
    const struct review_state *r = &a->review;
    struct message m;
    char line[80];
    if (r->draft || r->answer < 0 || !r->now.candidates.n ||
        !answer_parse(r->now.candidates.at[r->answer].body, &m, NULL))
        return;
    if (m.reasoning && *m.reasoning) {
        size_t n = uni_count_words(m.reasoning);
        snprintf(line, sizeof line, r->thinking
                 ? P_("- %zu word of thinking; w folds it",
                      "- %zu words of thinking; w folds them", n)
                 : P_("+ %zu word of thinking; w opens it",
                      "+ %zu words of thinking; w opens them", n), n);
        rich_add(to, STYLE_FACT, line);
        rich_add(to, STYLE_TEXT, "\n");
    }
    if (m.reasoning && *m.reasoning && r->thinking) {
        rich_add(to, STYLE_FACT, m.reasoning);
        rich_add(to, STYLE_TEXT, "\n\n");
    }
    message_free(&m);
}

static void answer_part(struct app *a, struct part *p, bool near_here)
{
    struct review_state *r = &a->review;
    char *text, *before;
    review_answer(a, &text, &before);
    answer_head(a, p, text);
    if (a->typing.open)
        rich_add(&p->body, STYLE_TEXT, buf_str(&a->typing.text));
    else if (before && (r->draft || r->against_answer)) {
        struct diff d;
        diff_words(before, text, &d);
        part_gutf(p, STYLE_FACT, NULL, P_("+%zu -%zu word", "+%zu -%zu words",
                                          d.added + d.removed), d.added,
                  d.removed);
        diff_free(&d);
        struct compared both = {before, text, _("before"), _("now")};
        add_diff(&p->body, &both, diff_marks(a));
    } else {
        add_thinking(a, &p->body);
        rich_add(&p->body, STYLE_TEXT, text);
    }
    hidden_gut(a, p, text);
    check_guts(a, p, near_here);
    if (r->now.rating)
        part_gutf(p, STYLE_FACT, "r", _("rated %d"), r->now.rating);
    if (r->now.note)
        part_gut(p, STYLE_FACT, r->now.note, "c");
    free(text);
    free(before);
}

static void near_part(struct app *a, struct part *p)
{
    const struct review_state *r = &a->review;
    const struct check_result *near = NULL;
    char figure[16] = "", limit[16];
    for (size_t i = 0; i < r->now.checks.n; i++)
        if (r->now.checks.at[i].result.check == CHECK_NEAR)
            near = &r->now.checks.at[i].result;
    if (near)
        near_figure(figure, sizeof figure, near->figure, near->approximate);
    part_gut(p, STYLE_LABEL, near ? _("NEAREST") : _("SAME AS"), figure);
    part_gut(p, STYLE_FACT, r->near_name, r->near_what);
    if (near)
        part_gut(p, STYLE_FACT, _("limit"),
                 short_figure(limit, sizeof limit, near->bound));
    char *mine = prompt_text(r->now.prompt);
    struct compared both = {r->near_text, mine, r->near_name, _("this one")};
    add_diff(&p->body, &both, diff_marks(a));
    free(mine);
}

/* The gutter's last rows: tags, and that there is more. */
static void tail(struct app *a, struct part *p, int h, int more)
{
    const char *tags = a->review.now.tags;
    if (*tags && p->n_guts < h - (more > 0))
        part_foot(p, tags, NULL);
    part_more(a, p, more);
}

/* The cursor of the typing area, scrolled into sight; `top`: rows of the
 * scrolled text before the answer. */
static void place_cursor(struct app *a, const struct part *p, int top,
                         struct area w)
{
    int column, scroll = a->review.scroll;
    int line = top + cursor_line(&p->body, &p->lines, a->typing.cursor,
                                 &column);
    scroll = line < scroll ? line : line >= scroll + w.h ? line - w.h + 1
                                                          : scroll;
    a->review.scroll = scroll;
    cells_cursor(w.y + line - scroll, w.x + GUTTER + 2 + column);
}

static void draw_bulk(struct app *a, struct area w);

/* Prompt and answer as one text that scrolls. */
static void draw_as_one(struct app *a, struct part *prompt,
                        struct part *answer, struct area w)
{
    int top = (int)prompt->lines.n + 1;
    part_hits(a, prompt, 0);
    part_hits(a, answer, top);
    if (a->typing.open)
        place_cursor(a, answer, top, w);
    int scroll = text_scrolls(a, w.h, top + (int)answer->lines.n);
    int more = a->text_total - a->text_rows - scroll;
    int h = top - 1 - scroll; /* rows of the prompt that are in sight */
    h = h < 0 ? 0 : h > w.h ? w.h : h;
    prompt->scroll = scroll;
    if (h == w.h)
        tail(a, prompt, h, more);
    part_draw(prompt, w.y, w.x, h, w.w);
    if (h == w.h)
        return;
    if (scroll < top)
        part_rule(w.y + h++, w.x);
    answer->scroll = scroll > top ? scroll - top : 0;
    tail(a, answer, w.h - h, more);
    part_draw(answer, w.y + h, w.x, w.h - h, w.w);
}

/* A text under its label and the key that opens it, behind a rule, where
 * there are rows left; the row behind it. */
static int draw_labelled(const char *label, const char *key, const char *text,
                         int y, struct area w)
{
    int end = w.y + w.h;
    struct part p = {0};
    if (!text || y + 2 >= end)
        return y;
    part_gut(&p, STYLE_LABEL, label, key);
    rich_add(&p.body, STYLE_FACT, text);
    int h = part_measure(&p, w.w);
    part_rule(y++, w.x);
    h = h < end - y ? h : end - y;
    part_draw(&p, y, w.x, h, w.w);
    part_free(&p);
    return y + h;
}

/* The sample's other answers, the note on it and where it came from, as far as
 * rows are left. */
static void draw_more(struct app *a, struct area w)
{
    struct review_state *r = &a->review;
    int n = (int)r->now.candidates.n, y = w.y, end = w.y + w.h;
    for (int k = 1; k < n && y + 3 < end; k++) {
        const struct candidate *c =
            &r->now.candidates.at[(r->answer + k) % n];
        struct part p = {0};
        char right[24], words[16], *text = answer_text(c->body);
        snprintf(right, sizeof right, _("%d of %zu"), (r->answer + k) % n + 1,
                 r->now.candidates.n);
        part_gut(&p, STYLE_LABEL, _("ANSWER"), right);
        snprintf(words, sizeof words, _("%zu w"), uni_count_words(text));
        part_gut(&p, STYLE_FACT, c->who ? c->who : source_label(c->source),
                 words);
        part_gut(&p, STYLE_FACT, _("]  to decide on"), NULL);
        rich_add(&p.body, STYLE_FACT, text);
        int h = part_measure(&p, w.w);
        part_rule(y++, w.x);
        h = h < end - y ? h : end - y;
        part_draw(&p, y, w.x, h, w.w);
        y += h;
        free(text);
        part_free(&p);
    }
    y = draw_labelled(_("NOTE"), "c", r->now.note, y, w);
    draw_labelled(_("LINEAGE"), "l", r->from, y, w);
}

/* The answer in its own rows, under a prompt that stays; the neighbour under
 * it where there is room for both. */
static void draw_answer(struct app *a, struct part *answer, struct area w)
{
    struct review_state *r = &a->review;
    struct part near = {0};
    bool tall = w.h > 20;
    int need = part_measure(answer, w.w), near_h = 3;
    if (r->near_text) {
        near_part(a, &near);
        int n = part_measure(&near, w.w);
        near_h = tall && n > 3 ? n : 3;
    }
    bool below = r->near_text && w.h > 6 &&
                 (need <= w.h - near_h - 1 || (int)answer->lines.n <= 6);
    if (!below && r->near_text) {
        part_free(answer);
        *answer = (struct part){0};
        answer_part(a, answer, true);
        part_find(a, answer);
        part_measure(answer, w.w);
    }
    part_hits(a, answer, 0);
    int h = below ? w.h - near_h - 1 : w.h;
    if (a->typing.open)
        place_cursor(a, answer, 0, (struct area){w.y, w.x, h, w.w});
    answer->scroll = text_scrolls(a, h, (int)answer->lines.n);
    if (tall && need + 1 < h && !a->typing.open)
        h = need + (*r->now.tags != '\0');
    tail(a, answer, h, a->text_total - a->text_rows - answer->scroll);
    part_draw(answer, w.y, w.x, h, w.w);
    int y = w.y + h;
    if (below) {
        part_rule(y++, w.x);
        part_draw(&near, y, w.x, near_h, w.w);
        y += near_h;
    }
    if (tall)
        draw_more(a, (struct area){y, w.x, w.y + w.h - y, w.w});
    part_free(&near);
}

static void item(struct app *a, struct area w)
{
    struct review_state *r = &a->review;
    struct part prompt = {0}, answer = {0};
    if (r->bulk) {
        draw_bulk(a, w);
        return;
    }
    if (!r->now.id) {
        draw_nothing(w, r->filter
                            ? _("nothing in this filter; F drops it")
                            : _("nothing waits; E expands, I imports"));
        return;
    }
    prompt_part(a, &prompt);
    answer_part(a, &answer, false);
    part_find(a, &prompt);
    part_find(a, &answer);
    int h = part_measure(&prompt, w.w), most = w.h > 20 ? w.h / 2 : 3;
    part_measure(&answer, w.w);
    if ((int)prompt.lines.n > most) {
        draw_as_one(a, &prompt, &answer, w);
    } else {
        h = h < 3 ? 3 : h > most ? most : h;
        part_draw(&prompt, w.y, w.x, h, w.w);
        part_rule(w.y + h, w.x);
        draw_answer(a, &answer, (struct area){w.y + h + 1, w.x, w.h - h - 1,
                                              w.w});
    }
    part_free(&prompt);
    part_free(&answer);
}

/* ---- The dry run -------------------------------------------------------- */

/* Some of those that would be decided on: whole where they have the room, else
 * a row for each. */
static void draw_some(struct app *a, struct area w)
{
    const struct review_state *r = &a->review;
    struct part p = {0};
    bool all = (size_t)r->dry.total <= r->five.n;
    part_gut(&p, STYLE_LABEL, all ? _("ALL OF THEM") : _("FIVE OF THEM"),
             NULL);
    if (!all)
        part_gutf(&p, STYLE_FACT, NULL, _("drawn, seed %llu"),
                  (unsigned long long)r->bulk_seed);
    for (size_t i = 0; i < r->five.n; i++) {
        const struct sample_row *x = &r->five.at[i];
        char head[48], near[16];
        snprintf(head, sizeof head, "%s%s  %lld  ", i ? "\n" : "",
                 near_figure(near, sizeof near, x->near, x->approximate),
                 (long long)x->id);
        rich_add(&p.body, STYLE_TEXT, head);
        rich_add(&p.body, STYLE_TEXT, x->first_line);
    }
    if (part_measure(&p, w.w) <= w.h) {
        part_draw(&p, w.y, w.x, w.h, w.w);
        part_free(&p);
        return;
    }
    char *text = xstrdup(buf_str(&p.body.text)), *rest = text, *line;
    buf_clear(&p.body.text);
    part_draw(&p, w.y, w.x, w.h, w.w);
    for (int y = w.y; y < w.y + w.h && (line = strsep(&rest, "\n")); y++)
        cells_put(y, w.x + GUTTER + 2, w.w - GUTTER - 3, STYLE_TEXT, line);
    free(text);
    part_free(&p);
}

/* What becomes of which, and how many stay. */
static void add_becoming(const struct app *a, struct rich *to)
{
    const struct review_state *r = &a->review;
    char n[32], text[200];
    int64_t stay = a->counts.pending - r->dry.by_status[STATUS_PENDING];
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (!r->dry.by_status[i])
            continue;
        snprintf(text, sizeof text, _("%s %s become %s"),
                 count_text(n, sizeof n, r->dry.by_status[i]),
                 status_label((enum status)i), status_label(r->bulk_do.to));
        rich_add(to, STYLE_TEXT, to->text.len ? "; " : "");
        rich_add(to, STYLE_TEXT, text);
    }
    snprintf(text, sizeof text, _("; %s stay pending"),
             count_text(n, sizeof n, stay));
    if (r->dry.by_status[STATUS_PENDING] && stay > 0)
        rich_add(to, STYLE_TEXT, text);
}

static void draw_bulk(struct app *a, struct area w)
{
    const struct review_state *r = &a->review;
    static const char *const heads[] = {N_("REOPEN"), N_("ACCEPT"),
                                        N_("REJECT"), N_("DEFER")};
    struct part head = {0}, status = {0}, splits = {0};
    char n[32], text[300];
    part_gut(&head, STYLE_LABEL, _(heads[r->bulk_do.to]),
             count_text(n, sizeof n, r->dry.total));
    part_gut(&head, STYLE_FACT, _("nothing is"), NULL);
    part_gut(&head, STYLE_FACT, _("written yet"), NULL);
    if (*r->bulk_reason)
        snprintf(text, sizeof text, _("everything selected, reason: %s"),
                 reason_label(r->bulk_reason));
    else
        snprintf(text, sizeof text, _("everything selected"));
    rich_add(&head.body, STYLE_TEXT, text);
    part_gut(&status, STYLE_LABEL, _("STATUS"), NULL);
    add_becoming(a, &status.body);
    part_gut(&splits, STYLE_LABEL, _("SPLITS"), NULL);
    for (int i = 0; i < SPLIT_COUNT; i++) {
        if (!r->dry.by_split[i])
            continue;
        snprintf(text, sizeof text, "%s %s   ", split_label((enum split)i),
                 count_text(n, sizeof n, r->dry.by_split[i]));
        rich_add(&splits.body, STYLE_TEXT, text);
    }
    struct part *all[] = {&head, &status, &splits};
    static const int rows[] = {3, 1, 1};
    int y = w.y, end = w.y + w.h;
    for (size_t i = 0; i < COUNT(all); i++) {
        if (i == 1 && y < end)
            part_rule(y++, w.x);
        int need = part_measure(all[i], w.w);
        need = need > rows[i] && w.h > 14 ? need : rows[i];
        if (y + need <= end)
            part_draw(all[i], y, w.x, need, w.w);
        y += need;
        part_free(all[i]);
    }
    if (y + 1 < end) {
        part_rule(y++, w.x);
        draw_some(a, (struct area){y, w.x, end - y, w.w});
    }
}

static int list_rows(int rows)
{
    int n = rows / 6;
    return n < 1 ? 1 : n > 8 ? 8 : n;
}

const struct view_ops view_review = {
    .where = where,
    .list = {columns, COUNT(columns), true, row_mark, false, row_style},
    .item = item,
    .list_rows = list_rows,
    .footer = "accept reject defer edit diff lineage find type next tag filter "
              "expand import help"};
