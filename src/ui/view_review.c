/* Review: the queue strip, the prompt, the answer, the neighbour. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/rng.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "ui/ui.h"

/* Whether [-a-] and {+b+} stand around a diff's words. */
static bool diff_marks(const struct app *a)
{
    enum option_value v = a->options.value[OPTION_DIFFMARKS];
    return v == OPTION_ON || (v == OPTION_AUTO && !cells_colour());
}

static void where(struct app *a, int y, int x, int w)
{
    const struct review_state *r = &a->review;
    char text[400], now[32], of[32], today[32], rate[32] = "", per[32];
    int64_t at, total;
    review_position(a, &at, &total);
    double minutes = (double)(r->last_at - r->first_at) / 60000.0;
    if (r->since > 2 && minutes > 0)
        snprintf(rate, sizeof rate, _("   %s a minute"),
                 lang_number(per, sizeof per, (double)(r->since - 1) / minutes,
                             1));
    count_text(now, sizeof now, at);
    count_text(of, sizeof of, total);
    count_text(today, sizeof today, r->today);
    if (r->filter)
        snprintf(text, sizeof text, _("%s   filter: %s   %s of %s"),
                 a->target_name ? a->target_name : "", r->filter, now, of);
    else
        snprintf(text, sizeof text,
                 _("%s   pending, oldest first   %s of %s   %s today%s"),
                 a->target_name ? a->target_name : "", now, of, today, rate);
    cells_put(y, x, w, STYLE_FACT, text);
}

static void header(struct app *a, int y, int x, int w)
{
    (void)a;
    /* L10N: columns of 7, 5, 3 and 6 cells, then two names */
    cells_put(y, x, w, STYLE_FACT,
              _("       id  near   ! judge  recipe    prompt"));
}

static void row(struct app *a, size_t i, int y, int x, int w, bool on)
{
    const struct list *l = &a->review.list;
    struct sample_row r;
    char near[16], judge[16] = "–", marks[8] = "·", text[96];
    if (!sample_row_get(a->s, list_at(l, i), &r))
        return;
    near_figure(near, sizeof near, r.near, r.approximate);
    if (!isnan(r.judge))
        lang_number(judge, sizeof judge, r.judge, 1);
    if (r.warnings)
        snprintf(marks, sizeof marks, "!%d", r.warnings);
    bool done = r.status != STATUS_PENDING && !a->review.filter;
    enum style role = on ? STYLE_ROW_ON : done ? STYLE_ROW_DONE : STYLE_ROW;
    bool chosen = list_selected_count(l) && list_selected(l, r.id);
    if (on)
        cells_blank(y, x, w, role);
    snprintf(text, sizeof text, "%s%s", on ? "▸" : " ", chosen ? "*" : " ");
    cells_put(y, x + 1, 2, role, text);
    cells_put(y, x + 3, 1, role, status_mark(r.status));
    snprintf(text, sizeof text, "%lld", (long long)r.id);
    cells_right(y, x + 4, 5, role, text);
    cells_right(y, x + 9, 6, role, near);
    cells_right(y, x + 15, 4, role, marks);
    cells_right(y, x + 19, 6, role, judge);
    r.recipe[8] = '\0';
    cells_put(y, x + 27, 8, role, r.recipe);
    cells_put(y, x + 37, w - 38, role, r.first_line);
    free(r.first_line);
}

