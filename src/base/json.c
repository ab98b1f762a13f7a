#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/lang.h"
#include "base/mem.h"
#include "base/utf8.h"

#define NOT_FINITE "1e999" /* reads back as infinity */

/* ---- The strict scanner ------------------------------------------------- */

/* A number that is kept as it was written: the how-manieth number of the text
 * it is, and where it stands. */
struct number {
    size_t index, at, len;
};

struct scan {
    const char *s;
    size_t n, at;
    size_t n_numbers;
    VEC(struct number) kept;
    size_t tokens;
    const char *why; /* untranslated; NULL while all is well */
    unsigned odd;    /* JSON_ODD_... that are let through */
    struct buf mended; /* s[0..copied) as cJSON takes it; unused while all is
                          as it should be */
    size_t copied;
};

/* s[from..at) is let through in another form. */
static bool mend(struct scan *x, size_t from, const char *form)
{
    buf_add(&x->mended, x->s + x->copied, from - x->copied);
    buf_puts(&x->mended, form);
    x->copied = x->at;
    return true;
}

static bool fail(struct scan *x, const char *why)
{
    if (!x->why)
        x->why = why;
    return false;
}

static void skip_space(struct scan *x)
{
    while (x->at < x->n && strchr(" \t\r\n", x->s[x->at]) && x->s[x->at])
        x->at++;
}

static bool hex4(struct scan *x, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, x->at++) {
        char c = x->at < x->n ? x->s[x->at] : 0;
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return fail(x, N_("\\u needs four hexadecimal digits"));
        v = v << 4 | (uint32_t)d;
    }
    *out = v;
    return true;
}

/* The escape "\uXXXX" at x->at is the other half of a pair. */
static bool is_low_half(const struct scan *x)
{
    const char *s = x->s + x->at;
    return x->n - x->at >= 6 && s[0] == '\\' && s[1] == 'u' &&
           (s[2] | 32) == 'd' && strchr("cdefCDEF", s[3]) && s[3];
}

/* Behind "\u": one escape, or a pair for a character above U+FFFF. */
static bool scan_unicode(struct scan *x)
{
    size_t from = x->at - 2;
    uint32_t a, b;
    if (!hex4(x, &a))
        return false;
    if (a == 0)
        return x->odd & JSON_ODD_TEXT
                   ? mend(x, from, "\xEF\xBF\xBD")
                   : fail(x, N_("a NUL character (\\u0000)"));
    if (a < 0xd800 || a > 0xdfff)
        return true;
    if (a < 0xdc00 && is_low_half(x)) {
        x->at += 2;
        return hex4(x, &b);
    }
    const char half[] = {(char)0xED, (char)(0x80 | (a >> 6 & 0x3F)),
                         (char)(0x80 | (a & 0x3F)), '\0'};
    return x->odd & JSON_ODD_TEXT
               ? mend(x, from, half)
               : fail(x, N_("half of a surrogate pair"));
}

/* Behind a backslash. */
static bool scan_escape(struct scan *x)
{
    char d = x->at < x->n ? x->s[x->at++] : 0;
    if (d == 'u')
        return scan_unicode(x);
    if (d && strchr("\"\\/bfnrt", d))
        return true;
    if (!(x->odd & JSON_ODD_TEXT) || !d)
        return fail(x, N_("an unknown escape in a string"));
    x->at--; /* the character stands for itself */
    return mend(x, x->at - 1, "");
}

static bool scan_string(struct scan *x)
{
    x->at++; /* the quote */
    while (x->at < x->n) {
        unsigned char c = (unsigned char)x->s[x->at];
        if (c == '"') {
            x->at++;
            return true;
        }
        bool odd = x->odd & JSON_ODD_TEXT && c;
        if (c < 0x20 && !odd)
            return fail(x, N_("a raw control character in a string"));
        if (c == '\\') {
            x->at++;
            if (!scan_escape(x))
                return false;
            continue;
        }
        uint32_t cp;
        size_t len = utf8_get(x->s + x->at, x->n - x->at, &cp);
        if (!len && !odd)
            return fail(x, N_("bytes that are not UTF-8"));
        x->at += len ? len : 1;
    }
    return fail(x, N_("a string without its end"));
}

static bool digits(struct scan *x)
{
    size_t from = x->at;
    while (x->at < x->n && x->s[x->at] >= '0' && x->s[x->at] <= '9')
        x->at++;
    return x->at > from;
}

#define EXACT_DIGITS 15 /* an integer of so many is the same as a double */
#define CJSON_DIGITS 63 /* more than these cJSON does not read */

