/* The last fenced block of code, and the text around it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/parser.h"
#include "recipe/read.h"

struct settings {
    char **names; /* what the language is called behind a fence */
    size_t n;
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    const json *v = json_get(j, "language");
    bool list = json_is_array(v);
    size_t n = !v ? 0 : list ? json_count(v) : 1;
    own->names = xcalloc(n + 1, sizeof *own->names);
    for (const json *x = list ? json_first(v) : v; own->n < n;
         x = json_next(x)) {
        if (!json_is_string(x) || !*json_string(x) ||
            strpbrk(json_string(x), " \t\r\n`"))
            return err_set(e, ERR_INPUT, _("language: expected a word or a "
                                           "list of words"));
        own->names[own->n++] = xstrdup(json_string(x));
    }
    return !v || n || err_set(e, ERR_INPUT, _("language: expected a word or a "
                                              "list of words"));
}

static void unload(void *settings)
{
    struct settings *own = settings;
    for (size_t i = 0; i < own->n; i++)
        free(own->names[i]);
    free(own->names);
    free(own);
}

struct block {
    const char *open, *from, *to, *past; /* past: behind its closing line */
    bool closed;
};

/* 2 for a block of the language, 1 for one that does not say, 0 for others. */
static int fits(const struct settings *own, const char *info)
{
    info += strspn(info, " \t{.");
    size_t n = strcspn(info, " \t\r\n{},:");
    for (size_t i = 0; i < own->n; i++)
        if (strlen(own->names[i]) == n && !strncasecmp(own->names[i], info, n))
            return 2;
    return !own->n ? 2 : !n;
}

/* The last of the blocks that fit best; 0 where none does. */
static int find(const struct settings *own, const char *s, struct block *out)
{
    int best = 0;
    const char *next, *info;
    for (const char *line = s; *line; line = next) {
        next = parse_next_line(line);
        if (!parse_fence(line, &info))
            continue;
        struct block b = {.open = line, .from = next};
        b.to = parse_fence_end(line, &next);
        b.closed = b.to;
        if (!b.closed)
            b.to = next = line + strlen(line);
        b.past = next;
        int fit = fits(own, info);
        if (!fit || fit < best)
            continue;
        best = fit;
        *out = b;
    }
    return best;
}

/* The code without the blank line ends around it, and without what all of it
 * is indented by where its fence is. */
static char *code_of(const struct block *b)
{
    size_t indent = strspn(b->open, " \t");
    struct buf out = BUF_INIT(0);
    for (const char *line = b->from; line < b->to;
         line = parse_next_line(line)) {
        size_t blank = strspn(line, " \t"), drop = blank < indent ? blank
                                                                  : indent;
        const char *end = parse_next_line(line);
        end = end < b->to ? end : b->to;
        if (line + drop < end)
            buf_add(&out, line + drop, (size_t)(end - line) - drop);
    }
    char *text = buf_take(&out);
    size_t n = strlen(text);
    while (n && strchr(" \t\r\n", text[n - 1]))
        n--;
    text[n] = '\0';
    size_t lead = strspn(text, "\r\n");
    memmove(text, text + lead, strlen(text + lead) + 1);
    return text;
}

static char *text_around(const char *s, const struct block *b)
{
    char *before = parse_between(s, b->open);
    char *behind = parse_between(b->past, b->past + strlen(b->past));
    char *both = xasprintf("%s%s%s", before,
                           *before && *behind ? "\n\n" : "", behind);
    free(before);
    free(behind);
    return both;
}

static void parse(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    struct block b;
    if (!find(own, s, &b)) {
        parse_miss(p, own->n ? xasprintf(_("no block of %s is there"),
                                         own->names[0])
                             : xstrdup(_("no fenced block is there")));
        return;
    }
    char *code = code_of(&b), *text = text_around(s, &b);
    if (!b.closed && p->cut)
        parse_miss(p, xstrdup(_("the block was cut off")));
    else if (!*code)
        parse_miss(p, xstrdup(_("the block is empty")));
    else if (strlen(code) > RECIPE_ITEM || strlen(text) > RECIPE_ITEM)
        parse_miss(p, parse_too_long(1));
    else {
        struct recipe_item *it = parse_add(p, 0);
        field_put(it, "code", code);
        field_put(it, "text", *text ? text : NULL);
    }
    free(code);
    free(text);
}

/* A fence longer than any in the code. */
static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    const struct settings *own = s->own;
    const char *text = field_get(it, "text"), *code = parse_field(it, "code");
    char fence[80] = "```";
    (void)number;
    for (size_t n = 3; strstr(code, fence) && n + 1 < sizeof fence; n++) {
        fence[n] = '`';
        fence[n + 1] = '\0';
    }
    if (text)
        buf_printf(out, "%s\n\n", text);
    buf_printf(out, "%s%s\n%s\n%s\n", fence, own->n ? own->names[0] : "", code,
               fence);
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    (void)prompt;
    return answer + 2 * PARSE_MARKS;
}

const struct parser parser_code = {
    .name = "code", .keys = "language", .gives = "code text", .load = load,
    .unload = unload, .parse = parse, .write = write_item, .tokens = tokens};
