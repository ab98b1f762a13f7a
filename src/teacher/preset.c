/* The known kinds of endpoint: data/presets.ini, for `teacher add`. */
#include <stdlib.h>
#include <string.h>

#include "base/ini.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "teacher/profile.h"

static bool on_pair(void *ctx, const char *section, const char *key,
                    const char *value, struct err *e)
{
    struct presets *ps = ctx;
    if (!ps->n || strcmp(ps->at[ps->n - 1].name, section)) {
        if (!*section || preset_find(ps, section))
            return err_set(e, ERR_INPUT, _("the section [%s] is in pieces"),
                           section);
        struct preset fresh = {.name = xstrdup(section)};
        VEC_PUSH(ps, fresh);
    }
    struct preset *p = &ps->at[ps->n - 1];
    if (!strncmp(key, "note_", 5)) { /* behind the English one */
        if (strcmp(key + 5, lang_name()))
            return true;
        free(p->note);
        p->note = xstrdup(value);
        return true;
    }
    char **member = !strcmp(key, "url")       ? &p->url
                    : !strcmp(key, "key_env") ? &p->key_env
                    : !strcmp(key, "note")    ? &p->note
                                              : NULL;
    if (!member || *member)
        return err_set(e, ERR_INPUT, _("unexpected key \"%s\""), key);
    *member = xstrdup(value);
    return true;
}

static bool check_all(const struct presets *ps, struct err *e)
{
    for (size_t i = 0; i < ps->n; i++) {
        const struct preset *p = &ps->at[i];
        if (!p->url)
            err_set(e, ERR_INPUT, _("no url"));
        else if (url_check(p->url, false, e))
            continue;
        return err_in(e, "[%s]", p->name);
    }
    return true;
}

bool presets_load(struct presets *ps, struct err *e)
{
    *ps = (struct presets){0};
    char *path = paths_data("presets.ini");
    if (!path)
        return err_set(e, ERR_ABSENT, _("presets.ini is not installed"));
    bool ok = ini_read(path, on_pair, ps, e) &&
              (check_all(ps, e) || err_in(e, "%s", path));
    free(path);
    if (!ok)
        presets_free(ps);
    return ok;
}

void presets_free(struct presets *ps)
{
    for (size_t i = 0; i < ps->n; i++) {
        free(ps->at[i].name);
        free(ps->at[i].url);
        free(ps->at[i].key_env);
        free(ps->at[i].note);
    }
    VEC_FREE(ps);
}

const struct preset *preset_find(const struct presets *ps, const char *name)
{
    for (size_t i = 0; i < ps->n; i++)
        if (!strcmp(ps->at[i].name, name))
            return &ps->at[i];
    return NULL;
}
