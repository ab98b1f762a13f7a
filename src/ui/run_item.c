#include "ui/run_item.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "domain/verifier.h"
#include "ui/curve.h"

static void figure_gut(struct part *p, const char *label, const json *n,
                       const char *key)
{
    char text[24];
    if (!json_get(n, key))
        return;
    part_gut(p, STYLE_FACT, label,
             short_figure(text, sizeof text, json_get_number(n, key, 0)));
}

/* Where it is: steps, losses, speed, time. */
static void progress_guts(struct app *a, struct part *p)
{
    const struct runs_state *x = &a->runs;
    const json *n = x->status;
    char text[48], right[24], left[16];
    bool runs = !strcmp(json_get_string(n, "state", ""), "running");
    snprintf(right, sizeof right, "%lld/%lld",
             (long long)json_get_int(n, "step", 0),
             (long long)json_get_int(n, "steps", 0));
    part_gut(p, STYLE_FACT, _("step"), right);
    figure_gut(p, _("loss"), n, "loss");
    if (!isnan(x->held_out))
        figure_gut(p, _("held out"), n, "held_out_loss");
    if (json_get(n, "tokens_per_second"))
        part_gutf(p, STYLE_FACT, NULL, _("%s tokens/s"),
                  lang_number(right, sizeof right,
                              json_get_number(n, "tokens_per_second", 0), 0));
    int64_t end = x->run.ended ? x->run.ended : x->at;
    if (runs || x->run.ended) {
        runs_time(right, sizeof right, (double)(end - x->run.started) / 1e3);
        runs_time(left, sizeof left, json_get_number(n, "eta_seconds", -1));
        snprintf(text, sizeof text, runs && *left ? _("%s, %s to go")
                                                  : _("%s in all"),
                 right, left);
        part_gut(p, STYLE_FACT, text, NULL);
    }
}

/* How it was begun. */
static void setting_guts(struct app *a, struct part *p)
{
    const struct run *r = &a->runs.run;
    const json *n = a->runs.status;
    json *args = json_parse(r->args, strlen(r->args), NULL);
    char text[24];
    int64_t lora = json_get_int(args, "lora", 0);
    double parameters = json_get_number(n, "parameters", 0);
    bool half = !strcmp(json_get_string(n, "precision", ""), "medium");
    part_gutf(p, STYLE_FACT, NULL, "%.*s, %s",
              (int)strcspn(json_get_string(n, "kernel", ""), "+"),
              json_get_string(n, "kernel", ""), half ? "bf16" : "fp32");
    part_gutf(p, STYLE_FACT, NULL, P_("%lld thread", "%lld threads",
                                      (unsigned long)json_get_int(
                                          n, "threads", 0)),
              (long long)json_get_int(n, "threads", 0));
    if (json_get_number(args, "rate", 0) > 0)
        part_gutf(p, STYLE_FACT, NULL, _("rate %g"),
                  json_get_number(args, "rate", 0));
    if (lora)
        part_gutf(p, STYLE_FACT, NULL, _("LoRA %lld"), (long long)lora);
    part_gutf(p, STYLE_FACT, NULL, _("seed %lld, d%lld"), (long long)r->seed,
              (long long)r->as_of);
    if (json_get(n, "checkpoint"))
        part_gutf(p, STYLE_FACT, NULL, _("checkpoint %lld"),
                  (long long)json_get_int(n, "checkpoint", 0));
    if (parameters > 0)
        part_gutf(p, STYLE_FACT, NULL, _("%s M weights"),
                  lang_number(text, sizeof text, parameters / 1e6, 1));
    part_gutf(p, STYLE_FACT, NULL, _("memory %s"),
              lang_size(text, sizeof text,
                        json_get_number(n, "memory_bytes", 0)));
    json_free(args);
}

