/* The Seeds view. */
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "store/tags.h"

static void forget(struct seeds_state *x)
{
    seed_free(&x->now);
    seed_row_free(&x->now_row);
    free(x->note);
    x->note = NULL;
    x->scroll = 0;
}

void seeds_open(struct app *a)
{
    struct seeds_state *x = &a->seeds;
    x->queue = (struct queue){a, true};
    list_open(&x->list, &queue_source, &x->queue);
}

static void forget_shown(struct seeds_state *x)
{
    for (size_t i = 0; i < x->shown.n; i++)
        seed_row_free(&x->shown.at[i]);
    x->shown.n = 0;
}

void seeds_show(struct app *a, size_t from, size_t n)
{
    struct seeds_state *x = &a->seeds;
    forget_shown(x);
    for (size_t i = from; i < from + n; i++) {
        struct seed_row r = {0};
        seed_row_get(a->s, list_at(&x->list, i), &r);
        VEC_PUSH(&x->shown, r);
    }
    if (!app_moved_on(a, &x->counted))
        return;
    for (int i = 0; i < SPLIT_COUNT; i++)
        x->by_split[i] = a->target ? seed_count(a->s, a->target, i) : 0;
    x->never_drawn = a->target ? seed_never_drawn(a->s, a->target) : 0;
}

void seeds_refresh(struct app *a)
{
    queue_refresh(&a->seeds.queue, &a->seeds.list, a->seeds.now.id);
    if (list_id(&a->seeds.list) != a->seeds.now.id)
        app_load(a);
}

void seeds_load(struct app *a)
{
    struct seeds_state *x = &a->seeds;
    int64_t id = list_id(&x->list);
    forget(x);
    if (!id || !seed_get(a->s, id, &x->now, NULL))
        return;
    seed_row_get(a->s, id, &x->now_row);
    x->note = note_of(a->s, OBJECT_SEED, id);
}

void seeds_done(struct app *a)
{
    forget(&a->seeds);
    forget_shown(&a->seeds);
    VEC_FREE(&a->seeds.shown);
    list_free(&a->seeds.list);
    free(a->seeds.filter);
}

static void set_filter(struct app *a, const char *text)
{
    struct seeds_state *x = &a->seeds;
    struct err e = {0};
    if (!queue_takes(&x->queue, text, &e)) {
        app_say_err(a, &e);
        return;
    }
    free(x->filter);
    x->filter = *text ? xstrdup(text) : NULL;
    list_free(&x->list);
    app_open(a, VIEW_SEEDS);
}

static void add_in_editor(struct app *a, const char *args)
{
    (void)args;
    free(a->edit.text);
    a->edit.what = EDIT_NEW_SEED;
    a->edit.text = edit_aside(a, OBJECT_SEED, 0);
    if (!a->edit.text)
        a->edit.text = xstrdup("");
}

void seeds_edited(struct app *a, const char *text)
{
    struct act act;
    struct err e = {0};
    struct chat chat = {0};
    if (!text[strspn(text, " \t\n")]) {
        edit_forget(a, OBJECT_SEED, 0);
        app_say(a, _("nothing was added"));
        return;
    }
    chat_add(&chat, ROLE_USER, text);
    struct seed_new n = {.target = a->target, .kind = "example",
                         .prompt = &chat, .split = -1};
    int64_t id = 0;
    if (act_begin(a->s, &act, "arrive", a->who, "", 0, &e)) {
        id = seed_add(&act, &n, &e);
        if (!id)
            act_cancel(&act);
        else if (!act_saved(act_commit(&act, &e)))
            id = 0;
    }
    chat_free(&chat);
    if (!id) {
        edit_set_aside(a, OBJECT_SEED, 0, text, &e);
        return;
    }
    edit_forget(a, OBJECT_SEED, 0);
    app_open(a, VIEW_SEEDS);
    list_go(&a->seeds.list, id);
    app_load(a);
    app_say(a, _("seed s%lld"), (long long)id);
}

static void unfilter(struct app *a, const char *args)
{
    (void)args;
    set_filter(a, "");
}

static const char *no_seed(const struct app *a)
{
    return a->seeds.now.id ? NULL : _("there is no seed here");
}

static void edit(struct app *a, const char *args)
{
    (void)args;
    app_say(a, _("a seed's text is not changed; + adds another"));
}

const struct deed seeds_deeds[] = {
    {.act = ACT_FILTER, .fn = set_filter, .prompt = LINE_FILTER},
    {.act = ACT_UNFILTER, .fn = unfilter},
    {.act = ACT_TAG,
     .fn = marks_tag,
     .why_not = no_seed,
     .prompt = LINE_TAG},
    {.act = ACT_ADD, .fn = add_in_editor},
    {.act = ACT_NOTE,
     .fn = marks_note,
     .why_not = no_seed,
     .prompt = LINE_NOTE},
    {.act = ACT_EDIT, .fn = edit},
    {0}};

char *seeds_text(struct app *a)
{
    return a->seeds.now.id ? prompt_text(a->seeds.now.prompt) : NULL;
}

char *seeds_row_text(struct app *a, int64_t id)
{
    struct seed_row q;
    if (!seed_row_get(a->s, id, &q))
        return xstrdup("");
    char *text = xstrdup(q.first_line);
    seed_row_free(&q);
    return text;
}

int64_t seeds_count(const struct app *a)
{
    return a->counts.seeds;
}
