/* Replies to items. A reply is hostile until it is read: nothing here trusts
 * its length, its numbers or its order. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "domain/thought.h"
#include "recipe/recipe.h"

struct parse {
    const struct recipe_step *step;
    const struct recipe_bindings *b;
    struct recipe_items *out;
    bool cut; /* the reply ended at the token limit */
};

/* ---- Small tools --------------------------------------------------------- */

static void miss(struct parse *p, char *sentence)
{
    struct {
        char **at;
        size_t n, cap;
    } v = {p->out->missing, p->out->n_missing, p->out->missing_cap};
    if (v.n >= 64) {
        free(sentence);
        return;
    }
    VEC_PUSH(&v, sentence);
    p->out->missing = v.at;
    p->out->n_missing = v.n;
    p->out->missing_cap = v.cap;
}

static void add_item(struct parse *p, struct recipe_item it)
{
    VEC_PUSH(p->out, it); /* wanted, candidates and aspects bound them */
}

/* A copy of s[0..n) without white space at its ends. */
static char *trimmed(const char *s, size_t n)
{
    while (n && isspace((unsigned char)*s)) {
        s++;
        n--;
    }
    while (n && isspace((unsigned char)s[n - 1]))
        n--;
    return xstrndup(s, n);
}

static char *trimmed_between(const char *from, const char *to)
{
    return trimmed(from, from < to ? (size_t)(to - from) : 0);
}

static const char *line_end(const char *s)
{
    const char *nl = strchr(s, '\n');
    return nl ? nl : s + strlen(s);
}

static const char *next_line(const char *s)
{
    const char *end = line_end(s);
    return *end ? end + 1 : end;
}

/* Behind blanks and the marks of Markdown. */
static const char *skip_marks(const char *s)
{
    return s + strspn(s, " \t*#>-|_");
}

/* "12. ", "12) " or "12: ", perhaps in bold: the number and what stands
 * behind it; 0 where the line does not begin so. */
static size_t numbered(const char *s, const char **behind)
{
    size_t n = 0, digits = 0;
    s += strspn(s, " \t*#");
    for (; isdigit((unsigned char)*s) && digits < 5; s++, digits++)
        n = n * 10 + (size_t)(*s - '0');
    if (!digits || !*s || !strchr(".):", *s))
        return 0;
    s++;
    s += strspn(s, "*");
    if (*s && !isspace((unsigned char)*s))
        return 0;
    *behind = s + strspn(s, " \t");
    return n;
}

/* Where the line begins with `label`, in any case and perhaps in bold: what
 * stands behind it, else NULL. */
static const char *labelled(const char *s, const char *label)
{
    size_t n = strlen(label);
    s += strspn(s, " \t*#");
    if (strncasecmp(s, label, n))
        return NULL;
    s += n;
    return s + strspn(s, "*");
}

static size_t wanted(const struct parse *p)
{
    size_t n = p->b->wanted ? p->b->wanted : p->step->wanted;
    return n < RECIPE_WANTED ? n : RECIPE_WANTED;
}

/* ---- A numbered list ----------------------------------------------------- */

static void add_prompt(struct parse *p, size_t index, size_t number,
                       const char *from, const char *to)
{
    char *text = trimmed_between(from, to);
    if (*text && strlen(text) <= RECIPE_ITEM) {
        add_item(p, (struct recipe_item){.kind = ITEM_PROMPT, .index = index,
                                         .prompt = text});
        return;
    }
    miss(p, *text ? xasprintf(_("item %zu is longer than %d bytes"), number,
                              RECIPE_ITEM)
                  : xasprintf(_("item %zu is empty"), number));
    free(text);
}

static void miss_range(struct parse *p, size_t from, size_t to)
{
    if (from == to)
        miss(p, xasprintf(_("item %zu is not there"), from));
    else if (from < to)
        miss(p, xasprintf(_("items %zu to %zu are not there"), from, to));
}

