/* The forms that begin something: expand, train. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/child.h"
#include "app/teacher.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/rng.h"
#include "demo/demo.h"
#include "recipe/recipe.h"
#include "store/stat.h"
#include "teacher/profile.h"
#include "verbs/elicit.h"
#include "verbs/launch.h"
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
static const char METHOD[] = N_("METHOD");
static const char EPOCHS[] = N_("EPOCHS");
static const char START[] = N_("SEED");

/* ---- Expand ------------------------------------------------------------- */

static void add_recipes(struct form *f)
{
    struct form_field *x = form_add(f, FIELD_PICK, RECIPE, "");
    char **names = paths_names("recipes", ".json");
    for (size_t i = 0; names && names[i]; i++)
        form_choice(x, names[i]);
    paths_free_names(names);
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
                 recipe_kind_name(r->kind), r->about);
    recipe_free(&r);
    if (!profiles_load(NULL, &ps, NULL))
        return;
    const struct profile *p = profile_find(&ps, form_value(f, TEACHER));
    if (p)
        snprintf(f->fields[1].note, sizeof f->fields[1].note,
                 _("%d at once, %.60s"), p->concurrency,
                 p->url ? p->url : p->serve);
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
    char first[32], then[32], in[32], out[32];
    snprintf(f->facts[0], sizeof f->facts[0],
             _("%s + %s calls   %s tokens in   %s out"),
             lang_number(first, sizeof first, (double)n.calls_first, 0),
             lang_number(then, sizeof then, (double)n.calls_then, 0),
             lang_number(in, sizeof in, (double)n.tokens_in, 0),
             lang_number(out, sizeof out, (double)n.tokens_out, 0));
    if (n.cost > 0) {
        size_t at = strlen(f->facts[0]);
        snprintf(f->facts[0] + at, sizeof f->facts[0] - at, "   %s",
                 lang_money(first, sizeof first, n.cost, n.cost < 1 ? 4 : 2));
    }
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
    app_say(a, _("j%lld has begun; 5 shows what it brings"),
            (long long)job);
}

/* ---- Train -------------------------------------------------------------- */

enum { MEASURE_MS = 700 }; /* from the last key to the measurement */

/* What is trained: all weights, or pairs of a rank. */
static const struct method {
    const char *name;
    int64_t lora;
} methods[] = {{N_("all weights"), 0}, {"LoRA 16", 16}, {"LoRA 64", 64}};

static void build_train(struct form *f)
{
    *f = (struct form){.kind = FORM_TRAIN, .facts_label = N_("ESTIMATE")};
    struct form_field *x = form_add(f, FIELD_LINE, STUDENT, "nano");
    x->width = 32;
    snprintf(x->note, sizeof x->note, "%s", _("or a folder, a GGUF file"));
    x = form_add(f, FIELD_PICK, METHOD, "");
    for (size_t i = 0; i < COUNT(methods); i++)
        form_choice(x, _(methods[i].name));
    x = form_add(f, FIELD_LINE, FILTER, "");
    x->width = 32;
    snprintf(x->note, sizeof x->note, "%s", _("empty: all accepted"));
    x = form_add(f, FIELD_NUMBER, EPOCHS, NANO_EPOCHS);
    snprintf(x->note, sizeof x->note, "%s",
             _("nano: from nothing; a model: 2 to 4"));
    form_add(f, FIELD_NUMBER, START, "1");
    f->buttons[f->n_buttons++] = N_("Start");
    f->buttons[f->n_buttons++] = N_("Close");
}

static int64_t lora_of(const struct form *f)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (!strcmp(form_value(f, METHOD), _(methods[i].name)))
            return methods[i].lora;
    return 0;
}

static struct train read_train(struct app *a)
{
    const struct form *f = &a->form;
    return (struct train){.target = a->target,
                          .filter = form_value(f, FILTER),
                          .student = form_value(f, STUDENT),
                          .lora = lora_of(f),
                          .epochs = (int64_t)form_number(f, EPOCHS, 4),
                          .seed = (int64_t)form_number(f, START, 1)};
}

static void refresh_train(struct app *a)
{
    struct form *f = &a->form;
    struct train t = read_train(a);
    struct train_estimate n;
    struct err e = {0};
    memset(f->facts, 0, sizeof f->facts);
    child_stop(&a->measuring);
    a->measure_at = 0;
    if (!verb_train_estimate(a->s, &t, &n, &e)) {
        snprintf(f->facts[0], sizeof f->facts[0], "%.119s", e.text);
        return;
    }
    snprintf(f->facts[0], sizeof f->facts[0],
             P_("%lld row of train, %lld held out of valid",
                "%lld rows of train, %lld held out of valid",
                (unsigned long)n.rows),
             (long long)n.rows, (long long)n.held_out);
    if (n.held_out < TRAIN_LEAST)
        snprintf(f->facts[1], sizeof f->facts[1],
                 _("under %d held-out rows: no figure will be shown"),
                 TRAIN_LEAST);
    if (n.rows)
        a->measure_at = clock_mono() + MEASURE_MS;
}

