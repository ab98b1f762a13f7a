#include "recipe/item.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct recipe_field *find(const struct recipe_item *it,
                                 const char *name)
{
    for (size_t i = 0; i < it->fields.n; i++)
        if (!strcmp(it->fields.at[i].name, name))
            return &it->fields.at[i];
    return NULL;
}

const char *field_get(const struct recipe_item *it, const char *name)
{
    const struct recipe_field *f = find(it, name);
    return f ? f->text : NULL;
}

double field_number(const struct recipe_item *it, const char *name)
{
    const char *text = field_get(it, name);
    char *end = NULL;
    double v = text ? strtod(text, &end) : NAN;
    return end && end != text && !*end ? v : NAN;
}

void field_take(struct recipe_item *it, const char *name, char *text)
{
    struct recipe_field *f = find(it, name);
    if (!text)
        return;
    if (f)
        free(f->text);
    else
        VEC_PUSH(&it->fields, ((struct recipe_field){xstrdup(name), NULL}));
    f = f ? f : &it->fields.at[it->fields.n - 1];
    f->text = text;
}

void field_put(struct recipe_item *it, const char *name, const char *text)
{
    field_take(it, name, text ? xstrdup(text) : NULL);
}

void field_put_number(struct recipe_item *it, const char *name, double value)
{
    field_take(it, name, xasprintf("%.17g", value));
}

void fields_free(struct recipe_item *it)
{
    for (size_t i = 0; i < it->fields.n; i++) {
        free(it->fields.at[i].name);
        free(it->fields.at[i].text);
    }
    VEC_FREE(&it->fields);
}
