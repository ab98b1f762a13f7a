/* The whole screen from the app's state: tabs, where, list, rule, item, what
 * was said, the keys. One layout for every size. */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/tour.h"
#include "base/lang.h"
#include "ui/ui.h"

const struct view_ops *view_ops(enum view_id v)
{
    static const struct view_ops *const table[VIEW_COUNT] = {
        [VIEW_TARGETS] = &view_targets,   [VIEW_SEEDS] = &view_seeds,
        [VIEW_REVIEW] = &view_review,     [VIEW_RANK] = &view_rank,
        [VIEW_RUNS] = &view_runs,         [VIEW_EXPORT] = &view_export,
        [VIEW_LINEAGE] = &view_lineage,   [VIEW_HELP] = &view_help,
        [VIEW_MESSAGES] = &view_messages};
    return table[v];
}

static const char *title(enum view_id v)
{
    return _(view_of(v)->title);
}

/* ---- Row 1 -------------------------------------------------------------- */

static int64_t tab_count(const struct app *a, enum view_id v)
{
    return view_of(v)->count ? view_of(v)->count(a) : 0;
}

/* One tab's text; level 0: name and count, 1: counts on the current one
 * only, 2 and more: names cut to 3 characters. */
static void tab_text(const struct app *a, enum view_id v, int level, char *out,
                     size_t cap)
{
    char n[32] = "", name[64];
    bool on = a->view == v || (a->view >= VIEW_TABS && a->back == v);
    if (tab_count(a, v) && (level == 0 || on))
        snprintf(n, sizeof n, " %lld", (long long)tab_count(a, v));
    snprintf(name, sizeof name, "%s", title(v));
    if (level >= 2 && !on) {
        size_t cut = 0;
        for (int c = 0; name[cut] && c < 3; c++)
            do
                cut++;
            while ((name[cut] & 0xc0) == 0x80);
        name[cut] = '\0';
    }
    snprintf(out, cap, "%s%d %s%s%s", on ? "[" : " ", (int)v + 1, name, n,
             on ? "]" : " ");
}

static int tabs_width(const struct app *a, int level)
{
    int w = 0;
    for (int v = 0; v < VIEW_TABS; v++) {
        char text[120];
        tab_text(a, (enum view_id)v, level, text, sizeof text);
        w += cells_width(text);
    }
    return w;
}

static void draw_tabs(const struct app *a)
{
    const char *file = strrchr(store_path(a->s), '/');
    file = file ? file + 1 : store_path(a->s);
    int name = cells_width(file), level = 0, x = 0;
    while (level < 2 && tabs_width(a, level) + (level ? 0 : name + 2) > COLS)
        level++;
    for (int v = 0; v < VIEW_TABS; v++) {
        char text[120];
        tab_text(a, (enum view_id)v, level, text, sizeof text);
        bool on = text[0] == '[';
        x += cells_put(0, x, COLS - x, on ? STYLE_TAB_ON : STYLE_TAB, text);
    }
    if (x + name + 2 <= COLS)
        cells_right(0, x, COLS - x - 1, STYLE_FACT, file);
}

/* ---- Rows 23 and 24 ----------------------------------------------------- */

static const char *line_label(enum line_kind kind)
{
    static const char *const labels[LINE_KINDS] = {
        [LINE_COMMAND] = ":", [LINE_FIND] = "/",
        [LINE_FILTER] = N_("filter: "), [LINE_TAG] = N_("tag: "),
        [LINE_NOTE] = N_("note: "), [LINE_RATE] = N_("rating 1 to 5: "),
        [LINE_REASON] = N_("reason: "), [LINE_IMPORT] = N_("file: "),
        [LINE_ORDER] = N_("Order, best first, = between two that tie: "),
        [LINE_ASK] = N_("ask student and teacher: ")};
    const char *text = labels[kind];
    return text[1] ? _(text) : text;
}

/* The open prompt; leaves the cursor in it. */
static void draw_line(const struct app *a, int y)
{
    const struct line *l = &a->line;
    int x = 1 + cells_put(y, 1, COLS - 1, STYLE_ASKED, line_label(l->kind));
    char *head = xstrndup(buf_str(&l->text), l->cursor);
    int w = cells_width(head), room = COLS - x - 2;
    const char *shown = buf_str(&l->text);
    while (w > room && *shown) { /* scroll with the cursor */
        do
            shown++;
        while ((*shown & 0xc0) == 0x80);
        size_t skip = (size_t)(shown - buf_str(&l->text));
        w = skip < l->cursor ? cells_width(head + skip) : 0;
    }
    cells_put(y, x, COLS - x - 1, STYLE_TEXT, shown);
    free(head);
    move(y, x + w);
}

