#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/say.h"
#include "cli/table.h"
#include "store/sample.h"
#include "verbs/decide.h"
#include "verbs/edit.h"

struct review {
    const char *filter, *accept, *reject, *defer, *reopen, *reason;
    const char *tag, *untag, *on, *edit, *answer, *limit;
    bool dry_run;
    int64_t seen, list;
};

static const struct column columns[] = {
    {N_("sample"), -7}, {N_("status"), 9}, {N_("near"), -5},
    {N_("marks"), -5}, {N_("recipe"), 12}, {N_("prompt"), 0}};

static void print_row(struct cli *c, const struct sample_row *r,
                      struct buf *b)
{
    if (!c->json) {
        char near[16] = "-";
        if (!isnan(r->near))
            snprintf(near, sizeof near, "%s%.2f",
                     figure_mark(r->approximate), r->near);
        table_row(columns, "%lld\t%s\t%s\t%d\t%s\t%s", (long long)r->id,
                  status_label(r->status), near, r->warnings, r->recipe,
                  r->first_line);
        return;
    }
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_kint(&w, "id", r->id);
    jw_kstr(&w, "status", status_name(r->status));
    jw_knum(&w, "near", r->near);
    if (!isnan(r->near))
        jw_kbool(&w, "approximate", r->approximate);
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
    if (all->n)
        table_head(c, columns);
    for (size_t i = 0; i < all->n && cli_heard(); i++) {
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
    struct query q = {.target = 0, .filter = &f};
    if (c->target_name && !(q.target = cli_target(c))) {
        filter_free(&f);
        return false;
    }
    bool ok = query_ids(c->s, &q, 0, n, out, &c->e);
    filter_free(&f);
    return ok;
}

/* An act for programs: what became of how many; decision 0 where nothing is
 * written. */
static void json_act(enum status to, const struct bulk_report *r)
{
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    jw_open(&w, '{');
    jw_kstr(&w, "status", status_name(to));
    jw_kint(&w, "samples", r->changed);
    jw_kint(&w, "decision", r->seq);
    jw_kint(&w, "left_out", r->left_out);
    jw_kint(&w, "no_answer", r->no_answer);
    jw_close(&w);
    cli_print(&b);
    buf_free(&b);
}

static void print_dry_run(const struct cli *c, const struct dry_run *d,
                          enum status to)
{
    if (c->json) {
        json_act(to, &(struct bulk_report){.changed = d->total});
        return;
    }
    say(stdout, P_("nothing is written: %lld sample would become %s\n",
                   "nothing is written: %lld samples would become %s\n",
                   (unsigned long)d->total), (long long)d->total,
        status_label(to));
    for (int i = 0; i < STATUS_COUNT; i++)
        if (d->by_status[i])
            say(stdout, "  %-10s %lld\n", status_label((enum status)i),
                (long long)d->by_status[i]);
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (d->by_split[i])
            say(stdout, "  %-10s %lld\n", split_label((enum split)i),
                (long long)d->by_split[i]);
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of a range, those that are in sight, each once. */
static bool keep_present(struct cli *c, ids *all)
{
    ids live = {0};
    size_t kept = 0, k = 0;
    if (!named(c, "", SIZE_MAX >> 2, &live))
        return false;
    qsort(all->at, all->n, sizeof *all->at, by_id);
    for (size_t i = 0; i < all->n; i++) {
        while (k < live.n && live.at[k] < all->at[i])
            k++;
        if (k < live.n && live.at[k] == all->at[i])
            all->at[kept++] = live.at[k++];
    }
    all->n = kept;
    VEC_FREE(&live);
    return true;
}

/* The samples of an act: numbers, a range (what it spans and is there), or all
 * that the filter names; *bulk where they are decided as one. */
static bool read_which(struct cli *c, const struct review *o,
                       const char *which, ids *all, bool *bulk)
{
    bool everything = !strcmp(which, "all"), range = strchr(which, '-');
    *bulk = everything || range;
    if (everything ? !named(c, o->filter, SIZE_MAX >> 2, all)
                   : !cli_ids(c, which, 0, all))
        return false;
    if (range && !keep_present(c, all))
        return false;
    return !range || all->n ||
           err_set(&c->e, ERR_ABSENT, _("there is no sample of %s"), which);
}

/* By then: "1 accepted d7" is said only when it is saved. */
static int decide_one(struct cli *c, const struct decide *d, int64_t id)
{
    struct other o = {0};
    int64_t seq = 0;
    enum decided did = verb_decide(c->s, d, id, &o, &seq, &c->e);
    switch (did) {
    case DECIDED:
    case DECIDED_FOUND:
        if (c->json)
            json_act(d->to, &(struct bulk_report){.changed = 1, .seq = seq});
        else if (did == DECIDED)
            say(stdout, "%lld %s d%lld\n", (long long)id,
                status_name(d->to), (long long)seq);
        if (c->json || did == DECIDED)
            return 0;
        say(stdout, _("%lld: the disk reported an error; looked up by its "
                      "own id: saved as d%lld\n"), (long long)id,
            (long long)seq);
        return 0;
    case DECIDED_CONFLICT:
    case DECIDED_NOT:
    case DECIDED_UNKNOWN:
        break;
    }
    return cli_fail(c);
}

static int decide_all(struct cli *c, const struct decide *d, const ids *all)
{
    struct bulk_report r;
    if (verb_decide_all(c->s, d, all, &r, &c->e) > DECIDED_FOUND)
        return cli_fail(c);
    if (c->json) {
        json_act(d->to, &r);
        return 0;
    }
    if (r.seq)
        say(stdout, "%lld %s d%lld", (long long)r.changed,
            status_name(d->to), (long long)r.seq);
    else
        say(stdout, _("nothing was decided"));
    if (r.left_out)
        say(stdout, _(", %lld left out: changed meanwhile"),
            (long long)r.left_out);
    if (r.no_answer)
        say(stdout, _(", %lld left out: no answer of theirs passes its "
                      "checks"), (long long)r.no_answer);
    say(stdout, "\n");
    return 0;
}

static int decide(struct cli *c, const struct review *o, const char *which,
                  enum status to)
{
    struct decide d = {c->who, to, o->reason ? o->reason : "", o->seen, 0,
                       0};
    ids all = {0};
    bool bulk;
    int code = 0;
    if (!read_which(c, o, which, &all, &bulk)) {
        code = cli_fail(c);
    } else if (o->dry_run) {
        struct dry_run n;
        if (!verb_dry_run(c->s, &all, &n, &c->e))
            code = cli_fail(c);
        else
            print_dry_run(c, &n, to);
    } else if (bulk) {
        code = decide_all(c, &d, &all);
    } else {
        for (size_t i = 0; i < all.n && !code; i++) {
            code = decide_one(c, &d, all.at[i]);
            fflush(stdout); /* acknowledged before the next one begins */
        }
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
    struct buf text = BUF_INIT((size_t)16 << 20);
    struct sample x;
    int64_t made = 0, id = cli_id(c, o->edit, 0);
    if (!id || !read_text(c, o->answer, &text) ||
        !sample_get(c->s, id, &x, &c->e)) {
        buf_free(&text);
        return cli_fail(c);
    }
    if (text.len && text.data[text.len - 1] == '\n')
        buf_drop(&text, 1);
    int shown = sample_opens_with(&x);
    int64_t parent = shown >= 0 ? x.candidates.at[shown].id : 0;
    enum decided d = verb_edit_answer(c->s, c->who, x.id, parent,
                                      buf_str(&text), 0, &made, &c->e);
    sample_free(&x);
    buf_free(&text);
    if (d > DECIDED_FOUND)
        return cli_fail(c);
    say(stdout, _("%lld edited\n"), (long long)id);
    return 0;
}

static int tag(struct cli *c, const struct review *o)
{
    const struct tagging t = {o->tag ? o->tag : o->untag, o->tag != NULL};
    ids which = {0};
    bool bulk;
    if (!read_which(c, o, o->on, &which, &bulk) ||
        verb_tag(c->s, c->who, OBJECT_SAMPLE, &which, &t, 1, NULL, &c->e) >
            DECIDED_FOUND)
        return cli_fail(c);
    VEC_FREE(&which);
    return 0;
}

static int act(struct cli *c, const struct review *o)
{
    const char *const by_status[STATUS_COUNT] = {o->reopen, o->accept,
                                                 o->reject, o->defer};
    for (int i = 0; i < STATUS_COUNT; i++)
        if (by_status[i])
            return decide(c, o, by_status[i], (enum status)i);
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

/* What is wanted is one act, with what belongs to it. */
static int check_acts(struct cli *c, const struct review *o)
{
    const struct {
        const char *name;
        bool given;
    } acts[] = {{"accept", o->accept}, {"reject", o->reject},
                {"defer", o->defer}, {"reopen", o->reopen},
                {"edit", o->edit}, {"tag", o->tag}, {"untag", o->untag}};
    const char *act = NULL;
    for (size_t i = 0; i < COUNT(acts); i++) {
        if (acts[i].given && act)
            return cli_usage(c, _("--%s and --%s: one at a time"), act,
                             acts[i].name);
        act = acts[i].given ? acts[i].name : act;
    }
    bool decides = o->accept || o->reject || o->defer || o->reopen;
    const struct {
        const char *name, *with;
        bool given, read;
    } rest[] = {{"reason", "--reject", o->reason, decides},
                {"dry-run", "--accept, --reject, --defer or --reopen",
                 o->dry_run, decides},
                {"seen", "--accept, --reject, --defer or --reopen", o->seen,
                 decides},
                {"answer", "--edit", o->answer, o->edit},
                {"edit", "--answer", o->edit, o->answer},
                {"on", "--tag", o->on, o->tag || o->untag},
                {"tag", "--on", o->tag, o->on},
                {"untag", "--on", o->untag, o->on}};
    for (size_t i = 0; i < COUNT(rest); i++)
        if (rest[i].given && !rest[i].read)
            return cli_usage(c, _("--%s needs %s"), rest[i].name,
                             rest[i].with);
    return o->list < 0 ? cli_usage(c, _("--list is 0 or more")) : -1;
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
         N_("refuse what was changed after decision N")},
        {"edit", OPT_STRING, &o.edit, "ID", N_("write a new answer")},
        {"answer", OPT_STRING, &o.answer, "FILE", N_("its text; - is stdin")},
        {"tag", OPT_STRING, &o.tag, "TAG", N_("tag the samples of --on")},
        {"untag", OPT_STRING, &o.untag, "TAG", N_("take a tag away")},
        {"on", OPT_STRING, &o.on, "IDS", N_("which samples to tag")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    code = check_acts(c, &o);
    if (code >= 0)
        return code;
    return cli_open(c) && (!c->target_name || cli_target(c)) ? act(c, &o)
                                                             : cli_fail(c);
}
