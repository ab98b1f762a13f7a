/* What replies that follow a form have in common: lines that begin with a
 * label, fences, letters of answers that were shown. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lang.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/uni.h"
#include "base/utf8.h"
#include "recipe/parser.h"
#include "recipe/read.h"

/* ---- Labels -------------------------------------------------------------- */

#define LABEL 160 /* bytes of a label that case and accents do not count in */

/* What stands behind words[0..n) where s begins with them, in any case and
 * with or without accents; else NULL. */
static const char *behind_words(const char *s, const char *words, size_t n)
{
    char stem[LABEL];
    size_t start, end;
    if (n >= sizeof stem)
        return strncasecmp(s, words, n) ? NULL : s + n;
    bool ascii = ((unsigned char)*s | (unsigned char)*words) < 0x80;
    if (ascii && tolower((unsigned char)*s) != tolower((unsigned char)*words))
        return NULL;
    memcpy(stem, words, n);
    stem[n] = '\0';
    return uni_find(s, strnlen(s, 2 * n + 8), 0, stem, &start, &end) && !start
               ? s + end
               : NULL;
}

const char *parse_begins(const char *s, const char *words)
{
    return *words ? behind_words(s, words, strlen(words)) : s;
}

/* ":" or its wide form, perhaps behind marks and a number ("Question 2:");
 * where `title`, the end of the line does too. */
static const char *behind_colon(const char *s, bool title)
{
    static const char wide[] = "\xEF\xBC\x9A", marks[] = " \t*_`\"])";
    s += strspn(s, marks);
    s += strspn(s, "#(");
    s += strspn(s, "0123456789");
    s += strspn(s, marks);
    if (*s == ':')
        s++;
    else if (!strncmp(s, wide, sizeof wide - 1))
        s += sizeof wide - 1;
    else if (!title || (*s && *s != '\n' && *s != '\r'))
        return NULL;
    return s + strspn(s, "*");
}

static const char *label_at(const char *s, const char *label, bool title)
{
    size_t all = strlen(label), n = all;
    while (n && (label[n - 1] == ':' || label[n - 1] == ' '))
        n--;
    if (!n || n == all) {
        s = behind_words(s, label, all);
        return s ? s + strspn(s, "*") : NULL;
    }
    s = behind_words(s, label, n);
    return s ? behind_colon(s, title) : NULL;
}

const char *parse_labelled(const char *s, const char *label)
{
    s += strspn(s, " \t");
    const char *behind = label_at(s, label, false);
    const char *word = parse_skip_marks(s);
    return behind || word == s ? behind
                               : label_at(word, label, *s == '#' || *s == '*');
}

bool parse_marked(const char *s, const char *marker, const char **at,
                  const char **behind)
{
    bool found = false;
    const char *text;
    for (const char *line = s; *line; line = parse_next_line(line)) {
        const char *from = parse_number(line, &text) ? text : line;
        text = parse_labelled(from, marker);
        if (!text) { /* "Final verdict:" */
            from = parse_begins(parse_skip_marks(from), "final ");
            text = from ? parse_labelled(from, marker) : NULL;
        }
        if (!text)
            continue;
        *at = line;
        *behind = text;
        found = true;
    }
    return found;
}

void parse_miss_marker(struct parse *p, const char *marker)
{
    parse_miss(p, xasprintf(_("no line of the reply begins with \"%s\""),
                            marker));
}

/* ---- Reasons ------------------------------------------------------------- */

const char *parse_skip_marks(const char *s)
{
    uint32_t cp;
    for (size_t n; *s && *s != '\n'; s += n) {
        n = utf8_get(s, strnlen(s, 4), &cp);
        if (!n || *s == '(' || uni_kind(cp) == UNI_LETTER ||
            uni_kind(cp) == UNI_NUMBER)
            break;
    }
    return s;
}

const char *parse_first_words(const char *s)
{
    return *parse_skip_marks(s) == '\n' ? s + strspn(s, " \t\r\n*_`") : s;
}

static bool has_words(const char *s)
{
    for (; *s; s++)
        if (isalnum((unsigned char)*s) || (unsigned char)*s >= 0x80)
            return true;
    return false;
}

/* The text, NULL where there are no words in it. */
static char *words_between(const char *from, const char *to)
{
    char *text = parse_between(from, to);
    if (has_words(text) && strlen(text) <= RECIPE_ITEM)
        return text;
    free(text);
    return NULL;
}

char *parse_reason(const char *s, const char *line, const char *behind)
{
    const char *end = parse_line_end(behind);
    char *text = words_between(parse_skip_marks(behind), end);
    size_t n = text ? strlen(text) : 0;
    if (n > 2 && text[0] == '(' && text[n - 1] == ')') {
        char *inner = parse_trimmed(text + 1, n - 2);
        free(text);
        return inner;
    }
    if (!text)
        text = words_between(s, line);
    return text ? text : words_between(end, end + strlen(end));
}

