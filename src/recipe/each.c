/* The lists that a step goes through: operators, factors, roles, principles
 * (Evol-Instruct's operators: Xu 2023, 2304.12244, section 3.2; UltraFeedback's
 * principles: Cui 2023, 2310.01377, section 3.1).
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/rng.h"
#include "recipe/load.h"
#include "recipe/read.h"

/* ---- Reading ------------------------------------------------------------- */

/* A text is a field of the list's own name; an object has its own. */
static bool load_value(const json *v, const struct recipe_each *x,
                       struct recipe_item *out, struct err *e)
{
    if (json_is_string(v)) {
        field_put(out, x->name, json_string(v));
        return true;
    }
    if (!json_is_object(v) || !json_count(v))
        return err_set(e, ERR_INPUT, _("expected a text, or an object of "
                                       "texts"));
    for (const json *f = json_first(v); f; f = json_next(f)) {
        char *text = NULL;
        if (!name_ok(json_key(f)))
            return err_set(e, ERR_INPUT, _("%.40s: use a-z, 0-9, - and _"),
                           json_key(f));
        if (!read_text(v, json_key(f), true, &text, e))
            return false;
        field_take(out, json_key(f), text);
    }
    return true;
}

static bool load_values(const json *j, struct recipe_each *x, struct err *e)
{
    size_t n = json_count(j);
    if (!json_is_array(j) || !n || n > RECIPE_EACH)
        return err_set(e, ERR_INPUT, _("values: expected a list of 1 to %d"),
                       RECIPE_EACH);
    x->values = xcalloc(n, sizeof *x->values);
    for (const json *v = json_first(j); v; v = json_next(v)) {
        x->values[x->n].index = x->n;
        if (!load_value(v, x, &x->values[x->n++], e))
            return err_in(e, "values[%zu]", x->n - 1);
    }
    return true;
}

/* A list of values, or an object: {"values", "draw"} or {"from", "draw"}. */
static bool load_list(const json *j, struct recipe_each *x, struct err *e)
{
    static const char *const sources[] = {"principles"};
    int draw = 0, from = 0;
    if (json_is_array(j))
        return load_values(j, x, e);
    if (!read_keys(j, "values from draw", e) ||
        !read_whole(j, "draw", 1, RECIPE_EACH, &draw, e))
        return false;
    x->draw = (size_t)draw;
    x->principles = json_get(j, "from") != NULL;
    if (x->principles && json_get(j, "values"))
        return err_set(e, ERR_INPUT, _("values or from, not both"));
    return x->principles ? read_choice(j, "from", sources, 1, &from, e)
                         : load_values(json_get(j, "values"), x, e);
}

static void add_names(const struct recipe_each *x, struct buf *out)
{
    if (x->principles)
        buf_printf(out, "%s%s", out->len ? " " : "", x->name);
    for (size_t i = 0; i < x->n; i++) {
        const struct recipe_item *it = &x->values[i];
        for (size_t k = 0; k < it->fields.n; k++) {
            const char *name = it->fields.at[k].name;
            if (!word_among(name, buf_str(out)))
                buf_printf(out, "%s%s", out->len ? " " : "", name);
        }
    }
}

/* The values of a list, of a target with so many principles. */
static size_t length_of(const struct recipe_each *x, size_t n_principles)
{
    size_t n = x->principles ? n_principles : x->n;
    return x->draw && x->draw < n ? x->draw : n;
}

size_t recipe_each_count(const struct recipe_step *s, size_t n_principles)
{
    size_t n = 1;
    for (size_t i = 0; i < s->n_each; i++) {
        n *= length_of(&s->each[i], n_principles);
        n = n < RECIPE_EACH ? n : RECIPE_EACH;
    }
    return n;
}

static bool check_count(const struct recipe_step *s, struct err *e)
{
    size_t n = 1;
    for (size_t i = 0; i < s->n_each; i++) {
        size_t k = length_of(&s->each[i], 1);
        n *= k ? k : 1;
        if (n > RECIPE_EACH)
            return err_set(e, ERR_INPUT, _("each: its lists come to more than "
                           "%d for one thing; draw some of them"),
                           RECIPE_EACH);
    }
    return true;
}

bool each_load(const json *j, struct recipe_step *s, struct err *e)
{
    struct buf names = BUF_INIT(0);
    if (!j)
        return true;
    if (!json_is_object(j) || !json_count(j))
        return err_set(e, ERR_INPUT, _("each: expected an object of lists"));
    s->each = xcalloc(json_count(j), sizeof *s->each);
    for (const json *v = json_first(j); v; v = json_next(v)) {
        struct recipe_each *x = &s->each[s->n_each++];
        x->name = xstrdup(json_key(v));
        bool ok = name_ok(x->name) ||
                  err_set(e, ERR_INPUT, _("use a-z, 0-9, - and _"));
        if (!ok || !load_list(v, x, e)) {
            buf_free(&names);
            return err_in(e, "each: %.40s", x->name);
        }
        add_names(x, &names);
    }
    s->each_gives = buf_take(&names);
    return check_count(s, e);
}

void each_free(struct recipe_step *s)
{
    for (size_t i = 0; i < s->n_each; i++) {
        for (size_t k = 0; k < s->each[i].n; k++)
            fields_free(&s->each[i].values[k]);
        free(s->each[i].values);
        free(s->each[i].name);
    }
    free(s->each);
    free(s->each_gives);
}

/* ---- Going through ------------------------------------------------------- */

static void add_fields(struct recipe_item *to, const struct recipe_item *from)
{
    for (size_t i = 0; i < from->fields.n; i++)
        field_put(to, from->fields.at[i].name, from->fields.at[i].text);
}

/* Which values, in the order in which they are gone through: all, or a seeded
 * draw of some. */
static size_t pick(const struct recipe_each *x, uint64_t seed,
                   size_t n_principles, size_t *out)
{
    size_t all = x->principles ? n_principles : x->n;
    all = all < RECIPE_EACH ? all : RECIPE_EACH;
    if (x->draw) {
        recipe_order(seed, all, out);
        return length_of(x, all);
    }
    for (size_t i = 0; i < all; i++)
        out[i] = i;
    return all;
}

void recipe_each(const struct recipe_step *s, uint64_t seed,
                 const char *const *principles, size_t n_principles,
                 struct recipe_each_list *out)
{
    *out = (struct recipe_each_list){0};
    VEC_PUSH(out, (struct recipe_item){.index = 0});
    for (size_t i = 0; i < s->n_each; i++) {
        const struct recipe_each *x = &s->each[i];
        struct recipe_each_list next = {0};
        size_t at[RECIPE_EACH];
        size_t n = pick(x, seed + i, n_principles, at);
        for (size_t k = 0; k < out->n * n && k < RECIPE_EACH; k++) {
            struct recipe_item it = {.index = k};
            add_fields(&it, &out->at[k / n]);
            if (x->principles)
                field_put(&it, x->name, principles[at[k % n]]);
            else
                add_fields(&it, &x->values[at[k % n]]);
            VEC_PUSH(&next, it);
        }
        recipe_each_free(out);
        *out = next;
    }
}

void recipe_each_free(struct recipe_each_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        fields_free(&l->at[i]);
    VEC_FREE(l);
}
