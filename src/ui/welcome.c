#include "ui/welcome.h"

#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/line.h"
#include "app/session.h"
#include "app/teacher.h"
#include "base/clock.h"
#include "base/lang.h"
#include "base/sig.h"
#include "config.h"
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

struct welcome_state {
    size_t at; /* options, then recent stores */
    struct recent recent[RECENTS];
    size_t n_recent;
    struct line line;
    struct form form; /* that sets up a teacher */
    struct child trying;
    char said[300];
    bool gone;
};

static void draw_options(struct welcome_state *x, int *y)
{
    for (size_t i = 0; i < COUNT(options); i++) {
        bool on = x->at == i;
        enum style role = on ? STYLE_ROW_ON : STYLE_TEXT;
        cells_put(*y, 1, 1, role, on ? "▸" : " ");
        cells_put(*y, 3, 1, STYLE_KEY, options[i].key);
        cells_put(*y, 6, 10, role, _(options[i].name));
        cells_put(*y, 17, COLS - 18, STYLE_TEXT, _(options[i].text));
        ++*y;
        if (i == 0)
            cells_put((*y)++, 17, COLS - 18, STYLE_TEXT,
                      _("no key, no network; the whole loop in about ten "
                        "minutes"));
    }
    for (size_t i = 0; i < x->n_recent; i++) {
        const struct recent *r = &x->recent[i];
        bool on = x->at == COUNT(options) + i;
        char n[24], day[24];
        cells_put(*y, 1, 1, on ? STYLE_ROW_ON : STYLE_TEXT, on ? "▸" : " ");
        cells_printf(*y, 21, COLS - 22, on ? STYLE_ROW_ON : STYLE_TEXT,
                     _("%s accepted   %s   %s"),
                     count_text(n, sizeof n, r->accepted),
                     clock_format(day, sizeof day, r->at, 1), r->path);
        ++*y;
    }
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
             _("%ld cores, %s GB free; training needs no GPU"),
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

static void draw_choices(struct welcome_state *x)
{
    int y = 8;
    cells_put(2, 3, COLS - 4, STYLE_LABEL,
              _("Distil a large teacher into a small student. You decide what "
                "it learns."));
    cells_put(4, 8, COLS - 9, STYLE_TEXT,
              _("2 seeds ──▸ E teacher ──▸ 3 review ──▸ T student ──▸ X "
                "export"));
    cells_put(6, 3, COLS - 4, STYLE_TEXT,
              _("This folder holds no store. Nothing is written before you "
                "choose."));
    draw_options(x, &y);
    if (y + 6 < LINES)
        draw_facts(y > 16 ? y : 16);
}

static void paint(struct welcome_state *x)
{
    erase();
    cells_put(0, 1, COLS - 1, STYLE_FACT, "stillroom " VERSION);
    if (COLS < 40 || LINES < 12) {
        cells_put(1, 0, COLS, STYLE_TEXT,
                  _("d demo  n new  o open  Q quit"));
        refresh();
        return;
    }
    cells_right(0, 1, COLS - 3, STYLE_FACT, _("no store open"));
    if (x->form.open) {
        cross_rule(2, 0, COLS, false);
        form_draw(&x->form, (struct area){3, 0, LINES - 6, COLS});
    } else {
        draw_choices(x);
    }
    cells_put(LINES - 1, 1, COLS - 2, STYLE_FACT,
              x->form.open ? form_keys() :
              _("d demo  n new  i import  t teacher  o open  j k Enter choose "
                " Q quit"));
    curs_set(x->line.kind != LINE_NONE);
    if (x->line.kind != LINE_NONE) {
        int used = cells_put(LINES - 2, 1, COLS - 2, STYLE_ASKED,
                             _("file: "));
        cells_put(LINES - 2, 1 + used, COLS - 2 - used, STYLE_TEXT,
                  buf_str(&x->line.text));
        move(LINES - 2, 1 + used + cells_width(buf_str(&x->line.text)));
    } else {
        cells_put(LINES - 2, 1, COLS - 2, STYLE_SAID, x->said);
    }
    refresh();
}

/* What a choice leads to; -1 to stay. */
static int choose(struct welcome_state *x, size_t i, struct buf *path)
{
    switch (i) {
    case 0: return WELCOME_DEMO;
    case 1: return WELCOME_NEW;
    case 2:
        line_open(&x->line, LINE_IMPORT, "");
        return -1;
    case 3:
        if (!x->form.kind)
            teacher_form_build(&x->form);
        x->form.open = x->form.fresh = true;
        x->form.at = 0;
        x->said[0] = '\0';
        teacher_form_refresh(&x->form);
        return -1;
    case 4:
        line_open(&x->line, LINE_COMMAND, "");
        return -1;
    default:
        buf_puts(path, x->recent[i - COUNT(options)].path);
        return WELCOME_OPEN;
    }
}

static int line_key_of(struct welcome_state *x, const char *key,
                       struct buf *path)
{
    if (!strcmp(key, "Esc")) {
        line_close(&x->line, false);
    } else if (!strcmp(key, "Enter")) {
        bool import = x->line.kind == LINE_IMPORT;
        buf_puts(path, buf_str(&x->line.text));
        line_close(&x->line, false);
        if (path->len)
            return import ? WELCOME_IMPORT : WELCOME_OPEN;
    } else if (!line_key(&x->line, key)) {
        line_insert(&x->line, !strcmp(key, "Space") ? " " : key);
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

static int one_key(struct welcome_state *x, const char *key, struct buf *path)
{
    size_t all = COUNT(options) + x->n_recent;
    if (x->line.kind != LINE_NONE)
        return line_key_of(x, key, path);
    if (x->form.open) {
        form_key_of(x, key);
        return -1;
    }
    if (!strcmp(key, "Q") || !strcmp(key, "q"))
        return WELCOME_QUIT;
    if (!strcmp(key, "j") || !strcmp(key, "Down"))
        x->at = (x->at + 1) % all;
    else if (!strcmp(key, "k") || !strcmp(key, "Up"))
        x->at = (x->at + all - 1) % all;
    else if (!strcmp(key, "Enter"))
        return choose(x, x->at, path);
    for (size_t i = 0; i < COUNT(options); i++)
        if (!strcmp(key, options[i].key))
            return choose(x, i, path);
    return -1;
}

enum welcome ui_welcome(struct buf *path, struct err *e)
{
    struct welcome_state x = {0};
    struct buf paste = BUF_INIT(4096);
    struct options own;
    int out = -1;
    if (!term_start(e))
        return WELCOME_QUIT;
    if (options_load(&own, NULL))
        theme_show(own.theme, NULL);
    options_free(&own);
    sig_catch(SIGHUP);
    sig_catch(SIGTERM);
    sig_catch(SIGQUIT);
    x.n_recent = session_recent(x.recent, RECENTS);
    while (out < 0 && !x.gone) {
        struct pollfd fds[2] = {{term_fd(), POLLIN, 0},
                                {sig_fd(), POLLIN, 0}};
        const char *key;
        int signo;
        paint(&x);
        poll(fds, 2, x.trying.pid ? 200 : -1);
        teacher_form_tick(&x.trying, x.said, sizeof x.said);
        while ((signo = sig_next())) {
            if (signo == SIGWINCH)
                term_resize();
            else
                x.gone = true;
        }
        while (out < 0 && (key = term_key(&paste, &x.gone)))
            out = one_key(&x, key, path);
    }
    term_stop();
    line_done(&x.line);
    child_stop(&x.trying);
    form_free(&x.form);
    buf_free(&paste);
    return out < 0 ? WELCOME_QUIT : (enum welcome)out;
}
