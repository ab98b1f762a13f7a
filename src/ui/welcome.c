#include "ui/welcome.h"

#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/app.h"
#include "app/line.h"
#include "app/session.h"
#include "app/teacher.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/sig.h"
#include "config.h"
#include "ui/prompt.h"
#include "ui/ui.h"
#include "ui/term.h"
#include "ui/theme.h"

#define RECENTS 3

static const struct {
    const char *key, *name, *text;
} options[] = {
    {"d", N_("demo"), N_("48 seeds, a teacher and a student that run on this "
                         "machine;")},
    {"n", N_("new"), N_("an empty store, ./stillroom.db")},
    {"i", N_("import"), N_("a new store from a JSONL, JSON or CSV file")},
    {"t", N_("teacher"), N_("set up an endpoint: hosted, vLLM, llama.cpp, "
                            "Ollama")},
    {"o", N_("open"), N_("another store:")}};

#define FULL_ROWS 20 /* from so many on the screen says what it is about */

struct welcome_state {
    size_t at; /* options, then recent stores */
    struct recent recent[RECENTS];
    size_t n_recent;
    struct line line;
    struct form form; /* that sets up a teacher */
    struct child trying;
    char said[600];
    bool help, gone;
};

static size_t choices(const struct welcome_state *x)
{
    return COUNT(options) + x->n_recent;
}

static void draw_option(size_t i, int y, bool on)
{
    enum style role = on ? STYLE_ROW_ON : STYLE_TEXT;
    if (on)
        cells_blank(y, 1, COLS - 2, role);
    cells_put(y, 1, 1, role, on ? "▸" : " ");
    cells_put(y, 3, 1, on ? role : STYLE_KEY, options[i].key);
    cells_put(y, 6, 10, role, _(options[i].name));
    cells_put(y, 17, COLS - 18, role, _(options[i].text));
}

static void draw_recent(const struct recent *r, int y, bool on)
{
    enum style role = on ? STYLE_ROW_ON : STYLE_TEXT;
    char n[24], day[24], text[600];
    int left = COLS < 60 ? 6 : 21;
    count_text(n, sizeof n, r->accepted);
    if (left == 21)
        snprintf(text, sizeof text, _("%s accepted   %s   %s"), n,
                 clock_format(day, sizeof day, r->at, 1), r->path);
    else
        snprintf(text, sizeof text, "%s", path_base(r->path));
    if (on)
        cells_blank(y, 1, COLS - 2, role);
    cells_put(y, 1, 1, role, on ? "▸" : " ");
    cells_put(y, left, COLS - left - 1, role, text);
}

/* The choices in rows y to y+h-1, the cursor's among them; the row behind. */
static int draw_list(const struct welcome_state *x, int y, int h)
{
    int room = h > 0 ? h : 1;
    size_t first = (int)x->at < room ? 0 : x->at - (size_t)room + 1;
    for (size_t i = first; i < choices(x) && (int)(i - first) < room; i++) {
        bool on = x->at == i;
        if (i < COUNT(options))
            draw_option(i, y++, on);
        else
            draw_recent(&x->recent[i - COUNT(options)], y++, on);
        if (i == 0 && LINES >= FULL_ROWS) {
            cells_put(y++, 17, COLS - 18, STYLE_TEXT,
                      _("no key, no network; the whole loop in about ten "
                        "minutes"));
            room--;
        }
    }
    return y;
}

static void fact(int y, const char *label, const char *text)
{
    cells_put(y, 1, GUTTER - 2, STYLE_LABEL, label);
    cells_put(y, GUTTER, 1, STYLE_RULE, "│");
    cells_put(y, GUTTER + 2, COLS - GUTTER - 3, STYLE_TEXT, text);
}

static void draw_facts(int y)
{
    char text[700], free_gb[24];
    const char *lang = getenv("LANG");
    double bytes = (double)sysconf(_SC_AVPHYS_PAGES) *
                   (double)sysconf(_SC_PAGESIZE);
    cross_rule(y++, 0, COLS, false);
    snprintf(text, sizeof text,
             P_("%ld core, %s GB free; training needs no GPU",
                "%ld cores, %s GB free; training needs no GPU",
                (unsigned long)sysconf(_SC_NPROCESSORS_ONLN)),
             sysconf(_SC_NPROCESSORS_ONLN),
             lang_number(free_gb, sizeof free_gb, bytes / 1e9, 1));
    fact(y++, _("MACHINE"), text);
    snprintf(text, sizeof text, _("%dx%d, %s, %d colours, %s (LANG=%.40s)"),
             COLS, LINES, lang_utf8() ? "UTF-8" : "ASCII",
             cells_colour() ? COLORS : 0, lang_name(), lang ? lang : "");
    fact(y++, _("TERMINAL"), text);
    teachers_text(text, sizeof text);
    fact(y++, _("TEACHERS"), text);
    cross_rule(y, 0, COLS, true);
}

