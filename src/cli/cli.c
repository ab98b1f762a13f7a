#include "cli/cli.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/lang.h"
#include "base/say.h"

#define SUB(name, fn, args, help) {name, fn, args, help, false},
#define HIDDEN(name, fn, args, help) {name, fn, args, help, true},
static const struct sub {
    const char *name;
    int (*run)(struct cli *c);
    const char *args, *help;
    bool hidden;
} subs[] = {
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

void cli_overview(void)
{
    for (size_t i = 0; i < COUNT(subs); i++)
        if (!subs[i].hidden)
            printf("  %-9s %s\n", subs[i].name, _(subs[i].help));
}

static const struct opt *common(struct cli *c, size_t i)
{
    static struct opt table[5];
    table[0] = (struct opt){"store", OPT_STRING, &c->store_path, "FILE",
                            N_("the store (stillroom.db)")};
    table[1] = (struct opt){"as", OPT_STRING, &c->as, "NAME",
                            N_("who decides (your login name)")};
    table[2] = (struct opt){"json", OPT_FLAG, &c->json, NULL,
                            N_("print JSON")};
    table[3] = (struct opt){"help", OPT_FLAG, &c->help, NULL,
                            N_("print this help")};
    table[4] = (struct opt){NULL, OPT_FLAG, NULL, NULL, NULL};
    return &table[i];
}

static void print_opt(const struct opt *o)
{
    char head[60];
    snprintf(head, sizeof head, "--%s%s%s", o->name, o->arg ? " " : "",
             o->arg ? o->arg : "");
    printf("  %-22s %s\n", head, _(o->help));
}

static const struct opt *find_opt(struct cli *c, const struct opt *opts,
                                  const char *name, size_t n)
{
    for (const struct opt *o = opts; o && o->name; o++)
        if (strlen(o->name) == n && !strncmp(o->name, name, n))
            return o;
    for (size_t i = 0; common(c, i)->name; i++)
        if (strlen(common(c, i)->name) == n &&
            !strncmp(common(c, i)->name, name, n))
            return common(c, i);
    return NULL;
}

static void print_help(struct cli *c, const struct opt *opts)
{
    const struct sub *sub = find_sub(c->name);
    printf(_("usage: stillroom %s [options] %s\n"), c->name, sub->args);
    printf("%s\n\n", _(sub->help));
    for (const struct opt *o = opts; o && o->name; o++)
        print_opt(o);
    for (size_t i = 0; common(c, i)->name; i++) {
        const struct opt *o = common(c, i);
        if (find_opt(c, opts, o->name, strlen(o->name)) == o)
            print_opt(o);
    }
}

static bool store_value(struct cli *c, const struct opt *o, const char *v)
{
    char *end = NULL;
    errno = 0;
    switch (o->kind) {
    case OPT_FLAG:
        *(bool *)o->to = true;
        return true;
    case OPT_STRING:
        *(const char **)o->to = v;
        return true;
    case OPT_LIST:
        VEC_PUSH((strings *)o->to, v);
        return true;
    case OPT_INT:
        *(int64_t *)o->to = strtoll(v, &end, 10);
        break;
    case OPT_NUMBER:
        *(double *)o->to = strtod(v, &end);
        break;
    }
    if (end > v && !*end && !errno)
        return true;
    cli_usage(c, _("--%s needs a number, not \"%s\""), o->name, v);
    return false;
}

/* One argument that begins with "--"; false where it is a mistake. */
static bool take_option(struct cli *c, const struct opt *opts, int *i)
{
    const char *name = c->argv[*i] + 2, *value = strchr(name, '=');
    size_t n = value ? (size_t)(value - name) : strlen(name);
    const struct opt *o = find_opt(c, opts, name, n);
    if (!o) {
        cli_usage(c, _("there is no option --%.*s"), (int)n, name);
        return false;
    }
    if (o->kind == OPT_FLAG && value) {
        cli_usage(c, _("--%s takes no value"), o->name);
        return false;
    }
    if (o->kind != OPT_FLAG && value)
        value++;
    else if (o->kind != OPT_FLAG && *i + 1 < c->argc)
        value = c->argv[++*i];
    if (o->kind != OPT_FLAG && !value) {
        cli_usage(c, _("--%s needs a value (%s)"), o->name, o->arg);
        return false;
    }
    return store_value(c, o, value);
}

int cli_options(struct cli *c, const struct opt *opts)
{
    int rest = 0;
    bool all_words = false;
    for (int i = 0; i < c->argc; i++) {
        if (all_words || strncmp(c->argv[i], "--", 2)) {
            c->argv[rest++] = c->argv[i];
        } else if (!c->argv[i][2]) {
            all_words = true;
        } else if (!take_option(c, opts, &i)) {
            return 2;
        }
    }
    c->argc = rest;
    if (c->help) {
        print_help(c, opts);
        return 0;
    }
    if (c->as) {
        free(c->who);
        c->who = xstrdup(c->as);
    }
    return -1;
}

bool cli_open(struct cli *c)
{
    return store_open(c->store_path, &c->s, &c->e);
}

int64_t cli_target(struct cli *c)
{
    ids all;
    if (c->target_name) {
        int64_t id = target_find(c->s, c->target_name);
        if (!id)
            err_set(&c->e, ERR_ABSENT, _("there is no target %s"),
                    c->target_name);
        return id;
    }
    if (!target_ids(c->s, &all, &c->e))
        return 0;
    int64_t only = all.n == 1 ? all.at[0] : 0;
    if (!only)
        err_set(&c->e, ERR_USAGE, all.n ? _("there are several targets; name "
                                            "one with --target")
                                        : _("the store has no target yet; "
                                            "import seeds, or `stillroom "
                                            "target NAME`"));
    VEC_FREE(&all);
    return only;
}

int cli_fail(struct cli *c)
{
    return say_err("stillroom", &c->e);
}

int cli_usage(struct cli *c, const char *fmt, ...)
{
    struct err e = {.code = ERR_USAGE};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.text, sizeof e.text, fmt, ap);
    va_end(ap);
    say_err("stillroom", &e);
    fprintf(stderr, _("see `stillroom %s --help`\n"), c->name);
    return 2;
}