static char *fact_line(struct form *f)
{
    size_t i = 1;
    while (i + 1 < COUNT(f->facts) && *f->facts[i])
        i++;
    return f->facts[i];
}

/* The same command on the line, as a child: it reads the student, which may
 * be large, and makes two steps. */
static void start_measuring(struct app *a)
{
    struct train t = read_train(a);
    struct err e = {0};
    char lora[24], epochs[24];
    a->measure_at = 0;
    snprintf(lora, sizeof lora, "%lld", (long long)t.lora);
    snprintf(epochs, sizeof epochs, "%lld", (long long)t.epochs);
    const char *args[] = {"train", "--estimate", "--json", "--store",
                          store_path(a->s), "--target", a->target_name,
                          "--student", t.student, "--filter", t.filter,
                          "--lora", lora, "--epochs", epochs, NULL};
    bool ok = child_start(&a->measuring, args, false, &e);
    snprintf(fact_line(&a->form), sizeof a->form.facts[0], "%.199s",
             ok ? _("measuring on this machine ...") : e.text);
}

/* "134.5 M", "0.8 M". */
static char *millions(char *out, size_t cap, double n)
{
    char number[32];
    snprintf(out, cap, _("%s M"),
             lang_number(number, sizeof number, n / 1e6, 1));
    return out;
}

/* "1.2 GB", "18 MB". */
static char *bytes(char *out, size_t cap, double n)
{
    char number[32];
    bool large = n >= 1e9;
    lang_number(number, sizeof number, n / (large ? 1e9 : 1e6), large);
    snprintf(out, cap, large ? "%s GB" : "%s MB", number);
    return out;
}

static void tell_time(struct form *f, const json *j)
{
    char minutes[32], rate[32];
    double seconds = json_get_number(j, "seconds", 0);
    snprintf(fact_line(f), sizeof f->facts[0],
             _("about %s minutes on this machine, %s tokens a second"),
             lang_number(minutes, sizeof minutes, seconds / 60,
                         seconds < 600 ? 1 : 0),
             lang_number(rate, sizeof rate,
                         json_get_number(j, "tokens_per_second", 0), 0));
}

static void tell_cost(struct form *f, const json *j)
{
    char all[40], some[40], needed[40], there[40];
    long long cut = (long long)json_get_int(j, "rows_cut", 0);
    bytes(needed, sizeof needed, json_get_number(j, "memory_bytes", 0));
    bytes(there, sizeof there, json_get_number(j, "available_bytes", 0));
    snprintf(fact_line(f), sizeof f->facts[0],
             _("%s parameters, %s trained; %s of %s free"),
             millions(all, sizeof all, json_get_number(j, "parameters", 0)),
             millions(some, sizeof some, json_get_number(j, "trained", 0)),
             needed, there);
    if (json_get_bool(j, "fits", false))
        tell_time(f, j);
    else
        snprintf(fact_line(f), sizeof f->facts[0], "%s",
                 _("that is more memory than there is: take LoRA, or a "
                   "smaller student"));
    if (cut)
        snprintf(fact_line(f), sizeof f->facts[0],
                 P_("%lld sample is longer than the student reads",
                    "%lld samples are longer than the student reads",
                    (size_t)cut), cut);
}

static void stop_measuring(struct app *a)
{
    child_stop(&a->measuring);
    a->measure_at = 0;
}

/* True where the screen changed. */
static bool measure_tick(struct app *a)
{
    struct form *f = &a->form;
    struct buf out = BUF_INIT(65536);
    struct err e;
    bool ok, here = f->open && f->kind == FORM_TRAIN;
    if (!here && (a->measuring.pid || a->measure_at))
        stop_measuring(a);
    if (here && a->measure_at && clock_mono() >= a->measure_at) {
        start_measuring(a);
        return true;
    }
    if (!child_ended(&a->measuring, &ok, &out))
        return false;
    const char *text = buf_str(&out);
    json *j = ok ? json_parse(text, out.len, &e) : NULL;
    char *line = f->facts[*f->facts[2] ? 2 : 1]; /* where it said so */
    if (here)
        *line = '\0';
    if (here && j)
        tell_cost(f, j);
    else if (here)
        snprintf(line, sizeof f->facts[0], "%.*s", (int)strcspn(text, "\n"),
                 text + (strncmp(text, "stillroom: ", 11) ? 0 : 11));
    json_free(j);
    buf_free(&out);
    return here;
}

static void start_train(struct app *a)
{
    struct train t = read_train(a);
    struct err e = {0};
    stop_measuring(a); /* the memory is wanted */
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
    bool measured = measure_tick(a);
    if (!teacher_form_tick(&a->trying, said, sizeof said))
        return measured;
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
    a->sight = SIGHT_NONE;
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
