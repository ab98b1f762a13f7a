#include "model/builtin/family.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"

enum { FAMILY_BYTES = 1 << 20 };

/* ---- One file ------------------------------------------------------------ */

static bool load_texts(const json *j, const char *key, struct texts *t,
                       struct err *e)
{
    const json *list = json_get(j, key);
    bool ok = json_is_array(list) && json_count(list) >= 1 &&
              json_count(list) <= 1000;
    for (const json *v = json_first(list); ok && v; v = json_next(v)) {
        ok = json_is_string(v) && strlen(json_string(v)) < SLOT_BYTES - 20;
        if (ok)
            VEC_PUSH(t, xstrdup(json_string(v)));
    }
    return ok || err_set(e, ERR_INPUT, _("%s: expected a list of short "
                                         "texts"), key);
}

static bool load_wordings(const json *j, const struct operation *op,
                          struct wordings *w, struct err *e)
{
    if (!load_texts(j, "openers", &w->openers, e) ||
        !load_texts(j, "closers", &w->closers, e))
        return false;
    const json *phrasings = json_get(j, "phrasings");
    for (int k = 0; op->kinds[k]; k++)
        if (!load_texts(phrasings, op->kinds[k], &w->phrasings[k], e))
            return err_in(e, "phrasings");
    return true;
}

static bool load_lang(const json *j, const struct operation *op,
                      struct family_lang *l, struct err *e)
{
    snprintf(l->code, sizeof l->code, "%.2s", json_key(j));
    l->share = json_get_number(j, "share", 1);
    l->reason = xstrdup(json_get_string(j, "reason", ""));
    if (!load_wordings(j, op, &l->train, e))
        return false;
    if (!load_wordings(json_get(j, "held_out"), op, &l->held, e))
        return err_in(e, "held_out");
    for (int i = 0; op->lists[i]; i++)
        if (!load_texts(json_get(j, "lists"), op->lists[i], &l->lists[i], e))
            return err_in(e, "lists");
    for (int i = 0; op->lists[i]; i++)
        if ((int)l->lists[i].n < op->list_min[i])
            return err_set(e, ERR_INPUT, _("lists: %s: expected at least %d "
                                           "words"), op->lists[i],
                           op->list_min[i]);
    return true;
}

static bool load_langs(const json *j, struct family *f, struct err *e)
{
    for (const json *l = json_first(j); l; l = json_next(l)) {
        if (f->n_langs == MAX_LANGS)
            return err_set(e, ERR_INPUT, _("languages: more than %d"),
                           MAX_LANGS);
        f->n_langs++;
        if (!load_lang(l, f->op, &f->lang[f->n_langs - 1], e))
            return err_in(e, "languages: %s", json_key(l));
    }
    return f->n_langs || err_set(e, ERR_INPUT, _("languages is missing"));
}

static bool load_ranges(const json *j, struct family *f, struct err *e)
{
    for (int i = 0; f->op->ranges[i]; i++) {
        const json *r = json_get(j, f->op->ranges[i]);
        bool two = json_is_array(r) && json_count(r) == 2;
        double a = two ? json_number(json_first(r), -1) : -1;
        double b = two ? json_number(json_next(json_first(r)), -1) : -1;
        if (a < 0 || b < a ||
            b > f->op->range_max[i])
            return err_set(e, ERR_INPUT, _("ranges: %s: expected a lowest "
                                           "and a highest number"),
                           f->op->ranges[i]);
        f->lo[i] = (int)a;
        f->hi[i] = (int)b;
    }
    return true;
}

static bool load_family(const json *j, struct family *f, struct err *e)
{
    f->name = xstrdup(json_get_string(j, "name", ""));
    f->about = xstrdup(json_get_string(j, "about", ""));
    f->op = operation_find(json_get_string(j, "operation", ""));
    f->trigger = json_get_number(j, "trigger", .3);
    const char *mistake = json_get_string(j, "mistake", "");
    if (!*f->name || !*f->about)
        return err_set(e, ERR_INPUT, _("name or about is missing"));
    if (!f->op)
        return err_set(e, ERR_INPUT, _("operation: there is none of that "
                                       "name"));
    if (strcmp(mistake, f->op->mistake))
        return err_set(e, ERR_INPUT, _("mistake: %s makes only \"%s\""),
                       f->op->name, f->op->mistake);
    return load_ranges(json_get(j, "ranges"), f, e) &&
           load_langs(json_get(j, "languages"), f, e);
}