static void run_guts(struct app *a, struct part *p)
{
    const struct run *r = &a->runs.run;
    json *args = json_parse(r->args, strlen(r->args), NULL);
    int64_t epochs = json_get_int(args, "tokens", 0)
                         ? 0
                         : json_get_int(args, "epochs", 0);
    char text[48], rows[24];
    snprintf(text, sizeof text, "r%lld", (long long)r->id);
    part_gut(p, STYLE_LABEL, text, "SFT");
    count_text(rows, sizeof rows, a->runs.rows);
    snprintf(text, sizeof text, P_("%s row", "%s rows",
                                   (unsigned long)a->runs.rows), rows);
    if (epochs)
        part_gutf(p, STYLE_FACT, NULL, "%s x %lld", text, (long long)epochs);
    else
        part_gut(p, STYLE_FACT, text, NULL);
    progress_guts(a, p);
    setting_guts(a, p);
    json_free(args);
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
        if (x->before_marked >= FIGURE_LEAST)
            snprintf(text, sizeof text,
                     _("exact: before %.0f%%, now %.0f%% ±%.0f"),
                     100 * (double)x->before_right /
                         (double)x->before_marked, exact * 100, half * 100);
        else
            snprintf(text, sizeof text, _("exact: now %.0f%% ±%.0f"),
                     exact * 100, half * 100);
    }
    rich_add(&p->body, STYLE_TEXT, text);
    if (!x->other && !isnan(exact) && json_get(x->status, "nearest_exact")) {
        snprintf(text, sizeof text, _("; nearest-row guess %.0f%%"),
                 100 * json_get_number(x->status, "nearest_exact", 0));
        rich_add(&p->body, STYLE_TEXT, text);
    }
    if (x->other && !isnan(x->other_exact)) {
        snprintf(text, sizeof text, _("; r%lld %.0f%%, x and - on the curve"),
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

static struct part answer_part(const struct answer_row *row, bool whole,
                               int w)
{
    struct part p = {0};
    char text[48];
    snprintf(text, sizeof text, "%s %s", row->mark, row->label);
    part_mark(&p, *row->mark == ' ' ? STYLE_FACT
                  : !strcmp(row->mark, "✓") ? STYLE_OK : STYLE_BAD,
              text, NULL);
    if (whole)
        rich_add(&p.body, STYLE_TEXT, row->text ? row->text : "");
    else
        one_line(&p, row->text);
    part_measure(&p, w);
    return p;
}

/* The same question answered before, now and by the teacher: a row each, more
 * where there is room. Returns the rows that it took. */
static int draw_answers(struct app *a, struct area w)
{
    const struct runs_state *r = &a->runs;
    struct answer_row rows[3];
    char name[24];
    int used = 0;
    if (!r->answers.n && !r->asked)
        return 0;
    fill_answers(r, rows, name, sizeof name);
    for (int i = 0; i < 3 && used < w.h; i++) {
        struct part p = answer_part(&rows[i], w.h > 5, w.w);
        int most = (w.h - used) / (3 - i), need = (int)p.lines.n;
        int h = need < most ? need : most;
        h = h < 1 ? 1 : h;
        part_draw(&p, w.y + used, w.x, h, w.w);
        used += h;
        part_free(&p);
    }
    return used;
}

/* Its lowest held-out loss, and how the training before it ended. */
static void draw_best(struct app *a, struct area w)
{
    const struct runs_state *x = &a->runs;
    struct part p = {0};
    char text[120], loss[24], name[24];
    if (isnan(x->best) || isnan(x->held_out) || w.h < 2)
        return;
    part_rule(w.y, w.x);
    snprintf(name, sizeof name, "r%lld", (long long)x->run.id);
    part_gut(&p, STYLE_LABEL, _("BEST"), name);
    snprintf(text, sizeof text, _("held-out loss %s at step %lld"),
             short_figure(loss, sizeof loss, x->best), (long long)x->best_at);
    rich_add(&p.body, STYLE_TEXT, text);
    if (x->last && !isnan(x->last_loss)) {
        snprintf(text, sizeof text, _("; r%lld ended at %s"),
                 (long long)x->last,
                 short_figure(loss, sizeof loss, x->last_loss));
        rich_add(&p.body, STYLE_TEXT, text);
    }
    part_measure(&p, w.w);
    part_draw(&p, w.y + 1, w.x, 1, w.w);
    part_free(&p);
}

/* Settings and curve; why it ended, where it did not end well. */
static int draw_head(struct app *a, struct area w)
{
    struct part head = {0};
    const char *why = json_get_string(a->runs.status, "why", NULL);
    bool curve = a->runs.curve.n > 0;
    int h = w.h - 7 < 4 ? w.h : w.h - 7, top = 0;
    h = h > 16 ? 16 : h;
    run_guts(a, &head);
    if (why)
        rich_add(&head.body, STYLE_WARN, why);
    part_measure(&head, w.w);
    part_draw(&head, w.y, w.x, h, w.w);
    if (why)
        top = (int)head.lines.n;
    if (curve || !why)
        curve_draw(&a->runs, (struct area){w.y + top, w.x + GUTTER + 2, h - top,
                                           w.w - GUTTER - 3});
    part_free(&head);
    return h;
}

void run_item_draw(struct app *a, struct area w)
{
    struct part held = {0};
    int y = w.y + draw_head(a, w), end = w.y + w.h;
    if (y + 3 > end)
        return;
    part_rule(y++, w.x);
    if (a->runs.asked)
        asked_part(a, &held);
    else
        held_part(a, &held);
    int need = part_measure(&held, w.w), best = end - y > 12 ? 2 : 0;
    int most = best ? (end - y) / 2 : 3;
    int h = end - y - 3 > most ? most : end - y - 3;
    h = best && need < h ? need : h;
    if (h > 0)
        part_draw(&held, y, w.x, h, w.w);
    part_free(&held);
    y += h > 0 ? h : 0;
    y += draw_answers(a, (struct area){y, w.x, end - y - best, w.w});
    if (best)
        draw_best(a, (struct area){y, w.x, end - y, w.w});
}
