#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/say.h"
#include "cli/table.h"
#include "verbs/ask.h"

/* What stands on the command line. */
struct wanted {
    const char *preset, *url, *model, *serve;
    const char *key_env, *key_file, *key_command;
    bool yes, no_check, dry_run;
};

static const struct column columns[] = {
    {N_("teacher"), 16}, {N_("model"), 24}, {N_("address"), 0}};
static const struct column preset_columns[] = {
    {N_("preset"), 16}, {N_("address"), 0}};

static void list_json(const struct profiles *ps, const struct presets *pre)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_key(&w, "teachers");
    jw_open(&w, '[');
    for (size_t i = 0; i < ps->n; i++) {
        jw_open(&w, '{');
        jw_kstr(&w, "name", ps->at[i].name);
        jw_kstr(&w, "model", ps->at[i].model);
        jw_kstr(&w, "url", ps->at[i].url);
        jw_kstr(&w, "serve", ps->at[i].serve);
        jw_close(&w);
    }
    jw_close(&w);
    jw_key(&w, "presets");
    jw_open(&w, '[');
    for (size_t i = 0; i < pre->n; i++) {
        jw_open(&w, '{');
        jw_kstr(&w, "name", pre->at[i].name);
        jw_kstr(&w, "url", pre->at[i].url);
        jw_close(&w);
    }
    jw_close(&w);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

static void list_people(struct cli *c, const struct profiles *ps,
                        const struct presets *pre)
{
    table_head(c, columns);
    for (size_t i = 0; i < ps->n; i++)
        table_row(columns, "%s\t%s\t%s", ps->at[i].name,
                  ps->at[i].model ? ps->at[i].model : "",
                  ps->at[i].url ? ps->at[i].url : ps->at[i].serve);
    say(stdout, _("\nfor `stillroom teacher add NAME --preset P --model M`; "
                  "`stillroom teacher add NAME --serve LINE` has each job "
                  "start a server of our own:\n"));
    table_head(c, preset_columns);
    for (size_t i = 0; i < pre->n; i++)
        table_row(preset_columns, "%s\t%s", pre->at[i].name,
                  pre->at[i].url);
}

static int list(struct cli *c)
{
    struct profiles ps;
    struct presets pre;
    if (!profiles_load(NULL, &ps, &c->e))
        return cli_fail(c);
    bool ok = presets_load(&pre, &c->e);
    if (ok && c->json)
        list_json(&ps, &pre);
    else if (ok)
        list_people(c, &ps, &pre);
    profiles_free(&ps);
    presets_free(&pre);
    return ok ? 0 : cli_fail(c);
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

static bool take_preset(struct cli *c, struct profile *p, const char *name)
{
    struct presets all;
    if (!presets_load(&all, &c->e))
        return false;
    const struct preset *x = preset_find(&all, name);
    bool ok = x && profile_set(p, "url", x->url, &c->e) &&
              (!x->key_env || !*x->key_env ||
               profile_set(p, "key_env", x->key_env, &c->e));
    if (!x)
        err_set(&c->e, ERR_ABSENT, _("there is no preset %s; see `stillroom "
                                     "teacher list`"), name);
    presets_free(&all);
    return ok;
}

/* What the options say of it, over what its preset says. */
static bool fill(struct cli *c, struct profile *p, const struct wanted *a)
{
    const struct {
        const char *key, *value;
    } given[] = {{"key_file", a->key_file}, {"key_command", a->key_command},
                 {"url", a->url}, {"serve", a->serve}, {"model", a->model},
                 {"key_env", a->key_env}};
    bool ok = !a->preset || take_preset(c, p, a->preset);
    for (size_t i = 0; ok && i < COUNT(given); i++)
        ok = !given[i].value ||
             profile_set(p, given[i].key, given[i].value, &c->e);
    return ok && profile_check(p, &c->e);
}

static int add(struct cli *c, const char *name, const struct wanted *a)
{
    struct profile p = profile_new(name);
    struct buf section = BUF_INIT(0);
    int code = fill(c, &p, a) ? 0 : cli_fail(c);
    if (!code && !a->no_check)
        code = check(c, &p);
    if (!code) {
        profile_print(&p, &section);
        say(stdout, "%s", buf_str(&section));
        bool go = !a->dry_run &&
                      (a->yes || confirm(_("append this to the config? y/n")));
        if (go && !profile_append(NULL, &p, &c->e))
            code = cli_fail(c);
        code = code ? code : !go && !a->dry_run;
    }
    buf_free(&section);
    profile_free(&p);
    return code;
}

static int check_named(struct cli *c, const char *name)
{
    struct profiles ps;
    if (!profiles_load(NULL, &ps, &c->e))
        return cli_fail(c);
    const struct profile *p = profile_find(&ps, name);
    if (!p)
        err_set(&c->e, ERR_ABSENT, _("there is no teacher %s in the config"),
                name);
    int code = p ? check(c, p) : cli_fail(c);
    profiles_free(&ps);
    return code;
}

int sub_teacher(struct cli *c)
{
    struct wanted a = {0};
    const struct opt opts[] = {
        {"preset", OPT_STRING, &a.preset, "P", N_("a known kind of endpoint")},
        {"url", OPT_STRING, &a.url, "URL", N_("its address")},
        {"serve", OPT_STRING, &a.serve, "LINE",
         N_("or what starts it: stillroom-model serve DIR")},
        {"model", OPT_STRING, &a.model, "M", N_("as the endpoint calls it")},
        {"key-env", OPT_STRING, &a.key_env, "VAR",
         N_("the variable that holds the key")},
        {"key-file", OPT_STRING, &a.key_file, "FILE",
         N_("or the file, yours alone")},
        {"key-command", OPT_STRING, &a.key_command, "COMMAND",
         N_("or the command that prints it")},
        {"dry-run", OPT_FLAG, &a.dry_run, NULL,
         N_("try a call and show the section; append nothing")},
        {"no-check", OPT_FLAG, &a.no_check, NULL, N_("do not try a call")},
        {"yes", OPT_FLAG, &a.yes, NULL, N_("do not ask")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    const char *what = c->argc ? c->argv[0] : "list";
    bool adds = !strcmp(what, "add");
    if (!adds && (a.preset || a.url || a.serve || a.model || a.key_env ||
                  a.key_file || a.key_command || a.dry_run || a.no_check ||
                  a.yes))
        return cli_usage(c, _("the options are for teacher add"));
    if (!strcmp(what, "list"))
        return c->argc > 1 ? cli_unread(c, c->argv[1], NULL) : list(c);
    if (!adds && strcmp(what, "check"))
        return cli_unread(c, what, _("list, add NAME or check NAME"));
    if (c->argc != 2)
        return cli_usage(c, _("list, add NAME or check NAME"));
    return adds ? add(c, c->argv[1], &a) : check_named(c, c->argv[1]);
}