static void draw_said(struct app *a, int y)
{
    if (a->line.kind != LINE_NONE) {
        draw_line(a, y);
        return;
    }
    if (a->ask.kind == ASK_REASON) {
        char text[500];
        size_t n, o = (size_t)snprintf(text, sizeof text, "%s ", a->ask.text);
        const struct reason *list = reasons(&n);
        for (size_t i = 0; i < n && o < sizeof text; i++)
            o += (size_t)snprintf(text + o, sizeof text - o, " %c %s ",
                                  list[i].key, _(list[i].label));
        cells_put(y, 1, COLS - 1, STYLE_ASKED, text);
        return;
    }
    if (a->ask.kind != ASK_NOTHING) {
        cells_put(y, 1, COLS - 1, STYLE_ASKED, a->ask.text);
        return;
    }
    int room = COLS - 2;
    char tour[200];
    if (a->typing.open) {
        cells_put(y, 1, room, STYLE_ASKED,
                  _("Typing in the answer. Enter is a new line; Esc ends and "
                    "shows the diff."));
        return;
    }
    if (a->form.open)
        return; /* its buttons stand here */
    if (!*a->said && tour_line(a, tour, sizeof tour)) {
        cells_put(y, 1, room, STYLE_ASKED, tour);
        return;
    }
    if (a->said_undo && *a->said) {
        const char *undoes = _("u undoes");
        int w = cells_width(undoes);
        if (cells_width(a->said) + w + 2 <= room) {
            cells_right(y, 1, COLS - 2, STYLE_FACT, undoes);
            room -= w + 2;
        }
    }
    cells_put(y, 1, room, STYLE_SAID, a->said);
}

static const char *key_label(const struct action_info *info, char *out,
                             size_t cap)
{
    size_t n = strcspn(info->keys, " ");
    if (!strncmp(info->keys, "Space", n))
        return _("Space");
    snprintf(out, cap, "%.*s", (int)n, info->keys);
    return out;
}

static int key_width(const struct action_info *info)
{
    char key[16];
    return cells_width(key_label(info, key, sizeof key)) + 1 +
           cells_width(_(info->word));
}

/* Blanks are in the role of the words: changing it costs more bytes. */
static int put_key(const struct action_info *info, int y, int x)
{
    char key[16];
    int used = cells_put(y, x, COLS - x, STYLE_KEY,
                         key_label(info, key, sizeof key));
    cells_blank(y, x + used, 1, STYLE_FACT);
    used += 1;
    return used + cells_put(y, x + used, COLS - x - used, STYLE_FACT,
                            _(info->word));
}

/* The view's keys, as many as fit; the last one always. */
static void draw_footer(const struct app *a, const char *names, int y)
{
    enum action list[16];
    size_t n = 0;
    for (const char *p = names; *p && n < COUNT(list);) {
        char name[20];
        size_t len = strcspn(p, " ");
        snprintf(name, sizeof name, "%.*s", (int)len, p);
        int act = action_find(name);
        if (act >= 0 && app_can(a, (enum action)act))
            list[n++] = (enum action)act;
        p += len + (p[len] == ' ');
    }
    if (!n)
        return;
    const struct action_info *last = action_info(list[n - 1]);
    int x = 1, end = COLS - key_width(last) - 1;
    for (size_t i = 0; i + 1 < n; i++) {
        const struct action_info *info = action_info(list[i]);
        if (x + key_width(info) + 1 > end)
            break;
        x += put_key(info, y, x);
        cells_blank(y, x, 2, STYLE_FACT);
        x += 2;
    }
    if (x <= end + 1)
        put_key(last, y, end > x + 4 ? x + 2 : x);
}

static void draw_keys(const struct app *a, const char *names, int y)
{
    static const char *const asked[] = {
        [ASK_REASON] = N_("x no reason  . the last one again  + new reason  "
                          "Esc keep it"),
        [ASK_EDITED] = N_("a accept it  Space keep, decide later  i type on  "
                          "e editor  u drop it"),
        [ASK_CONFLICT] = N_("Y mine stands  n or Esc theirs stands"),
        [ASK_BULK] = N_("Y do it   n or Esc keep them   r five others"),
        [ASK_REPLACE] = N_("Y replace it   n or Esc leave it")};
    if (a->line.kind != LINE_NONE && a->line.completions) {
        char *one = xstrdup(a->line.completions);
        for (char *p = one; *p; p++)
            if (*p == '\n')
                *p = ' ';
        cells_put(y, 1, COLS - 1, STYLE_FACT, one);
        free(one);
    } else if (a->line.kind != LINE_NONE) {
        cells_put(y, 1, COLS - 1, STYLE_FACT,
                  _("Tab completes  Enter runs  Esc leaves  Up Down history"));
    } else if (a->typing.open) {
        cells_put(y, 1, COLS - 1, STYLE_FACT,
                  _("arrows Home End move  ^W word  ^U line  ^K rest  paste "
                    "goes in as it is"));
    } else if (a->form.open) {
        cells_put(y, 1, COLS - 1, STYLE_FACT, form_keys());
    } else if (a->ask.kind != ASK_NOTHING) {
        cells_put(y, 1, COLS - 1, STYLE_FACT, _(asked[a->ask.kind]));
    } else {
        draw_footer(a, names, y);
    }
}

