/* The whole reply is one answer, perhaps behind its reasoning. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    if (!read_bool(j, "rationale", &s->rationale, e) ||
        !read_text(j, "marker", false, &s->marker, e))
        return false;
    text_or(&s->marker, "Answer:");
    return true;
}

/* The last line that begins with the marker: its start, and what stands
 * behind the marker. */
static const char *find_marker(const char *s, const char *marker,
                               const char **behind)
{
    const char *found = NULL;
    for (const char *line = s; *line; line = parse_next_line(line)) {
        const char *text = parse_labelled(line, marker);
        if (text) {
            found = line;
            *behind = text;
        }
    }
    return found;
}

/* What stands before the marker joins what the teacher thought. */
static void join_rationale(struct parse *p, const char *from, const char *to)
{
    char *rationale = parse_between(from, to);
    char *both = p->thought && *rationale
                     ? xasprintf("%s\n\n%s", p->thought, rationale)
                     : NULL;
    if (!both && (p->thought || !*rationale)) {
        free(rationale);
        return;
    }
    free(p->thought);
    p->thought = both ? both : rationale;
    if (both)
        free(rationale);
}

static void parse(struct parse *p, const char *s)
{
    const char *end = s + strlen(s), *text = s;
    if (p->step->rationale) {
        const char *marker = find_marker(s, p->step->marker, &text);
        if (!marker) {
            parse_miss(p, xasprintf(_("no line of the reply begins with "
                                      "\"%s\""), p->step->marker));
            return;
        }
        join_rationale(p, s, marker);
    }
    parse_add(p, (struct recipe_item){.kind = ITEM_ANSWER,
                                      .answer = parse_between(text, end),
                                      .reasoning = p->thought});
    p->thought = NULL;
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    (void)number;
    if (s->rationale)
        buf_printf(out, "%s\n%s ", it->reasoning ? it->reasoning : "",
                   s->marker);
    buf_puts(out, it->answer);
}

const struct parser parser_answer = {
    .name = "answer", .keys = "rationale marker", .makes = ITEM_ANSWER,
    .load = load, .parse = parse, .write = write_item};
