/* Runs: teacher jobs and training runs, with the curve of a training. */
#include <curses.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "ui/ui.h"
#include "domain/verifier.h"

static void where(struct app *a, int y, int x, int w)
{
    char spent[24];
    cells_printf(y, x, w, STYLE_FACT,
                 _("%s   %d running   %s spent"),
                 a->target_name ? a->target_name : "", a->runs.running,
                 lang_money(spent, sizeof spent, a->counts.cost, 2));
}

/* ---- The list ----------------------------------------------------------- */

static const struct run_row *shown(struct app *a, size_t row)
{
    return &a->runs.shown.at[row - a->runs.list.top];
}

static void name_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", shown(a, row)->name);
}

static void what_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", shown(a, row)->what);
}

static void state_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", _(shown(a, row)->state));
}

static void done_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%.0f%%", shown(a, row)->done * 100);
}

static void rate_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", shown(a, row)->rate);
}

static void left_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", shown(a, row)->left);
}

static void figure_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", shown(a, row)->figure);
}

/* Beside the item a sign says how it stands, in place of the word. */
static const char *row_mark(struct app *a, size_t row)
{
    const char *state = shown(a, row)->state;
    return !strcmp(state, "done")      ? "✓"
           : !strcmp(state, "running") ? "·"
           : !strcmp(state, "starting") ? "·"
                                       : "✗";
}

static const struct column columns[] = {
    {N_("id"), COLUMN_TEXT, 0, 4, 4, 0, name_text, 0},
    {N_("what"), COLUMN_TEXT, 0, 13, 13, 0, what_text, 0},
    {N_("state"), COLUMN_TEXT, 1, 12, 0, 2, state_text, 0},
    {N_("done"), COLUMN_FIGURE, 0, 4, 5, 4, done_text, 0},
    {"", COLUMN_BAR, 1, 8, 0, 1, done_text, 0},
    {N_("column|rate"), COLUMN_FIGURE, 1, 12, 0, 1, rate_text, 0},
    {N_("left"), COLUMN_FIGURE, 0, 7, 8, 3, left_text, 0},
    {N_("figure"), COLUMN_TEXT, 1, 0, 0, 0, figure_text, 0}};

/* ---- The curve ---------------------------------------------------------- */

/* The y axis' top: the largest loss, rounded up to a plain number. */
static double curve_top(const struct runs_state *x)
{
    double top = 0;
    for (size_t i = 0; i < x->curve.n; i++) {
        if (x->curve.at[i].loss > top)
            top = x->curve.at[i].loss;
        if (x->curve.at[i].held_out > top)
            top = x->curve.at[i].held_out;
    }
    return top <= 0 ? 1 : ceil(top);
}

struct plot {
    int y, x, h, w;
    double top, steps;
};

/* Sets dots of a braille grid (2 x 4 a cell) along the training loss. */
static void fill_dots(const struct runs_state *x, const struct plot *p,
                      unsigned char *dots)
{
    static const unsigned char bit[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    int cols = p->w * 2, rows = p->h * 4;
    double *sum = xcalloc((size_t)cols, sizeof *sum);
    int *n = xcalloc((size_t)cols, sizeof *n);
    for (size_t i = 0; i < x->curve.n; i++) {
        const struct curve_point *c = &x->curve.at[i];
        int at = (int)((double)c->step / p->steps * (cols - 1));
        if (isnan(c->loss) || at < 0 || at >= cols)
            continue;
        sum[at] += c->loss;
        n[at]++;
    }
    for (int i = 0; i < cols; i++) {
        if (!n[i])
            continue;
        int r = (int)((1 - sum[i] / n[i] / p->top) * (rows - 1));
        r = r < 0 ? 0 : r >= rows ? rows - 1 : r;
        dots[r / 4 * p->w + i / 2] |= bit[r % 4][i % 2];
    }
    free(sum);
    free(n);
}

static void draw_dots(const struct plot *p, const unsigned char *dots)
{
    for (int r = 0; r < p->h; r++)
        for (int c = 0; c < p->w; c++) {
            unsigned char d = dots[r * p->w + c];
            char text[4] = "";
            if (!d)
                continue;
            unsigned cp = 0x2800u + d;
            text[0] = (char)(0xe0 | cp >> 12);
            text[1] = (char)(0x80 | (cp >> 6 & 63));
            text[2] = (char)(0x80 | (cp & 63));
            cells_put(p->y + r, p->x + c, 1, STYLE_CURVE, text);
        }
}

static void draw_held(const curve_points *all, const struct plot *p,
                      const char *sign)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct curve_point *c = &all->at[i];
        if (isnan(c->held_out))
            continue;
        int at = (int)((double)c->step / p->steps * (p->w - 1));
        int r = (int)((1 - c->held_out / p->top) * (p->h - 1) + .5);
        r = r < 0 ? 0 : r >= p->h ? p->h - 1 : r;
        if (at >= 0 && at < p->w)
            cells_put(p->y + r, p->x + at, 1, STYLE_HELD, sign);
    }
}

