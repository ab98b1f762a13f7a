#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/say.h"
#include "store/sample.h"
#include "store/seed.h"

static void add_chat(struct jw *w, const char *key, const char *text)
{
    jw_key(w, key);
    if (text)
        jw_raw(w, text);
    else
        jw_null(w);
}

static void json_checks(struct jw *w, const struct sample *x)
{
    jw_key(w, "checks");
    jw_open(w, '[');
    for (size_t i = 0; i < x->checks.n; i++) {
        const struct check_result *r = &x->checks.at[i].result;
        jw_open(w, '{');
        jw_kstr(w, "name", check_name(r->check));
        jw_knum(w, "figure", r->figure);
        jw_knum(w, "limit", r->bound);
        jw_kstr(w, "verdict", verdict_name(r->verdict));
        jw_kint(w, "against_sample", r->against_sample);
        jw_kint(w, "against_seed", r->against_seed);
        jw_close(w);
    }
    jw_close(w);
}

static void json_candidates(struct jw *w, const struct sample *x)
{
    jw_key(w, "candidates");
    jw_open(w, '[');
    for (size_t i = 0; i < x->candidates.n; i++) {
        const struct candidate *k = &x->candidates.at[i];
        jw_open(w, '{');
        jw_kint(w, "id", k->id);
        jw_kint(w, "n", k->n);
        jw_kstr(w, "source", source_name(k->source));
        jw_kstr(w, "who", k->who);
        jw_kint(w, "parent", k->parent);
        jw_knum(w, "judge", k->judge);
        add_chat(w, "answer", k->body);
        jw_close(w);
    }
    jw_close(w);
}

static void json_sample(const struct sample *x, struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '{');
    jw_kint(&w, "id", x->id);
    jw_kstr(&w, "status", status_name(x->status));
    jw_kstr(&w, "split", split_name(x->split));
    add_chat(&w, "prompt", x->prompt);
    jw_kint(&w, "chosen", x->chosen);
    json_candidates(&w, x);
    json_checks(&w, x);
    jw_kstr(&w, "tags", x->tags);
    jw_kstr(&w, "note", x->note);
    jw_kstr(&w, "origin", x->origin);
    jw_kint(&w, "line", x->line);
    jw_kint(&w, "job", x->job);
    jw_kint(&w, "call", x->call);
    jw_close(&w);
}

static void print_sample(const struct sample *x)
{
    char *prompt = prompt_text(x->prompt);
    say(stdout, "%lld  %s  %s  %s\n%s\n", (long long)x->id,
        status_label(x->status), split_label(x->split), x->tags, prompt);
    for (size_t i = 0; i < x->candidates.n; i++) {
        const struct candidate *k = &x->candidates.at[i];
        char *text = answer_text(k->body);
        say(stdout, "--- %lld %s%s\n%s\n", (long long)k->n,
            source_label(k->source),
            k->id == x->chosen ? _(" (chosen)") : "", text);
        free(text);
    }
    say(stdout, "---\n");
    for (size_t i = 0; i < x->checks.n; i++) {
        const struct check_result *r = &x->checks.at[i].result;
        say(stdout, "%s %-10s %.2f  %s %.2f\n", verdict_mark(r->verdict),
            check_label(r->check), r->figure, _("limit"), r->bound);
    }
    free(prompt);
}

static bool show_sample(struct cli *c, int64_t id)
{
    struct sample x;
    struct buf b = BUF_INIT(0);
    if (!sample_get(c->s, id, &x, &c->e))
        return false;
    json_sample(&x, &b);
    if (c->json)
        cli_print(&b);
    else
        print_sample(&x);
    buf_free(&b);
    sample_free(&x);
    return true;
}

static bool show_seed(struct cli *c, int64_t id)
{
    struct seed x;
    struct buf b = BUF_INIT(0);
    struct jw w = jw_start(&b);
    if (!seed_get(c->s, id, &x, &c->e))
        return false;
    jw_open(&w, '{');
    jw_kint(&w, "id", x.id);
    jw_kstr(&w, "kind", x.kind);
    jw_kstr(&w, "split", split_name((enum split)x.split));
    add_chat(&w, "prompt", x.prompt);
    add_chat(&w, "answer", x.answer);
    jw_kstr(&w, "origin", x.origin);
    jw_kint(&w, "line", x.line);
    jw_close(&w);
    if (c->json) {
        cli_print(&b);
    } else {
        char *prompt = prompt_text(x.prompt);
        char *answer = x.answer ? answer_text(x.answer) : xstrdup("");
        say(stdout, "s%lld  %s\n%s\n---\n%s\n", (long long)x.id,
            split_label((enum split)x.split), prompt, answer);
        free(prompt);
        free(answer);
    }
    buf_free(&b);
    seed_free(&x);
    return true;
}

static bool show_decision(struct cli *c, int64_t seq)
{
    struct decision d;
    change_list list;
    if (!journal_get(c->s, seq, &d))
        return err_set(&c->e, ERR_ABSENT, _("there is no decision d%lld"),
                       (long long)seq);
    if (!journal_changes(c->s, seq, &list, &c->e))
        return false;
    say(stdout, "d%lld %s %s %s\n", (long long)seq, d.who,
        deed_label(d.kind), reason_label(d.reason));
    for (size_t i = 0; i < list.n; i++) {
        const struct change *x = &list.at[i];
        say(stdout, "  %s %lld %s: %lld > %lld\n", object_name(x->kind),
            (long long)x->object, field_name(x->field), (long long)x->old,
            (long long)x->new_value);
    }
    VEC_FREE(&list);
    return true;
}

static bool show_one(struct cli *c, const char *name)
{
    char letter = *name;
    ids which = {0};
    if (!cli_ids(c, name, letter == 's' || letter == 'd' ? letter : 0,
                 &which))
        return false;
    int64_t id = which.at[0];
    VEC_FREE(&which);
    return letter == 's'   ? show_seed(c, id)
           : letter == 'd' ? show_decision(c, id)
                           : show_sample(c, id);
}

int sub_show(struct cli *c)
{
    const struct opt opts[] = {{0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!c->argc)
        return cli_usage(c, _("name what to show"));
    if (!cli_open(c))
        return cli_fail(c);
    for (int i = 0; i < c->argc; i++)
        if (!show_one(c, c->argv[i]))
            return cli_fail(c);
    return 0;
}
