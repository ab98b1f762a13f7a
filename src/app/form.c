#include "app/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "base/paths.h"
#include "base/proc.h"

void form_free(struct form *f)
{
    for (size_t i = 0; i < f->n_fields; i++) {
        for (size_t k = 0; k < f->fields[i].choices.n; k++)
            free(f->fields[i].choices.at[k]);
        VEC_FREE(&f->fields[i].choices);
    }
    line_done(&f->typing);
    free(f->preview);
    *f = (struct form){.kind = FORM_NONE};
}

struct form_field *form_add(struct form *f, enum field_kind kind,
                            const char *name, const char *label,
                            const char *value)
{
    struct form_field *x = &f->fields[f->n_fields++];
    *x = (struct form_field){.kind = kind, .name = name, .label = label,
                             .width = 8};
    snprintf(x->value, sizeof x->value, "%s", value);
    return x;
}

void form_choice(struct form_field *x, const char *name)
{
    VEC_PUSH(&x->choices, xstrdup(name));
    if (x->choices.n == 1)
        snprintf(x->value, sizeof x->value, "%s", name);
}

static void choose(struct form_field *x, size_t i)
{
    x->choice = i;
    snprintf(x->value, sizeof x->value, "%s", x->choices.at[i]);
}

void form_pick(struct form_field *x, const char *name)
{
    for (size_t i = 0; i < x->choices.n; i++)
        if (!strcmp(x->choices.at[i], name))
            choose(x, i);
}

struct form_field *form_field(struct form *f, const char *name)
{
    for (size_t i = 0; i < f->n_fields; i++)
        if (!strcmp(f->fields[i].name, name))
            return &f->fields[i];
    return NULL;
}

const char *form_value(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->n_fields; i++)
        if (!strcmp(f->fields[i].name, name))
            return f->fields[i].value;
    return "";
}

double form_number(const struct form *f, const char *name, double otherwise)
{
    const char *text = form_value(f, name);
    char copy[64], *end;
    snprintf(copy, sizeof copy, "%s", text);
    char *comma = strchr(copy, ',');
    if (comma)
        *comma = '.';
    double v = strtod(copy, &end);
    return end > copy && !*end ? v : otherwise;
}

/* Something was put into a field. */
static void changed(struct form *f, struct form_field *x)
{
    if (x->path) {
        char *path = paths_typed(x->value);
        if (strlen(path) < sizeof x->value)
            snprintf(x->value, sizeof x->value, "%s", path);
        free(path);
    }
    f->fresh = false;
    f->stale = true;
}

/* The cursor comes to a field, or a button, behind what stands there. */
static void focus(struct form *f, size_t at)
{
    f->at = at;
    f->fresh = true;
    line_close(&f->typing, false);
    if (at < f->n_fields && f->fields[at].kind != FIELD_PICK)
        line_open(&f->typing, LINE_FIELD, f->fields[at].value);
}

void form_enter(struct form *f)
{
    f->open = true;
    focus(f, 0);
}

/* ---- From a line -------------------------------------------------------- */

static bool is_number(const char *text)
{
    return strspn(text, "0123456789.,") == strlen(text);
}

/* The choice of that name, or that ends in it as a word ("LoRA 16"). */
static bool choose_named(struct form_field *x, const char *name)
{
    for (size_t i = 0; i < x->choices.n; i++) {
        const char *blank = strrchr(x->choices.at[i], ' ');
        if (!strcmp(x->choices.at[i], name) ||
            (blank && !strcmp(blank + 1, name))) {
            choose(x, i);
            return true;
        }
    }
    return false;
}