/* The curve in h rows beside the gutter; the last row is the steps' axis. */
static void draw_curve(struct app *a, int y, int x, int h, int w)
{
    const struct runs_state *r = &a->runs;
    struct plot p = {y, x + 4, h - 1, w - 4, curve_top(r),
                     json_get_number(r->status, "steps", 1)};
    if (p.h < 2 || p.w < 10)
        return;
    if (p.steps < 1)
        p.steps = 1;
    unsigned char *dots = xcalloc((size_t)(p.h * p.w), 1);
    fill_dots(r, &p, dots);
    draw_dots(&p, dots);
    draw_held(&r->other_curve, &p, "x");
    draw_held(&r->curve, &p, "o");
    free(dots);
    cells_printf(y, x, 4, STYLE_FACT, "%.0f", p.top);
    char half[16];
    cells_put(y + (p.h - 1) / 2, x, 4, STYLE_FACT,
              lang_number(half, sizeof half, p.top / 2, 1));
    cells_put(y + p.h - 1, x, 4, STYLE_FACT, "0");
    for (int i = 0; i <= 4; i++) {
        char text[24];
        snprintf(text, sizeof text, "%.0f", p.steps * i / 4);
        int at = p.x + (p.w - 6) * i / 4;
        cells_put(y + h - 1, at, 6, STYLE_FACT, text);
    }
}

/* ---- A training --------------------------------------------------------- */

static void figure_gut(struct part *p, const char *label, const json *n,
                       const char *key)
{
    char text[24];
    if (!json_get(n, key))
        return;
    part_gut(p, STYLE_FACT, label,
             short_figure(text, sizeof text, json_get_number(n, key, 0)));
}

static void run_guts(struct app *a, struct part *p)
{
    const json *n = a->runs.status;
    const struct run *r = &a->runs.run;
    char text[48], right[24];
    snprintf(text, sizeof text, "r%lld", (long long)r->id);
    part_gut(p, STYLE_LABEL, text, "SFT");
    snprintf(right, sizeof right, "%lld/%lld",
             (long long)json_get_int(n, "step", 0),
             (long long)json_get_int(n, "steps", 0));
    part_gut(p, STYLE_FACT, _("step"), right);
    figure_gut(p, _("loss"), n, "loss");
    if (!isnan(a->runs.held_out))
        figure_gut(p, _("held out"), n, "held_out_loss");
    figure_gut(p, _("gemm share"), n, "gemm_share");
    part_gut(p, STYLE_FACT, json_get_string(n, "kernel", ""), NULL);
    if (!strcmp(json_get_string(n, "precision", ""), "medium"))
        part_gut(p, STYLE_FACT, _("bf16 products"), NULL);
    lang_number(right, sizeof right,
                json_get_number(n, "memory_bytes", 0) / 1048576, 0);
    snprintf(text, sizeof text, "%s MiB", right);
    part_gut(p, STYLE_FACT, _("memory"), text);
}

/* What was asked by hand, in place of a held-out row. */
static void asked_part(struct app *a, struct part *p)
{
    part_gut(p, STYLE_LABEL, _("ASKED"), NULL);
    part_gut(p, STYLE_FACT, _("by you"), "[ ]");
    rich_add(&p->body, STYLE_TEXT,
             json_get_string(a->runs.asked, "question", ""));
}

