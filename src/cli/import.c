#include "cli/cli.h"

#include <stdio.h>

#include "base/lang.h"
#include "base/say.h"
#include "store/text.h"
#include "verbs/import.h"

#define SHOWN 20 /* bad rows that are printed one by one */

struct shown {
    const char *path;
    int n;
};

static void on_bad(void *ctx, uint64_t line, const char *reason)
{
    struct shown *x = ctx;
    if (x->n++ < SHOWN)
        say(stderr, _("%s line %llu: %s\n"), x->path,
            (unsigned long long)line, reason);
}

static void print_report(struct cli *c, const char *path,
                         const struct import_report *r, bool samples)
{
    if (c->json) {
        struct buf b = BUF_INIT(0);
        struct jw w = jw_start(&b);
        jw_open(&w, '{');
        jw_kstr(&w, "file", path);
        jw_kstr(&w, "format", r->format);
        jw_kint(&w, "rows", (int64_t)r->rows);
        jw_kint(&w, "blank", (int64_t)r->blank);
        jw_kint(&w, "bad", (int64_t)r->bad);
        jw_kint(&w, "repeated", (int64_t)r->repeated);
        jw_kint(&w, "good", (int64_t)r->good);
        jw_kint(&w, samples ? "samples" : "seeds", r->items);
        if (samples)
            jw_kint(&w, "duplicates", r->duplicates);
        jw_close(&w);
        cli_print(&b);
        buf_free(&b);
        return;
    }
    say(stdout, samples ? _("%s: %lld samples") : _("%s: %lld seeds"), path,
        (long long)r->items);
    say(stdout, _(" from %llu rows of shape %s (%llu blank, %llu bad, %llu "
                  "there already)\n"), (unsigned long long)r->rows, r->format,
        (unsigned long long)r->blank, (unsigned long long)r->bad,
        (unsigned long long)r->repeated);
    if (r->duplicates)
        say(stdout, P_("%lld duplicate arrived rejected\n",
                       "%lld duplicates arrived rejected\n",
                       (unsigned long)r->duplicates),
            (long long)r->duplicates);
}

static int import_one(struct cli *c, struct import_options *o)
{
    struct import_report r;
    struct shown shown = {o->path, 0};
    bool ok = verb_import(c->s, c->who, o, on_bad, &shown, &r, &c->e);
    if (shown.n > SHOWN)
        say(stderr, _("%s: and %d more\n"), o->path, shown.n - SHOWN);
    if (!ok)
        return cli_fail(c);
    print_report(c, o->path, &r, o->as_samples);
    return r.bad ? 1 : 0;
}

int sub_import(struct cli *c)
{
    struct import_options o = {0};
    struct mapping map = {0};
    strings maps = {0};
    const char *as_what = NULL;
    bool restore = false;
    const struct opt opts[] = {
        {"target", OPT_STRING, &o.target, "NAME",
         N_("the target (the only one, else named after the file)")},
        {"as", OPT_STRING, &as_what, "samples",
         N_("samples: rows wait for review; else they are seeds")},
        {"format", OPT_STRING, &o.format, "NAME",
         N_("messages sharegpt selfinstruct turns alpaca completion question")},
        {"map", OPT_LIST, &maps, "FIELD=COLUMN",
         N_("prompt, answer, system, input, split or tags from a column")},
        {"restore", OPT_FLAG, &restore, NULL,
         N_("take in again what was purged")},
        {"strict", OPT_FLAG, &o.strict, NULL,
         N_("one bad row refuses the whole file")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!c->argc)
        return cli_usage(c, _("name a file"));
    if (as_what && strcmp(as_what, "samples") && strcmp(as_what, "seeds"))
        return cli_usage(c, _("--as takes samples or seeds"));
    o.as_samples = as_what && !strcmp(as_what, "samples");
    bool ok = true;
    for (size_t i = 0; ok && i < maps.n; i++)
        ok = mapping_add(&map, maps.at[i], &c->e);
    if (maps.n)
        o.mapping = &map;
    code = ok && cli_open(c) ? 0 : cli_fail(c);
    if (c->s && restore)
        text_allow_restore(c->s);
    for (int i = 0; c->s && i < c->argc; i++) {
        o.path = c->argv[i];
        int one = import_one(c, &o);
        code = one > code ? one : code;
    }
    mapping_free(&map);
    VEC_FREE(&maps);
    return code;
}
