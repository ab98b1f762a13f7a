#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lang.h"
#include "base/say.h"
#include "base/sig.h"
#include "verbs/export.h"

#define SHOWN 12 /* samples that are named for a check */

/* What stands on the command line. */
struct asked {
    const char *filter, *shapes, *leave;
    const char *since;
    int64_t seed, max_words;
    const char *thinking, *tools, *system;
    bool replace, dry_run;
};

static bool read_shapes(struct cli *c, const char *text,
                        struct export_form *f)
{
    for (int s = 0; !text && s < SHAPE_COUNT; s++)
        f->shapes[s] = true;
    bool ok = true;
    for (const char *p = text ? text : ""; ok && *p;) {
        size_t n = strcspn(p, ",");
        char *name = xstrndup(p, n);
        enum shape s;
        ok = shape_parse(name, &s);
        if (ok)
            f->shapes[s] = true;
        else
            err_set(&c->e, ERR_USAGE, _("\"%s\" is no shape: sft, sft_pc, "
                                        "dpo, kto"), name);
        free(name);
        p += n + (p[n] == ',');
    }
    return ok;
}

static bool read_thinking(struct cli *c, const char *text,
                          struct export_form *f)
{
    return !text || thinking_parse(text, &f->thinking) ||
           err_set(&c->e, ERR_USAGE, _("\"%s\" is none of keep, drop, field"),
                   text);
}

static bool read_tools(struct cli *c, const char *text,
                       struct export_form *f)
{
    f->list_tools = text && !strcmp(text, "list");
    return !text || f->list_tools || !strcmp(text, "text") ||
           err_set(&c->e, ERR_USAGE, _("\"%s\" is none of text, list"), text);
}

/* ---- For people --------------------------------------------------------- */

static void print_counts(const struct export_report *r)
{
    say(stdout, _("  shape     rows   train   valid    test  made from\n"));
    for (int i = 0; i < SHAPE_COUNT; i++) {
        enum shape s = (enum shape)i;
        if (!export_rows(r, s))
            continue;
        say(stdout, "  %-6s %7lld %7lld %7lld %7lld  %s", shape_name(s),
            (long long)export_rows(r, s), (long long)r->rows[s][SPLIT_TRAIN],
            (long long)r->rows[s][SPLIT_VALID],
            (long long)r->rows[s][SPLIT_TEST], shape_made_from(s));
        if (s == SHAPE_DPO)
            say(stdout, _(": %lld, %lld"), (long long)r->order_pairs,
                (long long)r->edit_pairs);
        if (s == SHAPE_KTO)
            say(stdout, _(": %lld false"), (long long)r->false_rows);
        say(stdout, "\n");
    }
}

static void print_found(FILE *to, const struct export_report *r)
{
    for (int i = 0; i < ROW_CHECK_COUNT; i++) {
        enum row_check k = (enum row_check)i;
        const struct export_finding *f = &r->found[i];
        if (!f->samples.n)
            continue;
        say(to, P_("%s %zu sample   %s", "%s %zu samples  %s",
                   f->samples.n), verdict_mark(row_check_verdict(k)),
            f->samples.n, row_check_text(k));
        if (k == ROW_NEAR)
            say(to, _(", %.2f to %.2f"), f->low, f->high);
        for (size_t n = 0; n < f->samples.n && n < SHOWN; n++)
            say(to, "%s %lld", n ? "" : ":", (long long)f->samples.at[n]);
        say(to, f->samples.n > SHOWN ? " ...\n" : "\n");
    }
}

static void print_since(const struct export_since *x)
{
    char day[40];
    if (!x->id)
        return;
    say(stdout, P_("since x%lld: %lld row new, %lld gone, %lld changed; %s, "
                   "d%lld\n",
                   "since x%lld: %lld rows new, %lld gone, %lld changed; %s, "
                   "d%lld\n", (unsigned long)x->fresh), (long long)x->id,
        (long long)x->fresh, (long long)x->gone, (long long)x->changed,
        clock_format(day, sizeof day, x->at, 1), (long long)x->as_of);
}