/* Behind a number's last byte: notes it where a double would not give its text
 * back. */
static bool keep_number(struct scan *x, size_t from, bool whole)
{
    struct number k = {x->n_numbers++, from, x->at - from};
    size_t minus = x->s[from] == '-';
    if (whole && k.len - minus <= EXACT_DIGITS &&
        !(minus && x->s[from + 1] == '0'))
        return true;
    char *copy = xstrndup(x->s + from, k.len);
    bool finite = isfinite(strtod(copy, NULL));
    free(copy);
    if (finite) {
        VEC_PUSH(&x->kept, k);
        return k.len <= CJSON_DIGITS || mend(x, from, "0");
    }
    return x->odd & JSON_ODD_NUMBERS ? mend(x, from, NOT_FINITE)
                                     : fail(x, N_("a number too large"));
}

static bool scan_number(struct scan *x)
{
    size_t from = x->at;
    bool whole = true;
    if (x->s[x->at] == '-')
        x->at++;
    size_t first = x->at;
    if (!digits(x) || (x->s[first] == '0' && x->at > first + 1))
        return fail(x, N_("not a JSON number"));
    if (x->at < x->n && x->s[x->at] == '.') {
        whole = false;
        x->at++;
        if (!digits(x))
            return fail(x, N_("not a JSON number"));
    }
    if (x->at < x->n && (x->s[x->at] | 32) == 'e') {
        whole = false;
        x->at++;
        if (x->at < x->n && (x->s[x->at] == '+' || x->s[x->at] == '-'))
            x->at++;
        if (!digits(x))
            return fail(x, N_("not a JSON number"));
    }
    return keep_number(x, from, whole);
}

/* NaN and the infinities as Python, JavaScript and C spell them. */
static bool scan_odd_number(struct scan *x)
{
    static const char *const words[] = {"nan", "infinity", "inf"};
    size_t from = x->at, at = from;
    at += x->s[at] == '-' || x->s[at] == '+';
    for (size_t i = 0; i < COUNT(words) && x->odd & JSON_ODD_NUMBERS; i++) {
        size_t n = strlen(words[i]);
        if (x->n - at < n || strncasecmp(x->s + at, words[i], n))
            continue;
        x->at = at + n;
        x->n_numbers++;
        return mend(x, from, NOT_FINITE);
    }
    return false;
}

static bool scan_word(struct scan *x, const char *word)
{
    size_t len = strlen(word);
    if (x->n - x->at < len || memcmp(x->s + x->at, word, len))
        return fail(x, N_("not a JSON value"));
    x->at += len;
    return true;
}

static bool scan_value(struct scan *x, int depth);

/* Behind an opening bracket: members up to and with `close`. */
static bool scan_members(struct scan *x, char close, int depth)
{
    x->at++;
    skip_space(x);
    if (x->at < x->n && x->s[x->at] == close) {
        x->at++;
        return true;
    }
    for (;;) {
        if (close == '}') {
            skip_space(x);
            if (x->at >= x->n || x->s[x->at] != '"')
                return fail(x, N_("a key in quotes was expected"));
            if (!scan_string(x))
                return false;
            skip_space(x);
            if (x->at >= x->n || x->s[x->at] != ':')
                return fail(x, N_("a colon was expected"));
            x->at++;
        }
        if (!scan_value(x, depth + 1))
            return false;
        skip_space(x);
        char c = x->at < x->n ? x->s[x->at] : 0;
        if (c != ',' && c != close)
            return fail(x, close == '}' ? N_("a comma or } was expected")
                                        : N_("a comma or ] was expected"));
        x->at++;
        if (c == close)
            return true;
    }
}

static bool scan_value(struct scan *x, int depth)
{
    skip_space(x);
    if (x->at >= x->n)
        return fail(x, N_("the text ends too early"));
    if (++x->tokens > JSON_TOKENS)
        return fail(x, N_("over a million values"));
    if (depth > JSON_DEPTH)
        return fail(x, N_("nested deeper than 64"));
    if (scan_odd_number(x))
        return true;
    switch (x->s[x->at]) {
    case '{': return scan_members(x, '}', depth);
    case '[': return scan_members(x, ']', depth);
    case '"': return scan_string(x);
    case 't': return scan_word(x, "true");
    case 'f': return scan_word(x, "false");
    case 'n': return scan_word(x, "null");
    default:
        if (x->s[x->at] == '-' || (x->s[x->at] >= '0' && x->s[x->at] <= '9'))
            return scan_number(x);
        return fail(x, N_("not a JSON value"));
    }
}

