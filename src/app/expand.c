#include "app/expand.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/child.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/rng.h"
#include "demo/demo.h"
#include "domain/check.h"
#include "recipe/recipe.h"
#include "store/stat.h"
#include "teacher/profile.h"
#include "verbs/elicit.h"
#include "verbs/launch.h"

#define LOOK_SEED 7 /* of the draws that are shown, and of a call tried */

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
    *f = (struct form){.kind = FORM_EXPAND};
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
    f->buttons[f->n_buttons++] = N_("Try one call");
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
    f->tried = false;
    f->scroll = 0;
    f->facts_label = N_("ESTIMATE");
    f->preview_label = N_("FIRST PROMPT");
    x.seed = LOOK_SEED;
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

/* ---- One call ------------------------------------------------------------ */

/* The same command on the line, as a child: its first call is the one whose
 * prompt is shown. */
static void try_call(struct app *a)
{
    const struct form *f = &a->form;
    struct err e = {0};
    char seed[24];
    const char *split = a->form.fields[2].choice ? form_value(f, "split")
                                                 : NULL;
    VEC(const char *) args = {0};
    const char *const always[] = {
        "expand", "--try", "--json", "--store", store_path(a->s), "--target",
        a->target_name, "--recipe", form_value(f, "recipe"), "--teacher",
        form_value(f, "teacher"), "--seed", seed};
    const struct {
        const char *option, *value;
    } given[] = {{"--split", split ? split : ""},
                 {"--prompts", form_value(f, "prompts")},
                 {"--temperature", form_value(f, "temperature")}};
    snprintf(seed, sizeof seed, "%d", LOOK_SEED);
    for (size_t i = 0; i < COUNT(always); i++)
        VEC_PUSH(&args, always[i]);
    for (size_t i = 0; i < COUNT(given); i++) {
        if (!*given[i].value)
            continue;
        VEC_PUSH(&args, given[i].option);
        VEC_PUSH(&args, given[i].value);
    }
    VEC_PUSH(&args, NULL);
    if (a->trying.pid)
        app_say(a, "%s", _("a call is on its way"));
    else if (child_start(&a->trying, args.at, true, &e))
        app_say(a, _("asking %s one call, which is paid; Esc leaves it"),
                form_value(f, "teacher"));
    else
        app_say_err(a, &e);
    VEC_FREE(&args);
}

/* "7 of 8 pass: near 1" */
static void tell_checks(char *out, size_t cap, const json *j)
{
    struct buf b = BUF_INIT(0);
    long long found = (long long)json_get_int(j, "found", 0);
    long long again = (long long)json_get_int(j, "repeated", 0);
    buf_printf(&b, _("%lld of %lld pass their checks"),
               (long long)json_get_int(j, "passed", 0), found);
    for (int i = 0; i < CHECK_COUNT; i++) {
        const char *name = check_name((enum check)i);
        long long fails =
            (long long)json_get_int(json_get(j, "fails"), name, 0);
        long long warns =
            (long long)json_get_int(json_get(j, "warns"), name, 0);
        if (fails)
            buf_printf(&b, ", ✗ %s %lld", check_label((enum check)i), fails);
        if (warns)
            buf_printf(&b, ", ! %s %lld", check_label((enum check)i), warns);
    }
    if (again)
        buf_printf(&b, P_(", %lld is there already",
                          ", %lld are there already", (unsigned long)again),
                   again);
    snprintf(out, cap, "%s", buf_str(&b));
    buf_free(&b);
}

/* What it took: "0.4 s, 412 tokens in, 96 out, $0.0003". */
static void tell_taken(char *out, size_t cap, const json *j)
{
    char s[32], in[40], said[40], cost[40];
    int64_t n_in = json_get_int(j, "tokens_in", -1);
    int64_t n_out = json_get_int(j, "tokens_out", -1);
    double paid = json_get_number(j, "cost", 0);
    snprintf(out, cap, _("%s s, %s tokens in, %s out, %s"),
             lang_number(s, sizeof s, json_get_number(j, "ms", 0) / 1000, 1),
             n_in < 0 ? "?" : tokens(in, sizeof in, n_in),
             n_out < 0 ? "?" : tokens(said, sizeof said, n_out),
             money(cost, sizeof cost, paid));
}

/* In place of the estimate, until a field changes. */
static void show_tried(struct app *a, const json *j)
{
    struct form *f = &a->form;
    const char *why = json_get_string(j, "error", NULL);
    const char *reply = json_get_string(j, "reply", NULL);
    memset(f->facts, 0, sizeof f->facts);
    f->n_figures = 0;
    f->tried = true;
    f->scroll = 0;
    f->facts_label = N_("ONE CALL");
    f->preview_label = reply ? N_("REPLY") : N_("PROMPT");
    snprintf(f->preview_title, sizeof f->preview_title, "%s",
             json_get_string(j, "step", "")); /* whatever the fields say now */
    tell_taken(f->facts[0], sizeof f->facts[0], j);
    if (why)
        snprintf(f->facts[1], sizeof f->facts[1], "✗ %.190s", why);
    else
        tell_checks(f->facts[1], sizeof f->facts[1], j);
    snprintf(f->facts[2], sizeof f->facts[2], "%s",
             _("nothing of it was stored"));
    free(f->preview);
    f->preview = reply ? xasprintf("%s\n\n--- %s\n%s", reply,
                                   _("the prompt that was sent:"),
                                   json_get_string(j, "prompt", ""))
                       : xstrdup(json_get_string(j, "prompt", ""));
}

bool expand_leave(struct app *a)
{
    if (!a->trying.pid)
        return false;
    child_stop(&a->trying);
    app_say(a, "%s", _("the call was left; it may be paid all the same"));
    return true;
}

bool expand_tick(struct app *a)
{
    struct buf out = BUF_INIT((size_t)16 << 20);
    struct err e = {0};
    bool ok;
    if (!child_ended(&a->trying, &ok, &out))
        return false;
    const char *text = buf_str(&out);
    json *j = *text == '{' ? json_parse(text, out.len, &e) : NULL;
    if (j && a->form.open)
        show_tried(a, j);
    else if (!j)
        app_say(a, "%.*s", (int)strcspn(text, "\n"),
                text + (strncmp(text, "stillroom: ", 11) ? 0 : 11));
    if (j && a->form.open)
        a->said[0] = '\0';
    a->stale = STALE_PAINT;
    json_free(j);
    buf_free(&out);
    return true;
}

void expand_press(struct app *a)
{
    struct expand x = read_expand(a);
    struct err e = {0};
    if (a->form.at != a->form.n_fields + a->form.main) {
        try_call(a);
        return;
    }
    int64_t job = verb_add_job(a->s, a->who, &x, &e);
    if (!job || !verb_start_job(a->s, job, false, &e)) {
        app_say_err(a, &e);
        return;
    }
    a->form.open = false;
    expand_leave(a);
    app_say(a, _("j%lld has begun; 5 shows what it brings"),
            (long long)job);
}
