#include "app/complete.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/app.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/utf8.h"
#include "store/tags.h"
#include "teacher/profile.h"

void complete_word(struct buf *out, const char *text, const char *word,
                   const char *tail)
{
    if (!strncmp(word, text, strlen(text)))
        buf_printf(out, "%s%s\n", word, tail);
}

/* ---- Names of the store and of the config ------------------------------- */

static void tags(struct app *a, const char *text, struct buf *out)
{
    char *all = tags_all(a->s), *rest = all, *one;
    while (rest && (one = strsep(&rest, "\n")))
        if (*one && !strncmp(one, text, strlen(text)))
            buf_printf(out, strchr(one, ' ') ? "\"%s\"\n" : "%s\n", one);
    free(all);
}

static void targets(struct app *a, const char *text, struct buf *out)
{
    ids all = {0};
    struct target t;
    target_ids(a->s, &all, NULL);
    for (size_t i = 0; i < all.n; i++) {
        if (!target_get(a->s, all.at[i], &t, NULL))
            continue;
        complete_word(out, text, t.name, "");
        target_free(&t);
    }
    VEC_FREE(&all);
}

static void recipes(struct app *a, const char *text, struct buf *out)
{
    char **names = paths_names("recipes", ".json");
    (void)a;
    for (size_t i = 0; names && names[i]; i++)
        complete_word(out, text, names[i], "");
    paths_free_names(names);
}

static void teachers(struct app *a, const char *text, struct buf *out)
{
    struct profiles ps;
    (void)a;
    if (!profiles_load(NULL, &ps, NULL))
        return;
    for (size_t i = 0; i < ps.n; i++)
        complete_word(out, text, ps.at[i].name, "");
    profiles_free(&ps);
}

static void reason_names(struct app *a, const char *text, struct buf *out)
{
    struct reason r;
    for (size_t i = 0; reason_at(a, i, &r); i++)
        complete_word(out, text, r.name, "");
}

void complete_tags(struct app *a, const char *text, size_t *from,
                   struct buf *out)
{
    bool quoted = false;
    *from = 0;
    for (size_t i = 0; text[i]; i++) {
        quoted = quoted != (text[i] == '"');
        if (text[i] == ' ' && !quoted)
            *from = i + 1;
    }
    *from += text[*from] == '-';
    tags(a, text + *from + (text[*from] == '"'), out);
}

void complete_reasons(struct app *a, const char *text, size_t *from,
                      struct buf *out)
{
    *from = 0;
    reason_names(a, text, out);
}

void complete_targets(struct app *a, const char *text, size_t *from,
                      struct buf *out)
{
    *from = 0;
    targets(a, text, out);
}

void complete_options(struct app *a, const char *text, size_t *from,
                      struct buf *out)
{
    (void)a;
    options_complete(text, from, out);
}

void complete_filter(struct app *a, const char *text, size_t *from,
                     struct buf *out)
{
    static void (*const values[FILTER_FIELDS])(struct app *, const char *,
                                               struct buf *) = {
        [FILTER_TARGET] = targets,   [FILTER_RECIPE] = recipes,
        [FILTER_TEACHER] = teachers, [FILTER_TAG] = tags,
        [FILTER_REASON] = reason_names};
    enum filter_field f = filter_complete(text, from, out);
    if (f < FILTER_FIELDS && values[f])
        values[f](a, text + *from, out);
}

/* ---- Paths -------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A name that stands on a line and is seen as it is. */
static bool is_plain(const char *name)
{
    size_t n = strlen(name);
    return utf8_check(name, n) == n && !utf8_hidden(name, n) &&
           !strpbrk(name, "\n\t");
}

static void add_entries(const char *dir, char **names, size_t n,
                        struct buf *out)
{
    struct stat st;
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        char *path = path_join(dir, names[i]);
        bool folder = !stat(path, &st) && S_ISDIR(st.st_mode);
        complete_word(out, "", names[i], folder ? "/" : "");
        free(path);
        free(names[i]);
    }
}

void complete_paths(struct app *a, const char *text, size_t *from,
                    struct buf *out)
{
    const char *slash = strrchr(text, '/');
    struct dirent *d;
    VEC(char *) names = {0};
    (void)a;
    *from = slash ? (size_t)(slash - text) + 1 : 0;
    if (!strcmp(text, "~")) {
        buf_puts(out, "~/\n");
        return;
    }
    char *typed = xstrndup(text, *from), *dir = paths_typed(typed);
    const char *name = text + *from;
    DIR *all = opendir(*dir ? dir : ".");
    while (all && (d = readdir(all)))
        if (!strncmp(d->d_name, name, strlen(name)) && is_plain(d->d_name) &&
            (*d->d_name != '.' || (*name == '.' && d->d_name[1])) &&
            strcmp(d->d_name, ".."))
            VEC_PUSH(&names, xstrdup(d->d_name));
    if (all)
        closedir(all);
    add_entries(*dir ? dir : ".", names.at, names.n, out);
    VEC_FREE(&names);
    free(dir);
    free(typed);
}

/* ---- Lines -------------------------------------------------------------- */

completes *complete_of(enum line_kind kind)
{
    static completes *const all[LINE_KINDS] = {
        [LINE_COMMAND] = complete_command, [LINE_FILTER] = complete_filter,
        [LINE_TAG] = complete_tags,        [LINE_REASON] = complete_reasons,
        [LINE_IMPORT] = complete_paths,    [LINE_STORE] = complete_paths};
    return all[kind];
}

/* What an action takes in the present view, NULL where it takes nothing that
 * is known beforehand. */
static completes *taken_by(const struct app *a, enum action act)
{
    const struct deed *d = app_deed(a, act);
    return !d ? NULL : d->complete ? d->complete : complete_of(d->prompt);
}

void complete_command(struct app *a, const char *text, size_t *from,
                      struct buf *out)
{
    const char *args;
    int act = app_action(text, &args);
    if (args > text && args[-1] == ' ') {
        completes *fn = act < 0 ? NULL : taken_by(a, (enum action)act);
        if (fn)
            fn(a, args, from, out);
        *from += (size_t)(args - text);
        return;
    }
    *from = strspn(text, " ");
    for (int i = 0; i < ACTIONS; i++)
        if (app_deed(a, (enum action)i))
            complete_word(out, text + *from,
                          action_info((enum action)i)->name,
                          taken_by(a, (enum action)i) ? " " : "");
}