/* Text from row y on, wrapped; the row behind it. */
static int draw_text(const char *text, int y, enum style role)
{
    struct rich r = {.text = BUF_INIT(0)};
    wrapped_lines lines = {0};
    rich_add(&r, role, text);
    rich_wrap(&r, COLS - 6, &lines);
    for (size_t i = 0; i < lines.n && y < LINES - 2; i++)
        rich_draw(&r, lines.at[i], y++, 3, COLS - 4);
    rich_free(&r);
    VEC_FREE(&lines);
    return y;
}

static void draw_help(void)
{
    int y = draw_text(_("d makes the demonstration's store, n an empty one, i "
                        "one from a file, o opens one that there is: each is "
                        "told by its path, ~ is your home folder, Tab "
                        "completes it and Up brings what was typed before. t "
                        "sets up a teacher. j, k and Enter choose as well."),
                      2, STYLE_TEXT);
    draw_text(_("In a store ? lists every key; `stillroom --help` lists the "
                "same work without the screen. Any key goes back."),
              y + 1, STYLE_TEXT);
}

static void draw_choices(const struct welcome_state *x)
{
    bool full = LINES >= FULL_ROWS && COLS >= 60;
    int y = 1, rows = LINES - 3;
    if (full) {
        cells_put(2, 3, COLS - 4, STYLE_LABEL,
                  _("Distil a large teacher into a small student. You decide "
                    "what it learns."));
        cells_put(4, 8, COLS - 9, STYLE_TEXT,
                  _("2 seeds ──▸ E teacher ──▸ 3 review ──▸ T student ──▸ X "
                    "export"));
        cells_put(6, 3, COLS - 4, STYLE_TEXT,
                  _("This folder holds no store. Nothing is written before "
                    "you choose."));
        y = 8;
        rows = LINES - 10;
    }
    y = draw_list(x, y, rows);
    if (full && y + 6 < LINES)
        draw_facts(y > 16 ? y : 16);
}

static void draw_foot(const struct welcome_state *x)
{
    if (x->line.kind != LINE_NONE) {
        line_hint(&x->line, LINES - 1);
        line_draw(&x->line, LINES - 2);
        return;
    }
    if (x->form.open) {
        form_hint(&x->form, x->said, LINES - 1);
        return;
    }
    cells_put(LINES - 1, 1, COLS - 2, STYLE_FACT,
              x->help      ? _("any key goes back")
              : COLS >= 80 ? _(ROW_("d demo  n new  i import  t teacher  o "
                                    "open  j k Enter choose  ? help  Q quit"))
                           : _("j k Enter choose  ? help  Q quit"));
    cells_put(LINES - 2, 1, COLS - 2, STYLE_SAID, x->said);
}

static void paint(struct welcome_state *x)
{
    erase();
    cells_clip_none();
    if (COLS < 20 || LINES < 5) {
        cells_put(0, 0, COLS, STYLE_TEXT, _("d demo  n new  o open  Q quit"));
        cells_refresh();
        return;
    }
    cells_put(0, 1, COLS - 1, STYLE_FACT, "stillroom " VERSION);
    if (COLS >= 40)
        cells_right(0, 1, COLS - 3, STYLE_FACT, _("no store open"));
    if (x->form.open) {
        cross_rule(2, 0, COLS, false);
        form_draw(&x->form, (struct area){3, 0, LINES - 6, COLS});
        form_buttons(&x->form, LINES - 2, COLS);
    } else if (x->help) {
        draw_help();
    } else {
        draw_choices(x);
    }
    draw_foot(x);
    cells_refresh();
}

/* What a choice leads to; -1 to stay. */
static int choose(struct welcome_state *x, size_t i, struct buf *path)
{
    x->at = i;
    x->said[0] = '\0';
    switch (i) {
    case 0: return WELCOME_DEMO;
    case 1: return WELCOME_NEW;
    case 2:
        line_open(&x->line, LINE_IMPORT, "");
        return -1;
    case 3:
        if (!x->form.kind)
            teacher_form_build(&x->form);
        form_enter(&x->form);
        teacher_form_refresh(&x->form);
        return -1;
    case 4:
        line_open(&x->line, LINE_STORE, "");
        return -1;
    default:
        buf_clear(path);
        buf_puts(path, x->recent[i - COUNT(options)].path);
        return WELCOME_OPEN;
    }
}

