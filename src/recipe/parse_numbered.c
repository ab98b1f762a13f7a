/* A numbered list of prompts. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

static void add_prompt(struct parse *p, size_t index, size_t number,
                       const char *from, const char *to)
{
    char *text = parse_between(from, to);
    if (*text && strlen(text) <= RECIPE_ITEM) {
        parse_add(p, (struct recipe_item){.kind = ITEM_PROMPT, .index = index,
                                         .prompt = text});
        return;
    }
    parse_miss(p, *text ? xasprintf(_("item %zu is longer than %d bytes"),
                                    number, RECIPE_ITEM)
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
    (void)s;
    buf_printf(out, "%zu. %s\n", number, it->prompt);
}

const struct parser parser_numbered = {
    .name = "numbered", .keys = "", .makes = ITEM_PROMPT, .many = true,
    .parse = parse, .write = write_item};
