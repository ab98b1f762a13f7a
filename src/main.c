#include <stdio.h>
#include <string.h>

#include "base/lang.h"
#include "base/paths.h"
#include "base/sig.h"
#include "cli/cli.h"
#include "config.h"

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
    if (argc > 1)
        return cli_main(argc - 1, argv + 1);
    return print_help();
}
