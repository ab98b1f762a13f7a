#include "app/lineage.h"

#include <stdlib.h>

#include "app/app.h"
#include "app/steps.h"
#include "base/lang.h"
#include "store/job.h"

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

void lineage_open(struct app *a, int64_t sample)
{
    struct lineage *l = &a->lineage;
    struct sample x;
    struct err e;
    ids rows = {0};
    if (!sample)
        return;
    if (!sample_get(a->s, sample, &x, &e)) {
        app_say_err(a, &e);
        return;
    }
    lineage_forget(l);
    l->sample = sample;
    lineage_read(a->s, &x, l);
    sample_free(&x);
    for (size_t i = 0; i < l->steps.n; i++)
        VEC_PUSH(&rows, (int64_t)i + 1);
    list_take(&l->list, &rows);
    list_go_row(&l->list, 0);
    app_open(a, VIEW_LINEAGE);
}

const struct step *lineage_step(const struct lineage *l)
{
    return l->list.cursor < l->steps.n ? &l->steps.at[l->list.cursor] : NULL;
}

void lineage_load(struct app *a)
{
    a->lineage.scroll = 0;
    a->lineage.to_item = true;
}

/* What has no view of its own is read over the whole screen. */
void lineage_enter(struct app *a)
{
    const struct step *p = lineage_step(&a->lineage);
    if (p && p->view == VIEW_EXPORT && p->object)
        export_show(a, (enum shape)(p->object - 1), a->lineage.sample);
    else if (p && p->object)
        app_go(a, p->view, p->object);
    else
        a->zoom = !a->zoom;
}

char *lineage_text(struct app *a)
{
    const struct step *p = lineage_step(&a->lineage);
    if (!p)
        return NULL;
    if (a->list_focus && *p->name)
        return xstrdup(p->name);
    return xstrdup(p->text ? p->text : p->what);
}

void lineage_done(struct app *a)
{
    lineage_forget(&a->lineage);
    list_free(&a->lineage.list);
}
