#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/say.h"
#include "store/sample.h"
#include "verbs/decide.h"
#include "verbs/edit.h"

struct review {
    const char *filter, *accept, *reject, *defer, *reopen, *reason;
    const char *tag, *untag, *on, *edit, *answer, *limit;
    bool dry_run;
    int64_t seen, list;
};

static void print_row(struct cli *c, const struct sample_row *r,
                      struct buf *b)
{
    if (!c->json) {
        char near[16] = "-";
        if (!isnan(r->near))
            snprintf(near, sizeof near, "%.2f", r->near);
        say(stdout, "%-8lld %-9s %5s %2d  %-12s %s\n", (long long)r->id,
            status_name(r->status), near, r->warnings, r->recipe,
            r->first_line);
        return;
    }
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_kint(&w, "id", r->id);
    jw_kstr(&w, "status", status_name(r->status));
    jw_knum(&w, "near", r->near);
    jw_knum(&w, "judge", r->judge);
    jw_kint(&w, "warnings", r->warnings);
    jw_kstr(&w, "recipe", r->recipe);
    jw_kstr(&w, "prompt", r->first_line);
    jw_close(&w);
    cli_print(b);
    buf_clear(b);
}

static int list(struct cli *c, const ids *all)
{
    struct buf b = BUF_INIT(0);
    for (size_t i = 0; i < all->n; i++) {
        struct sample_row r;
        if (sample_row_get(c->s, all->at[i], &r))
            print_row(c, &r, &b);
        free(r.first_line);
    }
    buf_free(&b);
    return 0;
}

/* The samples that the filter names, at most n. */
static bool named(struct cli *c, const char *text, size_t n, ids *out)
{
    struct filter f;
    if (!filter_parse(text, &f, &c->e))
        return false;
    struct query q = {0, &f, 0};
    if (c->target_name && !(q.target = cli_target(c))) {
        filter_free(&f);
        return false;
    }
    bool ok = query_ids(c->s, &q, 0, n, out, &c->e);
    filter_free(&f);
    return ok;
}

static void print_dry_run(const struct dry_run *d, enum status to)
{
    say(stdout, _("nothing is written: %lld samples would become %s\n"),
        (long long)d->total, status_label(to));
    for (int i = 0; i < STATUS_COUNT; i++)
        if (d->by_status[i])
            say(stdout, "  %-10s %lld\n", status_label((enum status)i),
                (long long)d->by_status[i]);
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (d->by_split[i])
            say(stdout, "  %-10s %lld\n", split_label((enum split)i),
                (long long)d->by_split[i]);
}

/* By then: "1 accepted d7" is said only when it is saved. */
static int decide_one(struct cli *c, const struct decide *d, int64_t id)
{
    struct other o = {0};
    int64_t seq = 0;
    switch (verb_decide(c->s, d, id, &o, &seq, &c->e)) {
    case DECIDED:
        say(stdout, "%lld %s d%lld\n", (long long)id, status_name(d->to),
            (long long)seq);
        return 0;
    case DECIDED_FOUND:
        say(stdout, _("%lld: the disk reported an error; looked up by its "
                      "own id: saved as d%lld\n"), (long long)id,
            (long long)seq);
        return 0;
    case DECIDED_CONFLICT:
        err_set(&c->e, ERR_REFUSED, _("%lld: %s decided since (%s, d%lld); "
                "nothing changed"), (long long)id, o.who, o.kind,
                (long long)o.seq);
        return cli_fail(c);
    default:
        return cli_fail(c);
    }
}

static int decide_all(struct cli *c, const struct decide *d, const ids *all)
{
    struct bulk_report r;
    if (verb_decide_all(c->s, d, all, &r, &c->e) > DECIDED_FOUND)
        return cli_fail(c);
    say(stdout, _("%lld %s d%lld"), (long long)r.changed,
        status_name(d->to), (long long)r.seq);
    if (r.left_out)
        say(stdout, _(", %lld left out: others changed them"),
            (long long)r.left_out);
    say(stdout, "\n");
    return 0;
}

static int decide(struct cli *c, const struct review *o, const char *which,
                  enum status to)
{
    struct decide d = {c->who, to, o->reason ? o->reason : "", o->seen, 0,
                       0};
    ids all = {0};
    bool everything = !strcmp(which, "all");
    int code = 0;
    if (everything ? !named(c, o->filter, SIZE_MAX >> 2, &all)
                   : !cli_ids(c, which, 0, &all))
        return cli_fail(c);
    if (o->dry_run) {
        struct dry_run n;
        if (!verb_dry_run(c->s, &all, &n, &c->e))
            code = cli_fail(c);
        else
            print_dry_run(&n, to);
    } else if (everything) {
        code = decide_all(c, &d, &all);
    } else {
        for (size_t i = 0; i < all.n && !code; i++)
            code = decide_one(c, &d, all.at[i]);
    }
    VEC_FREE(&all);
    return code;
}

