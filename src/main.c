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
#include "cli/cli.h"
#include "config.h"
#include "ui/ui.h"
#include "ui/welcome.h"
#include "verbs/demo.h"

static int print_help(void)
{
    printf("stillroom %s\n%s\n\n", VERSION,
           _("distil a large teacher into a small student, by hand"));
    printf(_("usage: stillroom [STORE]            the screen\n"
             "       stillroom SUBCOMMAND ...     the same work without "
             "it\n\n"));
    cli_overview();
    printf(_("\neach of them has --help; see also stillroom(1)\n"));
    return 0;
}

static char *my_name(void)
{
    struct passwd *pw = getpwuid(getuid());
    return xstrdup(pw ? pw->pw_name : "someone");
}

/* The screen on a store. */
static int open_screen(const char *path, bool tour)
{
    struct store *s;
    struct err e = {0};
    if (!store_open(path, &s, &e))
        return say_err("stillroom", &e);
    char *who = config_defaults(&e);
    if (e.code) {
        free(who);
        store_close(&s);
        return say_err("stillroom", &e);
    }
    who = who ? who : my_name();
    int code = ui_run(s, who, tour);
    free(who);
    return code;
}

static int make_and_open(const char *import)
{
    struct store *s;
    struct err e = {0};
    if (!store_create(STORE_DEFAULT, &s, &e))
        return say_err("stillroom", &e);
    store_close(&s);
    if (import) {
        char *argv[] = {(char *)(uintptr_t)"import",
                        (char *)(uintptr_t)import, NULL};
        cli_main(2, argv);
    }
    return open_screen(STORE_DEFAULT, false);
}

/* The demo store, made where it is missing, with its tour. */
static int open_demo(void)
{
    char *path;
    struct err e = {0};
    if (!demo_store(&path, &e))
        return say_err("stillroom", &e);
    int code = open_screen(path, true);
    free(path);
    return code;
}

/* Where this folder has no store. */
static int welcome(void)
{
    struct buf path = BUF_INIT(4096);
    struct err e = {0};
    int code = 0;
    enum welcome w = ui_welcome(&path, &e);
    if (e.code)
        code = say_err("stillroom", &e);
    else if (w == WELCOME_DEMO)
        code = open_demo();
    else if (w == WELCOME_NEW)
        code = make_and_open(NULL);
    else if (w == WELCOME_IMPORT)
        code = make_and_open(buf_str(&path));
    else if (w == WELCOME_OPEN)
        code = open_screen(buf_str(&path), false);
    buf_free(&path);
    return code;
}

int main(int argc, char **argv)
{
    sig_start();
    paths_init_lang();
    if (argc > 1 && !strcmp(argv[1], "--help"))
        return print_help();
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        printf("stillroom %s\n", VERSION);
        return 0;
    }
    if (argc == 2 && !strcmp(argv[1], "demo") && isatty(1))
        return open_demo();
    if (argc > 1 && !(argc == 2 && strchr(argv[1], '.')))
        return cli_main(argc - 1, argv + 1);
    if (argc > 1)
        return open_screen(argv[1], false);
    return file_exists(STORE_DEFAULT) ? open_screen(STORE_DEFAULT, false)
                                      : welcome();
}
