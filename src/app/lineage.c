#include "app/lineage.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/app.h"
#include "base/lang.h"
#include "store/job.h"
#include "store/text.h"

static void add(struct lineage *l, const char *kind, int64_t at, char *what,
                char *title, char *text)
{
    struct step s = {kind, at, what, title, text};
    VEC_PUSH(l, s);
}

static void add_origin(struct app *a, const struct sample *x)
{
    struct lineage *l = a->steps;
    struct decision d;
    int64_t at = journal_get(a->s, x->born, &d) ? d.at : 0;
    if (x->origin)
        add(l, N_("import"), at,
            xasprintf(_("line %lld of %s, by %s (d%lld)"),
                      (long long)x->line, x->origin, d.who,
                      (long long)x->born),
            xstrdup(_("PROMPT")), prompt_text(x->prompt));
}

static void add_draws(struct app *a, const struct sample *x)
{
    struct drawn list[32];
    size_t n = draws_of(a->s, x->call, list, COUNT(list));
    struct buf what = BUF_INIT(0), text = BUF_INIT(0);
    for (size_t i = 0; i < n; i++) {
        struct seed seed;
        buf_printf(&what, list[i].seed ? "s%lld " : "%lld ",
                   (long long)(list[i].seed ? list[i].seed
                                            : list[i].sample));
        if (list[i].seed && seed_get(a->s, list[i].seed, &seed, NULL)) {
            char *p = prompt_text(seed.prompt);
            buf_printf(&text, "s%lld  %s\n", (long long)seed.id, p);
            free(p);
            seed_free(&seed);
        }
    }
    if (n)
        add(a->steps, N_("seeds"), 0, buf_take(&what), xstrdup(_("SEEDS")),
            buf_take(&text));
    buf_free(&what);
    buf_free(&text);
}

char *lineage_summary(struct app *a, const struct sample *x)
{
    struct drawn list[32];
    size_t n = draws_of(a->s, x->call, list, COUNT(list));
    struct buf b = BUF_INIT(0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, list[i].seed ? "%ss%lld" : "%s%lld", i ? " " : "",
                   (long long)(list[i].seed ? list[i].seed : list[i].sample));
    if (n)
        buf_putc(&b, '\n');
    if (x->recipe)
        buf_printf(&b, _("j%lld %s %lld, call c%lld, %s"), (long long)x->job,
                   x->recipe, (long long)x->recipe_version,
                   (long long)x->call, x->teacher ? x->teacher : "");
    else if (x->origin)
        buf_printf(&b, _("line %lld of %s"), (long long)x->line, x->origin);
    return buf_take(&b);
}

static void add_call(struct app *a, int64_t id, const struct sample *x)
{
    struct call c;
    if (!id || !call_get(a->s, id, &c, NULL))
        return;
    char cost[32], took[32];
    add(a->steps, N_("call"), c.at,
        xasprintf(_("c%lld %s  %lld in  %lld out  %s  %s s"),
                  (long long)id, x->teacher ? x->teacher : "",
                  (long long)c.tokens_in, (long long)c.tokens_out,
                  lang_money(cost, sizeof cost, c.cost, 4),
                  lang_number(took, sizeof took, (double)c.ms / 1000, 1)),
        xasprintf(_("CALL c%lld"), (long long)id),
        text_get(a->s, c.prompt_text, NULL));
    size_t size = 0;
    char *reply = text_get(a->s, c.reply_text, &size);
    if (reply)
        add(a->steps, N_("reply"), c.at,
            xasprintf(_("%zu bytes, %s"), size, c.finish ? c.finish : "?"),
            xasprintf(_("REPLY of c%lld"), (long long)id), reply);
    call_free(&c);
}

static void add_checks(struct app *a, const struct sample *x)
{
    struct buf b = BUF_INIT(0);
    size_t passed = 0;
    for (size_t i = 0; i < x->checks.n; i++) {
        const struct check_result *r = &x->checks.at[i].result;
        passed += r->verdict == VERDICT_PASS;
        buf_printf(&b, "%s %s  %s%.2f  %s %.2f\n", verdict_mark(r->verdict),
                   check_label(r->check), figure_mark(r->approximate),
                   r->figure, _("limit"), r->bound);
    }
    if (x->checks.n)
        add(a->steps, N_("checks"), 0,
            xasprintf(_("%zu passed of %zu"), passed, x->checks.n),
            xstrdup(_("CHECKS")), buf_take(&b));
    buf_free(&b);
}

static void add_decisions(struct app *a, const struct sample *x)
{
    enum { MOST = 100 };
    struct decision *list = xcalloc(MOST, sizeof *list);
    size_t n = journal_of(a->s, OBJECT_SAMPLE, x->id, list, MOST);
    for (size_t i = 0; i < n; i++) {
        const struct decision *d = &list[i];
        struct buf b = BUF_INIT(0);
        change_list changes;
        if (journal_changes(a->s, d->seq, &changes, NULL)) {
            for (size_t k = 0; k < changes.n && k < 200; k++)
                buf_printf(&b, "%s %lld  %s  %lld > %lld\n",
                           object_name(changes.at[k].kind),
                           (long long)changes.at[k].object,
                           field_name(changes.at[k].field),
                           (long long)changes.at[k].old,
                           (long long)changes.at[k].new_value);
            VEC_FREE(&changes);
        }
        add(a->steps, N_("decision"), d->at,
            xasprintf("d%lld %s   %s %s", (long long)d->seq, d->who,
                      deed_label(d->kind), reason_label(d->reason)),
            xasprintf(_("DECISION d%lld"), (long long)d->seq), buf_take(&b));
    }
    free(list);
}

static void forget(struct lineage *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->at[i].what);
        free(l->at[i].title);
        free(l->at[i].text);
    }
    VEC_FREE(l);
}

void lineage_open(struct app *a)
{
    const struct sample *x = &a->review.now;
    ids rows = {0};
    if (!x->id)
        return;
    if (!a->steps)
        a->steps = xcalloc(1, sizeof *a->steps);
    forget(a->steps);
    a->steps->sample = x->id;
    add_origin(a, x);
    add_draws(a, x);
    add_call(a, x->call, x);
    for (size_t i = 0; i < x->candidates.n; i++)
        if (x->candidates.at[i].call != x->call)
            add_call(a, x->candidates.at[i].call, x);
    add_checks(a, x);
    add_decisions(a, x);
    for (size_t i = 0; i < a->steps->n; i++)
        VEC_PUSH(&rows, (int64_t)i + 1);
    a->lineage.cursor = a->lineage.top = 0;
    list_take(&a->lineage, &rows);
    a->lineage.cursor = 0;
    app_open(a, VIEW_LINEAGE);
}

void lineage_load(struct app *a)
{
    a->text_total = 0;
}

void lineage_done(struct app *a)
{
    if (a->steps)
        forget(a->steps);
    free(a->steps);
    a->steps = NULL;
    list_free(&a->lineage);
}
