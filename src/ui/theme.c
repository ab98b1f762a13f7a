#include "ui/theme.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "base/ini.h"
#include "base/lang.h"
#include "base/paths.h"

#define STYLE(id, name, mono, fg, attrs) {name, {mono, fg, attrs}},
static const struct {
    const char *name;
    struct look look;
} roles[] = {
#include "ui/theme.def"
};
#undef STYLE

static const struct {
    const char *name;
    unsigned attr;
} attrs[] = {{"plain", A_NORMAL}, {"bold", A_BOLD}, {"dim", A_DIM},
             {"underline", A_UNDERLINE}, {"reverse", A_REVERSE}};

static const char *const names[] = {"black", "red", "green", "yellow",
                                    "blue", "magenta", "cyan", "white"};

/* One column of a line. */
struct part {
    unsigned attrs;
    int fg;
};

struct reading {
    struct look looks[STYLES];
    int colours;
};

void theme_plain(struct look out[STYLES])
{
    for (int i = 0; i < STYLES; i++)
        out[i] = roles[i].look;
}

/* A colour by its name, or by its number under `colours`; -1 for none. */
static int colour_of(const char *word, int colours)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (!strcmp(names[i], word))
            return (int)i;
    char *end;
    long n = strtol(word, &end, 10);
    return *word >= '0' && *word <= '9' && !*end && n < colours ? (int)n : -1;
}

static bool read_word(const char *word, int colours, struct part *p,
                      struct err *e)
{
    for (size_t i = 0; i < COUNT(attrs); i++)
        if (!strcmp(attrs[i].name, word)) {
            p->attrs |= attrs[i].attr;
            return true;
        }
    int fg = colour_of(word, colours);
    if (fg < 0 && colour_of(word, 256) >= 0)
        return err_set(e, ERR_INPUT, _("the column of %d colours has no "
                                       "colour %s"), colours, word);
    if (fg < 0)
        return err_set(e, ERR_INPUT, _("\"%.40s\" is neither a colour nor "
                       "plain, bold, dim, underline, reverse"), word);
    if (p->fg >= 0)
        return err_set(e, ERR_INPUT, _("two colours in one column"));
    p->fg = fg;
    return true;
}

/* The words of one column. */
static bool read_part(char *text, int colours, struct part *p, struct err *e)
{
    char *word;
    *p = (struct part){.fg = -1};
    bool any = false;
    while ((word = strsep(&text, " \t"))) {
        if (!*word)
            continue;
        any = true;
        if (!colours && colour_of(word, 256) >= 0)
            return err_set(e, ERR_INPUT, _("the first column is what stands "
                           "without colours, so %s cannot be in it"), word);
        if (!read_word(word, colours, p, e))
            return false;
    }
    return any || err_set(e, ERR_INPUT, _("an empty column; plain is a word"));
}

static bool on_pair(void *ctx, const char *section, const char *name,
                    const char *value, struct err *e)
{
    static const int colours[] = {0, 8, 256};
    struct reading *r = ctx;
    struct part part[COUNT(colours)];
    size_t role = 0, n = 0;
    if (*section)
        return err_set(e, ERR_INPUT, _("a theme has no sections"));
    while (role < STYLES && strcmp(roles[role].name, name))
        role++;
    if (role == STYLES)
        return err_set(e, ERR_INPUT, _("no role is named %s"), name);
    char *copy = xstrdup(value), *rest = copy, *one;
    bool ok = true;
    while (ok && (one = strsep(&rest, "|"))) {
        ok = n < COUNT(colours)
                 ? read_part(one, colours[n], &part[n], e)
                 : err_set(e, ERR_INPUT, _("more than three columns"));
        n++;
    }
    free(copy);
    if (!ok)
        return false;
    struct part with = part[n > 2 && r->colours >= 256 ? 2 : n > 1];
    r->looks[role] = (struct look){part[0].attrs, (short)with.fg, with.attrs};
    return true;
}

bool theme_read(const char *path, int colours, struct look out[STYLES],
                struct err *e)
{
    struct reading r = {.colours = colours};
    memcpy(r.looks, out, sizeof r.looks);
    if (!ini_read(path, on_pair, &r, e))
        return false;
    memcpy(out, r.looks, sizeof r.looks);
    return true;
}

bool theme_show(const char *name, struct err *e)
{
    struct look looks[STYLES];
    char *path = paths_named("themes", name, ".theme", NULL, e);
    theme_plain(looks);
    bool ok = path ? theme_read(path, cells_colour() ? COLORS : 0, looks, e)
                   : !strcmp(name, "default"); /* theme.def has it too */
    for (int i = 0; ok && i < STYLES; i++)
        cells_look((enum style)i, &looks[i]);
    free(path);
    return ok;
}
