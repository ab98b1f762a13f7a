#include "cli/all.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/lang.h"
#include "config.h"

#define SUB(name, fn, words, args, help) {name, fn, words, args, help, false},
#define HIDDEN(name, fn, words, args, help) {name, fn, words, args, help, true},
static const struct sub subs[] = {
#include "cli/subcommands.def"
};
#undef SUB
#undef HIDDEN

static const struct sub *find_sub(const char *name)
{
    for (size_t i = 0; i < COUNT(subs); i++)
        if (!strcmp(subs[i].name, name))
            return &subs[i];
    return NULL;
}

static int print_overview(void)
{
    printf("stillroom %s\n%s\n\n", VERSION,
           _("distil a large teacher into a small student, by hand"));
    printf(_("usage: stillroom [STORE]            the screen\n"
             "       stillroom SUBCOMMAND ...     the same work without "
             "it\n\n"));
    for (size_t i = 0; i < COUNT(subs); i++)
        if (!subs[i].hidden)
            printf("  %-9s %s\n", subs[i].name, _(subs[i].help));
    printf(_("\neach of them has --help; see also stillroom(1)\n"));
    return 0;
}

static char *login_name(void)
{
    struct passwd *pw = getpwuid(getuid());
    return pw ? xstrdup(pw->pw_name) : xasprintf("uid%u", getuid());
}

/* A first word that is no subcommand's name but a file's. */
static bool is_store(const char *word)
{
    return !find_sub(word) && strpbrk(word, "./");
}

int cli_begin(struct cli *c, int argc, char **argv)
{
    *c = (struct cli){.argc = argc, .argv = argv};
    int code = cli_leading(c);
    if (code >= 0)
        return code;
    if (!c->argc || is_store(c->argv[0])) {
        code = cli_options(c, NULL);
        return code < 0 && c->help ? print_overview() : code;
    }
    c->sub = find_sub(c->argv[0]);
    if (!c->sub)
        return cli_usage(c, _("there is no subcommand %s"), c->argv[0]);
    c->argc--;
    c->argv++;
    return -1;
}

int cli_run(struct cli *c)
{
    char *who = config_defaults(&c->e);
    if (c->e.code)
        return cli_fail(c);
    c->who = who ? who : login_name();
    int code = c->sub->run(c);
    store_close(&c->s);
    free(c->who);
    return code;
}
