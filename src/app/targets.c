/* The Targets view. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "store/text.h"

void targets_open(struct app *a)
{
    ids all = {0};
    struct err e = {0};
    if (!target_ids(a->s, &all, &e))
        app_say_err(a, &e);
    list_take(&a->targets.list, &all);
    if (a->target)
        list_go(&a->targets.list, a->target);
}

static void forget_rows(struct targets_state *x)
{
    for (size_t i = 0; i < x->rows.n; i++)
        free(x->rows.at[i].name);
    x->rows.n = 0;
}

void targets_show(struct app *a, size_t from, size_t n)
{
    struct targets_state *x = &a->targets;
    (void)from;
    (void)n;
    if (!app_moved_on(a, &x->counted) && x->rows.n == x->list.total)
        return;
    forget_rows(x);
    for (size_t i = 0; i < x->list.total; i++) {
        struct target t;
        struct target_row r = {0};
        if (target_get(a->s, list_at(&x->list, i), &t, NULL)) {
            r.name = xstrdup(t.name);
            target_counts(a->s, t.id, &r.counts);
            target_free(&t);
        }
        VEC_PUSH(&x->rows, r);
    }
}

void targets_load(struct app *a)
{
    struct targets_state *x = &a->targets;
    int64_t id = list_id(&x->list);
    target_free(&x->now);
    if (!id || !target_get(a->s, id, &x->now, NULL))
        return;
    VEC_FREE(&x->made);
    target_recipes(a->s, id, &x->made, NULL);
    x->untrained = target_untrained(a->s, id);
}

void targets_done(struct app *a)
{
    forget_rows(&a->targets);
    VEC_FREE(&a->targets.rows);
    VEC_FREE(&a->targets.made);
    target_free(&a->targets.now);
    list_free(&a->targets.list);
}

/* ---- The document that `e` and `+` open --------------------------------- */

/* What a line may begin with; other lines go on with the one before. */
static const struct {
    const char *key;
    bool always; /* it stands there to be filled in */
} keys[] = {{"name", true}, {"description", true}, {"kind", false},
            {"languages", false}, {"system", true}, {"principle", false},
            {"rubric", true}};

static char *document(const struct target *t)
{
    json *j = t->doc ? json_parse(t->doc, strlen(t->doc), NULL) : NULL;
    struct buf b = BUF_INIT(0);
    buf_printf(&b, "name: %s\n", t->name ? t->name : "");
    for (size_t i = 1; i < COUNT(keys); i++) {
        const char *value = json_get_string(j, keys[i].key, "");
        if (*value || keys[i].always)
            buf_printf(&b, "%s: %s\n", keys[i].key, value);
        if (!strcmp(keys[i].key, "principle"))
            for (const json *p = json_first(json_get(j, "principles")); p;
                 p = json_next(p))
                buf_printf(&b, "principle: %s\n", json_string(p));
    }
    json_free(j);
    return buf_take(&b);
}

char *targets_text(struct app *a)
{
    return a->targets.now.id ? document(&a->targets.now) : NULL;
}

/* The place of the key that a line begins with, COUNT(keys) for none. */
static size_t key_of(const char *line)
{
    size_t i = 0, n = strcspn(line, ":");
    while (i < COUNT(keys) && (line[n] != ':' || strlen(keys[i].key) != n ||
                               strncmp(keys[i].key, line, n)))
        i++;
    return i;
}

/* A text being read. */
struct reading {
    struct buf name, doc, principles;
    struct jw w, p;
    size_t key;       /* whose value is read; COUNT(keys): none yet */
    struct buf value;
};

static void end_value(struct reading *r)
{
    const char *key = r->key < COUNT(keys) ? keys[r->key].key : "";
    while (r->value.len && strchr(" \n", r->value.data[r->value.len - 1]))
        buf_drop(&r->value, 1);
    if (!strcmp(key, "name"))
        buf_puts(&r->name, buf_str(&r->value));
    else if (!strcmp(key, "principle") && r->value.len)
        jw_str(&r->p, buf_str(&r->value));
    else if (*key && r->value.len)
        jw_kstr(&r->w, key, buf_str(&r->value));
    buf_clear(&r->value);
}

/* What stands in the document and is not edited here. */
static void keep_others(struct reading *r, const char *was)
{
    json *j = was ? json_parse(was, strlen(was), NULL) : NULL;
    for (const json *k = json_first(j); k; k = json_next(k)) {
        struct buf value = BUF_INIT(0);
        size_t i = 0;
        while (i < COUNT(keys) && strcmp(keys[i].key, json_key(k)))
            i++;
        if (i < COUNT(keys) || !strcmp(json_key(k), "principles"))
            continue;
        json_print(&value, k);
        jw_key(&r->w, json_key(k));
        jw_raw(&r->w, buf_str(&value));
        buf_free(&value);
    }
    json_free(j);
}