/* The text of a file, or of standard input for "-". */
static bool read_text(struct cli *c, const char *path, struct buf *out)
{
    if (strcmp(path, "-"))
        return file_read(path, (size_t)16 << 20, out, &c->e);
    char chunk[4096];
    ssize_t n;
    while ((n = read(0, chunk, sizeof chunk)) > 0)
        if (!buf_add(out, chunk, (size_t)n))
            return err_set(&c->e, ERR_INPUT, _("too long a text"));
    return true;
}

static int edit(struct cli *c, const struct review *o)
{
    ids which = {0};
    struct buf text = BUF_INIT((size_t)16 << 20);
    struct sample x;
    int64_t made = 0;
    if (!o->answer)
        return cli_usage(c, _("--edit needs --answer FILE"));
    if (!cli_ids(c, o->edit, 0, &which) ||
        !read_text(c, o->answer, &text) ||
        !sample_get(c->s, which.at[0], &x, &c->e))
        return cli_fail(c);
    if (text.len && text.data[text.len - 1] == '\n')
        buf_drop(&text, 1);
    int shown = sample_opens_with(&x);
    int64_t parent = shown >= 0 ? x.candidates.at[shown].id : 0;
    enum decided d = verb_edit_answer(c->s, c->who, x.id, parent,
                                      buf_str(&text), &made, &c->e);
    sample_free(&x);
    buf_free(&text);
    if (d > DECIDED_FOUND)
        return cli_fail(c);
    say(stdout, _("%lld edited\n"), (long long)which.at[0]);
    VEC_FREE(&which);
    return 0;
}

static int tag(struct cli *c, const struct review *o)
{
    ids which = {0};
    if (!o->on)
        return cli_usage(c, _("--tag needs --on IDS"));
    if (!cli_ids(c, o->on, 0, &which) ||
        verb_tag(c->s, c->who, OBJECT_SAMPLE, &which,
                 o->tag ? o->tag : o->untag, o->tag != NULL, &c->e) >
            DECIDED_FOUND)
        return cli_fail(c);
    VEC_FREE(&which);
    return 0;
}

static int act(struct cli *c, const struct review *o)
{
    const struct {
        const char *which;
        enum status to;
    } acts[] = {{o->accept, STATUS_ACCEPTED}, {o->reject, STATUS_REJECTED},
                {o->defer, STATUS_DEFERRED}, {o->reopen, STATUS_PENDING}};
    for (size_t i = 0; i < COUNT(acts); i++)
        if (acts[i].which)
            return decide(c, o, acts[i].which, acts[i].to);
    if (o->edit)
        return edit(c, o);
    if (o->tag || o->untag)
        return tag(c, o);
    ids all = {0};
    if (!named(c, o->filter, (size_t)o->list, &all))
        return cli_fail(c);
    int code = list(c, &all);
    VEC_FREE(&all);
    return code;
}

int sub_review(struct cli *c)
{
    struct review o = {.filter = "status:pending", .list = 50};
    const struct opt opts[] = {
        {"target", OPT_STRING, &c->target_name, "NAME", N_("the target")},
        {"filter", OPT_STRING, &o.filter, "FILTER",
         N_("which samples (status:pending)")},
        {"list", OPT_INT, &o.list, "N", N_("how many to list (50)")},
        {"accept", OPT_STRING, &o.accept, "IDS",
         N_("accept these, or all of the filter")},
        {"reject", OPT_STRING, &o.reject, "IDS",
         N_("reject these, or all of the filter")},
        {"defer", OPT_STRING, &o.defer, "IDS", N_("decide later")},
        {"reopen", OPT_STRING, &o.reopen, "IDS", N_("back to pending")},
        {"reason", OPT_STRING, &o.reason, "REASON",
         N_("wrong, duplicate, off topic, format, style, unsafe, ...")},
        {"dry-run", OPT_FLAG, &o.dry_run, NULL, N_("only count")},
        {"seen", OPT_INT, &o.seen, "N",
         N_("refuse where others decided after decision N")},
        {"edit", OPT_STRING, &o.edit, "ID", N_("write a new answer")},
        {"answer", OPT_STRING, &o.answer, "FILE", N_("its text; - is stdin")},
        {"tag", OPT_STRING, &o.tag, "TAG", N_("tag the samples of --on")},
        {"untag", OPT_STRING, &o.untag, "TAG", N_("take a tag away")},
        {"on", OPT_STRING, &o.on, "IDS", N_("which samples to tag")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (c->argc)
        return cli_usage(c, _("\"%s\" is not an option"), c->argv[0]);
    return cli_open(c) ? act(c, &o) : cli_fail(c);
}
