#include "cli/cli.h"

#include <stdio.h>

#include "base/lang.h"
#include "base/say.h"
#include "store/export.h"
#include "verbs/purge.h"

/* A sample's number, s3 a seed, t5 a text. */
static bool name_one(struct cli *c, const char *text, struct purge *p)
{
    return *text == 's'   ? cli_ids(c, text, 's', &p->seeds)
           : *text == 't' ? cli_ids(c, text, 't', &p->texts)
                          : cli_ids(c, text, 0, &p->samples);
}

static void json_ids(struct jw *w, const char *key, const ids *list)
{
    jw_key(w, key);
    jw_open(w, '[');
    for (size_t i = 0; i < list->n; i++)
        jw_int(w, list->at[i]);
    jw_close(w);
}

static void print_json(const struct purge_found *f, int64_t seq)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kint(&w, "decision", seq);
    json_ids(&w, "samples", &f->samples);
    json_ids(&w, "seeds", &f->seeds);
    json_ids(&w, "texts", &f->texts);
    json_ids(&w, "runs", &f->runs);
    json_ids(&w, "exports", &f->exports);
    jw_key(&w, "kept");
    jw_open(&w, '[');
    for (size_t i = 0; i < f->kept.n; i++) {
        jw_open(&w, '{');
        jw_kint(&w, "text", f->kept.at[i].text);
        jw_kstr(&w, "kind", f->kept.at[i].kind);
        jw_kint(&w, "object", f->kept.at[i].object);
        jw_close(&w);
    }
    jw_close(&w);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

static void name_exports(struct store *s, const ids *which)
{
    for (size_t i = 0; i < which->n; i++) {
        struct export x;
        if (!export_get(s, which->at[i], &x, NULL))
            continue;
        say(stdout, _("export %lld holds it still: %s\n"), (long long)x.id,
            x.path);
        export_free(&x);
    }
}

static void print_found(struct cli *c, const struct purge_found *f,
                        bool really, int64_t seq)
{
    if (really)
        say(stdout, P_("emptied: %zu text (samples: %zu, seeds: %zu), "
                       "d%lld\n",
                       "emptied: %zu texts (samples: %zu, seeds: %zu), "
                       "d%lld\n", f->texts.n),
            f->texts.n, f->samples.n, f->seeds.n, (long long)seq);
    else
        say(stdout, P_("nothing is written: %zu text (samples: %zu, seeds: "
                       "%zu) would be emptied for good; --yes does it\n",
                       "nothing is written: %zu texts (samples: %zu, seeds: "
                       "%zu) would be emptied for good; --yes does it\n",
                       f->texts.n),
            f->texts.n, f->samples.n, f->seeds.n);
    for (size_t i = 0; i < f->kept.n; i++)
        say(stdout, _("kept: t%lld, used by %s %lld\n"),
            (long long)f->kept.at[i].text, f->kept.at[i].kind,
            (long long)f->kept.at[i].object);
    for (size_t i = 0; i < f->runs.n; i++)
        say(stdout, really ? _("run r%lld: its rows and answers are deleted\n")
                           : _("run r%lld: its rows and answers would go\n"),
            (long long)f->runs.at[i]);
    name_exports(c->s, &f->exports);
}

int sub_purge(struct cli *c)
{
    struct purge p = {0};
    struct purge_found found = {0};
    bool yes = false;
    int64_t seq = 0;
    const struct opt opts[] = {
        {"yes", OPT_FLAG, &yes, NULL,
         N_("do it; else only what would be done is said")},
        {"everywhere", OPT_FLAG, &p.everywhere, NULL,
         N_("also where another sample or seed uses the text")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!c->argc)
        return cli_usage(c, _("name samples, seeds (s3) or texts (t5)"));
    for (int i = 0; i < c->argc; i++)
        if (!name_one(c, c->argv[i], &p))
            return cli_fail(c);
    bool ok = cli_open(c) &&
              verb_purge(c->s, c->who, &p, yes, &found, &seq, &c->e);
    if (ok && c->json)
        print_json(&found, seq);
    else if (ok)
        print_found(c, &found, yes, seq);
    purge_found_free(&found);
    VEC_FREE(&p.samples);
    VEC_FREE(&p.seeds);
    VEC_FREE(&p.texts);
    return ok ? 0 : cli_fail(c);
}
