/* Which of two answers that were shown is the better one, with a reason. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

#define PREFERENCE 80 /* tokens of a preference and its reason */

struct settings {
    char *marker; /* "Preference:" */
    char *tie;    /* "tie" */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    if (!read_text(j, "marker", false, &own->marker, e) ||
        !read_text(j, "tie", false, &own->tie, e))
        return false;
    text_or(&own->marker, "Preference:");
    text_or(&own->tie, "tie");
    return true;
}

static void unload(void *settings)
{
    struct settings *own = settings;
    free(own->marker);
    free(own->tie);
    free(own);
}

enum { NONE = -1, FIRST, SECOND, TIE, BOTH };

/* What stands behind the first letter and may change what it says: "A and B",
 * "A < B", "A = B". */
static int with_second(int first, const char **s)
{
    static const char *const words[] = {"/", "|", "and ", "or ", "e ",
                                        "ou ", "=", "<", ">"};
    const char *at = *s + strspn(*s, " \t*_`\"])");
    for (size_t i = 0; i < COUNT(words); i++) {
        const char *past = at + strlen(words[i]);
        if (strncmp(at, words[i], strlen(words[i])) ||
            parse_letter(&past, 2) < 0)
            continue;
        *s = past;
        return *at == '=' ? TIE : *at == '<' ? 1 - first
               : *at == '>' ? first : BOTH;
    }
    return first;
}

/* What s says, and what stands behind that. */
static int read_choice_at(const struct settings *own, const char *s,
                          const char **behind)
{
    static const char *const articles[] = {"", "a ", "an ", "um ", "uma "};
    s += strspn(s, " \t*_`\"([-");
    for (size_t i = 0; i < COUNT(articles); i++) {
        const char *at = parse_begins(s, articles[i]);
        *behind = at ? parse_begins(at, own->tie) : NULL;
        if (*behind)
            return TIE;
    }
    int place = parse_letter(&s, 2);
    if (place >= 0)
        place = with_second(place, &s);
    *behind = s;
    return place;
}

/* The last "[[A]]"; "[[C]]" is a tie. */
static int in_brackets(const struct settings *own, const char *s,
                       const char **line, const char **behind)
{
    int found = NONE;
    for (const char *at = strstr(s, "[["); at; at = strstr(at + 2, "[[")) {
        if (!isalpha((unsigned char)at[2]))
            continue;
        int choice = !strncmp(at, "[[C]]", 5)
                         ? (*behind = at + 3, TIE)
                         : read_choice_at(own, at + 2, behind);
        if (choice == NONE || strncmp(*behind, "]]", 2))
            continue;
        *line = at;
        found = choice;
    }
    return found;
}

/* A reply that says it and nothing else. */
static int alone(const struct settings *own, const char *s,
                 const char **behind)
{
    int choice = read_choice_at(own, s + strspn(s, " \t\r\n"), behind);
    const char *rest = parse_skip_marks(*behind);
    return choice != NONE && !rest[strspn(rest, " \t\r\n*_`")] ? choice : NONE;
}

static void add(struct parse *p, int choice, char *reason)
{
    struct recipe_item *it = parse_add(p, 0);
    size_t place = choice == TIE ? 0 : parse_of_place(p, (size_t)choice);
    field_put(it, "preference", choice == TIE ? "tie" : place ? "b" : "a");
    if (choice != TIE)
        field_put_number(it, "candidate", (double)place);
    field_take(it, "reason", reason);
}

static void parse(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    const char *line = s, *text, *behind = s;
    int choice = NONE;
    if (p->b->n_candidates != 2) {
        parse_miss(p, xasprintf(_("a preference is between two answers, and "
                                  "%zu were shown"), p->b->n_candidates));
        return;
    }
    bool marked = parse_marked(s, own->marker, &line, &text);
    if (marked)
        choice = read_choice_at(own, parse_first_words(text), &behind);
    else if ((choice = in_brackets(own, s, &line, &behind)) == NONE)
        choice = alone(own, s, &behind);
    if (choice == NONE && !marked)
        parse_miss_marker(p, own->marker);
    else if (choice == NONE)
        parse_miss(p, xstrdup(_("the preference names no answer")));
    else if (choice == BOTH)
        parse_miss(p, xstrdup(_("the preference names both answers")));
    else if (p->cut && !*behind)
        parse_miss(p, xstrdup(_("the preference was cut off")));
    else
        add(p, choice, parse_reason(s, line, behind));
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    const char *reason = field_get(it, "reason");
    char side = *parse_field(it, "preference");
    (void)number;
    if (reason)
        buf_printf(out, "%s\n", reason);
    buf_printf(out, "%s %s\n", own->marker,
               side == 'a'   ? "A"
               : side == 'b' ? "B"
                             : own->tie);
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    (void)prompt;
    (void)answer;
    return PREFERENCE;
}

const struct parser parser_preference = {
    .name = "preference", .keys = "marker tie",
    .gives = "preference candidate reason", .shown = true, .load = load,
    .unload = unload, .parse = parse, .write = write_item, .tokens = tokens};
