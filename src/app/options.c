#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/app.h"
#include "base/config.h"
#include "base/lang.h"
#include "base/paths.h"

#define OPTION_ROW(id, name, words, value) {name, words, value},
static const struct {
    const char *name, *words;
    int value;
} table[] = {OPTIONS(OPTION_ROW)};
#undef OPTION_ROW

#define MS_MOST 10000

/* The place of a word among others, -1 where it is none of them. */
static int word_at(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (int i = 0; n && *words; i++) {
        size_t len = strcspn(words, " ");
        if (len == n && !strncmp(words, word, n))
            return i;
        words += len + (words[len] == ' ');
    }
    return -1;
}

static int number_of(const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);
    return *value && !*end && n >= 0 && n <= MS_MOST ? (int)n : -1;
}

static bool no_option(const char *name, struct err *e)
{
    char all[300] = "";
    for (size_t i = 0, o = 0; i < COUNT(table) && o < sizeof all; i++)
        o += (size_t)snprintf(all + o, sizeof all - o, "%s%s", i ? ", " : "",
                              table[i].name);
    return err_set(e, ERR_INPUT, _("no option is named %s; there are %s"),
                   name, all);
}

static bool set_theme(struct options *o, const char *name, struct err *e)
{
    char *path = paths_named("themes", name, ".theme", NULL, NULL);
    free(path);
    if (path) {
        snprintf(o->theme, sizeof o->theme, "%s", name);
        o->theme_set = true;
        return true;
    }
    struct buf all = BUF_INIT(1000);
    char **names = paths_names("themes", ".theme");
    for (size_t i = 0; names[i]; i++)
        buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
    err_set(e, ERR_INPUT, _("no theme is named %s; there are: %s"), name,
            buf_str(&all));
    paths_free_names(names);
    buf_free(&all);
    return false;
}

bool options_set(struct options *o, const char *name, const char *value,
                 struct err *e)
{
    size_t i = 0;
    while (i < COUNT(table) && strcmp(table[i].name, name))
        i++;
    if (i == COUNT(table))
        return no_option(name, e);
    const char *words = table[i].words;
    if (words && !*words)
        return set_theme(o, value, e);
    int v = words ? word_at(words, value) : number_of(value);
    if (v < 0 && words)
        return err_set(e, ERR_INPUT, _("%s is one of: %s"), name, words);
    if (v < 0)
        return err_set(e, ERR_INPUT, _("%s is a number of milliseconds, 0 to "
                                       "%d"), name, MS_MOST);
    o->value[i] = v;
    return true;
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

static void offer_values(const char *name, size_t n, const char *head,
                         struct buf *out)
{
    char **themes = paths_names("themes", ".theme");
    for (size_t i = 0; i < COUNT(table); i++) {
        const char *word = table[i].words;
        if (!word || strlen(table[i].name) != n ||
            strncmp(table[i].name, name, n))
            continue;
        for (size_t k = 0; !*word && themes[k]; k++)
            complete_word(out, head, themes[k], "");
        for (size_t len; *word; word += len + (word[len] == ' ')) {
            len = strcspn(word, " ");
            char *one = xstrndup(word, len);
            complete_word(out, head, one, "");
            free(one);
        }
    }
    paths_free_names(themes);
}

void options_complete(const char *text, size_t *from, struct buf *out)
{
    size_t n = strcspn(text, " ");
    *from = text[n] ? n + strspn(text + n, " ") : 0;
    if (text[n])
        offer_values(text, n, text + *from, out);
    for (size_t i = 0; !text[n] && i < COUNT(table); i++)
        complete_word(out, text, table[i].name, " ");
}

bool options_load(struct options *o, struct err *e)
{
    *o = (struct options){.theme = "default", .theme_set = true};
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
