#include "app/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/session.h"
#include "app/tour.h"
#include "base/file.h"
#include "base/lang.h"

void app_load(struct app *a)
{
    a->text_total = 0;
    a->sight = SIGHT_NONE;
    a->read = false;
    if (view_of(a->view)->load)
        view_of(a->view)->load(a);
    a->stale = STALE_PAINT;
}

bool app_moved_on(struct app *a, struct counted *then)
{
    struct counted now = {a->target, store_seq(a->s),
                          store_data_version(a->s)};
    bool moved = memcmp(&now, then, sizeof now) != 0;
    *then = now;
    return moved;
}

void app_recount(struct app *a)
{
    if (a->late)
        a->counts = (struct target_counts){
            .seeds = -1, .pending = -1, .accepted = -1, .rejected = -1,
            .deferred = -1, .to_rank = -1, .student = -1};
    else if (a->target && app_moved_on(a, &a->counted))
        target_counts(a->s, a->target, &a->counts);
}

void app_count_late(struct app *a)
{
    a->late = false;
    app_recount(a);
    list_count(app_list(a));
    a->stale = STALE_PAINT;
}

/* Where a store is opened: where there is something to do. */
static enum view_id first_view(struct app *a, bool one_target)
{
    struct queue waits = {a, false};
    if (!a->target || !one_target)
        return VIEW_TARGETS;
    return queue_source.at(&waits, 0) > 0 ? VIEW_REVIEW : VIEW_SEEDS;
}

void app_show(struct app *a, size_t rows)
{
    struct list *l = app_list(a);
    tour_look(a);
    list_scroll(l, rows);
    size_t n = l->total - l->top;
    if (view_of(a->view)->show)
        view_of(a->view)->show(a, l->top, n < rows ? n : rows);
}

void app_open(struct app *a, enum view_id v)
{
    if (v >= VIEW_TABS && a->view < VIEW_TABS) {
        a->back = a->view;
        a->back_seq = store_seq(a->s);
    }
    a->view = v;
    a->list_focus = !view_of(v)->text_first;
    app_recount(a);
    if (view_of(v)->open)
        view_of(v)->open(a);
    app_load(a);
}

void app_go(struct app *a, enum view_id v, int64_t id)
{
    char alone[40];
    a->zoom = false;
    app_open(a, v);
    if (!list_go(app_list(a), id) && view_filter(a) && *view_filter(a)) {
        view_deed(v, ACT_UNFILTER)->fn(a, "");
        list_go(app_list(a), id);
    }
    if (list_id(app_list(a)) != id && v == VIEW_REVIEW) {
        snprintf(alone, sizeof alone, "id:%lld", (long long)id);
        view_deed(v, ACT_FILTER)->fn(a, alone);
    }
    app_load(a);
}

void app_return(struct app *a)
{
    const struct view *v = view_of(a->back);
    if (!v->refresh) {
        app_open(a, a->back);
        return;
    }
    a->view = a->back;
    a->list_focus = !v->text_first;
    a->sight = SIGHT_NONE;
    a->stale = STALE_PAINT;
    app_recount(a);
    v->refresh(a);
    if (store_seq(a->s) != a->back_seq)
        app_load(a);
}

void app_set_target(struct app *a, int64_t target)
{
    struct target t;
    free(a->target_name);
    a->target_name = NULL;
    a->target = target;
    if (target && target_get(a->s, target, &t, NULL)) {
        a->target_name = xstrdup(t.name);
        target_free(&t);
    }
    app_recount(a);
}

void app_init(struct app *a, struct store *s, const char *who)
{
    ids all;
    *a = (struct app){.s = s, .who = xstrdup(who), .page = 4, .text_rows = 6,
                      .late = true};
    a->data_version = store_data_version(s);
    a->store_name = xstrdup(path_base(store_path(s)));
    if (target_ids(s, &all, NULL))
        app_set_target(a, all.n ? all.at[all.n - 1] : 0);
    bool one = all.n == 1;
    VEC_FREE(&all);
    app_open(a, first_view(a, one));
    session_restore(a);
    news_start(a);
    struct err e = {0};
    if (!options_load(&a->options, &e))
        app_say_err(a, &e);
    if (store_notice(s))
        app_say(a, "%s", store_notice(s));
    if (store_loss(s))
        app_say(a, "%s", store_loss(s));
    if (store_read_only(s))
        app_say(a, _("this store may not be written: it is open read-only"));
}

void app_set_tick(struct app *a, app_tick *tick, void *ctx)
{
    a->tick = tick;
    a->tick_ctx = ctx;
    store_set_tick(a->s, tick, ctx);
}

bool app_goes_on(struct app *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(a->doing, sizeof a->doing, fmt, ap);
    va_end(ap);
    if (!a->tick || a->tick(a->tick_ctx, NULL, 0))
        return true;
    app_say(a, _("left as it was"));
    return false;
}

void app_refuse(struct store **s)
{
    store_close(s);
}

void app_done(struct app *a)
{
    store_set_tick(a->s, NULL, NULL);
    review_keep_draft(a);
    area_close(&a->typing);
    if (a->line.kind != LINE_NONE)
        line_close(&a->line, true);
    session_save(a);
    for (int i = 0; i < VIEW_COUNT; i++)
        view_of((enum view_id)i)->done(a);
    form_free(&a->form);
    child_stop(&a->trying);
    child_stop(&a->measuring);
    VEC_FREE(&a->works);
    VEC_FREE(&a->living);
    options_free(&a->options);
    line_done(&a->line);
    free(a->find);
    free(a->copy);
    free(a->edit.text);
    free(a->aside.text);
    free(a->target_name);
    free(a->who);
    free(a->store_name);
    store_close(&a->s);
}

void app_look(struct app *a)
{
    review_keep_draft(a);
    int64_t v = store_data_version(a->s);
    if (v == a->data_version)
        return;
    a->data_version = v;
    app_recount(a);
    if (view_of(a->view)->refresh)
        view_of(a->view)->refresh(a);
    a->stale = STALE_PAINT;
}