static int line_key_of(struct welcome_state *x, const char *key,
                       struct buf *path)
{
    if (!strcmp(key, "Esc")) {
        line_close(&x->line, true);
    } else if (!strcmp(key, "Tab")) {
        prompt_complete(&x->line, NULL);
    } else if (strcmp(key, "Enter")) {
        line_key(&x->line, key);
    } else if (x->line.text.len) {
        bool import = x->line.kind == LINE_IMPORT;
        buf_clear(path);
        buf_puts(path, buf_str(&x->line.text));
        return import ? WELCOME_IMPORT : WELCOME_OPEN;
    }
    return -1;
}

static void form_key_of(struct welcome_state *x, const char *key)
{
    struct form *f = &x->form;
    enum form_event event = form_key(f, key);
    x->said[0] = '\0';
    if (event == FORM_PRESSED && f->at == f->n_fields + f->n_buttons - 1)
        f->open = false;
    else if (event == FORM_PRESSED)
        teacher_form_press(f, &x->trying, x->said, sizeof x->said);
    else if (f->stale)
        teacher_form_refresh(f);
}

static void take_paste(struct welcome_state *x, const char *text)
{
    if (x->line.kind != LINE_NONE)
        line_paste(&x->line, text);
    else if (!x->form.open || !text || !form_paste(&x->form, text))
        snprintf(x->said, sizeof x->said, "%s",
                 _("pasted text is never keys; it was dropped"));
    else
        teacher_form_refresh(&x->form);
}

static int one_key(struct welcome_state *x, const char *key, struct buf *path)
{
    size_t all = choices(x);
    if (x->line.kind != LINE_NONE)
        return line_key_of(x, key, path);
    if (x->form.open) {
        form_key_of(x, key);
        return -1;
    }
    if (!strcmp(key, "Q") || (!strcmp(key, "q") && !x->help))
        return WELCOME_QUIT;
    if (x->help || !strcmp(key, "?"))
        x->help = !x->help;
    else if (!strcmp(key, "j") || !strcmp(key, "Down"))
        x->at = (x->at + 1) % all;
    else if (!strcmp(key, "k") || !strcmp(key, "Up"))
        x->at = (x->at + all - 1) % all;
    else if (!strcmp(key, "Enter"))
        return choose(x, x->at, path);
    else
        for (size_t i = 0; i < COUNT(options); i++)
            if (!strcmp(key, options[i].key))
                return choose(x, i, path);
    return -1;
}

/* What was chosen before came to nothing: says why, beside what was typed. */
static void stand_again(struct welcome_state *x, enum welcome before,
                        struct buf *path, const struct err *e)
{
    bool import = before == WELCOME_IMPORT;
    for (size_t i = x->n_recent; i > 0; i--) /* Up brings the newest first */
        line_remember(&x->line, LINE_STORE, x->recent[i - 1].path);
    if (import || before == WELCOME_OPEN) {
        x->at = import ? 2 : 4;
        line_open(&x->line, import ? LINE_IMPORT : LINE_STORE, buf_str(path));
        snprintf(x->line.wrong, sizeof x->line.wrong, "%s", e->text);
    } else if (before != WELCOME_QUIT) {
        snprintf(x->said, sizeof x->said, "%s", e->text);
    }
}

static void take_signals(struct welcome_state *x)
{
    int signo;
    while ((signo = sig_next())) {
        if (signo == SIGWINCH)
            term_resize();
        else
            x->gone = true;
    }
}

enum welcome ui_welcome(enum welcome before, struct buf *path, struct err *e)
{
    struct welcome_state x = {0};
    struct buf paste = BUF_INIT(4096);
    struct options own;
    int out = -1;
    x.n_recent = session_recent(x.recent, RECENTS);
    stand_again(&x, before, path, e);
    *e = (struct err){0};
    if (!term_start(e))
        return WELCOME_QUIT;
    if (options_load(&own, NULL))
        theme_show(own.theme, NULL);
    options_free(&own);
    sig_catch(SIGHUP);
    sig_catch(SIGTERM);
    sig_catch(SIGQUIT);
    while (out < 0 && !x.gone) {
        struct pollfd fds[2] = {{term_fd(), POLLIN, 0},
                                {sig_fd(), POLLIN, 0}};
        const char *key;
        paint(&x);
        poll(fds, 2, x.trying.pid ? 200 : -1);
        teacher_form_tick(&x.trying, x.said, sizeof x.said);
        take_signals(&x);
        while (out < 0 && (key = term_key(&paste, &x.gone)))
            if (!strcmp(key, "Paste"))
                take_paste(&x, buf_ok(&paste) ? buf_str(&paste) : NULL);
            else
                out = one_key(&x, key, path);
    }
    term_stop();
    line_done(&x.line);
    child_stop(&x.trying);
    form_free(&x.form);
    buf_free(&paste);
    return out < 0 ? WELCOME_QUIT : (enum welcome)out;
}