static void parse_numbered(struct parse *p, const char *s)
{
    size_t first = p->b->n_demos + 1, expect = 0, got = 0, max = wanted(p);
    const char *item = NULL, *behind, *line = s;
    for (; *line; line = next_line(line)) {
        size_t n = numbered(line, &behind);
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
        miss(p, xasprintf(_("item %zu was cut off"), expect - 1));
    else if (item)
        add_prompt(p, got - 1, expect - 1, item, line);
    if (got < max)
        miss_range(p, first + got, first + max - 1);
}

/* ---- Triples ------------------------------------------------------------- */

struct triple {
    const char *from[3], *to[3]; /* instruction, input, output */
    int field;                   /* the one that is being read, -1: none */
    size_t index;
};

static bool no_input(const struct parse *p, const char *s)
{
    return !*s || !strcasecmp(s, p->step->no_input) ||
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
        part[i] = t->from[i] ? trimmed_between(t->from[i], t->to[i])
                             : xstrdup("");
        too_long = too_long || strlen(part[i]) > RECIPE_ITEM;
    }
    size_t n = t->index + 1;
    if (cut)
        miss(p, xasprintf(_("item %zu was cut off"), n));
    else if (too_long)
        miss(p, xasprintf(_("item %zu is longer than %d bytes"), n,
                          RECIPE_ITEM));
    else if (!*part[0] || !*part[2])
        miss(p, xasprintf(*part[0] ? _("item %zu has no output")
                                   : _("item %zu has no instruction"), n));
    if (cut || too_long || !*part[0] || !*part[2]) {
        for (int i = 0; i < 3; i++)
            free(part[i]);
    } else {
        bool none = no_input(p, part[1]);
        if (none)
            free(part[1]);
        add_item(p, (struct recipe_item){
                        .kind = ITEM_TRIPLE, .index = t->index,
                        .prompt = part[0], .input = none ? NULL : part[1],
                        .answer = part[2]});
    }
    *t = (struct triple){.field = -1, .index = t->index + 1};
}

/* A line that only parts items: "###", "---". */
static bool is_rule(const char *line)
{
    const char *end = line_end(line);
    size_t n = strspn(line, "#-= \t\r");
    return end > line && line + n == end && n >= 3;
}

static void parse_triples(struct parse *p, const char *s)
{
    struct triple t = {.field = -1};
    char *const *label = p->step->fields;
    const char *line = s, *behind;
    for (; *line && t.index < wanted(p); line = next_line(line)) {
        const char *at = numbered(line, &behind) ? behind : line;
        const char *text = labelled(at, label[0]);
        int field = 0;
        if (text && t.field != 0) {
            end_triple(p, &t, line, false);
            if (t.index >= wanted(p))
                break;
        } else {
            for (text = NULL, field = t.field + 1;
                 t.field >= 0 && field < 3 && !text; field++)
                text = labelled(line, label[field]);
            field--;
        }
        if (!text && t.field == 2 && is_rule(line))
            end_triple(p, &t, line, false);
        if (!text)
            continue;
        if (t.field >= 0)
            t.to[t.field] = line;
        t.from[field] = text;
        t.field = field;
    }
    end_triple(p, &t, line, p->cut);
    if (t.index < wanted(p))
        miss_range(p, t.index + 1, wanted(p));
}

/* ---- One answer ---------------------------------------------------------- */

/* The last line that begins with the marker: its start, and what stands
 * behind the marker. */
static const char *find_marker(const char *s, const char *marker,
                               const char **behind)
{
    const char *found = NULL;
    for (const char *line = s; *line; line = next_line(line)) {
        const char *text = labelled(line, marker);
        if (text) {
            found = line;
            *behind = text;
        }
    }
    return found;
}

/* One text of the two; takes both, either may be NULL. */
static char *join_reasoning(char *first, char *then)
{
    if (!first || !then)
        return first ? first : then;
    char *both = xasprintf("%s\n\n%s", first, then);
    free(first);
    free(then);
    return both;
}

/* What came apart from the reply; NULL where that is nothing. */
static char *came_apart(const struct recipe_bindings *b)
{
    char *text = b->thinking ? trimmed(b->thinking, strlen(b->thinking))
                             : NULL;
    if (text && *text)
        return text;
    free(text);
    return NULL;
}

static void parse_answer(struct parse *p, const char *s, char *thought)
{
    const char *end = s + strlen(s), *text = s, *marker = end;
    char *rationale = NULL;
    if (p->step->rationale) {
        marker = find_marker(s, p->step->marker, &text);
        if (!marker) {
            miss(p, xasprintf(_("no line of the reply begins with \"%s\""),
                              p->step->marker));
            free(thought);
            return;
        }
        rationale = trimmed_between(s, marker);
        if (!*rationale) {
            free(rationale);
            rationale = NULL;
        }
    }
    add_item(p, (struct recipe_item){
                    .kind = ITEM_ANSWER,
                    .answer = trimmed_between(text, end),
                    .reasoning = join_reasoning(thought, rationale)});
}

/* ---- Ratings ------------------------------------------------------------- */

