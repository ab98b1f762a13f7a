/* All answers that were shown in an order, the best one first. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

struct settings {
    char *marker; /* "Ranking:" */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    if (!read_text(j, "marker", false, &own->marker, e))
        return false;
    text_or(&own->marker, "Ranking:");
    return true;
}

static void unload(void *settings)
{
    struct settings *own = settings;
    free(own->marker);
    free(own);
}

/* Places in the order that a reply gives them. */
struct ranks {
    int at[2 * RECIPE_CANDIDATES];
    size_t n;
    bool equal; /* two of them by "=" */
};

static void add_rank(struct ranks *r, int place)
{
    if (r->n < COUNT(r->at))
        r->at[r->n++] = place;
}

/* A letter, or a number in its place ("[2]"). */
static int read_place(const char **s)
{
    const char *at = *s + strspn(*s, " \t*_`\"'([{");
    int place = parse_letter(&at, RECIPE_CANDIDATES);
    if (place < 0 && isdigit((unsigned char)*at)) {
        char *end;
        long n = strtol(at, &end, 10);
        place = n > 0 && n <= RECIPE_CANDIDATES ? (int)n - 1 : -1;
        at = end;
    }
    if (place >= 0)
        *s = at + strspn(at, " \t*_`\"')]}");
    return place;
}

/* "B > A > C", "B, A, C", a list of JSON: false where s is no such chain. */
static bool read_chain(const char *s, struct ranks *out)
{
    static const char then[] = "\xE2\x89\xBB"; /* the sign for "preferred" */
    static const char blanks[] = " \t\r\n";
    bool list = *s == '[', arrow = false;
    *out = (struct ranks){.n = 0};
    s += list ? 1 + strspn(s + 1, blanks) : 0;
    for (int place; (place = read_place(&s)) >= 0;) {
        add_rank(out, place);
        s += list ? strspn(s, blanks) : 0;
        bool wide = !strncmp(s, then, sizeof then - 1);
        if (!wide && (!*s || !strchr(">,=", *s)))
            break;
        arrow = arrow || *s == '>' || wide;
        out->equal = out->equal || *s == '=';
        s += wide ? sizeof then - 1 : strspn(s, ">,=");
        s += list ? strspn(s, blanks) : 0;
    }
    s += strspn(s, " \t.;\r");
    return out->n > 1 && (arrow || out->equal || list || !*s || *s == '\n');
}

/* "1. B", "2) Answer A - ...": the last such list. */
static void read_lines(const char *s, struct ranks *out)
{
    *out = (struct ranks){.n = 0};
    for (const char *line = s, *at; *line; line = parse_next_line(line)) {
        size_t n = parse_number(line, &at);
        int place = n ? parse_letter(&at, RECIPE_CANDIDATES) : -1;
        if (place < 0 || (n != 1 && n != out->n + 1))
            continue;
        if (n == 1)
            out->n = 0;
        add_rank(out, place);
    }
}

/* The last chain that begins a line, perhaps behind its marker; else the
 * lines. */
static void find(const struct settings *own, const char *s, struct ranks *out)
{
    const char *line, *text;
    struct ranks chain;
    bool found = false, marked = parse_marked(s, own->marker, &line, &text);
    for (line = marked ? text : s; *line; line = parse_next_line(line)) {
        const char *at = line + strspn(line, " \t*#_`-");
        if (!read_chain(at, &chain) || (found && marked))
            continue;
        *out = chain;
        found = true;
    }
    if (!found)
        read_lines(marked ? text : s, out);
}

/* Why it is no complete order of n answers; NULL where it is. */
static char *trouble(const struct ranks *r, size_t n)
{
    size_t seen[RECIPE_CANDIDATES] = {0};
    if (!r->n)
        return xstrdup(_("no order of the answers is there"));
    if (r->equal)
        return xstrdup(_("the ranking holds answers equal"));
    for (size_t i = 0; i < r->n; i++) {
        if ((size_t)r->at[i] >= n)
            return xasprintf(_("answer %c was not shown"), 'A' + r->at[i]);
        if (seen[r->at[i]]++)
            return xasprintf(_("answer %c is ranked twice"), 'A' + r->at[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (!seen[i])
            return xasprintf(_("answer %c is not ranked"), (int)('A' + i));
    return NULL;
}

static void parse(struct parse *p, const char *s)
{
    struct ranks r;
    size_t n = p->b->n_candidates;
    find(p->step->own, s, &r);
    char *why = n > RECIPE_CANDIDATES ? NULL : trouble(&r, n);
    if (why)
        parse_miss(p, why);
    for (size_t i = 0; !why && i < n && i < r.n; i++) {
        struct recipe_item *it = parse_add(p, i);
        field_put_number(it, "candidate",
                         (double)parse_of_place(p, (size_t)r.at[i]));
        field_put_number(it, "rank", (double)i + 1);
    }
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    (void)s;
    (void)number;
    buf_printf(out, "%g. %c\n", field_number(it, "rank"),
               (int)('A' + field_number(it, "candidate")));
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    (void)prompt;
    (void)answer;
    return 3 * PARSE_MARKS;
}

const struct parser parser_ranking = {
    .name = "ranking", .keys = "marker", .gives = "candidate rank",
    .shown = true, .load = load, .unload = unload, .parse = parse,
    .write = write_item, .tokens = tokens};
