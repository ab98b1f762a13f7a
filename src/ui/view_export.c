/* Export: the curated set by shape and split, its checks, and a row as the
 * trainer will see it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "ui/ui.h"

/* What a filter leaves out, behind what it names. */
static void where(struct app *a, int y, int x, int w)
{
    const struct export_state *e = &a->export;
    int64_t out = a->counts.accepted - e->n_accepted;
    char n[24], left[24], text[80] = "";
    if (e->filter && out > 0)
        snprintf(text, sizeof text, P_(", %s left out", ", %s left out",
                                       (unsigned long)out),
                 count_text(left, sizeof left, out));
    put_facts(y, x, w, P_("%s   status:accepted %s  %s sample"
                 "%s   as of d%lld   seed 7", "%s   status:accepted %s  %s "
                 "samples%s   as of d%lld   seed 7",
                 (unsigned long)e->n_accepted),
                 a->target_name ? a->target_name : "",
                 e->filter ? e->filter : "",
                 count_text(n, sizeof n, e->n_accepted), text,
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
        count_text(out, cap, export_rows_of(&a->export, (enum shape)row,
                                            split));
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
    {N_("rows"), COLUMN_FIGURE, 0, 7, 7, 5, all_text, 0},
    {N_("train"), COLUMN_FIGURE, 1, 6, 7, 4, train_text, 0},
    {N_("valid"), COLUMN_FIGURE, 0, 6, 6, 3, valid_text, 0},
    {N_("test"), COLUMN_FIGURE, 0, 6, 6, 2, test_text, 0},
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

/* Stretches of the row's text that are trained. */
struct stretch {
    size_t from, to;
};
typedef VEC(struct stretch) stretches;

/* How many tokens the student reads of it, and learns. */
static void token_guts(const json *rendered, struct part *p)
{
    char n[24], text[48];
    int64_t all = (int64_t)json_count(json_get(rendered, "ids")), trained = 0;
    const json *t = json_first(json_get(rendered, "trained"));
    for (; t; t = json_next(t))
        trained += json_number(t, 0) > 0;
    if (!rendered)
        return;
    snprintf(text, sizeof text, P_("%s token read", "%s tokens read",
                                   (unsigned long)all),
             count_text(n, sizeof n, all));
    part_gut(p, STYLE_FACT, text, NULL);
    snprintf(text, sizeof text, P_("%s trained", "%s trained",
                                   (unsigned long)trained),
             count_text(n, sizeof n, trained));
    part_gut(p, STYLE_FACT, text, "┃");
}

static void row_guts(const struct export_state *e, struct part *p)
{
    const struct shown_row *r = &e->row;
    char text[40];
    part_gut(p, STYLE_LABEL, _("ROW"), NULL);
    part_gutf(p, STYLE_FACT, NULL, _("sample %lld"), (long long)r->sample);
    snprintf(text, sizeof text, "%s/%s", export_shape((int)r->shape).name,
             split_name(r->split));
    part_gut(p, STYLE_FACT, text, NULL);
    if (r->of > 1)
        part_gutf(p, STYLE_FACT, NULL, _("%d of its %d"), r->n + 1, r->of);
    if (r->shape == SHAPE_DPO)
        part_gut(p, STYLE_FACT, r->from_order ? _("by an order")
                                              : _("by an edit"), NULL);
    if (r->shape == SHAPE_KTO)
        part_mark(p, r->label ? STYLE_OK : STYLE_BAD,
                  r->label ? _("✓ label true") : _("✗ label false"), NULL);
    token_guts(e->rendered, p);
}

static void add_trained(struct part *p, stretches *trained, const char *text)
{
    struct stretch s = {p->body.text.len, 0};
    rich_add(&p->body, STYLE_TEXT, text);
    s.to = p->body.text.len;
    VEC_PUSH(trained, s);
}

/* As the student reads it; what is trained begins on a line of its own. */
static void rendered_text(const json *rendered, struct part *p,
                          stretches *trained)
{
    const json *x = json_first(json_get(rendered, "parts"));
    for (; x; x = json_next(x)) {
        const char *text = json_get_string(x, "text", "");
        size_t n = p->body.text.len;
        if (n && buf_str(&p->body.text)[n - 1] != '\n')
            rich_add(&p->body, STYLE_FACT, "\n");
        if (json_get_bool(x, "trained", false))
            add_trained(p, trained, text);
        else
            rich_add(&p->body, STYLE_FACT, text);
    }
}

/* By role, where there is no student that has a template for it. */
static void plain_text(const struct shown_row *r, struct part *p,
                       stretches *trained)
{
    rich_add(&p->body, STYLE_FACT, "<|user|>\n");
    rich_add(&p->body, r->worse ? STYLE_TEXT : STYLE_FACT, r->asked);
    rich_add(&p->body, STYLE_FACT, r->worse ? "\nchosen\n"
                                            : "\n<|assistant|>\n");
    add_trained(p, trained, r->answer);
    rich_add(&p->body, STYLE_FACT, r->worse ? "\nrejected\n" : "<|end|>");
    if (r->worse)
        rich_add(&p->body, STYLE_TEXT, r->worse);
}

/* Whether any of a line is trained. */
static bool is_trained(const stretches *all, struct wrapped line)
{
    for (size_t i = 0; i < all->n; i++)
        if (line.from < all->at[i].to && line.to > all->at[i].from)
            return true;
    return false;
}

static void draw_row(struct app *a, struct area w)
{
    const struct export_state *e = &a->export;
    struct part p = {0};
    stretches trained = {0};
    if (!e->row.sample) {
        part_gut(&p, STYLE_LABEL, _("ROW"), NULL);
        rich_add(&p.body, STYLE_FACT, _("there is no row of this shape"));
    } else {
        row_guts(e, &p);
        if (e->rendered)
            rendered_text(e->rendered, &p, &trained);
        else
            plain_text(&e->row, &p, &trained);
    }
    int total = part_measure(&p, w.w);
    p.scroll = text_scrolls(a, w.h, total);
    part_more(a, &p, total - w.h - p.scroll);
    part_draw(&p, w.y, w.x, w.h, w.w);
    for (int i = 0; i < w.h && i + p.scroll < (int)p.lines.n; i++)
        if (is_trained(&trained, p.lines.at[i + p.scroll]))
            cells_put(w.y + i, w.x + GUTTER - 1, 1, STYLE_FACT, "┃");
    VEC_FREE(&trained);
    part_free(&p);
}

static void since_part(struct app *a, struct part *p)
{
    const json *s = json_get(a->export.report, "since");
    char text[300], n[40];
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
    part_gut(p, STYLE_LABEL, _("TO"), NULL);
    if (!a->export.report)
        return;
    snprintf(text, sizeof text, _("./%s.export/   %lld files, %s"),
             a->target_name,
             (long long)json_get_int(a->export.report, "files", 0),
             lang_size(n, sizeof n,
                       json_get_number(a->export.report, "bytes", 0)));
    rich_add(&p->body, STYLE_TEXT, text);
}

static void item(struct app *a, struct area w)
{
    struct part checks = {0}, since = {0};
    int y = w.y, end = w.y + w.h;
    if (!a->export.n_accepted) {
        draw_nothing(w, a->export.filter
                            ? _("nothing accepted is in this filter; F drops "
                                "it")
                            : _("nothing is accepted yet; 3 opens Review"));
        return;
    }
    checks_part(a, &checks);
    int h = part_measure(&checks, w.w);
    h = h > 4 ? 4 : h < 2 ? 2 : h;
    part_draw(&checks, y, w.x, h, w.w);
    y += h;
    part_rule(y++, w.x);
    draw_row(a, (struct area){y, w.x, end - y - 3, w.w});
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
    .footer = "write shape leave-out next earlier filter lineage help"};
