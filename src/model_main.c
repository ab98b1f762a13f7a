/* stillroom-model: the local student. One table of subcommands
 * (model/commands.def); everything else is in model/cmd. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/say.h"
#include "base/sig.h"
#include "model/cmd/cmd.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
#define CMD(name, fn, help) {#name, fn, help},
#include "model/commands.def"
#undef CMD
};

static int help(void)
{
    printf("%s\n\n", _("Usage: stillroom-model COMMAND [ARGUMENTS]"));
    for (size_t i = 0; i < COUNT(commands); i++)
        printf("  %-11s %s\n", commands[i].name, _(commands[i].help));
    printf("\n%s\n", _("stillroom-model COMMAND --help says more."));
    return 0;
}

static int wrong(const char *name)
{
    struct err e;
    if (name)
        err_set(&e, ERR_USAGE, _("no command named \"%.60s\"; --help lists "
                                 "them"), name);
    else
        err_set(&e, ERR_USAGE, _("no command given; --help lists them"));
    return say_err("stillroom-model", &e);
}

/* OpenBLAS waits at exit for its threads, which never end where they found no
 * memory; so a failure does not wait for them. */
static int end(int code)
{
    code = say_end("stillroom-model", code);
#ifndef WITH_SANITIZERS
    if (code)
        _exit(code);
#endif
    return code;
}

int main(int argc, char **argv)
{
    say_start();
    sig_start();
    paths_init_lang();
    if (argc < 2)
        return wrong(NULL);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help"))
        return end(help());
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("stillroom-model %s\n", PACKAGE_VERSION);
        return end(0);
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (!strcmp(argv[1], commands[i].name))
            return end(commands[i].run(argc - 1, argv + 1));
    return wrong(argv[1]);
}
