/* The whole screen from the app's state: tabs, where, list, rule, item, what
 * was said, the keys. One layout for every size. */
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/tour.h"
#include "base/lang.h"
#include "ui/layout.h"
#include "ui/prompt.h"
#include "ui/small.h"
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
    if (tab_count(a, v) < 0 && (level == 0 || on))
        snprintf(n, sizeof n, " ?");
    else if (tab_count(a, v) && (level == 0 || on))
        snprintf(n, sizeof n, view_of(v)->percent ? " %lld%%" : " %lld",
                 (long long)tab_count(a, v));
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
    const char *file = a->store_name;
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

/* Why keys that decide were dropped, as a sentence. */
static const char *ignored_text(const struct app *a)
{
    static char text[200];
    switch (a->ignored_why) {
    case IGNORED_AHEAD:
        snprintf(text, sizeof text,
                 P_("%d key ignored: it was typed before this was on the "
                    "screen", "%d keys ignored: they were typed before this "
                    "was on the screen", (unsigned long)a->ignored),
                 a->ignored);
        break;
    case IGNORED_HELD:
        snprintf(text, sizeof text,
                 P_("%d key ignored: a key that is held down decides once",
                    "%d keys ignored: a key that is held down decides once",
                    (unsigned long)a->ignored), a->ignored);
        break;
    case IGNORED_SOON:
        snprintf(text, sizeof text,
                 P_("%d key ignored: sooner than this line can show it",
                    "%d keys ignored: sooner than this line can show it",
                    (unsigned long)a->ignored), a->ignored);
        break;
    }
    return text;
}

/* What stands at the right end of row 23, beside what was said. */
static const char *beside_said(const struct app *a, char *out, size_t cap)
{
    bool undo = a->said_undo && *a->said;
    *out = '\0';
    unsigned long k = (unsigned long)a->ignored;
    if (*a->said && k)
        snprintf(out, cap, a->ignored_why == IGNORED_HELD
                               ? P_("%lu repeat ignored",
                                    "%lu repeats ignored", k)
                               : P_("%lu key ignored", "%lu keys ignored", k),
                 k);
    size_t n = strlen(out);
    if (undo)
        snprintf(out + n, cap - n, "%s%s", n ? "   " : "", _("u undoes"));
    return out;
}

static void draw_said(struct app *a, int y)
{
    if (a->line.kind != LINE_NONE) {
        line_draw(&a->line, y);
        return;
    }
    if (a->ask.kind == ASK_REASON) {
        reasons_row(a, 0, y);
        return;
    }
    if (a->ask.kind != ASK_NOTHING) {
        cells_put(y, 1, COLS - 1, STYLE_ASKED, a->ask.text);
        return;
    }
    int room = COLS - 2;
    if (a->busy) {
        cells_put(y, 1, room, STYLE_ASKED,
                  *a->doing ? a->doing
                            : _("Reading the store ... Esc leaves it"));
        return;
    }
    if (a->typing.open) {
        cells_put(y, 1, room, STYLE_ASKED,
                  *a->said ? a->said
                           : _(ROW_("Typing in the answer. Enter is a new "
                                    "line; Esc ends and shows the diff.")));
        return;
    }
    if (a->form.open)
        return; /* its buttons stand here */
    if (!*a->said && tour_line(a)) {
        int used = cells_put(y, 1, room, STYLE_ASKED, tour_line(a));
        if (used + 3 + cells_width(_("H hides")) <= room)
            cells_right(y, 1, room, STYLE_FACT, _("H hides"));
        return;
    }
    char beside[120];
    int w = cells_width(beside_said(a, beside, sizeof beside));
    if (w && cells_width(a->said) + w + 2 <= room) {
        cells_right(y, 1, COLS - 2, STYLE_FACT, beside);
        room -= w + 2;
    }
    cells_put(y, 1, room, STYLE_SAID,
              *a->said || !a->ignored ? a->said : ignored_text(a));
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
           cells_width(C_(info->word));
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
                            C_(info->word));
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
        [ASK_EDITED] = ROW_("a accept it  Space keep, decide later  i type on  "
                          "e editor  u drop it"),
        [ASK_CONFLICT] = ROW_("Y mine stands  n or Esc the other stands"),
        [ASK_BULK] = ROW_("Y do it   n or Esc keep them   r five others"),
        [ASK_REPLACE] = ROW_("Y replace it   n or Esc leave it"),
        [ASK_UNREAD] = ROW_("Y accept it as it is   n or Esc read on"),
        [ASK_ORDER] = ROW_("Y keep it as it stands   n or Esc order them")};
    if (a->line.kind != LINE_NONE) {
        line_hint(&a->line, y);
    } else if (a->typing.open) {
        cells_put(y, 1, COLS - 1, STYLE_FACT,
                  _(ROW_("arrows Home End move  ^W word  ^U line  ^K rest  "
                         "paste goes in as it is")));
    } else if (a->form.open) {
        form_hint(&a->form, a->said, y);
    } else if (a->ask.kind == ASK_REASON) {
        reasons_row(a, 1, y);
    } else if (a->ask.kind == ASK_BULK &&
               (size_t)a->review.dry.total <= a->review.five.n) {
        cells_put(y, 1, COLS - 1, STYLE_FACT,
                  _(ROW_("Y do it   n or Esc keep them")));
    } else if (a->ask.kind != ASK_NOTHING) {
        cells_put(y, 1, COLS - 1, STYLE_FACT, _(asked[a->ask.kind]));
    } else {
        draw_footer(a, names, y);
    }
}

