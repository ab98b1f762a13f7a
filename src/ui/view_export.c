/* Export: the curated set by shape and split, its checks, and a row as the
 * trainer will see it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "ui/ui.h"

static int64_t rows_of(const struct app *a, int shape, int split)
{
    const json *r = json_get(a->export.report, "rows");
    const json *s = json_get(r, export_shape(shape).name);
    int64_t n = 0;
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (split < 0 || split == i)
            n += json_get_int(s, split_name((enum split)i), 0);
    return n;
}

static void where(struct app *a, int y, int x, int w)
{
    const struct export_state *e = &a->export;
    char n[24];
    cells_printf(y, x, w, STYLE_FACT, P_("%s   status:accepted %s  %s sample "
                 "  as of d%lld   seed 7", "%s   status:accepted %s  %s "
                 "samples   as of d%lld   seed 7",
                 (unsigned long)e->n_accepted),
                 a->target_name ? a->target_name : "",
                 e->filter ? e->filter : "",
                 count_text(n, sizeof n, e->n_accepted),
                 (long long)a->counted.seq);
}

/* ---- The list ----------------------------------------------------------- */

static void shape_text(struct app *a, size_t row, char *out, size_t cap)
{
    (void)a;
    snprintf(out, cap, "%s", export_shape((int)row).name);
}

static void rows_text(struct app *a, size_t row, int split, char *out,
                      size_t cap)
{
    if (a->export.shapes[row] && a->export.report)
        count_text(out, cap, rows_of(a, (int)row, split));
}

static void all_text(struct app *a, size_t row, char *out, size_t cap)
{
    rows_text(a, row, -1, out, cap);
}

static void train_text(struct app *a, size_t row, char *out, size_t cap)
{
    rows_text(a, row, SPLIT_TRAIN, out, cap);
}

static void valid_text(struct app *a, size_t row, char *out, size_t cap)
{
    rows_text(a, row, SPLIT_VALID, out, cap);
}

static void test_text(struct app *a, size_t row, char *out, size_t cap)
{
    rows_text(a, row, SPLIT_TEST, out, cap);
}

static void made_text(struct app *a, size_t row, char *out, size_t cap)
{
    snprintf(out, cap, "%s", a->export.shapes[row]
                                 ? export_shape((int)row).made_from
                                 : _("off; s turns it on"));
}

static void for_text(struct app *a, size_t row, char *out, size_t cap)
{
    if (a->export.shapes[row])
        snprintf(out, cap, "%s", export_shape((int)row).trainers);
}

static enum style row_style(struct app *a, size_t row)
{
    return a->export.shapes[row] ? STYLE_ROW : STYLE_ROW_DONE;
}

static const struct column columns[] = {
    {N_("shape"), COLUMN_TEXT, 0, 7, 7, 0, shape_text, 0},
    {N_("rows"), COLUMN_FIGURE, 0, 7, 7, 3, all_text, 0},
    {N_("train"), COLUMN_FIGURE, 1, 6, 0, 2, train_text, 0},
    {N_("valid"), COLUMN_FIGURE, 0, 6, 0, 2, valid_text, 0},
    {N_("test"), COLUMN_FIGURE, 0, 6, 0, 2, test_text, 0},
    {N_("made from"), COLUMN_TEXT, 2, 22, 0, 1, made_text, 0},
    {N_("for"), COLUMN_TEXT, 1, 0, 0, 0, for_text, 0}};

/* ---- The item ----------------------------------------------------------- */

/* "the answer is empty: 1207 1588" for each check that found something. */
static void checks_part(struct app *a, struct part *p)
{
    const struct export_state *x = &a->export;
    const json *list = json_get(x->report, "checks");
    size_t found = 0;
    for (const json *c = json_first(list); c; c = json_next(c)) {
        bool fail = !strcmp(json_get_string(c, "verdict", ""), "fail");
        char head[40], line[200];
        int64_t n = json_get_int(c, "count", 0);
        if (!n)
            continue;
        found++;
        snprintf(head, sizeof head, "%s %4lld  ", fail ? "✗" : "!",
                 (long long)n);
        rich_add(&p->body, fail ? STYLE_BAD : STYLE_WARN, head);
        rich_add(&p->body, STYLE_TEXT,
                 export_check_text(json_get_string(c, "check", "")));
        int shown = 0;
        for (const json *s = json_first(json_get(c, "samples"));
             s && shown < 6; s = json_next(s), shown++) {
            snprintf(line, sizeof line, "%s %.0f", shown ? "" : ":",
                     json_number(s, 0));
            rich_add(&p->body, STYLE_FACT, line);
        }
        rich_add(&p->body, STYLE_TEXT, "\n");
    }
    part_gut(p, STYLE_LABEL, _("CHECKS"), NULL);
    part_gut(p, STYLE_FACT, x->leave_wrong ? _("wrong left out") : "", NULL);
    if (*x->error)
        rich_add(&p->body, STYLE_WARN, x->error);
    else if (x->child.pid)
        rich_add(&p->body, STYLE_FACT, x->writing ? _("writing ...")
                                                  : _("counting ..."));
    else if (x->report && !found)
        rich_add(&p->body, STYLE_OK, _("✓ nothing to say"));
}

/* The gutter of the row. */
static void row_guts(const struct export_state *e, struct part *p)
{
    char text[40];
    snprintf(text, sizeof text, "%lld", (long long)e->now.id);
    part_gut(p, STYLE_LABEL, _("ROW"), text);
    snprintf(text, sizeof text, "sft/%s", split_name(e->now.split));
    part_gut(p, STYLE_FACT, text, NULL);
}

/* One stretch of the row, at most `h` lines of it, of what is not trained the
 * last ones; how many there are. */
