#include "ui/ui.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/loop.h"
#include "base/proc.h"
#include "base/say.h"
#include "base/sig.h"
#include "ui/term.h"

#define LOOK_MS 1000

struct screen {
    struct app app;
    struct loop *loop;
    bool gone, look_again;
};

static void edit(struct screen *x)
{
    struct buf out = BUF_INIT((size_t)16 << 20);
    struct err e = {0};
    char *text = x->app.edit.text;
    x->app.edit.text = NULL;
    char **drop = app_secrets();
    if (term_edit(text ? text : "", drop, &out, &e))
        app_edited(&x->app, buf_str(&out), NULL);
    else
        app_edited(&x->app, NULL, e.text);
    proc_free_argv(drop);
    free(text);
    buf_free(&out);
}

static void one_key(struct screen *x, const char *key, const struct buf *paste)
{
    struct app *a = &x->app;
    if (!strcmp(key, "Paste"))
        app_paste(a, buf_str(paste));
    else if (!strcmp(key, "Click"))
        app_click(a, term_click());
    else if (!strcmp(key, "^Z")) {
        term_suspend();
        a->stale = STALE_ALL;
    } else
        app_key(a, key, !a->painted);
    if (a->edit.what)
        edit(x);
    if (a->copy) {
        term_copy(a->copy);
        free(a->copy);
        a->copy = NULL;
    }
}

/* Every key that is there; what was typed ahead of a picture is not a
 * decision about it. */
static void on_keys(void *ctx, int revents)
{
    struct screen *x = ctx;
    struct buf paste = BUF_INIT(0);
    const char *key;
    while (!x->app.quit && (key = term_key(&paste, &x->gone)))
        one_key(x, key, &paste);
    if ((revents & (POLLHUP | POLLERR)) && !(revents & POLLIN))
        x->gone = true;
    buf_free(&paste);
}

static void on_signal(void *ctx, int revents)
{
    struct screen *x = ctx;
    int signo;
    (void)revents;
    while ((signo = sig_next())) {
        if (signo == SIGWINCH) {
            term_resize();
            x->app.stale = STALE_ALL;
        } else if (signo == SIGHUP || signo == SIGTERM ||
                   signo == SIGINT || signo == SIGQUIT) {
            x->app.quit = true;
        }
    }
}

static void on_look(void *ctx, int revents)
{
    struct screen *x = ctx;
    (void)revents;
    app_look(&x->app);
    if (runs_tick(&x->app) && x->app.view == VIEW_RUNS)
        x->app.stale = STALE_PAINT;
    if (export_tick(&x->app) | form_tick(&x->app) |
        work_tick(&x->app) | runs_ask_tick(&x->app))
        x->app.stale = STALE_PAINT;
    bool busy = x->app.export.child.pid || x->app.export.render.pid ||
                x->app.trying.pid ||
                x->app.measuring.pid || x->app.measure_at ||
                x->app.works.n || x->app.runs.asking.pid;
    loop_timer(x->loop, busy ? LOOK_MS / 5 : LOOK_MS, on_look, x);
}

/* While SQLite waits: what it waits for stands on row 23; Esc gives up. */
static bool on_tick(void *ctx, const char *holder, int64_t waited)
{
    struct screen *x = ctx;
    struct app *a = &x->app;
    struct buf paste = BUF_INIT(0);
    const char *key = term_key(&paste, &x->gone);
    buf_free(&paste);
    if (key && !strcmp(key, "Esc"))
        return false;
    if (holder && waited > 100 && waited / 250 != (waited - 5) / 250) {
        char text[300];
        snprintf(text, sizeof text,
                 _("Not saved yet: the store is held by %s since %lld s; Esc "
                   "takes it back"), *holder ? holder : _("another process"),
                 (long long)waited / 1000);
        snprintf(a->said, sizeof a->said, "%s", text);
        ui_paint(a);
    }
    return !x->gone && waited < 60000;
}

/* One line after the screen has closed, where something goes on. */
static void say_what_goes_on(struct app *a)
{
    runs_open(a);
    runs_tick(a);
    if (a->runs.running)
        printf(P_("%d job goes on without you; see `stillroom runs`\n",
                  "%d jobs go on without you; see `stillroom runs`\n",
                  (unsigned long)a->runs.running), a->runs.running);
}

/* What options say of the terminal itself. */
static void set_up(struct app *a)
{
    enum option_value ascii = a->options.value[OPTION_ASCII];
    cells_ascii(ascii == OPTION_ON || (ascii == OPTION_AUTO && !lang_utf8()));
    term_mouse(a->options.value[OPTION_MOUSE] == OPTION_ON);
}

int ui_run(struct store *s, const char *who, bool tour)
{
    struct screen x = {0};
    struct err e = {0};
    if (!term_start(&e)) {
        store_close(&s);
        return say_err("stillroom", &e);
    }
    sig_catch(SIGHUP);
    sig_catch(SIGTERM);
    sig_catch(SIGINT);
    sig_catch(SIGQUIT);
    app_init(&x.app, s, who);
    x.app.tour = tour;
    store_set_tick(s, on_tick, &x);
    x.loop = loop_new();
    loop_watch(x.loop, term_fd(), POLLIN, on_keys, &x);
    loop_watch(x.loop, sig_fd(), POLLIN, on_signal, &x);
    loop_timer(x.loop, LOOK_MS, on_look, &x);
    x.app.stale = STALE_ALL;
    while (!x.app.quit && !x.gone) {
        if (x.app.stale) {
            set_up(&x.app);
            ui_paint(&x.app);
        }
        loop_once(x.loop, -1);
    }
    if (!x.gone) {
        term_stop();
        say_what_goes_on(&x.app);
    }
    loop_free(&x.loop);
    store_set_tick(s, NULL, NULL);
    app_done(&x.app);
    return 0;
}
