/* The forms: what opens them, their keys, and the one that trains. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "app/child.h"
#include "app/expand.h"
#include "app/teacher.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/proc.h"
#include "verbs/train.h"

#define NANO_EPOCHS "32"

/* ---- Train -------------------------------------------------------------- */

enum { MEASURE_MS = 700 }; /* from the last key to the measurement */

/* What is trained: all weights, or pairs of a rank. */
static const struct method {
    const char *name;
    int64_t lora;
} methods[] = {{N_("all weights"), 0}, {"LoRA 16", 16}, {"LoRA 64", 64}};

static void build_train(struct app *a, struct form *f)
{
    (void)a;
    *f = (struct form){.kind = FORM_TRAIN, .facts_label = N_("ESTIMATE")};
    struct form_field *x = form_add(f, FIELD_LINE, "student", N_("STUDENT"),
                                    "nano");
    x->width = 32;
    x->path = true;
    snprintf(x->note, sizeof x->note, "%s", _("or a folder, a GGUF file"));
    x = form_add(f, FIELD_PICK, "lora", N_("METHOD"), "");
    for (size_t i = 0; i < COUNT(methods); i++)
        form_choice(x, _(methods[i].name));
    x = form_add(f, FIELD_LINE, "filter", N_("FILTER"), "");
    x->width = 32;
    snprintf(x->note, sizeof x->note, "%s", _("empty: all accepted"));
    x = form_add(f, FIELD_NUMBER, "epochs", N_("EPOCHS"), NANO_EPOCHS);
    snprintf(x->note, sizeof x->note, "%s",
             _("nano: from nothing; a model: 2 to 4"));
    form_add(f, FIELD_NUMBER, "seed", N_("SEED"), "1");
    f->buttons[f->n_buttons++] = N_("Start");
    f->buttons[f->n_buttons++] = N_("Close");
}

static int64_t lora_of(const struct form *f)
{
    for (size_t i = 0; i < COUNT(methods); i++)
        if (!strcmp(form_value(f, "lora"), _(methods[i].name)))
            return methods[i].lora;
    return 0;
}

static struct train read_train(struct app *a)
{
    const struct form *f = &a->form;
    return (struct train){.target = a->target,
                          .filter = form_value(f, "filter"),
                          .student = form_value(f, "student"),
                          .lora = lora_of(f),
                          .epochs = (int64_t)form_number(f, "epochs", 4),
                          .seed = (int64_t)form_number(f, "seed", 1)};
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

static void build_teacher(struct app *a, struct form *f)
{
    (void)a;
    teacher_form_build(f);
}

static void refresh_teacher(struct app *a)
{
    teacher_form_refresh(&a->form);
}

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
    if (a->form.kind == FORM_EXPAND)
        return expand_tick(a) || measured;
    if (!teacher_form_tick(&a->trying, said, sizeof said))
        return measured;
    app_say(a, "%s", said);
    return true;
}

/* ---- All forms ---------------------------------------------------------- */

/* What a kind of form is made of, and what its pressed button does. */
static const struct {
    void (*build)(struct app *a, struct form *f);
    void (*refresh)(struct app *a);
    void (*press)(struct app *a);
} kinds[] = {[FORM_EXPAND] = {expand_build, expand_refresh, expand_press},
             [FORM_TRAIN] = {build_train, refresh_train, start_train},
             [FORM_TEACHER] = {build_teacher, refresh_teacher, press_teacher}};

static void refresh(struct app *a)
{
    a->form.stale = false;
    kinds[a->form.kind].refresh(a);
}

void form_open(struct app *a, enum form_kind kind, const char *args)
{
    struct err e = {0};
    if (!a->target && kind != FORM_TEACHER) {
        app_wrong(a, _("make a target first: 1, then +"));
        return;
    }
    if (a->form.kind != kind) {
        child_stop(&a->trying);
        form_free(&a->form);
        kinds[kind].build(a, &a->form);
    }
    if (!form_set(&a->form, args, &e)) {
        app_say_err(a, &e);
        return;
    }
    if (kind == FORM_EXPAND && a->view != VIEW_SEEDS)
        app_open(a, VIEW_SEEDS);
    form_enter(&a->form);
    a->said[0] = '\0';
    a->sight = SIGHT_NONE;
    refresh(a);
    a->stale = STALE_PAINT;
}

bool form_mode_key(struct app *a, const char *key)
{
    struct form *f = &a->form;
    a->stale = STALE_PAINT;
    if (f->kind == FORM_EXPAND && !strcmp(key, "Esc") && expand_leave(a))
        return true;
    enum form_event event = form_key(f, key);
    a->said[0] = '\0';
    if (event == FORM_PRESSED && f->at == f->n_fields + f->n_buttons - 1) {
        f->open = false;
        if (f->kind == FORM_EXPAND)
            expand_leave(a);
    } else if (event == FORM_PRESSED)
        kinds[f->kind].press(a);
    else if (event == FORM_CLOSED)
        app_say(a, _("closed; the form is kept"));
    else if (f->stale)
        refresh(a);
    return event != FORM_IGNORED;
}

void form_mode_paste(struct app *a, const char *text)
{
    if (form_paste(&a->form, text))
        refresh(a);
    else
        app_say(a, _("this field takes no such text; it was dropped"));
}

/* The field whose value is typed at text[at]: "--NAME" stands before it. */
static struct form_field *field_before(struct form *f, const char *text,
                                       size_t at)
{
    size_t end = at;
    while (end && text[end - 1] == ' ')
        end--;
    size_t start = end;
    while (start && text[start - 1] != ' ')
        start--;
    char *word = xstrndup(text + start, end - start);
    struct form_field *x =
        strncmp(word, "--", 2) ? NULL : form_field(f, word + 2);
    free(word);
    return x;
}

/* Fields, and behind one its choices, of the form as it would open. */
static void complete_form(struct app *a, enum form_kind kind,
                          const char *text, size_t *from, struct buf *out)
{
    struct form f;
    size_t at = strlen(text);
    while (at && text[at - 1] != ' ')
        at--;
    *from = at;
    kinds[kind].build(a, &f);
    struct form_field *x = field_before(&f, text, at);
    for (size_t i = 0; x && i < x->choices.n; i++) {
        const char *choice = x->choices.at[i];
        char *word = strchr(choice, ' ') ? proc_quote(choice)
                                         : xstrdup(choice);
        complete_word(out, text + at, word, " ");
        free(word);
    }
    for (size_t i = 0; !x && i < f.n_fields; i++) {
        char *word = xasprintf("--%s", f.fields[i].name);
        complete_word(out, text + at, word, " ");
        free(word);
    }
    form_free(&f);
}

void complete_expand(struct app *a, const char *text, size_t *from,
                     struct buf *out)
{
    complete_form(a, FORM_EXPAND, text, from, out);
}

void complete_train(struct app *a, const char *text, size_t *from,
                    struct buf *out)
{
    complete_form(a, FORM_TRAIN, text, from, out);
}