static void print_report(const struct export_form *f,
                         const struct export_report *r,
                         const struct export_since *since, int64_t id,
                         bool dry)
{
    char size[40];
    lang_size(size, sizeof size, (double)r->bytes);
    if (dry)
        say(stdout, _("nothing is written: %zu files, %s\n"), r->files.n,
            size);
    else if (id)
        say(stdout, _("%s: %zu files, %s, x%lld\n"), f->dir, r->files.n,
            size, (long long)id);
    else
        say(stdout, _("%s: %zu files, %s; not noted in the store, which is "
                      "read-only\n"), f->dir, r->files.n, size);
    if (r->swept)
        say(stdout, _("removed, left by exports that were killed: %s\n"),
            r->swept);
    print_counts(r);
    print_found(stdout, r);
    if (r->left.n)
        say(stdout, P_("%zu row left out\n", "%zu rows left out\n",
                       r->left.n), r->left.n);
    if (export_rows(r, SHAPE_KTO) && !r->false_rows)
        say(stdout, _("%s kto has no false row: it has nothing to compare "
                      "with\n"), verdict_mark(VERDICT_WARN));
    print_since(since);
}

/* ---- For programs ------------------------------------------------------- */

static void json_found(struct jw *w, const struct export_report *r)
{
    jw_key(w, "checks");
    jw_open(w, '[');
    for (int i = 0; i < ROW_CHECK_COUNT; i++) {
        enum row_check k = (enum row_check)i;
        const struct export_finding *f = &r->found[i];
        jw_open(w, '{');
        jw_kstr(w, "check", row_check_name(k));
        jw_kstr(w, "verdict",
                verdict_name(f->samples.n ? row_check_verdict(k)
                                          : VERDICT_PASS));
        jw_kint(w, "count", (int64_t)f->samples.n);
        if (k == ROW_NEAR && f->samples.n) {
            jw_knum(w, "low", f->low);
            jw_knum(w, "high", f->high);
        }
        jw_key(w, "samples");
        jw_open(w, '[');
        for (size_t n = 0; n < f->samples.n && n < 100; n++)
            jw_int(w, f->samples.at[n]);
        jw_close(w);
        jw_close(w);
    }
    jw_close(w);
}

static void json_rows(struct jw *w, const struct export_report *r)
{
    jw_key(w, "rows");
    jw_open(w, '{');
    for (int s = 0; s < SHAPE_COUNT; s++) {
        jw_key(w, shape_name((enum shape)s));
        jw_open(w, '{');
        for (int k = 0; k < SPLIT_COUNT; k++)
            jw_kint(w, split_name((enum split)k), r->rows[s][k]);
        jw_close(w);
    }
    jw_close(w);
}

static void json_since(struct jw *w, const struct export_since *x)
{
    if (!x->id)
        return;
    jw_key(w, "since");
    jw_open(w, '{');
    jw_kint(w, "export", x->id);
    jw_kint(w, "before", x->before);
    jw_kint(w, "as_of", x->as_of);
    jw_kint(w, "at", x->at);
    jw_kint(w, "new", x->fresh);
    jw_kint(w, "gone", x->gone);
    jw_kint(w, "changed", x->changed);
    jw_close(w);
}

static void print_json(const struct export_form *f,
                       const struct export_report *r,
                       const struct export_since *since, int64_t id, bool dry)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    if (!dry)
        jw_kstr(&w, "dir", f->dir);
    jw_kbool(&w, "written", !dry);
    jw_kint(&w, "export", id);
    jw_kint(&w, "samples", r->samples);
    json_rows(&w, r);
    jw_kint(&w, "order_pairs", r->order_pairs);
    jw_kint(&w, "edit_pairs", r->edit_pairs);
    jw_kint(&w, "false_rows", r->false_rows);
    jw_kint(&w, "wrong_rows", r->wrong_rows);
    jw_kint(&w, "compared", r->compared);
    jw_kint(&w, "left_out", (int64_t)r->left.n);
    json_found(&w, r);
    jw_kint(&w, "files", (int64_t)r->files.n);
    jw_kint(&w, "bytes", r->bytes);
    if (r->swept)
        jw_kstr(&w, "swept", r->swept);
    if (r->restored)
        jw_kstr(&w, "restored", r->restored);
    json_since(&w, since);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

