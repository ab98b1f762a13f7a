#include "ui/small.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"

/* Lines of two texts with a rule between them, as one to scroll through. */
struct lines_of {
    struct rich rich;
    wrapped_lines lines;
};

static void lines_free(struct lines_of *t)
{
    rich_free(&t->rich);
    VEC_FREE(&t->lines);
}

static void draw_line(struct lines_of *t, int i, int y, struct area w)
{
    if (i < (int)t->lines.n)
        rich_draw(&t->rich, t->lines.at[i], y, w.x, w.w);
}

static void wrap_texts(struct app *a, int w, struct lines_of *prompt,
                       struct lines_of *answer)
{
    char *text, *before;
    review_answer(a, &text, &before);
    add_prompt(a, a->review.now.prompt, &prompt->rich);
    rich_wrap(&prompt->rich, w, &prompt->lines);
    if (a->typing.open) {
        rich_add(&answer->rich, STYLE_TEXT, buf_str(&a->typing.text));
    } else {
        add_thinking(a, &answer->rich);
        rich_add(&answer->rich, STYLE_TEXT, text);
    }
    rich_wrap(&answer->rich, w, &answer->lines);
    free(text);
    free(before);
}

/* The cursor of the typing area, scrolled into sight; `top`: rows of the
 * scrolled text before the answer. */
static void place_cursor(struct app *a, const struct lines_of *answer, int top,
                         struct area w)
{
    int scroll = a->review.scroll, line, column;
    line = top + cursor_line(&answer->rich, &answer->lines, a->typing.cursor,
                             &column);
    scroll = line < scroll ? line : line >= scroll + w.h ? line - w.h + 1
                                                          : scroll;
    a->review.scroll = scroll;
    cells_cursor(w.y + line - scroll, w.x + column);
}

/* Review's prompt and answer. A prompt of half the rows or less stays, else
 * both are one text. */
static void draw_texts(struct app *a, struct area w)
{
    struct lines_of prompt = {.rich = {.text = BUF_INIT(0)}};
    struct lines_of answer = {.rich = {.text = BUF_INIT(0)}};
    wrap_texts(a, w.w, &prompt, &answer);
    int n = (int)prompt.lines.n, top = 0;
    bool stays = n <= w.h / 2;
    for (int i = 0; stays && i < n; i++)
        draw_line(&prompt, i, w.y + i, w);
    if (stays) {
        cells_rule(w.y + n, w.x, w.w);
        w.y += n + 1;
        w.h -= n + 1;
    } else {
        top = n + 1;
    }
    if (a->typing.open)
        place_cursor(a, &answer, top, w);
    int scroll = text_scrolls(a, w.h, top + (int)answer.lines.n);
    for (int i = 0; i < w.h; i++) {
        int at = scroll + i - top;
        if (at >= 0)
            draw_line(&answer, at, w.y + i, w);
        else if (at == -1)
            cells_rule(w.y + i, w.x, w.w);
        else
            draw_line(&prompt, at + top, w.y + i, w);
    }
    lines_free(&prompt);
    lines_free(&answer);
}

/* One row of facts: how much text is left, the warning checks, then who. */
static void draw_facts(struct app *a, int y)
{
    const struct sample *x = &a->review.now;
    int at = 0, passed = 0;
    char text[60], figure[16];
    int more = a->text_total - a->text_rows - a->review.scroll;
    if (more > 0) {
        snprintf(text, sizeof text, _("PgDn %d more"), more);
        at = cells_put(y, 0, COLS, STYLE_FACT, text);
        at += cells_put(y, at, COLS - at, STYLE_FACT, "   ");
    }
    for (size_t i = 0; i < x->checks.n; i++) {
        const struct check_result *c = &x->checks.at[i].result;
        if (c->verdict == VERDICT_PASS) {
            passed++;
            continue;
        }
        snprintf(text, sizeof text, "%s %s %s   ", verdict_mark(c->verdict),
                 check_label(c->check),
                 near_figure(figure, sizeof figure, c->figure,
                             c->approximate));
        at += cells_put(y, at, COLS - at, STYLE_WARN, text);
    }
    snprintf(text, sizeof text, P_("✓ %d check   %s", "✓ %d checks   %s",
                                       (unsigned long)passed), passed,
             x->teacher ? x->teacher : x->origin ? x->origin : "");
    cells_put(y, at, COLS - at, STYLE_FACT, text);
}

static void draw_head(struct app *a)
{
    char head[200];
    char at[70];
    const char *title = _(view_of(a->view)->title);
    const char *target = a->target_name ? a->target_name : "";
    if (a->view == VIEW_REVIEW)
        snprintf(head, sizeof head, "%d %s    %s   %s", (int)a->view + 1,
                 title, position_text(at, sizeof at, app_list(a)), target);
    else
        snprintf(head, sizeof head, "%s   %s", title, target);
    cells_put(0, 0, COLS, STYLE_FACT, head);
}

void small_draw(struct app *a, const struct view_ops *ops,
                const struct layout *l)
{
    bool said = *a->said || a->ask.kind != ASK_NOTHING ||
                a->line.kind != LINE_NONE;
    bool texts = a->view == VIEW_REVIEW && a->review.now.id &&
                 !a->review.bulk && !a->form.open && l->item.h;
    cells_clip_none();
    if (l->kind == LAYOUT_PANE)
        draw_head(a);
    if (l->item.h)
        cells_clip(l->item);
    if (texts)
        draw_texts(a, l->item);
    else if (l->kind == LAYOUT_TINY)
        cells_put(l->item.y, 0, COLS, STYLE_TEXT, _(view_of(a->view)->title));
    else if (a->form.open)
        form_draw(&a->form, l->item);
    else if (l->item.h && ops->whole)
        ops->whole(a, l->item);
    else if (l->item.h)
        ops->item(a, l->item);
    cells_clip_none();
    if (a->form.open && l->kind == LAYOUT_PANE)
        form_buttons(&a->form, l->item.y + l->item.h, COLS);
    if (!said && texts)
        draw_facts(a, LINES - 2);
    if (!said && a->form.open) /* below the fields is no room for it */
        form_line(&a->form, LINES - 2, COLS);
}

void small_line(struct app *a)
{
    const char *title = _(view_of(a->view)->title);
    char *text = a->view == VIEW_REVIEW && a->review.now.id
                     ? prompt_text(a->review.now.prompt)
                     : xstrdup(title);
    char at[70];
    if (LINES >= 3) {
        cells_printf(0, 0, COLS, STYLE_FACT, "%d %s   %s", (int)a->view + 1,
                     title, position_text(at, sizeof at, app_list(a)));
        cells_put(1, 0, COLS, STYLE_TEXT, text);
        cells_put(2, 0, COLS, STYLE_ASKED, _("too small to decide here"));
    } else if (COLS >= 4) {
        cells_put(0, 0, COLS, STYLE_TEXT, text);
    } else {
        cells_printf(0, 0, COLS, STYLE_TEXT, "%d", (int)a->view + 1);
    }
    free(text);
}
