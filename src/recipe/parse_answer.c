/* The whole reply is one answer, perhaps behind its reasoning. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

#define RATIONALE 80 /* tokens of the steps before an answer */

struct settings {
    bool rationale; /* reasoning first, then the marker */
    char *marker;   /* "Answer:" */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    if (!read_bool(j, "rationale", &own->rationale, e) ||
        !read_text(j, "marker", false, &own->marker, e))
        return false;
    text_or(&own->marker, "Answer:");
    return true;
}

static void unload(void *settings)
{
    struct settings *own = settings;
    free(own->marker);
    free(own);
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
    const struct settings *own = p->step->own;
    const char *end = s + strlen(s), *text = s;
    if (own->rationale) {
        const char *marker;
        if (!parse_marked(s, own->marker, &marker, &text)) {
            parse_miss_marker(p, own->marker);
            return;
        }
        join_rationale(p, s, marker);
    }
    struct recipe_item *it = parse_add(p, 0);
    field_take(it, "answer", parse_between(text, end));
    field_take(it, "reasoning", p->thought);
    p->thought = NULL;
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    (void)number;
    if (own->rationale)
        buf_printf(out, "%s\n%s ", parse_field(it, "reasoning"),
                   own->marker);
    buf_puts(out, parse_field(it, "answer"));
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    const struct settings *own = s->own;
    (void)prompt;
    return answer + (own->rationale ? RATIONALE : 0);
}

const struct parser parser_answer = {
    .name = "answer", .keys = "rationale marker",
    .gives = "answer reasoning",
    .usual = "{\"as\": \"candidate\", \"answer\": \"{{answer}}\","
             " \"reasoning\": \"{{reasoning}}\"}",
    .load = load, .unload = unload, .parse = parse, .write = write_item,
    .tokens = tokens};