/* Scans the value at the start; 0 with the reason in e. */
static size_t scan_text(struct scan *x, struct err *e)
{
    if (x->n > JSON_BYTES)
        err_set(e, ERR_INPUT, _("over 64 MiB of JSON"));
    else if (!scan_value(x, 0))
        err_set(e, ERR_INPUT, _("byte %zu: %s"), x->at + 1, _(x->why));
    else
        return x->at;
    return 0;
}

size_t json_scan(const char *s, size_t n, struct err *e)
{
    struct scan x = {.s = s, .n = n};
    size_t len = scan_text(&x, e);
    VEC_FREE(&x.kept);
    buf_free(&x.mended);
    return len;
}

/* ---- Parsing ------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first key that stands twice in one object anywhere below j, or NULL. */
static const char *double_key(const cJSON *j)
{
    VEC(const char *) names = {0};
    const char *twice = NULL;
    for (const cJSON *c = j->child; c && !twice; c = c->next) {
        if (c->string)
            VEC_PUSH(&names, c->string);
        if (c->child)
            twice = double_key(c);
    }
    if (names.n > 1 && !twice)
        qsort(names.at, names.n, sizeof *names.at, by_name);
    for (size_t i = 1; i < names.n && !twice; i++)
        if (!strcmp(names.at[i - 1], names.at[i]))
            twice = names.at[i];
    VEC_FREE(&names);
    return twice;
}

/* Gives the kept numbers their text: an item of a number has its
 * `valuestring` free, and cJSON_Delete frees it. */
static void put_numbers(cJSON *j, const struct scan *x, size_t *index,
                        size_t *next)
{
    for (; j && *next < x->kept.n; j = j->next) {
        if (j->child)
            put_numbers(j->child, x, index, next);
        const struct number *k = &x->kept.at[*next];
        if (!cJSON_IsNumber(j) || k->index != (*index)++)
            continue;
        j->valuestring = xstrndup(x->s + k->at, k->len);
        j->valuedouble = strtod(j->valuestring, NULL);
        if (++*next == x->kept.n)
            return;
    }
}

/* What was scanned, as cJSON's tree. */
static cJSON *build(struct scan *x, struct err *e)
{
    const char *end;
    size_t index = 0, next = 0;
    if (x->copied)
        buf_add(&x->mended, x->s + x->copied, x->at - x->copied);
    cJSON *j = buf_ok(&x->mended)
                   ? cJSON_ParseWithLengthOpts(
                         x->copied ? x->mended.data : x->s,
                         x->copied ? x->mended.len : x->at, &end, 0)
                   : NULL;
    const char *twice = !j || x->odd & JSON_TWICE ? NULL : double_key(j);
    if (!j) {
        err_set(e, ERR_MEMORY, _("out of memory"));
    } else if (twice) {
        err_set(e, ERR_INPUT, _("the key \"%.40s\" stands twice"), twice);
        cJSON_Delete(j);
        j = NULL;
    } else {
        put_numbers(j, x, &index, &next);
    }
    return j;
}

/* A cut spoils a token back to its beginning ("-Infinity", the second half of
 * a pair, a character's bytes): none of them is as long. */
#define TOKEN_MOST 16

json *json_parse_part(const char *s, size_t n, unsigned odd, size_t *used,
                      bool *early, struct err *e)
{
    struct scan x = {.s = s, .n = n, .odd = odd,
                     .mended = BUF_INIT(2 * (size_t)JSON_BYTES)};
    cJSON *j = scan_text(&x, e) ? build(&x, e) : NULL;
    *used = x.at;
    *early = !j && x.why && n - x.at < TOKEN_MOST;
    VEC_FREE(&x.kept);
    buf_free(&x.mended);
    return j;
}

json *json_parse_odd(const char *s, size_t n, unsigned odd, size_t *used,
                     struct err *e)
{
    bool early;
    return json_parse_part(s, n, odd, used, &early, e);
}

json *json_parse_prefix(const char *s, size_t n, size_t *used, struct err *e)
{
    return json_parse_odd(s, n, 0, used, e);
}

json *json_parse(const char *s, size_t n, struct err *e)
{
    size_t used;
    json *j = json_parse_prefix(s, n, &used, e);
    struct scan x = {.s = s, .n = n, .at = used};
    if (!j)
        return NULL;
    skip_space(&x);
    if (x.at == n)
        return j;
    err_set(e, ERR_INPUT, _("byte %zu: something follows the JSON value"),
            x.at + 1);
    cJSON_Delete(j);
    return NULL;
}