/* "A", "Answer A", "[B]": the place, and what stands behind; -1 for none. */
static int read_letter(const char **s, size_t n)
{
    static const char *const words[] = {"answer", "candidate", "response"};
    const char *at = skip_marks(*s);
    for (size_t i = 0; i < COUNT(words); i++) {
        size_t len = strlen(words[i]);
        if (!strncasecmp(at, words[i], len) &&
            !isalnum((unsigned char)at[len])) {
            at += len;
            break;
        }
    }
    at += strspn(at, " \t([*");
    int place = *at - 'A';
    if (place < 0 || place >= (int)n || isalnum((unsigned char)at[1]))
        return -1;
    at++;
    *s = at + strspn(at, " \t)]*:|.,-");
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
                 size_t aspect)
{
    for (size_t i = 0; i < items->n; i++)
        if (items->at[i].candidate == candidate &&
            items->at[i].aspect == aspect)
            return true;
    return false;
}

static size_t of_place(const struct parse *p, size_t place)
{
    return p->b->order ? p->b->order[place] : place;
}

static void parse_rating(struct parse *p, const char *line, int *place,
                         bool last)
{
    const char *s = line, *end = line_end(line);
    double value;
    int letter = read_letter(&s, p->b->n_candidates);
    int aspect = s < end ? read_aspect(&s, p->step) : -1;
    if (letter >= 0 && (aspect >= 0 || s >= end))
        *place = letter; /* else the word "A" began a sentence */
    aspect = *place >= 0 ? aspect : -1;
    if (aspect < 0 || !read_figure(&s, &value) || s > end || last)
        return;
    if (value < p->step->low || value > p->step->high) {
        miss(p, xasprintf(_("answer %c, %s: %g is not on the scale from %d "
                            "to %d"), 'A' + *place,
                          p->step->aspects[aspect].name, value, p->step->low,
                          p->step->high));
        return;
    }
    size_t candidate = of_place(p, (size_t)*place);
    size_t n = (size_t)(end - s);
    if (seen(p->out, candidate, (size_t)aspect))
        return;
    add_item(p, (struct recipe_item){
                    .kind = ITEM_RATING, .index = p->out->n,
                    .candidate = candidate, .aspect = (size_t)aspect,
                    .value = value,
                    .reason = trimmed(s, n < RECIPE_ITEM ? n : RECIPE_ITEM)});
}

static void parse_ratings(struct parse *p, const char *s)
{
    int place = -1;
    for (const char *line = s; *line; line = next_line(line))
        parse_rating(p, line, &place, p->cut && !*line_end(line));
    for (size_t i = 0; i < p->b->n_candidates; i++)
        for (size_t k = 0; k < p->step->n_aspects; k++)
            if (!seen(p->out, of_place(p, i), k))
                miss(p, xasprintf(_("answer %c has no rating for %s"),
                                  (int)('A' + i), p->step->aspects[k].name));
}

/* ---- All of them --------------------------------------------------------- */

/* The part of the reply that is read: at most RECIPE_REPLY bytes, cut at a
 * character's boundary. */
static char *bounded(struct parse *p, const char *reply)
{
    size_t n = strnlen(reply, RECIPE_REPLY + 1);
    if (n > RECIPE_REPLY) {
        for (n = RECIPE_REPLY; n && ((unsigned char)reply[n] & 0xc0) == 0x80;)
            n--;
        p->cut = true;
        miss(p, xasprintf(_("the reply is longer than %d bytes; the rest was "
                            "not read"), RECIPE_REPLY));
    }
    return xstrndup(reply, n);
}

void recipe_parse(const struct recipe_step *s,
                  const struct recipe_bindings *b, const char *reply,
                  const char *finish, struct recipe_items *out)
{
    *out = (struct recipe_items){0};
    struct parse p = {s, b, out, finish && !strcmp(finish, "length")};
    char *thought, *said = thought_part(reply, &thought);
    char *at = bounded(&p, said);
    if (s->parser == PARSE_ANSWER) {
        parse_answer(&p, at, join_reasoning(came_apart(b), thought));
    } else {
        free(thought);
        if (s->parser == PARSE_NUMBERED)
            parse_numbered(&p, at);
        else if (s->parser == PARSE_TRIPLES)
            parse_triples(&p, at);
        else if (b->n_candidates <= RECIPE_CANDIDATES)
            parse_ratings(&p, at);
    }
    free(at);
    free(said);
}

void recipe_items_free(struct recipe_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        struct recipe_item *it = &items->at[i];
        free(it->prompt);
        free(it->input);
        free(it->answer);
        free(it->reasoning);
        free(it->reason);
    }
    for (size_t i = 0; i < items->n_missing; i++)
        free(items->missing[i]);
    free(items->missing);
    free(items->at);
    *items = (struct recipe_items){0};
}

char *recipe_triple_prompt(const struct recipe_item *it)
{
    return it->input ? xasprintf("%s\n\n%s", it->prompt, it->input)
                     : xstrdup(it->prompt);
}