bool cli_ids(struct cli *c, const char *text, char prefix, ids *out)
{
    const char *p = text;
    while (*p) {
        char *end;
        if (prefix && *p == prefix)
            p++;
        long long v = strtoll(p, &end, 10);
        if (end == p || v <= 0 || (*end && *end != ',')) {
            err_set(&c->e, ERR_USAGE, _("\"%s\" is not a number or a list of "
                                        "them"), text);
            return false;
        }
        VEC_PUSH(out, (int64_t)v);
        p = end + (*end == ',');
    }
    return out->n > 0;
}

void cli_print(const struct buf *b)
{
    printf("%s\n", buf_str(b));
}

static char *login_name(void)
{
    struct passwd *pw = getpwuid(getuid());
    return pw ? xstrdup(pw->pw_name) : xasprintf("uid%u", getuid());
}

int cli_main(int argc, char **argv)
{
    const struct sub *sub = find_sub(argv[0]);
    struct cli c = {.name = argv[0], .argc = argc - 1, .argv = argv + 1,
                    .store_path = STORE_DEFAULT};
    if (!sub) {
        struct err e;
        err_set(&e, ERR_USAGE, _("there is no subcommand %s; see `stillroom "
                                 "--help`"), argv[0]);
        return say_err("stillroom", &e);
    }
    c.who = config_defaults(&c.e);
    if (c.e.code)
        return cli_fail(&c);
    if (!c.who)
        c.who = login_name();
    int code = sub->run(&c);
    store_close(&c.s);
    free(c.who);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        err_sys(&c.e, _("cannot write the output"));
        return cli_fail(&c);
    }
    return code;
}