json *json_load(const char *path, size_t max, struct err *e)
{
    struct buf b = BUF_INIT(max);
    json *j = NULL;
    if (file_read(path, max, &b, e)) {
        j = json_parse(buf_str(&b), b.len, e);
        if (!j)
            err_in(e, "%s", path);
    }
    buf_free(&b);
    return j;
}

void json_free(json *j)
{
    cJSON_Delete(j);
}

bool json_is_object(const json *j) { return cJSON_IsObject(j); }
bool json_is_array(const json *j) { return cJSON_IsArray(j); }
bool json_is_string(const json *j) { return cJSON_IsString(j); }
bool json_is_number(const json *j) { return cJSON_IsNumber(j); }
bool json_is_bool(const json *j) { return cJSON_IsBool(j); }
bool json_is_true(const json *j) { return cJSON_IsTrue(j); }
bool json_is_null(const json *j) { return cJSON_IsNull(j); }

bool json_is_no_number(const json *j)
{
    return cJSON_IsNumber(j) && !isfinite(j->valuedouble);
}

/* ---- What was read ------------------------------------------------------ */

#define TAKEN (1 << 10) /* of a cJSON item's type; cJSON itself uses 0 to 9 */
#define WHOLE (1 << 11)

static void mark(const json *j, int bits)
{
    if (j)
        ((json *)(uintptr_t)j)->type |= bits;
}

const json *json_take(const json *j, const char *key)
{
    const json *v = json_get(j, key);
    mark(v, TAKEN);
    return v;
}

void json_taken(const json *j, bool whole)
{
    mark(j, whole ? TAKEN | WHOLE : TAKEN);
}

bool json_is_taken(const json *j) { return j->type & TAKEN; }
bool json_is_whole(const json *j) { return j->type & WHOLE; }

void json_untake(const json *j)
{
    if (j)
        ((json *)(uintptr_t)j)->type &= ~(TAKEN | WHOLE);
}

bool json_unfold(const json *j)
{
    const char *s = json_string(j);
    json *own = (json *)(uintptr_t)j, *in = NULL;
    if (s && strchr("[{", s[strspn(s, " \t\r\n")]))
        in = json_parse(s, strlen(s), NULL);
    if (!in)
        return false;
    free(own->valuestring);
    own->valuestring = NULL;
    own->type = (own->type & ~0xff) | (in->type & 0xff);
    own->child = in->child;
    in->child = NULL;
    cJSON_Delete(in);
    return true;
}

/* ---- Reading ------------------------------------------------------------ */


const json *json_get(const json *j, const char *key)
{
    if (!cJSON_IsObject(j))
        return NULL;
    return cJSON_GetObjectItemCaseSensitive(j, key);
}

const json *json_first(const json *j) { return j ? j->child : NULL; }
const json *json_next(const json *j) { return j->next; }
const char *json_key(const json *j) { return j->string; }

size_t json_count(const json *j)
{
    size_t n = 0;
    for (const json *c = json_first(j); c; c = c->next)
        n++;
    return n;
}

const char *json_string(const json *j)
{
    return cJSON_IsString(j) ? j->valuestring : NULL;
}

const char *json_get_string(const json *j, const char *key,
                            const char *otherwise)
{
    const char *s = json_string(json_get(j, key));
    return s ? s : otherwise;
}

double json_number(const json *j, double otherwise)
{
    return cJSON_IsNumber(j) ? j->valuedouble : otherwise;
}

double json_get_number(const json *j, const char *key, double otherwise)
{
    return json_number(json_get(j, key), otherwise);
}

int64_t json_get_int(const json *j, const char *key, int64_t otherwise)
{
    double v = json_get_number(j, key, NAN);
    if (!(fabs(v) <= 9007199254740992.0) || v != floor(v))
        return otherwise;
    return (int64_t)v;
}

bool json_get_bool(const json *j, const char *key, bool otherwise)
{
    const json *v = json_get(j, key);
    return cJSON_IsBool(v) ? (bool)cJSON_IsTrue(v) : otherwise;
}

/* ---- Writing ------------------------------------------------------------ */