/* ---- Fences -------------------------------------------------------------- */

size_t parse_fence(const char *s, const char **behind)
{
    s += strspn(s, " \t");
    size_t n = *s == '`' || *s == '~' ? strspn(s, *s == '`' ? "`" : "~") : 0;
    const char *end = parse_line_end(s);
    *behind = s + n;
    bool inside = n && *s == '`' && memchr(s + n, '`', (size_t)(end - s) - n);
    return n < 3 || inside ? 0 : n;
}

/* Nothing else stands on the line. */
static bool is_bare(const char *behind)
{
    behind += strspn(behind, " \t\r");
    return !*behind || *behind == '\n';
}

const char *parse_fence_end(const char *open, const char **next)
{
    const char *behind, *rest;
    size_t n = parse_fence(open, &behind);
    for (const char *line = parse_next_line(open); n && *line;
         line = parse_next_line(line)) {
        if (parse_fence(line, &rest) < n || rest[-1] != behind[-1] ||
            !is_bare(rest))
            continue;
        *next = parse_next_line(line);
        return line;
    }
    return NULL;
}

/* ---- Sections ------------------------------------------------------------ */

bool parse_is_rule(const char *line)
{
    const char *end = parse_line_end(line);
    size_t n = strspn(line, "#-=*_ \t\r");
    return n >= 3 && line + n >= end && strcspn(line, "#-=*_") < n;
}

/* The longest of the labels that the line begins with; n for none. */
static size_t label_of(const char *line, char *const *labels, size_t n,
                       const char **behind)
{
    const char *text;
    size_t found = n, longest = 0;
    line = parse_number(line, &text) ? text : line;
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(labels[i]);
        text = size > longest ? parse_labelled(line, labels[i]) : NULL;
        if (!text)
            continue;
        *behind = text;
        longest = size;
        found = i;
    }
    return found;
}

struct walk {
    struct parse_sections *out;
    bool open;       /* a section is */
    bool fenced;     /* the sections stand inside a fence */
    size_t hopeless; /* fences of so many marks are never closed */
};

static void close_section(struct walk *w, const char *at)
{
    if (w->open)
        w->out->at[w->out->n - 1].to = at;
    w->open = false;
}

/* A fence at `at`, on this line: where to go on. */
static const char *at_fence(struct walk *w, const char *line, const char *at,
                            const char *next)
{
    const char *behind, *past;
    size_t marks = parse_fence(at, &behind);
    if (!w->open || (w->fenced && line == at && is_bare(behind))) {
        close_section(w, line);
        w->fenced = !w->fenced;
        return next;
    }
    if (w->hopeless && marks >= w->hopeless)
        return next;
    if (parse_fence_end(at, &past))
        return past;
    w->hopeless = marks;
    return next;
}

void parse_sections(const char *s, char *const *labels, size_t n,
                    struct parse_sections *out)
{
    struct walk w = {.out = out};
    const char *next, *line = s;
    for (; *line; line = next) {
        const char *text = line, *behind;
        size_t k = label_of(line, labels, n, &text);
        next = parse_next_line(line);
        if (k < n) {
            close_section(&w, line);
            VEC_PUSH(out, ((struct parse_section){k, line, text, NULL}));
            w.open = true;
        }
        if (parse_fence(text, &behind))
            next = at_fence(&w, line, text, next);
    }
    close_section(&w, line);
}

char *parse_section_text(const struct parse_section *x, bool last)
{
    const char *to = x->to;
    for (const char *line = parse_next_line(x->from); last && line < to;
         line = parse_next_line(line))
        if (parse_is_rule(line))
            to = line;
    char *text = parse_between(x->from, to);
    size_t n = strlen(text);
    if (n < 2 || strstr(text, "**") != text + n - 2)
        return text;
    char *plain = parse_trimmed(text, n - 2); /* bold with its label */
    free(text);
    return plain;
}

void parse_drop_heading(char *text)
{
    for (size_t n = strlen(text); n;) {
        char *line = text + n;
        while (line > text && line[-1] != '\n')
            line--;
        size_t len = strlen(line);
        const char *behind;
        bool number = parse_number(line, &behind) && !*behind;
        bool bold = len > 4 && !strncmp(line, "**", 2) &&
                    !strcmp(line + len - 2, "**");
        if (line == text ||
            (*line != '#' && !number && !bold && !parse_is_rule(line)))
            return;
        n = (size_t)(line - text);
        while (n && strchr(" \t\r\n", text[n - 1]))
            n--;
        text[n] = '\0';
    }
}
char *parse_unfenced(const char *text, const char *infos)
{
    const char *info, *next, *end;
    char *word = NULL;
    size_t n = parse_fence(text, &info);
    end = n ? parse_fence_end(text, &next) : NULL;
    if (!end || *next)
        return xstrdup(text);
    word = parse_between(info, parse_line_end(info));
    bool plain = !infos || !*word || word_among(word, infos);
    free(word);
    return plain ? parse_between(parse_next_line(text), end) : xstrdup(text);
}

