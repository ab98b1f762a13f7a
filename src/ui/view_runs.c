/* Runs: teacher jobs and training runs, with the curve of a training. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "ui/run_item.h"
#include "ui/ui.h"

/* What runs, who has the cores, what was spent and what may be. */
static void where(struct app *a, int y, int x, int w)
{
    const struct living *l = &a->runs.living;
    char spent[24], more[24], cores[80] = "", may[80] = "";
    if (l->threads)
        snprintf(cores, sizeof cores, P_("%d core: %s has %d   ",
                                         "%d cores: %s has %d   ",
                                         (unsigned long)l->cores),
                 l->cores, l->holder, l->threads);
    if (l->spends >= .005)
        snprintf(may, sizeof may, _(", %s may spend %s more"), l->spender,
                 lang_money(more, sizeof more, l->spends, 2));
    put_facts(y, x, w, _("%s   %d running   %s%s spent%s"),
                 a->target_name ? a->target_name : "", l->running, cores,
                 lang_money(spent, sizeof spent, a->counts.cost, 2), may);
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

static void good_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", shown(a, row)->good);
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
    {N_("what"), COLUMN_TEXT, 0, 13, 12, 0, what_text, 0},
    {N_("state"), COLUMN_TEXT, 1, 12, 0, 2, state_text, 0},
    {N_("done"), COLUMN_FIGURE, 0, 4, 5, 4, done_text, 0},
    {"", COLUMN_BAR, 1, 8, 0, 1, done_text, 0},
    {N_("column|rate"), COLUMN_FIGURE, 1, 12, 0, 1, rate_text, 0},
    {N_("left"), COLUMN_FIGURE, 0, 7, 8, 3, left_text, 0},
    {N_("figure"), COLUMN_TEXT, 1, 0, 0, 0, figure_text, 0}};

/* Beside the item the figure stands short. */
static const struct column good = {
    N_("column|good"), COLUMN_FIGURE, 0, 5, 0, 0, good_text, 0};

/* ---- A teacher's job ---------------------------------------------------- */

static void count_gut(struct part *p, const char *label, int64_t n)
{
    char text[24];
    part_gut(p, STYLE_FACT, label, count_text(text, sizeof text, n));
}

/* "near 9, duplicate 2" of the figures by check. */
static void put_checks(struct buf *b, const json *by)
{
    for (int c = 0; c < CHECK_COUNT; c++) {
        int64_t n = json_get_int(by, check_name((enum check)c), 0);
        if (n)
            buf_printf(b, "%s%s %lld", b->len ? ", " : "",
                       check_label((enum check)c), (long long)n);
    }
}

/* What passed, and by which checks the rest fell. */
static char *passed_text(const json *n)
{
    struct buf fell = BUF_INIT(0), marked = BUF_INIT(0), b = BUF_INIT(0);
    double found = json_get_number(n, "found", 0);
    put_checks(&fell, json_get(n, "fails"));
    put_checks(&marked, json_get(n, "warns"));
    if (found > 0)
        buf_printf(&b, "%.0f%%",
                   100 * json_get_number(n, "passed", 0) / found);
    if (fell.len)
        buf_printf(&b, _("; rejected: %s"), buf_str(&fell));
    if (marked.len)
        buf_printf(&b, _("; marked: %s"), buf_str(&marked));
    buf_free(&fell);
    buf_free(&marked);
    return buf_take(&b);
}

/* A row of the job: its count in the gutter, what is to be said of it. */
static void job_row(struct part *p, const char *label, int64_t n,
                    const char *text)
{
    count_gut(p, label, n);
    rich_add(&p->body, STYLE_TEXT, text);
    rich_add(&p->body, STYLE_TEXT, "\n");
}

/* What was spent of how much; what it will come to at this rate. */
static void money_row(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    double limit = x->job.spend_max, cost = x->counts.cost;
    int64_t left = x->counts.by_state[CALL_PLANNED] +
                   x->counts.by_state[CALL_SENT];
    int64_t done = x->counts.total - left;
    char spent[24], of[24], text[200], in[24], out[24];
    snprintf(text, sizeof text, isnan(limit) ? "%s" : _("%s of %s"),
             lang_money(spent, sizeof spent, cost, 2),
             lang_money(of, sizeof of, limit, 2));
    part_gut(p, STYLE_FACT, text, NULL);
    if (left && done) {
        snprintf(text, sizeof text, _("ends near %s; "),
                 lang_money(of, sizeof of,
                            cost * (double)x->counts.total / (double)done,
                            2));
        rich_add(&p->body, STYLE_TEXT, text);
    }
    snprintf(text, sizeof text, _("%s tokens in, %s out\n"),
             lang_number(in, sizeof in, (double)x->counts.tokens_in, 0),
             lang_number(out, sizeof out, (double)x->counts.tokens_out, 0));
    rich_add(&p->body, STYLE_TEXT, text);
}