/* ---- The command -------------------------------------------------------- */

static bool asked_to_stop(void)
{
    return sig_next() != 0;
}

static int run(struct cli *c, const struct export_form *f, bool dry)
{
    struct export_report r = {0};
    struct export_since since = {0};
    int64_t id = 0;
    bool ok = dry ? verb_export_preview(c->s, f, &r, &since, &c->e)
                  : verb_export(c->s, f, &r, &since, &id, &c->e);
    int code = 0;
    if (r.restored) /* refused or not: it is where it was */
        say(stderr, _("stillroom: %s is back: an export that was killed had "
                      "set it aside as %s\n"), f->dir, r.restored);
    if (!ok) {
        if (r.wrong_rows && !f->leave_wrong)
            print_found(stderr, &r);
        code = cli_fail(c);
    } else if (c->json) {
        print_json(f, &r, &since, id, dry);
    } else {
        print_report(f, &r, &since, id, dry);
    }
    export_report_free(&r);
    return code;
}

static int open_and_run(struct cli *c, const struct asked *a)
{
    struct export_form f = {.filter = a->filter, .seed = a->seed,
                            .max_words = a->max_words,
                            .replace = a->replace, .system = a->system,
                            .stop = asked_to_stop,
                            .dir = c->argc ? c->argv[0] : NULL};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < COUNT(signals); i++)
        sig_catch(signals[i]);
    ids leave = {0}, since = {0};
    f.leave_wrong = a->leave && !strcmp(a->leave, "wrong");
    bool ok = read_shapes(c, a->shapes, &f) &&
              read_thinking(c, a->thinking, &f) &&
              read_tools(c, a->tools, &f) &&
              (!a->leave || f.leave_wrong ||
               cli_ids(c, a->leave, 0, &leave)) &&
              (!a->since || cli_ids(c, a->since, 'x', &since)) &&
              cli_open(c) && (f.target = cli_target(c)) > 0;
    id_list list = {leave.at, leave.n, leave.cap};
    f.leave = &list;
    f.since = since.n ? since.at[0] : 0;
    int code = ok ? run(c, &f, a->dry_run) : cli_fail(c);
    VEC_FREE(&leave);
    VEC_FREE(&since);
    return code;
}

int sub_export(struct cli *c)
{
    struct asked a = {.filter = "", .seed = EXPORT_SEED,
                      .max_words = EXPORT_WORDS};
    const struct opt opts[] = {
        {"target", OPT_STRING, &c->target_name, "NAME", N_("the target")},
        {"filter", OPT_STRING, &a.filter, "FILTER",
         N_("which accepted samples, and rejected ones for kto (all)")},
        {"shapes", OPT_STRING, &a.shapes, "LIST",
         N_("sft,sft_pc,dpo,kto (all that have rows)")},
        {"seed", OPT_INT, &a.seed, "N", N_("noted for the trainer (7)")},
        {"max-words", OPT_INT, &a.max_words, "N",
         N_("mark longer rows (1000); 0: none")},
        {"leave-out", OPT_STRING, &a.leave, "IDS",
         N_("leave these samples out; or: wrong")},
        {"since", OPT_STRING, &a.since, "xN",
         N_("count the changes since that export (the newest)")},
        {"thinking", OPT_STRING, &a.thinking, "HOW",
         N_("keep (in <think>), drop, or field (reasoning_content)")},
        {"tools", OPT_STRING, &a.tools, "HOW",
         N_("definitions as JSON text, or list (MLX-LM, NeMo RL)")},
        {"system", OPT_STRING, &a.system, "HOW",
         N_("keep (its own, else the target's), drop, or a text of yours")},
        {"replace", OPT_FLAG, &a.replace, NULL,
         N_("replace an earlier bundle")},
        {"dry-run", OPT_FLAG, &a.dry_run, NULL, N_("only count and check")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (c->argc > 1 || (!c->argc && !a.dry_run))
        return cli_usage(c, _("name one folder to write"));
    if (a.max_words < 0)
        return cli_usage(c, _("--max-words is 0 or more"));
    return open_and_run(c, &a);
}
