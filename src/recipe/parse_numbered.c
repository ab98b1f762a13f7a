/* A numbered list: of prompts, or of what `field` calls it. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "recipe/parser.h"
#include "recipe/read.h"

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    if (!read_text(j, "field", false, &s->gives, e))
        return false;
    if (!s->gives) {
        s->gives = xstrdup("prompt");
        return true;
    }
    s->usual = NULL;
    return name_ok(s->gives) ||
           err_set(e, ERR_INPUT, _("field: use a-z, 0-9, - and _"));
}

static void add_prompt(struct parse *p, size_t index, size_t number,
                       const char *from, const char *to)
{
    char *text = parse_between(from, to);
    if (*text && strlen(text) <= RECIPE_ITEM) {
        field_take(parse_add(p, index), p->step->gives, text);
        return;
    }
    parse_miss(p, *text ? parse_too_long(number)
                        : xasprintf(_("item %zu is empty"), number));
    free(text);
}

static void parse(struct parse *p, const char *s)
{
    size_t first = p->b->n_demos + 1, max = parse_wanted(p);
    size_t expect = 0, got = 0;
    const char *item = NULL, *behind, *line = s;
    for (; *line; line = parse_next_line(line)) {
        size_t n = parse_number(line, &behind);
        bool starts = expect ? n == expect : n && (n == first || n == 1);
        if (!starts)
            continue;
        if (!expect)
            first = n;
        if (item)
            add_prompt(p, got - 1, expect - 1, item, line);
        item = got++ < max ? behind : NULL;
        expect = n + 1;
        if (!item)
            break;
    }
    if (item && p->cut)
        parse_miss(p, xasprintf(_("item %zu was cut off"), expect - 1));
    else if (item)
        add_prompt(p, got - 1, expect - 1, item, line);
    if (got < max)
        parse_miss_range(p, first + got, first + max - 1);
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    buf_printf(out, "%zu. %s\n", number, parse_field(it, s->gives));
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)answer;
    return (long)s->wanted * (prompt + PARSE_MARKS);
}

const struct parser parser_numbered = {
    .name = "numbered", .keys = "field", .many = true, .load = load,
    .usual = "{\"as\": \"sample\", \"prompt\": \"{{prompt}}\"}",
    .parse = parse, .write = write_item, .tokens = tokens};
