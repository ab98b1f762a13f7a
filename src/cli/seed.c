#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/say.h"
#include "cli/table.h"
#include "store/seed.h"
#include "verbs/decide.h"

static const struct column columns[] = {
    {N_("seed"), 7}, {N_("split"), 5}, {N_("drawn"), -6}, {N_("made"), -6},
    {N_("tags"), 12}, {N_("prompt"), 0}};

static void print_row(struct cli *c, const struct seed_row *r, struct jw *w)
{
    if (!c->json) {
        table_row(columns, "s%lld\t%s\t%lld\t%lld\t%s\t%s",
                  (long long)r->id, split_label((enum split)r->split),
                  (long long)r->drawn, (long long)r->made, r->tags,
                  r->first_line);
        return;
    }
    jw_open(w, '{');
    jw_kint(w, "id", r->id);
    jw_kstr(w, "split", split_name((enum split)r->split));
    jw_kint(w, "drawn", r->drawn);
    jw_kint(w, "made", r->made);
    jw_kstr(w, "tags", r->tags);
    jw_kstr(w, "prompt", r->first_line);
    jw_close(w);
}

static int list(struct cli *c, const char *text)
{
    struct filter f;
    ids all = {0};
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    int64_t target = cli_target(c);
    if (!target || !filter_parse(text, &f, &c->e))
        return cli_fail(c);
    bool ok = seed_ids(c->s, target, &f, &all, &c->e);
    filter_free(&f);
    jw_open(&w, '[');
    if (all.n)
        table_head(c, columns);
    for (size_t i = 0; ok && i < all.n && cli_heard(); i++) {
        struct seed_row r;
        if (seed_row_get(c->s, all.at[i], &r))
            print_row(c, &r, &w);
        seed_row_free(&r);
    }
    jw_close(&w);
    if (ok && c->json)
        cli_print(&b);
    buf_free(&b);
    VEC_FREE(&all);
    return ok ? 0 : cli_fail(c);
}

static bool add(struct cli *c, const char *prompt, const char *answer)
{
    struct act a;
    struct chat chat = {0};
    int64_t target = cli_target(c), id = 0;
    if (!target || !act_begin(c->s, &a, "arrive", c->who, "", 0, &c->e))
        return false;
    chat_add(&chat, ROLE_USER, prompt);
    char *body = answer ? answer_of(answer) : NULL;
    struct seed_new n = {.target = target, .kind = "example",
                         .prompt = &chat, .answer = body, .split = -1};
    if (chat_check_prompt(&chat, &c->e))
        id = seed_add(&a, &n, &c->e);
    free(body);
    chat_free(&chat);
    if (!id) {
        act_cancel(&a);
        return false;
    }
    bool ok = act_saved(act_commit(&a, &c->e));
    if (ok)
        say(stdout, "s%lld\n", (long long)id);
    return ok;
}

int sub_seed(struct cli *c)
{
    const char *filter = "", *prompt = NULL, *answer = NULL, *tag = NULL;
    const char *untag = NULL, *split = NULL;
    const struct opt opts[] = {
        {"target", OPT_STRING, &c->target_name, "NAME", N_("the target")},
        {"filter", OPT_STRING, &filter, "FILTER",
         N_("split, tag, id and words")},
        {"add", OPT_STRING, &prompt, "PROMPT", N_("add a seed")},
        {"answer", OPT_STRING, &answer, "TEXT", N_("its answer")},
        {"tag", OPT_STRING, &tag, "TAG", N_("tag the seeds that follow")},
        {"untag", OPT_STRING, &untag, "TAG", N_("take the tag away")},
        {"split", OPT_STRING, &split, "SPLIT",
         N_("move the seeds that follow, with all that was made of them")},
        {0}};
    int code = cli_options(c, opts);
    enum split to = SPLIT_TRAIN;
    ids which = {0};
    if (code >= 0)
        return code;
    if (split && !split_parse(split, &to))
        return cli_usage(c, _("a split is train, valid or test"));
    for (int i = 0; i < c->argc; i++)
        if (!cli_ids(c, c->argv[i], 's', &which))
            return cli_fail(c);
    if ((tag || untag || split) != (which.n > 0))
        return cli_usage(c, _("name seeds and what to do with them"));
    if (tag && untag)
        return cli_usage(c, _("--%s and --%s: one at a time"), "tag", "untag");
    if (answer && !prompt)
        return cli_usage(c, _("--%s needs %s"), "answer", "--add");
    if (*filter && (prompt || which.n))
        return cli_usage(c, _("--%s is for the list alone"), "filter");
    if (!cli_open(c))
        return cli_fail(c);
    bool ok = true;
    if (prompt)
        ok = add(c, prompt, answer);
    else if (!which.n)
        return list(c, filter);
    if (ok && (tag || untag))
        ok = verb_tag(c->s, c->who, OBJECT_SEED, &which,
                      &(struct tagging){tag ? tag : untag, tag != NULL}, 1,
                      NULL, &c->e) <= DECIDED_FOUND;
    for (size_t i = 0; ok && split && i < which.n; i++)
        ok = verb_split(c->s, c->who, OBJECT_SEED, which.at[i], to, &c->e) <=
             DECIDED_FOUND;
    VEC_FREE(&which);
    return ok ? 0 : cli_fail(c);
}