static int draw_stretch(struct part *p, const json *part, int y, int x, int h,
                        int w)
{
    bool trained = json_get_bool(part, "trained", false);
    char *text = xstrdup(json_get_string(part, "text", ""));
    size_t len = strlen(text);
    if (len && text[len - 1] == '\n') /* it ends its line */
        text[len - 1] = '\0';
    rich_add(&p->body, trained ? STYLE_TEXT : STYLE_FACT, text);
    free(text);
    int all = part_measure(p, w), n = all < h ? all : h;
    p->scroll = trained ? 0 : all - n;
    part_draw(p, y, x, n, w);
    for (int i = 0; trained && i < n; i++)
        cells_put(y + i, x + GUTTER - 4, 1, STYLE_FACT, "┃");
    return n;
}

/* The row as the student reads it; what comes before the first answer has at
 * most half of the lines. */
static int draw_rendered(const struct export_state *e, int y, int x, int h,
                         int w)
{
    int used = 0;
    const json *first = json_first(json_get(e->rendered, "parts"));
    for (const json *p = first; p && used < h; p = json_next(p)) {
        struct part part = {0};
        if (!strcmp(json_get_string(p, "text", ""), "\n"))
            continue;
        if (p == first)
            row_guts(e, &part);
        used += draw_stretch(&part, p, y + used, x,
                             p == first ? (h + 1) / 2 : h - used, w);
        part_free(&part);
    }
    return used;
}

/* A row as sft writes it; what is trained has a bar in the gutter. */
static int draw_row(struct app *a, int y, int x, int h, int w)
{
    const struct export_state *e = &a->export;
    if (e->rendered)
        return draw_rendered(e, y, x, h, w);
    struct part prompt = {0}, answer = {0};
    char *asked = prompt_text(e->now.prompt ? e->now.prompt : "[]");
    int k = e->answer, used = 0;
    row_guts(e, &prompt);
    rich_add(&prompt.body, STYLE_FACT, "<|user|>\n");
    rich_add(&prompt.body, STYLE_TEXT, asked);
    int need = part_measure(&prompt, w);
    used = need < h / 2 ? need : h / 2;
    part_draw(&prompt, y, x, used, w);
    if (k >= 0) {
        char *said = answer_text(e->now.candidates.at[k].body);
        rich_add(&answer.body, STYLE_FACT, "<|assistant|>\n");
        rich_add(&answer.body, STYLE_TEXT, said);
        rich_add(&answer.body, STYLE_FACT, "<|end|>");
        free(said);
        part_measure(&answer, w);
        int left = h - used, n = (int)answer.lines.n;
        n = n < left ? n : left;
        part_draw(&answer, y + used, x, n, w);
        for (int i = 1; i < n; i++)
            cells_put(y + used + i, x + GUTTER - 4, 1, STYLE_FACT, "┃");
        used += n;
    }
    free(asked);
    part_free(&prompt);
    part_free(&answer);
    return used;
}

static void since_part(struct app *a, struct part *p)
{
    const json *s = json_get(a->export.report, "since");
    char text[200], n[24];
    if (json_get_int(s, "export", 0)) {
        snprintf(text, sizeof text, _("SINCE x%lld"),
                 (long long)json_get_int(s, "export", 0));
        part_gut(p, STYLE_LABEL, text, NULL);
        char day[40];
        snprintf(text, sizeof text, P_("%lld row new, %lld gone, %lld "
                 "changed; %s, d%lld", "%lld rows new, %lld gone, %lld "
                 "changed; %s, d%lld",
                 (unsigned long)json_get_int(s, "new", 0)),
                 (long long)json_get_int(s, "new", 0),
                 (long long)json_get_int(s, "gone", 0),
                 (long long)json_get_int(s, "changed", 0),
                 clock_format(day, sizeof day, json_get_int(s, "at", 0), 1),
                 (long long)json_get_int(s, "as_of", 0));
        rich_add(&p->body, STYLE_TEXT, text);
        rich_add(&p->body, STYLE_TEXT, "\n");
    }
    snprintf(text, sizeof text, _("./%s.export/   %lld files, %s kB"),
             a->target_name,
             (long long)json_get_int(a->export.report, "files", 0),
             lang_number(n, sizeof n,
                         json_get_number(a->export.report, "bytes", 0) / 1e3,
                         1));
    part_gut(p, STYLE_LABEL, _("TO"), NULL);
    rich_add(&p->body, STYLE_TEXT, text);
}

static void item(struct app *a, struct area w)
{
    struct part checks = {0}, since = {0};
    int y = w.y, end = w.y + w.h;
    if (!a->export.accepted.n) {
        draw_nothing(w, _("nothing is accepted yet; 3 opens Review"));
        return;
    }
    checks_part(a, &checks);
    int h = part_measure(&checks, w.w);
    h = h > 4 ? 4 : h < 2 ? 2 : h;
    part_draw(&checks, y, w.x, h, w.w);
    y += h;
    part_rule(y++, w.x);
    draw_row(a, y, w.x, end - y - 3, w.w);
    for (int i = y; i < end - 3; i++)
        cells_put(i, w.x + GUTTER, 1, STYLE_RULE, "│");
    part_rule(end - 3, w.x);
    since_part(a, &since);
    part_measure(&since, w.w);
    part_draw(&since, end - 2, w.x, 2, w.w);
    part_free(&checks);
    part_free(&since);
}

static int list_rows(int rows)
{
    int n = rows / 6;
    return n < 1 ? 1 : n > SHAPE_COUNT ? SHAPE_COUNT : n;
}

const struct view_ops view_export = {
    .where = where,
    .list = {columns, COUNT(columns), false, NULL, false, row_style},
    .item = item,
    .list_rows = list_rows,
    .footer = "write shape leave-out previous earlier filter help"};