/* ---- List and item ------------------------------------------------------ */

static void draw_list(struct app *a, const struct view_ops *ops,
                      struct area w)
{
    struct list *l = app_list(a);
    if (ops->header && w.h > 1) {
        ops->header(a, w.y, w.x, w.w);
        w.y++;
        w.h--;
    }
    a->page = w.h > 1 ? w.h - 1 : 1;
    a->list_y = w.y;
    list_scroll(l, (size_t)w.h);
    for (int i = 0; i < w.h && l->top + (size_t)i < l->total; i++)
        ops->row(a, l->top + (size_t)i, w.y + i, w.x, w.w,
                 l->top + (size_t)i == l->cursor);
}

static void draw_stacked(struct app *a, const struct view_ops *ops, int top,
                         int bottom)
{
    int h = bottom - top;
    if (!ops->item) {
        draw_list(a, ops, (struct area){top, 0, h, COLS});
        return;
    }
    if (a->zoom) {
        cross_rule(top, 0, COLS, false);
        ops->item(a, (struct area){top + 1, 0, h - 1, COLS});
        return;
    }
    int rows = a->form.open ? 4 : ops->list_rows(LINES) + 1;
    draw_list(a, ops, (struct area){top, 0, rows, COLS});
    cross_rule(top + rows, 0, COLS, false);
    struct area item = {top + rows + 1, 0, h - rows - 1, COLS};
    if (a->form.open)
        form_draw(&a->form, item);
    else
        ops->item(a, item);
}

static void draw_beside(struct app *a, const struct view_ops *ops, int top,
                        int bottom)
{
    int left = COLS * 2 / 5;
    if (!ops->item || a->zoom) {
        draw_stacked(a, ops, top, bottom);
        return;
    }
    draw_list(a, ops, (struct area){top, 0, bottom - top, left - 1});
    for (int y = top; y < bottom; y++)
        cells_put(y, left - 1, 1, STYLE_RULE, "│");
    struct area item = {top, left, bottom - top, COLS - left};
    if (a->form.open)
        form_draw(&a->form, item);
    else
        ops->item(a, item);
}

/* ---- Small screens ------------------------------------------------------ */

/* The review's texts without a gutter, in `h` rows from y. */
static void draw_plain_texts(struct app *a, int y, int h)
{
    struct review_state *r = &a->review;
    struct rich rich = {.text = BUF_INIT(0)};
    wrapped_lines lines = {0};
    char *prompt = prompt_text(r->now.prompt), *text, *before;
    review_answer(a, &text, &before);
    rich_add(&rich, STYLE_TEXT, prompt);
    rich_wrap(&rich, COLS, &lines);
    int n = (int)lines.n < h / 2 ? (int)lines.n : h / 2;
    for (int i = 0; i < n; i++)
        rich_draw(&rich, lines.at[i], y + i, 0, COLS);
    rich_free(&rich);
    cells_rule(y + n, 0, COLS);
    if (!a->typing.open)
        add_thinking(a, &rich);
    rich_add(&rich, STYLE_TEXT, text);
    rich_wrap(&rich, COLS, &lines);
    int left = h - n - 1;
    a->text_rows = left;
    a->text_total = (int)lines.n;
    for (int i = 0; i < left && i + r->scroll < (int)lines.n; i++)
        rich_draw(&rich, lines.at[i + r->scroll], y + n + 1 + i, 0, COLS);
    rich_free(&rich);
    VEC_FREE(&lines);
    free(prompt);
    free(text);
    free(before);
}

