#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/say.h"
#include "config.h"
#include "store/ids.h"

static int print_version(void)
{
    printf("stillroom %s\n", VERSION);
    return 0;
}

/* The options that everything takes. */
static const struct opt *common(struct cli *c, size_t i)
{
    static struct opt table[7];
    table[0] = (struct opt){"store", OPT_STRING, &c->store_path, "FILE",
                            N_("the store (stillroom.db)")};
    table[1] = (struct opt){"as", OPT_STRING, &c->as, "NAME",
                            N_("who decides (your login name)")};
    table[2] = (struct opt){"json", OPT_FLAG, &c->json, NULL,
                            N_("print JSON")};
    table[3] = (struct opt){"after-loss", OPT_FLAG, &c->after_loss, NULL,
                            N_("write to a store that lost its end")};
    table[4] = (struct opt){"help", OPT_FLAG, &c->help, NULL,
                            N_("print this help (-h)")};
    table[5] = (struct opt){"version", OPT_FLAG, &c->version, NULL,
                            N_("print the version (-V)")};
    table[6] = (struct opt){NULL, OPT_FLAG, NULL, NULL, NULL};
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
    printf(_("usage: stillroom %s [options]%s%s\n"), c->sub->name,
           *c->sub->args ? " " : "", c->sub->args);
    printf("%s\n\n", _(c->sub->help));
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
    if (end > v && !*end && !errno &&
        (o->kind == OPT_INT || isfinite(*(double *)o->to)))
        return true;
    cli_usage(c, _("--%s needs a number, not \"%s\""), o->name, v);
    return false;
}

/* What an argument calls an option: behind "--"; -h, -V, and where the name is
 * one letter long behind "-". */
static const char *option_name(const char *word)
{
    return !strncmp(word, "--", 2) ? word + 2
           : !strcmp(word, "-h")   ? "help"
           : !strcmp(word, "-V")   ? "version"
           : !word[2]              ? word + 1
                                   : NULL;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1];
}

/* An option with a value, by its place in `opts`, stands once. */
static bool stands_twice(struct cli *c, const struct opt *opts,
                         const struct opt *o, uint64_t *given)
{
    ptrdiff_t at = o - opts;
    if (o->kind == OPT_FLAG || o->kind == OPT_LIST || at < 0 || at > 63)
        return false;
    if (*given >> at & 1)
        cli_usage(c, _("--%s stands twice"), o->name);
    bool twice = *given >> at & 1;
    *given |= (uint64_t)1 << at;
    return twice;
}

/* One argument that is_option; false where it is a mistake. */
static bool take_option(struct cli *c, const struct opt *opts, int *i,
                        uint64_t *given)
{
    const char *word = c->argv[*i], *name = option_name(word);
    const char *value = name ? strchr(name, '=') : NULL;
    size_t n = value  ? (size_t)(value - name)
               : name ? strlen(name)
                      : 0;
    const struct opt *o = name ? find_opt(c, opts, name, n) : NULL;
    if (!o) {
        cli_usage(c, _("there is no option %s"), word);
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
    return !(opts && stands_twice(c, opts, o, given)) &&
           store_value(c, o, value);
}

/* The words that are left: as many as the subcommand takes. */
static bool take_words(struct cli *c)
{
    int most = c->sub ? c->sub->words : WORDS_STORE;
    const char *store = c->store_path;
    if (most == WORDS_STORE && c->argc == 1 && !store) {
        c->store_path = c->argv[0];
        c->argc = 0;
        return true;
    }
    if (most == WORDS_STORE)
        most = !store;
    if (c->argc <= most)
        return true;
    cli_unread(c, c->argv[most],
               most || store ? NULL : _("--store names a store"));
    return false;
}

int cli_leading(struct cli *c)
{
    int i = 0;
    uint64_t given = 0;
    for (; i < c->argc && is_option(c->argv[i]) && strcmp(c->argv[i], "--");
         i++)
        if (!take_option(c, NULL, &i, &given))
            return 2;
    c->argc -= i;
    c->argv += i;
    return -1;
}

int cli_options(struct cli *c, const struct opt *opts)
{
    int rest = 0;
    uint64_t given = 0;
    bool all_words = false;
    for (int i = 0; i < c->argc; i++) {
        if (!all_words && !strcmp(c->argv[i], "--"))
            all_words = true;
        else if (all_words || !is_option(c->argv[i]))
            c->argv[rest++] = c->argv[i];
        else if (!take_option(c, opts, &i, &given))
            return 2;
    }
    c->argc = rest;
    if (c->version)
        return print_version();
    if (c->help && c->sub) {
        print_help(c, opts);
        return 0;
    }
    if (!take_words(c))
        return 2;
    if (c->as) {
        free(c->who);
        c->who = xstrdup(c->as);
    }
    return -1;
}

const char *cli_store(const struct cli *c)
{
    return c->store_path ? c->store_path : STORE_DEFAULT;
}

bool cli_open(struct cli *c)
{
    if (!store_open(cli_store(c), &c->s, &c->e))
        return false;
    if (store_notice(c->s))
        say(stderr, "stillroom: %s\n", store_notice(c->s));
    if (c->after_loss)
        store_after_loss(c->s);
    else if (store_loss(c->s))
        say(stderr, "stillroom: %s\n", store_loss(c->s));
    return true;
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
                                            "target --add NAME`"));
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
    char name[32];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e.text, sizeof e.text, fmt, ap);
    va_end(ap);
    say_err("stillroom", &e);
    fprintf(stderr, _("see `stillroom %s--help`\n"),
            c->sub ? (snprintf(name, sizeof name, "%s ", c->sub->name), name)
                   : "");
    return 2;
}

int cli_unread(struct cli *c, const char *word, const char *instead)
{
    return instead ? cli_usage(c, _("\"%s\" is not read; %s"), word, instead)
                   : cli_usage(c, _("\"%s\" is not read"), word);
}

bool cli_ids(struct cli *c, const char *text, char letter, ids *out)
{
    return (*text && ids_parse(text, letter, out)) ||
           err_set(&c->e, ERR_USAGE, _("\"%s\" is not a number or a list of "
                                       "them (2041,2050-2099)"), text);
}

int64_t cli_id(struct cli *c, const char *text, char letter)
{
    ids one = {0};
    int64_t id = cli_ids(c, text, letter, &one) ? one.at[0] : 0;
    if (one.n > 1) {
        err_set(&c->e, ERR_USAGE, _("\"%s\" is more than one"), text);
        id = 0;
    }
    VEC_FREE(&one);
    return id;
}

void cli_print(const struct buf *b)
{
    say_json(stdout, buf_str(b), b->len);
}

bool cli_heard(void)
{
    return !ferror(stdout);
}
