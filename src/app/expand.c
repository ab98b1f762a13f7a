#include "app/expand.h"

#include <math.h>
#include <stdarg.h>
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

/* The teacher that this target was last asked at; NULL: none yet. The caller
 * frees. */
static char *last_teacher(struct app *a)
{
    ids jobs = {0};
    char *name = NULL;
    if (!job_ids(a->s, a->target, &jobs, NULL))
        return NULL;
    for (size_t i = 0; i < jobs.n && !name; i++) {
        struct job j;
        if (!job_get(a->s, jobs.at[i], &j, NULL))
            continue;
        if (j.teacher)
            name = xstrdup(j.teacher);
        job_free(&j);
    }
    VEC_FREE(&jobs);
    return name;
}

/* Nobody new is asked, and paid, because a name stands first in the config. */
static void add_teachers(struct app *a, struct form *f)
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
    char *last = last_teacher(a);
    if (last || a->tour)
        form_pick(x, last ? last : "builtin");
    free(last);
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
    add_teachers(a, f);
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

/* "9,600", "212 k". */
static const char *tokens(char *out, size_t cap, int64_t n)
{
    char number[32];
    bool many = n >= 100000;
    lang_number(number, sizeof number, many ? (double)n / 1e3 : (double)n, 0);
    snprintf(out, cap, many ? _("%s k") : "%s", number);
    return out;
}

static const char *money(char *out, size_t cap, double cost)
{
    return lang_money(out, cap, cost, cost < 1 ? 4 : 2);
}

/* "45 s", "3 min". */
static const char *duration(char *out, size_t cap, double seconds)
{
    char number[32];
    bool minutes = seconds >= 90;
    lang_number(number, sizeof number,
                minutes ? seconds / 60 : seconds < 1 ? 1 : seconds, 0);
    snprintf(out, cap, minutes ? _("%s min") : _("%s s"), number);
    return out;
}

__attribute__((format(printf, 4, 5)))
static void add_figure(struct form *f, const char *title, int rank,
                       const char *fmt, ...)
{
    struct form_figure *x = &f->figures[f->n_figures++];
    va_list ap;
    *x = (struct form_figure){.title = title, .rank = rank};
    va_start(ap, fmt);
    vsnprintf(x->value, sizeof x->value, fmt, ap);
    va_end(ap);
}

/* What is known of it: money where the teacher has prices, time and what will
 * pass where earlier jobs say so. */
static void tell_figures(struct form *f, const struct estimate *n)
{
    char a[40], b[40];
    int64_t answers = n->calls_then ? n->calls_then : n->calls_first;
    lang_number(a, sizeof a, (double)n->calls_first, 0);
    lang_number(b, sizeof b, (double)n->calls_then, 0);
    add_figure(f, N_("calls"), 0, n->calls_then ? "%s + %s" : "%s", a, b);
    add_figure(f, N_("tokens in"), 4, "%s",
               tokens(a, sizeof a, n->tokens_in));
    add_figure(f, N_("tokens out"), 5, "%s",
               tokens(a, sizeof a, n->tokens_out));
    if (n->cost > 0)
        add_figure(f, N_("cost"), 1, "%s", money(a, sizeof a, n->cost));
    if (n->jobs)
        add_figure(f, N_("time"), 2, "%s",
                   duration(a, sizeof a, n->seconds));
    if (n->jobs && n->will_pass >= 0 && answers)
        add_figure(f, N_("will pass"), 3, "%s (%lld%%)",
                   lang_number(a, sizeof a, (double)n->will_pass, 0),
                   (long long)(100 * n->will_pass / answers));
    if (n->jobs)
        snprintf(f->facts[0], sizeof f->facts[0],
                 P_("from the last job of this recipe with this teacher",
                    "from the last %d jobs of this recipe with this teacher",
                    (unsigned long)n->jobs), (int)n->jobs);
}

/* Behind the button: "425 calls, about $0.11". */
static void tell_price(struct form *f, const struct estimate *n)
{
    char text[40];
    int64_t calls = n->calls_first + n->calls_then;
    snprintf(f->price, sizeof f->price,
             P_("%s call", "%s calls", (unsigned long)calls),
             lang_number(text, sizeof text, (double)calls, 0));
    size_t at = strlen(f->price);
    if (n->cost > 0)
        snprintf(f->price + at, sizeof f->price - at, _(", about %s"),
                 money(text, sizeof text, n->cost));
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
    f->n_figures = 0;
    f->price[0] = '\0';
    x.seed = 7;
    if (!verb_estimate(a->s, &x, &n, &e)) {
        snprintf(f->facts[0], sizeof f->facts[0], "%.119s", e.text);
        return;
    }
    tell_figures(f, &n);
    tell_price(f, &n);
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