static void job_part(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    const json *n = json_get(x->status, "figures");
    bool rank = x->job.kind && !strcmp(x->job.kind, "rank");
    bool runs = !strcmp(json_get_string(x->status, "state", ""), "running");
    const char *error = json_get_string(x->status, "error", NULL);
    int64_t parked = json_get_int(n, "parked_ms", 0);
    char text[300], right[24];
    if (error && !runs) {
        rich_add(&p->body, STYLE_WARN, error);
        rich_add(&p->body, STYLE_TEXT, "\n");
        part_gut(p, STYLE_WARN,
                 _(json_get_string(x->status, "state", "")), NULL);
    }
    snprintf(text, sizeof text, "j%lld", (long long)x->job.id);
    snprintf(right, sizeof right, "%lld", (long long)x->counts.total);
    part_gut(p, STYLE_LABEL, text, right);
    snprintf(text, sizeof text, _("%s, recipe %s %lld\n"), x->job.teacher,
             x->job.recipe_name ? x->job.recipe_name : "",
             (long long)x->job.recipe_version);
    rich_add(&p->body, STYLE_TEXT, text);
    snprintf(text, sizeof text, P_("of %lld call, %lld in flight",
                                   "of %lld calls, %lld in flight",
                                   (unsigned long)x->counts.total),
             (long long)x->counts.total,
             (long long)(runs ? json_get_int(n, "in_flight", 0) : 0));
    size_t len = strlen(text);
    if (runs && parked > 0)
        snprintf(text + len, sizeof text - len,
                 _("; it waits %lld s for the endpoint"),
                 (long long)(parked + 999) / 1000);
    job_row(p, _("answered"), x->counts.by_state[CALL_ANSWERED] +
                                  x->counts.by_state[CALL_UNPARSED], text);
    job_row(p, _("found"), json_get_int(n, "found", 0),
            rank ? _("answers rated in the replies")
                 : _("new prompts and answers in the replies"));
    char *passed = passed_text(n);
    job_row(p, _("passed"), json_get_int(n, "passed", 0), passed);
    free(passed);
    if (!rank)
        job_row(p, _("decided"), x->decided,
                _("of its samples; the rest wait at the end of Review"));
    else
        job_row(p, C_("calls|failed"), x->counts.by_state[CALL_FAILED],
                _("4 shows them beside your own order"));
    money_row(a, p);
}

/* An import, or a decision over many samples. */
static void work_part(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    const json *n = json_get(x->status, "figures");
    char text[100];
    snprintf(text, sizeof text, "j%lld", (long long)x->job.id);
    part_gut(p, STYLE_LABEL, text, NULL);
    if (x->file) {
        count_gut(p, _("rows"), json_get_int(n, "rows", 0));
        count_gut(p, _("arrived"), json_get_int(n, "items", 0));
        count_gut(p, _("bad"), json_get_int(n, "bad", 0));
        count_gut(p, _("duplicate"), json_get_int(n, "duplicates", 0));
        rich_add(&p->body, STYLE_TEXT, x->file);
    } else if (x->taken_back) {
        count_gut(p, _("samples"), json_get_int(n, "objects", 0));
        snprintf(text, sizeof text,
                 x->done_again ? _("what d%lld decided, done again")
                               : _("what d%lld decided, taken back"),
                 (long long)x->taken_back);
        rich_add(&p->body, STYLE_TEXT, text);
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

/* What happens with a call that came to nothing. */
static const char *next_of(const struct app *a, const struct call *c)
{
    const struct runs_state *x = &a->runs;
    bool runs = !strcmp(json_get_string(x->status, "state", ""), "running");
    if (c->state == CALL_UNPARSED)
        return _("kept as it came");
    return runs ? _("asked again by itself") : _("R asks it anew");
}

static void trouble_part(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    char right[24];
    snprintf(right, sizeof right, "%zu", x->trouble.n);
    part_gut(p, STYLE_LABEL, _("TROUBLE"), right);
    for (size_t i = 0; i < x->trouble.n; i++) {
        const struct call *c = &x->trouble.at[i];
        char line[360], http[16] = "";
        if (c->http)
            snprintf(http, sizeof http, " %d", c->http);
        snprintf(line, sizeof line, _("%s c%lld try %lld: %s%s%s%.200s; %s\n"),
                 (int)i == x->trouble_at ? "▸" : " ", (long long)c->id,
                 (long long)c->attempt, _(runs_trouble_state(c)), http,
                 c->trouble ? " " : "", c->trouble ? c->trouble : "",
                 next_of(a, c));
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
        run_item_draw(a, w);
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
    .list = {columns, COUNT(columns), false, row_mark, true, NULL, &good},
    .item = item,
    .list_rows = list_rows,
    .footer = "train stop resume compare ask previous next expand help"};
