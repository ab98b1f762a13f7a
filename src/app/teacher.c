#include "app/teacher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "teacher/profile.h"

enum { AT_NAME, AT_ENDPOINT, AT_ADDRESS, AT_MODEL, AT_KEY_FROM, AT_KEY };

/* Where a key comes from: the choice, and the profile's key. */
static const struct {
    const char *name, *key, *option, *note;
} sources[] = {
    {N_("variable"), "key_env", "--key-env", N_("of the environment")},
    {N_("file"), "key_file", "--key-file", N_("yours alone, 0600")},
    {N_("command"), "key_command", "--key-command", N_("prints the key")},
    {N_("no key"), NULL, NULL, ""}};

static void set(struct form *f, int at, const char *value)
{
    snprintf(f->fields[at].value, sizeof f->fields[at].value, "%s",
             value ? value : "");
}

static size_t source_of(const struct form *f)
{
    return f->fields[AT_KEY_FROM].choice;
}

/* Address, key and note of the chosen kind of endpoint. */
static void take_preset(struct form *f)
{
    struct presets all;
    if (!presets_load(&all, NULL))
        return;
    const struct preset *p = preset_find(&all, form_value(f, "preset"));
    set(f, AT_ADDRESS, p ? p->url : "https://");
    bool key = p && p->key_env && *p->key_env;
    form_pick(&f->fields[AT_KEY_FROM], _(sources[key ? 0 : 3].name));
    set(f, AT_KEY, key ? p->key_env : "");
    snprintf(f->facts[1], sizeof f->facts[1], "%.199s",
             p && p->note ? p->note : "");
    presets_free(&all);
}

void teacher_form_build(struct form *f)
{
    struct presets all;
    *f = (struct form){.kind = FORM_TEACHER, .facts_label = N_("NOTE"),
                       .preview_label = N_("SECTION")};
    form_add(f, FIELD_LINE, "name", N_("NAME"), "")->width = 20;
    struct form_field *x = form_add(f, FIELD_PICK, "preset",
                                    N_("ENDPOINT"), "");
    if (presets_load(&all, NULL)) {
        for (size_t i = 0; i < all.n; i++)
            form_choice(x, all.at[i].name);
        presets_free(&all);
    }
    form_choice(x, _("another"));
    form_add(f, FIELD_LINE, "url", N_("ADDRESS"), "")->width = 50;
    form_add(f, FIELD_LINE, "model", N_("MODEL"), "")->width = 50;
    x = form_add(f, FIELD_PICK, "key-from", N_("KEY FROM"), "");
    for (size_t i = 0; i < COUNT(sources); i++)
        form_choice(x, _(sources[i].name));
    x = form_add(f, FIELD_LINE, "key", N_("KEY"), "");
    x->width = 30;
    x->path = true;
    f->buttons[f->n_buttons++] = N_("Try one call");
    f->main = f->n_buttons;
    f->buttons[f->n_buttons++] = N_("Append");
    f->buttons[f->n_buttons++] = N_("Close");
    take_preset(f);
}

static bool read_form(const struct form *f, struct profile *p, struct err *e)
{
    const char *key = sources[source_of(f)].key;
    *p = profile_new(form_value(f, "name"));
    if (!*form_value(f, "name"))
        return err_set(e, ERR_USAGE, _("give it a name first"));
    return profile_set(p, "url", form_value(f, "url"), e) &&
           profile_set(p, "model", form_value(f, "model"), e) &&
           (!key || profile_set(p, key, form_value(f, "key"), e)) &&
           profile_check(p, e);
}

void teacher_form_refresh(struct form *f)
{
    struct profile p;
    struct err e = {0};
    struct buf b = BUF_INIT(0);
    if (f->at == AT_ENDPOINT && f->stale)
        take_preset(f);
    f->stale = false;
    snprintf(f->fields[AT_KEY_FROM].note, sizeof f->fields[0].note, "%s",
             _(sources[source_of(f)].note));
    bool ok = read_form(f, &p, &e);
    snprintf(f->facts[0], sizeof f->facts[0], "%.199s",
             ok ? _("the key itself is never stored; a call costs little")
                : e.text);
    if (ok)
        profile_print(&p, &b);
    free(f->preview);
    f->preview = ok ? buf_take(&b) : NULL;
    profile_free(&p);
    buf_free(&b);
}

static bool try_call(const struct form *f, struct child *c, struct err *e)
{
    const char *option = sources[source_of(f)].option;
    const char *args[] = {
        "teacher", "add", form_value(f, "name"), "--dry-run", "--url",
        form_value(f, "url"), "--model", form_value(f, "model"), option,
        option ? form_value(f, "key") : NULL, NULL};
    return child_start(c, args, true, e);
}

void teacher_form_press(struct form *f, struct child *c, char *said,
                        size_t cap)
{
    struct profile p;
    struct err e = {0};
    bool ok = read_form(f, &p, &e);
    bool try = f->at == f->n_fields;
    if (c->pid)
        snprintf(said, cap, "%s", _("a call is on its way"));
    else if (ok && try && try_call(f, c, &e))
        snprintf(said, cap, _("asking %s ..."), p.name);
    else if (ok && !try && profile_append(NULL, &p, &e)) {
        snprintf(said, cap, _("teacher %s stands in the config; E asks it"),
                 p.name);
        f->open = false;
    } else {
        snprintf(said, cap, "%s", e.text);
    }
    profile_free(&p);
}

bool teacher_form_tick(struct child *c, char *said, size_t cap)
{
    struct buf out = BUF_INIT(65536);
    bool ok;
    if (!child_ended(c, &ok, &out))
        return false;
    const char *text = buf_str(&out);
    if (!ok && !strncmp(text, "stillroom: ", 11))
        text += 11;
    snprintf(said, cap, "%.*s", (int)strcspn(text, "\n"), text);
    buf_free(&out);
    return true;
}

void teachers_text(char *out, size_t cap)
{
    struct profiles ps;
    struct err e = {0};
    if (!profiles_load(NULL, &ps, &e)) {
        snprintf(out, cap, "%s", e.text);
        return;
    }
    snprintf(out, cap, P_("%zu teacher; builtin is always there",
             "%zu teachers; builtin is always there", ps.n), ps.n);
    profiles_free(&ps);
}
