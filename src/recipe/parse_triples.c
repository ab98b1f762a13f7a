/* Items of instruction, input and output. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

static const char *const keys[] = {"instruction", "input", "output"};

struct settings {
    char *labels[3]; /* "Instruction:" "Input:" "Output:" */
    char *no_input;  /* what an empty input is written as */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    static const char *const usual[] = {"Instruction:", "Input:", "Output:"};
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    for (int i = 0; i < 3; i++) {
        if (!read_text(j, keys[i], false, &own->labels[i], e))
            return false;
        text_or(&own->labels[i], usual[i]);
    }
    if (!read_text(j, "no_input", false, &own->no_input, e))
        return false;
    text_or(&own->no_input, "<none>");
    return true;
}

static void unload(void *settings)
{
    struct settings *own = settings;
    for (int i = 0; i < 3; i++)
        free(own->labels[i]);
    free(own->no_input);
    free(own);
}

struct triple {
    const char *from[3], *to[3]; /* instruction, input, output */
    int field;                   /* the one that is being read, -1: none */
    size_t index;
};

static bool no_input(const struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    return !*s || !strcasecmp(s, own->no_input) ||
           !strcasecmp(s, "<noinput>") || !strcasecmp(s, "none") ||
           !strcasecmp(s, "n/a");
}

static void end_triple(struct parse *p, struct triple *t, const char *end,
                       bool cut)
{
    if (t->field < 0)
        return;
    t->to[t->field] = end;
    char *part[3];
    bool too_long = false;
    for (int i = 0; i < 3; i++) {
        part[i] = t->from[i] ? parse_between(t->from[i], t->to[i])
                             : xstrdup("");
        too_long = too_long || strlen(part[i]) > RECIPE_ITEM;
    }
    size_t n = t->index + 1;
    if (cut)
        parse_miss(p, xasprintf(_("item %zu was cut off"), n));
    else if (too_long)
        parse_miss(p, parse_too_long(n));
    else if (!*part[0] || !*part[2])
        parse_miss(p, xasprintf(*part[0] ? _("item %zu has no output")
                                   : _("item %zu has no instruction"), n));
    bool whole = !cut && !too_long && *part[0] && *part[2];
    struct recipe_item *it = whole ? parse_add(p, t->index) : NULL;
    for (int i = 0; it && i < 3; i++)
        if (i != 1 || !no_input(p, part[1]))
            field_put(it, keys[i], part[i]);
    for (int i = 0; i < 3; i++)
        free(part[i]);
    *t = (struct triple){.field = -1, .index = t->index + 1};
}

static void parse(struct parse *p, const char *s)
{
    struct triple t = {.field = -1};
    const struct settings *own = p->step->own;
    char *const *label = own->labels;
    const char *line = s, *behind;
    for (; *line && t.index < parse_wanted(p); line = parse_next_line(line)) {
        const char *at = parse_number(line, &behind) ? behind : line;
        const char *text = parse_labelled(at, label[0]);
        int field = 0;
        if (text && t.field != 0) {
            end_triple(p, &t, line, false);
            if (t.index >= parse_wanted(p))
                break;
        } else {
            for (text = NULL, field = t.field + 1;
                 t.field >= 0 && field < 3 && !text; field++)
                text = parse_labelled(line, label[field]);
            field--;
        }
        if (!text && t.field == 2 && parse_is_rule(line))
            end_triple(p, &t, line, false);
        if (!text)
            continue;
        if (t.field >= 0)
            t.to[t.field] = line;
        t.from[field] = text;
        t.field = field;
    }
    end_triple(p, &t, line, p->cut);
    if (t.index < parse_wanted(p))
        parse_miss_range(p, t.index + 1, parse_wanted(p));
}

static void write_item(const struct recipe_step *s, size_t number,
                         const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    const char *input = field_get(it, "input");
    buf_printf(out, "%zu. %s %s\n%s %s\n%s %s\n\n", number, own->labels[0],
               parse_field(it, "instruction"), own->labels[1],
               input ? input : own->no_input, own->labels[2],
               parse_field(it, "output"));
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    return (long)s->wanted * (prompt + answer + 4 * PARSE_MARKS);
}

const struct parser parser_triples = {
    .name = "triples", .keys = "instruction input output no_input",
    .gives = "instruction input output", .many = true,
    .usual = "{\"as\": \"sample\", \"prompt\": \"{{instruction}}"
             "{{#input}}\\n\\n{{input}}{{/input}}\","
             " \"answer\": \"{{output}}\"}",
    .load = load, .unload = unload, .parse = parse, .write = write_item,
    .tokens = tokens};