static void held_part(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    char right[24], text[200];
    double n = json_get_number(x->status, "held_out", 0);
    double exact = x->exact;
    double marked = json_get_number(x->status, "marked", n);
    snprintf(right, sizeof right, "%.0f", n);
    part_gut(p, STYLE_LABEL, _("HELD OUT"), right);
    if (n < FIGURE_LEAST) {
        snprintf(text, sizeof text,
                 _("under %d held-out rows: no figure is shown"),
                 FIGURE_LEAST);
    } else if (isnan(exact)) {
        snprintf(text, sizeof text, _("by the loss: nothing here can be "
                                      "marked right or wrong"));
    } else {
        double half = 1.96 * sqrt(exact * (1 - exact) / marked +
                                  .25 / marked / marked);
        snprintf(text, sizeof text, _("exact: now %.0f%% ±%.0f"),
                 exact * 100, half * 100);
    }
    rich_add(&p->body, STYLE_TEXT, text);
    if (x->other && !isnan(x->other_exact)) {
        snprintf(text, sizeof text, _("; r%lld %.0f%%, x on the curve"),
                 (long long)x->other, x->other_exact * 100);
        rich_add(&p->body, STYLE_TEXT, text);
    }
    rich_add(&p->body, STYLE_TEXT, "\n");
    if (!x->answers.n)
        return;
    snprintf(text, sizeof text, _("%zu of %zu"), x->answer + 1,
             x->answers.n);
    part_gut(p, STYLE_FACT, text, "[ ]");
    rich_add(&p->body, STYLE_TEXT, x->question ? x->question : "");
}

static void one_line(struct part *p, const char *text)
{
    char *copy = xstrdup(text ? text : "");
    for (char *c = copy; *c; c++)
        if (*c == '\n')
            *c = ' ';
    rich_add(&p->body, STYLE_TEXT, copy);
    free(copy);
}

/* What the compared run's student answered to a held-out row. */
static const struct held_answer *other_answer(const struct runs_state *r,
                                              int64_t id)
{
    for (size_t i = 0; i < r->other_answers.n; i++)
        if (r->other_answers.at[i].id == id)
            return &r->other_answers.at[i];
    return NULL;
}

struct answer_row {
    const char *label, *text;
    const char *mark; /* "✓", "✗" or " " */
};

static const char *right_mark(int right)
{
    return right < 0 ? " " : right ? "✓" : "✗";
}

static void fill_answers(const struct runs_state *r, struct answer_row *rows,
                         char *name, size_t cap)
{
    if (r->asked) {
        rows[0] = (struct answer_row){
            _("before"), json_get_string(r->asked, "before", ""), " "};
        rows[1] = (struct answer_row){
            _("now"), json_get_string(r->asked, "now", ""), " "};
        rows[2] = (struct answer_row){
            json_get_string(r->asked, "teacher_name", ""),
            json_get_string(r->asked, "teacher", ""), " "};
        return;
    }
    const struct held_answer *k = &r->answers.at[r->answer];
    const struct held_answer *o = other_answer(r, k->id);
    rows[0] = (struct answer_row){_("before"), k->before,
                                  right_mark(k->right_before)};
    if (o) {
        snprintf(name, cap, "r%lld", (long long)r->other);
        rows[0] = (struct answer_row){name, o->now, right_mark(o->right)};
    }
    rows[1] = (struct answer_row){_("now"), k->now, right_mark(k->right)};
    rows[2] = (struct answer_row){_("teacher"), r->teacher, " "};
}

/* The same question answered before, now and by the teacher: a row each. */
static void draw_answers(struct app *a, int y, int x, int h, int w)
{
    const struct runs_state *r = &a->runs;
    struct answer_row rows[3];
    char name[24];
    if (!r->answers.n && !r->asked)
        return;
    fill_answers(r, rows, name, sizeof name);
    for (int i = 0; i < 3 && i < h; i++) {
        struct part p = {0};
        char text[48];
        snprintf(text, sizeof text, "%s %s", rows[i].mark, rows[i].label);
        part_mark(&p, *rows[i].mark == ' ' ? STYLE_FACT
                      : !strcmp(rows[i].mark, "✓") ? STYLE_OK : STYLE_BAD,
                  text, NULL);
        one_line(&p, rows[i].text);
        part_measure(&p, w);
        part_draw(&p, y + i, x, 1, w);
        part_free(&p);
    }
}

