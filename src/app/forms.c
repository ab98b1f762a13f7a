/* The forms that begin something: expand, train. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/teacher.h"
#include "base/clock.h"
#include "base/lang.h"
#include "base/rng.h"
#include "recipe/recipe.h"
#include "teacher/profile.h"
#include "store/stat.h"
#include "verbs/demo.h"
#include "verbs/elicit.h"
#include "verbs/train.h"

#define NANO_EPOCHS "32"

static const char RECIPE[] = N_("RECIPE");
static const char TEACHER[] = N_("TEACHER");
static const char DRAW_FROM[] = N_("DRAW FROM");
static const char PROMPTS[] = N_("NEW PROMPTS");
static const char ANSWERS[] = N_("ANSWERS EACH");
static const char TEMPERATURE[] = N_("TEMPERATURE");
static const char STOP_AT[] = N_("STOP AT");
static const char STUDENT[] = N_("STUDENT");
static const char FILTER[] = N_("FILTER");
static const char EPOCHS[] = N_("EPOCHS");
static const char START[] = N_("SEED");

/* ---- Expand ------------------------------------------------------------- */

static void add_recipes(struct form *f)
{
    struct form_field *x = form_add(f, FIELD_PICK, RECIPE, "");
    char **names = recipe_list();
    for (size_t i = 0; names && names[i]; i++)
        form_choice(x, names[i]);
    recipe_free_list(names);
    form_pick(x, "selfinstruct");
}

static void add_teachers(struct form *f)
{
    struct form_field *x = form_add(f, FIELD_PICK, TEACHER, "");
    struct profiles ps;
    struct err e;
    if (profiles_load(NULL, &ps, &e)) {
        for (size_t i = 0; i < ps.n; i++)
            form_choice(x, ps.at[i].name);
        profiles_free(&ps);
    } else {
        snprintf(x->note, sizeof x->note, "%.99s", e.text);
    }
    if (!x->choices.n)
        form_choice(x, "builtin");
}

static void build_expand(struct app *a, struct form *f)
{
    struct store_counts n;
    char prompts[24];
    store_count(a->s, &n);
    snprintf(prompts, sizeof prompts, "%d",
             a->tour && !n.candidates ? DEMO_PROMPTS : 200);
    *f = (struct form){.kind = FORM_EXPAND, .facts_label = N_("ESTIMATE"),
                       .preview_label = N_("FIRST PROMPT")};
    add_recipes(f);
    add_teachers(f);
    struct form_field *x = form_add(f, FIELD_PICK, DRAW_FROM, "");
    form_choice(x, _("every split"));
    for (int i = 0; i < SPLIT_COUNT; i++)
        form_choice(x, split_name((enum split)i));
    form_add(f, FIELD_NUMBER, PROMPTS, prompts);
    x = form_add(f, FIELD_NUMBER, ANSWERS, "1");
    snprintf(x->note, sizeof x->note, "%s", _("2 or more are for Rank"));
    x = form_add(f, FIELD_NUMBER, TEMPERATURE, "");
    snprintf(x->note, sizeof x->note, "%s", _("empty: the recipe's own"));
    x = form_add(f, FIELD_NUMBER, STOP_AT, "");
    snprintf(x->note, sizeof x->note, "%s: %s", lang_currency(),
             _("the job ends there, nothing is lost"));
    f->buttons[f->n_buttons++] = N_("Start");
    f->buttons[f->n_buttons++] = N_("Close");
}

/* What the form says, for the verbs. Strings are borrowed from the form. */
static struct expand read_expand(struct app *a)
{
    const struct form *f = &a->form;
    enum split split;
    uint64_t seed;
    rng_system(&seed, sizeof seed);
    struct expand x = {
        .target = a->target, .recipe = form_value(f, RECIPE),
        .teacher = form_value(f, TEACHER), .split = -1,
        .prompts = (int64_t)form_number(f, PROMPTS, 0),
        .answers = (int64_t)form_number(f, ANSWERS, 1),
        .temperature = form_number(f, TEMPERATURE, NAN),
        .spend_max = form_number(f, STOP_AT, NAN),
        .seed = seed >> 1};
    if (split_parse(form_value(f, DRAW_FROM), &split))
        x.split = (int)split;
    if (x.answers < 1)
        x.answers = 1;
    return x;
}

static void note_choices(struct form *f)
{
    struct profiles ps;
    struct recipe *r = recipe_find(form_value(f, RECIPE), NULL);
    if (r)
        snprintf(f->fields[0].note, sizeof f->fields[0].note, "%s: %s",
                 recipe_kind_name(r->kind), recipe_about(r));
    recipe_free(&r);
    if (!profiles_load(NULL, &ps, NULL))
        return;
    const struct profile *p = profile_find(&ps, form_value(f, TEACHER));
    if (p)
        snprintf(f->fields[1].note, sizeof f->fields[1].note,
                 _("%.60s, %d at once"), p->url ? p->url : p->serve,
                 p->concurrency);
    profiles_free(&ps);
}

static void refresh_expand(struct app *a)
{
    struct form *f = &a->form;
    struct expand x = read_expand(a);
    struct estimate n;
    struct err e = {0};
    note_choices(f);
    free(f->preview);
    f->preview = NULL;
    f->facts[0][0] = f->facts[1][0] = '\0';
    x.seed = 7;
    if (!verb_estimate(a->s, &x, &n, &e)) {
        snprintf(f->facts[0], sizeof f->facts[0], "%.119s", e.text);
        return;
    }
    char in[32], out[32];
    snprintf(f->facts[0], sizeof f->facts[0],
             _("%lld + %lld calls   %s tokens in   %s out"),
             (long long)n.calls_first, (long long)n.calls_then,
             lang_number(in, sizeof in, (double)n.tokens_in, 0),
             lang_number(out, sizeof out, (double)n.tokens_out, 0));
    snprintf(f->preview_title, sizeof f->preview_title, _("%lld tokens"),
             (long long)n.first_tokens);
    f->preview = n.first_prompt;
}

