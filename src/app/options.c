#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/app.h"
#include "base/config.h"
#include "base/lang.h"

#define OPTION_ROW(id, name, value) {name, value},
static const struct {
    const char *name;
    enum option_value value;
} table[] = {OPTIONS(OPTION_ROW)};
#undef OPTION_ROW

bool options_set(struct options *o, const char *name, const char *value,
                 struct err *e)
{
    bool theme = !strcmp(name, "theme");
    if (theme && !strcmp(value, "default"))
        return true;
    if (theme)
        return err_set(e, ERR_INPUT, _("there is one theme: default"));
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(table[i].name, name))
            continue;
        bool can = table[i].value == OPTION_AUTO;
        bool is = can && !strcmp(value, "auto");
        if (!is && strcmp(value, "on") && strcmp(value, "off"))
            return err_set(e, ERR_INPUT, can ? _("%s is on, off or auto")
                                             : _("%s is on or off"), name);
        o->value[i] = is ? OPTION_AUTO
                      : !strcmp(value, "on") ? OPTION_ON : OPTION_OFF;
        return true;
    }
    return err_set(e, ERR_INPUT, _("no option is named %s; there are "
                                   "diffmarks, ascii, mouse, hidden, tour "
                                   "and theme"), name);
}

/* "all", or the English name of a view. */
static unsigned views_of(const char *name)
{
    if (!strcmp(name, "all"))
        return ALL;
    for (int i = 0; i < VIEW_COUNT; i++)
        if (!strcasecmp(view_of((enum view_id)i)->title, name))
            return 1u << i;
    return 0;
}

static bool add_key(struct options *o, const char *view, const char *key,
                    const char *command, struct err *e)
{
    unsigned views = views_of(view);
    char name[40] = "";
    sscanf(command, " %39s", name);
    int act = action_find(name);
    if (!views)
        return err_set(e, ERR_INPUT, _("no view is named %s"), view);
    if (act < 0)
        return err_set(e, ERR_INPUT, _("there is no action %s; ? lists them"),
                       name);
    if (!(action_info((enum action)act)->views & views))
        return err_set(e, ERR_INPUT, _("%s does nothing here"), name);
    struct own_key k = {views, xstrdup(key), xstrdup(command)};
    VEC_PUSH(&o->keys, k);
    return true;
}

static bool on_pair(void *ctx, const char *section, const char *name,
                    const char *value, struct err *e)
{
    if (!strcmp(section, "ui"))
        return options_set(ctx, name, value, e);
    if (!strncmp(section, "keys ", 5))
        return add_key(ctx, section + 5, name, value, e);
    return true;
}

bool options_load(struct options *o, struct err *e)
{
    *o = (struct options){0};
    for (int i = 0; i < OPTION_COUNT; i++)
        o->value[i] = table[i].value;
    return config_walk(on_pair, o, e);
}

void options_free(struct options *o)
{
    for (size_t i = 0; i < o->keys.n; i++) {
        free(o->keys.at[i].key);
        free(o->keys.at[i].command);
    }
    VEC_FREE(&o->keys);
}

const char *options_command(const struct options *o, int view,
                            const char *key)
{
    for (size_t i = o->keys.n; i > 0; i--) /* the last one holds */
        if (o->keys.at[i - 1].views & 1u << view &&
            !strcmp(o->keys.at[i - 1].key, key))
            return o->keys.at[i - 1].command;
    return NULL;
}
