#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/say.h"
#include "verbs/ask.h"

static int list(struct cli *c)
{
    struct profiles ps;
    struct presets pre;
    if (!profiles_load(NULL, &ps, &c->e))
        return cli_fail(c);
    for (size_t i = 0; i < ps.n; i++)
        say(stdout, "%-16s %-24s %s\n", ps.at[i].name,
            ps.at[i].model ? ps.at[i].model : "",
            ps.at[i].url ? ps.at[i].url : ps.at[i].serve);
    profiles_free(&ps);
    if (!presets_load(&pre, &c->e))
        return cli_fail(c);
    say(stdout, _("\npresets for `teacher add NAME --preset P --model M`:\n"));
    for (size_t i = 0; i < pre.n; i++)
        say(stdout, "  %-14s %s\n", pre.at[i].name, pre.at[i].url);
    presets_free(&pre);
    return 0;
}

static int check(struct cli *c, const struct profile *p)
{
    struct called a = {0};
    int code = 0;
    if (!verb_call(p, "What is 12 + 30? Answer with the number.", 64, &a,
                   &c->e))
        return cli_fail(c);
    if (a.text)
        say(stdout, _("%s answers in %lld ms: %s\n"), p->name,
            (long long)a.ms, a.text);
    if (a.text && p->serve && strstr(p->serve, "builtin"))
        say(stdout, _("it is a program that errs on purpose and answers plain "
                      "questions of its own families only\n"));
    if (a.error) {
        err_set(&c->e, ERR_NET, "%s: %s", p->name, a.error);
        code = cli_fail(c);
    }
    free(a.text);
    free(a.error);
    return code;
}

static bool confirm(const char *question)
{
    char line[16] = "";
    fprintf(stderr, "%s ", question);
    return fgets(line, sizeof line, stdin) && (*line == 'y' || *line == 'Y' ||
                                               *line == 's' || *line == 'S');
}

static bool fill(struct cli *c, struct profile *p, const char *preset,
                 const char *url, const char *model, const char *key_env)
{
    struct presets all;
    if (preset) {
        if (!presets_load(&all, &c->e))
            return false;
        const struct preset *x = preset_find(&all, preset);
        bool ok = x && profile_set(p, "url", x->url, &c->e) &&
                  (!x->key_env || !*x->key_env ||
                   profile_set(p, "key_env", x->key_env, &c->e));
        if (!x)
            err_set(&c->e, ERR_ABSENT, _("there is no preset %s; see "
                    "`stillroom teacher list`"), preset);
        presets_free(&all);
        if (!ok)
            return false;
    }
    return (!url || profile_set(p, "url", url, &c->e)) &&
           (!model || profile_set(p, "model", model, &c->e)) &&
           (!key_env || profile_set(p, "key_env", key_env, &c->e)) &&
           profile_check(p, &c->e);
}

static bool fill_key(struct cli *c, struct profile *p, const char *key,
                     const char *value)
{
    return !value || profile_set(p, key, value, &c->e);
}

static int add(struct cli *c, struct profile *p, bool yes, bool no_check,
               bool dry_run)
{
    struct buf section = BUF_INIT(0);
    if (!no_check) {
        int code = check(c, p);
        if (code)
            return code;
    }
    profile_print(p, &section);
    say(stdout, "%s", buf_str(&section));
    buf_free(&section);
    if (dry_run)
        return 0;
    if (!yes && !confirm(_("append this to the config? y/n")))
        return 1;
    return profile_append(NULL, p, &c->e) ? 0 : cli_fail(c);
}

int sub_teacher(struct cli *c)
{
    const char *preset = NULL, *url = NULL, *model = NULL, *key_env = NULL;
    const char *key_file = NULL, *key_command = NULL;
    bool yes = false, no_check = false, dry_run = false;
    const struct opt opts[] = {
        {"preset", OPT_STRING, &preset, "P", N_("a known kind of endpoint")},
        {"url", OPT_STRING, &url, "URL", N_("its address")},
        {"model", OPT_STRING, &model, "M", N_("as the endpoint calls it")},
        {"key-env", OPT_STRING, &key_env, "VAR",
         N_("the variable that holds the key")},
        {"key-file", OPT_STRING, &key_file, "FILE",
         N_("or the file, yours alone")},
        {"key-command", OPT_STRING, &key_command, "COMMAND",
         N_("or the command that prints it")},
        {"dry-run", OPT_FLAG, &dry_run, NULL,
         N_("try a call and show the section; append nothing")},
        {"no-check", OPT_FLAG, &no_check, NULL, N_("do not try a call")},
        {"yes", OPT_FLAG, &yes, NULL, N_("do not ask")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!c->argc || !strcmp(c->argv[0], "list"))
        return list(c);
    if (c->argc != 2)
        return cli_usage(c, _("list, add NAME or check NAME"));
    if (!strcmp(c->argv[0], "add")) {
        struct profile p = profile_new(c->argv[1]);
        bool ok = fill_key(c, &p, "key_file", key_file) &&
                  fill_key(c, &p, "key_command", key_command) &&
                  fill(c, &p, preset, url, model, key_env);
        code = ok ? add(c, &p, yes, no_check, dry_run)
                   : cli_fail(c);
        profile_free(&p);
        return code;
    }
    if (strcmp(c->argv[0], "check"))
        return cli_usage(c, _("list, add NAME or check NAME"));
    struct profiles ps;
    if (!profiles_load(NULL, &ps, &c->e))
        return cli_fail(c);
    const struct profile *p = profile_find(&ps, c->argv[1]);
    if (!p)
        err_set(&c->e, ERR_ABSENT, _("there is no teacher %s in the config"),
                c->argv[1]);
    code = p ? check(c, p) : cli_fail(c);
    profiles_free(&ps);
    return code;
}
