/* An answer whose quotations stand in a source. */
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/mem.h"
#include "recipe/load.h"
#include "recipe/parser.h"
#include "recipe/read.h"

#define QUOTES 64 /* of one answer */

struct settings {
    char *source; /* the field that holds it */
};

static bool load(const json *j, struct recipe_step *s, struct err *e)
{
    struct settings *own = s->own = xcalloc(1, sizeof *own);
    struct fields_of fields = {s, false};
    struct tmpl_scope scope = fields_scope(&fields);
    return read_text(j, "source", true, &own->source, e) &&
           (scope.has(scope.ctx, own->source, PH_COUNT_OF) ||
            err_set(e, ERR_INPUT, _("%s: the items have no field \"%.40s\""),
                    "source", own->source));
}

static void unload(void *settings)
{
    struct settings *own = settings;
    free(own->source);
    free(own);
}

/* ---- The source ---------------------------------------------------------- */

/* A text with each run of white space as one blank, and where its bytes stood
 * in the text. */
struct folded {
    char *text;
    size_t *at, n;
};

static size_t space(const char *s)
{
    static const char odd[][4] = {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x89"};
    for (size_t i = 0; i < COUNT(odd); i++)
        if (!strncmp(s, odd[i], strlen(odd[i])))
            return strlen(odd[i]);
    return strspn(s, " \t\r\n");
}

static struct folded fold(const char *s, size_t n)
{
    struct folded f = {xmalloc(n + 1), xcalloc(n + 1, sizeof *f.at), 0};
    for (size_t i = 0, len; i < n; i += len) {
        size_t blank = space(s + i);
        len = blank ? blank : 1;
        if (blank && f.n && f.text[f.n - 1] == ' ')
            continue;
        f.at[f.n] = i;
        f.text[f.n++] = blank ? ' ' : s[i];
    }
    f.text[f.n] = '\0';
    f.at[f.n] = n;
    return f;
}

static void folded_free(struct folded *f)
{
    free(f->text);
    free(f->at);
}

/* ---- Quotations ---------------------------------------------------------- */

static const struct {
    const char *open, *close;
} marks[] = {{"\xE2\x80\x9C", "\xE2\x80\x9D"},
             {"\xE2\x80\x9E", "\xE2\x80\x9C"},
             {"\xC2\xAB", "\xC2\xBB"},
             {"\"", "\""}};

/* The next quotation at or behind s, between its marks; NULL for none. *end is
 * NULL where it is never closed. */
static const char *next_quote(const char *s, const char **end,
                              const char **past)
{
    for (; *s; s++) {
        for (size_t i = 0; i < COUNT(marks); i++) {
            size_t n = strlen(marks[i].open);
            if (strncmp(s, marks[i].open, n))
                continue;
            *end = strstr(s + n, marks[i].close);
            *past = *end ? *end + strlen(marks[i].close) : NULL;
            return s + n;
        }
    }
    return NULL;
}

/* The next sign for words left out in s[0..n): its place and length. */
static size_t next_gap(const char *s, size_t n, size_t *len)
{
    static const char *const gaps[] = {"[...]", "[\xE2\x80\xA6]", "(...)",
                                       "...",   "\xE2\x80\xA6"};
    size_t first = n;
    *len = 0;
    for (size_t i = 0; i < COUNT(gaps); i++) {
        const char *at = memmem(s, n, gaps[i], strlen(gaps[i]));
        if (!at || (size_t)(at - s) >= first)
            continue;
        first = (size_t)(at - s);
        *len = strlen(gaps[i]);
    }
    return first;
}

struct looking {
    struct folded source;
    size_t from; /* parts of one quotation follow each other */
    struct jw w; /* the list of those that were found */
    size_t n;
};

/* A part of a quotation, folded: where it stands. A sign at its end may be the
 * answer's own. */
static bool find_part(struct looking *x, const char *text, size_t n)
{
    const char *at = NULL, *all = x->source.text;
    while (n && text[0] == ' ') {
        text++;
        n--;
    }
    while (n && text[n - 1] == ' ')
        n--;
    if (!n)
        return true;
    for (int i = 0; i < 2 && !at; i++) {
        at = memmem(all + x->from, x->source.n - x->from, text, n);
        if (!at && n > 1 && strchr(".,;:!?", text[n - 1]))
            n--;
    }
    if (!at)
        return false;
    size_t start = (size_t)(at - all);
    x->from = start + n;
    char *copy = xstrndup(at, n);
    jw_open(&x->w, '{');
    jw_kstr(&x->w, "text", copy);
    jw_kint(&x->w, "start", (int64_t)x->source.at[start]);
    jw_kint(&x->w, "end", (int64_t)x->source.at[start + n - 1] + 1);
    jw_close(&x->w);
    free(copy);
    x->n++;
    return true;
}

static bool find_quote(struct looking *x, const char *s, size_t n)
{
    struct folded q = fold(s, n);
    bool found = true;
    x->from = 0;
    for (size_t at = 0, len; found && at < q.n; at += len) {
        size_t part = next_gap(q.text + at, q.n - at, &len);
        found = find_part(x, q.text + at, part);
        at += part;
    }
    folded_free(&q);
    return found;
}

/* Why a quotation does not stand; NULL where all do. */
static char *look(struct looking *x, const char *s, bool cut)
{
    const char *end, *past;
    for (size_t i = 1; (s = next_quote(s, &end, &past)); i++, s = past) {
        if (!end)
            return xasprintf(cut ? _("quotation %zu was cut off")
                                 : _("quotation %zu is not closed"), i);
        if (i > QUOTES)
            return xasprintf(_("more than %d quotations"), QUOTES);
        if (!find_quote(x, s, (size_t)(end - s)))
            return xasprintf(_("quotation %zu does not stand in the source"),
                             i);
    }
    return x->n ? NULL : xstrdup(_("no quotation is there"));
}

static void parse(struct parse *p, const char *s)
{
    const struct settings *own = p->step->own;
    const char *source = chain_get(p->b->chain, own->source);
    if (!source || !*source) {
        parse_miss(p, xstrdup(_("the source is empty")));
        return;
    }
    struct buf list = BUF_INIT(0);
    struct looking x = {fold(source, strlen(source)), 0, jw_start(&list), 0};
    jw_open(&x.w, '[');
    char *answer = parse_trimmed(s, strlen(s));
    char *why = look(&x, answer, p->cut);
    jw_close(&x.w);
    if (!why && strlen(answer) > RECIPE_ITEM)
        why = parse_too_long(1);
    if (why) {
        parse_miss(p, why);
        free(answer);
    } else {
        struct recipe_item *it = parse_add(p, 0);
        field_take(it, "answer", answer);
        field_put(it, "quotes", buf_str(&list));
    }
    buf_free(&list);
    folded_free(&x.source);
}

static void write_item(const struct recipe_step *s, size_t number,
                       const struct recipe_item *it, struct buf *out)
{
    (void)s;
    (void)number;
    buf_printf(out, "%s\n", parse_field(it, "answer"));
}

static long tokens(const struct recipe_step *s, long prompt, long answer)
{
    (void)s;
    (void)prompt;
    return answer;
}

const struct parser parser_quotes = {
    .name = "quotes", .keys = "source", .gives = "answer quotes",
    .above = true, .load = load, .unload = unload, .parse = parse,
    .write = write_item, .tokens = tokens};