static void run_item(struct app *a, struct area w)
{
    struct part head = {0}, held = {0};
    int curve_h = w.h - 7 < 4 ? w.h : w.h - 7;
    if (curve_h > 12)
        curve_h = 12;
    run_guts(a, &head);
    const char *why = json_get_string(a->runs.status, "why", NULL);
    if (why)
        rich_add(&head.body, STYLE_TEXT, why);
    part_measure(&head, w.w);
    part_draw(&head, w.y, w.x, curve_h, w.w);
    if (!why)
        draw_curve(a, w.y, w.x + GUTTER + 2, curve_h, w.w - GUTTER - 3);
    part_free(&head);
    int y = w.y + curve_h, end = w.y + w.h;
    if (y + 3 > end)
        return;
    part_rule(y++, w.x);
    if (a->runs.asked)
        asked_part(a, &held);
    else
        held_part(a, &held);
    part_measure(&held, w.w);
    int h = end - y - 3 > 3 ? 3 : end - y - 3;
    if (h > 0)
        part_draw(&held, y, w.x, h, w.w);
    part_free(&held);
    draw_answers(a, y + (h > 0 ? h : 0), w.x, end - y - (h > 0 ? h : 0),
                 w.w);
}

/* ---- A teacher's job ---------------------------------------------------- */

static void count_gut(struct part *p, const char *label, int64_t n)
{
    char text[24];
    part_gut(p, STYLE_FACT, label, count_text(text, sizeof text, n));
}

static void job_part(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    const json *n = json_get(x->status, "figures");
    char text[300], right[24], in[24], out[24];
    snprintf(text, sizeof text, "j%lld", (long long)x->job.id);
    snprintf(right, sizeof right, "%lld", (long long)x->counts.total);
    part_gut(p, STYLE_LABEL, text, right);
    count_gut(p, _("answered"), x->counts.by_state[CALL_ANSWERED] +
                                    x->counts.by_state[CALL_UNPARSED]);
    count_gut(p, _("found"), json_get_int(n, "found", 0));
    count_gut(p, _("passed"), json_get_int(n, "passed", 0));
    count_gut(p, _("failed"), x->counts.by_state[CALL_FAILED]);
    count_gut(p, _("lost"), x->counts.by_state[CALL_LOST]);
    snprintf(text, sizeof text, _("%s, %lld in flight\n"), x->job.teacher,
             (long long)json_get_int(n, "in_flight", 0));
    rich_add(&p->body, STYLE_TEXT, text);
    snprintf(text, sizeof text, _("of %lld calls; recipe %s %lld\n"),
             (long long)x->counts.total,
             x->job.recipe_name ? x->job.recipe_name : "",
             (long long)x->job.recipe_version);
    rich_add(&p->body, STYLE_TEXT, text);
    bool rank = x->job.kind && !strcmp(x->job.kind, "rank");
    rich_add(&p->body, STYLE_TEXT,
             rank ? _("answers rated in the replies\n")
                  : _("new prompts and answers in the replies\n"));
    rich_add(&p->body, STYLE_TEXT,
             rank ? _("4 shows them beside your own order\n")
                  : _("they stand at the end of the Review queue\n"));
    snprintf(text, sizeof text, _("%s spent; %s tokens in, %s out\n"),
             lang_money(right, sizeof right, x->counts.cost, 2),
             lang_number(in, sizeof in, (double)x->counts.tokens_in, 0),
             lang_number(out, sizeof out, (double)x->counts.tokens_out, 0));
    rich_add(&p->body, STYLE_TEXT, text);
    const char *error = json_get_string(x->status, "error", NULL);
    if (error)
        rich_add(&p->body, STYLE_WARN, error);
}