void json_quote(struct buf *b, const char *s, size_t n)
{
    buf_putc(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            i++;
            continue;
        }
        uint32_t cp = 0;
        size_t len = utf8_get(s + i, n - i, &cp);
        if (len > 1 && cp != 0x2028 && cp != 0x2029) {
            i += len;
            continue;
        }
        buf_add(b, s + from, i - from);
        const char *plain = "\"\\\b\f\n\r\t", *name = "\"\\bfnrt";
        const char *at = c && len ? strchr(plain, c) : NULL;
        if (!len)
            buf_puts(b, "\xef\xbf\xbd");
        else if (at && len == 1)
            buf_printf(b, "\\%c", name[at - plain]);
        else
            buf_printf(b, "\\u%04x", (unsigned)cp);
        i += len ? len : 1;
        from = i;
    }
    buf_add(b, s + from, n - from);
    buf_putc(b, '"');
}

struct jw jw_start(struct buf *out)
{
    return (struct jw){.out = out};
}

static void separate(struct jw *w)
{
    if (w->comma)
        buf_putc(w->out, ',');
    w->comma = true;
}

void jw_open(struct jw *w, char bracket)
{
    separate(w);
    buf_putc(w->out, bracket);
    if (w->depth < JSON_DEPTH)
        w->close[w->depth++] = bracket == '{' ? '}' : ']';
    w->comma = false;
}

void jw_close(struct jw *w)
{
    if (w->depth > 0)
        buf_putc(w->out, w->close[--w->depth]);
    w->comma = true;
}

void jw_key(struct jw *w, const char *key)
{
    separate(w);
    json_quote(w->out, key, strlen(key));
    buf_putc(w->out, ':');
    w->comma = false;
}

void jw_str(struct jw *w, const char *s)
{
    separate(w);
    if (s)
        json_quote(w->out, s, strlen(s));
    else
        buf_puts(w->out, "null");
}

void jw_int(struct jw *w, int64_t v)
{
    separate(w);
    buf_printf(w->out, "%lld", (long long)v);
}

void jw_num(struct jw *w, double v)
{
    if (!isfinite(v)) {
        jw_null(w);
        return;
    }
    separate(w);
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_puts(w->out, text);
}

void jw_fixed(struct jw *w, double v, int decimals)
{
    if (!isfinite(v)) {
        jw_null(w);
        return;
    }
    separate(w);
    buf_printf(w->out, "%.*f", decimals, v);
}

void jw_bool(struct jw *w, bool v)
{
    jw_raw(w, v ? "true" : "false");
}

void jw_null(struct jw *w)
{
    jw_raw(w, "null");
}

void jw_raw(struct jw *w, const char *text)
{
    separate(w);
    buf_puts(w->out, text);
}

void jw_kstr(struct jw *w, const char *key, const char *s)
{
    jw_key(w, key);
    jw_str(w, s);
}

void jw_kint(struct jw *w, const char *key, int64_t v)
{
    jw_key(w, key);
    jw_int(w, v);
}

void jw_knum(struct jw *w, const char *key, double v)
{
    jw_key(w, key);
    jw_num(w, v);
}

void jw_kbool(struct jw *w, const char *key, bool v)
{
    jw_key(w, key);
    jw_bool(w, v);
}

/* A number as it was written; as the double that it is where `rounded`. */
static void print_number(struct jw *w, const cJSON *j, bool rounded)
{
    char text[40];
    if (rounded)
        jw_num(w, j->valuedouble);
    else if (j->valuestring)
        jw_raw(w, j->valuestring);
    else if (fabs(j->valuedouble) < 1e15 &&
             j->valuedouble == floor(j->valuedouble)) {
        snprintf(text, sizeof text, "%.0f", j->valuedouble);
        jw_raw(w, text);
    } else
        jw_num(w, j->valuedouble);
}

static void print_value(struct jw *w, const cJSON *j, bool rounded)
{
    if (cJSON_IsObject(j) || cJSON_IsArray(j)) {
        jw_open(w, cJSON_IsObject(j) ? '{' : '[');
        for (const cJSON *c = j->child; c; c = c->next) {
            if (c->string && cJSON_IsObject(j))
                jw_key(w, c->string);
            print_value(w, c, rounded);
        }
        jw_close(w);
    } else if (cJSON_IsString(j)) {
        jw_str(w, j->valuestring);
    } else if (cJSON_IsNumber(j)) {
        print_number(w, j, rounded);
    } else if (cJSON_IsBool(j)) {
        jw_bool(w, cJSON_IsTrue(j));
    } else {
        jw_null(w);
    }
}

void json_print(struct buf *b, const json *j)
{
    struct jw w = jw_start(b);
    print_value(&w, j, false);
}

void json_print_rounded(struct buf *b, const json *j)
{
    struct jw w = jw_start(b);
    print_value(&w, j, true);
}
