/* A dialogue: turns of the user and the assistant, each behind a label. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "domain/chat.h"
#include "recipe/parser.h"
#include "recipe/read.h"

#define TURNS 6 /* of a dialogue, for its estimate */

struct settings {
    char *labels[2]; /* "User:", "Assistant:" */
};

static const enum role roles[] = {ROLE_USER, ROLE_ASSISTANT};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    if (!read_text(j, "user", false, &own->labels[0], e) ||
        !read_text(j, "assistant", false, &own->labels[1], e))
        return false;
    text_or(&own->labels[0], "User:");
    text_or(&own->labels[1], "Assistant:");
    return strcmp(own->labels[0], own->labels[1]) ||
           err_set(e, ERR_INPUT, _("user, assistant: the same label"));
}

static void unload(void *settings)
{
    struct settings *own = settings;
    free(own->labels[0]);
    free(own->labels[1]);
    free(own);
}

/* Why the turns are no dialogue; NULL where they are one. */
static char *trouble(const struct parse *p, const struct chat *c)
{
    const struct settings *own = p->step->own;
    size_t size = 0;
    if (!c->n)
        return xasprintf(_("no line of the reply begins with \"%s\""),
                         own->labels[0]);
    if (c->at[0].role != ROLE_USER)
        return xstrdup(_("the dialogue does not begin with the user"));
    for (size_t i = 0; i < c->n; i++) {
        if (!*c->at[i].content)
            return xasprintf(_("turn %zu is empty"), i + 1);
        if (i && c->at[i].role == c->at[i - 1].role)
            return xasprintf(_("turn %zu is of the same role as the one "
                               "before it"), i + 1);
        size += strlen(c->at[i].content);
    }
    if (size > RECIPE_ITEM)
        return parse_too_long(1);
    return c->n > 1 ? NULL : xstrdup(_("the dialogue has no answer"));
}

static void parse(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    struct parse_sections parts = {0};
    struct chat c = {0};
    char *const *labels = own->labels;
    parse_sections(s, labels, COUNT(own->labels), &parts);
    for (size_t i = 0; i < parts.n; i++) {
        const struct parse_section *x = &parts.at[i];
        if (p->cut && i + 1 == parts.n && !*x->to) {
            parse_miss(p, xasprintf(_("turn %zu was cut off"), i + 1));
            break;
        }
        char *text = parse_section_text(x, i + 1 == parts.n);
        parse_drop_heading(text);
        chat_add(&c, roles[x->label], text);
        free(text);
    }
    char *why = trouble(p, &c);
    if (why) {
        parse_miss(p, why);
    } else {
        struct buf b = BUF_INIT(0);
        chat_print(&c, &b);
        field_take(parse_add(p, 0), "messages", buf_take(&b));
    }
    chat_free(&c);
    VEC_FREE(&parts);
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    struct chat c;
    (void)number;
    if (!chat_parse(parse_field(it, "messages"), &c, NULL))
        return;
    for (size_t i = 0; i < c.n; i++)
        buf_printf(out, "%s %s\n\n",
                   own->labels[c.at[i].role == ROLE_ASSISTANT],
                   c.at[i].content);
    chat_free(&c);
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    return TURNS / 2 * (prompt + answer + 2 * PARSE_MARKS);
}

const struct parser parser_turns = {
    .name = "turns", .keys = "user assistant", .gives = "messages",
    .load = load, .unload = unload, .parse = parse, .write = write_item,
    .tokens = tokens};
