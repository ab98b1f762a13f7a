#include "ui/ui.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/loop.h"
#include "base/proc.h"
#include "base/say.h"
#include "base/sig.h"
#include "ui/term.h"
#include "ui/theme.h"

#define LOOK_MS 1000
#define TELL_MS 75 /* so that it is said before 100 have gone by */

struct screen {
    struct app app;
    struct loop *loop;
    bool gone;
    int64_t began;          /* when the present act began */
    int64_t told;           /* and how long it had gone on at the last word */
    bool said;              /* that it goes on stands on row 23 */
    VEC(char *) early;      /* keys that came while it went on */
    VEC(struct buf) pasted; /* the text of each Paste among them */
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

static void begin(struct screen *x)
{
    x->began = clock_mono();
    x->told = -1000;
    x->said = false;
    x->app.doing[0] = '\0';
}

static void mouse(struct app *a, const char *key)
{
    int y, x;
    term_pointer(&y, &x);
    if (!strcmp(key, "Click"))
        app_click(a, y, x);
    else
        app_wheel(a, y, x, strcmp(key, "WheelUp") ? 1 : -1);
}

static void one_key(struct screen *x, const char *key, const struct buf *paste)
{
    struct app *a = &x->app;
    if (!strcmp(key, "Paste"))
        app_paste(a, buf_ok(paste) ? buf_str(paste) : NULL);
    else if (!strcmp(key, "Click") || !strncmp(key, "Wheel", 5))
        mouse(a, key);
    else if (!strcmp(key, "^Z")) {
        term_suspend();
        a->stale = STALE_ALL;
    } else
        app_key(a, key);
    if (a->edit.what)
        edit(x);
    if (a->copy) {
        app_copied(a, term_copy(a->copy));
    }
}

/* The next key, those first that came while something went on. NULL where
 * there is none; *key is good until the next call. */
static const char *next_key(struct screen *x, struct buf *paste)
{
    static char key[16];
    if (!x->early.n)
        return term_key(paste, &x->gone);
    snprintf(key, sizeof key, "%s", x->early.at[0]);
    free(x->early.at[0]);
    memmove(x->early.at, x->early.at + 1,
            --x->early.n * sizeof *x->early.at);
    if (!strcmp(key, "Paste")) {
        buf_free(paste);
        *paste = x->pasted.at[0];
        memmove(x->pasted.at, x->pasted.at + 1,
                --x->pasted.n * sizeof *x->pasted.at);
    }
    return key;
}

/* Every key that is there; what was typed ahead of a picture is not a
 * decision about it. */
static void on_keys(void *ctx, int revents)
{
    struct screen *x = ctx;
    struct buf paste = BUF_INIT(0);
    const char *key;
    while (!x->app.quit && (key = next_key(x, &paste))) {
        begin(x);
        one_key(x, key, &paste);
    }
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
    begin(x);
    app_look(&x->app);
    bool (*const ticks[])(struct app *) = {runs_tick, export_tick, form_tick,
                                           news_tick, work_tick,
                                           runs_ask_tick};
    for (size_t i = 0; i < COUNT(ticks); i++)
        if (ticks[i](&x->app))
            x->app.stale = STALE_PAINT;
    if (x->said)
        x->app.stale = STALE_PAINT;
    bool busy = x->app.export.child.pid || x->app.export.render.pid ||
                x->app.trying.pid ||
                x->app.measuring.pid || x->app.measure_at ||
                x->app.works.n || x->app.runs.asking.pid;
    loop_timer(x->loop, busy ? LOOK_MS / 5 : LOOK_MS, on_look, x);
}

/* Keeps the keys that came while something goes on; true where there is the
 * Esc that ends it: one that was typed before that was said means something
 * else. */
static bool keep_keys(struct screen *x)
{
    struct buf paste = BUF_INIT(0);
    const char *key;
    while ((key = term_key(&paste, &x->gone))) {
        if (x->said && !strcmp(key, "Esc"))
            return true;
        VEC_PUSH(&x->early, xstrdup(key));
        if (!strcmp(key, "Paste")) {
            VEC_PUSH(&x->pasted, paste);
            paste = (struct buf)BUF_INIT(0);
        }
    }
    buf_free(&paste);
    return false;
}

/* Row 23 says what goes on. */
static void tell(struct screen *x)
{
    x->said = true;
    ui_said(&x->app);
}

/* While a query runs long or SQLite waits: what it waits for stands on row 23;
 * Esc gives up; other keys are kept, in their order. */
static bool on_tick(void *ctx, const char *holder, int64_t waited)
{
    struct screen *x = ctx;
    struct app *a = &x->app;
    int64_t since = clock_mono() - x->began;
    if (keep_keys(x))
        return false;
    if (since <= TELL_MS || since - x->told <= 250)
        return !x->gone && waited < 60000;
    x->told = since;
    if (holder)
        snprintf(a->said, sizeof a->said,
                 _("Not saved yet: the store is held by %s since %lld s; Esc "
                   "takes it back"), *holder ? holder : _("another process"),
                 (long long)waited / 1000);
    else
        a->busy = true;
    tell(x);
    return !x->gone && waited < 60000;
}

/* One line after the screen has closed, where something goes on. */
static void say_what_goes_on(struct app *a)
{
    runs_open(a);
    runs_tick(a);
    int n = a->runs.living.running;
    if (n)
        printf(P_("%d job goes on without you; see `stillroom runs`\n",
                  "%d jobs go on without you; see `stillroom runs`\n",
                  (unsigned long)n), n);
}

/* What options say of the terminal itself. */
static void set_up(struct app *a)
{
    int ascii = a->options.value[OPTION_ASCII];
    struct err e = {0};
    if (a->options.theme_set && !theme_show(a->options.theme, &e))
        app_say_err(a, &e);
    a->options.theme_set = false;
    cells_ascii(ascii == OPTION_ON || (ascii == OPTION_AUTO && !lang_utf8()));
    cells_join_emoji(a->options.value[OPTION_EMOJI] == EMOJI_JOINED);
    term_mouse(a->options.value[OPTION_MOUSE] == OPTION_ON);
}

/* For tests: how many cells were drawn outside of their pane. */
static void count_refused(void)
{
    const char *path = getenv("STILLROOM_TEST_CELLS");
    FILE *f = path ? fopen(path, "a") : NULL;
    if (!f)
        return;
    fprintf(f, "%ld\n", cells_refused());
    fclose(f);
}

int ui_run(struct store *s, const char *who, bool tour, const char *notes)
{
    struct screen x = {0};
    struct err e = {0};
    if (!term_start(&e)) {
        app_refuse(&s);
        return say_err("stillroom", &e);
    }
    sig_catch(SIGHUP);
    sig_catch(SIGTERM);
    sig_catch(SIGINT);
    sig_catch(SIGQUIT);
    app_init(&x.app, s, who);
    x.app.tour = tour;
    app_notes(&x.app, notes);
    app_set_tick(&x.app, on_tick, &x);
    x.loop = loop_new();
    loop_watch(x.loop, term_fd(), POLLIN, on_keys, &x);
    loop_watch(x.loop, sig_fd(), POLLIN, on_signal, &x);
    loop_timer(x.loop, LOOK_MS, on_look, &x);
    x.app.stale = STALE_ALL;
    while (!x.app.quit && !x.gone) {
        if (x.app.stale) {
            set_up(&x.app);
            begin(&x);
            ui_paint(&x.app);
        }
        if (x.app.late)
            app_count_late(&x.app);
        else if (x.early.n)
            on_keys(&x, POLLIN);
        else
            loop_once(x.loop, -1);
    }
    if (!x.gone) {
        term_stop();
        say_what_goes_on(&x.app);
    }
    loop_free(&x.loop);
    for (size_t i = 0; i < x.early.n; i++)
        free(x.early.at[i]);
    VEC_FREE(&x.early);
    for (size_t i = 0; i < x.pasted.n; i++)
        buf_free(&x.pasted.at[i]);
    VEC_FREE(&x.pasted);
    count_refused();
    app_done(&x.app);
    return 0;
}