static void free_texts(struct texts *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->at[i]);
    VEC_FREE(t);
}

static void free_wordings(struct wordings *w)
{
    free_texts(&w->openers);
    free_texts(&w->closers);
    for (int k = 0; k < MAX_KINDS; k++)
        free_texts(&w->phrasings[k]);
}

void family_free(struct family *f)
{
    for (size_t i = 0; i < MAX_LANGS; i++) {
        free_wordings(&f->lang[i].train);
        free_wordings(&f->lang[i].held);
        for (int k = 0; k < MAX_LISTS; k++)
            free_texts(&f->lang[i].lists[k]);
        free(f->lang[i].reason);
    }
    free(f->name);
    free(f->about);
}

bool family_load(const char *text, size_t n, struct family *f, struct err *e)
{
    *f = (struct family){0};
    json *j = json_parse(text, n, e);
    bool ok = j && load_family(j, f, e);
    json_free(j);
    if (!ok)
        family_free(f);
    return ok;
}

/* ---- The folder ---------------------------------------------------------- */

static bool add_file(struct families *all, const char *dir, const char *name,
                     struct err *e)
{
    char *path = path_join(dir, name);
    struct buf text = BUF_INIT(FAMILY_BYTES);
    struct family f;
    bool ok = file_read(path, FAMILY_BYTES, &text, e);
    if (ok && !(ok = family_load(buf_str(&text), text.len, &f, e)))
        err_in(e, "%s", path);
    if (ok)
        VEC_PUSH(all, f);
    buf_free(&text);
    free(path);
    return ok;
}

static int is_family(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 5, ".json");
}

static bool add_folder(struct families *all, const char *dir, struct err *e)
{
    struct dirent **names;
    int n = scandir(dir, &names, is_family, alphasort);
    if (n < 0)
        return err_sys(e, _("cannot read the folder %s"), dir);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        ok = ok && add_file(all, dir, names[i]->d_name, e);
        free(names[i]);
    }
    free(names);
    if (ok && !all->n)
        return err_set(e, ERR_ABSENT, _("there is no family in %s"), dir);
    return ok;
}

struct families *families_load(const char *dir, struct err *e)
{
    char *shipped = dir ? NULL : paths_data("families");
    struct families *all = xcalloc(1, sizeof *all);
    bool ok = dir || shipped ||
              err_set(e, ERR_ABSENT, _("the folder of families is missing"));
    ok = ok && add_folder(all, dir ? dir : shipped, e);
    free(shipped);
    if (!ok)
        families_free(&all);
    return all;
}

void families_free(struct families **f)
{
    if (!*f)
        return;
    for (size_t i = 0; i < (*f)->n; i++)
        family_free(&(*f)->at[i]);
    VEC_FREE(*f);
    free(*f);
    *f = NULL;
}

/* ---- Words --------------------------------------------------------------- */

const char *problem_word(const struct problem *p, int list, int i)
{
    return p->family->lang[p->lang].lists[list].at[i];
}

int problem_place(const struct problem *p, int list, const char *word)
{
    const struct texts *t = &p->family->lang[p->lang].lists[list];
    for (size_t i = 0; i < t->n; i++)
        if (!strcmp(t->at[i], word))
            return (int)i;
    return -1;
}

bool problem_is_pt(const struct problem *p)
{
    return !strcmp(p->family->lang[p->lang].code, "pt");
}

void slot_put(struct slots *s, const char *name, const char *fmt, ...)
{
    struct slot *x = &s->at[s->n++];
    va_list ap;
    snprintf(x->name, sizeof x->name, "%s", name);
    va_start(ap, fmt);
    vsnprintf(x->value, sizeof x->value, fmt, ap);
    va_end(ap);
}

const char *slot_get(const struct slots *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(s->at[i].name, name))
            return s->at[i].value;
    return "";
}