/* ---- The item ----------------------------------------------------------- */

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
    if (c.n > 1 && !a->zoom) {
        size_t earlier = c.n - 1;
        char text[100];
        snprintf(text, sizeof text, P_("+ %zu earlier turn; Enter opens it",
                 "+ %zu earlier turns; Enter opens them", earlier), earlier);
        rich_add(&p->body, STYLE_FACT, text);
        rich_add(&p->body, STYLE_TEXT, "\n");
    }
    for (size_t i = a->zoom ? 0 : c.n - 1; i < c.n; i++) {
        if (a->zoom && c.n > 1) {
            rich_add(&p->body, STYLE_LABEL, role_name(c.at[i].role));
            rich_add(&p->body, STYLE_TEXT, "\n");
        }
        rich_add(&p->body, STYLE_TEXT, c.at[i].content);
        if (i + 1 < c.n)
            rich_add(&p->body, STYLE_TEXT, "\n");
    }
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
    /* L10N: words, short */
    snprintf(words, sizeof words, _("%zu w"), uni_count_words(text));
    if (r->draft)
        part_gutf(p, STYLE_FACT, NULL, _("%s   edit of %d"), a->who,
                  r->answer + 1);
    else
        part_gut(p, STYLE_FACT, c->who ? c->who : source_label(c->source),
                 words);
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
        part_gutf(p, STYLE_FACT, NULL, _("+%zu -%zu words"), d.added,
                  d.removed);
        diff_free(&d);
        add_diff(&p->body, before, text, diff_marks(a));
    } else {
        add_thinking(a, &p->body);
        rich_add(&p->body, STYLE_TEXT, text);
    }
    hidden_gut(a, p, text);
    check_guts(a, p, near_here);
    if (r->now.note)
        part_gut(p, STYLE_FACT, r->now.note, "c");
    free(text);
    free(before);
    p->scroll = r->scroll;
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
    add_diff(&p->body, r->near_text, mine, diff_marks(a));
    free(mine);
}

/* Says in the last gutter row that there is more; tags above it. */
static void tail(struct app *a, struct part *p, int h, bool more)
{
    const struct sample *x = &a->review.now;
    while (p->n_guts < h - (more ? 1 : 0) - (*x->tags ? 1 : 0) &&
           p->n_guts < GUTS)
        part_gut(p, STYLE_FACT, "", NULL);
    if (*x->tags && p->n_guts < h)
        part_gut(p, STYLE_FACT, x->tags, NULL);
    if (more && p->n_guts < GUTS) {
        char left[24];
        snprintf(left, sizeof left, _("%d more"),
                 (int)p->lines.n - p->scroll - h);
        if ((int)p->lines.n - p->scroll > h)
            part_gut(p, STYLE_FACT, _("PgDn"), left);
    }
}

/* Where the cursor of the typing area stands; scrolls it into sight. */
static void place_cursor(struct app *a, struct part *p, int y, int x, int h)
{
    size_t at = a->typing.cursor;
    for (size_t i = 0; i < p->lines.n; i++) {
        struct wrapped l = p->lines.at[i];
        bool last = i + 1 == p->lines.n;
        if (at < l.from || (!last && at >= p->lines.at[i + 1].from))
            continue;
        int row = (int)i;
        if (row < p->scroll)
            p->scroll = row;
        if (row >= p->scroll + h)
            p->scroll = row - h + 1;
        a->review.scroll = p->scroll;
        char *head = xstrndup(buf_str(&p->body.text) + l.from, at - l.from);
        a->cursor_y = y + row - p->scroll;
        a->cursor_x = x + GUTTER + 2 + cells_width(head);
        free(head);
        return;
    }
    a->cursor_y = y;
    a->cursor_x = x + GUTTER + 2;
}

static void draw_bulk(struct app *a, struct area w);

