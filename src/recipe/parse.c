/* Replies to items. A reply is hostile until it is read: nothing here trusts
 * its length, its numbers or its order. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "domain/thought.h"
#include "recipe/parser.h"

const struct parser *const parsers[] = {
    &parser_numbered, &parser_triples, &parser_answer,
    &parser_ratings,  &parser_verdict, &parser_fields,
    &parser_json,     &parser_preference, &parser_ranking,
    &parser_critique, &parser_quotes, &parser_code,
    &parser_turns,    &parser_react,  NULL};

/* ---- Small tools --------------------------------------------------------- */

void parse_miss(struct parse *p, char *sentence)
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

void parse_miss_range(struct parse *p, size_t from, size_t to)
{
    if (from == to)
        parse_miss(p, xasprintf(_("item %zu is not there"), from));
    else if (from < to)
        parse_miss(p, xasprintf(_("items %zu to %zu are not there"), from, to));
}

char *parse_too_long(size_t number)
{
    return xasprintf(_("item %zu is longer than %d bytes"), number,
                     RECIPE_ITEM);
}

struct recipe_item *parse_add(struct parse *p, size_t index)
{
    struct recipe_item it = {.index = index};
    VEC_PUSH(p->out, it); /* wanted, candidates and aspects bound them */
    return &p->out->at[p->out->n - 1];
}

const char *parse_field(const struct recipe_item *it, const char *name)
{
    const char *text = field_get(it, name);
    return text ? text : "";
}

char *parse_trimmed(const char *s, size_t n)
{
    while (n && isspace((unsigned char)*s)) {
        s++;
        n--;
    }
    while (n && isspace((unsigned char)s[n - 1]))
        n--;
    return xstrndup(s, n);
}

char *parse_between(const char *from, const char *to)
{
    return parse_trimmed(from, from < to ? (size_t)(to - from) : 0);
}

const char *parse_line_end(const char *s)
{
    const char *nl = strchr(s, '\n');
    return nl ? nl : s + strlen(s);
}

const char *parse_next_line(const char *s)
{
    const char *end = parse_line_end(s);
    return *end ? end + 1 : end;
}

size_t parse_number(const char *s, const char **behind)
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

size_t parse_wanted(const struct parse *p)
{
    size_t n = p->b->wanted ? p->b->wanted : p->step->wanted;
    return !n ? 1 : n < RECIPE_WANTED ? n : RECIPE_WANTED;
}

/* ---- All of them --------------------------------------------------------- */

/* What came apart from the reply; NULL where that is nothing. */
static char *came_apart(const struct recipe_bindings *b)
{
    char *text = b->thinking ? parse_trimmed(b->thinking, strlen(b->thinking))
                             : NULL;
    if (text && *text)
        return text;
    free(text);
    return NULL;
}

/* Both, an empty line between; takes them. */
static char *joined(char *a, char *b)
{
    if (!a || !b)
        return a ? a : b;
    char *both = xasprintf("%s\n\n%s", a, b);
    free(a);
    free(b);
    return both;
}

/* The part of the reply that is read: at most RECIPE_REPLY bytes, cut at a
 * character's boundary. */
static char *bounded(struct parse *p, const char *reply)
{
    size_t n = strnlen(reply, RECIPE_REPLY + 1);
    if (n > RECIPE_REPLY) {
        for (n = RECIPE_REPLY; n && ((unsigned char)reply[n] & 0xc0) == 0x80;)
            n--;
        p->cut = true;
        parse_miss(p, xasprintf(_("the reply is longer than %d bytes; the "
                                  "rest was not read"), RECIPE_REPLY));
    }
    return xstrndup(reply, n);
}

/* Why a reply without a text is none. */
static const char *why_silent(const char *finish)
{
    if (finish && !strcmp(finish, "tool_calls"))
        return _("the reply only calls tools, without an answer; the recipe "
                 "offers none");
    if (finish && !strcmp(finish, "length"))
        return _("the reply was cut off while it thought, before its answer");
    return _("the reply is only thinking, without an answer");
}

void recipe_parse(const struct recipe_step *s,
                  const struct recipe_bindings *b, const char *reply,
                  const char *finish, struct recipe_items *out)
{
    *out = (struct recipe_items){0};
    struct parse p = {.step = s, .b = b, .out = out,
                      .cut = finish && !strcmp(finish, "length")};
    if (s->op) { /* our own, however long */
        s->parser->parse(&p, reply);
        return;
    }
    bool called = finish && !strcmp(finish, "tool_calls");
    char *thought, *said = thought_part(reply, &thought);
    char *text = bounded(&p, said);
    p.thought = joined(came_apart(b), thought);
    if (text[strspn(text, " \t\r\n")] || (!p.thought && !called))
        s->parser->parse(&p, text);
    else
        parse_miss(&p, xstrdup(why_silent(finish)));
    free(p.thought);
    free(text);
    free(said);
}

void recipe_items_free(struct recipe_items *items)
{
    for (size_t i = 0; i < items->n; i++)
        fields_free(&items->at[i]);
    for (size_t i = 0; i < items->n_missing; i++)
        free(items->missing[i]);
    free(items->missing);
    free(items->at);
    *items = (struct recipe_items){0};
}

void recipe_write(const struct recipe_step *s, size_t n_demos,
                  const struct recipe_item *items, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        s->parser->write(s, n_demos + i + 1, &items[i], out);
}

void text_or(char **s, const char *otherwise)
{
    if (!*s || !**s) {
        free(*s);
        *s = xstrdup(otherwise);
    }
}
