#include "verbs/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "store/export.h"
#include "verbs/rows.h"

#define NEAR_DEFAULT .70

/* The target's part of the options; `languages` is the caller's to free. */
static void read_target(const struct target *t, const json *doc,
                        struct export_options *o, char **languages)
{
    o->target = t->name;
    o->description = json_get_string(doc, "description", "");
    o->near = json_get_number(doc, "near_limit", NEAR_DEFAULT);
    const json *l = json_get(doc, "languages");
    if (!json_is_array(l) || !json_count(l))
        return;
    struct buf b = BUF_INIT(4096);
    json_print(&b, l);
    *languages = buf_take(&b);
    o->languages = *languages;
}

/* All rows into the bundle; the store is let go before its end is made. */
static bool fill(struct store *s, const struct row_form *form,
                 struct bundle *b, struct err *e)
{
    struct row_walk *w = row_walk_open(s, form, e);
    const struct export_row *row;
    bool ok = w != NULL;
    while (ok && (ok = row_walk_next(w, &row, e)) && row)
        ok = bundle_add(b, row, e);
    row_walk_free(&w);
    export_read_end(s);
    return ok && bundle_finish(b, e);
}

static bool make_bundle(struct store *s, const struct export_form *f,
                        const struct export_options *o, const char *system,
                        struct export_report *report, struct bundle **out,
                        struct err *e)
{
    struct row_form form = {.target = f->target, .filter = f->filter,
                            .thinking = f->thinking,
                            .list_tools = f->list_tools, .stop = f->stop};
    bool keep = f->system && !strcmp(f->system, "keep");
    bool drop = f->system && !strcmp(f->system, "drop");
    form.keep_own = keep;
    form.system = keep ? system : drop ? "" : f->system;
    memcpy(form.shapes, f->shapes, sizeof form.shapes);
    struct bundle *b = bundle_open(o, report, e);
    bool ok = b && fill(s, &form, b, e);
    if (ok && o->dir)
        *out = b;
    else
        bundle_free(&b);
    return ok;
}

/* The bundle at the store's present position; *out NULL where f->dir is. */
static bool make(struct store *s, const struct export_form *f,
                 const char *dir, struct export_report *report,
                 struct export_options *o, struct bundle **out, struct err *e)
{
    struct target t;
    char *languages = NULL;
    *report = (struct export_report){0};
    *out = NULL;
    if (!export_read_begin(s, e))
        return false;
    bool ok = target_get(s, f->target, &t, e);
    if (ok) {
        json *doc = json_parse(t.doc, strlen(t.doc), NULL);
        *o = (struct export_options){
            .dir = dir, .replace = f->replace, .filter = f->filter,
            .leave_wrong = f->leave_wrong, .leave = f->leave,
            .max_words = f->max_words, .store_id = store_id(s),
            .as_of = store_seq(s), .seed = f->seed, .system = f->system,
            .thinking = f->thinking, .list_tools = f->list_tools};
        read_target(&t, doc, o, &languages);
        ok = make_bundle(s, f, o, json_get_string(doc, "system", NULL), report,
                         out, e);
        json_free(doc);
        free(languages);
        target_free(&t);
    }
    export_read_end(s);
    return ok;
}

bool verb_export_preview(struct store *s, const struct export_form *f,
                         struct export_report *report,
                         struct export_since *since, struct err *e)
{
    struct export_options o;
    struct bundle *none;
    return make(s, f, NULL, report, &o, &none, e) &&
           since_look(s, f->target, f->since, f->shapes, report, since, e);
}

static bool note(struct store *s, const struct export_form *f, int64_t as_of,
                 const struct export_report *r, int64_t *id, struct err *e)
{
    struct export x = {.target = f->target, .as_of = as_of, .seed = f->seed,
                       .version = EXPORT_VERSION,
                       .filter = (char *)(uintptr_t)f->filter,
                       .path = (char *)(uintptr_t)f->dir, .lock = r->lock};
    *id = export_add(s, &x, e);
    bool ok = *id != 0;
    for (size_t i = 0; ok && i < r->members.n; i++) {
        const struct export_member *m = &r->members.at[i];
        struct member one = {"export", shape_name(m->shape), *id, m->row,
                             m->sample, m->candidate, (int)m->split,
                             m->hash};
        ok = member_add(s, &one, e);
    }
    return ok;
}

/* Noted before it is published: whoever is killed in between leaves a note and
 * a finished folder beside the target, never a bundle that nobody knows. */
static bool publish(struct store *s, const struct export_form *f,
                    int64_t as_of, const struct export_report *r,
                    struct bundle *b, int64_t *id, struct err *e)
{
    if (store_read_only(s))
        return bundle_publish(b, e);
    if (!store_begin(s, e))
        return false;
    if (!note(s, f, as_of, r, id, e)) {
        store_rollback(s);
        return false;
    }
    return store_commit(s, e) && bundle_publish(b, e);
}

bool verb_export(struct store *s, const struct export_form *f,
                 struct export_report *report, struct export_since *since,
                 int64_t *id, struct err *e)
{
    struct export_options o;
    struct bundle *b;
    *id = 0;
    bool ok = make(s, f, f->dir, report, &o, &b, e) &&
              since_look(s, f->target, f->since, f->shapes, report, since, e) &&
              publish(s, f, o.as_of, report, b, id, e);
    bundle_free(&b);
    return ok;
}
