#include "model/token/jinja_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/lang.h"
#include "base/utf8.h"

struct node *parse_fail(struct parser *x, const char *what)
{
    if (!x->failed)
        err_set(x->e, ERR_INPUT, _("line %d: %s"), x->line, what);
    x->failed = true;
    return NULL;
}

struct node *parse_node(struct parser *x, enum node_kind kind)
{
    struct node *n = arena_get(x->arena, sizeof *n);
    if (!n)
        return parse_fail(x, _("the template is too large"));
    n->kind = kind;
    n->line = x->line;
    return n;
}

static const char *copy(struct parser *x, const char *s, size_t n)
{
    struct jv v = jv_string(x->arena, s, n);
    if (v.type != JV_STRING) {
        parse_fail(x, _("the template is too large"));
        return "";
    }
    return v.s;
}

static bool at_close(const struct parser *x)
{
    const char *p = x->p;
    p += *p == '-' || *p == '+';
    return x->end - p >= 2 && (!memcmp(p, "%}", 2) || !memcmp(p, "}}", 2));
}

/* A Python string literal; its value is in the arena. */
static void read_string(struct parser *x)
{
    char quote = *x->p++;
    char *out = arena_get(x->arena, (size_t)(x->end - x->p) + 1);
    size_t n = 0;
    while (out && x->p < x->end && *x->p != quote) {
        if (*x->p == '\n')
            x->line++;
        if (*x->p != '\\' || x->p + 1 >= x->end) {
            out[n++] = *x->p++;
            continue;
        }
        static const char from[] = "ntrabfv0\\'\"";
        static const char to[] = "\n\t\r\a\b\f\v\0\\'\"";
        char c = x->p[1];
        const char *at = strchr(from, c);
        size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        if (at && c) {
            out[n++] = to[at - from];
            x->p += 2;
        } else if (c == '\n') {
            x->line++;
            x->p += 2;
        } else if (digits && (size_t)(x->end - x->p) > digits + 1) {
            char hex[9] = "";
            memcpy(hex, x->p + 2, digits);
            n += utf8_put(out + n, (uint32_t)strtoul(hex, NULL, 16));
            x->p += 2 + digits;
        } else {
            out[n++] = *x->p++;
        }
    }
    if (!out || x->p >= x->end) {
        parse_fail(x, _("a string without an end"));
        return;
    }
    x->p++;
    x->w = (struct word){.kind = WORD_STRING, .s = out, .n = n};
}

static void read_number(struct parser *x)
{
    char text[64];
    size_t n = 0;
    bool whole = true;
    while (x->p < x->end && n + 1 < sizeof text) {
        char c = *x->p;
        bool more = isdigit((unsigned char)c) || c == '_' ||
                    (c == '.' && x->p + 1 < x->end &&
                     isdigit((unsigned char)x->p[1])) ||
                    ((c == 'e' || c == 'E') && n > 0) ||
                    ((c == '-' || c == '+') && n > 0 &&
                     (text[n - 1] == 'e' || text[n - 1] == 'E'));
        if (!more)
            break;
        whole = whole && c != '.' && c != 'e' && c != 'E';
        if (c != '_')
            text[n++] = c;
        x->p++;
    }
    text[n] = '\0';
    x->w = (struct word){.kind = whole ? WORD_INT : WORD_FLOAT,
                         .value = whole ? jv_int(strtoll(text, NULL, 10))
                                        : jv_float(strtod(text, NULL))};
}

static void read_sign(struct parser *x)
{
    static const struct {
        char text[3];
        int op;
    } two[] = {{"//", OP_FLOOR}, {"**", OP_POWER}, {"==", OP_EQ},
               {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}};
    x->w = (struct word){.kind = WORD_SIGN, .sign = (unsigned char)*x->p};
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (x->end - x->p >= 2 && !memcmp(x->p, two[i].text, 2)) {
            x->w.sign = two[i].op;
            x->p += 2;
            return;
        }
    if (!strchr("+-*/%~<>=()[]{}.,:|", *x->p))
        parse_fail(x, _("a character that means nothing here"));
    x->p++;
}

/* Reads the next word of the tag; WORD_END before its close. */
void parse_next(struct parser *x)
{
    x->w = (struct word){.kind = WORD_END};
    while (x->p < x->end && isspace((unsigned char)*x->p))
        x->line += *x->p++ == '\n';
    if (x->failed)
        return;
    if (x->p >= x->end) {
        parse_fail(x, _("a tag without an end"));
        return;
    }
    if (at_close(x))
        return;
    char c = *x->p;
    if (c == '\'' || c == '"') {
        read_string(x);
    } else if (isdigit((unsigned char)c)) {
        read_number(x);
    } else if (isalpha((unsigned char)c) || c == '_') {
        const char *from = x->p;
        while (x->p < x->end && (isalnum((unsigned char)*x->p) ||
                                 *x->p == '_'))
            x->p++;
        size_t n = (size_t)(x->p - from);
        x->w = (struct word){.kind = WORD_NAME, .n = n,
                             .s = copy(x, from, n)};
    } else {
        read_sign(x);
    }
}

bool word_is_name(const struct parser *x, const char *name)
{
    return x->w.kind == WORD_NAME && !strcmp(x->w.s, name);
}

bool word_is(const struct parser *x, int sign)
{
    return x->w.kind == WORD_SIGN && x->w.sign == sign;
}

bool word_take_name(struct parser *x, const char *name)
{
    bool is = word_is_name(x, name);
    if (is)
        parse_next(x);
    return is;
}

bool word_take(struct parser *x, int sign)
{
    bool is = word_is(x, sign);
    if (is)
        parse_next(x);
    return is;
}

bool word_want(struct parser *x, int sign, const char *what)
{
    return word_take(x, sign) || parse_fail(x, what);
}