/* An import, or a decision over many samples. */
static void work_part(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    const json *n = json_get(x->status, "figures");
    char text[40];
    snprintf(text, sizeof text, "j%lld", (long long)x->job.id);
    part_gut(p, STYLE_LABEL, text, NULL);
    if (x->file) {
        count_gut(p, _("rows"), json_get_int(n, "rows", 0));
        count_gut(p, _("arrived"), json_get_int(n, "items", 0));
        count_gut(p, _("bad"), json_get_int(n, "bad", 0));
        count_gut(p, _("duplicate"), json_get_int(n, "duplicates", 0));
        rich_add(&p->body, STYLE_TEXT, x->file);
    } else {
        count_gut(p, _("decided"), json_get_int(n, "changed", 0));
        count_gut(p, _("left out"), json_get_int(n, "left_out", 0));
        rich_add(&p->body, STYLE_TEXT,
                 _("one step, that u undoes; others' changes are left out"));
    }
    const char *error = json_get_string(x->status, "error", NULL);
    if (error) {
        rich_add(&p->body, STYLE_TEXT, "\n");
        rich_add(&p->body, STYLE_WARN, error);
    }
}

static void trouble_part(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    char right[24];
    snprintf(right, sizeof right, "%zu", x->trouble.n);
    part_gut(p, STYLE_LABEL, _("TROUBLE"), right);
    for (size_t i = 0; i < x->trouble.n; i++) {
        const struct call *c = &x->trouble.at[i];
        char line[300];
        snprintf(line, sizeof line, "%s c%-6lld %s %d  %.200s\n",
                 (int)i == x->trouble_at ? "▸" : " ", (long long)c->id,
                 _(runs_trouble_state(c)), c->http,
                 c->trouble ? c->trouble : "");
        rich_add(&p->body, STYLE_TEXT, line);
    }
}

/* The raw reply of the call under the mark, as it came. */
static void draw_reply(struct app *a, struct area w)
{
    struct runs_state *x = &a->runs;
    struct part p = {0};
    char text[48];
    snprintf(text, sizeof text, _("REPLY of c%lld"),
             (long long)x->trouble.at[x->trouble_at].id);
    part_rule(w.y, w.x);
    part_gut(&p, STYLE_LABEL, text, NULL);
    rich_add(&p.body, STYLE_TEXT, x->reply);
    p.scroll = text_scrolls(a, w.h - 1, part_measure(&p, w.w));
    part_more(a, &p, a->text_total - a->text_rows - p.scroll);
    part_draw(&p, w.y + 1, w.x, w.h - 1, w.w);
    part_free(&p);
}

static void job_item(struct app *a, struct area w)
{
    struct part head = {0}, trouble = {0};
    if (a->runs.work)
        work_part(a, &head);
    else
        job_part(a, &head);
    int need = part_measure(&head, w.w);
    int h = need < w.h - 3 ? need : w.h - 3;
    part_draw(&head, w.y, w.x, h, w.w);
    part_free(&head);
    if (a->runs.work)
        return;
    int y = w.y + h, end = w.y + w.h;
    part_rule(y++, w.x);
    trouble_part(a, &trouble);
    need = part_measure(&trouble, w.w);
    int room = a->runs.reply ? (end - y) / 2 : end - y;
    h = need < room ? need : room;
    part_draw(&trouble, y, w.x, h, w.w);
    part_free(&trouble);
    if (a->runs.reply && y + h + 2 < end)
        draw_reply(a, (struct area){y + h, w.x, end - y - h, w.w});
}

static void item(struct app *a, struct area w)
{
    if (!list_id(&a->runs.list))
        draw_nothing(w, _("nothing has run yet; E expands, T trains"));
    else if (a->runs.run.id)
        run_item(a, w);
    else
        job_item(a, w);
}

static int list_rows(int rows)
{
    int n = rows / 6;
    return n < 1 ? 1 : n;
}

const struct view_ops view_runs = {
    .where = where,
    .list = {columns, COUNT(columns), false, row_mark, true, NULL},
    .item = item,
    .list_rows = list_rows,
    .footer = "train stop resume compare ask previous next help"};