/* The lines as a document, which was `was` before (NULL: none); the name
 * apart. The caller frees both. */
static char *read_document(const char *text, const char *was, char **name)
{
    struct reading r = {.key = COUNT(keys)};
    char *copy = xstrdup(text), *rest = copy, *line;
    r.w = jw_start(&r.doc);
    r.p = jw_start(&r.principles);
    jw_open(&r.w, '{');
    jw_open(&r.p, '[');
    while ((line = strsep(&rest, "\n"))) {
        size_t key = key_of(line);
        if (key < COUNT(keys)) {
            end_value(&r);
            r.key = key;
            line += strlen(keys[key].key) + 1;
            line += strspn(line, " ");
        }
        buf_printf(&r.value, "%s\n", line);
    }
    end_value(&r);
    jw_close(&r.p);
    jw_key(&r.w, "principles");
    jw_raw(&r.w, buf_str(&r.principles));
    keep_others(&r, was);
    jw_close(&r.w);
    *name = buf_take(&r.name);
    buf_free(&r.principles);
    buf_free(&r.value);
    free(copy);
    return buf_take(&r.doc);
}

/* Whether the text says what stands there already. */
static bool is_same(const char *text, const struct target *t)
{
    char *was = document(t), *old_name, *new_name;
    char *old = read_document(was, t->doc, &old_name);
    char *new = read_document(text, t->doc, &new_name);
    bool same = !strcmp(old, new) && !strcmp(old_name, new_name);
    free(old_name);
    free(new_name);
    free(old);
    free(new);
    free(was);
    return same;
}

/* The target's id, 0 where it was not saved. */
static int64_t save(struct app *a, const struct target *t, const char *name,
                    const char *doc, struct err *e)
{
    struct act act;
    int64_t id = t->id;
    if (id && strcmp(name, t->name)) {
        err_set(e, ERR_REFUSED, _("a target keeps its name, %s; + makes "
                                  "another"), t->name);
        return 0;
    }
    if (!act_begin(a->s, &act, id ? "target" : "arrive", a->who, name, 0, e))
        return 0;
    int64_t text = id ? text_puts(a->s, doc, e) : 0;
    bool ok = !id || (text && act_change(&act, OBJECT_TARGET, id, FIELD_TEXT,
                                         text, e));
    if (!id)
        id = target_add(&act, name, doc, e);
    if (ok && id)
        return act_saved(act_commit(&act, e)) ? id : 0;
    act_cancel(&act);
    return 0;
}

void targets_edited(struct app *a, const char *text)
{
    struct target t = {0};
    struct err e = {0};
    char *name, *doc;
    if (a->edit.of)
        target_get(a->s, a->edit.of, &t, NULL);
    if (is_same(text, &t)) {
        edit_forget(a, OBJECT_TARGET, a->edit.of);
        app_say(a, _("nothing was changed"));
        target_free(&t);
        return;
    }
    doc = read_document(text, t.doc, &name);
    int64_t id = save(a, &t, name, doc, &e);
    if (id) {
        edit_forget(a, OBJECT_TARGET, t.id);
        app_set_target(a, id);
        app_open(a, VIEW_TARGETS);
        app_say(a, _("target %s saved"), name);
    } else {
        edit_set_aside(a, OBJECT_TARGET, t.id, text, &e);
    }
    target_free(&t);
    free(name);
    free(doc);
}

static void open_editor(struct app *a, const struct target *t)
{
    char *aside = edit_aside(a, OBJECT_TARGET, t->id);
    free(a->edit.text);
    a->edit.what = EDIT_TARGET;
    a->edit.of = t->id;
    a->edit.text = aside ? aside : document(t);
}

static void work_on(struct app *a, const char *args)
{
    (void)args;
    app_set_target(a, a->targets.now.id);
    app_open(a, a->counts.pending ? VIEW_REVIEW : VIEW_SEEDS);
}

static void add(struct app *a, const char *args)
{
    const struct target none = {0};
    (void)args;
    open_editor(a, &none);
}

static void edit(struct app *a, const char *args)
{
    (void)args;
    open_editor(a, &a->targets.now);
}

static const char *no_target(const struct app *a)
{
    return a->targets.now.id ? NULL : _("no target yet; + makes one");
}

const struct deed targets_deeds[] = {
    {.act = ACT_ADD, .fn = add},
    {.act = ACT_EDIT, .fn = edit, .why_not = no_target},
    {.act = ACT_OPEN, .fn = work_on, .why_not = no_target},
    {0}};
