/* The Targets view. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/lang.h"
#include "base/status.h"
#include "store/job.h"
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

static struct recipe_made *made_by(struct targets_state *x,
                                   const struct job *j)
{
    for (size_t i = 0; i < x->made.n; i++)
        if (!strcmp(x->made.at[i].name, j->recipe_name) &&
            x->made.at[i].version == j->recipe_version)
            return &x->made.at[i];
    struct recipe_made new = {.version = j->recipe_version,
                              .judged = !strcmp(j->kind, "rank")};
    snprintf(new.name, sizeof new.name, "%s", j->recipe_name);
    VEC_PUSH(&x->made, new);
    return &x->made.at[x->made.n - 1];
}

/* From what its jobs said of themselves: nothing is counted that grows with
 * the store. */
static void load_made(struct app *a, int64_t target)
{
    enum { MOST = 100 };
    struct targets_state *x = &a->targets;
    ids jobs = {0};
    x->made.n = 0;
    if (!job_ids(a->s, target, &jobs, NULL))
        return;
    for (size_t i = 0; i < jobs.n && i < MOST; i++) {
        struct job j;
        if (!job_get(a->s, jobs.at[i], &j, NULL))
            continue;
        if (j.recipe_name && j.kind) {
            char *dir = store_work_dir(a->s, "j", j.id);
            json *status = status_read(dir, NULL);
            const json *n = json_get(status, "figures");
            struct recipe_made *m = made_by(x, &j);
            m->made += json_get_int(n, "found", 0);
            m->passed += json_get_int(n, "passed", 0);
            m->cost += json_get_number(n, "cost", 0);
            json_free(status);
            free(dir);
        }
        job_free(&j);
    }
    VEC_FREE(&jobs);
}

void targets_load(struct app *a)
{
    struct targets_state *x = &a->targets;
    int64_t id = list_id(&x->list);
    target_free(&x->now);
    if (!id || !target_get(a->s, id, &x->now, NULL))
        return;
    load_made(a, id);
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

/* The document that `e` and `+` open: the keys, ready to be filled in. */
static char *document(const struct target *t)
{
    json *j = t->doc ? json_parse(t->doc, strlen(t->doc), NULL) : NULL;
    struct buf b = BUF_INIT(0);
    buf_printf(&b, "name: %s\n", t->name ? t->name : "");
    buf_printf(&b, "description: %s\n",
               json_get_string(j, "description", ""));
    buf_printf(&b, "system: %s\n", json_get_string(j, "system", ""));
    for (const json *p = json_first(json_get(j, "principles")); p;
         p = json_next(p))
        buf_printf(&b, "principle: %s\n", json_string(p));
    buf_printf(&b, "rubric: %s\n", json_get_string(j, "rubric", ""));
    json_free(j);
    return buf_take(&b);
}

char *targets_text(struct app *a)
{
    return a->targets.now.id ? document(&a->targets.now) : NULL;
}

static void open_editor(struct app *a, const struct target *t)
{
    free(a->edit.text);
    a->edit.what = EDIT_TARGET;
    a->edit.text = document(t);
}

/* "key: value" lines to the document; the name apart. */
static char *read_document(const char *text, char **name)
{
    struct buf b = BUF_INIT(0), list = BUF_INIT(0);
    struct jw w = jw_start(&b), p = jw_start(&list);
    char *copy = xstrdup(text), *rest = copy, *line;
    jw_open(&w, '{');
    jw_open(&p, '[');
    *name = xstrdup("");
    while ((line = strsep(&rest, "\n"))) {
        char *value = strchr(line, ':');
        if (!value)
            continue;
        *value++ = '\0';
        value += strspn(value, " ");
        if (!strcmp(line, "name")) {
            free(*name);
            *name = xstrdup(value);
        } else if (!strcmp(line, "principle")) {
            jw_str(&p, value);
        } else if (*value) {
            jw_kstr(&w, line, value);
        }
    }
    jw_close(&p);
    jw_key(&w, "principles");
    jw_raw(&w, buf_str(&list));
    jw_close(&w);
    buf_free(&list);
    free(copy);
    return buf_take(&b);
}

void targets_edited(struct app *a, const char *text)
{
    struct act act;
    struct err e = {0};
    char *name, *doc = read_document(text, &name);
    int64_t id = target_find(a->s, name);
    bool ok = act_begin(a->s, &act, id ? "target" : "arrive", a->who, name, 0,
                        &e);
    if (ok && id) {
        int64_t t = text_puts(a->s, doc, &e);
        ok = t && act_change(&act, OBJECT_TARGET, id, FIELD_TEXT, t, &e);
    } else if (ok) {
        id = target_add(&act, name, doc, &e);
        ok = id != 0;
    }
    if (ok)
        ok = act_saved(act_commit(&act, &e));
    else if (act.open)
        act_cancel(&act);
    if (ok) {
        app_set_target(a, id);
        app_open(a, VIEW_TARGETS);
        app_say(a, _("target %s saved"), name);
    } else {
        app_say_err(a, &e);
    }
    free(name);
    free(doc);
}

void targets_enter(struct app *a)
{
    int64_t id = a->targets.now.id;
    if (!id)
        return;
    app_set_target(a, id);
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

const struct deed targets_deeds[] = {
    {.act = ACT_ADD, .fn = add},
    {.act = ACT_EDIT, .fn = edit},
    {0}};