static void start_expand(struct app *a)
{
    struct expand x = read_expand(a);
    struct err e = {0};
    int64_t job = verb_add_job(a->s, a->who, &x, &e);
    if (!job || !verb_start_job(a->s, job, false, &e)) {
        app_say_err(a, &e);
        return;
    }
    a->form.open = false;
    app_say(a, _("j%lld has begun; what it brings stands at the end of "
                 "Review"), (long long)job);
}

/* ---- Train -------------------------------------------------------------- */

static void build_train(struct form *f)
{
    *f = (struct form){.kind = FORM_TRAIN, .facts_label = N_("ESTIMATE")};
    struct form_field *x = form_add(f, FIELD_LINE, STUDENT, "nano");
    x->width = 40;
    snprintf(x->note, sizeof x->note, "%s", _("or a model's folder"));
    x = form_add(f, FIELD_LINE, FILTER, "");
    x->width = 40;
    snprintf(x->note, sizeof x->note, "%s", _("empty: all accepted"));
    x = form_add(f, FIELD_NUMBER, EPOCHS, NANO_EPOCHS);
    snprintf(x->note, sizeof x->note, "%s",
             _("nano begins from nothing; a model needs 2 to 4"));
    form_add(f, FIELD_NUMBER, START, "1");
    f->buttons[f->n_buttons++] = N_("Start");
    f->buttons[f->n_buttons++] = N_("Close");
}

static struct train read_train(struct app *a)
{
    const struct form *f = &a->form;
    return (struct train){.target = a->target,
                          .filter = form_value(f, FILTER),
                          .student = form_value(f, STUDENT),
                          .epochs = (int64_t)form_number(f, EPOCHS, 4),
                          .seed = (int64_t)form_number(f, START, 1)};
}

static void refresh_train(struct app *a)
{
    struct form *f = &a->form;
    struct train t = read_train(a);
    struct train_estimate n;
    struct err e = {0};
    f->facts[1][0] = '\0';
    if (!verb_train_estimate(a->s, &t, &n, &e)) {
        snprintf(f->facts[0], sizeof f->facts[0], "%.119s", e.text);
        return;
    }
    snprintf(f->facts[0], sizeof f->facts[0],
             _("%lld rows of train, %lld held out of valid"),
             (long long)n.rows, (long long)n.held_out);
    if (n.held_out < TRAIN_LEAST)
        snprintf(f->facts[1], sizeof f->facts[1],
                 _("under %d held-out rows: no figure will be shown"),
                 TRAIN_LEAST);
}

static void start_train(struct app *a)
{
    struct train t = read_train(a);
    struct err e = {0};
    int64_t run = verb_train(a->s, &t, &e);
    if (!run) {
        app_say_err(a, &e);
        return;
    }
    a->form.open = false;
    app_open(a, VIEW_RUNS);
    app_say(a, _("r%lld trains in the background; Q leaves it running"),
            (long long)run);
}

/* ---- Teacher ------------------------------------------------------------ */

static void press_teacher(struct app *a)
{
    char said[300] = "";
    teacher_form_press(&a->form, &a->trying, said, sizeof said);
    app_say(a, "%s", said);
}

bool form_tick(struct app *a)
{
    char said[300];
    if (!teacher_form_tick(&a->trying, said, sizeof said))
        return false;
    app_say(a, "%s", said);
    return true;
}

/* ---- All forms ---------------------------------------------------------- */

static void refresh(struct app *a)
{
    a->form.stale = false;
    if (a->form.kind == FORM_EXPAND)
        refresh_expand(a);
    else if (a->form.kind == FORM_TRAIN)
        refresh_train(a);
    else
        teacher_form_refresh(&a->form);
}

void form_open(struct app *a, enum form_kind kind)
{
    if (!a->target && kind != FORM_TEACHER) {
        app_say(a, _("make a target first: 1, then +"));
        return;
    }
    if (a->form.kind != kind) {
        form_free(&a->form);
        if (kind == FORM_EXPAND)
            build_expand(a, &a->form);
        else if (kind == FORM_TRAIN)
            build_train(&a->form);
        else
            teacher_form_build(&a->form);
    }
    if (kind == FORM_EXPAND && a->view != VIEW_SEEDS)
        app_open(a, VIEW_SEEDS);
    a->form.open = true;
    a->form.at = 0;
    a->form.fresh = true;
    a->painted = false;
    refresh(a);
    a->stale = STALE_PAINT;
}

bool form_mode_key(struct app *a, const char *key)
{
    struct form *f = &a->form;
    enum form_event event = form_key(f, key);
    a->stale = STALE_PAINT;
    if (event == FORM_PRESSED && f->at == f->n_fields + f->n_buttons - 1)
        f->open = false;
    else if (event == FORM_PRESSED && f->kind == FORM_TEACHER)
        press_teacher(a);
    else if (event == FORM_PRESSED && f->kind == FORM_EXPAND)
        start_expand(a);
    else if (event == FORM_PRESSED && f->kind == FORM_TRAIN)
        start_train(a);
    else if (event == FORM_CLOSED)
        app_say(a, _("closed; the form is kept"));
    else if (f->stale)
        refresh(a);
    return event != FORM_IGNORED;
}