static void item(struct app *a, struct area w)
{
    struct review_state *r = &a->review;
    struct part prompt = {0}, answer = {0}, near = {0};
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
    int top = part_measure(&prompt, w.w);
    int prompt_h = a->zoom || w.h > 20 ? top : 3;
    if (prompt_h < 3)
        prompt_h = 3;
    if (prompt_h > w.h / 2)
        prompt_h = w.h / 2;
    part_draw(&prompt, w.y, w.x, prompt_h, w.w);
    part_rule(w.y + prompt_h, w.x);
    int left = w.h - prompt_h - 1, near_h = 3;
    answer_part(a, &answer, false);
    int need = part_measure(&answer, w.w);
    bool beside = r->near_text && left > 6 &&
                  (need <= left - near_h - 1 || (int)answer.lines.n <= 6);
    if (!beside && r->near_text) {
        part_free(&answer);
        answer = (struct part){0};
        answer_part(a, &answer, true);
        part_measure(&answer, w.w);
    }
    int h = beside ? left - near_h - 1 : left;
    a->text_rows = h;
    a->text_total = (int)answer.lines.n;
    tail(a, &answer, h, a->text_total > h);
    if (a->typing.open)
        place_cursor(a, &answer, w.y + prompt_h + 1, w.x, h);
    part_draw(&answer, w.y + prompt_h + 1, w.x, h, w.w);
    if (beside) {
        near_part(a, &near);
        part_measure(&near, w.w);
        part_rule(w.y + prompt_h + 1 + h, w.x);
        part_draw(&near, w.y + prompt_h + 2 + h, w.x, near_h, w.w);
    }
    part_free(&prompt);
    part_free(&answer);
    part_free(&near);
}

/* ---- The dry run -------------------------------------------------------- */

static void draw_sample_lines(struct app *a, struct part *p)
{
    struct rng r;
    rng_seed(&r, a->review.bulk_seed);
    size_t n = a->review.bulk_ids.n, drawn[5];
    for (size_t i = 0; i < 5 && i < n; i++) {
        struct sample_row x;
        char near[16], line[400];
        bool again = true;
        while (again) { /* each of them once */
            drawn[i] = (size_t)rng_below(&r, n);
            again = false;
            for (size_t k = 0; k < i; k++)
                again = again || drawn[k] == drawn[i];
        }
        int64_t id = a->review.bulk_ids.at[drawn[i]];
        if (!sample_row_get(a->s, id, &x))
            continue;
        snprintf(line, sizeof line, "%s  %lld  %.300s\n",
                 near_figure(near, sizeof near, x.near, x.approximate),
                 (long long)id, x.first_line);
        rich_add(&p->body, STYLE_TEXT, line);
        free(x.first_line);
    }
}

static void draw_bulk(struct app *a, struct area w)
{
    const struct review_state *r = &a->review;
    static const char *const heads[] = {N_("REOPEN"), N_("ACCEPT"),
                                        N_("REJECT"), N_("DEFER")};
    struct part head = {0}, status = {0}, splits = {0}, five = {0};
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
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (!r->dry.by_status[i])
            continue;
        snprintf(text, sizeof text, _("%lld %s become %s; "),
                 (long long)r->dry.by_status[i], status_label((enum status)i),
                 status_label(r->bulk_do.to));
        rich_add(&status.body, STYLE_TEXT, text);
    }
    part_gut(&splits, STYLE_LABEL, _("SPLITS"), NULL);
    for (int i = 0; i < SPLIT_COUNT; i++) {
        if (!r->dry.by_split[i])
            continue;
        snprintf(text, sizeof text, "%s %lld   ", split_label((enum split)i),
                 (long long)r->dry.by_split[i]);
        rich_add(&splits.body, STYLE_TEXT, text);
    }
    part_gut(&five, STYLE_LABEL, _("FIVE OF THEM"), NULL);
    part_gutf(&five, STYLE_FACT, NULL, _("drawn, seed %llu"),
              (unsigned long long)r->bulk_seed);
    draw_sample_lines(a, &five);
    struct part *all[] = {&head, &status, &splits, &five};
    static const int rows[] = {3, 1, 1, 5};
    int y = w.y;
    size_t i = 0;
    for (; i < COUNT(all) && y + rows[i] <= w.y + w.h; i++) {
        if (i == 1 || i == 3)
            part_rule(y++, w.x);
        part_measure(all[i], w.w);
        part_draw(all[i], y, w.x, rows[i], w.w);
        y += rows[i];
    }
    for (i = 0; i < COUNT(all); i++)
        part_free(all[i]);
}

static int list_rows(int rows)
{
    int n = rows / 6;
    return n < 1 ? 1 : n > 8 ? 8 : n;
}

const struct view_ops view_review = {
    where, header, row, item, list_rows,
    .footer = "accept reject defer edit diff lineage find help"};
