/* Points about an answer, then the answer rewritten. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

#define POINTS 120 /* tokens of a critique */

struct settings {
    char *label;  /* "Critique:" */
    char *marker; /* "Rewrite:" */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    if (!read_text(j, "label", false, &own->label, e) ||
        !read_text(j, "marker", false, &own->marker, e))
        return false;
    text_or(&own->label, "Critique:");
    text_or(&own->marker, "Rewrite:");
    return true;
}

static void unload(void *settings)
{
    struct settings *own = settings;
    free(own->label);
    free(own->marker);
    free(own);
}

/* The points: all before the first rewrite, but not what stands in front of
 * their own label. */
static char *points(const struct settings *own, const char *s, const char *to)
{
    const char *from = s;
    for (const char *line = s; line < to; line = parse_next_line(line)) {
        const char *text = parse_labelled(line, own->label);
        if (!text)
            continue;
        from = text;
        break;
    }
    char *text = parse_between(from, to);
    parse_drop_heading(text);
    return text;
}

static void parse(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    struct parse_sections parts = {0};
    parse_sections(s, &own->marker, 1, &parts);
    if (!parts.n) {
        parse_miss_marker(p, own->marker);
        return;
    }
    char *critique = points(own, s, parts.at[0].line);
    char *text = parse_section_text(&parts.at[parts.n - 1], false);
    char *answer = parse_unfenced(text, "text txt markdown md");
    if (!*critique)
        parse_miss(p, xasprintf(_("no points stand before \"%s\""),
                                own->marker));
    else if (!*answer)
        parse_miss(p, xasprintf(_("nothing stands behind \"%s\""),
                                own->marker));
    else if (strlen(critique) > RECIPE_ITEM || strlen(answer) > RECIPE_ITEM)
        parse_miss(p, parse_too_long(1));
    else {
        struct recipe_item *it = parse_add(p, 0);
        field_put(it, "critique", critique);
        field_put(it, "answer", answer);
    }
    free(critique);
    free(answer);
    free(text);
    VEC_FREE(&parts);
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    (void)number;
    buf_printf(out, "%s\n%s\n\n%s\n%s\n", own->label,
               parse_field(it, "critique"), own->marker,
               parse_field(it, "answer"));
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    (void)prompt;
    return POINTS + answer;
}

const struct parser parser_critique = {
    .name = "critique", .keys = "label marker", .gives = "critique answer",
    .load = load, .unload = unload, .parse = parse, .write = write_item,
    .tokens = tokens};
