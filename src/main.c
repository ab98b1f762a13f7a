#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/say.h"
#include "base/sig.h"
#include "cli/all.h"
#include "demo/demo.h"
#include "ui/ui.h"
#include "ui/welcome.h"

static char *my_name(void)
{
    struct passwd *pw = getpwuid(getuid());
    return xstrdup(pw ? pw->pw_name : "someone");
}

/* A store that lost its end is opened to be read; to be written to only where
 * the person says so. */
static void ask_loss(struct store *s, bool after_loss)
{
    char answer[8] = "";
    if (!after_loss && store_loss(s)) {
        say(stderr, "stillroom: %s\n%s ", store_loss(s),
            _("Go on all the same and write to it? [y/N]"));
        if (!fgets(answer, sizeof answer, stdin))
            *answer = '\0';
    }
    /* TRANSLATORS: the letter of yes, small */
    if (after_loss || *answer == 'y' || *answer == *_("y"))
        store_after_loss(s);
}

/* Who decides: `as`, NULL: as the config says, else the login name. The caller
 * frees; NULL where the config is wrong. */
static char *decider(const char *as, struct err *e)
{
    char *who = config_defaults(e);
    if (e->code || as) {
        free(who);
        who = NULL;
    }
    return e->code ? NULL : who ? who : as ? xstrdup(as) : my_name();
}

/* The screen on a store, which is taken; `notes` as ui_run has them. */
static int run_screen(struct store *s, const char *as, bool tour,
                      bool after_loss, const char *notes)
{
    struct err e = {0};
    ask_loss(s, after_loss);
    char *who = decider(as, &e);
    if (!who) {
        store_close(&s);
        return say_err("stillroom", &e);
    }
    int code = ui_run(s, who, tour, notes);
    free(who);
    return code;
}

static int open_screen(const char *path, const char *as, bool tour,
                       bool after_loss)
{
    struct store *s;
    struct err e = {0};
    return store_open(path, &s, &e)
               ? run_screen(s, as, tour, after_loss, "")
               : say_err("stillroom", &e);
}

/* The demo store, made where it is missing, with its tour. */
static bool open_demo(struct store **s, struct err *e)
{
    char *path;
    if (!demo_store(&path, e))
        return false;
    bool ok = store_open(path, s, e);
    free(path);
    return ok;
}

static int demo_screen(const char *as)
{
    struct store *s;
    struct err e = {0};
    return open_demo(&s, &e) ? run_screen(s, as, true, false, "")
                             : say_err("stillroom", &e);
}

/* Does what was chosen; *e says why nothing came of it. */
static bool take_choice(enum welcome w, const char *typed, const char *as,
                        struct store **s, struct buf *notes, struct err *e)
{
    if (w == WELCOME_DEMO)
        return open_demo(s, e);
    char *path = paths_typed(typed), *who = decider(as, e);
    bool ok = who && (w == WELCOME_OPEN
                          ? store_open(path, s, e)
                          : work_begin(w == WELCOME_IMPORT ? path : NULL, who,
                                       s, notes, e));
    free(who);
    free(path);
    return ok;
}

/* Where this folder has no store. */
static int welcome(const char *as)
{
    struct buf path = BUF_INIT(LINE_BYTES), notes = BUF_INIT(0);
    struct err e = {0};
    struct store *s = NULL;
    enum welcome w = WELCOME_QUIT;
    do
        w = ui_welcome(w, &path, &e);
    while (w != WELCOME_QUIT &&
           !take_choice(w, buf_str(&path), as, &s, &notes, &e));
    int code = w != WELCOME_QUIT
                   ? run_screen(s, as, w == WELCOME_DEMO, false,
                                buf_str(&notes))
               : e.code ? say_err("stillroom", &e)
                        : 0;
    buf_free(&path);
    buf_free(&notes);
    return code;
}

static int screen(const struct cli *c)
{
    return c->store_path || file_exists(STORE_DEFAULT)
               ? open_screen(cli_store(c), c->as, false, c->after_loss)
               : welcome(c->as);
}

/* `stillroom demo` at a terminal, with nothing else asked. */
static bool opens_demo(const struct cli *c)
{
    return c->sub->run == sub_demo && !c->argc && !c->json && !c->help &&
           !c->store_path && isatty(1);
}

int main(int argc, char **argv)
{
    say_start();
    sig_start();
    paths_init_lang();
    struct cli c;
    int code = cli_begin(&c, argc - 1, argv + 1);
    if (code < 0 && !c.sub)
        code = screen(&c);
    else if (code < 0 && opens_demo(&c))
        code = demo_screen(c.as);
    else if (code < 0)
        code = cli_run(&c);
    return say_end("stillroom", code);
}
