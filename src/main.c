#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/paths.h"
#include "base/say.h"
#include "base/sig.h"
#include "cli/cli.h"
#include "config.h"
#include "ui/ui.h"

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

/* The screen on a store. */
static int open_screen(const char *path)
{
    struct store *s;
    struct err e = {0};
    struct passwd *pw = getpwuid(getuid());
    if (!store_open(path, &s, &e))
        return say_err("stillroom", &e);
    return ui_run(s, pw ? pw->pw_name : "someone");
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
    if (argc > 1 && !(argc == 2 && strchr(argv[1], '.')))
        return cli_main(argc - 1, argv + 1);
    return open_screen(argc > 1 ? argv[1] : STORE_DEFAULT);
}