/* One row of facts: the warning checks, then who. */
static void draw_facts(struct app *a, int y)
{
    const struct sample *x = &a->review.now;
    int at = 0, passed = 0;
    char text[60], figure[16];
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

/* What a form says last of what it would do: how long that takes. */
static const char *last_fact(const struct form *f)
{
    size_t i = COUNT(f->facts) - 1;
    while (i && !*f->facts[i])
        i--;
    return f->facts[i];
}

static void draw_pane(struct app *a, const struct view_ops *ops)
{
    char head[200];
    int64_t at, of;
    bool review = a->view == VIEW_REVIEW;
    bool empty = ops->item && !ops->whole && !list_id(app_list(a));
    review_position(a, &at, &of);
    if (review)
        snprintf(head, sizeof head, _("%d %s    %lld of %lld   %s"),
                 (int)a->view + 1, title(a->view), (long long)at,
                 (long long)of, a->target_name ? a->target_name : "");
    else
        snprintf(head, sizeof head, "%s   %s", title(a->view),
                 a->target_name ? a->target_name : "");
    cells_put(0, 0, COLS, STYLE_FACT, head);
    bool said = *a->said || a->ask.kind != ASK_NOTHING ||
                a->line.kind != LINE_NONE;
    int bottom = LINES - 2;
    if (a->form.open) {
        form_draw(&a->form, (struct area){1, 0, bottom - 2, COLS});
    } else if (ops->whole) {
        ops->whole(a, (struct area){1, 0, bottom - 1, COLS});
    } else if (empty || (review && a->review.bulk)) {
        ops->item(a, (struct area){1, 0, bottom - 1, COLS});
    } else if (a->second_pane && ops->item && !review) {
        ops->item(a, (struct area){1, 0, bottom - 1, COLS});
    } else if (a->second_pane || !ops->item || !review) {
        draw_list(a, ops, (struct area){1, 0, bottom - 1, COLS});
    } else if (a->review.now.id) {
        draw_plain_texts(a, 1, bottom - 1);
    }
    if (!said && review && !empty && !a->second_pane && !a->form.open)
        draw_facts(a, LINES - 2);
    if (!said && a->form.open) /* below the fields is no room for it */
        cells_put(LINES - 2, 0, COLS, STYLE_FACT, last_fact(&a->form));
}

/* Under 40x8: the text and one row of facts; under 20x5 one line. */
static void draw_tiny(struct app *a)
{
    char *text = a->review.now.id ? prompt_text(a->review.now.prompt)
                                  : xstrdup(title(a->view));
    if (COLS < 20 || LINES < 5) {
        int64_t at, of;
        review_position(a, &at, &of);
        if (LINES >= 3) {
            cells_printf(0, 0, COLS, STYLE_FACT, _("%d %s   %lld of %lld"),
                         (int)a->view + 1, title(a->view),
                         (long long)at, (long long)of);
            cells_put(1, 0, COLS, STYLE_TEXT, text);
            cells_put(2, 0, COLS, STYLE_ASKED,
                      _("too small to decide here"));
        } else if (COLS >= 4) {
            cells_put(0, 0, COLS, STYLE_TEXT, text);
        } else {
            cells_printf(0, 0, COLS, STYLE_TEXT, "%d", (int)a->view + 1);
        }
        free(text);
        return;
    }
    struct rich rich = {.text = BUF_INIT(0)};
    wrapped_lines lines = {0};
    rich_add(&rich, STYLE_TEXT, text);
    rich_wrap(&rich, COLS, &lines);
    for (int i = 0; i < LINES - 2 && i < (int)lines.n; i++)
        rich_draw(&rich, lines.at[i], i, 0, COLS);
    rich_free(&rich);
    VEC_FREE(&lines);
    free(text);
    if (a->view == VIEW_REVIEW && a->review.now.id)
        draw_facts(a, LINES - 2);
}

static bool too_small_to_decide(void)
{
    return COLS < 20 || LINES < 5;
}

void ui_paint(struct app *a)
{
    const struct view_ops *ops = view_ops(a->view);
    bool pane = COLS < 60 || LINES < 16, tiny = COLS < 40 || LINES < 8;
    cells_show_hidden(a->options.value[OPTION_HIDDEN] == OPTION_ON);
    if (a->stale == STALE_ALL)
        clearok(curscr, TRUE);
    erase();
    curs_set(a->line.kind != LINE_NONE || a->typing.open);
    if (tiny) {
        draw_tiny(a);
    } else if (pane) {
        draw_pane(a, ops);
    } else {
        draw_tabs(a);
        ops->where(a, 1, 1, COLS - 2);
        if (ops->whole)
            ops->whole(a, (struct area){2, 0, LINES - 4, COLS});
        else if (COLS >= 100)
            draw_beside(a, ops, 2, LINES - 2);
        else
            draw_stacked(a, ops, 2, LINES - 2);
    }
    if (!too_small_to_decide()) {
        draw_keys(a, ops->footer, LINES - 1);
        if (!pane || *a->said || a->ask.kind || a->line.kind)
            draw_said(a, LINES - 2);
    } else if (LINES == 4) {
        draw_keys(a, "help quit", LINES - 1);
    }
    if (a->typing.open)
        move(a->cursor_y, a->cursor_x);
    refresh();
    a->stale = STALE_NOTHING;
    a->ignored = 0;
    bool hides = tiny && (a->review.bulk || a->form.open);
    a->painted = !too_small_to_decide() && !hides;
}
