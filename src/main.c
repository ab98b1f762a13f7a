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

/* The screen on a store; `as` decides, NULL: as the config says, else the
 * login name. */
static int open_screen(const char *path, const char *as, bool tour,
                       bool after_loss)
{
    struct store *s;
    struct err e = {0};
    if (!store_open(path, &s, &e))
        return say_err("stillroom", &e);
    ask_loss(s, after_loss);
    char *who = config_defaults(&e);
    if (e.code) {
        free(who);
        store_close(&s);
        return say_err("stillroom", &e);
    }
    if (as) {
        free(who);
        who = xstrdup(as);
    }
    who = who ? who : my_name();
    int code = ui_run(s, who, tour);
    free(who);
    return code;
}

static int make_and_open(const char *import, const char *as)
{
    struct store *s;
    struct err e = {0};
    if (!store_create(STORE_DEFAULT, &s, &e))
        return say_err("stillroom", &e);
    store_close(&s);
    if (import) {
        char *argv[] = {(char *)(uintptr_t)"import",
                        (char *)(uintptr_t)"--",
                        (char *)(uintptr_t)import};
        struct cli c;
        if (cli_begin(&c, 3, argv) < 0)
            cli_run(&c);
    }
    return open_screen(STORE_DEFAULT, as, false, false);
}

/* The demo store, made where it is missing, with its tour. */
static int open_demo(const char *as)
{
    char *path;
    struct err e = {0};
    if (!demo_store(&path, &e))
        return say_err("stillroom", &e);
    int code = open_screen(path, as, true, false);
    free(path);
    return code;
}

/* Where this folder has no store. */
static int welcome(const char *as)
{
    struct buf path = BUF_INIT(4096);
    struct err e = {0};
    int code = 0;
    enum welcome w = ui_welcome(&path, &e);
    if (e.code)
        code = say_err("stillroom", &e);
    else if (w == WELCOME_DEMO)
        code = open_demo(as);
    else if (w == WELCOME_NEW)
        code = make_and_open(NULL, as);
    else if (w == WELCOME_IMPORT)
        code = make_and_open(buf_str(&path), as);
    else if (w == WELCOME_OPEN)
        code = open_screen(buf_str(&path), as, false, false);
    buf_free(&path);
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
        code = open_demo(c.as);
    else if (code < 0)
        code = cli_run(&c);
    return say_end("stillroom", code);
}