/* ---- List and item ------------------------------------------------------ */

static void draw_list(struct app *a, const struct view_ops *ops,
                      const struct layout *l)
{
    a->list_y = l->list.y + 1;
    a->list_w = l->list.h > 1 && ops->list.n ? l->list.w : 0;
    a->page = l->list.h > 2 ? l->list.h - 2 : 1;
    if (l->list.h < 1 || !ops->list.n)
        return;
    cells_clip(l->list);
    columns_draw(a, &ops->list, l->list, l->kind == LAYOUT_BESIDE);
}

static void draw_item(struct app *a, const struct view_ops *ops,
                      struct area w)
{
    if (w.h < 1)
        return;
    cells_clip(w);
    if (a->form.open)
        form_draw(&a->form, w);
    else if (ops->whole)
        ops->whole(a, w);
    else if (ops->item)
        ops->item(a, w);
}

static void draw_rules(const struct layout *l)
{
    cells_clip_none();
    if (l->rule_y >= 0)
        cross_rule(l->rule_y, 0, COLS, false);
    for (int y = l->list.y; l->rule_x >= 0 && y < l->list.y + l->list.h; y++)
        cells_put(y, l->rule_x, 1, STYLE_RULE, "│");
}

static void draw_large(struct app *a, const struct view_ops *ops,
                       const struct layout *l)
{
    draw_tabs(a);
    ops->where(a, 1, 1, COLS - 2);
    draw_list(a, ops, l);
    draw_rules(l);
    draw_item(a, ops, l->item);
    cells_clip_none();
    if (a->form.open)
        form_buttons(&a->form, LINES - 2, COLS);
    draw_keys(a, ops->footer, LINES - 1);
    draw_said(a, LINES - 2);
}

/* ---- The whole ---------------------------------------------------------- */

/* What a key that decides may count on. */
static enum sight sight_of(const struct app *a, const struct layout *l)
{
    if (l->kind == LAYOUT_LINE)
        return SIGHT_SMALL;
    if (l->kind == LAYOUT_TINY)
        return a->view == VIEW_REVIEW && !a->review.bulk && !a->form.open
                   ? SIGHT_ITEM
                   : SIGHT_SMALL;
    return l->item.h ? SIGHT_ITEM : SIGHT_LIST;
}

void ui_said(struct app *a)
{
    if (COLS < 20 || LINES < 5)
        return;
    cells_clip_none();
    cells_blank(LINES - 2, 0, COLS, STYLE_TEXT);
    draw_said(a, LINES - 2);
    cells_refresh();
}

void ui_paint(struct app *a)
{
    const struct view_ops *ops = view_ops(a->view);
    struct layout l = layout_of(a);
    app_show(a, l.list.h > 1 ? (size_t)l.list.h - 1 : 1);
    a->busy = false;
    a->text_rows = a->text_total = 0;
    a->n_hits = 0;
    cells_show_hidden(a->options.value[OPTION_HIDDEN] == OPTION_ON);
    if (a->stale == STALE_ALL)
        clearok(curscr, TRUE);
    erase();
    cells_clip_none();
    if (l.kind >= LAYOUT_STACKED) {
        draw_large(a, ops, &l);
    } else if (l.kind == LAYOUT_LINE) {
        small_line(a);
    } else {
        if (l.list.h)
            draw_list(a, ops, &l);
        small_draw(a, ops, &l);
        if (l.kind == LAYOUT_PANE || *a->said || a->ask.kind || a->line.kind)
            draw_said(a, LINES - 2);
    }
    if (l.kind == LAYOUT_LINE && LINES == 4)
        draw_keys(a, "help quit", LINES - 1);
    else if (l.kind == LAYOUT_TINY || l.kind == LAYOUT_PANE)
        draw_keys(a, ops->footer, LINES - 1);
    cells_refresh();
    a->stale = STALE_NOTHING;
    app_painted(a, sight_of(a, &l));
}
