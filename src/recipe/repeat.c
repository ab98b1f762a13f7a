/* Steps that run over what comes of them: rounds of evolution (Xu 2023), turns
 * of a dialogue (Ding 2023b), steps of an agent (Qiao 2024).
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "recipe/load.h"
#include "recipe/read.h"

/* ---- Reading ------------------------------------------------------------- */

static bool load_carry(const json *j, struct recipe_repeat *x, struct err *e)
{
    if (!j)
        return true;
    if (!json_is_object(j) || !json_count(j))
        return err_set(e, ERR_INPUT, _("carry: expected an object of texts"));
    x->carry = xcalloc(json_count(j), sizeof *x->carry);
    for (const json *v = json_first(j); v; v = json_next(v)) {
        struct recipe_carry *c = &x->carry[x->n_carry++];
        c->name = xstrdup(json_key(v));
        if (!name_ok(c->name))
            return err_set(e, ERR_INPUT, _("%.40s: use a-z, 0-9, - and _"),
                           c->name);
        if (!read_text(j, c->name, true, &c->text, e))
            return false;
    }
    return true;
}

/* The fields that a pass begins with join those that the step goes through:
 * each name once. */
static bool add_names(struct recipe_step *s, struct err *e)
{
    struct buf b = BUF_INIT(0);
    const char *each = s->each_gives ? s->each_gives : "";
    for (size_t i = 0; i < s->repeat.n_carry; i++) {
        const char *name = s->repeat.carry[i].name;
        if (word_among(name, "pass") || word_among(name, each))
            return err_set(e, ERR_INPUT, _("carry: the field \"%.40s\" is "
                                           "there already"), name);
    }
    if (word_among("pass", each))
        return err_set(e, ERR_INPUT, _("each: the field \"pass\" is the "
                                       "number of the pass"));
    buf_printf(&b, "pass%s%s", s->each_gives ? " " : "",
               s->each_gives ? s->each_gives : "");
    for (size_t i = 0; i < s->repeat.n_carry; i++)
        buf_printf(&b, " %s", s->repeat.carry[i].name);
    free(s->each_gives);
    s->each_gives = buf_take(&b);
    return true;
}

bool repeat_load(const json *j, struct recipe_step *s, struct err *e)
{
    static const char items_of[] = "items of ";
    struct recipe_repeat *x = &s->repeat;
    char *over = NULL;
    int max = 0;
    if (!j)
        return true;
    if (!read_keys(j, "over max until carry", e) ||
        !read_text(j, "over", true, &over, e))
        return err_in(e, "repeat");
    bool ok = !strncmp(over, items_of, sizeof items_of - 1) ||
              err_set(e, ERR_INPUT, _("over: expected items of a step"));
    if (ok)
        x->over = xstrdup(over + sizeof items_of - 1);
    free(over);
    ok = ok && read_whole(j, "max", 2, RECIPE_PASSES, &max, e) &&
         (max || err_set(e, ERR_INPUT, _("max: how many passes there are at "
                                         "most is missing"))) &&
         load_carry(json_get(j, "carry"), x, e);
    x->max = (size_t)max;
    if (ok && json_get(j, "until")) {
        struct buf b = BUF_INIT(0);
        json_print(&b, json_get(j, "until"));
        x->until_json = buf_take(&b);
    }
    ok = ok && add_names(s, e);
    return ok || err_in(e, "repeat");
}

/* Whether `s` comes of `of`, or is it. */
static bool comes_of(const struct recipe_step *s, const struct recipe_step *of)
{
    while (s && s != of)
        s = s->from;
    return s != NULL;
}

static bool resolve(struct recipe *r, struct recipe_step *s, struct err *e)
{
    struct recipe_repeat *x = &s->repeat;
    for (size_t i = 0; i < r->n_steps; i++)
        if (!strcmp(r->steps[i].name, x->over))
            x->from = &r->steps[i];
    if (!x->from || !comes_of(x->from, s))
        return err_set(e, ERR_INPUT, _("over: \"%.40s\" is not this step, nor "
                                       "does it come of it"), x->over);
    if (2 * x->max * r->n_steps > RECIPE_DEEP)
        return err_set(e, ERR_INPUT, _("max: so many passes of %zu steps are "
                                       "too deep"), r->n_steps);
    struct fields_of fields = {x->from, true};
    struct tmpl_scope scope = fields_scope(&fields);
    json *until = x->until_json
                      ? json_parse(x->until_json, strlen(x->until_json), e)
                      : NULL;
    bool ok = !x->until_json ||
              (until && where_load(until, &scope, &x->until, e)) ||
              err_in(e, "until");
    json_free(until);
    for (size_t i = 0; ok && i < x->n_carry; i++) {
        x->carry[i].tmpl = tmpl_new(x->carry[i].text, &scope, e);
        ok = x->carry[i].tmpl || err_in(e, "carry: %s", x->carry[i].name);
    }
    return ok;
}

bool repeat_resolve(struct recipe *r, struct recipe_step *s, struct err *e)
{
    return !s->repeat.over || resolve(r, s, e) || err_in(e, "repeat");
}

void repeat_free(struct recipe_step *s)
{
    struct recipe_repeat *x = &s->repeat;
    for (size_t i = 0; i < x->n_carry; i++) {
        free(x->carry[i].name);
        free(x->carry[i].text);
        tmpl_free(&x->carry[i].tmpl);
    }
    free(x->carry);
    free(x->over);
    free(x->until_json);
    where_free(&x->until);
}

/* ---- Passes -------------------------------------------------------------- */

/* How often an item has gone through a step. */
static size_t passes(const struct recipe_step *s, const struct recipe_chain *c)
{
    size_t n = 0;
    for (; c; c = c->up)
        n += c->step == s && !c->there;
    return n;
}

/* How many items and lists an item comes from, itself counted: loops within
 * loops end where that is too many. */
static size_t depth(const struct recipe_chain *c)
{
    size_t n = 0;
    for (; c; c = c->up)
        n++;
    return n;
}

bool recipe_goes_back(const struct recipe_step *s,
                      const struct recipe_chain *item)
{
    const struct recipe_repeat *x = &s->repeat;
    return x->over && x->from == item->step && passes(s, item) < x->max &&
           depth(item) < RECIPE_DEEP &&
           (!x->until.n || !recipe_passes(&x->until, item));
}

bool recipe_repeats(const struct recipe *r, const struct recipe_chain *item)
{
    for (size_t i = 0; i < r->n_steps; i++)
        if (recipe_goes_back(&r->steps[i], item))
            return true;
    return false;
}

void recipe_each_pass(const struct recipe_step *s,
                      const struct recipe_bindings *back,
                      struct recipe_each_list *l)
{
    const struct recipe_repeat *x = &s->repeat;
    if (!x->over)
        return;
    size_t n = back ? passes(s, back->chain) + 1 : 1;
    for (size_t i = 0; i < l->n; i++) {
        field_put_number(&l->at[i], "pass", (double)n);
        for (size_t k = 0; back && k < x->n_carry; k++)
            field_take(&l->at[i], x->carry[k].name,
                       recipe_text(s, x->carry[k].tmpl, back));
    }
}