/* ---- Letters ------------------------------------------------------------- */

/* Behind "Answer ", "a resposta " and their like, else s. */
static const char *behind_noun(const char *s)
{
    static const char *const articles[] = {"the ", "a ", "o "};
    static const char *const nouns[] = {
        "answer", "candidate", "response", "reply", "option", "assistant",
        "resposta", "candidata", "candidato", "opção", "alternativa",
        "assistente"};
    const char *at = s;
    for (size_t i = 0; i < COUNT(articles) && at == s; i++)
        if (!strncasecmp(s, articles[i], strlen(articles[i])))
            at += strlen(articles[i]);
    for (size_t i = 0; i < COUNT(nouns); i++) {
        const char *end = behind_words(at, nouns[i], strlen(nouns[i]));
        if (end && !isalnum((unsigned char)*end))
            return end;
    }
    return s;
}

int parse_letter(const char **s, size_t n)
{
    const char *at = behind_noun(*s + strspn(*s, " \t*#>-|_`\"([{"));
    at += strspn(at, " \t([{*_`\"");
    int place = *at - 'A';
    if (place < 0 || place >= (int)n || isalnum((unsigned char)at[1]))
        return -1;
    *s = at + 1;
    return place;
}

size_t parse_of_place(const struct parse *p, size_t place)
{
    return p->b->order ? p->b->order[place] : place;
}

/* ---- Names of fields ----------------------------------------------------- */

static bool load_name(const json *v, bool labels, struct parse_name *x,
                      struct err *e)
{
    const char *name = labels ? json_key(v) : json_string(v);
    if (labels && (!json_string(v) || !*json_string(v)))
        return err_set(e, ERR_INPUT, _("fields: %.40s: expected a text"),
                       name);
    if (!name || !name_ok(name))
        return err_set(e, ERR_INPUT, _("fields: use a-z, 0-9, - and _"));
    x->name = xstrdup(name);
    x->label = xstrdup(json_string(v));
    return true;
}

/* The list "optional": each of them one of the names. */
static bool load_optional(const json *j, struct parse_names *out,
                          struct err *e)
{
    if (j && !json_is_array(j))
        return err_set(e, ERR_INPUT, _("optional: expected a list of fields"));
    for (const json *v = json_first(j); v; v = json_next(v)) {
        struct parse_name *found = NULL;
        for (size_t i = 0; i < out->n; i++)
            if (json_is_string(v) && !strcmp(out->at[i].name, json_string(v)))
                found = &out->at[i];
        if (!found)
            return err_set(e, ERR_INPUT, _("optional: not among the fields"));
        found->optional = true;
    }
    for (size_t i = 0; i < out->n; i++)
        if (!out->at[i].optional)
            return true;
    return err_set(e, ERR_INPUT, _("optional: every field is"));
}

/* The fields' names, each once, with blanks between. */
static bool join_names(const struct parse_names *x, char **out, struct err *e)
{
    struct buf b = BUF_INIT(0);
    const char *twice = NULL;
    for (size_t i = 0; i < x->n; i++) {
        if (word_among(x->at[i].name, buf_str(&b)))
            twice = x->at[i].name;
        buf_printf(&b, i ? " %s" : "%s", x->at[i].name);
    }
    *out = buf_take(&b);
    return !twice || err_set(e, ERR_INPUT, _("fields: %s stands there twice"),
                             twice);
}

bool parse_names_load(const json *j, struct parse_names *out,
                      struct recipe_step *s, struct err *e)
{
    const json *fields = json_get(j, "fields");
    bool labels = json_is_object(fields);
    size_t n = json_count(fields);
    if ((!labels && !json_is_array(fields)) || n < 1 || n > PARSE_NAMES)
        return err_set(e, ERR_INPUT, _("fields: expected 1 to %d fields"),
                       PARSE_NAMES);
    for (const json *v = json_first(fields); v; v = json_next(v))
        if (!load_name(v, labels, &out->at[out->n++], e))
            return false;
    return join_names(out, &s->gives, e) &&
           load_optional(json_get(j, "optional"), out, e);
}

void parse_names_free(struct parse_names *x)
{
    for (size_t i = 0; i < x->n; i++) {
        free(x->at[i].name);
        free(x->at[i].label);
    }
}

long parse_names_tokens(const struct parse_names *x, size_t wanted,
                        long prompt, long answer)
{
    long one = answer + (long)(x->n - 1) * prompt + (long)x->n * PARSE_MARKS;
    return one * (wanted ? (long)wanted : 1);
}
