#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void print_json(const struct import_options *o,
                       const struct import_report *r)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kstr(&w, "file", o->path);
    jw_kstr(&w, "format", r->format);
    jw_kstr(&w, "note", r->note);
    jw_kint(&w, "rows", (int64_t)r->rows);
    jw_kint(&w, "blank", (int64_t)r->blank);
    jw_kint(&w, "bad", (int64_t)r->bad);
    jw_kint(&w, "repeated", (int64_t)r->repeated);
    jw_kint(&w, "good", (int64_t)r->good);
    jw_kint(&w, o->as_samples ? "samples" : "seeds", r->items);
    if (o->as_samples) {
        jw_kint(&w, "answers", r->answers);
        jw_kint(&w, "false", r->falses);
    }
    jw_key(&w, "not_read");
    unread_print(&r->unread, &w);
    jw_kbool(&w, "dry_run", o->dry_run);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

static void print_text(const struct import_options *o,
                       const struct import_report *r)
{
    char *unread = unread_list(&r->unread, UNREAD_NAMES + 1);
    unsigned long items = (unsigned long)r->items;
    say(stdout, o->as_samples
        ? P_("%s: %lld sample", "%s: %lld samples", items)
        : P_("%s: %lld seed", "%s: %lld seeds", items),
        o->path, (long long)r->items);
    say(stdout, P_(" from %llu row of shape %s (%llu blank, %llu bad, %llu "
                   "there already)\n",
                   " from %llu rows of shape %s (%llu blank, %llu bad, %llu "
                   "there already)\n", (unsigned long)r->rows),
        (unsigned long long)r->rows, r->format, (unsigned long long)r->blank,
        (unsigned long long)r->bad, (unsigned long long)r->repeated);
    if (r->note)
        say(stdout, _("read as: %s\n"), r->note);
    if (unread)
        say(stdout, _("not read: %s\n"), unread);
    if (r->answers)
        say(stdout, P_("%lld answer to samples that stood already\n",
                       "%lld answers to samples that stood already\n",
                       (unsigned long)r->answers), (long long)r->answers);
    if (r->falses)
        say(stdout, P_("%lld sample marked as false arrived rejected\n",
                       "%lld samples marked as false arrived rejected\n",
                       (unsigned long)r->falses), (long long)r->falses);
    if (o->dry_run)
        say(stdout, _("nothing was written\n"));
    free(unread);
}

static int import_one(struct cli *c, struct import_options *o)
{
    struct import_report r;
    struct shown shown = {o->path, 0};
    bool ok = verb_import(c->s, c->who, o, on_bad, &shown, &r, &c->e);
    int code = r.bad ? 1 : 0;
    if (shown.n > SHOWN)
        say(stderr, _("%s: and %d more\n"), o->path, shown.n - SHOWN);
    if (ok && c->json)
        print_json(o, &r);
    else if (ok)
        print_text(o, &r);
    import_report_free(&r);
    return ok ? code : cli_fail(c);
}

/* "tab" or one character; 0 where it is neither. */
static char delimiter_of(const char *text)
{
    if (!strcmp(text, "tab") || !strcmp(text, "\\t"))
        return '\t';
    bool fits = text[0] && !text[1] && !strchr("\"\r\n", text[0]);
    return fits ? text[0] : '\0';
}

/* The options that are words, checked. Returns an exit code, -1 to go on. */
static int read_words(struct cli *c, const char *as_what,
                      const char *delimiter, struct import_options *o)
{
    if (!c->argc)
        return cli_usage(c, _("name a file"));
    if (as_what && strcmp(as_what, "samples") && strcmp(as_what, "seeds"))
        return cli_usage(c, _("--as takes samples or seeds"));
    o->as_samples = as_what && !strcmp(as_what, "samples");
    o->delimiter = delimiter ? delimiter_of(delimiter) : '\0';
    if (delimiter && !o->delimiter)
        return cli_usage(c, _("--delimiter takes one character, or tab"));
    if (o->rejects && c->argc > 1)
        return cli_usage(c, _("--rejects goes with one file"));
    return -1;
}

static int import_all(struct cli *c, struct import_options *o,
                      const strings *maps, bool restore)
{
    struct mapping map = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < maps->n; i++)
        ok = mapping_add(&map, maps->at[i], &c->e);
    if (maps->n)
        o->mapping = &map;
    int code = ok && cli_open(c) ? 0 : cli_fail(c);
    if (c->s && restore)
        text_allow_restore(c->s);
    for (int i = 0; c->s && i < c->argc; i++) {
        o->path = c->argv[i];
        int one = import_one(c, o);
        fflush(stdout); /* acknowledged before the next one begins */
        code = one > code ? one : code;
    }
    mapping_free(&map);
    return code;
}

int sub_import(struct cli *c)
{
    struct import_options o = {0};
    strings maps = {0};
    const char *as_what = NULL, *delimiter = NULL;
    bool restore = false;
    const struct opt opts[] = {
        {"target", OPT_STRING, &o.target, "NAME",
         N_("the target (the only one, else named after the file)")},
        {"as", OPT_STRING, &as_what, "samples",
         N_("samples: rows wait for review; else they are seeds")},
        {"format", OPT_STRING, &o.format, "NAME",
         N_("one shape for all rows (stillroom(1) lists them)")},
        {"map", OPT_LIST, &maps, "FIELD=COLUMN",
         N_("prompt, answer, reasoning ... from a column; role:user=NAME")},
        {"delimiter", OPT_STRING, &delimiter, "CHAR",
         N_("between the columns of CSV (else found in its header)")},
        {"rejects", OPT_STRING, &o.rejects, "FILE",
         N_("write the rows that are refused to a new file")},
        {"dry-run", OPT_FLAG, &o.dry_run, NULL,
         N_("read and count, write nothing")},
        {"restore", OPT_FLAG, &restore, NULL,
         N_("take in again what was purged")},
        {"strict", OPT_FLAG, &o.strict, NULL,
         N_("a bad row, or a key not read, refuses the whole file")},
        {0}};
    int code = cli_options(c, opts);
    if (code < 0)
        code = read_words(c, as_what, delimiter, &o);
    if (code < 0)
        code = import_all(c, &o, &maps, restore);
    VEC_FREE(&maps);
    return code;
}