static bool no_choice(const struct form_field *x, const char *value,
                      struct err *e)
{
    struct buf all = BUF_INIT(300);
    for (size_t i = 0; i < x->choices.n; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", x->choices.at[i]);
    err_set(e, ERR_INPUT, _("no %s is named %s; there are %s"), x->name,
            value, buf_str(&all));
    buf_free(&all);
    return false;
}

static bool set_field(struct form *f, const char *name, const char *value,
                      struct err *e)
{
    struct form_field *x = form_field(f, name);
    if (!x) {
        struct buf all = BUF_INIT(300);
        for (size_t i = 0; i < f->n_fields; i++)
            buf_printf(&all, "%s%s", i ? ", " : "", f->fields[i].name);
        err_set(e, ERR_INPUT, _("no field is named %s; there are %s"), name,
                buf_str(&all));
        buf_free(&all);
        return false;
    }
    if (x->kind == FIELD_PICK && !choose_named(x, value))
        return no_choice(x, value, e);
    if (x->kind == FIELD_NUMBER && !is_number(value))
        return err_set(e, ERR_INPUT, _("%s is a number"), name);
    if (strlen(value) >= sizeof x->value)
        return err_set(e, ERR_INPUT, _("%s is too long"), name);
    if (x->kind != FIELD_PICK)
        snprintf(x->value, sizeof x->value, "%s", value);
    changed(f, x);
    return true;
}

bool form_set(struct form *f, const char *args, struct err *e)
{
    if (!args[strspn(args, " ")])
        return true;
    char **words = proc_split(args);
    bool ok = words || err_set(e, ERR_INPUT, _("a quote is open"));
    for (size_t i = 0; ok && words[i]; i++) {
        char *name = words[i] + strspn(words[i], "-");
        char *value = strchr(name, '=');
        if (value)
            *value++ = '\0';
        else if (words[i + 1])
            value = words[++i];
        ok = value ? set_field(f, name, value, e)
                   : err_set(e, ERR_INPUT, _("%s needs a value"), name);
    }
    proc_free_argv(words);
    return ok;
}

/* ---- Keys --------------------------------------------------------------- */

/* The first digit takes the place of a number that stood there. */
static void replace(struct form *f, const struct form_field *x)
{
    if (f->fresh && x->kind == FIELD_NUMBER)
        line_open(&f->typing, LINE_FIELD, "");
    f->fresh = false;
}

/* Brings a field's value up to what was typed; false where it is that. */
static bool take_typed(struct form *f, struct form_field *x)
{
    const char *text = buf_str(&f->typing.text);
    if (!strcmp(text, x->value))
        return false;
    snprintf(x->value, sizeof x->value, "%s", text);
    changed(f, x);
    if (strcmp(text, x->value))
        line_open(&f->typing, LINE_FIELD, x->value);
    return true;
}

static enum form_event typed(struct form *f, struct form_field *x,
                             const char *key)
{
    bool text = !key[1] || (unsigned char)key[0] >= 0x80;
    if (x->kind == FIELD_NUMBER &&
        (text ? !is_number(key) : !strcmp(key, "Space")))
        return FORM_IGNORED;
    if (text)
        replace(f, x);
    if (!line_key(&f->typing, key))
        return FORM_IGNORED;
    f->fresh = false;
    return take_typed(f, x) ? FORM_CHANGED : FORM_MOVED;
}

bool form_paste(struct form *f, const char *text)
{
    struct form_field *x = f->at < f->n_fields ? &f->fields[f->at] : NULL;
    size_t n = strlen(text);
    if (!x || x->kind == FIELD_PICK)
        return false;
    while (n && strchr(" \n", text[n - 1])) /* as a line is copied */
        n--;
    char *line = xstrndup(text, n);
    bool fits = n && (x->kind == FIELD_LINE || is_number(line));
    if (fits) {
        replace(f, x);
        line_paste(&f->typing, line);
        fits = !*f->typing.wrong;
        if (fits)
            take_typed(f, x);
        else
            line_open(&f->typing, LINE_FIELD, x->value);
    }
    free(line);
    return fits;
}

static void move(struct form *f, int by)
{
    size_t all = f->n_fields + f->n_buttons;
    focus(f, (f->at + all + (size_t)by) % all);
}

enum form_event form_key(struct form *f, const char *key)
{
    bool on_field = f->at < f->n_fields;
    struct form_field *x = on_field ? &f->fields[f->at] : NULL;
    bool left = !strcmp(key, "Left"), right = !strcmp(key, "Right");
    if (!strcmp(key, "Esc")) {
        f->open = false;
        return FORM_CLOSED;
    }
    if (!strcmp(key, FORM_START)) {
        focus(f, f->n_fields + f->main);
        return FORM_PRESSED;
    }
    if (!strcmp(key, "Tab") || !strcmp(key, "Down") ||
        (right && !on_field)) {
        move(f, 1);
        return FORM_MOVED;
    }
    if (!strcmp(key, "BackTab") || !strcmp(key, "Up") ||
        (left && !on_field)) {
        move(f, -1);
        return FORM_MOVED;
    }
    if (!strcmp(key, "Enter")) {
        if (!on_field)
            return FORM_PRESSED;
        move(f, 1);
        return FORM_MOVED;
    }
    if (!strcmp(key, "PgDn") || !strcmp(key, "PgUp")) {
        f->scroll += key[2] == 'D' ? 1 : -1;
        f->scroll = f->scroll < 0 ? 0 : f->scroll;
        return FORM_MOVED;
    }
    if (x && x->kind == FIELD_PICK && (left || right) && x->choices.n) {
        size_t n = x->choices.n;
        choose(x, (x->choice + n + (left ? n - 1 : 1)) % n);
        f->stale = true;
        return FORM_CHANGED;
    }
    return x && x->kind != FIELD_PICK ? typed(f, x, key) : FORM_IGNORED;
}
