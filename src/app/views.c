#include "app/view.h"

#include "app/app.h"
#include "base/assert.h"
#include "base/lang.h"

#define AT(member) offsetof(struct app, member)

static const struct view views[] = {
    [VIEW_TARGETS] = {.title = N_("Targets"),
                      .list = AT(targets.list),
                      .open = targets_open,
                      .show = targets_show,
                      .load = targets_load,
                      .done = targets_done,
                      .text = targets_text,
                      .deeds = targets_deeds,
                      .edited = targets_edited},
    [VIEW_SEEDS] = {.title = N_("Seeds"),
                    .zooms = true,
                    .list = AT(seeds.list),
                    .filter = AT(seeds.filter),
                    .scroll = AT(seeds.scroll),
                    .note = AT(seeds.note),
                    .open = seeds_open,
                    .show = seeds_show,
                    .refresh = seeds_refresh,
                    .load = seeds_load,
                    .done = seeds_done,
                    .deeds = seeds_deeds,
                    .edited = seeds_edited,
                    .text = seeds_text,
                    .row_text = seeds_row_text,
                    .count = seeds_count},
    [VIEW_REVIEW] = {.title = N_("Review"),
                     .zooms = true,
                     .text_first = true,
                     .list = AT(review.list),
                     .filter = AT(review.filter),
                     .scroll = AT(review.scroll),
                     .note = AT(review.now.note),
                     .open = review_open,
                     .show = review_show,
                     .refresh = review_refresh,
                     .load = review_load,
                     .done = review_done,
                     .deeds = review_deeds,
                     .edited = review_edited,
                     .undone = review_undone,
                     .text = review_text,
                     .row_text = review_row_text,
                     .count = review_count},
    [VIEW_RANK] = {.title = N_("Rank"),
                   .zooms = true,
                   .text_first = true,
                   .list = AT(rank.list),
                   .scroll = AT(rank.scroll),
                   .open = rank_open,
                   .load = rank_load,
                   .done = rank_done,
                   .text = rank_text,
                   .deeds = rank_deeds,
                   .undone = rank_undone,
                   .count = rank_count},
    [VIEW_RUNS] = {.title = N_("Runs"),
                   .zooms = true,
                   .list = AT(runs.list),
                   .scroll = AT(runs.scroll),
                   .open = runs_open,
                   .show = runs_show,
                   .load = runs_load,
                   .done = runs_done,
                   .text = runs_text,
                   .count = runs_count,
                   .percent = true,
                   .deeds = runs_deeds},
    [VIEW_EXPORT] = {.title = N_("Export"),
                     .list = AT(export.list),
                     .filter = AT(export.filter),
                     .open = export_open,
                     .load = export_load,
                     .done = export_done,
                     .text = export_text,
                     .enter = export_enter,
                     .scroll = AT(export.scroll),
                     .deeds = export_deeds},
    [VIEW_LINEAGE] = {.title = N_("lineage"),
                      .zooms = true,
                      .text_first = true,
                      .list = AT(lineage.list),
                      .scroll = AT(lineage.scroll),
                      .load = lineage_load,
                      .done = lineage_done,
                      .enter = lineage_enter,
                      .text = lineage_text},
    [VIEW_HELP] = {.title = N_("help"),
                   .list = AT(help),
                   .done = help_done,
                   .enter = help_enter,
                   .row_text = help_row_text},
    [VIEW_MESSAGES] = {.title = N_("messages"),
                       .list = AT(messages_list),
                       .zooms = true,
                       .scroll = AT(messages_scroll),
                       .load = messages_load,
                       .done = messages_done,
                       .row_text = messages_row_text},
};

const struct view *view_of(enum view_id v)
{
    must((size_t)v < COUNT(views));
    return &views[v];
}

const struct deed *view_deed(enum view_id v, enum action act)
{
    const struct deed *d = view_of(v)->deeds;
    while (d && d->fn && d->act != act)
        d++;
    return d && d->fn ? d : NULL;
}

static void *at(struct app *a, size_t offset)
{
    return offset ? (char *)a + offset : NULL;
}

struct list *app_list(struct app *a)
{
    return at(a, view_of(a->view)->list);
}

char **view_filter(struct app *a)
{
    return at(a, view_of(a->view)->filter);
}

int *view_scroll(struct app *a)
{
    return at(a, view_of(a->view)->scroll);
}

const char *view_note(struct app *a)
{
    char **note = at(a, view_of(a->view)->note);
    return note ? *note : NULL;
}
