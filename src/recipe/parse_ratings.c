/* A rating and a reason for each answer and aspect. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "recipe/parser.h"
#include "recipe/read.h"

static bool load_aspects(const json *j, struct recipe_step *s, struct err *e)
{
    size_t n = json_count(j), i = 0;
    if (!json_is_array(j) || n < 1 || n > 16)
        return err_set(e, ERR_INPUT, _("aspects: expected a list of 1 to 16 "
                                       "aspects"));
    s->aspects = xcalloc(n, sizeof *s->aspects);
    for (const json *a = json_first(j); a; a = json_next(a), i++) {
        struct recipe_aspect *x = &s->aspects[i];
        s->n_aspects = i + 1;
        if (!read_keys(a, "name text", e) ||
            !read_text(a, "name", true, &x->name, e) ||
            !read_text(a, "text", true, &x->text, e))
            return err_in(e, "aspects[%zu]", i);
        if (!name_ok(x->name))
            return err_set(e, ERR_INPUT, _("aspects[%zu]: name: use a-z, "
                                           "0-9, - and _"), i);
    }
    return true;
}

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    s->low = 1;
    s->high = 5;
    if (!read_whole(j, "low", 0, 100, &s->low, e) ||
        !read_whole(j, "high", 0, 100, &s->high, e))
        return false;
    if (s->high <= s->low)
        return err_set(e, ERR_INPUT, _("high: must be above low"));
    return load_aspects(json_get(j, "aspects"), s, e);
}

/* Behind blanks and the marks of Markdown. */
static const char *skip_marks(const char *s)
{
    return s + strspn(s, " \t*#>-|_");
}

/* A letter and what parts it from the rest. */
static int read_letter(const char **s, size_t n)
{
    int place = parse_letter(s, n);
    if (place >= 0)
        *s += strspn(*s, " \t)]*:|.,-");
    return place;
}

static int read_aspect(const char **s, const struct recipe_step *step)
{
    const char *at = skip_marks(*s);
    for (size_t i = 0; i < step->n_aspects; i++) {
        size_t n = strlen(step->aspects[i].name);
        if (strncasecmp(at, step->aspects[i].name, n) ||
            isalnum((unsigned char)at[n]))
            continue;
        *s = at + n;
        return (int)i;
    }
    return -1;
}

/* A figure as "4", "4.5" or "4/5". */
static bool read_figure(const char **s, double *out)
{
    const char *at = *s + strspn(*s, " \t*:=|([-");
    double v = 0, unit = 1;
    int digits = 0;
    for (; isdigit((unsigned char)*at) && digits < 6; at++, digits++)
        v = v * 10 + (*at - '0');
    if (!digits || isdigit((unsigned char)*at))
        return false;
    if (*at == '.' && isdigit((unsigned char)at[1]))
        for (at++; isdigit((unsigned char)*at); at++)
            v += (*at - '0') * (unit /= 10);
    if (*at == '/')
        at += 1 + strspn(at + 1, "0123456789");
    *s = at + strspn(at, " \t*:=|)]-.,;");
    *out = v;
    return true;
}

static bool seen(const struct recipe_items *items, size_t candidate,
                 const char *aspect)
{
    for (size_t i = 0; i < items->n; i++)
        if (field_number(&items->at[i], "candidate") == (double)candidate &&
            !strcmp(field_get(&items->at[i], "aspect"), aspect))
            return true;
    return false;
}

static void parse_rating(struct parse *p, const char *line, int *place,
                         bool last)
{
    const char *s = line, *end = parse_line_end(line);
    double value;
    int letter = read_letter(&s, p->b->n_candidates);
    int aspect = s < end ? read_aspect(&s, p->step) : -1;
    if (letter >= 0 && (aspect >= 0 || s >= end))
        *place = letter; /* else the word "A" began a sentence */
    aspect = *place >= 0 ? aspect : -1;
    if (aspect < 0 || !read_figure(&s, &value) || s > end || last)
        return;
    if (value < p->step->low || value > p->step->high) {
        parse_miss(p, xasprintf(_("answer %c, %s: %g is not on the scale from "
                                  "%d to %d"), 'A' + *place,
                                p->step->aspects[aspect].name, value,
                                p->step->low, p->step->high));
        return;
    }
    size_t candidate = parse_of_place(p, (size_t)*place);
    size_t n = (size_t)(end - s) < RECIPE_ITEM ? (size_t)(end - s)
                                               : RECIPE_ITEM;
    const char *name = p->step->aspects[aspect].name;
    if (seen(p->out, candidate, name))
        return;
    struct recipe_item *it = parse_add(p, p->out->n);
    field_put_number(it, "candidate", (double)candidate);
    field_put(it, "aspect", name);
    field_put_number(it, "value", value);
    field_take(it, "reason", parse_trimmed(s, n));
}

static void parse(struct parse *p, const char *s)
{
    if (p->b->n_candidates > RECIPE_CANDIDATES)
        return;
    int place = -1;
    for (const char *line = s; *line; line = parse_next_line(line))
        parse_rating(p, line, &place, p->cut && !*parse_line_end(line));
    for (size_t i = 0; i < p->b->n_candidates; i++)
        for (size_t k = 0; k < p->step->n_aspects; k++)
            if (!seen(p->out, parse_of_place(p, i), p->step->aspects[k].name))
                parse_miss(p, xasprintf(_("answer %c has no rating for %s"),
                                  (int)('A' + i), p->step->aspects[k].name));
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    (void)s;
    (void)number;
    buf_printf(out, "%c %s: %g - %s\n",
               (int)('A' + field_number(it, "candidate")),
               parse_field(it, "aspect"), field_number(it, "value"),
               parse_field(it, "reason"));
}

#define LINE 16 /* tokens of a judge's line */

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)prompt;
    (void)answer;
    return 3 * (long)s->n_aspects * LINE;
}

const struct parser parser_ratings = {
    .name = "ratings", .keys = "low high aspects",
    .gives = "candidate aspect value reason",
    .usual = "{\"as\": \"score\", \"candidate\": \"{{candidate}}\","
             " \"aspect\": \"{{aspect}}\", \"value\": \"{{value}}\","
             " \"reason\": \"{{reason}}\"}",
    .shown = true, .load = load, .parse = parse, .write = write_item,
    .tokens = tokens};
