#include "app/expand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/rng.h"
#include "demo/demo.h"
#include "recipe/recipe.h"
#include "store/stat.h"
#include "teacher/profile.h"
#include "verbs/elicit.h"
#include "verbs/launch.h"

static void add_recipes(struct form *f)
{
    struct form_field *x = form_add(f, FIELD_PICK, "recipe", N_("RECIPE"), "");
    char **names = paths_names("recipes", ".json");
    for (size_t i = 0; names && names[i]; i++)
        form_choice(x, names[i]);
    paths_free_names(names);
    form_pick(x, "selfinstruct");
}

static void add_teachers(struct form *f)
{
    struct form_field *x = form_add(f, FIELD_PICK, "teacher", N_("TEACHER"),
                                    "");
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

void expand_build(struct app *a, struct form *f)
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
    struct form_field *x = form_add(f, FIELD_PICK, "split", N_("DRAW FROM"),
                                    "");
    form_choice(x, _("every split"));
    for (int i = 0; i < SPLIT_COUNT; i++)
        form_choice(x, split_name((enum split)i));
    form_add(f, FIELD_NUMBER, "prompts", N_("NEW PROMPTS"), prompts);
    x = form_add(f, FIELD_NUMBER, "answers", N_("ANSWERS EACH"), "1");
    snprintf(x->note, sizeof x->note, "%s", _("2 or more are for Rank"));
    x = form_add(f, FIELD_NUMBER, "temperature", N_("TEMPERATURE"), "");
    snprintf(x->note, sizeof x->note, "%s", _("empty: the recipe's own"));
    x = form_add(f, FIELD_NUMBER, "stop-at", N_("STOP AT"), "");
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
        .target = a->target, .recipe = form_value(f, "recipe"),
        .teacher = form_value(f, "teacher"), .split = -1,
        .prompts = (int64_t)form_number(f, "prompts", 0),
        .answers = (int64_t)form_number(f, "answers", 1),
        .temperature = form_number(f, "temperature", NAN),
        .spend_max = form_number(f, "stop-at", NAN),
        .seed = seed >> 1};
    if (split_parse(form_value(f, "split"), &split))
        x.split = (int)split;
    if (x.answers < 1)
        x.answers = 1;
    return x;
}

static void note_choices(struct form *f)
{
    struct profiles ps;
    struct recipe *r = recipe_find(form_value(f, "recipe"), NULL);
    if (r)
        snprintf(f->fields[0].note, sizeof f->fields[0].note, "%s: %s",
                 recipe_kind_label(r->kind), r->about);
    recipe_free(&r);
    if (!profiles_load(NULL, &ps, NULL))
        return;
    const struct profile *p = profile_find(&ps, form_value(f, "teacher"));
    if (p)
        snprintf(f->fields[1].note, sizeof f->fields[1].note,
                 _("%d at once, %.60s"), p->concurrency,
                 p->url ? p->url : p->serve);
    profiles_free(&ps);
}

static void tell_cost(struct form *f, const struct estimate *n)
{
    char first[32], then[32], in[32], out[32], cost[40] = "";
    int64_t calls = n->calls_first + n->calls_then;
    if (n->cost > 0) {
        int decimals = n->cost < 1 ? 4 : 2;
        snprintf(cost, sizeof cost, "   %s",
                 lang_money(first, sizeof first, n->cost, decimals));
    }
    snprintf(f->price, sizeof f->price, P_("%s call", "%s calls",
                                           (unsigned long)calls),
             lang_number(then, sizeof then, (double)calls, 0));
    if (*cost) {
        size_t at = strlen(f->price);
        snprintf(f->price + at, sizeof f->price - at, _(", about %s"),
                 cost + 3);
    }
    snprintf(f->facts[0], sizeof f->facts[0],
             _("%s + %s calls   %s tokens in   %s out"),
             lang_number(first, sizeof first, (double)n->calls_first, 0),
             lang_number(then, sizeof then, (double)n->calls_then, 0),
             lang_number(in, sizeof in, (double)n->tokens_in, 0),
             lang_number(out, sizeof out, (double)n->tokens_out, 0));
    size_t at = strlen(f->facts[0]);
    snprintf(f->facts[0] + at, sizeof f->facts[0] - at, "%s", cost);
}

/* Time, and how many will pass, where earlier jobs say so. */
static void tell_past(struct form *f, const struct estimate *n)
{
    char time[40], pass[32];
    int64_t answers = n->calls_then ? n->calls_then : n->calls_first;
    if (!n->jobs)
        return;
    double seconds = n->seconds < 1 ? 1 : n->seconds;
    bool minutes = seconds >= 90;
    lang_number(time, sizeof time, minutes ? seconds / 60 : seconds, 0);
    snprintf(f->facts[1], sizeof f->facts[1],
             minutes ? _("about %s min") : _("about %s s"), time);
    size_t at = strlen(f->facts[1]);
    if (n->will_pass >= 0 && answers)
        snprintf(f->facts[1] + at, sizeof f->facts[1] - at,
                 _("   %s (%lld%%) will pass"),
                 lang_number(pass, sizeof pass, (double)n->will_pass, 0),
                 (long long)(100 * n->will_pass / answers));
    snprintf(f->facts[2], sizeof f->facts[2],
             P_("from the last job of this recipe with this teacher",
                "from the last %d jobs of this recipe with this teacher",
                (unsigned long)n->jobs), (int)n->jobs);
}

void expand_refresh(struct app *a)
{
    struct form *f = &a->form;
    struct expand x = read_expand(a);
    struct estimate n;
    struct err e = {0};
    note_choices(f);
    free(f->preview);
    f->preview = NULL;
    memset(f->facts, 0, sizeof f->facts);
    f->price[0] = '\0';
    x.seed = 7;
    if (!verb_estimate(a->s, &x, &n, &e)) {
        snprintf(f->facts[0], sizeof f->facts[0], "%.119s", e.text);
        return;
    }
    tell_cost(f, &n);
    tell_past(f, &n);
    snprintf(f->preview_title, sizeof f->preview_title, _("%lld tokens"),
             (long long)n.first_tokens);
    f->preview = n.first_prompt;
}

void expand_press(struct app *a)
{
    struct expand x = read_expand(a);
    struct err e = {0};
    int64_t job = verb_add_job(a->s, a->who, &x, &e);
    if (!job || !verb_start_job(a->s, job, false, &e)) {
        app_say_err(a, &e);
        return;
    }
    a->form.open = false;
    app_say(a, _("j%lld has begun; 5 shows what it brings"),
            (long long)job);
}
