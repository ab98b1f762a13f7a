/* Where recipe and target files are found. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "recipe/read.h"
#include "recipe/recipe.h"
#include "recipe/target.h"

static struct recipe *load_file(const char *path, struct err *e)
{
    struct buf text = BUF_INIT(RECIPE_BYTES);
    struct recipe *r = NULL;
    if (file_read(path, RECIPE_BYTES, &text, e)) {
        r = recipe_load(buf_str(&text), text.len, e);
        if (!r)
            err_in(e, "%s", path);
    }
    buf_free(&text);
    return r;
}

struct recipe *recipe_find(const char *name, struct err *e)
{
    bool yours;
    char *path = paths_named("recipes", name, ".json", &yours, e);
    struct recipe *r = path ? load_file(path, e) : NULL;
    if (r && r->cannot) {
        err_set(e, ERR_INPUT, "%s: %s", path, r->cannot);
        recipe_free(&r);
    }
    if (r)
        r->yours = yours;
    free(path);
    return r;
}

struct recipe *recipe_find_in(const char *dir, const char *name,
                              struct err *e)
{
    if (!name_ok(name)) {
        err_set(e, ERR_USAGE, _("\"%.40s\" is not a recipe's name"), name);
        return NULL;
    }
    char *path = xasprintf("%s/%s.json", dir, name);
    struct recipe *r = load_file(path, e);
    free(path);
    return r;
}

/* ---- Targets ------------------------------------------------------------- */

static bool load_principles(const json *j, struct target_file *t,
                            struct err *e)
{
    struct {
        char **at;
        size_t n, cap;
    } v = {0};
    bool ok = !j || json_is_array(j);
    for (const json *p = json_first(j); ok && p; p = json_next(p)) {
        ok = json_is_string(p) && v.n < 100;
        if (ok)
            VEC_PUSH(&v, xstrdup(json_string(p)));
    }
    t->principles = v.at;
    t->n_principles = v.n;
    t->principles_cap = v.cap;
    return ok || err_set(e, ERR_INPUT, _("principles: expected a list of at "
                                         "most 100 texts"));
}

struct target_file *target_file_load(const char *text, size_t n, struct err *e)
{
    json *j = json_parse(text, n, e);
    if (!j)
        return NULL;
    struct target_file *t = xcalloc(1, sizeof *t);
    t->near_limit = NAN;
    bool ok = read_keys(j, "name description system principles near_limit",
                        e) &&
              read_text(j, "name", true, &t->name, e) &&
              read_text(j, "description", true, &t->description, e) &&
              read_text(j, "system", false, &t->system, e) &&
              read_number(j, "near_limit", 0, 1, &t->near_limit, e) &&
              load_principles(json_get(j, "principles"), t, e);
    json_free(j);
    if (!ok)
        target_file_free(&t);
    return t;
}

struct target_file *target_file_find(const char *name, struct err *e)
{
    bool yours;
    struct buf text = BUF_INIT(RECIPE_BYTES);
    struct target_file *t = NULL;
    char *path = paths_named("targets", name, ".json", &yours, e);
    if (path && file_read(path, RECIPE_BYTES, &text, e)) {
        t = target_file_load(buf_str(&text), text.len, e);
        if (!t)
            err_in(e, "%s", path);
    }
    buf_free(&text);
    free(path);
    return t;
}

void target_file_free(struct target_file **t)
{
    if (!*t)
        return;
    for (size_t i = 0; i < (*t)->n_principles; i++)
        free((*t)->principles[i]);
    free((*t)->principles);
    free((*t)->name);
    free((*t)->description);
    free((*t)->system);
    free(*t);
    *t = NULL;
}
