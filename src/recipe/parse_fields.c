/* Labelled lines: a field each, up to the next label. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

struct settings {
    struct parse_names names;
    char *labels[PARSE_NAMES]; /* borrowed of them */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    if (json_get(j, "fields") && !json_is_object(json_get(j, "fields")))
        return err_set(e, ERR_INPUT, _("fields: expected an object of field "
                                       "to label"));
    if (!parse_names_load(j, &own->names, s, e))
        return false;
    for (size_t i = 0; i < own->names.n; i++)
        own->labels[i] = own->names.at[i].label;
    if (own->names.at[0].optional)
        return err_set(e, ERR_INPUT, _("optional: an item begins with its "
                                       "first field"));
    return true;
}

static void unload(void *settings)
{
    struct settings *own = settings;
    parse_names_free(&own->names);
    free(own);
}

struct item {
    char *text[PARSE_NAMES];
    size_t n; /* fields that are there; 0: no item is open */
    size_t number;
};

/* Why the item is none, NULL where it is whole. */
static char *trouble(const struct settings *own, const struct item *x,
                     bool cut)
{
    if (cut)
        return xasprintf(_("item %zu was cut off"), x->number);
    for (size_t i = 0; i < own->names.n; i++) {
        const char *text = x->text[i];
        if (text && strlen(text) > RECIPE_ITEM)
            return parse_too_long(x->number);
        if ((!text || !*text) && !own->names.at[i].optional)
            return xasprintf(_("item %zu has no %s"), x->number,
                             own->names.at[i].name);
    }
    return NULL;
}

static void end_item(struct parse *p, struct item *x, bool cut)
{
    const struct settings *own = p->step->own;
    char *why = x->n ? trouble(own, x, cut) : NULL;
    struct recipe_item *it = x->n && !why ? parse_add(p, x->number - 1) : NULL;
    for (size_t i = 0; i < own->names.n; i++) {
        if (it && x->text[i] && *x->text[i])
            field_take(it, own->names.at[i].name, x->text[i]);
        else
            free(x->text[i]);
        x->text[i] = NULL;
    }
    if (why)
        parse_miss(p, why);
    x->number += x->n > 0;
    x->n = 0;
}

static void parse(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    struct parse_sections parts = {0};
    struct item x = {.number = 1};
    size_t wanted = parse_wanted(p), i = 0;
    bool cut = false;
    parse_sections(s, own->labels, own->names.n, &parts);
    for (; i < parts.n; i++) {
        struct parse_section *part = &parts.at[i];
        bool next = i + 1 < parts.n && !parts.at[i + 1].label;
        bool last = next || i + 1 == parts.n; /* of its item */
        if (!part->label)
            end_item(p, &x, false);
        if (x.number > wanted)
            break;
        if (part->label && !x.n)
            continue; /* before the first item */
        char *text = parse_section_text(part, last);
        if (next)
            parse_drop_heading(text);
        if (x.text[part->label]) { /* said twice: the first one counts */
            free(text);
            continue;
        }
        x.text[part->label] = text;
        x.n++;
        cut = p->cut && i + 1 == parts.n && !*part->to;
    }
    end_item(p, &x, cut);
    VEC_FREE(&parts);
    if (x.number <= wanted)
        parse_miss_range(p, x.number, wanted);
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    if (s->wanted > 1)
        buf_printf(out, "%zu. ", number);
    for (size_t i = 0; i < own->names.n; i++) {
        const char *text = field_get(it, own->names.at[i].name);
        if (text)
            buf_printf(out, "%s %s\n", own->labels[i], text);
    }
    buf_putc(out, '\n');
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    const struct settings *own = s->own;
    return parse_names_tokens(&own->names, s->wanted, prompt, answer);
}

const struct parser parser_fields = {
    .name = "fields", .keys = "fields optional", .many = true, .one = true,
    .load = load, .unload = unload, .parse = parse, .write = write_item,
    .tokens = tokens};
