#include "app/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void form_free(struct form *f)
{
    for (size_t i = 0; i < f->n_fields; i++) {
        for (size_t k = 0; k < f->fields[i].choices.n; k++)
            free(f->fields[i].choices.at[k]);
        VEC_FREE(&f->fields[i].choices);
    }
    free(f->preview);
    *f = (struct form){.kind = FORM_NONE};
}

struct form_field *form_add(struct form *f, enum field_kind kind,
                            const char *label, const char *value)
{
    struct form_field *x = &f->fields[f->n_fields++];
    *x = (struct form_field){.kind = kind, .label = label, .width = 8};
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

const char *form_value(const struct form *f, const char *label)
{
    for (size_t i = 0; i < f->n_fields; i++)
        if (!strcmp(f->fields[i].label, label))
            return f->fields[i].value;
    return "";
}

double form_number(const struct form *f, const char *label, double otherwise)
{
    const char *text = form_value(f, label);
    char copy[64], *end;
    snprintf(copy, sizeof copy, "%s", text);
    char *comma = strchr(copy, ',');
    if (comma)
        *comma = '.';
    double v = strtod(copy, &end);
    return end > copy && !*end ? v : otherwise;
}

static bool typed(struct form_field *x, const char *key, bool fresh)
{
    size_t n = strlen(x->value);
    if (!strcmp(key, "Backspace")) {
        while (n > 0 && ((unsigned char)x->value[--n] & 0xc0) == 0x80)
            ;
        x->value[n] = '\0';
        return true;
    }
    if (!strcmp(key, "^U")) {
        x->value[0] = '\0';
        return true;
    }
    if (!strcmp(key, "Space"))
        key = " ";
    bool digit = strspn(key, "0123456789.,") == strlen(key);
    bool text = (unsigned char)key[0] >= 0x80 || !key[1];
    if (x->kind == FIELD_NUMBER ? !digit : !text)
        return false;
    if (fresh && x->kind == FIELD_NUMBER)
        n = 0;
    if (n + strlen(key) + 1 < sizeof x->value)
        memcpy(x->value + n, key, strlen(key) + 1);
    return true;
}

static void move(struct form *f, int by)
{
    size_t all = f->n_fields + f->n_buttons;
    f->at = (f->at + all + (size_t)by) % all;
    f->fresh = true;
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
    if (x && x->kind != FIELD_PICK && typed(x, key, f->fresh)) {
        f->fresh = false;
        f->stale = true;
        return FORM_CHANGED;
    }
    return FORM_IGNORED;
}
