#include "cli/show.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/lang.h"
#include "base/say.h"
#include "base/utf8.h"
#include "cli/facts.h"
#include "domain/order.h"
#include "store/sample.h"
#include "store/seed.h"
#include "store/text.h"

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
        if (r->check == CHECK_NEAR)
            jw_kbool(w, "approximate", r->approximate);
        jw_close(w);
    }
    jw_close(w);
}

/* What an order calls the answer: A, B ... Z, then its number. */
static const char *letter_of(size_t i, char out[24])
{
    if (i < ORDER_MAX)
        snprintf(out, 24, "%c", 'A' + (int)i);
    else
        snprintf(out, 24, "%zu", i + 1);
    return out;
}

static void json_candidates(struct jw *w, const struct sample *x)
{
    jw_key(w, "candidates");
    jw_open(w, '[');
    for (size_t i = 0; i < x->candidates.n; i++) {
        const struct candidate *k = &x->candidates.at[i];
        char letter[24];
        jw_open(w, '{');
        jw_kint(w, "id", k->id);
        jw_kint(w, "n", k->n);
        jw_kstr(w, "letter", letter_of(i, letter));
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

/* The letter of the answer that a check is of; "" for the prompt's. */
static const char *whose(const struct sample *x, int64_t candidate,
                         char letter[24])
{
    for (size_t i = 0; candidate && i < x->candidates.n; i++)
        if (x->candidates.at[i].id == candidate)
            return letter_of(i, letter);
    return "";
}

static void print_sample(const struct sample *x)
{
    struct buf prompt = BUF_INIT(0);
    chat_to_people(x->prompt, &prompt);
    say(stdout, "%lld  %s  %s  %s\n%s\n", (long long)x->id,
        status_label(x->status), split_label(x->split), x->tags,
        buf_str(&prompt));
    for (size_t i = 0; i < x->candidates.n; i++) {
        const struct candidate *k = &x->candidates.at[i];
        char *text = answer_text(k->body), letter[24];
        struct message m = {0};
        say(stdout, "--- %s %s%s\n", letter_of(i, letter),
            source_label(k->source),
            k->id == x->chosen ? _(" (chosen)") : "");
        if (answer_parse(k->body, &m, NULL) && m.reasoning)
            say(stdout, P_("[%zu character of thinking: --raw thinking]\n",
                           "[%zu characters of thinking: --raw thinking]\n",
                           utf8_length(m.reasoning, strlen(m.reasoning))),
                utf8_length(m.reasoning, strlen(m.reasoning)));
        say(stdout, "%s\n", text);
        message_free(&m);
        free(text);
    }
    say(stdout, "---\n");
    for (size_t i = 0; i < x->checks.n; i++) {
        const struct check_result *r = &x->checks.at[i].result;
        bool said = r->verdict != VERDICT_PASS;
        char letter[24];
        say(stdout, "%s %-2s%-14s %s%.2f  %s %.2f%s%s\n",
            verdict_mark(r->verdict),
            whose(x, x->checks.at[i].candidate, letter), check_label(r->check),
            figure_mark(r->approximate), r->figure, _("limit"), r->bound,
            said ? "  " : "", said ? check_help(r->check) : "");
    }
    buf_free(&prompt);
}

/* One of a sample's texts, as it is: answer is that of the chosen one, else of
 * the one that it opens with. */
static bool raw_sample(struct cli *c, const struct sample *x, const char *raw)
{
    struct facts f;
    char name[24];
    snprintf(name, sizeof name, "%lld", (long long)x->id);
    facts_start(&f, c, raw, name, "");
    fact_chat(&f, "prompt", NULL, x->prompt);
    int shown = sample_opens_with(x);
    for (size_t i = 0; i < x->candidates.n; i++)
        if (x->candidates.at[i].id == x->chosen)
            shown = (int)i;
    struct message m = {0};
    if (shown >= 0)
        answer_parse(x->candidates.at[shown].body, &m, NULL);
    fact_text(&f, "answer", NULL, m.content, m.content ? strlen(m.content) : 0);
    fact_text(&f, "thinking", NULL, m.reasoning,
              m.reasoning ? strlen(m.reasoning) : 0);
    message_free(&m);
    return facts_end(&f);
}

static bool show_sample(struct cli *c, int64_t id, const char *raw)
{
    struct sample x;
    struct buf b = BUF_INIT(0);
    bool ok = true;
    if (!sample_get(c->s, id, &x, &c->e))
        return false;
    if (raw) {
        ok = raw_sample(c, &x, raw);
    } else if (c->json) {
        json_sample(&x, &b);
        cli_print(&b);
    } else {
        print_sample(&x);
    }
    buf_free(&b);
    sample_free(&x);
    return ok;
}

static bool show_seed(struct cli *c, int64_t id, const char *raw)
{
    struct facts f;
    struct seed x;
    char name[24];
    if (!seed_get(c->s, id, &x, &c->e))
        return false;
    char *answer = x.answer ? answer_text(x.answer) : NULL;
    snprintf(name, sizeof name, "s%lld", (long long)id);
    facts_start(&f, c, raw, name, split_label((enum split)x.split));
    fact_int(&f, "id", NULL, x.id);
    fact_str(&f, "kind", N_("kind"), x.kind);
    fact_str(&f, "split", NULL, split_name((enum split)x.split));
    fact_str(&f, "origin", N_("from"), x.origin);
    fact_id(&f, "line", N_("line"), 0, x.line);
    fact_json(&f, "live", x.live ? NULL : N_("live"),
              x.live ? "true" : "false");
    fact_id(&f, "born", N_("came by"), 'd', x.born);
    fact_chat(&f, "prompt", N_("prompt"), x.prompt);
    if (c->json)
        fact_json(&f, "answer", NULL, x.answer);
    else
        fact_text(&f, "answer", N_("answer"), answer,
                  answer ? strlen(answer) : 0);
    free(answer);
    seed_free(&x);
    return facts_end(&f);
}

static void json_changes(const change_list *list, struct buf *b)
{
    struct jw w = jw_start(b);
    jw_open(&w, '[');
    for (size_t i = 0; i < list->n; i++) {
        const struct change *x = &list->at[i];
        jw_open(&w, '{');
        jw_kstr(&w, "kind", object_name(x->kind));
        jw_kint(&w, "object", x->object);
        jw_kstr(&w, "field", field_name(x->field));
        jw_kint(&w, "old", x->old);
        jw_kint(&w, "new", x->new_value);
        jw_close(&w);
    }
    jw_close(&w);
}

static bool show_decision(struct cli *c, int64_t seq, const char *raw)
{
    struct decision d;
    struct facts f;
    struct buf b = BUF_INIT(0);
    change_list list;
    char name[24], title[120], old[24], new_value[24];
    if (!journal_get(c->s, seq, &d))
        return err_set(&c->e, ERR_ABSENT, _("there is no decision d%lld"),
                       (long long)seq);
    if (!journal_changes(c->s, seq, &list, &c->e))
        return false;
    snprintf(name, sizeof name, "d%lld", (long long)seq);
    snprintf(title, sizeof title, "%s  %s  %s", d.who, deed_label(d.kind),
             reason_label(d.reason));
    facts_start(&f, c, raw, name, title);
    fact_int(&f, "seq", NULL, d.seq);
    fact_time(&f, "at", N_("when"), d.at);
    fact_str(&f, "who", NULL, d.who);
    fact_str(&f, "kind", NULL, d.kind);
    fact_str(&f, "reason", NULL, d.reason);
    fact_id(&f, "undoes", N_("undoes"), 'd', d.undoes);
    fact_int(&f, "rows", N_("rows"), d.n_changes);
    json_changes(&list, &b);
    fact_json(&f, "changes", NULL, buf_str(&b));
    for (size_t i = 0; !raw && !c->json && i < list.n; i++) {
        const struct change *x = &list.at[i];
        say(stdout, "  %s %lld %s: %s > %s\n", object_name(x->kind),
            (long long)x->object, field_name(x->field),
            field_value(x->field, x->old, old),
            field_value(x->field, x->new_value, new_value));
    }
    buf_free(&b);
    VEC_FREE(&list);
    return facts_end(&f);
}

static bool show_text(struct cli *c, int64_t id, const char *raw)
{
    struct facts f;
    char name[24];
    size_t n = 0;
    char *text = text_get(c->s, id, &n);
    snprintf(name, sizeof name, "t%lld", (long long)id);
    if (!text)
        return err_set(&c->e, ERR_ABSENT, _("there is no text %s, or it was "
                                            "purged"), name);
    facts_start(&f, c, raw, name, "");
    fact_int(&f, "id", NULL, id);
    fact_int(&f, "bytes", N_("bytes"), (int64_t)n);
    fact_text(&f, "text", N_("text"), text, n);
    free(text);
    return facts_end(&f);
}

/* What can be shown, by its letter; samples have none. */
static const struct {
    char letter;
    bool (*show)(struct cli *c, int64_t id, const char *raw);
} kinds[] = {{0, show_sample},   {'s', show_seed}, {'d', show_decision},
             {'j', show_job},    {'c', show_call}, {'r', show_run},
             {'x', show_export}, {'t', show_text}};

/* One word: ids of a kind; or a target's name. */
static bool show_word(struct cli *c, const char *word, const char *raw)
{
    size_t k = 0;
    ids which = {0};
    for (size_t i = 1; i < COUNT(kinds); i++)
        if (*word == kinds[i].letter)
            k = i;
    bool ok = cli_ids(c, word, kinds[k].letter, &which);
    int64_t target = ok ? 0 : target_find(c->s, word);
    if (target)
        ok = show_target(c, target, raw);
    for (size_t i = 0; ok && i < which.n && cli_heard(); i++)
        ok = kinds[k].show(c, which.at[i], raw);
    VEC_FREE(&which);
    return ok;
}

int sub_show(struct cli *c)
{
    const char *raw = NULL;
    const struct opt opts[] = {
        {"raw", OPT_STRING, &raw, "TEXT",
         N_("one text of it as it is: prompt, answer, thinking, reply ...")},
        {0}};
    int code = cli_options(c, opts);
    if (code >= 0)
        return code;
    if (!c->argc)
        return cli_usage(c, _("name what to show"));
    if (raw && c->json)
        return cli_usage(c, _("--%s and --%s: one at a time"), "json", "raw");
    if (!cli_open(c))
        return cli_fail(c);
    for (int i = 0; i < c->argc; i++)
        if (!show_word(c, c->argv[i], raw))
            return cli_fail(c);
    return 0;
}
